//! Single records: a call's attempts, a task and its outcome, events in memory and as CSV.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::*;
use jiff::ToSpan as _;
use proptest::{prelude::*, sample};
use tally_types::{
    CallId, CallStatus, FallbackReason, Outcome, PicoUsd, Record, Source, TaskResult,
};
use tally_warehouse::{
    Dimension, EVENT_COLUMNS, EventFilter, Field, Filter, FilterOp, Warehouse, events_to_csv,
};
use uuid::Uuid;

const TIME: &str = "2026-03-30T10:00:00Z";

fn listed(warehouse: &Warehouse, filters: Vec<Filter>) -> Vec<tally_types::UsageEvent> {
    let range = serde_json::from_str("\"this_year\"").unwrap();
    warehouse.events(&EventFilter { range, filters, after: None, limit: 1_000 }, now()).unwrap()
}

#[test]
fn a_call_is_all_its_attempts_in_their_order() {
    let warehouse = berlin();
    let timed = CallId(event(1, TIME).event_id.0);
    let other = CallId(Uuid::from_u128(77));
    let attempt = |number, call, time| {
        let mut attempt = event(number, time);
        attempt.call_id = call;
        attempt
    };
    let late = "2026-03-30T10:03:00Z";
    // A clock that is off by weeks must not hide a call, nor an id without a time.
    let far = CallId(timed_id("2026-03-01T00:00:00Z".parse().unwrap(), 9).0);
    let events = [
        attempt(2, timed, late),
        attempt(1, timed, TIME),
        attempt(3, other, late),
        attempt(4, other, TIME),
        attempt(5, far, TIME),
    ];
    write(&warehouse, node(1), usage(events.clone()));
    let numbers = |call| {
        let found = warehouse.call(call).unwrap();
        found.iter().map(|event| event.event_id).collect::<Vec<_>>()
    };
    let id = |index: usize| events[index].event_id;
    assert_eq!(numbers(timed), [id(1), id(0)]);
    assert_eq!(numbers(other), [id(3), id(2)]);
    assert_eq!(numbers(far), [id(4)]);
    assert!(numbers(CallId(Uuid::from_u128(5))).is_empty());
}

#[test]
fn a_task_and_its_outcome_are_found_by_workload_and_id() {
    let warehouse = berlin();
    let call = |number: u64, workload: Option<&str>| {
        let mut call = event(number, TIME);
        call.task_id = Some("t1".to_owned());
        call.workload = workload.map(|name| name.parse().unwrap());
        call
    };
    let mut unpriced = call(3, Some("w1"));
    unpriced.cost_list_usd = None;
    let mut refused = call(4, Some("w1"));
    refused.status = CallStatus::Refused;
    let mut records = usage([call(1, None), call(2, Some("w1")), unpriced, refused]);
    let mut report = outcome(1, "t1", TaskResult::Failed);
    report.workload = Some("w1".parse().unwrap());
    report.escalated = true;
    records.push(Record::Outcome(report.clone()));
    write(&warehouse, node(1), records);
    let workload = "w1".parse().unwrap();
    let task = warehouse.task(Some(&workload), "t1").unwrap().unwrap();
    assert_eq!((task.calls, task.tokens, task.unpriced), (2, 820, 1));
    assert_eq!(task.cost_list_usd.to_string(), "0.000001");
    assert_eq!(warehouse.outcome(Some(&workload), "t1").unwrap(), Some(report));
    assert_eq!(warehouse.task(None, "t1").unwrap().unwrap().calls, 1);
    assert_eq!(warehouse.outcome(None, "t1").unwrap(), None);
    assert_eq!(warehouse.task(Some(&workload), "t2").unwrap(), None);
}

#[test]
fn what_the_demo_made_is_known_as_such() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("warehouse.duckdb");
    {
        let warehouse = Warehouse::open(&path, &options("UTC")).unwrap();
        write(&warehouse, node(1), usage([event(1, TIME)]));
        assert!(!warehouse.has_simulated());
        let mut made = event(2, TIME);
        made.source = Source::Simulated;
        write(&warehouse, node(1), usage([made]));
        assert!(warehouse.has_simulated());
    }
    assert!(Warehouse::open(&path, &options("UTC")).unwrap().has_simulated());
}

