//! Writes the past into the warehouse: once, whatever happens in between.

use std::{
    io::Write,
    path::Path,
    sync::mpsc::{Receiver, SyncSender, sync_channel},
};

use anyhow::Context;
use tally_types::{NodeId, Record, Timestamp};
use tally_warehouse::{Options, Warehouse};
use uuid::Uuid;

use super::History;

/// The history's rows come from a node of its own, so that a row that was loaded
/// before is recognised by its sequence.
const NODE: NodeId = NodeId(Uuid::from_u128(0x6869_7374_6f72_4079_8a5c_7461_6c6c_7901));
/// Each transaction has its price; this many rows are some 50 MB.
const ROWS_AT_ONCE: usize = 25_000;
/// Days made ahead of those being written.
const DAYS_AHEAD: usize = 2;

/// Writes what is not there yet and builds the rollups; returns how many rows the
/// history has. Blocks for seconds.
///
/// # Errors
/// When the warehouse fails; what was written stays, and the next try goes on from there.
pub(crate) fn load(
    history: &History<'_>,
    path: &Path,
    options: &Options,
    now: Timestamp,
) -> anyhow::Result<u64> {
    let warehouse = Warehouse::open(path, options)
        .with_context(|| format!("the warehouse in {}", path.display()))?;
    let progress = Progress::new(history.days());
    let loaded = std::thread::scope(|scope| {
        let (made, days) = sync_channel(DAYS_AHEAD);
        scope.spawn(move || make(history, &made));
        write(&warehouse, &days, progress)
    })?;
    tell("summing up the company's history");
    warehouse.compact(now)?;
    warehouse.checkpoint()?;
    Ok(loaded)
}

/// Makes one day after the other until nobody wants them.
fn make(history: &History<'_>, made: &SyncSender<anyhow::Result<Vec<Record>>>) {
    for index in 0..history.days() {
        if made.send(history.day(index)).is_err() {
            return;
        }
    }
}

fn write(
    warehouse: &Warehouse,
    days: &Receiver<anyhow::Result<Vec<Record>>>,
    mut progress: Progress,
) -> anyhow::Result<u64> {
    let mut sequence = 0;
    let mut rows: Vec<(u64, Record)> = Vec::new();
    for day in days {
        for record in day? {
            sequence += 1;
            rows.push((sequence, record));
        }
        if rows.len() >= ROWS_AT_ONCE {
            warehouse.write(NODE, &rows)?;
            rows.clear();
        }
        progress.advance(sequence);
    }
    warehouse.write(NODE, &rows)?;
    Ok(sequence)
}

/// Tells how far it is, every ten percent.
struct Progress {
    days: u32,
    done: u32,
    told_percent: u32,
}

// === impl Progress ===

impl Progress {
    fn new(days: u32) -> Self {
        Self { days, done: 0, told_percent: 0 }
    }

    fn advance(&mut self, rows: u64) {
        self.done += 1;
        let percent = self.done.saturating_mul(100) / self.days.max(1);
        if percent / 10 > self.told_percent / 10 {
            self.told_percent = percent;
            tell(&format!("making the company's history: {percent} %, {rows} calls and outcomes"));
        }
    }
}

fn tell(text: &str) {
    // A closed pipe is nobody's problem.
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}
