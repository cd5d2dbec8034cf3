//! Which buckets of the rollups are behind the events.

use std::collections::BTreeSet;

use duckdb::Connection;

use crate::{
    error::WarehouseError,
    zone::{self, Calendar, day_number},
};

/// SQL that creates the lists of dirty buckets.
pub(crate) const CREATE_SQL: &str = "CREATE TABLE dirty_quarters (bucket BIGINT NOT NULL); \
     CREATE TABLE dirty_days (bucket BIGINT NOT NULL);";

/// The dirty buckets among those a query touches.
#[derive(Debug, Default)]
pub(crate) struct Dirty {
    /// Starts of quarter-hours, in microseconds.
    pub(crate) quarters: BTreeSet<i64>,
    /// Local days since 1970-01-01.
    pub(crate) days: BTreeSet<i64>,
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
        })
    }
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
