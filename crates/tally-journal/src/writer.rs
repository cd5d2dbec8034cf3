//! The one thread that writes: it commits whatever has queued up since the last
//! commit as one transaction (natural group commit).

use std::{
    sync::{
        Arc,
        atomic::Ordering,
        mpsc::{Receiver, RecvTimeoutError},
    },
    time::Duration,
};

use rusqlite::{Connection, ErrorCode, OptionalExtension, params};
use tally_types::{EventId, Record};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::{
    Appended, Counters, JournalError, Observer, Progress, observer, recovery, schema,
    sent::{SentMarks, Slot},
};

const GROUP_OPS_MAX: usize = 1_024;
const NEARLY_FULL: f64 = 0.9;
const RETRY_EVERY: Duration = Duration::from_millis(250);
/// How many commits pass between two looks at how full the file is.
const FILL_EVERY_COMMITS: u32 = 64;

type Ack<T> = oneshot::Sender<Result<T, JournalError>>;

pub(crate) enum Op {
    Intent {
        event_id: EventId,
        slot: Slot,
        payload: Vec<u8>,
        ack: Ack<()>,
    },
    /// With a payload the intent becomes an entry, without one it vanishes.
    Settle {
        event_id: EventId,
        slot: Slot,
        payload: Option<Vec<u8>>,
        /// What the payload holds, where somebody observes.
        record: Option<Record>,
    },
    /// Nobody will settle it: its holder was dropped.
    Abandon {
        event_id: EventId,
        slot: Slot,
    },
    Append {
        rows: Vec<(EventId, u32, Vec<u8>)>,
        /// The same, where somebody observes.
        records: Vec<Record>,
        _room: OwnedSemaphorePermit,
        ack: Ack<Appended>,
    },
    /// The sink holds everything up to here.
    Shipped {
        sequence: u64,
    },
    /// What the observer has counted so far.
    Counters {
        counters: Counters,
        ack: Ack<()>,
    },
    Close,
}

/// Who is told of commits, and which rows still wait for it.
pub(crate) struct Watched {
    pub(crate) observer: Option<Arc<dyn Observer>>,
    /// Rows up to here are counted in what was kept.
    pub(crate) kept: u64,
    /// Rows up to here are held by the sink.
    pub(crate) shipped: u64,
}

/// What a commit did.
#[derive(Default)]
struct Written {
    /// For each append, how much was new.
    appended: Vec<Appended>,
    notices: Vec<Notice>,
}

/// What the observer is told once it is committed.
enum Notice {
    /// The record of a settlement or an appended one: which operation, which row.
    Row {
        sequence: u64,
        op: usize,
        row: usize,
    },
    /// Settled by the journal itself.
    Abandoned {
        sequence: u64,
        payload: Vec<u8>,
    },
    Skipped {
        sequence: u64,
    },
    Vanished(EventId),
}

pub(crate) struct WriterState {
    connection: Connection,
    marks: Arc<SentMarks>,
    progress: Arc<Progress>,
    queued: Arc<Semaphore>,
    bytes_max: u64,
    watched: Watched,
    /// Settlements that a full disk turned away; bounded by the slots they hold.
    waiting: Vec<Op>,
    commits_until_fill_check: u32,
}

pub(crate) fn run(mut state: WriterState, ops: &Receiver<Op>) {
    let mut group = Vec::new();
    loop {
        match next(&state, ops) {
            Ok(op) => group.push(op),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        while group.len() < GROUP_OPS_MAX
            && let Ok(op) = ops.try_recv()
        {
            group.push(op);
        }
        let closing = group.iter().any(|op| matches!(op, Op::Close));
        group.append(&mut state.waiting);
        state.commit(std::mem::take(&mut group));
        if closing {
            break;
        }
    }
    state.queued.close();
}

fn next(state: &WriterState, ops: &Receiver<Op>) -> Result<Op, RecvTimeoutError> {
    let idle = state.waiting.is_empty() && !state.progress.nearly_full.load(Ordering::Acquire);
    if idle {
        return ops.recv().map_err(|_| RecvTimeoutError::Disconnected);
    }
    ops.recv_timeout(RETRY_EVERY)
}

/// Writes a row unless it is there already; its sequence if it is new. (A row that
/// is not written uses up a sequence all the same, which nothing may wait for.)
pub(crate) fn insert_entry(
    connection: &Connection,
    event_id: EventId,
    revision: u32,
    payload: &[u8],
) -> rusqlite::Result<Option<u64>> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO entry(event_id, revision, payload) VALUES (?1, ?2, ?3)
         ON CONFLICT DO NOTHING",
    )?;
    let is_new = statement.execute(params![event_id.0, revision, payload])? == 1;
    Ok(is_new.then(|| u64::try_from(connection.last_insert_rowid()).unwrap_or(0)))
}

// === impl WriterState ===

