//! Where a bill and what was metered differ, and why.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Serialize;
use tally_types::{PicoUsdSum, ProviderName};

use super::{Bill, ModelNames};
use crate::{ChargeLine, ChargeRow, Payment};

/// What a line may differ by and still be called rounded: a cent.
const ROUNDING_PICO: i128 = 10_000_000_000;
/// What providers' rates are multiples of: $0.01 per million tokens, in picodollars.
const RATE_STEP_PICO: i128 = 10_000;
/// Within which part of a step a rate is called round: by chance one in a hundred is.
const ROUND_PART: i128 = 200;

/// Why a bill differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum VarianceKind {
    /// Billed, but Tally saw none of it, or less.
    MissingTraffic,
    /// Metered, but not on the bill, or less of it.
    MissingInBill,
    /// As much of it, at another rate.
    PriceChange,
    /// Less than a cent.
    Rounding,
    /// Of a meter that no call of these days has.
    UnmeteredSource,
    /// Of a model that Tally does not know.
    UnknownModel,
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Variance {
    /// Why.
    pub kind: VarianceKind,
    /// The day, in UTC.
    #[schemars(with = "String")]
    pub date: Date,
    /// Who bills.
    pub provider: ProviderName,
    /// The model, as Tally names it where it knows it; none where it is a whole day.
    pub model: Option<String>,
    /// The meter; none where it is several.
    pub meter: Option<String>,
    /// How many are billed; none in reports of costs alone.
    pub billed_quantity: Option<u64>,
    /// How many Tally metered.
    pub metered_quantity: u64,
    /// What is billed; none in reports of usage alone.
    pub billed_usd: Option<PicoUsdSum>,
    /// What Tally metered, at list price; none where it knows no price.
    pub metered_usd: Option<PicoUsdSum>,
    /// Billed less metered, where both are known.
    pub difference_usd: Option<PicoUsdSum>,
    /// What calls do not cover: an aggregate, never a call.
    pub gap_quantity: Option<u64>,
    /// In a sentence.
    pub explanation: String,
}

/// A bill against what was metered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Reconciliation {
    /// Who bills.
    pub provider: ProviderName,
    /// The first day compared, in UTC.
    #[schemars(with = "String")]
    pub first: Date,
    /// The last one.
    #[schemars(with = "String")]
    pub last: Date,
    /// The bill's total; none in reports of usage alone.
    pub billed_usd: Option<PicoUsdSum>,
    /// What Tally metered on these days, at list price.
    pub metered_usd: PicoUsdSum,
    /// In the order of days, models and meters.
    pub variances: Vec<Variance>,
    /// What would make Tally's books agree with the bill: proposals, to be approved.
    pub adjustments: Vec<ChargeRow>,
}

type Key = (Date, String, String);

#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    quantity: Option<u64>,
    cost: Option<PicoUsdSum>,
}

/// What Tally metered, by day, model and meter.
#[derive(Debug, Clone, Default)]
pub struct Metered {
    sums: BTreeMap<Key, Sum>,
}

// === impl Metered ===

impl Metered {
    /// Adds a charge of the provider's; what a subscription covers is on no bill.
    pub fn add(&mut self, row: &ChargeRow) {
        if row.subscription {
            return;
        }
        // Reasoning is output on every bill.
        let meter = if row.meter == "reasoning" { "output" } else { row.meter.as_str() };
        let model = row.model.clone().unwrap_or_default();
        let sum = self
            .sums
            .entry((row.date, model, meter.to_owned()))
            .or_insert_with(|| Sum { quantity: Some(0), cost: Some(PicoUsdSum::default()) });
        sum.quantity = sum.quantity.map(|before| before.saturating_add(row.quantity));
        // A cost of which a part is unknown is unknown.
        sum.cost = sum.cost.zip(row.list_usd).map(|(before, more)| before + more);
    }
}

