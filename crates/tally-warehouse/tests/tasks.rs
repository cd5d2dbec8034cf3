//! Tasks with their calls and what came of them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod common;

use common::{berlin, event, node, outcome, usage, write};
use tally_types::{
    Fingerprint, PicoUsd, PicoUsdSum, Record, TaskFact, TaskResult, Tier, UsageEvent,
};
use tally_warehouse::{Forget, Warehouse};

const FROM: &str = "2026-03-01T00:00:00Z";
const TO: &str = "2026-04-01T00:00:00Z";

fn call(number: u64, time: &str, task: &str, person: &str, cost: i64) -> UsageEvent {
    let mut event = event(number, time);
    event.task_id = Some(task.to_owned());
    event.person = person.parse().ok();
    event.team = format!("team-of-{person}").parse().ok();
    event.cost_list_usd = Some(PicoUsd::from_pico(cost));
    event
}

fn tasks(warehouse: &Warehouse) -> Vec<TaskFact> {
    let mut found = Vec::new();
    let mut take = |task| found.push(task);
    warehouse.tasks(FROM.parse().unwrap(), TO.parse().unwrap(), &mut take).unwrap();
    found.sort_by(|one, other| one.task_id.cmp(&other.task_id));
    found
}

#[test]
fn a_task_belongs_to_whoever_spent_most_and_has_all_its_calls() {
    let warehouse = berlin();
    let mut first = call(1, "2026-03-31T23:00:00Z", "t", "ada", 5);
    first.task_type = Some("fix".to_owned());
    first.template = "short".parse().ok();
    first.prompt_fingerprint = Some(Fingerprint::new(u64::MAX));
    first.tier = Some(Tier::Economy);
    let mut second = call(2, "2026-04-02T10:00:00Z", "t", "bob", 7);
    second.task_type = Some("other".to_owned());
    second.tier = Some(Tier::Standard);
    let refused = |mut event: UsageEvent| {
        event.status = tally_types::CallStatus::Refused;
        event
    };
    let events = [first, second, refused(call(3, "2026-03-02T10:00:00Z", "t", "eve", 100))];
    write(&warehouse, node(1), usage(events));
    write(&warehouse, node(1), vec![Record::Outcome(outcome(1, "t", TaskResult::Succeeded))]);
    let [task] = tasks(&warehouse).try_into().unwrap();
    assert_eq!(task.person.as_ref().unwrap().as_str(), "bob");
    assert_eq!(task.team.as_ref().unwrap().as_str(), "team-of-bob");
    assert_eq!((task.calls, task.cost), (2, Some(PicoUsdSum::from_pico(12))));
    assert_eq!((task.tokens, task.prompt_tokens, task.cache_read_tokens), (820, 800, 600));
    assert_eq!((task.latency_us, task.tier), (Some(2_000_000), Some(Tier::Standard)));
    assert_eq!(task.task_type.as_deref(), Some("fix"));
    assert_eq!(task.template.unwrap().as_str(), "short");
    assert_eq!(task.prompt_fingerprint, Some(Fingerprint::new(u64::MAX)));
    let outcome = task.outcome.unwrap();
    assert_eq!((outcome.result, outcome.quality_bp), (TaskResult::Succeeded, Some(8_000)));
    assert_eq!(outcome.value, Some("2.5".parse().unwrap()));
    assert_eq!(outcome.reported_by.unwrap().to_string(), "key:tickets");
}

#[test]
fn a_task_is_of_the_season_of_its_first_call() {
    let warehouse = berlin();
    write(
        &warehouse,
        node(1),
        usage([
            // Begun in February, goes on in March.
            call(1, "2026-02-20T10:00:00Z", "before", "ada", 1),
            call(2, "2026-03-05T10:00:00Z", "before", "ada", 1),
            // Rested for longer than a month: counts anew.
            call(3, "2026-01-10T10:00:00Z", "rested", "ada", 1),
            call(4, "2026-03-05T10:00:00Z", "rested", "ada", 1),
            call(5, "2026-03-31T23:59:59Z", "within", "ada", 1),
            call(6, "2026-04-01T00:00:00Z", "after", "ada", 1),
        ]),
    );
    let found: Vec<_> =
        tasks(&warehouse).into_iter().map(|task| (task.task_id, task.calls)).collect();
    assert_eq!(found, [("rested".to_owned(), 1), ("within".to_owned(), 1)]);
}

#[test]
fn what_is_not_known_is_not_made_up() {
    let warehouse = berlin();
    let mut unpriced = call(1, "2026-03-05T10:00:00Z", "a", "ada", 0);
    unpriced.cost_list_usd = None;
    unpriced.latency_us = None;
    let priced = call(2, "2026-03-05T11:00:00Z", "a", "ada", 9);
    write(&warehouse, node(1), usage([unpriced, priced]));
    let [task] = tasks(&warehouse).try_into().unwrap();
    assert_eq!((task.cost, task.latency_us, task.outcome), (None, None, None));
    assert_eq!((task.task_type, task.template, task.prompt_fingerprint), (None, None, None));
}

#[test]
fn who_reported_is_forgotten_with_them() {
    let warehouse = berlin();
    write(&warehouse, node(1), usage([call(1, "2026-03-05T10:00:00Z", "a", "ada", 1)]));
    let mut report = outcome(1, "a", TaskResult::Failed);
    report.reported_by = "person:eve".parse().ok();
    write(&warehouse, node(1), vec![Record::Outcome(report)]);
    let person = "eve".parse().unwrap();
    let of = Forget::Of { person, keys: Vec::new(), before: TO.parse().unwrap() };
    assert_eq!(warehouse.forget(&of, 100).unwrap(), 0);
    let [task] = tasks(&warehouse).try_into().unwrap();
    let outcome = task.outcome.unwrap();
    assert_eq!((outcome.result, outcome.reported_by), (TaskResult::Failed, None));
}