impl WriterState {
    pub(crate) fn new(
        connection: Connection,
        marks: &Arc<SentMarks>,
        progress: &Arc<Progress>,
        queued: &Arc<Semaphore>,
        bytes_max: u64,
        watched: Watched,
    ) -> Self {
        Self {
            connection,
            marks: Arc::clone(marks),
            progress: Arc::clone(progress),
            queued: Arc::clone(queued),
            bytes_max,
            watched,
            waiting: Vec::new(),
            commits_until_fill_check: 0,
        }
    }

    fn commit(&mut self, group: Vec<Op>) {
        if !group.is_empty() {
            match self.write(&group) {
                Ok(written) => {
                    self.tell(&group, written.notices);
                    self.acknowledge(group, &written.appended);
                }
                Err(error) => self.refuse(group, &error),
            }
        }
        let waiting = u64::try_from(self.waiting.len()).unwrap_or(u64::MAX);
        self.progress.settlements_waiting.store(waiting, Ordering::Release);
        self.look_at_fill();
    }

    /// Writes the whole group or nothing.
    fn write(&mut self, group: &[Op]) -> Result<Written, JournalError> {
        let is_observed = self.watched.observer.is_some();
        let transaction = self.connection.transaction()?;
        let mut written = Written::default();
        let mut last = None;
        let (mut kept, mut shipped) = (self.watched.kept, self.watched.shipped);
        for (index, op) in group.iter().enumerate() {
            match op {
                Op::Intent { event_id, slot, payload, .. } => {
                    insert_intent(&transaction, *event_id, *slot, payload)?;
                }
                Op::Settle { event_id, payload, .. } => {
                    let sequence = settle(&transaction, *event_id, payload.as_deref())?;
                    last = last.max(sequence);
                    written.notices.push(match sequence {
                        Some(sequence) => Notice::Row { sequence, op: index, row: 0 },
                        None => Notice::Vanished(*event_id),
                    });
                }
                Op::Abandon { event_id, slot } => {
                    let was_sent = self.marks.is_marked(*slot)?;
                    let abandoned = abandon(&transaction, *event_id, was_sent)?;
                    last = last.max(abandoned.as_ref().map(|(sequence, _)| *sequence));
                    written.notices.push(match abandoned {
                        Some((sequence, payload)) => Notice::Abandoned { sequence, payload },
                        None => Notice::Vanished(*event_id),
                    });
                }
                Op::Append { rows, .. } => {
                    let notices = is_observed.then_some(&mut written.notices);
                    let (counts, newest) = append(&transaction, rows, index, notices)?;
                    written.appended.push(counts);
                    last = last.max(newest);
                }
                Op::Shipped { sequence } => shipped = shipped.max(*sequence),
                Op::Counters { counters, .. } => {
                    observer::write_counters(&transaction, counters)?;
                    kept = counters.sequence;
                }
                Op::Close => {}
            }
        }
        if (kept, shipped) != (self.watched.kept, self.watched.shipped) {
            forget(&transaction, kept.min(shipped))?;
        }
        transaction.commit()?;
        (self.watched.kept, self.watched.shipped) = (kept, shipped);
        if let Some(last) = last {
            self.progress.last_sequence.store(last, Ordering::Release);
        }
        self.progress.unflushed.store(true, Ordering::Release);
        Ok(written)
    }

    /// Tells the observer of what is committed now, in order.
    fn tell(&self, group: &[Op], notices: Vec<Notice>) {
        let Some(observer) = &self.watched.observer else { return };
        for notice in notices {
            match notice {
                Notice::Row { sequence, op, row } => match group.get(op) {
                    Some(Op::Settle { record: Some(record), .. }) => {
                        observer.committed(sequence, record);
                    }
                    Some(Op::Append { records, .. }) => match records.get(row) {
                        Some(record) => observer.committed(sequence, record),
                        None => observer.skipped(sequence),
                    },
                    _ => observer.skipped(sequence),
                },
                Notice::Abandoned { sequence, payload } => match serde_json::from_slice(&payload) {
                    Ok(record) => observer.committed(sequence, &record),
                    Err(_) => observer.skipped(sequence),
                },
                Notice::Skipped { sequence } => observer.skipped(sequence),
                Notice::Vanished(event_id) => observer.vanished(event_id),
            }
        }
    }

    fn acknowledge(&mut self, group: Vec<Op>, appended: &[Appended]) {
        let mut appended = appended.iter().copied();
        for op in group {
            match op {
                Op::Intent { event_id, slot, ack, .. } => {
                    // The caller went away while waiting: the call is not sent.
                    if ack.send(Ok(())).is_err() {
                        self.waiting.push(Op::Settle {
                            event_id,
                            slot,
                            payload: None,
                            record: None,
                        });
                    }
                }
                Op::Settle { slot, .. } | Op::Abandon { slot, .. } => self.marks.give_back(slot),
                Op::Append { ack, .. } => {
                    let _ = ack.send(Ok(appended.next().unwrap_or_default()));
                }
                Op::Counters { ack, .. } => {
                    let _ = ack.send(Ok(()));
                }
                Op::Shipped { .. } | Op::Close => {}
            }
        }
    }

