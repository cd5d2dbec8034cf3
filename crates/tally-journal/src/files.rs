//! The journal's folder: one process at a time.

use std::{
    fs::File,
    path::{Path, PathBuf},
};

use crate::{JournalError, Options};

#[derive(Debug)]
pub(crate) struct JournalFiles {
    pub(crate) database: PathBuf,
    pub(crate) wal: PathBuf,
    pub(crate) sent: PathBuf,
    _lock: File,
}

// === impl JournalFiles ===

impl JournalFiles {
    /// Takes the folder for this process; the operating system gives it back.
    pub(crate) fn lock(options: &Options) -> Result<Self, JournalError> {
        let folder = &options.folder;
        std::fs::create_dir_all(folder)?;
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(folder.join("journal.lock"))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) => {
                return Err(JournalError::Locked(folder.display().to_string()));
            }
            Err(std::fs::TryLockError::Error(error)) => return Err(error.into()),
        }
        Ok(Self {
            database: database_path(folder),
            wal: folder.join("journal.db-wal"),
            sent: folder.join("sent.marks"),
            _lock: lock,
        })
    }
}

pub(crate) fn database_path(folder: &Path) -> PathBuf {
    folder.join("journal.db")
}
