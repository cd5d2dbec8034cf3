//! The file of kept prompts.

use std::{os::unix::fs::PermissionsExt as _, path::Path};

use jiff::Timestamp;
use parking_lot::Mutex;
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use tally_types::{CallId, DataClass, EventId, PersonName};
use uuid::Uuid;

use crate::{
    PromptError, PromptKey,
    cipher::Sealed,
    prompt::{Content, KeptPrompt, Prompt},
};

const SCHEMA_VERSION: i64 = 1;
const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS prompt(
        event_id BLOB PRIMARY KEY,
        call_id BLOB NOT NULL,
        time_ms INTEGER NOT NULL,
        class TEXT NOT NULL,
        person TEXT,
        bytes INTEGER NOT NULL,
        nonce BLOB NOT NULL,
        sealed BLOB NOT NULL
    );
    CREATE INDEX IF NOT EXISTS prompt_by_call ON prompt(call_id, time_ms);
    CREATE INDEX IF NOT EXISTS prompt_by_age ON prompt(class, time_ms);
    CREATE INDEX IF NOT EXISTS prompt_by_person ON prompt(person);
";

/// Prompts in their file. Methods block; call them off the async runtime.
pub struct PromptStore {
    connection: Mutex<Connection>,
    key: PromptKey,
}

/// How many prompts of a class are kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ClassStats {
    /// How many.
    pub prompts: u64,
    /// How many of them are older than they may be.
    pub due: u64,
    /// How large requests and replies are.
    pub bytes: u64,
    /// The time of the oldest.
    pub oldest: Option<Timestamp>,
}

impl std::fmt::Debug for PromptStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PromptStore").finish_non_exhaustive()
    }
}

// === impl PromptStore ===

impl PromptStore {
    /// Opens the file, creating it, readable by its owner only, when there is none.
    ///
    /// # Errors
    /// When it cannot be opened or is from a newer version.
    pub fn open(path: &Path, key: PromptKey) -> Result<Self, PromptError> {
        let connection = Connection::open(path)?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
        // Only before the first table does it count; what is deleted then leaves the file.
        connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        connection.pragma_update(None, "secure_delete", "ON")?;
        connection.pragma_update(None, "busy_timeout", 10_000)?;
        let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        if version > SCHEMA_VERSION {
            return Err(PromptError::Newer(version, SCHEMA_VERSION));
        }
        connection.execute_batch(TABLES)?;
        connection.pragma_update(None, "user_version", SCHEMA_VERSION)?;
        Ok(Self { connection: Mutex::new(connection), key })
    }

