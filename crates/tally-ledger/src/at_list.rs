//! Metered calls as charges at list price: what was used, before any rate card.

use std::collections::BTreeMap;

use jiff::civil::Date;
use tally_types::{
    CallStatus, CostCenterName, Environment, KeyName, PicoUsdSum, ProviderName, ServiceTier,
    TeamName, Tier, TokenKind, UsageEvent, WorkloadClass, WorkloadName,
};

use crate::{ChargeLine, ChargeRow, Payment};

/// One line of a call's price at list: a meter, how much of it, at which rate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PricedMeter {
    /// As [`ChargeRow::meter`].
    pub meter: String,
    /// How many.
    pub quantity: u64,
    /// The list rate of one, in picodollars.
    pub rate_pico: i64,
}

/// Charges of one day, being added up.
#[derive(Debug, Clone)]
pub struct AtList {
    date: Date,
    sums: BTreeMap<Group, Sum>,
}

/// What one row is of: its size does not follow from the number of calls.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Group {
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
    subscription: bool,
    meter: String,
    rate_pico: Option<i64>,
    is_priced: bool,
}

#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    quantity: u64,
    list: i128,
    calls: u64,
}

// === impl AtList ===

impl AtList {
    /// Nothing yet.
    pub const fn new(date: Date) -> Self {
        Self { date, sums: BTreeMap::new() }
    }

    /// Adds a call of that day with its price taken apart; none where that cannot be done.
    /// Refused calls were never sent, and are left out.
    pub fn add(&mut self, event: &UsageEvent, price: Option<&[PricedMeter]>) {
        if event.status == CallStatus::Refused {
            return;
        }
        match (event.cost_list_usd, price) {
            (Some(_), Some(lines)) => {
                for line in lines {
                    let list = i128::from(line.rate_pico) * i128::from(line.quantity);
                    let group = Group::of(event, &line.meter, Some(line.rate_pico), true);
                    self.count(group, line.quantity, list);
                }
            }
            // The price is known but not what it was made of.
            (Some(cost), None) => {
                self.count(Group::of(event, "call", None, true), 1, i128::from(cost.pico()));
            }
            (None, _) => {
                for kind in TokenKind::ALL {
                    let count = event.tokens.of(kind);
                    if count > 0 {
                        self.count(Group::of(event, meter_of(kind), None, false), count, 0);
                    }
                }
            }
        }
    }

    fn count(&mut self, group: Group, quantity: u64, list: i128) {
        let sum = self.sums.entry(group).or_default();
        sum.quantity = sum.quantity.saturating_add(quantity);
        sum.list = sum.list.saturating_add(list);
        sum.calls += 1;
    }

    /// The rows: charged to the cost center where one is known. What a subscription covers
    /// is shown at list price, and charged nothing.
    pub fn into_rows(self) -> impl Iterator<Item = ChargeRow> {
        let date = self.date;
        self.sums.into_iter().map(move |(group, sum)| row(date, group, sum))
    }
}

/// The meter of a kind of token.
pub const fn meter_of(kind: TokenKind) -> &'static str {
    match kind {
        TokenKind::InputUncached => "input_uncached",
        TokenKind::CacheRead => "cache_read",
        TokenKind::CacheWrite5m => "cache_write_5m",
        TokenKind::CacheWrite1h => "cache_write_1h",
        TokenKind::Output => "output",
    }
}

fn row(date: Date, group: Group, sum: Sum) -> ChargeRow {
    let list = PicoUsdSum::from_pico(sum.list);
    let amount = if group.subscription { PicoUsdSum::default() } else { list };
    let payment = match group.cost_center {
        Some(_) => Payment { charged_usd: amount, ..Payment::default() },
        None => Payment { unallocated_usd: amount, ..Payment::default() },
    };
    ChargeRow {
        line: ChargeLine::Usage,
        date,
        cost_center: group.cost_center,
        team: group.team,
        workload: group.workload,
        workload_class: group.workload_class,
        environment: Some(group.environment),
        key: group.key,
        provider: group.provider,
        model: Some(group.model),
        model_family: group.model_family,
        tier: group.tier,
        service_tier: Some(group.service_tier),
        meter: group.meter,
        quantity: sum.quantity,
        list_rate_pico: group.rate_pico,
        rate_pico: if group.subscription { Some(0) } else { group.rate_pico },
        list_usd: group.is_priced.then_some(list),
        amount_usd: amount,
        payment,
        rate_card: None,
        subscription: group.subscription,
        corrects: None,
        calls: sum.calls,
    }
}

