//! Moves rows to the warehouse, in order, exactly once.
//!
//! The sink stores this node's sequence in the same transaction as the rows, so
//! after a crash on either side the shipper asks it where to go on.

use std::{sync::atomic::Ordering, thread, time::Duration};

use rusqlite::{Connection, params};
use tally_types::{NodeId, Record};

use crate::{Journal, JournalError, files::database_path, schema, writer::Op};

const RETRY_FIRST: Duration = Duration::from_millis(100);
const RETRY_LAST: Duration = Duration::from_secs(10);

/// Why a sink did not take a shipment.
pub type SinkError = Box<dyn std::error::Error + Send + Sync>;

/// Where rows go: the warehouse.
pub trait Sink: Send + 'static {
    /// The newest sequence of this node that the sink holds; 0 for none.
    ///
    /// # Errors
    /// When the sink cannot be reached; the shipper asks again.
    fn last_sequence(&mut self, node: NodeId) -> Result<u64, SinkError>;

    /// Takes rows and their highest sequence in one transaction.
    ///
    /// # Errors
    /// When nothing was taken; the shipper offers the same rows again.
    fn write(&mut self, node: NodeId, rows: &[(u64, Record)]) -> Result<(), SinkError>;
}

/// Feeds one sink; [`Shipper::run`] it on a thread of its own.
pub struct Shipper<S> {
    journal: Journal,
    sink: S,
}

// === impl Shipper ===

impl<S: Sink> Shipper<S> {
    pub(crate) fn new(journal: Journal, sink: S) -> Self {
        Self { journal, sink }
    }

    /// Ships until the journal closes and everything written is shipped, or the
    /// sink fails after the close (the rows then wait for the next start).
    pub fn run(mut self) {
        let mut retry = RETRY_FIRST;
        let mut position = None;
        loop {
            let closing = self.journal.shared.progress.closed.load(Ordering::Acquire);
            match self.ship(&mut position) {
                Ok(0) if closing => return,
                Ok(shipped) => {
                    retry = RETRY_FIRST;
                    // A full shipment means more is waiting: go on at once.
                    if shipped < self.journal.shared.options.shipment_rows_max {
                        thread::park_timeout(self.journal.shared.options.ship_every);
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "the warehouse did not take a shipment; it is kept and offered again");
                    if closing {
                        return;
                    }
                    position = None;
                    thread::park_timeout(retry);
                    retry = (retry * 2).min(RETRY_LAST);
                }
            }
        }
    }

    /// One shipment; how many rows it had.
    fn ship(&mut self, position: &mut Option<(Connection, u64)>) -> Result<usize, SinkError> {
        let shared = &self.journal.shared;
        let (connection, after) = match position.take() {
            Some(known) => known,
            None => {
                let held = self.sink.last_sequence(shared.node)?;
                self.journal.mark_shipped(held);
                (schema::open_reader(&database_path(&shared.options.folder))?, held)
            }
        };
        let rows = read(&connection, after, shared.options.shipment_rows_max)?;
        let Some((last, _)) = rows.last() else {
            *position = Some((connection, after));
            return Ok(0);
        };
        let last = *last;
        self.sink.write(shared.node, &rows)?;
        self.journal.mark_shipped(last);
        *position = Some((connection, last));
        Ok(rows.len())
    }
}

// === impl Journal ===

impl Journal {
    fn mark_shipped(&self, sequence: u64) {
        // A journal older than the sink (restored, say) must not reuse sequences the
        // sink holds: the writer's counter only ever grows, so this is only a report.
        self.shared.progress.shipped_sequence.store(sequence, Ordering::Release);
        let _ = self.shared.ops.send(Op::Shipped { sequence });
    }
}

fn read(
    connection: &Connection,
    after: u64,
    rows_max: usize,
) -> Result<Vec<(u64, Record)>, JournalError> {
    let after = i64::try_from(after).unwrap_or(i64::MAX);
    let limit = i64::try_from(rows_max).unwrap_or(i64::MAX);
    let mut statement = connection.prepare_cached(
        "SELECT sequence, payload FROM entry WHERE sequence > ?1 ORDER BY sequence LIMIT ?2",
    )?;
    let mut rows = statement.query(params![after, limit])?;
    let mut records = Vec::new();
    while let Some(row) = rows.next()? {
        let sequence: i64 = row.get(0)?;
        let payload: Vec<u8> = row.get(1)?;
        records.push((u64::try_from(sequence).unwrap_or(0), serde_json::from_slice(&payload)?));
    }
    Ok(records)
}
