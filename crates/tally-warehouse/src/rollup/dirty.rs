//! Which buckets of the rollups are behind the events.

use std::collections::{BTreeSet, HashMap};

use duckdb::Connection;

use crate::{
    error::WarehouseError,
    schema,
    zone::{self, Calendar, QUARTER_US, date_of, day_number},
};

/// SQL that creates the lists of dirty buckets.
pub(crate) const CREATE_SQL: &str = "CREATE TABLE dirty_quarters (bucket BIGINT NOT NULL); \
     CREATE TABLE dirty_days (bucket BIGINT NOT NULL);";

/// Under this prefix a rollup's version is stored.
const VERSION_PREFIX: &str = "rollup_version:";
/// Under this key it is stored how far the open day is built.
const OPEN_KEY: &str = "open_day";
/// The version of the open day's rows and of the events they were built from.
pub(crate) const OPEN: &str = "open";
/// The version of the events of all days that are not dirty: raised with any day that is built.
pub(crate) const CLOSED: &str = "rollup_day";

/// A day that goes on: its rows in the rollups by local day hold its events up to a time.
/// It is dirty, too, and not open any more once an event is written before that time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Open {
    /// Local days since 1970-01-01.
    pub(crate) day: i64,
    /// The start of a quarter-hour, in microseconds.
    pub(crate) until_us: i64,
}

/// The state of the rollups as a transaction sees it.
#[derive(Debug, Default)]
pub(crate) struct Dirty {
    /// Starts of quarter-hours, in microseconds.
    pub(crate) quarters: BTreeSet<i64>,
    /// Local days since 1970-01-01.
    pub(crate) days: BTreeSet<i64>,
    /// The dirty day whose beginning the rollups hold.
    pub(crate) open: Option<Open>,
    versions: HashMap<String, i64>,
}

// === impl Dirty ===

impl Dirty {
    /// All of them: few, as long as `compact` runs now and then.
    ///
    /// # Errors
    /// When DuckDB fails.
    pub(crate) fn read(connection: &Connection) -> Result<Self, WarehouseError> {
        let (versions, open) = state(connection)?;
        let quarters = list(connection, "dirty_quarters")?;
        Ok(Self { quarters, days: list(connection, "dirty_days")?, open, versions })
    }

    /// The version of a rollup's rows: another whenever they may be others.
    pub(crate) fn version(&self, table: &str) -> i64 {
        self.versions.get(table).copied().unwrap_or(0)
    }
}

/// The versions of the rollups, and the open day.
fn state(connection: &Connection) -> Result<(HashMap<String, i64>, Option<Open>), WarehouseError> {
    let mut statement = connection.prepare("SELECT key, value FROM meta")?;
    let mut rows = statement.query([])?;
    let (mut versions, mut open) = (HashMap::new(), None);
    while let Some(row) = rows.next()? {
        let (key, value): (String, String) = (row.get(0)?, row.get(1)?);
        let corrupt = || WarehouseError::Corrupt(format!("{key} is `{value}`"));
        if key == OPEN_KEY {
            open = Some(Open::parse(&value).ok_or_else(corrupt)?);
        } else if let Some(table) = key.strip_prefix(VERSION_PREFIX) {
            versions.insert(table.to_owned(), value.parse().map_err(|_| corrupt())?);
        }
    }
    Ok((versions, open))
}

/// The open day.
///
/// # Errors
/// When DuckDB fails.
pub(super) fn open_day(connection: &Connection) -> Result<Option<Open>, WarehouseError> {
    Ok(state(connection)?.1)
}

/// Sets the open day, in the transaction that builds its rows, or says that there is none.
///
/// # Errors
/// When DuckDB fails.
pub(super) fn set_open(connection: &Connection, open: Option<Open>) -> Result<(), WarehouseError> {
    match open {
        Some(Open { day, until_us }) => {
            changed(connection, OPEN)?;
            schema::write_meta(connection, OPEN_KEY, &format!("{day} {until_us}"))?;
        }
        None => schema::delete_meta(connection, OPEN_KEY)?,
    }
    Ok(())
}