// === impl Group ===

impl Group {
    fn of(event: &UsageEvent, meter: &str, rate_pico: Option<i64>, is_priced: bool) -> Self {
        let model = event.model_served.as_ref().unwrap_or(&event.model_requested);
        Self {
            cost_center: event.cost_center.clone(),
            team: event.team.clone(),
            workload: event.workload.clone(),
            workload_class: event.workload_class,
            environment: event.environment,
            key: event.key.clone(),
            provider: event.provider.clone(),
            model: model.clone(),
            model_family: event.model_family.clone(),
            tier: event.tier,
            service_tier: event.service_tier,
            subscription: event.subscription,
            meter: meter.to_owned(),
            rate_pico,
            is_priced,
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::{Timestamp, civil::date};
    use tally_types::{CallId, EventId, IdSource as _, PicoUsd, SequentialIds, Source};

    use super::*;

    fn event() -> UsageEvent {
        let id = SequentialIds::default().uuid(Timestamp::UNIX_EPOCH);
        let time = Timestamp::UNIX_EPOCH;
        let mut event = UsageEvent::new(EventId(id), CallId(id), time, Source::Gateway);
        event.cost_center = Some("support".parse().unwrap());
        event.model_requested = "gpt-x".to_owned();
        event.tokens.input_uncached = 10;
        event.tokens.output = 3;
        event.cost_list_usd = Some(PicoUsd::from_pico(70));
        event
    }

    fn rows(events: &[(UsageEvent, Option<Vec<PricedMeter>>)]) -> Vec<ChargeRow> {
        let mut day = AtList::new(date(2026, 10, 1));
        for (event, price) in events {
            day.add(event, price.as_deref());
        }
        day.into_rows().collect()
    }

    #[test]
    fn calls_at_one_rate_are_one_row_per_meter() {
        let line = |meter: &str, quantity, rate_pico| PricedMeter {
            meter: meter.to_owned(),
            quantity,
            rate_pico,
        };
        let price = Some(vec![line("input_uncached", 10, 4), line("output", 3, 10)]);
        let rows = rows(&[(event(), price.clone()), (event(), price)]);
        assert_eq!(rows.len(), 2);
        assert_eq!((rows[0].quantity, rows[0].calls), (20, 2));
        let list: i128 = rows.iter().map(|row| row.list_usd.unwrap().pico()).sum();
        assert_eq!(list, 140);
        assert!(rows.iter().all(|row| row.payment.charged_usd == row.amount_usd));
    }

    #[test]
    fn nothing_is_lost_of_what_has_no_price_no_payer_or_no_parts() {
        let mut unpriced = event();
        (unpriced.cost_list_usd, unpriced.cost_center) = (None, None);
        let mut subscription = event();
        subscription.subscription = true;
        let mut refused = event();
        refused.status = CallStatus::Refused;
        let rows =
            rows(&[(unpriced, None), (event(), None), (subscription, None), (refused, None)]);
        let meters: Vec<_> = rows.iter().map(|row| (row.meter.as_str(), row.list_usd)).collect();
        let whole = Some(PicoUsdSum::from_pico(70));
        assert_eq!(
            meters,
            [("input_uncached", None), ("output", None), ("call", whole), ("call", whole)]
        );
        assert_eq!(rows[2].payment.charged_usd.pico(), 70);
        assert_eq!((rows[3].amount_usd.pico(), rows[3].subscription), (0, true));
    }
}
