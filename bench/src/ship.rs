//! How fast events reach the warehouse: written in batches, and through the
//! journal's shipper.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context;
use serde_json::Value;
use tally_journal::{Journal, Sink, SinkError};
use tally_types::{NodeId, Record, TimeZone, Timestamp, Weekday};
use tally_warehouse::{Options, Warehouse};
use tokio::runtime::Runtime;

use crate::{
    events::{Events, fresh_id},
    report::{Report, Table},
    stats::{Sorted, ms, per_second},
};

const COLUMNS: &[&str] = &[
    "path",
    "events",
    "seconds",
    "events/s",
    "batch p50 ms",
    "batch max ms",
    "compact ms",
    "bytes/event",
];
/// Records per append while the journal is filled.
const FILL: usize = 1_000;

/// How to measure shipping.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// A folder on the disk to measure; what is made in it is removed again.
    #[arg(long, default_value = "target/bench")]
    folder: PathBuf,
    /// How many events.
    #[arg(long, default_value_t = 200_000, value_parser = clap::value_parser!(u64).range(1..=5_000_000))]
    events: u64,
    /// Events per batch.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    batch: u32,
    /// Threads of the warehouse.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=64))]
    threads: u32,
    /// Memory of the warehouse, in MiB.
    #[arg(long, default_value_t = 2_048, value_parser = clap::value_parser!(u64).range(64..))]
    memory_mib: u64,
}

/// Options of a warehouse with so much of the machine.
pub(crate) fn warehouse_options(memory_mib: u64, threads: u32) -> Options {
    Options {
        memory_limit_bytes: memory_mib << 20,
        threads: usize::try_from(threads).unwrap_or(1),
        time_zone: TimeZone::get("Europe/Berlin").unwrap_or(TimeZone::UTC),
        week_starts: Weekday::Monday,
    }
}

/// A warehouse behind the journal's shipper.
struct WarehouseSink(Arc<Warehouse>);

impl Sink for WarehouseSink {
    fn last_sequence(&mut self, node: NodeId) -> Result<u64, SinkError> {
        Ok(self.0.last_sequence(node)?)
    }

    fn write(&mut self, node: NodeId, rows: &[(u64, Record)]) -> Result<(), SinkError> {
        self.0.write(node, rows)?;
        Ok(())
    }
}

/// Measures both ways into a warehouse of its own each.
///
/// # Errors
/// When the journal or the warehouse refuses.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Report> {
    std::fs::create_dir_all(&arguments.folder)
        .with_context(|| arguments.folder.display().to_string())?;
    let mut report = Report::new("ship")
        .setting("folder", arguments.folder.display().to_string())
        .setting("batch", arguments.batch)
        .setting("threads", arguments.threads)
        .setting("memory_mib", arguments.memory_mib);
    let mut table = Table::new("into the warehouse", COLUMNS);
    table.row(write_batches(arguments)?);
    table.row(ship(arguments)?);
    report.table(table);
    report.note(
        "compact: merging the rollups' parts afterwards, which Tally does every five minutes",
    );
    Ok(report)
}

fn write_batches(arguments: &Arguments) -> anyhow::Result<Vec<Value>> {
    let folder = tempfile::tempdir_in(&arguments.folder)?;
    let warehouse = open(arguments, folder.path())?;
    let node = NodeId(fresh_id());
    let batch_max = u64::from(arguments.batch);
    let mut events = Events::default();
    let mut written = 0;
    let mut batches = Vec::new();
    while written < arguments.events {
        let count = batch_max.min(arguments.events - written);
        let made = events.take(usize::try_from(count)?);
        let records = made.into_iter().map(|event| Record::Usage(Box::new(event)));
        let batch: Vec<_> = (written + 1..).zip(records).collect();
        let started = Instant::now();
        let report = warehouse.write(node, &batch)?;
        batches.push(started.elapsed());
        anyhow::ensure!(report.new == count, "{} of {count} events are new", report.new);
        written += count;
    }
    let took = batches.iter().sum();
    row("Warehouse::write", arguments, took, batches, &warehouse, folder.path())
}

fn ship(arguments: &Arguments) -> anyhow::Result<Vec<Value>> {
    let folder = tempfile::tempdir_in(&arguments.folder)?;
    let mut options = tally_journal::Options::new(folder.path().join("journal"));
    options.shipment_rows_max = usize::try_from(arguments.batch)?;
    std::fs::create_dir_all(&options.folder)?;
    let (running, _) = Journal::open(options, NodeId(fresh_id()))?;
    let journal = running.journal();
    let runtime = Runtime::new()?;
    runtime.block_on(fill(&journal, arguments.events))?;
    let warehouse = Arc::new(open(arguments, folder.path())?);
    let started = Instant::now();
    let shipper = journal.shipper(WarehouseSink(Arc::clone(&warehouse)));
    let shipping = std::thread::spawn(move || shipper.run());
    runtime.block_on(journal.shipped());
    let took = started.elapsed();
    running.close();
    let _ = shipping.join();
    row("journal → warehouse", arguments, took, Vec::new(), &warehouse, folder.path())
}

async fn fill(journal: &Journal, events: u64) -> anyhow::Result<()> {
    let mut source = Events::default();
    let mut left = usize::try_from(events)?;
    while left > 0 {
        let made = source.take(left.min(FILL));
        left -= made.len();
        let records: Vec<_> =
            made.into_iter().map(|event| Record::Usage(Box::new(event))).collect();
        journal.append(&records).await?;
    }
    Ok(())
}

fn open(arguments: &Arguments, folder: &Path) -> anyhow::Result<Warehouse> {
    let options = warehouse_options(arguments.memory_mib, arguments.threads);
    Ok(Warehouse::open(&folder.join("warehouse.duckdb"), &options)?)
}

fn row(
    path: &str,
    arguments: &Arguments,
    took: Duration,
    batches: Vec<Duration>,
    warehouse: &Warehouse,
    folder: &Path,
) -> anyhow::Result<Vec<Value>> {
    let started = Instant::now();
    warehouse.compact(Timestamp::now())?;
    let compact = started.elapsed();
    warehouse.checkpoint()?;
    let bytes = std::fs::metadata(folder.join("warehouse.duckdb"))?.len();
    let batches: Sorted = batches.into_iter().collect();
    Ok(vec![
        path.into(),
        arguments.events.into(),
        crate::stats::rounded(took.as_secs_f64(), 2).into(),
        per_second(arguments.events, took),
        ms(batches.median()),
        ms(batches.max()),
        ms(Some(compact)),
        (bytes / arguments.events.max(1)).into(),
    ])
}
