//! The overview page over many events: every number of it adds up, rollups or not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::*;
use serde_json::Value;
use tally_types::{CallStatus, PicoUsdSum, Record, UsageEvent};
use tally_warehouse::{
    AnswerSource, Cell, Compare, EventCursor, EventFilter, Field, Filter, Grain, Query, Warehouse,
    synthetic,
};

const EVENTS: u64 = 1_000_000;
const FIGURES: &str = "spend_usd tokens calls cost_per_call_usd cost_per_successful_task_usd tasks_succeeded tasks_unknown latency_p95_ms fallback_rate fallback_error_rate fallback_budget_rate fallback_policy_rate";
const TABLE: &str =
    "spend_usd calls cost_per_call_usd cost_per_successful_task_usd latency_p95_ms fallback_rate";

/// What the page asks over a range.
fn parts(range: &str, grain: Grain) -> Vec<Query> {
    let of = |measures, dimensions| query(measures, dimensions, range);
    let by = |measures, dimensions, grain| Query { grain: Some(grain), ..of(measures, dimensions) };
    let compared = |query| Query { compare: Some(Compare::PreviousPeriod), ..query };
    vec![
        compared(of(FIGURES, "")),
        compared(by(FIGURES, "", grain)),
        by("tokens", "tier", Grain::Week),
        by("spend_usd", "environment", Grain::Day),
        Query { limit: Some(12), ..of("spend_usd tokens calls", "model") },
        Query { limit: Some(20), ..of(TABLE, "application") },
        Query { limit: Some(20), ..of(TABLE, "workload") },
        of("tokens spend_usd calls", "department model_family"),
        of("tokens spend_usd calls", "application task_type value_tag"),
        compared(of("active_people sessions", "")),
        of("spend_usd calls active_people", "team"),
        of("spend_usd calls", "person"),
    ]
}

fn number(cell: &Cell) -> Value {
    serde_json::to_value(cell).unwrap()
}

/// Sums of money and counts over all rows are the total.
fn reconcile(warehouse: &Warehouse, query: &Query) {
    let all = Query { limit: Some(10_000), ..query.clone() };
    let result = warehouse.query(&all, now()).unwrap();
    assert!(!result.truncated && !result.rows.is_empty(), "{query:?}");
    for (index, column) in result.columns.iter().enumerate() {
        // Tasks and people may be in several groups.
        let counted = ["tokens", "calls", "spend_usd"].contains(&column.name.as_str());
        if counted {
            let mut sum = (0_i128, PicoUsdSum::default());
            for row in &result.rows {
                match &row[index] {
                    Cell::Count(count) => sum.0 += count,
                    Cell::Money(amount) => sum.1 = sum.1 + *amount,
                    other => panic!("{other:?}"),
                }
            }
            let sum = match &result.total[index] {
                Cell::Money(_) => Cell::Money(sum.1),
                _ => Cell::Count(sum.0),
            };
            assert_eq!(sum, result.total[index], "{} of {query:?}", column.name);
        }
    }
}

#[test]
fn regression_23_a_dashboard_of_a_million_rows_adds_up() {
    let warehouse = Warehouse::open_in_memory(&options("Europe/Berlin")).unwrap();
    let wanted = synthetic::Synthetic { events: EVENTS, days: 9, end: now(), seed: 7 };
    synthetic::load(&warehouse, &wanted).unwrap();
    // As in a live warehouse, today and the last quarter-hour are behind.
    let mut live = event(1, "2026-03-31T12:06:00Z");
    live.task_id = Some("live".to_owned());
    write(&warehouse, node(1), usage([live]));
    let counts = ask(&warehouse, &query("calls calls_refused", "", "this_year"));
    let [calls, refused] = [0, 1].map(|index| number(&counts.total[index]).as_u64().unwrap());
    assert_eq!(calls + refused, EVENTS + 1);
    for (range, grain) in
        [("today", Grain::Hour), ("last_7_days", Grain::Day), ("last_90_days", Grain::Day)]
    {
        for part in parts(range, grain) {
            reconcile(&warehouse, &part);
            if range != "last_7_days" {
                continue;
            }
            let mut filtered = part.clone();
            filtered.filters = vec![
                Filter::eq(Field::Department, "department-3"),
                Filter::eq(Field::Tier, "frontier"),
            ];
            let fast = warehouse.query(&filtered, now()).unwrap();
            let slow = warehouse.query_events_only(&filtered, now()).unwrap();
            assert_eq!((&fast.rows, &fast.total), (&slow.rows, &slow.total), "{filtered:?}");
        }
    }
    for (measures, dimension) in [
        ("spend_usd tokens latency_p95_ms fallback_rate", "team"),
        ("active_people", "department"),
        ("spend_usd", "person"),
        ("cost_per_successful_task_usd tasks_unknown", "workload"),
        ("cost_per_successful_task_usd tasks_unknown", "person"),
    ] {
        let result = ask(&warehouse, &query(measures, dimension, "last_week"));
        assert!(result.rows.len() > 5, "{measures}");
        assert_eq!(result.source, AnswerSource::RollupDay, "{measures}");
    }
    page_through(&warehouse);
}

