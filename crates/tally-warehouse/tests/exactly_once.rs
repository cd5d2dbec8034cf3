//! A record counts once, whatever is sent again, by whom, and whatever breaks.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::*;
use tally_types::{EventId, PicoUsd, Record, TaskResult, TeamName};
use tally_warehouse::{Warehouse, WarehouseError};
use uuid::Uuid;

const TIME: &str = "2026-03-30T10:00:00Z";

#[test]
fn regression_20_retried_ingestion_counts_once() {
    let warehouse = berlin();
    let records = || usage((0..100).map(|n| event(n, TIME)));
    let first = write(&warehouse, node(1), records());
    assert_eq!((first.new, first.duplicates, first.last_sequence), (100, 0, 100));
    // The same records again under new sequences, and from another node.
    for by in [node(1), node(2)] {
        let again = write(&warehouse, by, records());
        assert_eq!((again.new, again.duplicates, again.amended), (0, 100, 0));
    }
    assert_eq!(total(&warehouse, "calls tokens spend_usd"), r#"[100,41000,"0.0001"]"#);
}

#[test]
fn ids_that_carry_no_time_count_once_too() {
    let warehouse = berlin();
    let record = |id: u128, time| {
        let mut event = event(1, time);
        event.event_id = EventId(Uuid::from_u128(id));
        event
    };
    let batch = || usage((1..50).map(|id| record(id << 64, TIME)));
    assert_eq!(write(&warehouse, node(1), batch()).new, 49);
    assert_eq!(write(&warehouse, node(2), batch()).duplicates, 49);
    // Seen again by a source whose clock is off by days.
    let late = usage([record(7 << 64, "2026-03-20T10:00:00Z")]);
    assert_eq!(write(&warehouse, node(2), late).duplicates, 1);
    assert_eq!(total(&warehouse, "calls"), "[49]");
}

#[test]
fn one_batch_with_the_same_id_twice_keeps_the_highest_revision() {
    let warehouse = berlin();
    let with = |revision, pico| {
        let mut event = event(1, TIME);
        event.revision = revision;
        event.cost_list_usd = Some(PicoUsd::from_pico(pico));
        event
    };
    let report = write(&warehouse, node(1), usage([with(0, 1), with(2, 3), with(1, 2)]));
    assert_eq!((report.new, report.duplicates), (1, 2));
    assert_eq!(total(&warehouse, "spend_usd"), r#"["0.000000000003"]"#);
}

#[test]
fn an_amendment_moves_the_cost_to_where_it_belongs() {
    let warehouse = berlin();
    let mut first = event(1, TIME);
    write(&warehouse, node(1), usage([first.clone(), event(2, TIME)]));
    first.revision = 1;
    first.team = Some(TeamName("search".parse().unwrap()));
    first.time = "2026-03-29T10:00:00Z".parse().unwrap();
    first.cost_list_usd = Some(PicoUsd::from_pico(5));
    let report = write(&warehouse, node(2), usage([first.clone()]));
    assert_eq!((report.new, report.amended), (0, 1));
    let by_team = query("spend_usd calls", "team", "this_year");
    let expected = [r#"["unattributed","0.000001",1]"#, r#"["search","0.000000000005",1]"#];
    assert_eq!(rows(&ask(&warehouse, &by_team)), expected);
    // An older revision that comes late changes nothing.
    write(&warehouse, node(2), usage([event(1, TIME)]));
    assert_eq!(warehouse.compact(now()).unwrap(), 0);
    assert_eq!(rows(&ask(&warehouse, &by_team)), expected);
    assert_eq!(warehouse.event(first.event_id).unwrap(), Some(first));
}

#[test]
fn amending_every_event_of_a_group_leaves_no_empty_group() {
    let warehouse = berlin();
    let mut only = event(1, TIME);
    write(&warehouse, node(1), usage([only.clone()]));
    only.revision = 1;
    only.team = Some(TeamName("search".parse().unwrap()));
    write(&warehouse, node(1), usage([only]));
    let by_team = ask(&warehouse, &query("calls latency_p50_ms active_teams", "team", "this_year"));
    assert_eq!(by_team.rows.len(), 1);
}

#[test]
fn shipping_again_after_a_crash_before_the_answer_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("warehouse.duckdb");
    let batch: Vec<(u64, Record)> = (1..).zip(usage((0..10).map(|n| event(n, TIME)))).collect();
    let before = {
        let warehouse = Warehouse::open(&path, &options("Europe/Berlin")).unwrap();
        warehouse.write(node(1), &batch).unwrap();
        total(&warehouse, "calls spend_usd latency_p95_ms")
    };
    let warehouse = Warehouse::open(&path, &options("Europe/Berlin")).unwrap();
    assert_eq!(warehouse.last_sequence(node(1)).unwrap(), 10);
    let report = warehouse.write(node(1), &batch).unwrap();
    assert_eq!((report.skipped, report.new, report.duplicates), (10, 0, 0));
    assert_eq!(total(&warehouse, "calls spend_usd latency_p95_ms"), before);
    assert_eq!(warehouse.last_sequence(node(2)).unwrap(), 0);
}

#[test]
fn regression_19_a_failed_commit_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("warehouse.duckdb");
    // Rename a table, so that the batch fails after its events are in the transaction.
    let damage = |sql: &str| {
        let connection = duckdb::Connection::open(&path).unwrap();
        connection.execute_batch(sql).unwrap();
    };
    drop(Warehouse::open(&path, &options("UTC")).unwrap());
    damage("ALTER TABLE dirty_days RENAME TO away");
    let batch: Vec<(u64, Record)> = (1..).zip(usage((0..10).map(|n| event(n, TIME)))).collect();
    {
        let warehouse = Warehouse::open(&path, &options("UTC")).unwrap();
        assert!(matches!(warehouse.write(node(1), &batch), Err(WarehouseError::Database(_))));
        assert_eq!(warehouse.last_sequence(node(1)).unwrap(), 0);
        assert_eq!(warehouse.event(batch[0].1.id()).unwrap(), None);
    }
    damage("ALTER TABLE away RENAME TO dirty_days");
    let warehouse = Warehouse::open(&path, &options("UTC")).unwrap();
    assert_eq!(warehouse.write(node(1), &batch).unwrap().new, 10);
    assert_eq!(total(&warehouse, "calls"), "[10]");
}

#[test]
fn a_file_of_a_newer_tally_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("warehouse.duckdb");
    drop(Warehouse::open(&path, &options("UTC")).unwrap());
    duckdb::Connection::open(&path)
        .unwrap()
        .execute_batch("UPDATE meta SET value = '99' WHERE key = 'schema_version'")
        .unwrap();
    let error = Warehouse::open(&path, &options("UTC")).unwrap_err();
    assert!(matches!(error, WarehouseError::NewerSchema { found: 99, .. }), "{error}");
}

