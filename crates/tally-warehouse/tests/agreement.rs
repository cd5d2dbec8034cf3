//! Rollups and events give the same answer, whatever happened and whatever is asked.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::*;
use proptest::{prelude::*, sample};
use tally_types::{
    CallStatus, CountQuality, FallbackReason, Outcome, PicoUsd, Record, TaskResult, TimeZone,
    Timestamp, UsageEvent, Weekday,
};
use tally_warehouse::{Compare, FilterOp};
use tally_warehouse::{
    Dimension, Field, Filter, Grain, Measure, Query, Range, Warehouse, synthetic,
};

/// Around the change to summer time, so that days of 23 hours are among them.
const FROM_US: i64 = 1_774_483_200_000_000;
const SPAN_US: i64 = 5 * 86_400_000_000;

fn optional(names: &'static [&'static str]) -> impl Strategy<Value = Option<&'static str>> {
    prop::option::weighted(0.8, sample::select(names))
}

prop_compose! {
    fn any_event()(
        number in 0..60_u64,
        revision in 0..3_u32,
        at in 0..SPAN_US,
        team in optional(&["a", "b"]),
        person in optional(&["p1", "p2", "p3"]),
        model in optional(&["m1", "m2"]),
        task in optional(&["t1", "t2", "t3", "t4", "t5", "t6", "t7", "t8"]),
        workload in prop::option::weighted(0.3, sample::select(vec!["w1", "w2"])),
        session in optional(&["s1", "s2"]),
        user_agent in optional(&["u1", "u2"]),
        status in sample::select(CallStatus::ALL),
        fallback in prop::option::of(sample::select(FallbackReason::ALL)),
        cost in prop::option::of(any::<i64>()),
        tokens in prop::array::uniform3(0..1_000_000_000_u64),
        latency_us in prop::option::of(0..3_000_000_000_u64),
        reported in any::<bool>(),
    ) -> UsageEvent {
        let time = Timestamp::from_microsecond(FROM_US + at).unwrap();
        let mut event = event(number, &time.to_string());
        // Half of the ids carry a time, and the same id may come with another time.
        if number % 2 == 0 {
            event.event_id = timed_id(now(), number);
        } else {
            event.event_id.0 = uuid::Uuid::from_u128(u128::from(number));
        }
        event.revision = revision;
        event.team = team.map(|name| name.parse().unwrap());
        event.person = person.map(|name| name.parse().unwrap());
        event.model_served = model.map(str::to_owned);
        event.task_id = task.map(str::to_owned);
        event.workload = workload.map(|name| name.parse().unwrap());
        event.session = session.map(str::to_owned);
        event.user_agent = user_agent.map(str::to_owned);
        event.status = status;
        event.fallback = fallback;
        event.cost_list_usd = cost.map(PicoUsd::from_pico);
        event.tokens.input_uncached = tokens[0];
        event.tokens.cache_read = tokens[1];
        event.tokens.output = tokens[2];
        event.latency_us = latency_us;
        event.first_token_us = latency_us.map(|us| us / 3);
        event.counts = if reported { CountQuality::Reported } else { CountQuality::Estimated };
        event
    }
}

prop_compose! {
    /// About tasks there are and are not, early or late, and amended to be about another.
    fn any_outcome()(
        number in 1..12_u128,
        revision in 0..3_u32,
        task in sample::select(vec!["t1", "t2", "t3", "t4", "t5", "t6", "t7", "t9"]),
        workload in prop::option::weighted(0.3, sample::select(vec!["w1", "w2"])),
        at in 0..SPAN_US,
        succeeded in any::<bool>(),
        escalated in any::<bool>(),
        value in prop::option::of(any::<i64>()),
        quality_bp in prop::option::of(0..=10_000_u16),
    ) -> Outcome {
        let result = if succeeded { TaskResult::Succeeded } else { TaskResult::Failed };
        let mut outcome = outcome(number, task, result);
        outcome.revision = revision;
        outcome.workload = workload.map(|name| name.parse().unwrap());
        outcome.time = Timestamp::from_microsecond(FROM_US + at).unwrap();
        outcome.escalated = escalated;
        outcome.value_usd = value.map(PicoUsd::from_pico);
        outcome.quality_bp = quality_bp;
        outcome
    }
}