    /// Nothing of the group was written: callers are told, settlements are kept.
    fn refuse(&mut self, group: Vec<Op>, error: &JournalError) {
        tracing::warn!(%error, ops = group.len(), "the journal could not commit");
        for op in group {
            match op {
                Op::Intent { slot, ack, .. } => {
                    self.marks.give_back(slot);
                    let _ = ack.send(Err(same(error)));
                }
                Op::Append { ack, .. } => {
                    let _ = ack.send(Err(same(error)));
                }
                Op::Counters { ack, .. } => {
                    let _ = ack.send(Err(same(error)));
                }
                Op::Settle { .. } | Op::Abandon { .. } => self.waiting.push(op),
                // The next shipment says it again, for all rows up to its own.
                Op::Shipped { .. } | Op::Close => {}
            }
        }
    }

    fn look_at_fill(&mut self) {
        let was_full = self.progress.nearly_full.load(Ordering::Acquire);
        self.commits_until_fill_check = self.commits_until_fill_check.saturating_sub(1);
        if self.commits_until_fill_check > 0 && !was_full {
            return;
        }
        self.commits_until_fill_check = FILL_EVERY_COMMITS;
        match schema::fill(&self.connection, self.bytes_max) {
            Ok(fill) => self.progress.nearly_full.store(fill > NEARLY_FULL, Ordering::Release),
            Err(error) => tracing::warn!(%error, "the journal's size is not known"),
        }
    }
}

fn insert_intent(
    connection: &Connection,
    event_id: EventId,
    slot: Slot,
    payload: &[u8],
) -> rusqlite::Result<()> {
    let mark = i64::try_from(slot.mark).unwrap_or(i64::MAX);
    connection
        .prepare_cached(
            "INSERT INTO intent(event_id, slot, mark, payload) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![event_id.0, slot.index, mark, payload])?;
    Ok(())
}

fn settle(
    connection: &Connection,
    event_id: EventId,
    payload: Option<&[u8]>,
) -> rusqlite::Result<Option<u64>> {
    connection
        .prepare_cached("DELETE FROM intent WHERE event_id = ?1")?
        .execute(params![event_id.0])?;
    match payload {
        Some(payload) => insert_entry(connection, event_id, 0, payload),
        None => Ok(None),
    }
}

/// Rows that the sink holds and that were counted are not needed any more.
fn forget(connection: &Connection, sequence: u64) -> rusqlite::Result<()> {
    connection
        .prepare_cached("DELETE FROM entry WHERE sequence <= ?1")?
        .execute(params![i64::try_from(sequence).unwrap_or(i64::MAX)])?;
    Ok(())
}

/// Nobody will settle this intent: what was sent is settled at its estimate.
fn abandon(
    connection: &Connection,
    event_id: EventId,
    was_sent: bool,
) -> Result<Option<(u64, Vec<u8>)>, JournalError> {
    let payload: Option<Vec<u8>> = connection
        .prepare_cached("SELECT payload FROM intent WHERE event_id = ?1")?
        .query_row(params![event_id.0], |row| row.get(0))
        .optional()?;
    let settled = match payload.filter(|_| was_sent) {
        Some(payload) => Some(recovery::settled_at_estimate(&payload)?),
        None => None,
    };
    let sequence = settle(connection, event_id, settled.as_deref())?;
    Ok(sequence.zip(settled))
}

fn append(
    connection: &Connection,
    rows: &[(EventId, u32, Vec<u8>)],
    op: usize,
    mut notices: Option<&mut Vec<Notice>>,
) -> rusqlite::Result<(Appended, Option<u64>)> {
    let mut counts = Appended::default();
    let mut newest = None;
    for (row, (event_id, revision, payload)) in rows.iter().enumerate() {
        let Some(sequence) = insert_entry(connection, *event_id, *revision, payload)? else {
            counts.duplicates += 1;
            continue;
        };
        counts.accepted += 1;
        newest = Some(sequence);
        if let Some(notices) = notices.as_deref_mut() {
            let is_first = observer::is_first(connection, *event_id, sequence)?;
            notices.push(match is_first {
                true => Notice::Row { sequence, op, row },
                false => Notice::Skipped { sequence },
            });
        }
    }
    Ok((counts, newest))
}

/// The error once more, for each caller of a failed group.
fn same(error: &JournalError) -> JournalError {
    match error {
        JournalError::Database(rusqlite::Error::SqliteFailure(failure, _))
            if failure.code == ErrorCode::DiskFull =>
        {
            JournalError::Full
        }
        other => JournalError::Commit(other.to_string()),
    }
}
