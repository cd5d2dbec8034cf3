//! The journal's tables and how its connections are set up.

use std::path::Path;

use rusqlite::{Connection, params};
use tally_types::NodeId;

use crate::{Durability, JournalError, Options};

const SCHEMA_VERSION: i64 = 2;
/// So many rows later, an appended event that comes again is taken for a new one.
pub(crate) const OBSERVED_ROWS_MAX: u64 = 10_000_000;
const PAGE_BYTES: u32 = 4096;

const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS about(
        one INTEGER PRIMARY KEY CHECK (one = 1),
        node BLOB NOT NULL
    );
    CREATE TABLE IF NOT EXISTS intent(
        event_id BLOB PRIMARY KEY,
        slot INTEGER NOT NULL,
        mark INTEGER NOT NULL,
        payload BLOB NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS entry(
        sequence INTEGER PRIMARY KEY AUTOINCREMENT,
        event_id BLOB NOT NULL,
        revision INTEGER NOT NULL,
        payload BLOB NOT NULL
    );
    CREATE TABLE IF NOT EXISTS counter(id TEXT PRIMARY KEY, state TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS counters_at(
        one INTEGER PRIMARY KEY CHECK (one = 1),
        sequence INTEGER NOT NULL
    );
    CREATE TABLE IF NOT EXISTS observed(
        event_id BLOB PRIMARY KEY,
        until INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS observed_until ON observed(until);
    CREATE UNIQUE INDEX IF NOT EXISTS entry_once ON entry(event_id, revision);
";

pub(crate) fn open_writer(path: &Path, options: &Options) -> Result<Connection, JournalError> {
    let connection = Connection::open(path)?;
    restrict_to_owner(path)?;
    connection.pragma_update(None, "page_size", PAGE_BYTES)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    let synchronous = match options.durability {
        Durability::Relaxed => "NORMAL",
        Durability::Strict => "FULL",
    };
    connection.pragma_update(None, "synchronous", synchronous)?;
    // Checkpoints run on the maintenance thread, off every call's path.
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection.pragma_update(None, "busy_timeout", 10_000)?;
    let pages_max = i64::try_from(options.bytes_max / u64::from(PAGE_BYTES)).unwrap_or(i64::MAX);
    connection.query_row(&format!("PRAGMA max_page_count = {pages_max}"), [], |_| Ok(()))?;
    let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if version > SCHEMA_VERSION {
        let file = path.display().to_string();
        return Err(JournalError::Newer(file, version, SCHEMA_VERSION));
    }
    connection.execute_batch(TABLES)?;
    connection.pragma_update(None, "user_version", SCHEMA_VERSION)?;
    Ok(connection)
}

pub(crate) fn open_reader(path: &Path) -> Result<Connection, JournalError> {
    let connection = Connection::open(path)?;
    connection.pragma_update(None, "busy_timeout", 10_000)?;
    Ok(connection)
}

fn restrict_to_owner(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))
}

/// This journal's id, made at its first start.
pub(crate) fn node(connection: &Connection, new: NodeId) -> Result<NodeId, JournalError> {
    connection.execute("INSERT OR IGNORE INTO about(one, node) VALUES (1, ?1)", params![new.0])?;
    let node = connection.query_row("SELECT node FROM about", [], |row| row.get(0))?;
    Ok(NodeId(node))
}

/// The newest row that waits here; 0 when none does.
pub(crate) fn last_sequence(connection: &Connection) -> Result<u64, JournalError> {
    let last: Option<i64> =
        connection.query_row("SELECT max(sequence) FROM entry", [], |row| row.get(0))?;
    Ok(u64::try_from(last.unwrap_or(0)).unwrap_or(0))
}

/// How full the database file is, from 0 to 1, unused pages counted as room.
pub(crate) fn fill(connection: &Connection, bytes_max: u64) -> Result<f64, JournalError> {
    let pages: u32 = connection.query_row("PRAGMA page_count", [], |row| row.get(0))?;
    let free: u32 = connection.query_row("PRAGMA freelist_count", [], |row| row.get(0))?;
    let pages_max = u32::try_from(bytes_max / u64::from(PAGE_BYTES)).unwrap_or(u32::MAX).max(1);
    Ok(f64::from(pages.saturating_sub(free)) / f64::from(pages_max))
}
