//! Fixtures shared by the tests of the warehouse.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use tally_types::{
    CallId, CountQuality, EventId, NodeId, Outcome, PicoUsd, Record, Source, TaskResult, TimeZone,
    Timestamp, UsageEvent, Weekday,
};
use tally_warehouse::{Cell, Dimension, Measure, Options, Query, QueryResult, Range, Warehouse};
use uuid::Uuid;

pub(crate) const NOW: &str = "2026-03-31T12:07:00Z";

pub(crate) fn now() -> Timestamp {
    NOW.parse().unwrap()
}

pub(crate) fn node(number: u128) -> NodeId {
    NodeId(Uuid::from_u128(number))
}

pub(crate) fn options(zone: &str) -> Options {
    Options {
        memory_limit_bytes: 1 << 30,
        threads: 2,
        time_zone: TimeZone::get(zone).unwrap(),
        week_starts: Weekday::Monday,
    }
}

pub(crate) fn berlin() -> Warehouse {
    Warehouse::open_in_memory(&options("Europe/Berlin")).unwrap()
}

/// An id of version 7 that carries the time.
pub(crate) fn timed_id(time: Timestamp, number: u64) -> EventId {
    let ms = u128::try_from(time.as_millisecond()).unwrap();
    let id = (ms << 80) | (7 << 76) | (2 << 62) | u128::from(number);
    EventId(Uuid::from_u128(id))
}

pub(crate) fn event(number: u64, time: &str) -> UsageEvent {
    let time = time.parse().unwrap();
    let id = timed_id(time, number);
    let mut event = UsageEvent::new(id, CallId(id.0), time, Source::Gateway);
    event.operation = "chat".to_owned();
    event.model_requested = "opus".to_owned();
    event.model_served = Some("opus".to_owned());
    event.counts = CountQuality::Reported;
    event.tokens.input_uncached = 100;
    event.tokens.cache_read = 300;
    event.tokens.output = 10;
    event.latency_us = Some(1_000_000);
    event.cost_list_usd = Some(PicoUsd::from_pico(1_000_000));
    event.cost_internal_usd = Some(PicoUsd::from_pico(1_100_000));
    event
}

pub(crate) fn outcome(number: u128, task: &str, result: TaskResult) -> Outcome {
    Outcome {
        outcome_id: EventId(Uuid::from_u128(number)),
        revision: 0,
        time: now(),
        workload: None,
        task_id: task.to_owned(),
        result,
        escalated: false,
        quality_bp: Some(8_000),
        value_usd: Some("2.5".parse().unwrap()),
        tickets_deflected: None,
        conversions: None,
        minutes_saved: None,
        reported_by: "key:tickets".parse().ok(),
    }
}

pub(crate) fn usage(events: impl IntoIterator<Item = UsageEvent>) -> Vec<Record> {
    events.into_iter().map(|event| Record::Usage(Box::new(event))).collect()
}

/// Writes records from the node's next sequence on.
pub(crate) fn write(
    warehouse: &Warehouse,
    by: NodeId,
    records: Vec<Record>,
) -> tally_warehouse::WriteReport {
    let first = warehouse.last_sequence(by).unwrap() + 1;
    let batch: Vec<_> = (first..).zip(records).collect();
    warehouse.write(by, &batch).unwrap()
}

pub(crate) fn query(measures: &str, dimensions: &str, range: &str) -> Query {
    let range = if range.starts_with('{') { range.to_owned() } else { format!("\"{range}\"") };
    let range: Range = serde_json::from_str(&range).unwrap();
    let names = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let measures = names(measures).iter().map(|m| m.parse::<Measure>().unwrap()).collect();
    let mut query = Query::new(measures, range);
    query.dimensions = names(dimensions).iter().map(|d| d.parse::<Dimension>().unwrap()).collect();
    query
}

/// Asks of dirty rollups, of the events, and of rollups up to date; all must agree.
pub(crate) fn ask(warehouse: &Warehouse, query: &Query) -> QueryResult {
    let dirty = warehouse.query(query, now()).unwrap();
    warehouse.compact(now()).unwrap();
    let fast = warehouse.query(query, now()).unwrap();
    assert_eq!((&fast.rows, &fast.total), (&dirty.rows, &dirty.total), "{query:?}");
    let slow = warehouse.query_events_only(query, now()).unwrap();
    assert_eq!((&fast.rows, &fast.total), (&slow.rows, &slow.total), "{query:?}");
    fast
}

pub(crate) fn json(cells: &[Cell]) -> String {
    serde_json::to_string(cells).unwrap()
}

pub(crate) fn rows(result: &QueryResult) -> Vec<String> {
    result.rows.iter().map(|row| json(row)).collect()
}

pub(crate) fn total(warehouse: &Warehouse, measures: &str) -> String {
    json(&ask(warehouse, &query(measures, "", "this_year")).total)
}