prop_compose! {
    fn any_query()(
        measures in sample::subsequence(Measure::ALL.to_vec(), 1..16),
        dimensions in sample::subsequence(
            vec![Field::Team, Field::Model, Field::Workload, Field::Person, Field::UserAgent,
                Field::Status, Field::Session], 0..3),
        grain in prop::option::of(sample::select(vec![
            Grain::QuarterHour, Grain::Hour, Grain::Day, Grain::Week, Grain::Month, Grain::Year])),
        filter in prop::option::of((
            sample::select(vec![Field::Team, Field::Person, Field::Model]),
            sample::select(vec![FilterOp::Eq, FilterOp::Ne]),
            sample::select(vec!["a", "p1", "m1", "unattributed"]))),
        compare in prop::option::of(sample::select(vec![
            Compare::PreviousPeriod, Compare::PreviousWeek])),
        edges in prop::array::uniform2(0..SPAN_US),
        whole_days in any::<bool>(),
    ) -> Query {
        let step = if whole_days { 86_400_000_000 } else { 1 };
        let [a, b] = edges.map(|us| (FROM_US - 3_600_000_000) + us / step * step);
        let at = |us| Timestamp::from_microsecond(us).unwrap();
        let range = Range::Between { from: at(a.min(b)), to: at(a.max(b) + step) };
        let mut query = Query::new(measures, range);
        query.dimensions = dimensions.into_iter().map(Dimension::from).collect();
        query.grain = grain;
        query.compare = compare;
        query.filters = filter.into_iter().map(|(field, op, value)| {
            Filter { dimension: field.into(), op, values: vec![value.to_owned()] }
        }).collect();
        query
    }
}

/// The newest revision of each id, the first that came among equals.
fn model(batches: &[Vec<UsageEvent>]) -> Vec<UsageEvent> {
    let mut kept: std::collections::BTreeMap<_, UsageEvent> = std::collections::BTreeMap::new();
    for event in batches.iter().flatten() {
        match kept.get(&event.event_id) {
            Some(old) if old.revision >= event.revision => {}
            _ => {
                kept.insert(event.event_id, event.clone());
            }
        }
    }
    kept.into_values().collect()
}

/// Whatever is dirty, open or kept from before, the answer is that of the events.
fn agree(warehouse: &Warehouse, queries: &[Query]) {
    for query in queries {
        let slow = warehouse.query_events_only(query, now()).unwrap();
        for _ in 0..2 {
            let fast = warehouse.query(query, now()).unwrap();
            assert_eq!((&fast.rows, &fast.total), (&slow.rows, &slow.total), "{query:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn rollups_and_events_agree(
        batches in prop::collection::vec((
            prop::collection::vec(any_event(), 1..30),
            prop::collection::vec(any_outcome(), 0..6),
            prop::option::of(0..SPAN_US),
        ), 1..5),
        queries in prop::collection::vec(any_query(), 3),
        zone in sample::select(vec!["Europe/Berlin", "Asia/Kolkata", "America/New_York"]),
    ) {
        let warehouse = Warehouse::open_in_memory(&options(zone)).unwrap();
        for (by, (events, outcomes, compact)) in (1..).zip(&batches) {
            let mut records = usage(events.clone());
            records.extend(outcomes.iter().cloned().map(Record::Outcome));
            write(&warehouse, node(by % 2), records);
            agree(&warehouse, &queries);
            if let Some(at) = compact {
                // Later batches dirty what was built here, or change its tasks' results. The day
                // of this time is open, and has events after it, too.
                warehouse.compact(Timestamp::from_microsecond(FROM_US + at).unwrap()).unwrap();
                agree(&warehouse, &queries);
            }
        }
        for query in &queries {
            ask(&warehouse, query);
        }
        agree(&warehouse, &queries);
        let events: Vec<_> = batches.iter().map(|(events, ..)| events.clone()).collect();
        let kept = model(&events);
        let calls = kept.iter().filter(|event| event.status != CallStatus::Refused).count();
        let spend: tally_types::PicoUsdSum =
            kept.iter().filter_map(|event| event.cost_list_usd).sum();
        prop_assert_eq!(total(&warehouse, "calls spend_usd"), format!(r#"[{calls},"{spend}"]"#));
        warehouse.set_time_zone(TimeZone::get("Australia/Sydney").unwrap(), Weekday::Sunday).unwrap();
        agree(&warehouse, &queries);
        // Half of the days are built, then all.
        warehouse.compact(Timestamp::from_microsecond(FROM_US + SPAN_US / 2).unwrap()).unwrap();
        agree(&warehouse, &queries);
        warehouse.compact(now()).unwrap();
        agree(&warehouse, &queries);
    }
}

#[test]
fn regression_21_rows_stay_small() {
    const EVENTS: u64 = 100_000;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("warehouse.duckdb");
    let warehouse = Warehouse::open(&path, &options("Europe/Berlin")).unwrap();
    let wanted = synthetic::Synthetic { events: EVENTS, days: 2, end: now(), seed: 7 };
    synthetic::load(&warehouse, &wanted).unwrap();
    warehouse.checkpoint().unwrap();
    drop(warehouse);
    let bytes = std::fs::metadata(&path).unwrap().len() / EVENTS;
    assert!(bytes < 200, "{bytes} bytes per event, rollups included");
}
