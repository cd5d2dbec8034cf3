//! Which buckets of the rollups are behind the events.

use std::collections::{BTreeSet, HashMap};

use duckdb::Connection;

use crate::{
    error::WarehouseError,
    schema,
    zone::{self, Calendar, day_number},
};

/// SQL that creates the lists of dirty buckets.
pub(crate) const CREATE_SQL: &str = "CREATE TABLE dirty_quarters (bucket BIGINT NOT NULL); \
     CREATE TABLE dirty_days (bucket BIGINT NOT NULL);";

/// Under this prefix a rollup's version is stored.
const VERSION_PREFIX: &str = "rollup_version:";

/// The state of the rollups as a transaction sees it.
#[derive(Debug, Default)]
pub(crate) struct Dirty {
    /// Starts of quarter-hours, in microseconds.
    pub(crate) quarters: BTreeSet<i64>,
    /// Local days since 1970-01-01.
    pub(crate) days: BTreeSet<i64>,
    versions: HashMap<String, i64>,
}

// === impl Dirty ===

impl Dirty {
    /// All of them: few, as long as `compact` runs now and then.
    ///
    /// # Errors
    /// When DuckDB fails.
    pub(crate) fn read(connection: &Connection) -> Result<Self, WarehouseError> {
        Ok(Self {
            quarters: list(connection, "dirty_quarters")?,
            days: list(connection, "dirty_days")?,
            versions: versions(connection)?,
        })
    }

    /// The version of a rollup's rows: another whenever they may be others.
    pub(crate) fn version(&self, table: &str) -> i64 {
        self.versions.get(table).copied().unwrap_or(0)
    }
}

fn versions(connection: &Connection) -> Result<HashMap<String, i64>, WarehouseError> {
    let sql = "SELECT key, value FROM meta WHERE starts_with(key, ?)";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([VERSION_PREFIX])?;
    let mut versions = HashMap::new();
    while let Some(row) = rows.next()? {
        let (key, value): (String, String) = (row.get(0)?, row.get(1)?);
        let table = key.trim_start_matches(VERSION_PREFIX).to_owned();
        let version = value
            .parse()
            .map_err(|_| WarehouseError::Corrupt(format!("{key} is `{value}`, not a number")))?;
        versions.insert(table, version);
    }
    Ok(versions)
}

/// Raises the version of a rollup, in the transaction that changes its rows.
///
/// # Errors
/// When DuckDB fails.
pub(super) fn changed(connection: &Connection, table: &str) -> Result<(), WarehouseError> {
    let version = versions(connection)?.get(table).copied().unwrap_or(0) + 1;
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
    let mut days = BTreeSet::new();
    for quarter in &quarters {
        days.insert(i64::from(day_number(calendar.date(zone::timestamp(*quarter)?))));
    }
    for (table, buckets) in [("dirty_quarters", quarters), ("dirty_days", days)] {
        if buckets.is_empty() {
            continue;
        }
        let values: Vec<_> = buckets.iter().map(|bucket| format!("({bucket})")).collect();
        connection.execute_batch(&format!(
            "INSERT INTO {table} SELECT * FROM (VALUES {}) touched(bucket) \
             WHERE bucket NOT IN (SELECT bucket FROM {table})",
            values.join(", ")
        ))?;
    }
    Ok(())
}