/// The events of one team, page by page, are exactly what the figures were made of.
fn page_through(warehouse: &Warehouse) {
    let team = Filter::eq(Field::Team, "team-3");
    let mut figures = query("calls spend_usd tokens", "", "last_7_days");
    figures.filters = vec![team.clone()];
    let expected = warehouse.query(&figures, now()).unwrap().total;
    let mut filter =
        EventFilter { range: figures.range, filters: vec![team], after: None, limit: 1_000 };
    let (mut calls, mut spend, mut tokens) = (0_i128, PicoUsdSum::default(), 0_i128);
    loop {
        let page = warehouse.events(&filter, now()).unwrap();
        for event in &page {
            calls += i128::from(event.status != CallStatus::Refused);
            tokens += i128::from(event.tokens.total());
            spend = spend + event.cost_list_usd.into_iter().sum();
        }
        let Some(last) = page.last() else { break };
        filter.after = Some(EventCursor { time: last.time, event_id: last.event_id });
    }
    assert!(calls > 1_000, "{calls}");
    assert_eq!(expected, [Cell::Count(calls), Cell::Money(spend), Cell::Count(tokens)]);
}

/// A call of a task with its latency and price.
fn call(number: u64, time: &str, task: u64) -> UsageEvent {
    let mut call = event(number, time);
    call.task_id = Some(format!("t{task}"));
    call.latency_us = Some(1_000 << (number % 12));
    call
}

/// What the page asks, asked twice so that what is kept from the first is used, gives what
/// the events give.
fn page_agrees(warehouse: &Warehouse, step: &str) {
    let today = parts("today", Grain::Hour);
    let week = parts("last_7_days", Grain::Day);
    // Figures, their series, the table by workload.
    let asked = [&today[0], &today[1], &week[1], &week[6]];
    for part in asked {
        let slow = warehouse.query_events_only(part, now()).unwrap();
        for again in [false, true] {
            let fast = warehouse.query(part, now()).unwrap();
            let both = ((&fast.rows, &fast.total), (&slow.rows, &slow.total));
            assert_eq!(both.0, both.1, "{step}, again: {again}, {part:?}");
        }
    }
}