    /// Seals prompts and writes them, all or none.
    ///
    /// # Errors
    /// When the file does not take them.
    pub fn write(&self, prompts: &[Prompt]) -> Result<(), PromptError> {
        let sealed =
            |prompt: &Prompt| self.key.seal(prompt.event_id, &prompt.request, &prompt.reply);
        let sealed: Vec<Sealed> = prompts.iter().map(sealed).collect::<Result<_, _>>()?;
        let mut connection = self.connection.lock();
        let transaction = connection.transaction()?;
        for (prompt, sealed) in prompts.iter().zip(sealed) {
            transaction.execute(
                "INSERT OR REPLACE INTO prompt \
                 (event_id, call_id, time_ms, class, person, bytes, nonce, sealed) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                params![
                    prompt.event_id.0,
                    prompt.call_id.0,
                    prompt.time.as_millisecond(),
                    prompt.class.as_str(),
                    prompt.person.as_ref().map(PersonName::as_str),
                    i64::try_from(prompt.bytes()).unwrap_or(i64::MAX),
                    sealed.nonce,
                    sealed.text,
                ],
            )?;
        }
        Ok(transaction.commit()?)
    }

    /// The prompt of an event; of a call, that of its last attempt.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn find(&self, id: Uuid) -> Result<Option<KeptPrompt>, PromptError> {
        let connection = self.connection.lock();
        let found = connection
            .query_row(
                "SELECT event_id, call_id, time_ms, class, bytes FROM prompt \
                 WHERE event_id = ?1 OR call_id = ?1 \
                 ORDER BY event_id = ?1 DESC, time_ms DESC LIMIT 1",
                [id],
                kept,
            )
            .optional()?;
        Ok(found)
    }

    /// What was said in an event's prompt and reply.
    ///
    /// # Errors
    /// When it was sealed with another key, or the file cannot be read.
    pub fn read(&self, event: EventId) -> Result<Option<Content>, PromptError> {
        let sealed = self
            .connection
            .lock()
            .query_row("SELECT nonce, sealed FROM prompt WHERE event_id = ?1", [event.0], |row| {
                Ok(Sealed { nonce: row.get(0)?, text: row.get(1)? })
            })
            .optional()?;
        sealed.map(|sealed| self.key.open_sealed(event, sealed)).transpose()
    }

    /// How many of a class there are, and how many are from before a time.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn stats(&self, class: DataClass, before: Timestamp) -> Result<ClassStats, PromptError> {
        let row = self.connection.lock().query_row(
            "SELECT count(*), count(*) FILTER (WHERE time_ms < ?2), coalesce(sum(bytes), 0), \
             min(time_ms) FROM prompt WHERE class = ?1",
            params![class.as_str(), before.as_millisecond()],
            |row| Ok((count(row, 0)?, count(row, 1)?, count(row, 2)?, row.get(3)?)),
        )?;
        let (prompts, due, bytes, oldest): (u64, u64, u64, Option<i64>) = row;
        let oldest = oldest.and_then(|ms| Timestamp::from_millisecond(ms).ok());
        Ok(ClassStats { prompts, due, bytes, oldest })
    }

    /// Deletes prompts of a class from before a time, the oldest first, at most so many.
    ///
    /// # Errors
    /// When the file does not take it.
    pub fn purge(
        &self,
        class: DataClass,
        before: Timestamp,
        limit: u32,
    ) -> Result<u64, PromptError> {
        let deleted = self.connection.lock().execute(
            "DELETE FROM prompt WHERE event_id IN (SELECT event_id FROM prompt \
             WHERE class = ?1 AND time_ms < ?2 ORDER BY time_ms LIMIT ?3)",
            params![class.as_str(), before.as_millisecond(), limit],
        )?;
        Ok(deleted as u64)
    }

    /// How many prompts of a person there are from before a time.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn count_of(&self, person: &PersonName, before: Timestamp) -> Result<u64, PromptError> {
        let found = self.connection.lock().query_row(
            "SELECT count(*) FROM prompt WHERE person = ?1 AND time_ms < ?2",
            params![person.as_str(), before.as_millisecond()],
            |row| count(row, 0),
        )?;
        Ok(found)
    }

    /// Deletes a person's prompts from before a time.
    ///
    /// # Errors
    /// When the file does not take it.
    pub fn forget(&self, person: &PersonName, before: Timestamp) -> Result<u64, PromptError> {
        let deleted = self.connection.lock().execute(
            "DELETE FROM prompt WHERE person = ?1 AND time_ms < ?2",
            params![person.as_str(), before.as_millisecond()],
        )?;
        Ok(deleted as u64)
    }

    /// Gives the space of what was deleted back to the disk, and empties the write-ahead log.
    ///
    /// # Errors
    /// When the file does not take it.
    pub fn shrink(&self) -> Result<(), PromptError> {
        let connection = self.connection.lock();
        // Each step of it frees one page.
        let mut statement = connection.prepare("PRAGMA incremental_vacuum")?;
        let mut rows = statement.query([])?;
        while rows.next()?.is_some() {}
        drop(rows);
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        Ok(())
    }
}

fn count(row: &Row<'_>, index: usize) -> rusqlite::Result<u64> {
    Ok(u64::try_from(row.get::<_, i64>(index)?).unwrap_or(0))
}

fn kept(row: &Row<'_>) -> rusqlite::Result<KeptPrompt> {
    let class: String = row.get(3)?;
    Ok(KeptPrompt {
        event_id: EventId(row.get(0)?),
        call_id: CallId(row.get(1)?),
        time: Timestamp::from_millisecond(row.get(2)?).unwrap_or_default(),
        // Of a class that nobody knows, the strictest.
        class: class.parse().unwrap_or(DataClass::Restricted),
        bytes: count(row, 4)?,
    })
}
