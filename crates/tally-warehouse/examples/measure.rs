//! Measures writing and the overview's queries: `cargo run --release -p
//! tally-warehouse --example measure -- <events> <folder>`.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a measurement: it prints, reads the clock, and stops at the first error"
)]

use std::{path::Path, time::Instant};

use tally_types::{
    CallId, EventId, NodeId, PicoUsd, Record, Source, TimeZone, Timestamp, UsageEvent, Weekday,
};
use tally_warehouse::{Options, Query, Warehouse, synthetic};
use uuid::Uuid;

const NOW: &str = "2026-03-31T12:07:00Z";
const BATCH: u64 = 5_000;

const QUERIES: &[&str] = &[
    r#"{"measures":["spend_usd","tokens","calls","error_rate","fallback_rate","cache_hit_rate"],"range":"last_30_days","compare":"previous_period"}"#,
    r#"{"measures":["tokens","spend_usd"],"range":"last_90_days","grain":"day"}"#,
    r#"{"measures":["tokens"],"dimensions":["model"],"range":"last_90_days","grain":"week"}"#,
    r#"{"measures":["spend_usd","calls"],"dimensions":["application"],"range":"last_30_days","limit":20}"#,
    r#"{"measures":["spend_usd","calls","latency_p95_ms"],"dimensions":["team"],"range":"last_30_days"}"#,
    r#"{"measures":["latency_p50_ms","latency_p95_ms"],"range":"last_30_days","grain":"day"}"#,
    r#"{"measures":["calls","spend_usd"],"range":"last_24_hours","grain":"hour"}"#,
    r#"{"measures":["active_people"],"range":"last_30_days","compare":"previous_period"}"#,
    r#"{"measures":["spend_usd","calls"],"dimensions":["person"],"range":"last_30_days","limit":20}"#,
    r#"{"measures":["cost_per_successful_task_usd","tasks"],"dimensions":["workload"],"range":"last_30_days"}"#,
    r#"{"measures":["sessions"],"range":"last_30_days"}"#,
];

fn main() {
    let mut arguments = std::env::args().skip(1);
    let events: u64 = arguments.next().unwrap_or_else(|| "1000000".to_owned()).parse().unwrap();
    let folder = arguments.next().unwrap_or_else(|| "/tmp".to_owned());
    let path = Path::new(&folder).join(format!("measure-{}.duckdb", std::process::id()));
    let options = Options {
        memory_limit_bytes: 4 << 30,
        threads: 2,
        time_zone: TimeZone::get("Europe/Berlin").unwrap(),
        week_starts: Weekday::Monday,
    };
    let warehouse = Warehouse::open(&path, &options).unwrap();
    let now: Timestamp = NOW.parse().unwrap();
    let wanted = synthetic::Synthetic { events, days: 90, end: now, seed: 1 };
    let start = Instant::now();
    synthetic::load(&warehouse, &wanted).unwrap();
    warehouse.checkpoint().unwrap();
    println!("load {events} events: {:?}", start.elapsed());
    let bytes = std::fs::metadata(&path).unwrap().len();
    println!("file: {} MB, {} bytes per event", bytes >> 20, bytes / events);
    queries(&warehouse, now);
    write_new(&warehouse, now);
    drop(warehouse);
    std::fs::remove_file(&path).unwrap();
}

fn queries(warehouse: &Warehouse, now: Timestamp) {
    for text in QUERIES {
        let query: Query = serde_json::from_str(text).unwrap();
        warehouse.query(&query, now).unwrap();
        let start = Instant::now();
        let result = warehouse.query(&query, now).unwrap();
        let ms = start.elapsed().as_secs_f64() * 1_000.0;
        println!("{ms:8.1} ms {:?} {} rows {text}", result.source, result.groups);
    }
}

fn write_new(warehouse: &Warehouse, now: Timestamp) {
    for (name, version) in [("time-ordered", 7_u128), ("other", 4)] {
        let mut sequence = 0;
        let node = NodeId(Uuid::from_u128(version));
        let mut spent = std::time::Duration::ZERO;
        for _ in 0..20 {
            let batch: Vec<(u64, Record)> = (0..BATCH)
                .map(|_| {
                    sequence += 1;
                    (sequence, Record::Usage(Box::new(event(now, sequence, version))))
                })
                .collect();
            let start = Instant::now();
            let report = warehouse.write(node, &batch).unwrap();
            spent += start.elapsed();
            assert_eq!(report.new, BATCH);
        }
        let rate = f64::from(u32::try_from(sequence).unwrap()) / spent.as_secs_f64();
        println!("write, {name} ids: {rate:.0} events/s");
        let start = Instant::now();
        let merged = warehouse.compact(now).unwrap();
        println!("compact {merged} buckets: {:?}", start.elapsed());
    }
}

fn event(now: Timestamp, number: u64, version: u128) -> UsageEvent {
    let us = now.as_microsecond() + i64::try_from(number * 20).unwrap();
    let time = Timestamp::from_microsecond(us).unwrap();
    let ms = u128::try_from(time.as_millisecond()).unwrap();
    let id = (ms << 80) | (version << 76) | (2 << 62) | u128::from(number);
    // Ids of other versions come in no order.
    let id = if version == 7 { id } else { (u128::from(number) << 100).wrapping_mul(0x9e37) | id };
    let id =
        EventId(Uuid::from_u128(if version == 7 { id } else { id & !(0xf << 76) | (4 << 76) }));
    let mut event = UsageEvent::new(id, CallId(id.0), time, Source::Gateway);
    let pick = |bound: u64| number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40 & (bound - 1);
    event.person = format!("person-{}", pick(1024)).parse().ok();
    event.team = format!("team-{}", pick(64)).parse().ok();
    event.cost_center = format!("cc-{}", pick(16)).parse().ok();
    event.workload = format!("workload-{}", pick(32)).parse().ok();
    event.application = Some(format!("app-{}", pick(8)));
    event.operation = "chat".to_owned();
    event.model_requested = format!("model-{}", pick(8));
    event.model_served = Some(event.model_requested.clone());
    event.session = Some(format!("session-{}", pick(4096)));
    event.task_id = Some(format!("task-{}", number / 4));
    event.tokens.input_uncached = 1_000 + pick(65_536);
    event.tokens.output = 100;
    event.latency_us = Some(500_000 + pick(65_536) * 100);
    event.first_token_us = Some(100_000 + pick(65_536) * 10);
    event.cost_list_usd = Some(PicoUsd::from_pico(1_000_000));
    event
}