#[test]
fn csv_of_events_keeps_every_field_and_disarms_text() {
    let mut whole = event(1, TIME);
    whole.application = Some("=cmd|' /C calc'!A0".to_owned());
    whole.task_type = Some("a,\"b\"\r\nc".to_owned());
    whole.tags.insert("sprint".to_owned(), "7".to_owned());
    whole.cost_list_usd = Some(PicoUsd::from_pico(-5));
    whole.session = Some("-1+2".to_owned());
    let csv = events_to_csv(&[whole, event(2, TIME)]);
    assert_eq!(csv.split("\r\n").next().unwrap(), EVENT_COLUMNS.join(","));
    for cell in [
        "\"'=cmd|' /C calc'!A0\"".trim_matches('"'),
        "\"a,\"\"b\"\"\r\nc\"",
        "\"{\"\"sprint\"\":\"\"7\"\"}\"",
        ",-0.000000000005,",
        ",'-1+2,",
        ",100,300,0,0,10,0,reported,1000000,,false,ok,,,0,",
    ] {
        assert!(csv.contains(cell), "{cell} in {csv}");
    }
    assert!(csv.ends_with("\r\n"));
}

#[test]
fn parquet_of_events_keeps_what_was_metered() {
    let warehouse = berlin();
    let mut whole = event(1, TIME);
    whole.task_type = Some("a,\"b\"\r\nc".to_owned());
    whole.tags.insert("sprint".to_owned(), "7".to_owned());
    whole.cost_list_usd = Some(PicoUsd::from_pico(1_234_567_890_123_456_789));
    let mut unpriced = event(2, TIME);
    unpriced.cost_list_usd = None;
    write(&warehouse, node(1), usage([whole.clone(), unpriced, event(3, "2026-03-31T00:00:00Z")]));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events.parquet");
    let mut file = std::fs::File::create(&path).unwrap();
    let (from, to) = ("2026-03-01T00:00:00Z", "2026-03-30T22:00:00Z");
    let written =
        warehouse.events_to_parquet(from.parse().unwrap(), to.parse().unwrap(), &mut file).unwrap();
    assert_eq!(written, 2, "what is outside is left out");
    let read = |columns: &str| -> Vec<Option<String>> {
        let connection = duckdb::Connection::open_in_memory().unwrap();
        let sql = format!(
            "SELECT ({columns})::VARCHAR FROM read_parquet('{}') ORDER BY cost_list_usd NULLS LAST",
            path.display()
        );
        let mut statement = connection.prepare(&sql).unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.map(Result::unwrap).collect()
    };
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(read("cost_list_usd"), [some("1234567.890123456789"), None]);
    assert_eq!(read("event_id")[0], Some(whole.event_id.to_string()));
    assert_eq!(read("task_type")[0], whole.task_type);
    assert_eq!(read("tags")[0], some(r#"{"sprint":"7"}"#));
    assert_eq!(read("epoch_us(time)")[0], Some(whole.time.as_microsecond().to_string()));
    assert_eq!(
        read("input_uncached + output")[0],
        Some((whole.tokens.input_uncached + whole.tokens.output).to_string())
    );
    assert_eq!(read("streamed")[0], Some(whole.streamed.to_string()));
    let every: Vec<_> = EVENT_COLUMNS.iter().map(|name| format!("\"{name}\" IS NULL")).collect();
    assert_eq!(read(&format!("[{}]", every.join(", "))).len(), 2, "every column is there");
}

#[test]
fn parquet_of_outcomes_has_what_counts_of_each_task() {
    let warehouse = berlin();
    let mut first = outcome(1, "t1", TaskResult::Failed);
    first.value_usd = Some(PicoUsd::from_pico(5));
    let mut again = Outcome { result: TaskResult::Succeeded, revision: 1, ..first.clone() };
    again.reported_by = Some("key:ci".parse().unwrap());
    let (from, to) = (again.time, again.time.checked_add(1.second()).unwrap());
    let late = Outcome { time: to, ..outcome(2, "t2", TaskResult::Succeeded) };
    write(&warehouse, node(1), [first, again, late].map(Record::Outcome).to_vec());
    let file = tempfile::NamedTempFile::new().unwrap();
    let written = warehouse.outcomes_to_parquet(from, to, &mut file.reopen().unwrap()).unwrap();
    assert_eq!(written, 1, "what is outside is left out, and so is what was corrected");
    let connection = duckdb::Connection::open_in_memory().unwrap();
    let sql = format!(
        "SELECT concat_ws(' ', task_id, result, escalated, value_usd, reported_by, quality_bp) \
           FROM read_parquet('{}')",
        file.path().display()
    );
    let text: String = connection.query_row(&sql, [], |row| row.get(0)).unwrap();
    assert_eq!(text, "t1 succeeded false 0.000000000005 key:ci 8000");
}

prop_compose! {
    fn any_filter()(
        dimension in prop_oneof![
            sample::select(Field::ALL).prop_map(Dimension::from),
            sample::select(vec!["tag:a", "tag:b/c~d"]).prop_map(|tag| tag.parse().unwrap()),
        ],
        op in sample::select(vec![
            FilterOp::Eq, FilterOp::Ne, FilterOp::In, FilterOp::NotIn,
            FilterOp::IsNull, FilterOp::IsNotNull, FilterOp::Prefix]),
        values in prop::collection::vec(sample::select(vec![
            "a", "ab", "b", "", "unattributed", "ok", "error", "true", "false", "gateway",
            "production", "standard", "x'y", "ü", "%"]), 1..4),
    ) -> Filter {
        let keep = match op {
            FilterOp::In | FilterOp::NotIn => values.len(),
            FilterOp::IsNull | FilterOp::IsNotNull => 0,
            _ => 1,
        };
        let values = values.into_iter().take(keep).map(str::to_owned).collect();
        Filter { dimension, op, values }
    }
}

prop_compose! {
    fn any_event()(
        names in prop::array::uniform4(prop::option::of(sample::select(vec!["a", "ab", "b"]))),
        texts in prop::array::uniform8(prop::option::of(sample::select(vec![
            "a", "ab", "", "unattributed", "x'y", "ü", "%", "true"]))),
        status in sample::select(CallStatus::ALL),
        source in sample::select(Source::ALL),
        fallback in prop::option::of(sample::select(FallbackReason::ALL)),
        streamed in any::<bool>(),
    ) -> tally_types::UsageEvent {
        let mut event = event(0, TIME);
        let text = |index: usize| texts[index].map(str::to_owned);
        event.person = names[0].map(|name| name.parse().unwrap());
        event.team = names[1].map(|name| name.parse().unwrap());
        event.workload = names[2].map(|name| name.parse().unwrap());
        event.key = names[3].map(|name| name.parse().unwrap());
        event.department = text(0);
        event.application = text(1);
        event.task_id = text(2);
        event.session = text(3);
        event.model_family = text(4);
        event.error_code = text(5);
        event.tags = [("a", text(6)), ("b/c~d", text(7))]
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value?)))
            .collect();
        event.status = status;
        event.source = source;
        event.fallback = fallback;
        event.streamed = streamed;
        event
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn filters_match_in_memory_what_they_match_in_sql(
        events in prop::collection::vec(any_event(), 40),
        filters in prop::collection::vec(any_filter(), 40),
    ) {
        let warehouse = berlin();
        let events: Vec<_> = events
            .into_iter()
            .zip(0..)
            .map(|(mut event, number)| {
                event.event_id = timed_id(event.time, number);
                event
            })
            .collect();
        write(&warehouse, node(1), usage(events.clone()));
        for filter in filters {
            let mut found: Vec<_> =
                listed(&warehouse, vec![filter.clone()]).iter().map(|event| event.event_id).collect();
            found.sort();
            let expected: Vec<_> =
                events.iter().filter(|event| filter.matches(event)).map(|event| event.event_id).collect();
            prop_assert_eq!(found, expected, "{:?}", filter);
        }
    }
}