/// Holds a bill against what was metered on its days. A day, or a model, that one side does
/// not have at all is one variance; else each line that differs is.
pub fn compare(bill: &Bill, metered: &Metered, names: &ModelNames) -> Reconciliation {
    let (first, last) = bill.days;
    let is_covered = |key: &Key| (first..=last).contains(&key.0);
    let metered: BTreeMap<&Key, Sum> = metered
        .sums
        .iter()
        .filter(|(key, _)| is_covered(key))
        .map(|(key, sum)| (key, *sum))
        .collect();
    let mut known = BTreeMap::new();
    let mut unknown = BTreeMap::new();
    for line in &bill.lines {
        let named = line.model.clone().unwrap_or_default();
        let is_metered = metered.keys().any(|key| key.1 == named);
        let resolved = names.get(&named).cloned();
        let resolved = resolved.or_else(|| (is_metered || named.is_empty()).then(|| named.clone()));
        let (sums, name) = match resolved {
            Some(name) => (&mut known, name),
            None => (&mut unknown, named),
        };
        let sum: &mut Sum = sums.entry((line.date, name, line.meter.clone())).or_default();
        sum.add(line.quantity, line.cost_usd);
    }
    let sides = Sides { provider: &bill.provider, billed: known, metered };
    let mut variances = sides.variances();
    variances.extend(grouped(&unknown).into_iter().map(|((date, model), sum)| {
        let why = format!(
            "Tally knows no model `{model}`; register it, or add it to the provider's route names"
        );
        sides.variance(
            VarianceKind::UnknownModel,
            (date, Some(model), None),
            sum,
            Sum::NOTHING,
            why,
        )
    }));
    variances.sort_by(|a, b| (a.date, &a.model, &a.meter).cmp(&(b.date, &b.model, &b.meter)));
    Reconciliation {
        provider: bill.provider.clone(),
        first,
        last,
        billed_usd: bill.lines.iter().filter_map(|line| line.cost_usd).reduce(|a, b| a + b),
        metered_usd: sides
            .metered
            .values()
            .filter_map(|sum| sum.cost)
            .fold(PicoUsdSum::default(), |a, b| a + b),
        adjustments: variances.iter().filter_map(Variance::adjustment).collect(),
        variances,
    }
}

/// Both sides, under Tally's names.
struct Sides<'a> {
    provider: &'a ProviderName,
    billed: BTreeMap<Key, Sum>,
    metered: BTreeMap<&'a Key, Sum>,
}

type Place = (Date, Option<String>, Option<String>);

// === impl Sides ===

impl Sides<'_> {
    fn variances(&self) -> Vec<Variance> {
        let billed_days: BTreeSet<Date> = self.billed.keys().map(|key| key.0).collect();
        let metered_days: BTreeSet<Date> = self.metered.keys().map(|key| key.0).collect();
        let of = |day: Date, key: &Key| key.0 == day;
        let mut variances = Vec::new();
        for day in billed_days.difference(&metered_days) {
            let sum = Sum::of(self.billed.iter().filter(|(key, _)| of(*day, key)).map(|it| *it.1));
            let why = "nothing of this day was metered: did calls go around Tally?".to_owned();
            let kind = VarianceKind::MissingTraffic;
            variances.push(self.variance(kind, (*day, None, None), sum, Sum::NOTHING, why));
        }
        for day in metered_days.difference(&billed_days) {
            let sum = Sum::of(self.metered.iter().filter(|(key, _)| of(*day, key)).map(|it| *it.1));
            let why = "the bill has nothing of this day: is the report whole?".to_owned();
            let kind = VarianceKind::MissingInBill;
            variances.push(self.variance(kind, (*day, None, None), Sum::NOTHING, sum, why));
        }
        let both: BTreeSet<&Date> = billed_days.intersection(&metered_days).collect();
        let keys: BTreeSet<&Key> = self.billed.keys().chain(self.metered.keys().copied()).collect();
        let keys = keys.into_iter().filter(|key| both.contains(&key.0));
        variances.extend(keys.filter_map(|key| self.line(key)));
        variances
    }

    fn line(&self, key: &Key) -> Option<Variance> {
        let place = (key.0, Some(key.1.clone()), Some(key.2.clone()));
        let (billed, metered) = match (self.billed.get(key), self.metered.get(key)) {
            (Some(billed), Some(metered)) => (*billed, *metered),
            (Some(billed), None) => {
                let is_metered = self.metered.keys().any(|other| other.2 == key.2);
                let (kind, why) = if is_metered {
                    (VarianceKind::MissingTraffic, "none of it was metered that day")
                } else {
                    (VarianceKind::UnmeteredSource, "no metered call of these days has this meter")
                };
                return Some(self.variance(kind, place, *billed, Sum::NOTHING, why.to_owned()));
            }
            (None, metered) => {
                let metered = metered.copied().unwrap_or(Sum::NOTHING);
                let why = "the bill has none of it that day".to_owned();
                let kind = VarianceKind::MissingInBill;
                return Some(self.variance(kind, place, Sum::NOTHING, metered, why));
            }
        };
        let (kind, why) = explain(billed, metered)?;
        Some(self.variance(kind, place, billed, metered, why))
    }

    fn variance(
        &self,
        kind: VarianceKind,
        place: Place,
        billed: Sum,
        metered: Sum,
        explanation: String,
    ) -> Variance {
        let (date, model, meter) = place;
        let less = |(billed, metered): (PicoUsdSum, PicoUsdSum)| {
            PicoUsdSum::from_pico(billed.pico().saturating_sub(metered.pico()))
        };
        let metered_quantity = metered.quantity.unwrap_or_default();
        Variance {
            kind,
            date,
            provider: self.provider.clone(),
            model,
            meter,
            billed_quantity: billed.quantity,
            metered_quantity,
            billed_usd: billed.cost,
            metered_usd: metered.cost,
            difference_usd: billed.cost.zip(metered.cost).map(less),
            gap_quantity: billed
                .quantity
                .and_then(|it| it.checked_sub(metered_quantity))
                .filter(|gap| *gap > 0),
            explanation,
        }
    }
}