#[test]
fn a_file_of_an_older_tally_is_brought_up_to_date() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("warehouse.duckdb");
    let measures = "tasks tasks_succeeded cost_per_successful_task_usd";
    let by_day = {
        let mut by_day = query(measures, "team", "this_year");
        by_day.grain = Some(tally_warehouse::Grain::Day);
        by_day
    };
    let before = {
        let warehouse = Warehouse::open(&path, &options("Europe/Berlin")).unwrap();
        // Tasks of one day, one of two days, and one whose day is not rolled up yet.
        let calls = (0..9).map(|number| {
            let time = if number % 4 == 0 { "2026-03-28T10:00:00Z" } else { TIME };
            let mut call = event(number, time);
            call.task_id = Some(format!("t{}", number % 3));
            call
        });
        let mut records = usage(calls);
        records.push(Record::Outcome(outcome(1, "t1", TaskResult::Succeeded)));
        write(&warehouse, node(1), records);
        let before = rows(&ask(&warehouse, &by_day));
        write(&warehouse, node(1), usage([event(20, "2026-03-28T10:00:00Z")]));
        before
    };
    let as_before = || {
        let warehouse = Warehouse::open(&path, &options("Europe/Berlin")).unwrap();
        assert_eq!(rows(&warehouse.query(&by_day, now()).unwrap()), before);
        assert_eq!(rows(&ask(&warehouse, &by_day)), before);
        warehouse
    };
    make_older(
        &path,
        "ALTER TABLE events DROP COLUMN prompt_fingerprint; \
         ALTER TABLE outcomes DROP COLUMN reported_by; \
         ALTER TABLE task_results DROP COLUMN reported_by; \
         ALTER TABLE rollup_task_people DROP COLUMN workload; \
         ALTER TABLE rollup_task_people DROP COLUMN application; \
         UPDATE meta SET value = '6' WHERE key = 'schema_version'",
    );
    drop(as_before());
    make_older(
        &path,
        "DROP TABLE rollup_task; DROP TABLE rollup_task_parts; DROP TABLE rollup_person; \
         DROP TABLE rollup_task_people; DROP TABLE rollup_task_people_parts; \
         ALTER TABLE events DROP COLUMN rules; ALTER TABLE events DROP COLUMN shadow_rules; \
         ALTER TABLE events DROP COLUMN policy_decision; ALTER TABLE events DROP COLUMN policy_severity; \
         ALTER TABLE events DROP COLUMN prompt_fingerprint; \
         ALTER TABLE outcomes DROP COLUMN reported_by; \
         ALTER TABLE task_results DROP COLUMN reported_by; \
         ALTER TABLE events DROP COLUMN policy_rule; ALTER TABLE events DROP COLUMN violation; \
         UPDATE meta SET value = '1' WHERE key = 'schema_version'",
    );
    let warehouse = as_before();
    // What policies did has columns of its own from now on.
    let mut refused = event(21, "2026-03-28T10:00:00Z");
    refused.rules = vec!["p/no".to_owned()];
    refused.policy_decision = Some(tally_types::PolicyDecision::Deny);
    write(&warehouse, node(1), usage([refused.clone()]));
    assert_eq!(warehouse.event(refused.event_id).unwrap(), Some(refused));
}

