//! Whatever the calls, cards and models: every posting balances, rows and postings come to
//! the same, and nothing that was metered is lost.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::json;
use tally_ledger::{ChargeRow, Made, Meters, Run, Terms, Totals, funding::Funds};
use tally_pricing::rates::Rates;
use tally_store::Snapshot;
use tally_types::{
    Environment, Name, PicoUsd, UsageEvent,
    spec::{CostCenterSpec, RateCardSpec},
};
use tally_warehouse::{Posted, Posting};

use crate::support::{event, month, prices};

const CENTERS: [&str; 6] = ["subsidy", "guarded", "showback", "production", "hybrid", "quota"];

fn centers(quota: i64) -> BTreeMap<Name, CostCenterSpec> {
    let quota = PicoUsd::from_pico(quota).to_string();
    let of = |name: &str| match name {
        "guarded" => json!({ "model": "subsidy", "quota_usd": quota, "until": "2026-10-20" }),
        "hybrid" => json!({
            "model": "hybrid", "quota_usd": quota, "from": "2026-10-05",
            "history": [{ "model": "showback" }],
        }),
        "quota" => json!({ "model": "quota", "quota_usd": quota }),
        other => json!({ "model": other }),
    };
    let center = |name: &&str| {
        let spec = json!({ "owner": "ada", "chargeback": of(name) });
        (name.parse().unwrap(), serde_json::from_value(spec).unwrap())
    };
    let mut centers: BTreeMap<Name, CostCenterSpec> = CENTERS.iter().map(center).collect();
    let silent = serde_json::from_value(json!({ "owner": "ada" })).unwrap();
    centers.insert("silent".parse().unwrap(), silent);
    centers
}

prop_compose! {
    fn any_event()(
        number in 1..5_000_u64,
        second in 0..2_678_000_i64,
        center in proptest::option::of(0..9_usize),
        production in any::<bool>(),
        tokens in (0..100_000_u64, 0..100_000_u64, 0..100_000_u64),
        kind in 0..10,
    ) -> (UsageEvent, i32) {
        let names = ["subsidy", "guarded", "showback", "production", "hybrid", "quota", "silent",
            "gone", "hybrid"];
        let environment =
            if production { Environment::Production } else { Environment::Experimentation };
        let name = center.map(|index| names[index]);
        let mut event = event(number, "2026-09-30T22:00:00Z", name, environment);
        event.time += std::time::Duration::from_secs(u64::try_from(second).unwrap());
        (event.tokens.input_uncached, event.tokens.cache_read, event.tokens.output) = tokens;
        event.subscription = kind == 0;
        (event, kind)
    }
}

prop_compose! {
    fn any_card()(
        markup in -100_000..100_000_i64,
        price in 0..100_000_000_i64,
        reserved in 0..2_000_000_000_000_i64,
        shared in 0..2_000_000_000_000_i64,
        idle in prop::sample::select(vec!["owner", "even", "proportional", "central"]),
        split in prop::sample::select(vec!["even", "proportional"]),
        mode in prop::sample::select(vec!["half_up", "half_even", "up"]),
        per in prop::sample::select(vec!["statement", "line"]),
    ) -> RateCardSpec {
        let usd = |pico: i64| PicoUsd::from_pico(pico).to_string();
        serde_json::from_value(json!({
            "from": "2026-01-01",
            "markup_percent": format!("{}.{:03}", markup / 1_000, (markup % 1_000).abs()),
            "negotiated": [{
                "cost_center": "hybrid", "meter": "output",
                "usd_per_million": tally_types::RatePerToken::from_pico(price).to_string(),
            }],
            "reserved": [{
                "name": "committed", "monthly_usd": usd(reserved), "owner": "quota", "idle": idle,
            }],
            "shared": [
                { "name": "gateway", "monthly_usd": usd(shared), "split": split },
                { "name": "people", "monthly_usd": usd(7), "split": "fixed",
                  "fixed": { "subsidy": usd(3) } },
            ],
            "rounding": { "mode": mode, "per": per },
        }))
        .unwrap()
    }
}

