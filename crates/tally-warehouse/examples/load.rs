//! Measures loading into an empty warehouse: `cargo run --release -p tally-warehouse
//! --example load -- <events> <records per batch>`.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a measurement: it prints, reads the clock, and stops at the first error"
)]

use std::time::{Duration, Instant};

use tally_types::{
    CallId, EventId, NodeId, Outcome, PicoUsd, Record, Source, TaskResult, TimeZone, Timestamp,
    UsageEvent, Weekday,
};
use tally_warehouse::{Options, Warehouse};
use uuid::Uuid;

const START: &str = "2026-03-01T00:00:00Z";
const NOW: &str = "2026-03-31T12:07:00Z";
const DAYS: u64 = 30;

fn main() {
    let mut arguments = std::env::args().skip(1).map(|text| text.parse::<u64>().unwrap());
    let events = arguments.next().unwrap_or(500_000);
    let batch = arguments.next().unwrap_or(10_000);
    let folder = std::env::temp_dir().join(format!("tally-load-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let options = Options {
        memory_limit_bytes: 2 << 30,
        threads: 2,
        time_zone: TimeZone::get("Europe/Berlin").unwrap(),
        week_starts: Weekday::Monday,
    };
    let warehouse = Warehouse::open(&folder.join("warehouse.duckdb"), &options).unwrap();
    let node = NodeId(Uuid::from_u128(1));
    let mut spent = Duration::ZERO;
    let (mut sequence, mut number) = (0, 0);
    while number < events {
        let mut rows = Vec::new();
        while number < events && (rows.len() as u64) < batch {
            rows.push(Record::Usage(Box::new(event(events, number))));
            if number % 8 == 7 {
                rows.push(Record::Outcome(outcome(events, number)));
            }
            number += 1;
        }
        let rows: Vec<_> = (sequence + 1..).zip(rows).collect();
        sequence += rows.len() as u64;
        let start = Instant::now();
        warehouse.write(node, &rows).unwrap();
        spent += start.elapsed();
    }
    println!("{events} events and {} outcomes: {spent:?}", sequence - events);
    println!("{:.0} events/s", events as f64 / spent.as_secs_f64());
    let start = Instant::now();
    let built = warehouse.compact(NOW.parse().unwrap()).unwrap();
    println!("compact, {built} stretches: {:?}", start.elapsed());
    drop(warehouse);
    std::fs::remove_dir_all(&folder).unwrap();
}

fn time(events: u64, number: u64) -> Timestamp {
    let start: Timestamp = START.parse().unwrap();
    let step = DAYS * 86_400_000_000 / events;
    Timestamp::from_microsecond(start.as_microsecond() + i64::try_from(number * step).unwrap())
        .unwrap()
}

fn id(time: Timestamp, number: u64) -> EventId {
    let ms = u128::try_from(time.as_millisecond()).unwrap();
    EventId(Uuid::from_u128((ms << 80) | (7 << 76) | (2 << 62) | u128::from(number)))
}

fn event(events: u64, number: u64) -> UsageEvent {
    let time = time(events, number);
    let id = id(time, number);
    let mut event = UsageEvent::new(id, CallId(id.0), time, Source::Gateway);
    let pick = |bound: u64| (number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) & (bound - 1);
    // One person does a task, for one of the team's workloads.
    let task = number / 4;
    let person = task.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 54;
    let (team, workload) = (person % 64, workload(task));
    event.person = format!("person-{person}").parse().ok();
    event.team = format!("team-{team}").parse().ok();
    event.department = Some(format!("department-{}", team % 8));
    event.cost_center = format!("cc-{}", team % 16).parse().ok();
    event.workload = format!("workload-{workload}").parse().ok();
    event.application = Some(format!("app-{}", workload % 8));
    event.operation = "chat".to_owned();
    event.model_requested = format!("model-{}", workload % 4 + pick(2));
    event.model_served = Some(event.model_requested.clone());
    event.session = Some(format!("session-{}", number / 40));
    event.task_id = Some(format!("task-{task}"));
    event.tokens.input_uncached = 1_000 + pick(65_536);
    event.tokens.output = 100;
    event.latency_us = Some(500_000 + pick(65_536) * 100);
    event.first_token_us = Some(100_000 + pick(65_536) * 10);
    event.cost_list_usd = Some(PicoUsd::from_pico(1_000_000));
    event
}

/// A team works on two of 32 workloads.
fn workload(task: u64) -> u64 {
    let person = task.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 54;
    (person % 64 + task % 2) % 32
}

fn outcome(events: u64, number: u64) -> Outcome {
    Outcome {
        outcome_id: id(time(events, number), number),
        revision: 0,
        time: time(events, number),
        workload: format!("workload-{}", workload(number / 4)).parse().ok(),
        task_id: format!("task-{}", number / 4),
        result: if number.is_multiple_of(3) { TaskResult::Failed } else { TaskResult::Succeeded },
        escalated: false,
        quality_bp: None,
        value_usd: None,
        tickets_deflected: None,
        conversions: None,
        minutes_saved: None,
        reported_by: None,
    }
}
