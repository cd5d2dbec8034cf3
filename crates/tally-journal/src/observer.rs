//! Who counts what the journal commits: in order, each row once, across restarts.

use rusqlite::{Connection, OptionalExtension, params};
use tally_types::{EventId, Record};
use tokio::sync::oneshot;

use crate::{Journal, JournalError, schema, writer::Op};

/// Told of every committed row, in order, on the writer's thread: it must be quick.
pub trait Observer: Send + Sync + 'static {
    /// What an earlier run kept, before the rows since.
    fn restore(&self, kept: Counters);

    /// A row was committed. After a start, rows since the kept counters come again; an appended
    /// event whose id was observed before, ten million rows back or less, does not.
    fn committed(&self, sequence: u64, record: &Record);

    /// A row was committed that was observed before under another sequence.
    fn skipped(&self, sequence: u64);

    /// An intent came to nothing: its call cost nothing.
    fn vanished(&self, event_id: EventId);
}

/// Counters of an observer as the journal keeps them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counters {
    /// Rows up to this one are counted in them.
    pub sequence: u64,
    /// Id and state of each, whatever the observer makes of them.
    pub states: Vec<(String, String)>,
}

/// Reads what was kept, then every row since; rows must not be written meanwhile.
pub(crate) fn replay(
    connection: &Connection,
    observer: &dyn Observer,
) -> Result<u64, JournalError> {
    let kept = read_counters(connection)?;
    let sequence = kept.sequence;
    observer.restore(kept);
    let mut statement = connection
        .prepare("SELECT sequence, payload FROM entry WHERE sequence > ?1 ORDER BY sequence")?;
    let mut rows = statement.query(params![i64::try_from(sequence).unwrap_or(i64::MAX)])?;
    while let Some(row) = rows.next()? {
        let sequence = u64::try_from(row.get::<_, i64>(0)?).unwrap_or(0);
        let payload: Vec<u8> = row.get(1)?;
        observer.committed(sequence, &serde_json::from_slice(&payload)?);
    }
    Ok(sequence)
}

fn read_counters(connection: &Connection) -> Result<Counters, JournalError> {
    let sequence: Option<i64> = connection
        .query_row("SELECT sequence FROM counters_at", [], |row| row.get(0))
        .optional()?;
    let mut statement = connection.prepare("SELECT id, state FROM counter")?;
    let states = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let states = states.collect::<Result<_, _>>()?;
    Ok(Counters { sequence: u64::try_from(sequence.unwrap_or(0)).unwrap_or(0), states })
}

/// Keeps changed counters, and forgets event ids that nobody will send again.
pub(crate) fn write_counters(connection: &Connection, counters: &Counters) -> rusqlite::Result<()> {
    let mut upsert = connection.prepare_cached(
        "INSERT INTO counter(id, state) VALUES (?1, ?2)
         ON CONFLICT(id) DO UPDATE SET state = excluded.state",
    )?;
    for (id, state) in &counters.states {
        upsert.execute(params![id, state])?;
    }
    let sequence = i64::try_from(counters.sequence).unwrap_or(i64::MAX);
    connection
        .prepare_cached(
            "INSERT INTO counters_at(one, sequence) VALUES (1, ?1)
             ON CONFLICT(one) DO UPDATE SET sequence = excluded.sequence",
        )?
        .execute(params![sequence])?;
    connection
        .prepare_cached("DELETE FROM observed WHERE until <= ?1")?
        .execute(params![sequence])?;
    Ok(())
}

/// Whether an appended event is observed for the first time.
pub(crate) fn is_first(
    connection: &Connection,
    event_id: EventId,
    sequence: u64,
) -> rusqlite::Result<bool> {
    let until = sequence.saturating_add(schema::OBSERVED_ROWS_MAX);
    let mut insert = connection
        .prepare_cached("INSERT OR IGNORE INTO observed(event_id, until) VALUES (?1, ?2)")?;
    Ok(insert.execute(params![event_id.0, i64::try_from(until).unwrap_or(i64::MAX)])? == 1)
}

// === impl Journal ===

impl Journal {
    /// Keeps counters of the observer; rows before them may then be forgotten.
    ///
    /// # Errors
    /// When they were not kept: they belong to the next ones.
    pub async fn keep_counters(&self, counters: Counters) -> Result<(), JournalError> {
        let (ack, kept) = oneshot::channel();
        let op = Op::Counters { counters, ack };
        self.shared.ops.send(op).map_err(|_| JournalError::Closed)?;
        kept.await.map_err(|_| JournalError::Closed)?
    }
}
