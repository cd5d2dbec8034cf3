//! Where a bill and what was metered differ, and why.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, civil::Date};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tally_types::{
    PicoUsdSum, ProviderName,
    spec::{AdjustmentSpec, AdjustmentState, BilledMeter, VarianceKind},
};

use super::{
    Bill, BillLine, ModelNames,
    explain::explain,
    metered::{Key, Metered, Sum},
};

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Variance {
    /// 1, 2, 3… in the order of days, models and meters.
    pub number: u32,
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
    /// Of an aggregate, what is billed, meter by meter.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aggregate: Vec<BilledMeter>,
    /// What calls did not cover of that when the bill was imported.
    #[serde(default)]
    pub gap_usd: Option<PicoUsdSum>,
    /// The adjustment that would settle it; none where no price is known, or nothing differs in
    /// money.
    pub proposed_usd: Option<PicoUsdSum>,
    /// In a sentence.
    pub explanation: String,
}

/// A day of a bill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ReconciledDay")]
pub struct Day {
    /// The day, in UTC.
    #[schemars(with = "String")]
    pub date: Date,
    /// What is billed; at list price in reports of usage alone.
    pub billed_usd: PicoUsdSum,
    /// What Tally metered, at list price.
    pub metered_usd: PicoUsdSum,
}

/// A bill against what was metered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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
    /// Day by day.
    pub days: Vec<Day>,
    /// In the order of days, models and meters.
    pub variances: Vec<Variance>,
}

/// What one of a meter costs at list price on a day, in picodollars, by the model as the bill
/// names it.
pub type ListRate<'a> = dyn Fn(Date, Option<&str>, &str) -> Option<i64> + 'a;

/// Holds a bill against what was metered on its days. A day, or a model, that one side does
/// not have at all is one variance; else each line that differs is. What a report of usage alone
/// counts and calls do not cover is worth its list price.
pub fn compare(
    bill: &Bill,
    metered: &Metered,
    names: &ModelNames,
    rate: &ListRate<'_>,
) -> Reconciliation {
    let (first, last) = bill.days;
    let is_covered = |key: &Key| (first..=last).contains(&key.0);
    let in_days: BTreeMap<&Key, Sum> = metered
        .sums
        .iter()
        .filter(|(key, _)| is_covered(key))
        .map(|(key, sum)| (key, *sum))
        .collect();
    let (mut known, mut unknown) = (BTreeMap::new(), BTreeMap::new());
    for line in &bill.lines {
        let named = line.model.clone().unwrap_or_default();
        let is_metered = in_days.keys().any(|key| key.1 == named);
        let resolved = names.get(&named).cloned();
        let resolved = resolved.or_else(|| (is_metered || named.is_empty()).then(|| named.clone()));
        let (lines, name) = match resolved {
            Some(name) => (&mut known, name),
            None => (&mut unknown, named),
        };
        let billed: &mut Billed = lines.entry((line.date, name, line.meter.clone())).or_default();
        billed.add(line, rate);
    }
    let (days, metered_usd) = by_day(known.iter().chain(&unknown), &in_days);
    let provider = &bill.provider;
    let sides = Sides { provider, billed: known, in_days, metered, names };
    let mut variances = sides.variances();
    variances.extend(sides.of_unknown_models(&unknown));
    variances.sort_by(|a, b| (a.date, &a.model, &a.meter).cmp(&(b.date, &b.model, &b.meter)));
    for (number, variance) in (1_u32..).zip(&mut variances) {
        variance.number = number;
    }
    Reconciliation {
        provider: provider.clone(),
        first,
        last,
        billed_usd: bill.lines.iter().filter_map(|line| line.cost_usd).reduce(|a, b| a + b),
        metered_usd,
        days,
        variances,
    }
}

