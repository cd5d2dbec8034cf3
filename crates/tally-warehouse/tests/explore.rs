//! Any dimension, however many values it has: the top rows, the exact total, the number of groups.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::*;
use tally_types::{PicoUsd, Record, TaskResult};
use tally_warehouse::{Compare, Filter, Grain, OrderBy, QueryError, Warehouse, synthetic};

/// Rows of a page, few enough for several pages.
const PAGE: usize = 17;
const TIME: &str = "2026-03-30T10:00:00Z";

/// Tasks of one to three calls; the compared week has tasks of its own.
fn with_tasks() -> Warehouse {
    let warehouse = berlin();
    let mut records = Vec::new();
    for number in 0..120_u64 {
        let time = if number % 4 == 3 { "2026-03-22T10:00:00Z" } else { TIME };
        let mut call = event(number, time);
        call.task_id = (number % 7 > 0).then(|| format!("t{:02}", number % 50));
        call.session = Some(format!("s{}", number % 60));
        call.cost_list_usd =
            (number % 5 > 0).then(|| PicoUsd::from_pico(i64::try_from(number % 11).unwrap()));
        records.push(Record::Usage(Box::new(call)));
    }
    records.push(Record::Outcome(outcome(1, "t01", TaskResult::Succeeded)));
    write(&warehouse, node(1), records);
    warehouse
}

#[test]
fn a_page_of_very_many_groups_is_what_sorting_all_of_them_gives() {
    let warehouse = with_tasks();
    let measures = "spend_usd calls cost_per_call_usd error_rate latency_p95_ms tasks tasks_succeeded active_people";
    for order in
        [("spend_usd", true), ("calls", false), ("cost_per_call_usd", true), ("task_id", true)]
    {
        for compare in [None, Some(Compare::PreviousPeriod)] {
            let mut all = query(measures, "task_id session", "last_7_days");
            all.order = vec![OrderBy { by: order.0.to_owned(), desc: order.1 }];
            all.compare = compare;
            // Ordered by a measure of tasks afterwards, which SQL does not rank: all groups.
            let mut computed = all.clone();
            computed.order.push(OrderBy { by: "task_id".to_owned(), desc: false });
            computed.order.push(OrderBy { by: "session".to_owned(), desc: false });
            computed.order.push(OrderBy { by: "tasks".to_owned(), desc: false });
            let computed = ask(&warehouse, &computed);
            let mut pages = Vec::new();
            for offset in (0..computed.groups).step_by(PAGE) {
                let mut page = all.clone();
                (page.offset, page.limit) = (offset, Some(PAGE));
                let page = ask(&warehouse, &page);
                assert_eq!(page.groups, computed.groups);
                assert_eq!(page.total, computed.total);
                assert_eq!(page.truncated, offset + PAGE < computed.groups);
                pages.extend(rows(&page));
            }
            assert_eq!(pages, rows(&computed), "{order:?} {compare:?}");
        }
    }
    let mut beyond = query("calls", "task_id", "last_7_days");
    beyond.offset = 1_000;
    let beyond = ask(&warehouse, &beyond);
    assert!(beyond.rows.is_empty() && beyond.groups > 40 && !beyond.truncated, "{beyond:?}");
}

#[test]
fn unattributed_calls_are_a_group_among_many() {
    let warehouse = with_tasks();
    let mut by_task = query("calls", "task_id", "this_year");
    by_task.limit = Some(1);
    let top = ask(&warehouse, &by_task);
    assert_eq!(rows(&top), [r#"["unattributed",18]"#]);
    assert_eq!(json(&top.total), "[null,120]");
    by_task.filters = vec![Filter::eq(tally_warehouse::Field::TaskId, "t01")];
    assert_eq!(rows(&ask(&warehouse, &by_task)), [r#"["t01",3]"#]);
}

#[test]
fn more_groups_than_fit_are_ranked_and_those_that_cannot_be_are_refused() {
    let warehouse = berlin();
    let wanted = synthetic::Synthetic { events: 600_000, days: 12, end: now(), seed: 3 };
    synthetic::load(&warehouse, &wanted).unwrap();
    let mut by_task = query("spend_usd calls", "task_id model session", "last_30_days");
    by_task.limit = Some(5);
    let result = warehouse.query(&by_task, now()).unwrap();
    assert!(result.groups > 200_000 && result.truncated, "{}", result.groups);
    assert!(result.warnings.iter().any(|warning| warning.contains("groups")));
    let whole = warehouse.query(&query("spend_usd calls", "", "last_30_days"), now()).unwrap();
    assert_eq!(
        json(&result.total),
        json(&[vec![tally_warehouse::Cell::Null; 3], whole.total].concat())
    );
    by_task.measures = query("tasks", "", "today").measures;
    let error = warehouse.query(&by_task, now()).unwrap_err();
    assert!(matches!(error, QueryError::TooManyGroups(_)), "{error}");
    by_task.measures = query("calls", "", "today").measures;
    by_task.grain = Some(Grain::Day);
    let error = warehouse.query(&by_task, now()).unwrap_err();
    assert!(matches!(error, QueryError::TooManyGroups(_)), "{error}");
}