/// In the order of the warehouse, priced; some are unpriced, some priced by a version that
/// is no more, and asked for more.
fn ordered(events: Vec<(UsageEvent, i32)>) -> Vec<UsageEvent> {
    let prices = prices();
    let mut events: Vec<UsageEvent> = events
        .into_iter()
        .map(|(mut event, kind)| {
            if kind != 1 {
                prices.price_event("anthropic", &["opus"], &mut event);
            }
            if kind == 2 {
                event.price_version = Some("older".to_owned());
                let dearer = event.cost_list_usd.map(|cost| cost.pico() + 1);
                event.cost_list_usd = dearer.map(PicoUsd::from_pico);
            }
            event
        })
        .collect();
    events.sort_by_key(|event| event.event_id);
    events.dedup_by_key(|event| event.event_id);
    let center = |event: &UsageEvent| event.cost_center.as_ref().map(ToString::to_string);
    events
        .sort_by_key(|event| (center(event).is_none(), center(event), event.time, event.event_id));
    events
}

struct Books {
    rows: Vec<ChargeRow>,
    postings: Vec<Posting>,
}

fn run(
    events: &[UsageEvent],
    late: &[UsageEvent],
    reversed: &[Posted],
    centers: &BTreeMap<Name, CostCenterSpec>,
    card: Option<&RateCardSpec>,
    of: &str,
) -> Books {
    let (prices, snapshot) = (prices(), Snapshot::default());
    let name: Name = "card".parse().unwrap();
    let terms = Terms {
        month: month(of),
        zone: tally_types::TimeZone::get("Europe/Berlin").unwrap(),
        currency: "USD",
        rates: Rates::new(card.map(|card| (&name, card))),
        centers,
        meters: Meters { snapshot: &snapshot, prices: &prices },
    };
    let mut books = Books { rows: Vec::new(), postings: Vec::new() };
    let mut sink = |made: Made| {
        match made {
            Made::Row(row) => books.rows.push(*row),
            Made::Posting(posting) => books.postings.push(posting),
        }
        Ok(())
    };
    let mut run = Run::new(terms, Funds::default());
    for posted in reversed {
        run.reverse(posted, &mut sink).unwrap();
    }
    for event in events {
        run.usage(event, &mut sink).unwrap();
    }
    for event in late {
        run.late(event, &mut sink).unwrap();
    }
    run.finish(&mut sink).unwrap();
    books
}

fn totals(rows: &[ChargeRow]) -> Totals {
    let mut totals = Totals::default();
    rows.iter().for_each(|row| totals.add(row));
    totals
}