/// What both sides come to, day by day, and what was metered.
fn by_day<'a>(
    billed: impl Iterator<Item = (&'a Key, &'a Billed)>,
    metered: &BTreeMap<&Key, Sum>,
) -> (Vec<Day>, PicoUsdSum) {
    let (mut days, mut total) = (BTreeMap::new(), PicoUsdSum::default());
    let mut add = |date: Date, billed: PicoUsdSum, metered: PicoUsdSum| {
        let (zero, day) = (PicoUsdSum::default(), days.entry(date));
        let day = day.or_insert(Day { date, billed_usd: zero, metered_usd: zero });
        (day.billed_usd, day.metered_usd) = (day.billed_usd + billed, day.metered_usd + metered);
    };
    for (key, billed) in billed {
        let usd = billed.lines.iter().fold(PicoUsdSum::default(), |sum, line| sum + line.usd);
        add(key.0, usd, PicoUsdSum::default());
    }
    for (key, sum) in metered {
        let cost = sum.cost.unwrap_or_default();
        total = total + cost;
        add(key.0, PicoUsdSum::default(), cost);
    }
    (days.into_values().collect(), total)
}

/// What a bill has of a meter of a model on a day.
#[derive(Debug, Clone, Default)]
struct Billed {
    sum: Sum,
    /// As it is named there, with what it is worth, where that is known.
    lines: Vec<BilledMeter>,
}

// === impl Billed ===

impl Billed {
    fn add(&mut self, line: &BillLine, rate: &ListRate<'_>) {
        self.sum.add(line.quantity, line.cost_usd);
        let listed = || {
            let rate = rate(line.date, line.model.as_deref(), &line.meter)?;
            let quantity = i128::from(line.quantity?);
            Some(PicoUsdSum::from_pico(i128::from(rate).saturating_mul(quantity)))
        };
        let Some(usd) = line.cost_usd.or_else(listed) else { return };
        // Several lines of one meter are held against the calls of it together.
        if let Some(before) = self.lines.first_mut() {
            before.quantity = before.quantity.zip(line.quantity).map(|(a, b)| a.saturating_add(b));
            before.usd = before.usd + usd;
            return;
        }
        let (model, meter) = (line.model.clone(), line.meter.clone());
        self.lines.push(BilledMeter { model, meter, quantity: line.quantity, usd });
    }
}

/// Both sides, under Tally's names.
struct Sides<'a> {
    provider: &'a ProviderName,
    billed: BTreeMap<Key, Billed>,
    in_days: BTreeMap<&'a Key, Sum>,
    metered: &'a Metered,
    names: &'a ModelNames,
}

/// Why, on which day, of which model and meter.
type Place = (VarianceKind, Date, Option<String>, Option<String>);

// === impl Sides ===