#[test]
fn the_day_that_goes_on_is_rolled_up_and_never_stale() {
    let warehouse = Warehouse::open_in_memory(&options("Europe/Berlin")).unwrap();
    // Now it is 12:07. Tasks share cells today; some began in the days before.
    let mut calls = Vec::new();
    for number in 0..60 {
        calls.push(call(number, "2026-03-31T09:00:00Z", number % 20));
        calls.push(call(100 + number, "2026-03-24T09:30:00Z", 100 + number % 20));
        calls.push(call(200 + number, "2026-03-30T09:30:00Z", 200 + number % 20));
    }
    calls.extend([call(300, "2026-03-30T10:00:00Z", 1), call(301, "2026-03-31T12:05:00Z", 2)]);
    write(&warehouse, node(1), usage(calls.clone()));
    let mut today = query("calls tasks latency_p95_ms active_people", "workload", "today");
    assert_eq!(warehouse.query(&today, now()).unwrap().source, AnswerSource::Events);
    page_agrees(&warehouse, "dirty");
    warehouse.compact(now()).unwrap();
    // Once more has nothing left to do.
    assert_eq!(warehouse.compact(now()).unwrap(), 0);
    assert_eq!(warehouse.query(&today, now()).unwrap().source, AnswerSource::RollupDay);
    page_agrees(&warehouse, "open");
    write(&warehouse, node(1), usage([call(400, "2026-03-31T12:06:00Z", 3)]));
    page_agrees(&warehouse, "a task goes on");
    assert_eq!(warehouse.query(&today, now()).unwrap().source, AnswerSource::RollupDay);
    let report = |number, task| {
        let result = tally_types::TaskResult::Succeeded;
        write(&warehouse, node(1), vec![Record::Outcome(outcome(number, task, result))]);
    };
    // Of tasks of today, of the part of a day that is compared with, and of a closed day.
    for (number, task) in [(1, "t3"), (3, "t101"), (4, "t201")] {
        report(number, task);
        report(10 + number, "t4");
        page_agrees(&warehouse, "an outcome");
    }
    report(5, "t1");
    // Late for today, for a closed day, and for the part of a day that is compared with.
    for (number, time) in [
        (500, "2026-03-31T08:00:00Z"),
        (501, "2026-03-29T08:00:00Z"),
        (502, "2026-03-24T08:00:00Z"),
    ] {
        write(&warehouse, node(1), usage([call(number, time, 5)]));
        page_agrees(&warehouse, "late");
        warehouse.compact(now()).unwrap();
        page_agrees(&warehouse, "late and built");
    }
    // An amendment moves a call from the part that is built to another day.
    let mut moved = calls[0].clone();
    (moved.revision, moved.time) = (1, "2026-03-28T09:00:00Z".parse().unwrap());
    write(&warehouse, node(2), usage([moved]));
    page_agrees(&warehouse, "amended");
    warehouse.compact(now()).unwrap();
    // The quarter-hour ends, and then the day.
    for later in ["2026-03-31T12:31:00Z", "2026-03-31T22:05:00Z", "2026-04-01T00:30:00Z"] {
        warehouse.compact(later.parse().unwrap()).unwrap();
        page_agrees(&warehouse, later);
    }
    today.range = query("calls", "", "yesterday").range;
    let closed = warehouse.query(&today, "2026-04-01T00:30:00Z".parse().unwrap()).unwrap();
    assert_eq!(closed.source, AnswerSource::RollupDay);
}

#[test]
fn a_result_that_comes_late_shows_at_once() {
    let warehouse = Warehouse::open_in_memory(&options("Europe/Berlin")).unwrap();
    let call = |number: u64, time: &str, task: u64| {
        let mut call = event(number, time);
        call.task_id = Some(format!("t{task}"));
        call
    };
    // Forty tasks alike share a cell; they are rolled up without results.
    write(&warehouse, node(1), usage((0..80).map(|n| call(n, "2026-03-28T10:00:00Z", n % 40))));
    warehouse.compact(now()).unwrap();
    let measures =
        "tasks tasks_succeeded tasks_failed tasks_unknown cost_per_successful_task_usd value_usd";
    let shown = |warehouse: &Warehouse| {
        json(&warehouse.query(&query(measures, "", "last_7_days"), now()).unwrap().total)
    };
    assert_eq!(shown(&warehouse), r#"[40,0,0,40,null,"0"]"#);
    let report = |number, task: &str, result| vec![Record::Outcome(outcome(number, task, result))];
    write(&warehouse, node(1), report(1, "t1", tally_types::TaskResult::Succeeded));
    assert_eq!(shown(&warehouse), r#"[40,1,0,39,"0.000002","2.5"]"#);
    write(&warehouse, node(1), report(2, "t2", tally_types::TaskResult::Failed));
    assert_eq!(shown(&warehouse), r#"[40,1,1,38,"0.000004","5"]"#);
    // The task goes on the next day, and is still one.
    write(&warehouse, node(1), usage([call(90, "2026-03-29T10:00:00Z", 1)]));
    assert_eq!(shown(&warehouse), r#"[40,1,1,38,"0.000005","5"]"#);
    warehouse.compact(now()).unwrap();
    assert_eq!(shown(&warehouse), r#"[40,1,1,38,"0.000005","5"]"#);
    let mut amended = outcome(2, "t2", tally_types::TaskResult::Succeeded);
    amended.revision = 1;
    write(&warehouse, node(1), vec![Record::Outcome(amended)]);
    assert_eq!(shown(&warehouse), r#"[40,2,0,38,"0.0000025","5"]"#);
    let mut by_day = query("tasks tasks_succeeded", "", "last_7_days");
    by_day.grain = Some(Grain::Day);
    let by_day = ask(&warehouse, &by_day);
    assert_eq!(
        rows(&by_day)[3..5],
        [r#"["2026-03-27T23:00:00Z",40,2]"#, r#"["2026-03-28T23:00:00Z",1,1]"#]
    );
    assert_eq!(by_day.source, AnswerSource::RollupDay);
    let spread = warehouse.task(None, "t1").unwrap().unwrap();
    assert_eq!(spread.calls, 3);
}
