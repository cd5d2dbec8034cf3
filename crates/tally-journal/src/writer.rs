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
use tally_types::EventId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::{
    Appended, JournalError, Progress, recovery, schema,
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
    },
    /// Nobody will settle it: its holder was dropped.
    Abandon {
        event_id: EventId,
        slot: Slot,
    },
    Append {
        rows: Vec<(EventId, u32, Vec<u8>)>,
        _room: OwnedSemaphorePermit,
        ack: Ack<Appended>,
    },
    /// The sink holds everything up to here.
    Shipped {
        sequence: u64,
    },
    Close,
}

pub(crate) struct WriterState {
    connection: Connection,
    marks: Arc<SentMarks>,
    progress: Arc<Progress>,
    queued: Arc<Semaphore>,
    bytes_max: u64,
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
    ) -> Self {
        Self {
            connection,
            marks: Arc::clone(marks),
            progress: Arc::clone(progress),
            queued: Arc::clone(queued),
            bytes_max,
            waiting: Vec::new(),
            commits_until_fill_check: 0,
        }
    }

    fn commit(&mut self, group: Vec<Op>) {
        if !group.is_empty() {
            match self.write(&group) {
                Ok(appended) => self.acknowledge(group, &appended),
                Err(error) => self.refuse(group, &error),
            }
        }
        let waiting = u64::try_from(self.waiting.len()).unwrap_or(u64::MAX);
        self.progress.settlements_waiting.store(waiting, Ordering::Release);
        self.look_at_fill();
    }

    /// Writes the whole group or nothing; answers for each append how much was new.
    fn write(&mut self, group: &[Op]) -> Result<Vec<Appended>, JournalError> {
        let transaction = self.connection.transaction()?;
        let mut appended = Vec::new();
        let mut last = None;
        for op in group {
            match op {
                Op::Intent { event_id, slot, payload, .. } => {
                    insert_intent(&transaction, *event_id, *slot, payload)?;
                }
                Op::Settle { event_id, payload, .. } => {
                    last = last.max(settle(&transaction, *event_id, payload.as_deref())?);
                }
                Op::Abandon { event_id, slot } => {
                    let was_sent = self.marks.is_marked(*slot)?;
                    last = last.max(abandon(&transaction, *event_id, was_sent)?);
                }
                Op::Append { rows, .. } => {
                    let (counts, newest) = append(&transaction, rows)?;
                    appended.push(counts);
                    last = last.max(newest);
                }
                Op::Shipped { sequence } => {
                    transaction
                        .prepare_cached("DELETE FROM entry WHERE sequence <= ?1")?
                        .execute(params![i64::try_from(*sequence).unwrap_or(i64::MAX)])?;
                }
                Op::Close => {}
            }
        }
        transaction.commit()?;
        if let Some(last) = last {
            self.progress.last_sequence.store(last, Ordering::Release);
        }
        self.progress.unflushed.store(true, Ordering::Release);
        Ok(appended)
    }

    fn acknowledge(&mut self, group: Vec<Op>, appended: &[Appended]) {
        let mut appended = appended.iter().copied();
        for op in group {
            match op {
                Op::Intent { event_id, slot, ack, .. } => {
                    // The caller went away while waiting: the call is not sent.
                    if ack.send(Ok(())).is_err() {
                        self.waiting.push(Op::Settle { event_id, slot, payload: None });
                    }
                }
                Op::Settle { slot, .. } | Op::Abandon { slot, .. } => self.marks.give_back(slot),
                Op::Append { ack, .. } => {
                    let _ = ack.send(Ok(appended.next().unwrap_or_default()));
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

/// Nobody will settle this intent: what was sent is settled at its estimate.
fn abandon(
    connection: &Connection,
    event_id: EventId,
    was_sent: bool,
) -> Result<Option<u64>, JournalError> {
    let payload: Option<Vec<u8>> = connection
        .prepare_cached("SELECT payload FROM intent WHERE event_id = ?1")?
        .query_row(params![event_id.0], |row| row.get(0))
        .optional()?;
    let settled = match payload.filter(|_| was_sent) {
        Some(payload) => Some(recovery::settled_at_estimate(&payload)?),
        None => None,
    };
    Ok(settle(connection, event_id, settled.as_deref())?)
}

fn append(
    connection: &Connection,
    rows: &[(EventId, u32, Vec<u8>)],
) -> rusqlite::Result<(Appended, Option<u64>)> {
    let mut counts = Appended::default();
    let mut newest = None;
    for (event_id, revision, payload) in rows {
        match insert_entry(connection, *event_id, *revision, payload)? {
            Some(sequence) => {
                counts.accepted += 1;
                newest = Some(sequence);
            }
            None => counts.duplicates += 1,
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
