//! Durable throughput of the journal: what its callers wait for, on a real disk.

use std::{
    fs::File,
    io::Write,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::Context;
use serde_json::Value;
use tally_journal::{Durability, Journal, Options, Sink, SinkError};
use tally_types::{CallId, EventId, NodeId, Record, UsageEvent};
use tokio::{runtime::Runtime, task::JoinSet};

use crate::{
    events::{Events, fresh_id},
    report::{Report, Table},
    stats::{Sorted, ms, per_second},
};

const COLUMNS: &[&str] = &[
    "work",
    "durability",
    "shipper",
    "events/s",
    "waits",
    "wait p50 ms",
    "wait p99 ms",
    "wait max ms",
    "not shipped",
    "bytes/event",
];
/// Batches come from collectors, of which there are few.
const BATCH_TASKS: usize = 8;
const FLUSHES: usize = 50;

/// How to measure the journal.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// A folder on the disk to measure; what is made in it is removed again.
    #[arg(long, default_value = "target/bench")]
    folder: PathBuf,
    /// Seconds per line of the report.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=60))]
    seconds: u64,
    /// Tasks that append or call at the same time.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=4096))]
    tasks: u16,
    /// Records per batch.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    batch: u16,
}

/// What the callers do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Work {
    /// Append batches, as ingest does.
    Batches(usize),
    /// Append one record at a time.
    Singles,
    /// Open an intent, mark it sent, settle it, as the gateway does.
    Calls,
}

/// One line of the report.
struct Case {
    work: Work,
    durability: Durability,
    is_shipped: bool,
    tasks: usize,
    length: Duration,
}

/// What one task did.
#[derive(Default)]
struct Done {
    events: u64,
    waits: Vec<Duration>,
}

/// Takes everything and keeps nothing.
struct Nowhere;

impl Sink for Nowhere {
    fn last_sequence(&mut self, _node: NodeId) -> Result<u64, SinkError> {
        Ok(0)
    }

    fn write(&mut self, _node: NodeId, _rows: &[(u64, Record)]) -> Result<(), SinkError> {
        Ok(())
    }
}

/// Measures every kind of work at both durabilities.
///
/// # Errors
/// When the journal refuses or the folder cannot be written.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Report> {
    std::fs::create_dir_all(&arguments.folder)
        .with_context(|| arguments.folder.display().to_string())?;
    let mut report = Report::new("journal")
        .setting("folder", arguments.folder.display().to_string())
        .setting("seconds", arguments.seconds)
        .setting("tasks", arguments.tasks)
        .setting("batch", arguments.batch);
    let mut table = Table::new("records kept", COLUMNS);
    for case in cases(arguments) {
        table.row(measure(&case, &arguments.folder)?);
    }
    report.table(table);
    report.table(flush_table(&arguments.folder)?);
    report.note("events/s: records whose commit the caller has waited for; a call is one record");
    report.note("the shipper reads, decodes and deletes the rows and gives them to a sink that keeps nothing");
    Ok(report)
}

fn cases(arguments: &Arguments) -> Vec<Case> {
    let works = [
        (Work::Batches(usize::from(arguments.batch)), BATCH_TASKS),
        (Work::Singles, usize::from(arguments.tasks)),
        (Work::Calls, usize::from(arguments.tasks)),
    ];
    let mut cases = Vec::new();
    for (work, tasks) in works {
        for durability in [Durability::Relaxed, Durability::Strict] {
            for is_shipped in [false, true] {
                let length = Duration::from_secs(arguments.seconds);
                cases.push(Case { work, durability, is_shipped, tasks, length });
            }
        }
    }
    cases
}