/// Why a line that both sides have differs, if it does.
fn explain(billed: Sum, metered: Sum) -> Option<(VarianceKind, String)> {
    let counted = metered.quantity.unwrap_or_default();
    let difference = billed.cost.zip(metered.cost).map(|(b, m)| b.pico().saturating_sub(m.pico()));
    let is_rounding =
        difference.is_some_and(|it| it.unsigned_abs() <= ROUNDING_PICO.unsigned_abs());
    match billed.quantity {
        Some(quantity) if quantity != counted => {
            let kind = if quantity > counted {
                VarianceKind::MissingTraffic
            } else {
                VarianceKind::MissingInBill
            };
            Some((kind, format!("{quantity} billed, {counted} metered")))
        }
        _ if billed.cost.is_none() || difference == Some(0) => None,
        _ if is_rounding => Some((VarianceKind::Rounding, "less than a cent".to_owned())),
        Some(_) if metered.cost.is_none() => {
            Some((VarianceKind::PriceChange, "Tally knows no price for it".to_owned()))
        }
        Some(_) => Some((VarianceKind::PriceChange, "as many, at another rate".to_owned())),
        None => Some(explain_costs(billed.cost?.pico(), counted, difference?)),
    }
}

/// Of costs alone: whoever changes a price bills a round rate of what was metered, and
/// traffic that was missed makes none.
fn explain_costs(billed: i128, counted: u64, difference: i128) -> (VarianceKind, String) {
    let counted = i128::from(counted);
    let step = counted.saturating_mul(RATE_STEP_PICO);
    let off = if step == 0 { billed } else { billed.rem_euclid(step) };
    let off = off.min(step.saturating_sub(off));
    if step > 0 && off <= step / ROUND_PART {
        let rate = (billed + step / 2).div_euclid(step) * RATE_STEP_PICO;
        let rate = PicoUsdSum::from_pico(rate * 1_000_000);
        return (
            VarianceKind::PriceChange,
            format!("it is {rate} USD per million of what was metered"),
        );
    }
    if difference > 0 {
        return (VarianceKind::MissingTraffic, "more is billed than was metered".to_owned());
    }
    (VarianceKind::MissingInBill, "less is billed than was metered".to_owned())
}

fn grouped(sums: &BTreeMap<Key, Sum>) -> BTreeMap<(Date, String), Sum> {
    let mut groups: BTreeMap<(Date, String), Sum> = BTreeMap::new();
    for ((date, model, _), sum) in sums {
        groups.entry((*date, model.clone())).or_default().add(sum.quantity, sum.cost);
    }
    groups
}

// === impl Sum ===

impl Sum {
    const NOTHING: Self = Self { quantity: Some(0), cost: Some(PicoUsdSum::from_pico(0)) };

    fn add(&mut self, quantity: Option<u64>, cost: Option<PicoUsdSum>) {
        if let Some(more) = quantity {
            self.quantity = Some(self.quantity.unwrap_or_default().saturating_add(more));
        }
        if let Some(more) = cost {
            self.cost = Some(self.cost.unwrap_or_default() + more);
        }
    }

    fn of(sums: impl Iterator<Item = Self>) -> Self {
        let mut all = Self::default();
        sums.for_each(|sum| all.add(sum.quantity, sum.cost));
        all
    }
}

// === impl Variance ===

impl Variance {
    /// The adjustment that it proposes: an aggregate that nobody pays yet.
    fn adjustment(&self) -> Option<ChargeRow> {
        let amount = self.difference_usd.filter(|amount| amount.pico() != 0)?;
        Some(ChargeRow {
            line: ChargeLine::Adjustment,
            date: self.date,
            cost_center: None,
            team: None,
            workload: None,
            workload_class: None,
            environment: None,
            key: None,
            provider: Some(self.provider.clone()),
            model: self.model.clone(),
            model_family: None,
            tier: None,
            service_tier: None,
            meter: self.meter.clone().unwrap_or_default(),
            quantity: self.gap_quantity.unwrap_or_default(),
            list_rate_pico: None,
            rate_pico: None,
            list_usd: None,
            amount_usd: amount,
            payment: Payment { unallocated_usd: amount, ..Payment::default() },
            rate_card: None,
            subscription: false,
            corrects: None,
            calls: 0,
        })
    }
}
