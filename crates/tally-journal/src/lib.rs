//! The node-local durable log between a call and the warehouse.
//!
//! An intent is written before a call leaves, the settlement after it; both
//! survive `kill -9` because callers wait until their row is committed to the
//! page cache. A timer flushes to the disk (`Durability::Strict` waits for it).
//! Rows ship to the warehouse in order, exactly once.
//!
//! ```text
//! callers ──ops──► writer thread ──► journal.db (WAL) ──► shipper thread ──► sink
//!            ◄─acks── (one transaction per group)              │ deletes what the sink holds
//!                     maintenance thread: flush, checkpoint ◄──┘
//! ```
//!
//! Invariants:
//! - A call whose intent is not committed is not sent; a full journal refuses
//!   the call, it never serves unmetered.
//! - A settlement is never dropped: when it cannot be written it is kept and
//!   tried again, and if the process dies first its intent is settled at the
//!   estimate on the next start.
//! - Every queue is bounded: open intents by [`Options::open_intents_max`],
//!   appended records by [`Options::queued_records_max`], the file by
//!   [`Options::bytes_max`].
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

mod files;
mod maintenance;
mod observer;
mod options;
mod recovery;
mod schema;
mod sent;
mod shipper;
mod writer;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc,
    },
    thread::JoinHandle,
};

use tally_types::{EventId, NodeId, Record, UsageEvent};
use tokio::sync::{Semaphore, oneshot};

pub use observer::{Counters, Observer};
pub use options::{Durability, Options};
pub use recovery::Recovery;
pub use shipper::{Shipper, Sink, SinkError};

use sent::{SentMarks, Slot};
use writer::{Op, WriterState};

/// Why the journal did not take something.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The file has reached its limit or the disk is full; nothing was kept.
    #[error(
        "the journal is full: free disk space or raise `journal.bytes_max`, and see whether the warehouse takes its rows"
    )]
    Full,
    /// More calls are under way than the journal has slots for.
    #[error("too many calls are under way: the limit is `journal.open_intents_max`")]
    Busy,
    /// The journal is closing.
    #[error("the journal is closing")]
    Closed,
    /// Another process uses the folder.
    #[error("another tally uses {0}; stop it or choose another `--data`")]
    Locked(String),
    /// The file was written by a newer version.
    #[error("{0} was written by a newer tally (schema {1}); this one reads up to schema {2}")]
    Newer(String, i64, i64),
    /// The file cannot be read or written.
    #[error("the journal's file: {0}")]
    File(#[from] std::io::Error),
    /// SQLite refuses.
    #[error("the journal's database: {0}")]
    Database(#[from] rusqlite::Error),
    /// A commit failed; nothing of it was kept.
    #[error("the journal could not commit: {0}")]
    Commit(String),
    /// A record cannot be written as JSON.
    #[error("a record cannot be encoded: {0}")]
    Encoding(#[from] serde_json::Error),
}

/// A committed intent: the right to send one attempt of a call.
///
/// Settle or cancel it. Dropped, it settles itself: at its estimate if it was
/// sent, without a trace if it was not.
#[derive(Debug)]
pub struct Intent {
    event_id: EventId,
    slot: Slot,
    marks: Arc<SentMarks>,
    ops: mpsc::Sender<Op>,
    settled: bool,
}

/// What became of appended records.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Appended {
    /// Kept.
    pub accepted: usize,
    /// Already kept, so nothing changed.
    pub duplicates: usize,
}

/// Numbers for the metrics page.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct JournalStats {
    /// Calls under way.
    pub open_intents: usize,
    /// The newest row written.
    pub last_sequence: u64,
    /// The newest row the sink holds.
    pub shipped_sequence: u64,
    /// Settlements that wait for disk space.
    pub settlements_waiting: u64,
}

/// A cheap handle on the running journal.
#[derive(Clone)]
pub struct Journal {
    shared: Arc<Shared>,
}

struct Shared {
    node: NodeId,
    ops: mpsc::Sender<Op>,
    marks: Arc<SentMarks>,
    queued: Arc<Semaphore>,
    queued_records_max: u32,
    is_observed: bool,
    progress: Arc<Progress>,
    options: Options,
}

/// What the threads tell each other.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    pub(crate) last_sequence: AtomicU64,
    pub(crate) shipped_sequence: AtomicU64,
    pub(crate) settlements_waiting: AtomicU64,
    pub(crate) nearly_full: AtomicBool,
    pub(crate) unflushed: AtomicBool,
    pub(crate) closed: AtomicBool,
}