fn check(books: &Books) {
    for posting in &books.postings {
        assert!(posting.is_balanced(), "{posting:?}");
    }
    for row in &books.rows {
        let payment = &row.payment;
        let paid = payment.charged_usd + payment.subsidised_usd + payment.unallocated_usd;
        assert_eq!(paid, row.amount_usd, "{row:?}");
        if let Some(rate) = row.rate_pico {
            assert_eq!(i128::from(rate) * i128::from(row.quantity), row.amount_usd.pico());
        }
    }
    let rows = totals(&books.rows);
    assert!(rows.is_balanced());
    let sum = |of: fn(&Posting) -> i64| -> i128 {
        books.postings.iter().map(|posting| i128::from(of(posting))).sum()
    };
    assert_eq!(sum(|it| it.list.unwrap_or(0)), rows.list_usd.pico());
    assert_eq!(sum(|it| it.amount), rows.amount_usd.pico());
    assert_eq!(sum(|it| it.charged), rows.charged_usd.pico());
    assert_eq!(sum(|it| it.subsidised), rows.subsidised_usd.pico());
    assert_eq!(sum(|it| it.unallocated), rows.unallocated_usd.pico());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn every_month_balances(
        events in proptest::collection::vec(any_event(), 0..40),
        card in proptest::option::of(any_card()),
        quota in 0..3_000_000_000_000_i64,
    ) {
        let events = ordered(events);
        let centers = centers(quota);
        let books = run(&events, &[], &[], &centers, card.as_ref(), "2026-10");
        check(&books);
        let sums = totals(&books.rows);
        let metered: i128 =
            events.iter().filter_map(|event| event.cost_list_usd).map(|it| i128::from(it.pico())).sum();
        prop_assert_eq!(sums.list_usd.pico(), metered, "what was metered is there");
        prop_assert_eq!(sums.calls, events.len() as u64, "and every call once");
        let unpriced = events.iter().filter(|event| event.cost_list_usd.is_none()).count();
        prop_assert_eq!(sums.unpriced_calls, unpriced as u64);
        // No quota pays for more than it holds.
        for (name, is_charged) in [("guarded", false), ("hybrid", false), ("quota", true)] {
            let usage = books.postings.iter().filter(|it| {
                it.event.is_some() && it.cost_center.as_ref().is_some_and(|it| it.as_str() == name)
            });
            let spent: i128 = usage
                .map(|it| i128::from(if is_charged { it.charged } else { it.subsidised }))
                .sum();
            // The hybrid one was shown its first days, centrally and without a limit.
            prop_assert!(name == "hybrid" || spent <= i128::from(quota), "{} {}", name, spent);
        }
    }

    #[test]
    fn the_same_calls_make_the_same_rows(
        events in proptest::collection::vec(any_event(), 0..20),
        card in any_card(),
    ) {
        let (events, centers) = (ordered(events), centers(1_000_000_000));
        let once = run(&events, &[], &[], &centers, Some(&card), "2026-10");
        let twice = run(&events, &[], &[], &centers, Some(&card), "2026-10");
        prop_assert_eq!(once.rows, twice.rows);
    }

    /// A call that comes again, changed: what was posted is taken back whole, and both months
    /// together hold what was metered last.
    #[test]
    fn amendments_leave_nothing_behind(
        events in proptest::collection::vec(any_event(), 1..20),
        again in proptest::collection::vec((any::<prop::sample::Index>(), 0..100_000_u64), 1..5),
        quota in 0..3_000_000_000_000_i64,
    ) {
        let (events, centers) = (ordered(events), centers(quota));
        let first = run(&events, &[], &[], &centers, None, "2026-10");
        let mut newest = events.clone();
        for (index, output) in again {
            let event = index.get(&newest).event_id;
            let event = newest.iter_mut().find(|it| it.event_id == event).unwrap();
            event.revision += 1;
            event.tokens.output = output;
            event.cost_center = Some("production".parse().unwrap());
            prices().price_event("anthropic", &["opus"], event);
        }
        let late: Vec<UsageEvent> =
            newest.iter().filter(|event| event.revision > 0).cloned().collect();
        let reversed: Vec<Posted> = first
            .postings
            .iter()
            .filter_map(|posting| {
                let (event_id, _) = posting.event?;
                let event = late.iter().find(|event| event.event_id == event_id)?;
                Some(Posted {
                    event_id,
                    revision: event.revision,
                    time_us: event.time.as_microsecond(),
                    of_period: posting.of_period,
                    cost_center: posting.cost_center.clone(),
                    team: posting.team.clone(),
                    workload: posting.workload.clone(),
                    list: posting.list,
                    amount: posting.amount,
                    charged: posting.charged,
                    subsidised: posting.subsidised,
                    unallocated: posting.unallocated,
                })
            })
            .collect();
        let second = run(&[], &late, &reversed, &centers, None, "2026-11");
        check(&second);
        let both = totals(&first.rows).list_usd + totals(&second.rows).list_usd;
        let metered: i128 =
            newest.iter().filter_map(|event| event.cost_list_usd).map(|it| i128::from(it.pico())).sum();
        prop_assert_eq!(both.pico(), metered);
    }
}
