//! Measures writing and the overview's queries: `cargo run --release -p
//! tally-warehouse --example measure -- <events> <folder> [write]`; the last measures writing,
//! too, and leaves 200,000 events more. With `ONLY=<text>` only queries that contain it are asked.
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

/// The measures of the overview's figures.
const FIGURES: &str = r#""spend_usd","tokens","calls","cost_per_call_usd","cost_per_successful_task_usd","tasks_succeeded","tasks_unknown","latency_p95_ms","fallback_rate","fallback_error_rate","fallback_budget_rate","fallback_policy_rate""#;
const RANGES: &[&str] = &["today", "last_7_days", "last_30_days", "last_90_days"];
const FILTERS: &[&str] = &[
    "",
    r#""filters":[{"dimension":"department","op":"eq","values":["department-3"]}],"#,
    r#""filters":[{"dimension":"model_family","op":"in","values":["family-1","family-2"]},{"dimension":"environment","op":"eq","values":["production"]}],"#,
    r#""filters":[{"dimension":"tier","op":"eq","values":["frontier"]},{"dimension":"team","op":"ne","values":["team-1"]}],"#,
    r#""filters":[{"dimension":"person","op":"eq","values":["person-7"]}],"#,
];
/// The overview's parts; `$` stands for its figures.
const OVERVIEW: &[&str] = &[
    r#""measures":[$],"compare":"previous_period""#,
    r#""measures":[$],"grain":"day","compare":"previous_period""#,
    r#""measures":["tokens"],"dimensions":["tier"],"grain":"week""#,
    r#""measures":["spend_usd","tokens","calls"],"dimensions":["environment"],"grain":"day""#,
    r#""measures":["spend_usd","tokens","calls"],"dimensions":["model"],"limit":12"#,
    r#""measures":["spend_usd","calls","cost_per_call_usd","cost_per_successful_task_usd","latency_p95_ms","fallback_rate"],"dimensions":["application"],"limit":20"#,
    r#""measures":["spend_usd","calls","cost_per_call_usd","cost_per_successful_task_usd","latency_p95_ms","fallback_rate"],"dimensions":["workload"],"limit":20"#,
    r#""measures":["tokens","spend_usd","calls"],"dimensions":["department","model_family"]"#,
    r#""measures":["tokens","spend_usd","calls"],"dimensions":["task_type","value_tag"]"#,
    r#""measures":["active_people"],"compare":"previous_period""#,
    r#""measures":["spend_usd","calls","active_people"],"dimensions":["team"]"#,
    r#""measures":["spend_usd","calls"],"dimensions":["person"],"limit":20"#,
];
const EXPLORE: &[&str] = &[
    r#"{"measures":["spend_usd","calls"],"dimensions":["user_agent"],"range":"last_90_days"}"#,
    r#"{"measures":["spend_usd","calls"],"dimensions":["session"],"range":"last_90_days","limit":50}"#,
    r#"{"measures":["spend_usd","calls"],"dimensions":["task_id"],"range":"last_90_days","limit":50}"#,
    r#"{"measures":["spend_usd","calls","tokens"],"dimensions":["task_id"],"range":"last_30_days","compare":"previous_period","limit":50}"#,
    r#"{"measures":["calls"],"dimensions":["session","workload"],"range":"last_90_days","limit":50}"#,
    r#"{"measures":["spend_usd","calls"],"dimensions":["key"],"range":"last_90_days"}"#,
    r#"{"measures":["spend_usd"],"dimensions":["person","model","workload"],"range":"last_90_days"}"#,
    r#"{"measures":["spend_usd","latency_p95_ms"],"dimensions":["person"],"range":"last_90_days"}"#,
    r#"{"measures":["calls"],"dimensions":["error_code"],"range":"last_90_days","grain":"day"}"#,
    r#"{"measures":["calls"],"dimensions":["tag:sprint"],"range":"last_90_days"}"#,
    r#"{"measures":["spend_usd"],"dimensions":["price_version"],"range":"last_90_days","grain":"week"}"#,
    r#"{"measures":["spend_usd","latency_p95_ms","cost_per_successful_task_usd"],"range":"last_7_days","grain":"hour"}"#,
    r#"{"measures":["spend_usd","latency_p95_ms"],"dimensions":["model"],"range":"last_7_days","grain":"hour"}"#,
    r#"{"measures":["calls","latency_p50_ms","first_token_p99_ms"],"dimensions":["team","model","task_type"],"range":"last_90_days"}"#,
    r#"{"measures":["cost_per_successful_task_usd","tasks"],"dimensions":["team","model","task_type"],"range":"last_90_days","grain":"week"}"#,
    r#"{"measures":["cost_per_successful_task_usd","tasks"],"dimensions":["person"],"range":"last_90_days"}"#,
    r#"{"measures":["cost_per_successful_task_usd","tasks"],"dimensions":["user_agent"],"range":"last_90_days"}"#,
    r#"{"measures":["tasks","quality_mean","value_usd","escalation_rate"],"dimensions":["status"],"range":"last_30_days"}"#,
    r#"{"measures":["sessions"],"range":"last_90_days"}"#,
    r#"{"measures":["sessions"],"dimensions":["team"],"range":"last_30_days","grain":"day"}"#,
    r#"{"measures":["active_people"],"dimensions":["user_agent"],"range":"last_90_days"}"#,
];