/// The journal's threads; close it last.
pub struct Running {
    journal: Journal,
    writer: JoinHandle<()>,
    maintenance: JoinHandle<()>,
}

// === impl Journal ===

impl Journal {
    /// Opens the folder, settles what an earlier run left open, starts the threads.
    ///
    /// # Errors
    /// When the folder is in use, unreadable or from a newer version.
    pub fn open(options: Options, new_node: NodeId) -> Result<(Running, Recovery), JournalError> {
        Self::open_observed(options, new_node, None)
    }

    /// As [`Journal::open`]; the observer is told of what was kept for it and of the rows
    /// since, before anything new is written.
    ///
    /// # Errors
    /// As [`Journal::open`].
    pub fn open_observed(
        options: Options,
        new_node: NodeId,
        observer: Option<Arc<dyn Observer>>,
    ) -> Result<(Running, Recovery), JournalError> {
        let files = files::JournalFiles::lock(&options)?;
        let mut connection = schema::open_writer(&files.database, &options)?;
        let node = schema::node(&connection, new_node)?;
        let marks = SentMarks::open(&files.sent, options.open_intents_max)?;
        let recovery = recovery::recover(&mut connection, &marks)?;
        marks.clear()?;
        let kept = match &observer {
            Some(observer) => observer::replay(&connection, observer.as_ref())?,
            // Nobody counts: no row has to wait for it.
            None => u64::MAX,
        };

        let progress = Arc::new(Progress::default());
        progress.last_sequence.store(schema::last_sequence(&connection)?, Ordering::Release);
        let (ops, receiver) = mpsc::channel();
        let marks = Arc::new(marks);
        let queued = Arc::new(Semaphore::new(options.queued_records_max as usize));
        let is_observed = observer.is_some();
        let watched = writer::Watched { observer, kept, shipped: 0 };
        let state =
            WriterState::new(connection, &marks, &progress, &queued, options.bytes_max, watched);
        let writer = std::thread::Builder::new()
            .name("journal-writer".to_owned())
            .spawn(move || writer::run(state, &receiver))?;
        let maintenance = maintenance::start(files, &options, &progress, &marks)?;
        let shared = Shared {
            node,
            ops,
            marks,
            queued,
            queued_records_max: options.queued_records_max,
            is_observed,
            progress,
            options,
        };
        let journal = Self { shared: Arc::new(shared) };
        Ok((Running { journal, writer, maintenance }, recovery))
    }

    /// This journal's id; with a row's sequence it names the row everywhere.
    pub fn node(&self) -> NodeId {
        self.shared.node
    }

    /// Writes an intent and waits until it is committed. `estimate` is the event
    /// as it would be settled if nothing more were ever known of the call.
    ///
    /// # Errors
    /// [`JournalError::Full`] or [`JournalError::Busy`]: the call must not be sent.
    pub async fn open_intent(&self, estimate: &UsageEvent) -> Result<Intent, JournalError> {
        if self.shared.progress.nearly_full.load(Ordering::Acquire) {
            return Err(JournalError::Full);
        }
        let payload = serde_json::to_vec(estimate)?;
        let slot = self.shared.marks.take().ok_or(JournalError::Busy)?;
        let event_id = estimate.event_id;
        let (ack, committed) = oneshot::channel();
        let op = Op::Intent { event_id, slot, payload, ack };
        // The writer gives the slot back when the op fails; before that nobody else does.
        if self.shared.ops.send(op).is_err() {
            return Err(JournalError::Closed);
        }
        committed.await.map_err(|_| JournalError::Closed)??;
        Ok(Intent {
            event_id,
            slot,
            marks: Arc::clone(&self.shared.marks),
            ops: self.shared.ops.clone(),
            settled: false,
        })
    }

    /// Replaces an intent by the event that came of it. Never blocks: a settlement
    /// that cannot be written now is kept and tried again.
    ///
    /// # Errors
    /// Only when the event cannot be encoded or the journal is closed; the intent
    /// then stands and is settled at its estimate on the next start.
    pub fn settle(&self, mut intent: Intent, event: UsageEvent) -> Result<(), JournalError> {
        let record = Record::Usage(Box::new(event));
        let payload = serde_json::to_vec(&record)?;
        intent.settled = true;
        let op = Op::Settle {
            event_id: intent.event_id,
            slot: intent.slot,
            payload: Some(payload),
            record: self.shared.is_observed.then_some(record),
        };
        self.shared.ops.send(op).map_err(|_| JournalError::Closed)
    }

