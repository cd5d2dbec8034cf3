//! Keeping the rollups small and right: merging parts, building them anew.

use duckdb::Connection;
use jiff::Timestamp;

use super::{Bucket, Part, TABLES, Table, histogram_columns};
use crate::{
    error::WarehouseError,
    facts::Fact,
    zone::{self, Calendar, QUARTER_US},
};

/// How many buckets are merged in one go, so that merging fits in memory.
const BUCKETS_AT_ONCE: usize = 96;

/// Merges the parts of every bucket that has several, except quarter-hours that
/// are still open. Returns how many buckets were merged.
///
/// # Errors
/// When DuckDB fails; the caller's transaction must then be rolled back.
pub(crate) fn compact(connection: &Connection, now_us: i64) -> Result<usize, WarehouseError> {
    let mut merged = 0;
    for table in TABLES {
        let open_from = match table.bucket {
            Bucket::Quarter => zone::quarter_until(now_us.saturating_sub(QUARTER_US)),
            Bucket::Day => i64::MAX,
        };
        let dirty = dirty_buckets(connection, table, open_from)?;
        for buckets in dirty.chunks(BUCKETS_AT_ONCE) {
            merge(connection, table, buckets)?;
        }
        merged += dirty.len();
    }
    Ok(merged)
}

fn dirty_buckets(
    connection: &Connection,
    table: &Table,
    open_from: i64,
) -> Result<Vec<i64>, WarehouseError> {
    let sql = format!(
        "SELECT DISTINCT bucket FROM {} WHERE NOT merged AND bucket < {open_from} ORDER BY bucket",
        table.name
    );
    let mut statement = connection.prepare(&sql)?;
    let buckets = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(buckets)
}

fn merge(connection: &Connection, table: &Table, buckets: &[i64]) -> Result<(), WarehouseError> {
    let list: Vec<_> = buckets.iter().map(ToString::to_string).collect();
    let (Some(first), Some(last)) = (buckets.first(), buckets.last()) else { return Ok(()) };
    // The bounds let zone maps skip; the list alone would not.
    let condition =
        format!("bucket BETWEEN {first} AND {last} AND bucket IN ({})", list.join(", "));
    let mut sums: Vec<_> = Fact::ALL.iter().map(|fact| sum_sql(fact.column())).collect();
    if table.histograms {
        sums.extend(histogram_columns('l').chain(histogram_columns('f')).map(|c| sum_sql(&c)));
    }
    let keys = table.keys_sql();
    let name = table.name;
    connection.execute_batch(&format!(
        "CREATE OR REPLACE TEMP TABLE merged_parts AS SELECT bucket, {keys}, {sums}, true AS merged \
           FROM {name} WHERE {condition} GROUP BY bucket, {keys} HAVING sum(events) <> 0;
         DELETE FROM {name} WHERE {condition};
         INSERT INTO {name} SELECT * FROM merged_parts;
         DROP TABLE merged_parts;",
        sums = sums.join(", "),
    ))?;
    Ok(())
}

fn sum_sql(column: &str) -> String {
    format!("sum({column}) AS {column}")
}

/// Builds rollups anew from the events: all of them, or only those by local day.
///
/// # Errors
/// When DuckDB fails; the caller's transaction must then be rolled back.
pub(crate) fn rebuild(
    connection: &Connection,
    calendar: &Calendar,
    only_days: bool,
) -> Result<(), WarehouseError> {
    let tables: Vec<_> =
        TABLES.iter().filter(|table| !only_days || table.bucket == Bucket::Day).collect();
    for table in &tables {
        connection.execute_batch(&format!("DELETE FROM {}", table.name))?;
    }
    // Day by day: each slice's groups, with their wide histograms, fit in memory.
    let mut next = first_event(connection, i64::MIN)?;
    while let Some(time) = next {
        let from = calendar.midnight_until(time)?;
        let to = calendar.next_midnight(time)?;
        let condition =
            format!("time_us >= {} AND time_us < {}", from.as_microsecond(), to.as_microsecond());
        for table in &tables {
            let part = Part {
                source: "events",
                condition: &condition,
                retract: false,
                merged: true,
                calendar,
                from,
                to,
            };
            connection.execute_batch(&table.insert_sql(&part))?;
        }
        next = first_event(connection, to.as_microsecond())?;
    }
    Ok(())
}

/// The time of the first event at or after a time.
fn first_event(connection: &Connection, from_us: i64) -> Result<Option<Timestamp>, WarehouseError> {
    let sql = format!("SELECT min(time_us) FROM events WHERE time_us >= {from_us}");
    let first: Option<i64> = connection.query_row(&sql, [], |row| row.get(0))?;
    Ok(first.map(zone::timestamp).transpose()?)
}