fn main() {
    let mut arguments = std::env::args().skip(1);
    let events: u64 = arguments.next().unwrap_or_else(|| "1000000".to_owned()).parse().unwrap();
    let folder = arguments.next().unwrap_or_else(|| "/tmp".to_owned());
    let path = Path::new(&folder).join(format!("measure-{events}.duckdb"));
    let options = Options {
        memory_limit_bytes: 2 << 30,
        threads: 2,
        time_zone: TimeZone::get("Europe/Berlin").unwrap(),
        week_starts: Weekday::Monday,
    };
    let there = path.exists();
    let start = Instant::now();
    let warehouse = Warehouse::open(&path, &options).unwrap();
    println!("open: {:?}", start.elapsed());
    let now: Timestamp = NOW.parse().unwrap();
    if !there {
        let wanted = synthetic::Synthetic { events, days: 90, end: now, seed: 1 };
        let start = Instant::now();
        synthetic::load(&warehouse, &wanted).unwrap();
        warehouse.checkpoint().unwrap();
        println!("load {events} events: {:?}", start.elapsed());
    }
    let bytes = std::fs::metadata(&path).unwrap().len();
    println!("file: {} MB, {} bytes per event", bytes >> 20, bytes / events);
    // Today and the quarter-hour that goes on are behind, as they are in a live warehouse.
    happen(&warehouse, now);
    let start = Instant::now();
    println!("compact {}: {:?}", warehouse.compact(now).unwrap(), start.elapsed());
    overview(&warehouse, now);
    for text in EXPLORE {
        ask(&warehouse, now, text);
    }
    if std::env::args().any(|argument| argument == "write") {
        write_new(&warehouse, now);
    }
    drop(warehouse);
    println!("kept for the next time: {}", path.display());
}

fn overview(warehouse: &Warehouse, now: Timestamp) {
    for range in RANGES {
        for filter in FILTERS {
            let start = Instant::now();
            for part in OVERVIEW {
                let part = part.replace('$', FIGURES);
                let part =
                    if *range == "today" { part.replace("\"day\"", "\"hour\"") } else { part };
                ask(warehouse, now, &format!(r#"{{{filter}"range":"{range}",{part}}}"#));
            }
            println!("page: {:?}", start.elapsed() / 2);
        }
    }
}

/// One more call, as in a live warehouse between one question and the next.
fn happen(warehouse: &Warehouse, now: Timestamp) {
    let node = NodeId(Uuid::from_u128(9));
    let sequence = warehouse.last_sequence(node).unwrap() + 1;
    let call = Record::Usage(Box::new(event(now, sequence, node, 7)));
    warehouse.write(node, &[(sequence, call)]).unwrap();
}

/// Prints how long it took at first and takes again, a call later, and how much of it DuckDB computed: on a machine
/// with other work, half of that is what two idle cores would need.
fn ask(warehouse: &Warehouse, now: Timestamp, text: &str) {
    const TIMES: u32 = 4;
    if std::env::var("ONLY").is_ok_and(|only| !text.contains(&only)) {
        return;
    }
    let query: Query = serde_json::from_str(text).unwrap();
    let start = Instant::now();
    let result = match warehouse.query(&query, now) {
        Ok(result) => result,
        Err(error) => return println!("   error {error} {text}"),
    };
    let first = start.elapsed().as_secs_f64() * 1_000.0;
    let (mut best, mut wall, mut cpu) = (f64::MAX, 0.0, 0.0);
    for _ in 0..TIMES {
        happen(warehouse, now);
        let (start, before) = (Instant::now(), cpu_ms());
        warehouse.query(&query, now).unwrap();
        let ms = start.elapsed().as_secs_f64() * 1_000.0;
        best = best.min(ms);
        wall += ms / f64::from(TIMES);
        cpu += (cpu_ms() - before) / f64::from(TIMES);
    }
    let text = text.replace(FIGURES, "$");
    println!(
        "{first:8.1} ms first {best:8.1} best {wall:8.1} mean {cpu:8.1} cpu {:?} {} rows {text}",
        result.source, result.groups
    );
}

/// What this process computed so far.
fn cpu_ms() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(13) + ticks(14)) * 10.0
}

fn write_new(warehouse: &Warehouse, now: Timestamp) {
    for (name, version) in [("time-ordered", 7_u128), ("other", 4)] {
        let node = NodeId(Uuid::from_u128(version));
        // The file may have been measured before.
        let mut sequence = warehouse.last_sequence(node).unwrap();
        let before = sequence;
        let mut spent = std::time::Duration::ZERO;
        for _ in 0..20 {
            let batch: Vec<(u64, Record)> = (0..BATCH)
                .map(|_| {
                    sequence += 1;
                    (sequence, Record::Usage(Box::new(event(now, sequence, node, version))))
                })
                .collect();
            let start = Instant::now();
            let report = warehouse.write(node, &batch).unwrap();
            spent += start.elapsed();
            assert_eq!(report.new, BATCH);
        }
        let rate = f64::from(u32::try_from(sequence - before).unwrap()) / spent.as_secs_f64();
        println!("write, {name} ids: {rate:.0} events/s");
        let start = Instant::now();
        let merged = warehouse.compact(now).unwrap();
        println!("compact {merged} buckets: {:?}", start.elapsed());
    }
}

fn event(now: Timestamp, number: u64, node: NodeId, version: u128) -> UsageEvent {
    let us = now.as_microsecond() + i64::try_from(number * 20).unwrap();
    let time = Timestamp::from_microsecond(us).unwrap();
    let ms = u128::try_from(time.as_millisecond()).unwrap();
    let id =
        (ms << 80) | (version << 76) | (2 << 62) | (node.0.as_u128() << 48) | u128::from(number);
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