/// Raises the version of a rollup, in the transaction that changes its rows.
///
/// # Errors
/// When DuckDB fails.
pub(super) fn changed(connection: &Connection, table: &str) -> Result<(), WarehouseError> {
    let version = state(connection)?.0.get(table).copied().unwrap_or(0) + 1;
    let key = format!("{VERSION_PREFIX}{table}");
    Ok(schema::write_meta(connection, &key, &version.to_string())?)
}

pub(super) fn list(connection: &Connection, table: &str) -> Result<BTreeSet<i64>, WarehouseError> {
    let mut statement = connection.prepare(&format!("SELECT bucket FROM {table}"))?;
    let buckets = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(buckets)
}

/// Marks the buckets of these times, in microseconds, as behind.
///
/// # Errors
/// When DuckDB fails or a time lies outside the calendar.
pub(crate) fn mark(
    connection: &Connection,
    calendar: &Calendar,
    times: impl Iterator<Item = i64>,
) -> Result<(), WarehouseError> {
    let quarters: BTreeSet<i64> = times.map(zone::quarter_until).collect();
    close_if_before(connection, calendar, &quarters)?;
    let mut days = BTreeSet::new();
    for quarter in &quarters {
        days.insert(i64::from(day_number(calendar.date(zone::timestamp(*quarter)?))));
    }
    insert(connection, "dirty_quarters", &quarters)?;
    insert(connection, "dirty_days", &days)
}

/// Marks all buckets from the first event to the last as behind. Quarter-hours without events are among them: in a row,
/// they are built together.
///
/// # Errors
/// When DuckDB fails or a time lies outside the calendar.
pub(crate) fn mark_all(connection: &Connection, calendar: &Calendar) -> Result<(), WarehouseError> {
    connection.execute_batch(&format!(
        "DELETE FROM dirty_quarters; INSERT INTO dirty_quarters \
         SELECT unnest(range(min(time_us) // {QUARTER_US} * {QUARTER_US}, max(time_us) + 1, {QUARTER_US})) FROM events"
    ))?;
    mark_days(connection, calendar)
}

/// Marks every local day that has events as behind.
///
/// # Errors
/// When DuckDB fails or a time lies outside the calendar.
pub(super) fn mark_days(
    connection: &Connection,
    calendar: &Calendar,
) -> Result<(), WarehouseError> {
    let sql = format!("SELECT DISTINCT time_us // {QUARTER_US} * {QUARTER_US} FROM events");
    let mut statement = connection.prepare(&sql)?;
    let mut days = BTreeSet::new();
    for quarter in statement.query_map([], |row| row.get(0))? {
        days.insert(i64::from(day_number(calendar.date(zone::timestamp(quarter?)?))));
    }
    connection.execute_batch("DELETE FROM dirty_days")?;
    insert(connection, "dirty_days", &days)
}

/// Adds buckets that are not in a list of dirty ones.
fn insert(
    connection: &Connection,
    table: &str,
    buckets: &BTreeSet<i64>,
) -> Result<(), WarehouseError> {
    if buckets.is_empty() {
        return Ok(());
    }
    let values: Vec<_> = buckets.iter().map(|bucket| format!("({bucket})")).collect();
    connection.execute_batch(&format!(
        "INSERT INTO {table} SELECT * FROM (VALUES {}) touched(bucket) \
         WHERE bucket NOT IN (SELECT bucket FROM {table})",
        values.join(", ")
    ))?;
    Ok(())
}

/// The open day is open no more when one of these quarter-hours is among those it was built from.
fn close_if_before(
    connection: &Connection,
    calendar: &Calendar,
    quarters: &BTreeSet<i64>,
) -> Result<(), WarehouseError> {
    let Some(open) = open_day(connection)? else { return Ok(()) };
    let from = zone::quarter_until(calendar.midnight(date_of(open.day)?)?.as_microsecond());
    if quarters.range(from..open.until_us.max(from)).next().is_some() {
        set_open(connection, None)?;
    }
    Ok(())
}

// === impl Open ===

impl Open {
    fn parse(text: &str) -> Option<Self> {
        let (day, until_us) = text.split_once(' ')?;
        Some(Self { day: day.parse().ok()?, until_us: until_us.parse().ok()? })
    }
}
