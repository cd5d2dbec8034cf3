//! The thread that flushes and checkpoints, so that the writer never does.

use std::{
    fs::File,
    sync::{Arc, atomic::Ordering},
    thread::JoinHandle,
    time::Duration,
};

use rusqlite::Connection;

use crate::{
    Journal, JournalError, Options, Progress,
    files::{JournalFiles, database_path},
    schema,
    sent::SentMarks,
};

/// From this size on the log file is moved into the database, in bytes.
const CHECKPOINT_FROM_BYTES: u64 = 4 << 20;
/// From this size on the writer is made to wait for it, so that the log stays bounded.
const TRUNCATE_FROM_BYTES: u64 = 256 << 20;

struct Maintenance {
    files: JournalFiles,
    connection: Connection,
    progress: Arc<Progress>,
    marks: Arc<SentMarks>,
    flush_every: Duration,
    /// Held open: what is flushed must be the file that was written.
    wal: Option<File>,
}

pub(crate) fn start(
    files: JournalFiles,
    options: &Options,
    progress: &Arc<Progress>,
    marks: &Arc<SentMarks>,
) -> Result<JoinHandle<()>, JournalError> {
    let connection = schema::open_reader(&files.database)?;
    let mut maintenance = Maintenance {
        files,
        connection,
        progress: Arc::clone(progress),
        marks: Arc::clone(marks),
        flush_every: options.flush_every,
        wal: None,
    };
    let thread = std::thread::Builder::new().name("journal-maintenance".to_owned());
    Ok(thread.spawn(move || maintenance.run())?)
}

// === impl Maintenance ===

impl Maintenance {
    fn run(&mut self) {
        while !self.progress.closed.load(Ordering::Acquire) {
            std::thread::park_timeout(self.flush_every);
            if let Err(error) = self.round() {
                tracing::warn!(%error, "the journal could not be flushed");
            }
        }
        // The writer may have committed between the last round and its end; the
        // checkpoint flushes what it moves.
        if let Err(error) = self.checkpoint("TRUNCATE") {
            tracing::warn!(%error, "the journal could not be flushed at the end");
        }
    }

    fn round(&mut self) -> Result<(), JournalError> {
        if !self.progress.unflushed.swap(false, Ordering::AcqRel) {
            return Ok(());
        }
        if self.wal.is_none() {
            self.wal = Some(File::open(&self.files.wal)?);
        }
        let Some(wal) = &self.wal else { return Ok(()) };
        wal.sync_data()?;
        self.marks.flush()?;
        match wal.metadata()?.len() {
            bytes if bytes >= TRUNCATE_FROM_BYTES => self.checkpoint("TRUNCATE"),
            bytes if bytes >= CHECKPOINT_FROM_BYTES => self.checkpoint("PASSIVE"),
            _ => Ok(()),
        }
    }

    fn checkpoint(&self, mode: &str) -> Result<(), JournalError> {
        self.connection.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |_| Ok(()))?;
        Ok(())
    }
}

// === impl Journal ===

impl Journal {
    /// Leaves no trace of rows that are shipped: the file is written anew with what still
    /// waits, and the write-ahead log emptied. Calls wait for it as for a commit, so it is for
    /// erasures, not for every day. Blocks.
    ///
    /// # Errors
    /// When SQLite refuses, as it is too busy: it can be called again.
    pub fn scrub(&self) -> Result<(), JournalError> {
        let connection = schema::open_reader(&database_path(&self.shared.options.folder))?;
        connection.execute_batch("VACUUM")?;
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        Ok(())
    }
}