impl Sides<'_> {
    fn variances(&self) -> Vec<Variance> {
        let billed_days: BTreeSet<Date> = self.billed.keys().map(|key| key.0).collect();
        let metered_days: BTreeSet<Date> = self.in_days.keys().map(|key| key.0).collect();
        let mut variances = Vec::new();
        for day in billed_days.difference(&metered_days) {
            let billed: Vec<&Billed> =
                self.billed.iter().filter(|(key, _)| key.0 == *day).map(|it| it.1).collect();
            let why = "nothing of this day was metered: did calls go around Tally?".to_owned();
            let place = (VarianceKind::MissingTraffic, *day, None, None);
            variances.push(self.variance(place, &billed, Sum::NOTHING, why));
        }
        for day in metered_days.difference(&billed_days) {
            let sum = Sum::of(self.in_days.iter().filter(|it| it.0.0 == *day).map(|it| *it.1));
            let why = "the bill has nothing of this day: is the report whole?".to_owned();
            let place = (VarianceKind::MissingInBill, *day, None, None);
            variances.push(self.variance(place, &[], sum, why));
        }
        let both: BTreeSet<&Date> = billed_days.intersection(&metered_days).collect();
        let keys: BTreeSet<&Key> = self.billed.keys().chain(self.in_days.keys().copied()).collect();
        let keys = keys.into_iter().filter(|key| both.contains(&key.0));
        variances.extend(keys.filter_map(|key| self.line(key)));
        variances
    }

    fn line(&self, key: &Key) -> Option<Variance> {
        let place = |kind| (kind, key.0, Some(key.1.clone()), Some(key.2.clone()));
        match (self.billed.get(key), self.in_days.get(key)) {
            (Some(billed), Some(metered)) => {
                let (kind, why) = explain(billed.sum, *metered)?;
                Some(self.variance(place(kind), &[billed], *metered, why))
            }
            (Some(billed), None) => {
                let is_metered = self.in_days.keys().any(|other| other.2 == key.2);
                let (kind, why) = if is_metered {
                    (VarianceKind::MissingTraffic, "none of it was metered that day")
                } else {
                    (VarianceKind::UnmeteredSource, "no metered call of these days has this meter")
                };
                Some(self.variance(place(kind), &[billed], Sum::NOTHING, why.to_owned()))
            }
            (None, metered) => {
                let metered = metered.copied().unwrap_or(Sum::NOTHING);
                let why = "the bill has none of it that day".to_owned();
                Some(self.variance(place(VarianceKind::MissingInBill), &[], metered, why))
            }
        }
    }

    /// One variance for each day and model.
    fn of_unknown_models(&self, unknown: &BTreeMap<Key, Billed>) -> Vec<Variance> {
        let mut groups: BTreeMap<(Date, &str), Vec<&Billed>> = BTreeMap::new();
        for ((date, model, _), billed) in unknown {
            groups.entry((*date, model)).or_default().push(billed);
        }
        let variance = |((date, model), billed): ((Date, &str), Vec<&Billed>)| {
            let why = format!(
                "Tally knows no model `{model}`; register it, or add it to the provider's route names"
            );
            let place = (VarianceKind::UnknownModel, date, Some(model.to_owned()), None);
            self.variance(place, &billed, Sum::NOTHING, why)
        };
        groups.into_iter().map(variance).collect()
    }

    fn variance(
        &self,
        (kind, date, model, meter): Place,
        billed: &[&Billed],
        metered: Sum,
        explanation: String,
    ) -> Variance {
        let sum = match billed {
            [] => Sum::NOTHING,
            several => Sum::of(several.iter().map(|it| it.sum)),
        };
        let less = |(billed, metered): (PicoUsdSum, PicoUsdSum)| {
            PicoUsdSum::from_pico(billed.pico().saturating_sub(metered.pico()))
        };
        let difference_usd = sum.cost.zip(metered.cost).map(less);
        let metered_quantity = metered.quantity.unwrap_or_default();
        let gap_quantity =
            sum.quantity.and_then(|it| it.checked_sub(metered_quantity)).filter(|gap| *gap > 0);
        let aggregate = match kind {
            VarianceKind::MissingTraffic
            | VarianceKind::UnmeteredSource
            | VarianceKind::UnknownModel => billed.iter().flat_map(|it| it.lines.clone()).collect(),
            _ => Vec::new(),
        };
        let gap = || self.metered.gap(date, &aggregate, self.names);
        let gap_usd = (!aggregate.is_empty()).then(gap).map(|gap| PicoUsdSum::from_pico(gap.pico));
        let proposed_usd = difference_usd.or(gap_usd).filter(|usd| usd.pico() != 0);
        Variance {
            number: 0,
            kind,
            date,
            provider: self.provider.clone(),
            model,
            meter,
            billed_quantity: sum.quantity,
            metered_quantity,
            billed_usd: sum.cost,
            metered_usd: metered.cost,
            difference_usd,
            gap_quantity,
            aggregate,
            gap_usd,
            proposed_usd,
            explanation,
        }
    }
}

// === impl Variance ===

impl Variance {
    /// The adjustment that would settle it, as the store takes it, which says who decided.
    pub fn proposal(&self, reconciliation: &str) -> Option<AdjustmentSpec> {
        Some(AdjustmentSpec {
            reconciliation: reconciliation.to_owned(),
            number: self.number,
            provider: self.provider.clone(),
            date: self.date,
            model: self.model.clone(),
            meter: self.meter.clone(),
            variance: self.kind,
            amount_usd: self.proposed_usd?,
            quantity: self.gap_quantity.unwrap_or_default(),
            aggregate: self.aggregate.clone(),
            gap_usd: self.gap_usd.unwrap_or_default(),
            cost_center: None,
            state: AdjustmentState::Approved,
            decided_by: String::new(),
            decided_at: Timestamp::UNIX_EPOCH,
            reason: String::new(),
            posted_by: None,
            posted_at: None,
        })
    }
}
