//! What the metrics layer answers: definitions, calendar, filters, comparison, totals.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::*;
use tally_types::{CallStatus, FallbackReason, PicoUsd, Record, TaskResult, TimeZone, Weekday};
use tally_warehouse::{
    AnswerSource, Compare, EventCursor, EventFilter, Filter, FilterOp, Grain, OrderBy, Query,
    QueryError, Warehouse, to_csv,
};

const TIME: &str = "2026-03-30T10:00:00Z";

fn error(warehouse: &Warehouse, query: &Query) -> String {
    match warehouse.query(query, now()) {
        Err(QueryError::Invalid(message)) => message,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

fn with_team(number: u64, team: &str) -> tally_types::UsageEvent {
    let mut event = event(number, TIME);
    event.team = Some(team.parse().unwrap());
    event
}

#[test]
fn sums_are_exact_beyond_64_bits() {
    let warehouse = berlin();
    let dear = (0..3).map(|n| {
        let mut event = event(n, TIME);
        event.cost_list_usd = Some(PicoUsd::from_pico(i64::MAX));
        event.tokens.output = u64::MAX;
        event
    });
    write(&warehouse, node(1), usage(dear));
    let expected = r#"["27670116.110564327421","55340232221128654845"]"#;
    assert_eq!(total(&warehouse, "spend_usd tokens_output"), expected);
}

#[test]
fn refused_calls_are_not_calls_and_rates_of_nothing_are_unknown() {
    let warehouse = berlin();
    let mut refused = event(1, TIME);
    refused.status = CallStatus::Refused;
    refused.cost_list_usd = None;
    write(&warehouse, node(1), usage([refused]));
    let measures = "calls calls_refused calls_unpriced error_rate cost_per_call_usd latency_p95_ms active_people cost_per_successful_task_usd";
    assert_eq!(total(&warehouse, measures), "[0,1,0,null,null,null,0,null]");
}

#[test]
fn rates_are_shares_of_the_calls() {
    let warehouse = berlin();
    let mut events: Vec<_> = (0..10).map(|n| event(n, TIME)).collect();
    events[0].status = CallStatus::Timeout;
    events[1].fallback = Some(FallbackReason::Budget);
    events[2].fallback = Some(FallbackReason::Policy);
    events[3].retries = 2;
    events[4].cost_list_usd = None;
    write(&warehouse, node(1), usage(events));
    assert_eq!(
        total(
            &warehouse,
            "error_rate retry_rate fallback_rate fallback_budget_rate fallback_error_rate cache_hit_rate cost_per_call_usd tokens_budgeted"
        ),
        r#"[0.1,0.1,0.2,0.1,0.0,0.75,"0.000001",1100]"#
    );
    let result = ask(&warehouse, &query("spend_usd", "", "this_year"));
    assert_eq!(result.warnings, ["1 call has no known price"]);
}

#[test]
fn the_cost_of_tasks_without_an_outcome_is_left_out_of_cost_per_success() {
    let warehouse = berlin();
    let call = |number: u64, task: &str| {
        let mut event = event(number, TIME);
        event.task_id = Some(task.to_owned());
        event
    };
    let calls = [call(1, "a"), call(2, "a"), call(3, "b"), call(4, "c"), event(5, TIME)];
    let mut records = usage(calls);
    records.push(Record::Outcome(outcome(1, "a", TaskResult::Succeeded)));
    let mut failed = outcome(2, "b", TaskResult::Failed);
    failed.escalated = true;
    failed.value_usd = None;
    records.push(Record::Outcome(failed));
    records.push(Record::Outcome(outcome(3, "never called", TaskResult::Succeeded)));
    write(&warehouse, node(1), records);
    let measures = "tasks tasks_succeeded tasks_failed tasks_unknown cost_per_successful_task_usd tokens_per_task tokens_per_successful_task escalation_rate value_usd quality_mean value_per_usd";
    assert_eq!(
        total(&warehouse, measures),
        format!(
            r#"[3,1,1,1,"0.000003",{},1230.0,0.5,"2.5",0.8,{}]"#,
            1640.0 / 3.0,
            2_500_000_000_000.0 / 3_000_000.0
        )
    );
}

#[test]
fn a_local_day_with_23_hours_holds_23_hours() {
    let warehouse = berlin();
    // Every quarter of an hour over the change to summer time (and the days beside it).
    let start: tally_types::Timestamp = "2026-03-27T23:00:00Z".parse().unwrap();
    let events = (0..4 * 71_u64).map(|n| {
        let us = start.as_microsecond() + i64::try_from(n).unwrap() * 900_000_000;
        event(n, &tally_types::Timestamp::from_microsecond(us).unwrap().to_string())
    });
    write(&warehouse, node(1), usage(events));
    let range = r#"{"from":"2026-03-27T23:00:00Z","to":"2026-03-30T22:00:00Z"}"#;
    let mut by_day = query("calls", "", range);
    by_day.grain = Some(Grain::Day);
    let days = ask(&warehouse, &by_day);
    assert_eq!(
        rows(&days),
        [
            r#"["2026-03-27T23:00:00Z",96]"#,
            r#"["2026-03-28T23:00:00Z",92]"#,
            r#"["2026-03-29T22:00:00Z",96]"#
        ]
    );
    assert_eq!(days.source, AnswerSource::RollupDay);
    let mut by_hour = by_day.clone();
    by_hour.grain = Some(Grain::Hour);
    let hours = ask(&warehouse, &by_hour);
    assert_eq!((hours.rows.len(), hours.source), (71, AnswerSource::Rollup));
    for (grain, starts) in [(Grain::Week, 2), (Grain::Month, 1), (Grain::Quarter, 1)] {
        let mut query = by_day.clone();
        query.grain = Some(grain);
        assert_eq!(ask(&warehouse, &query).rows.len(), starts, "{grain:?}");
    }
    // Half-hour zones: hours start at the local full hour.
    warehouse.set_time_zone(TimeZone::get("Asia/Kolkata").unwrap(), Weekday::Sunday).unwrap();
    // Its days are built in the background, one by one.
    assert_eq!(warehouse.compact(now()).unwrap(), 4);
    assert_eq!(warehouse.compact(now()).unwrap(), 0);
    let hours = ask(&warehouse, &by_hour);
    assert!(rows(&hours)[1].starts_with(r#"["2026-03-27T23:30:00Z",4]"#), "{:?}", rows(&hours));
    let days = ask(&warehouse, &by_day);
    assert_eq!(rows(&days)[0], r#"["2026-03-27T18:30:00Z",78]"#);
}

#[test]
fn any_edge_of_a_range_is_exact() {
    let warehouse = berlin();
    write(&warehouse, node(1), usage([event(1, TIME), event(2, "2026-03-30T10:00:00.000001Z")]));
    for (from, to, calls) in [
        ("2026-03-30T10:00:00Z", "2026-03-30T10:00:00.000001Z", 1),
        ("2026-03-30T10:00:00.000001Z", "2026-03-30T10:15:00Z", 1),
        ("2026-03-30T10:00:00Z", "2026-03-30T10:15:00Z", 2),
        ("2026-03-20T07:03:00Z", "2026-03-30T10:00:00.000001Z", 1),
        ("2026-03-20T07:03:00Z", "2026-04-02T10:00:00Z", 2),
    ] {
        let range = format!(r#"{{"from":"{from}","to":"{to}"}}"#);
        let result = ask(&warehouse, &query("calls", "", &range));
        assert_eq!(json(&result.total), format!("[{calls}]"), "{range}");
    }
}

#[test]
fn unattributed_rows_are_shown_filterable_and_reconcile() {
    let warehouse = berlin();
    write(&warehouse, node(1), usage([with_team(1, "a"), with_team(2, "a"), event(3, TIME)]));
    let mut by_team = query("calls spend_usd", "team", "last_7_days");
    let result = ask(&warehouse, &by_team);
    assert_eq!(rows(&result), [r#"["a",2,"0.000002"]"#, r#"["unattributed",1,"0.000001"]"#]);
    assert_eq!(json(&result.total), r#"[null,3,"0.000003"]"#);
    for (op, values, teams) in [
        (FilterOp::Eq, vec!["unattributed"], vec!["unattributed"]),
        (FilterOp::Ne, vec!["unattributed"], vec!["a"]),
        (FilterOp::Ne, vec!["a"], vec!["unattributed"]),
        (FilterOp::In, vec!["a", "unattributed"], vec!["a", "unattributed"]),
        (FilterOp::NotIn, vec!["b"], vec!["a", "unattributed"]),
        (FilterOp::IsNull, vec![], vec!["unattributed"]),
        (FilterOp::IsNotNull, vec![], vec!["a"]),
        (FilterOp::Prefix, vec!["a"], vec!["a"]),
    ] {
        let values = values.into_iter().map(str::to_owned).collect();
        by_team.filters = vec![Filter { dimension: "team".parse().unwrap(), op, values }];
        let found: Vec<_> = ask(&warehouse, &by_team)
            .rows
            .iter()
            .map(|row| serde_json::to_value(&row[0]).unwrap().as_str().unwrap().to_owned())
            .collect();
        assert_eq!(found, teams, "{op:?}");
    }
}

#[test]
fn hostile_values_are_only_values() {
    let warehouse = berlin();
    let hostile = [
        "'; DROP TABLE events; --",
        "\" OR 1=1",
        "a\0b",
        "日本語 🦆",
        "%_",
        "$1 ?",
        "=cmd()",
        "\\",
    ];
    let events = hostile.iter().zip(0..).map(|(text, n)| {
        let mut event = event(n, TIME);
        event.application = Some((*text).to_owned());
        event.task_type = Some((*text).to_owned());
        event.tags.insert((*text).replace('\0', "0"), (*text).to_owned());
        event
    });
    write(&warehouse, node(1), usage(events));
    for text in hostile {
        let mut query = query("calls", "application", "last_7_days");
        let tag = format!("tag:{}", text.replace('\0', "0"));
        query.dimensions.push(tag.parse().unwrap());
        query.filters = vec![
            Filter::eq(tally_warehouse::Field::Application, text),
            Filter::eq(tag.parse::<tally_warehouse::Dimension>().unwrap(), text),
        ];
        let result = ask(&warehouse, &query);
        let text = serde_json::to_string(text).unwrap();
        assert_eq!(rows(&result), [format!("[{text},{text},1]")]);
    }
    assert_eq!(total(&warehouse, "calls"), "[8]");
}

#[test]
fn csv_quotes_and_disarms() {
    let warehouse = berlin();
    let events = ["=HYPERLINK(\"x\")", "a,b", "@x"].iter().zip(0..).map(|(text, n)| {
        let mut event = event(n, TIME);
        event.application = Some((*text).to_owned());
        event
    });
    write(&warehouse, node(1), usage(events));
    let mut by_application = query("calls spend_usd error_rate", "application", "last_7_days");
    by_application.order = vec![OrderBy { by: "application".to_owned(), desc: false }];
    let csv = to_csv(&ask(&warehouse, &by_application));
    assert_eq!(
        csv,
        "application,calls,spend_usd,error_rate\r\n\
         \"'=HYPERLINK(\"\"x\"\")\",1,0.000001,0\r\n'@x,1,0.000001,0\r\n\"a,b\",1,0.000001,0\r\n"
    );
}

#[test]
fn comparisons_name_their_range_and_match_weekdays() {
    let warehouse = berlin();
    let calls = ["2026-03-31T09:00:00Z", "2026-03-24T09:00:00Z", "2026-03-24T23:00:00Z"];
    write(&warehouse, node(1), usage(calls.iter().zip(0..).map(|(time, n)| event(n, time))));
    let mut today = query("calls", "", "today");
    today.compare = Some(Compare::PreviousPeriod);
    let result = ask(&warehouse, &today);
    // Up to the same time of day, one week before; the zone changed to summer time between.
    let compared = result.compared_range.unwrap();
    assert_eq!(compared.from.to_string(), "2026-03-23T23:00:00Z");
    assert_eq!(compared.to.to_string(), "2026-03-24T13:15:00Z");
    assert_eq!(compared.name, "the same weekdays 7 days before");
    assert_eq!(json(&result.total), "[1,1]");
    for (range, compare, expected) in [
        ("last_30_days", Compare::PreviousPeriod, "2026-01-25T23:00:00Z 2026-02-24T13:15:00Z"),
        ("last_month", Compare::PreviousPeriod, "2025-12-31T23:00:00Z 2026-01-31T23:00:00Z"),
        ("this_month", Compare::PreviousPeriod, "2026-01-31T23:00:00Z 2026-02-28T13:15:00Z"),
        ("last_week", Compare::PreviousPeriod, "2026-03-15T23:00:00Z 2026-03-22T23:00:00Z"),
        ("last_hour", Compare::PreviousPeriod, "2026-03-31T10:15:00Z 2026-03-31T11:15:00Z"),
        ("yesterday", Compare::PreviousWeek, "2026-03-22T23:00:00Z 2026-03-23T23:00:00Z"),
        ("yesterday", Compare::PreviousYear, "2025-03-30T22:00:00Z 2025-03-31T22:00:00Z"),
    ] {
        let mut query = query("calls", "", range);
        query.compare = Some(compare);
        let compared = warehouse.query(&query, now()).unwrap().compared_range.unwrap();
        assert_eq!(format!("{} {}", compared.from, compared.to), expected, "{range} {compare:?}");
    }
}

#[test]
fn compared_buckets_stand_beside_the_same_step() {
    let warehouse = berlin();
    let calls = ["2026-03-31T09:00:00Z", "2026-03-29T09:00:00Z", "2026-03-23T09:00:00Z"];
    write(&warehouse, node(1), usage(calls.iter().zip(0..).map(|(time, n)| event(n, time))));
    let mut week = query("calls", "", "last_7_days");
    week.grain = Some(Grain::Day);
    week.compare = Some(Compare::PreviousPeriod);
    let result = ask(&warehouse, &week);
    assert_eq!(result.rows.len(), 7);
    assert_eq!(result.partial_bucket.unwrap().to_string(), "2026-03-30T22:00:00Z");
    assert_eq!(rows(&result)[4], r#"["2026-03-28T23:00:00Z",1,0]"#);
    assert_eq!(rows(&result)[5], r#"["2026-03-29T22:00:00Z",0,1]"#);
    assert_eq!(json(&result.total), "[null,2,1]");
}

#[test]
fn rows_are_ordered_limited_and_paged() {
    let warehouse = berlin();
    let events = (0..25).map(|n| {
        let mut event = with_team(n, &format!("team-{n:02}"));
        event.cost_list_usd = Some(PicoUsd::from_pico(i64::try_from(n % 5).unwrap()));
        event
    });
    write(&warehouse, node(1), usage(events));
    let mut page = query("spend_usd", "team", "this_month");
    page.limit = Some(10);
    let mut seen = Vec::new();
    for offset in [0, 10, 20] {
        page.offset = offset;
        let result = ask(&warehouse, &page);
        assert_eq!((result.groups, result.truncated), (25, offset < 20));
        seen.extend(rows(&result));
    }
    assert_eq!(seen[0], r#"["team-04","0.000000000004"]"#);
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 25);
}

#[test]
fn mistakes_are_explained() {
    let parse = |text: &str| serde_json::from_str::<Query>(text).unwrap_err().to_string();
    let with = |field: &str| format!(r#"{{"measures":["calls"],"range":"today",{field}}}"#);
    let spend = parse(r#"{"measures":["spend_us"],"range":"today"}"#);
    assert!(spend.contains("did you mean spend_usd"), "{spend}");
    let range = parse(r#"{"measures":["calls"],"range":"last_seven_days"}"#);
    assert!(range.contains("unknown range `last_seven_days`"), "{range}");
    assert!(parse(&with(r#""dimensions":["teams"]"#)).contains("did you mean team"));
    assert!(parse(&with(r#""dimension":["team"]"#)).contains("unknown field `dimension`"));
    assert!(parse(&with(r#""dimensions":["tag:"]"#)).contains("name of a tag"));
    let warehouse = berlin();
    let backwards = r#"{"from":"2026-03-30T10:00:00Z","to":"2026-03-30T10:00:00Z"}"#;
    assert!(error(&warehouse, &query("calls", "", backwards)).contains("`from` must be before"));
    let too_many: String =
        tally_warehouse::measures().iter().take(17).map(|m| format!("{} ", m.name)).collect();
    assert!(error(&warehouse, &query(&too_many, "", "today")).contains("1 to 16 measures"));
    let mut fine = query("calls", "team", "this_year");
    fine.grain = Some(Grain::QuarterHour);
    fine.range =
        serde_json::from_str(r#"{"from":"2020-01-01T00:00:00Z","to":"2026-01-01T00:00:00Z"}"#)
            .unwrap();
    assert!(error(&warehouse, &fine).contains("coarser grain"));
    let mut order = query("calls", "team", "today");
    order.order = vec![OrderBy { by: "spend_usd".to_owned(), desc: true }];
    assert!(error(&warehouse, &order).contains("calls, team"));
    let mut limit = query("calls", "team", "today");
    limit.limit = Some(10_001);
    assert!(error(&warehouse, &limit).contains("`limit` is 1 to 10000"));
    let mut filter = query("calls", "team", "today");
    filter.filters =
        vec![Filter { dimension: "team".parse().unwrap(), op: FilterOp::Eq, values: vec![] }];
    assert!(error(&warehouse, &filter).contains("exactly one value"));
}

#[test]
fn the_calls_behind_a_number_come_newest_first_and_whole() {
    let warehouse = berlin();
    let mut events: Vec<_> = (0..30).map(|n| with_team(n, "a")).collect();
    events[3].tags.insert("sprint".to_owned(), "7".to_owned());
    events[3].redactions.insert("email".to_owned(), 2);
    events[3].billing_modifiers.push("speed:fast".to_owned());
    events[3].tool_requests.insert("web_search".to_owned(), 3);
    events[3].rules = vec!["p/no".to_owned(), "p/log".to_owned()];
    events[3].shadow_rules = vec!["q/all".to_owned()];
    events[3].policy_decision = Some(tally_types::PolicyDecision::Redact);
    events[3].policy_severity = Some(tally_types::Severity::Severe);
    events[3].http_status = Some(200);
    write(&warehouse, node(1), usage(events.clone()));
    let mut filter = EventFilter {
        range: serde_json::from_str("\"last_7_days\"").unwrap(),
        filters: vec![Filter::eq(tally_warehouse::Field::Team, "a")],
        after: None,
        limit: 20,
    };
    let mut pages = warehouse.events(&filter, now()).unwrap();
    let last = pages.last().unwrap();
    filter.after = Some(EventCursor { time: last.time, event_id: last.event_id });
    pages.extend(warehouse.events(&filter, now()).unwrap());
    events.reverse();
    assert_eq!(pages, events);
    filter.after = None;
    filter.filters = vec![Filter::eq(tally_warehouse::Field::Violation, "true")];
    assert_eq!(warehouse.events(&filter, now()).unwrap(), events[26..27]);
    let by_rule = query("policy_violations", "rule", "last_7_days");
    assert!(format!("{:?}", rows(&ask(&warehouse, &by_rule))).contains("p/no"));
    filter.limit = 1_001;
    assert!(warehouse.events(&filter, now()).is_err());
}

#[test]
fn an_answer_keeps_its_shape() {
    let warehouse = berlin();
    write(&warehouse, node(1), usage([with_team(1, "a")]));
    let text = r#"{"measures":["spend_usd","error_rate"],"dimensions":["team"],
        "filters":[{"dimension":"environment","op":"eq","values":["experimentation"]}],
        "range":"last_7_days","grain":"week","compare":"previous_week",
        "order":[{"by":"spend_usd","desc":true}],"limit":10}"#;
    let query: Query = serde_json::from_str(text).unwrap();
    insta::assert_json_snapshot!(ask(&warehouse, &query));
    let schema = schemars::schema_for!(Query);
    assert!(serde_json::to_string(&schema).unwrap().contains("cost_per_successful_task_usd"));
}