fn measure(case: &Case, folder: &Path) -> anyhow::Result<Vec<Value>> {
    let folder = tempfile::tempdir_in(folder)?;
    let mut options = Options::new(folder.path());
    options.durability = case.durability;
    let (running, _) = Journal::open(options, NodeId(fresh_id()))?;
    let journal = running.journal();
    let shipper = case.is_shipped.then(|| {
        let shipper = journal.shipper(Nowhere);
        std::thread::spawn(move || shipper.run())
    });
    let started = Instant::now();
    let done = Runtime::new()?.block_on(load(case, &journal))?;
    let took = started.elapsed();
    let stats = journal.stats();
    running.close();
    if let Some(shipper) = shipper {
        let _ = shipper.join();
    }
    let bytes = bytes_in(folder.path())?;
    let waits: Sorted = done.waits.into_iter().collect();
    let left = stats.last_sequence.saturating_sub(stats.shipped_sequence);
    Ok(vec![
        case.work.name().into(),
        format!("{:?}", case.durability).to_lowercase().into(),
        if case.is_shipped { "yes" } else { "no" }.into(),
        per_second(done.events, took),
        waits.len().into(),
        ms(waits.median()),
        ms(waits.quantile(990)),
        ms(waits.max()),
        left.into(),
        // With rows deleted underway a size per event would say nothing.
        if case.is_shipped { Value::Null } else { (bytes / done.events.max(1)).into() },
    ])
}

/// All tasks at once, until the time is up.
async fn load(case: &Case, journal: &Journal) -> anyhow::Result<Done> {
    let until = Instant::now() + case.length;
    let mut tasks = JoinSet::new();
    for _ in 0..case.tasks {
        let (journal, work) = (journal.clone(), case.work);
        tasks.spawn(async move {
            match work {
                Work::Batches(size) => append(&journal, size, until).await,
                Work::Singles => append(&journal, 1, until).await,
                Work::Calls => call(&journal, until).await,
            }
        });
    }
    let mut all = Done::default();
    while let Some(done) = tasks.join_next().await {
        let done = done??;
        all.events += done.events;
        all.waits.extend(done.waits);
    }
    Ok(all)
}

async fn append(journal: &Journal, size: usize, until: Instant) -> anyhow::Result<Done> {
    let events = Events::default().take(size);
    let mut records: Vec<_> =
        events.into_iter().map(|event| Record::Usage(Box::new(event))).collect();
    let mut done = Done::default();
    while Instant::now() < until {
        for record in &mut records {
            if let Record::Usage(event) = record {
                renew(event);
            }
        }
        let asked = Instant::now();
        let appended = journal.append(&records).await?;
        done.waits.push(asked.elapsed());
        done.events += u64::try_from(appended.accepted)?;
        anyhow::ensure!(appended.duplicates == 0, "fresh ids were taken for duplicates");
    }
    Ok(done)
}

async fn call(journal: &Journal, until: Instant) -> anyhow::Result<Done> {
    let mut event = Events::default().next();
    let mut done = Done::default();
    while Instant::now() < until {
        renew(&mut event);
        let asked = Instant::now();
        let intent = journal.open_intent(&event).await?;
        done.waits.push(asked.elapsed());
        intent.sent_marker().mark()?;
        journal.settle(intent, event.clone())?;
        done.events += 1;
    }
    Ok(done)
}

fn renew(event: &mut UsageEvent) {
    event.event_id = EventId(fresh_id());
    event.call_id = CallId(event.event_id.0);
}

/// What the disk itself takes for a flush: the floor of strict durability.
fn flush_table(folder: &Path) -> anyhow::Result<Table> {
    let mut file = tempfile::tempfile_in(folder)?;
    let flush = |file: &mut File| -> anyhow::Result<Duration> {
        let started = Instant::now();
        file.write_all(&[7; 4096])?;
        file.sync_data()?;
        Ok(started.elapsed())
    };
    let flushes: Sorted = (0..FLUSHES)
        .map(|_| flush(&mut file))
        .collect::<anyhow::Result<Vec<_>>>()?
        .into_iter()
        .collect();
    let mut table =
        Table::new("4 KiB appended and flushed to this disk", &["flushes", "p50 ms", "max ms"]);
    table.row(vec![flushes.len().into(), ms(flushes.median()), ms(flushes.max())]);
    Ok(table)
}

fn bytes_in(folder: &Path) -> anyhow::Result<u64> {
    let mut bytes = 0;
    for file in std::fs::read_dir(folder)? {
        bytes += file?.metadata()?.len();
    }
    Ok(bytes)
}

// === impl Work ===

impl Work {
    fn name(self) -> &'static str {
        match self {
            Self::Batches(_) => "batches",
            Self::Singles => "single appends",
            Self::Calls => "intent, mark, settle",
        }
    }
}