fn make_older(path: &std::path::Path, sql: &str) {
    duckdb::Connection::open(path).unwrap().execute_batch(sql).unwrap();
}

#[test]
fn the_latest_outcome_of_a_task_counts_and_can_be_amended() {
    let warehouse = berlin();
    let mut call = event(1, TIME);
    call.task_id = Some("t1".to_owned());
    let mut records = usage([call]);
    let mut first = outcome(1, "t1", TaskResult::Failed);
    first.time = TIME.parse().unwrap();
    records.push(Record::Outcome(first.clone()));
    records.push(Record::Outcome(outcome(2, "t1", TaskResult::Succeeded)));
    write(&warehouse, node(1), records.clone());
    write(&warehouse, node(2), records);
    let measures = "tasks tasks_succeeded tasks_failed value_usd";
    assert_eq!(total(&warehouse, measures), r#"[1,1,0,"2.5"]"#);
    // The later report turns out to be about another task.
    let mut moved = outcome(2, "t2", TaskResult::Succeeded);
    moved.revision = 1;
    write(&warehouse, node(1), vec![Record::Outcome(moved)]);
    assert_eq!(total(&warehouse, measures), r#"[1,0,1,"2.5"]"#);
}

#[test]
fn readers_do_not_wait_for_a_writer() {
    let warehouse = berlin();
    write(&warehouse, node(1), usage((0..10).map(|n| event(n, TIME))));
    std::thread::scope(|scope| {
        for n in 0..4_u64 {
            let warehouse = &warehouse;
            scope.spawn(move || {
                for round in 0..5 {
                    let id = 1_000 + n * 100 + round;
                    write(warehouse, node(u128::from(n) + 10), usage([event(id, TIME)]));
                    let result = warehouse.query(&query("calls", "", "this_year"), now()).unwrap();
                    assert_eq!(result.rows.len(), 1);
                }
            });
        }
    });
    assert_eq!(total(&warehouse, "calls"), "[30]");
}
