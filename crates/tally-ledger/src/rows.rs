//! Calls gathered into rows: what was used on one day for one purpose, at one rate.

use std::{borrow::Cow, collections::HashMap};

use jiff::civil::Date;
use tally_types::{
    CostCenterName, Environment, KeyName, Name, PicoUsdSum, ProviderName, ServiceTier, TeamName,
    Tier, UsageEvent, WorkloadClass, WorkloadName,
};

use crate::{ChargeLine, ChargeRow, Payment, funding::Shares};

/// One meter of a call with its rates and who pays; amounts are picodollars.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) meter: Cow<'static, str>,
    pub(crate) quantity: u64,
    pub(crate) list_rate: Option<i64>,
    pub(crate) rate: Option<i64>,
    pub(crate) list: Option<i128>,
    pub(crate) amount: i128,
    pub(crate) shares: Shares,
}

/// What calls have in common that stand in the same rows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Purpose {
    line: ChargeLine,
    corrects: Option<u32>,
    date: Date,
    cost_center: Option<CostCenterName>,
    team: Option<TeamName>,
    workload: Option<WorkloadName>,
    workload_class: Option<WorkloadClass>,
    environment: Environment,
    key: Option<KeyName>,
    provider: Option<ProviderName>,
    model: String,
    model_family: Option<String>,
    tier: Option<Tier>,
    service_tier: ServiceTier,
    rate_card: Option<Name>,
    subscription: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Rate {
    meter: Cow<'static, str>,
    list_rate: Option<i64>,
    rate: Option<i64>,
    priced: bool,
}

#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    quantity: u64,
    list: i128,
    amount: i128,
    shares: Shares,
    calls: u64,
}

/// Where a call's items belong.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) line: ChargeLine,
    pub(crate) corrects: Option<u32>,
    pub(crate) date: Date,
    pub(crate) rate_card: Option<&'a Name>,
}

/// Rows that are being gathered.
#[derive(Debug, Default)]
pub(crate) struct Gathered(HashMap<Purpose, Vec<(Rate, Sums)>>);

// === impl Gathered ===

impl Gathered {
    /// Adds a call. It is counted in the row of its first meter.
    pub(crate) fn add(&mut self, event: &UsageEvent, place: Place<'_>, items: &[Item]) {
        let rates = self.0.entry(purpose(event, place)).or_default();
        for (index, item) in items.iter().enumerate() {
            let rate = Rate {
                meter: item.meter.clone(),
                list_rate: item.list_rate,
                rate: item.rate,
                priced: item.list.is_some(),
            };
            // There are few: as many as a call has meters, but where a price changed.
            let known = rates.iter().position(|(known, _)| *known == rate);
            let at = known.unwrap_or(rates.len());
            if known.is_none() {
                rates.push((rate, Sums::default()));
            }
            let Some((_, sums)) = rates.get_mut(at) else { continue };
            sums.quantity = sums.quantity.saturating_add(item.quantity);
            sums.list += item.list.unwrap_or_default();
            sums.amount += item.amount;
            sums.shares.charged += item.shares.charged;
            sums.shares.central += item.shares.central;
            sums.shares.unallocated += item.shares.unallocated;
            sums.calls += u64::from(index == 0);
        }
    }

    /// The rows in an order that follows from what they hold; nothing is left.
    pub(crate) fn take(&mut self) -> Vec<ChargeRow> {
        let mut purposes: Vec<_> = self.0.drain().collect();
        purposes.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        let mut rows = Vec::new();
        for (purpose, mut rates) in purposes {
            rates.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
            rows.extend(rates.into_iter().map(|(rate, sums)| row(&purpose, rate, &sums)));
        }
        rows
    }
}

fn purpose(event: &UsageEvent, place: Place<'_>) -> Purpose {
    Purpose {
        line: place.line,
        corrects: place.corrects,
        date: place.date,
        cost_center: event.cost_center.clone(),
        team: event.team.clone(),
        workload: event.workload.clone(),
        workload_class: event.workload_class,
        environment: event.environment,
        key: event.key.clone(),
        provider: event.provider.clone(),
        model: event.model_served.clone().unwrap_or_else(|| event.model_requested.clone()),
        model_family: event.model_family.clone(),
        tier: event.tier,
        service_tier: event.service_tier,
        rate_card: place.rate_card.cloned(),
        subscription: event.subscription,
    }
}

fn row(purpose: &Purpose, rate: Rate, sums: &Sums) -> ChargeRow {
    let purpose = purpose.clone();
    ChargeRow {
        line: purpose.line,
        date: purpose.date,
        cost_center: purpose.cost_center,
        team: purpose.team,
        workload: purpose.workload,
        workload_class: purpose.workload_class,
        environment: Some(purpose.environment),
        key: purpose.key,
        provider: purpose.provider,
        model: Some(purpose.model),
        model_family: purpose.model_family,
        tier: purpose.tier,
        service_tier: Some(purpose.service_tier),
        meter: rate.meter.into_owned(),
        quantity: sums.quantity,
        list_rate_pico: rate.list_rate,
        rate_pico: rate.rate,
        list_usd: rate.priced.then(|| PicoUsdSum::from_pico(sums.list)),
        amount_usd: PicoUsdSum::from_pico(sums.amount),
        payment: payment(&sums.shares),
        rate_card: purpose.rate_card.map(|name| name.to_string()),
        subscription: purpose.subscription,
        corrects: purpose.corrects.map(month_text),
        adjustment: None,
        aggregate: false,
        calls: sums.calls,
    }
}

/// Such as `2026-10` of 202610.
pub(crate) fn month_text(number: u32) -> String {
    format!("{:04}-{:02}", number / 100, number % 100)
}

pub(crate) fn payment(shares: &Shares) -> Payment {
    Payment {
        charged_usd: PicoUsdSum::from_pico(shares.charged),
        subsidised_usd: PicoUsdSum::from_pico(shares.central),
        unallocated_usd: PicoUsdSum::from_pico(shares.unallocated),
    }
}

/// A row that is no usage: all its money and nothing of a call.
pub(crate) fn plain(line: ChargeLine, date: Date, meter: &str, shares: &Shares) -> ChargeRow {
    ChargeRow {
        line,
        date,
        cost_center: None,
        team: None,
        workload: None,
        workload_class: None,
        environment: None,
        key: None,
        provider: None,
        model: None,
        model_family: None,
        tier: None,
        service_tier: None,
        meter: meter.to_owned(),
        quantity: 0,
        list_rate_pico: None,
        rate_pico: None,
        list_usd: Some(PicoUsdSum::default()),
        amount_usd: PicoUsdSum::from_pico(shares.charged + shares.central + shares.unallocated),
        payment: payment(shares),
        rate_card: None,
        subscription: false,
        corrects: None,
        adjustment: None,
        aggregate: false,
        calls: 0,
    }
}
