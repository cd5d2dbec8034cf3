//! What a start finds of an earlier run.

use rusqlite::Connection;
use tally_types::{CallStatus, CountQuality, Record, UsageEvent};

use crate::{
    JournalError,
    sent::{SentMarks, Slot},
    writer::insert_entry,
};

/// What the start settled.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Calls that were sent and not settled: settled at their estimate, marked `estimated`.
    pub settled: usize,
    /// Calls that were never sent: they cost nothing and leave no event.
    pub dropped: usize,
}

pub(crate) fn recover(
    connection: &mut Connection,
    marks: &SentMarks,
) -> Result<Recovery, JournalError> {
    let mut recovery = Recovery::default();
    let transaction = connection.transaction()?;
    {
        let mut intents = transaction.prepare("SELECT slot, mark, payload FROM intent")?;
        let mut rows = intents.query([])?;
        while let Some(row) = rows.next()? {
            let mark: i64 = row.get(1)?;
            let slot = Slot { index: row.get(0)?, mark: u64::try_from(mark).unwrap_or(0) };
            let payload: Vec<u8> = row.get(2)?;
            if !marks.is_marked(slot)? {
                recovery.dropped += 1;
                continue;
            }
            let event: UsageEvent = serde_json::from_slice(&payload)?;
            insert_entry(&transaction, event.event_id, 0, &settled_at_estimate(&payload)?)?;
            recovery.settled += 1;
        }
    }
    transaction.execute("DELETE FROM intent", [])?;
    transaction.commit()?;
    Ok(recovery)
}

/// The entry for a call of which nothing more will be known.
pub(crate) fn settled_at_estimate(intent_payload: &[u8]) -> Result<Vec<u8>, JournalError> {
    let mut event: UsageEvent = serde_json::from_slice(intent_payload)?;
    event.status = CallStatus::Interrupted;
    event.counts = CountQuality::Estimated;
    Ok(serde_json::to_vec(&Record::Usage(Box::new(event)))?)
}
