//! The overview page's queries, asked of many synthetic events.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::Context;
use tally_types::Timestamp;
use tally_warehouse::{Query, Warehouse, synthetic};

use crate::{
    machine,
    report::{Report, Table},
    ship::warehouse_options,
    stats::{Sorted, ms, rounded},
};

/// When the last synthetic event happened: a fixed day, so that a file can be reused.
const NOW: &str = "2026-03-31T12:07:00Z";
const SEED: u32 = 1;
const COLUMNS: &[&str] =
    &["query", "source", "groups", "first ms", "median ms", "max ms", "events only ms"];

/// What the page asks, as it asks it.
const QUERIES: &[(&str, &str)] = &[
    (
        "figures beside the period before, 30 days",
        r#"{"measures":["spend_usd","tokens","calls","cost_per_call_usd","cost_per_successful_task_usd","tasks_succeeded","tasks_unknown","latency_p95_ms","fallback_rate","fallback_error_rate","fallback_budget_rate","fallback_policy_rate"],"range":"last_30_days","compare":"previous_period"}"#,
    ),
    (
        "figures by day, 90 days",
        r#"{"measures":["spend_usd","tokens","calls","cost_per_call_usd","cost_per_successful_task_usd","tasks_succeeded","tasks_unknown","latency_p95_ms","fallback_rate"],"range":"last_90_days","grain":"day"}"#,
    ),
    (
        "figures by hour, today",
        r#"{"measures":["spend_usd","tokens","calls","cost_per_call_usd","cost_per_successful_task_usd","tasks_succeeded","tasks_unknown","latency_p95_ms","fallback_rate"],"range":"today","grain":"hour","compare":"previous_period"}"#,
    ),
    (
        "figures of one department and tier, 30 days",
        r#"{"measures":["spend_usd","tokens","calls","cost_per_call_usd","cost_per_successful_task_usd","tasks_succeeded","tasks_unknown","latency_p95_ms","fallback_rate"],"filters":[{"dimension":"department","op":"eq","values":["department-3"]},{"dimension":"tier","op":"eq","values":["frontier"]}],"range":"last_30_days","compare":"previous_period"}"#,
    ),
    (
        "weekly token burn by tier, 90 days",
        r#"{"measures":["tokens"],"dimensions":["tier"],"range":"last_90_days","grain":"week"}"#,
    ),
    (
        "spend by environment and day, 30 days",
        r#"{"measures":["spend_usd"],"dimensions":["environment"],"range":"last_30_days","grain":"day"}"#,
    ),
    (
        "model mix, 30 days",
        r#"{"measures":["spend_usd","tokens","calls"],"dimensions":["model"],"range":"last_30_days","limit":12}"#,
    ),
    (
        "top 20 workloads by spend, 30 days",
        r#"{"measures":["spend_usd","calls","cost_per_call_usd","cost_per_successful_task_usd","latency_p95_ms","fallback_rate"],"dimensions":["workload"],"range":"last_30_days","limit":20}"#,
    ),
    (
        "usage by department and model family, 30 days",
        r#"{"measures":["tokens","spend_usd","calls"],"dimensions":["department","model_family"],"range":"last_30_days"}"#,
    ),
    (
        "active people beside the period before, 30 days",
        r#"{"measures":["active_people"],"range":"last_30_days","compare":"previous_period"}"#,
    ),
    (
        "people by spend, 30 days",
        r#"{"measures":["spend_usd","calls"],"dimensions":["person"],"range":"last_30_days","limit":20}"#,
    ),
];

/// How to measure the overview.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The folder that keeps the events for the next time.
    #[arg(long, default_value = "target/bench")]
    folder: PathBuf,
    /// How many events.
    #[arg(long, default_value_t = 10_000_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    events: u64,
    /// Over how many days, up to the last one asked for.
    #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=3_650))]
    days: u32,
    /// How often each query is repeated.
    #[arg(long, default_value_t = 9, value_parser = clap::value_parser!(u16).range(1..=1_000))]
    repeat: u16,
    /// Also ask the events alone, once, to see what the rollups save.
    #[arg(long)]
    events_only: bool,
    /// Threads of the warehouse.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=64))]
    threads: u32,
    /// Memory of the warehouse, in MiB.
    #[arg(long, default_value_t = 2_048, value_parser = clap::value_parser!(u64).range(64..))]
    memory_mib: u64,
}

/// How long a query took.
struct Measured {
    source: String,
    groups: usize,
    first: Duration,
    warm: Sorted,
    events_only: Option<Duration>,
}