    /// Withdraws an intent: the attempt certainly cost nothing.
    pub fn cancel(&self, mut intent: Intent) {
        intent.settled = true;
        let op = Op::Settle {
            event_id: intent.event_id,
            slot: intent.slot,
            payload: None,
            record: None,
        };
        // A closed journal settles the intent on its next start, which errs on the safe side.
        let _ = self.shared.ops.send(op);
    }

    /// Keeps records that have no call under way and waits until they are committed.
    /// A record whose id and revision wait here already changes nothing.
    ///
    /// # Errors
    /// [`JournalError::Full`]: nothing of the batch was kept.
    pub async fn append(&self, records: &[Record]) -> Result<Appended, JournalError> {
        if self.shared.progress.nearly_full.load(Ordering::Acquire) {
            return Err(JournalError::Full);
        }
        let mut rows = Vec::with_capacity(records.len());
        for record in records {
            rows.push((record.id(), record.revision(), serde_json::to_vec(record)?));
        }
        let wanted = u32::try_from(rows.len()).unwrap_or(u32::MAX);
        let room = Arc::clone(&self.shared.queued)
            .acquire_many_owned(wanted.min(self.shared.queued_records_max))
            .await
            .map_err(|_| JournalError::Closed)?;
        let (ack, committed) = oneshot::channel();
        self.shared
            .ops
            .send(Op::Append {
                rows,
                records: if self.shared.is_observed { records.to_vec() } else { Vec::new() },
                _room: room,
                ack,
            })
            .map_err(|_| JournalError::Closed)?;
        committed.await.map_err(|_| JournalError::Closed)?
    }

    /// A shipper that feeds rows to a sink; run it on a thread of its own.
    pub fn shipper<S: Sink>(&self, sink: S) -> Shipper<S> {
        Shipper::new(self.clone(), sink)
    }

    /// Waits until the sink holds everything written before this call.
    pub async fn shipped(&self) {
        let target = self.shared.progress.last_sequence.load(Ordering::Acquire);
        while self.shared.progress.shipped_sequence.load(Ordering::Acquire) < target {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }

    /// Numbers for the metrics page.
    pub fn stats(&self) -> JournalStats {
        let progress = &self.shared.progress;
        JournalStats {
            open_intents: self.shared.marks.in_use(),
            last_sequence: progress.last_sequence.load(Ordering::Acquire),
            shipped_sequence: progress.shipped_sequence.load(Ordering::Acquire),
            settlements_waiting: progress.settlements_waiting.load(Ordering::Acquire),
        }
    }
}

// === impl Intent ===

impl Intent {
    /// The event's id.
    pub fn event_id(&self) -> EventId {
        self.event_id
    }

    /// A marker to fire when the first byte of the request's body is about to leave.
    pub fn sent_marker(&self) -> SentMarker {
        SentMarker { slot: self.slot, marks: Arc::clone(&self.marks) }
    }
}

impl Drop for Intent {
    fn drop(&mut self) {
        if !self.settled {
            let op = Op::Abandon { event_id: self.event_id, slot: self.slot };
            // A closed journal does the same on its next start.
            let _ = self.ops.send(op);
        }
    }
}

/// Marks an intent as sent; cheap (one small write to the page cache).
#[derive(Debug, Clone)]
pub struct SentMarker {
    slot: Slot,
    marks: Arc<SentMarks>,
}

// === impl SentMarker ===

impl SentMarker {
    /// From here on a crash settles the call at its estimate.
    ///
    /// # Errors
    /// When the mark cannot be written; the call must then not be sent.
    pub fn mark(&self) -> std::io::Result<()> {
        self.marks.mark(self.slot)
    }
}

// === impl Running ===

impl Running {
    /// The handle.
    pub fn journal(&self) -> Journal {
        self.journal.clone()
    }

    /// Writes what is queued, flushes to the disk and stops the threads; the shipper
    /// stops once it has shipped all. What was sent but not settled by now is
    /// settled at its estimate on the next start.
    pub fn close(self) {
        let _ = self.journal.shared.ops.send(Op::Close);
        // A thread that panicked has nothing left to write.
        let _ = self.writer.join();
        self.journal.shared.progress.closed.store(true, Ordering::Release);
        let _ = self.maintenance.join();
    }
}