/// Builds the events unless they are there, then asks.
///
/// # Errors
/// When the warehouse refuses.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Report> {
    let now: Timestamp = NOW.parse()?;
    let mut report = Report::new("overview")
        .setting("events", arguments.events)
        .setting("days", arguments.days)
        .setting("repeat", arguments.repeat)
        .setting("threads", arguments.threads)
        .setting("memory_mib", arguments.memory_mib);
    let (path, built) = events_file(arguments, now)?;
    if let Some(took) = built {
        report.note(format!("the events were made in {:.0} s", took.as_secs_f64()));
    }
    let bytes = fs::metadata(&path)?.len();
    report.note(format!(
        "the file: {} MiB, {} bytes per event",
        bytes >> 20,
        bytes / arguments.events
    ));
    let warehouse = open(arguments, &path)?;
    let mut table = Table::new("one query at a time", COLUMNS);
    let mut queries = Vec::new();
    for (name, text) in QUERIES {
        let query: Query = serde_json::from_str(text)?;
        let measured = measure(&warehouse, &query, now, arguments)?;
        table.row(vec![
            (*name).into(),
            measured.source.into(),
            measured.groups.into(),
            ms(Some(measured.first)),
            ms(measured.warm.median()),
            ms(measured.warm.max()),
            ms(measured.events_only),
        ]);
        queries.push(query);
    }
    report.table(table);
    report.table(whole_page(&warehouse, &queries, now, arguments.repeat)?);
    let memory = machine::own_usage()?.rss_peak;
    report.note(format!("the most memory in use: {} MiB", memory >> 20));
    Ok(report)
}

fn measure(
    warehouse: &Warehouse,
    query: &Query,
    now: Timestamp,
    arguments: &Arguments,
) -> anyhow::Result<Measured> {
    let started = Instant::now();
    let result = warehouse.query(query, now)?;
    let first = started.elapsed();
    let mut warm = Vec::new();
    for _ in 0..arguments.repeat {
        let started = Instant::now();
        let again = warehouse.query(query, now)?;
        warm.push(started.elapsed());
        anyhow::ensure!(again.rows == result.rows, "the same question had another answer");
    }
    let events_only = match arguments.events_only {
        true => {
            let started = Instant::now();
            warehouse.query_events_only(query, now)?;
            Some(started.elapsed())
        }
        false => None,
    };
    let source = serde_json::to_value(result.source)?;
    Ok(Measured {
        source: source.as_str().unwrap_or_default().to_owned(),
        groups: result.groups,
        first,
        warm: warm.into_iter().collect(),
        events_only,
    })
}

/// All queries at once, as a browser asks them, and one after the other.
fn whole_page(
    warehouse: &Warehouse,
    queries: &[Query],
    now: Timestamp,
    repeat: u16,
) -> anyhow::Result<Table> {
    let in_turn = || -> anyhow::Result<()> {
        for query in queries {
            warehouse.query(query, now)?;
        }
        Ok(())
    };
    let at_once = || -> anyhow::Result<()> {
        std::thread::scope(|scope| {
            let asked: Vec<_> =
                queries.iter().map(|query| scope.spawn(|| warehouse.query(query, now))).collect();
            for answer in asked {
                answer.join().map_err(|_| anyhow::anyhow!("a query panicked"))??;
            }
            Ok(())
        })
    };
    let mut table = Table::new("all of them, warm", &["order", "median ms", "max ms"]);
    for (order, ask) in [
        ("one after the other", &in_turn as &dyn Fn() -> anyhow::Result<()>),
        ("at once", &at_once),
    ] {
        let mut times = Vec::new();
        for _ in 0..repeat {
            let started = Instant::now();
            ask()?;
            times.push(started.elapsed());
        }
        let times: Sorted = times.into_iter().collect();
        table.row(vec![order.into(), ms(times.median()), ms(times.max())]);
    }
    Ok(table)
}

/// The file of events, and how long it took to make if it was not there.
fn events_file(
    arguments: &Arguments,
    now: Timestamp,
) -> anyhow::Result<(PathBuf, Option<Duration>)> {
    fs::create_dir_all(&arguments.folder)
        .with_context(|| arguments.folder.display().to_string())?;
    // The number is raised when synthetic events change.
    let name = format!("overview-{}-{}d-2.duckdb", arguments.events, arguments.days);
    let path = arguments.folder.join(name);
    if path.exists() {
        return Ok((path, None));
    }
    // Only a whole file gets the name: an interrupted run starts anew.
    let unfinished = path.with_extension("unfinished");
    for leftover in [unfinished.clone(), unfinished.with_extension("unfinished.wal")] {
        if leftover.exists() {
            fs::remove_file(leftover)?;
        }
    }
    eprint_progress(arguments.events);
    let started = Instant::now();
    let warehouse = open(arguments, &unfinished)?;
    let wanted = synthetic::Synthetic {
        events: arguments.events,
        days: arguments.days,
        end: now,
        seed: SEED,
    };
    synthetic::load(&warehouse, &wanted)?;
    warehouse.checkpoint()?;
    drop(warehouse);
    fs::rename(&unfinished, &path)?;
    Ok((path, Some(started.elapsed())))
}

fn open(arguments: &Arguments, path: &Path) -> anyhow::Result<Warehouse> {
    let options = warehouse_options(arguments.memory_mib, arguments.threads);
    Ok(Warehouse::open(path, &options)?)
}

/// A wait of minutes should say what it is for.
fn eprint_progress(events: u64) {
    let millions = rounded(events as f64 / 1e6, 2);
    eprintln!("making {millions} million events; kept for the next time");
}
