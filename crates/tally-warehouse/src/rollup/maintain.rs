//! Building rollups from the events.

use duckdb::Connection;
use jiff::Timestamp;

use super::{
    Bucket, Content, Part, TABLES, Table,
    dirty::{Open, changed, list, mark_days, open_day, set_open},
    tasks,
};
use crate::{
    error::WarehouseError,
    zone::{self, Calendar, QUARTER_US, date_of},
};

/// The most quarter-hours that are built in one go, so that their groups, with
/// their wide histograms, fit in memory: a day.
const RUN_MAX_US: i64 = 96 * QUARTER_US;
/// The rollups by day hold of the day that goes on what is older than this. Calls are
/// stored when they end, under the time they began: few are stored later than that.
const SETTLED_AFTER_US: i64 = 10 * 60_000_000;

/// Dirty quarter-hours that ended by a time, as ranges in microseconds. Clean ones
/// between them are built again, too: one statement for a day beats one for each.
///
/// # Errors
/// When DuckDB fails.
pub(crate) fn dirty_runs(
    connection: &Connection,
    until_us: i64,
) -> Result<Vec<(i64, i64)>, WarehouseError> {
    let mut runs: Vec<(i64, i64)> = Vec::new();
    for start in list(connection, "dirty_quarters")? {
        let end = start.saturating_add(QUARTER_US);
        if end > until_us {
            break;
        }
        match runs.last_mut() {
            Some((first, last)) if end - *first <= RUN_MAX_US => *last = end,
            _ => runs.push((start, end)),
        }
    }
    Ok(runs)
}

/// Builds a run of quarter-hours anew.
///
/// # Errors
/// When DuckDB fails; the caller's transaction must then be rolled back.
pub(crate) fn compact_quarters(
    connection: &Connection,
    calendar: &Calendar,
    (from, to): (i64, i64),
) -> Result<(), WarehouseError> {
    let part = Part { calendar, from: zone::timestamp(from)?, to: zone::timestamp(to)? };
    let between = format!("bucket >= {from} AND bucket < {to}");
    for table in TABLES.iter().filter(|table| table.bucket == Bucket::Quarter) {
        connection.execute_batch(&format!("DELETE FROM {} WHERE {between}", table.name))?;
        connection.execute_batch(&table.fill_sql(&part))?;
        changed(connection, table.name)?;
    }
    connection.execute_batch(&format!("DELETE FROM dirty_quarters WHERE {between}"))?;
    Ok(())
}

/// Dirty local days that ended by a time.
///
/// # Errors
/// When DuckDB fails or a day lies outside the calendar.
pub(crate) fn closed_days(
    connection: &Connection,
    calendar: &Calendar,
    until: Timestamp,
) -> Result<Vec<i64>, WarehouseError> {
    let today = i64::from(zone::day_number(calendar.date(until)));
    Ok(list(connection, "dirty_days")?.into_iter().take_while(|day| *day < today).collect())
}

/// Builds a local day anew.
///
/// # Errors
/// When DuckDB fails; the caller's transaction must then be rolled back.
pub(crate) fn compact_day(
    connection: &Connection,
    calendar: &Calendar,
    day: i64,
) -> Result<(), WarehouseError> {
    let date = date_of(day)?;
    let (from, to) = (calendar.midnight(date)?, calendar.midnight(date.tomorrow()?)?);
    let part = Part { calendar, from, to };
    build_rows(connection, &part, day)?;
    for table in TABLES.iter().filter(|table| table.bucket == Bucket::Day) {
        changed(connection, table.name)?;
    }
    if open_day(connection)?.is_some_and(|open| open.day == day) {
        set_open(connection, None)?;
    }
    connection.execute_batch(&format!("DELETE FROM dirty_days WHERE bucket = {day}"))?;
    Ok(())
}

/// Builds a local day's rows of all rollups by day from a part of its events.
fn build_rows(connection: &Connection, part: &Part<'_>, day: i64) -> Result<(), WarehouseError> {
    for table in TABLES.iter().filter(|table| table.bucket == Bucket::Day) {
        connection.execute_batch(&format!("DELETE FROM {} WHERE bucket = {day}", table.name))?;
        table.build_day(connection, part, day)?;
    }
    Ok(())
}

/// How far the rollups by local day can be built for the day that goes on; none when
/// they are, or when it has no new events.
///
/// # Errors
/// When DuckDB fails or the day lies outside the calendar.
pub(crate) fn open_due(
    connection: &Connection,
    calendar: &Calendar,
    now: Timestamp,
) -> Result<Option<Open>, WarehouseError> {
    let until_us = zone::quarter_until(now.as_microsecond().saturating_sub(SETTLED_AFTER_US));
    let today = calendar.date(now);
    let open = Open { day: i64::from(zone::day_number(today)), until_us };
    let begun = calendar.midnight(today)?.as_microsecond() < until_us;
    let behind = begun && open_day(connection)? != Some(open);
    Ok((behind && list(connection, "dirty_days")?.contains(&open.day)).then_some(open))
}

/// Builds the beginning of the day that goes on.
///
/// # Errors
/// When DuckDB fails; the caller's transaction must then be rolled back.
pub(crate) fn build_open(
    connection: &Connection,
    calendar: &Calendar,
    open: Open,
) -> Result<(), WarehouseError> {
    let from = calendar.midnight(date_of(open.day)?)?;
    let part = Part { calendar, from, to: zone::timestamp(open.until_us)? };
    build_rows(connection, &part, open.day)?;
    set_open(connection, Some(open))
}

/// Empties the rollups by local day, of which another zone has others; [`compact_day`] builds them.
///
/// # Errors
/// When DuckDB fails; the caller's transaction must then be rolled back.
pub(crate) fn forget_days(
    connection: &Connection,
    calendar: &Calendar,
) -> Result<(), WarehouseError> {
    for table in TABLES.iter().filter(|table| table.bucket == Bucket::Day) {
        connection.execute_batch(&format!("DELETE FROM {}", table.name))?;
        changed(connection, table.name)?;
    }
    tasks::clear(connection)?;
    set_open(connection, None)?;
    mark_days(connection, calendar)
}

/// Fills rollups by local day that are new, for the days whose other rollups are up to date.
///
/// # Errors
/// When DuckDB fails; the caller's transaction must then be rolled back.
pub(crate) fn fill_new(
    connection: &Connection,
    calendar: &Calendar,
    is_new: impl Fn(&Table) -> bool,
) -> Result<(), WarehouseError> {
    let dirty = list(connection, "dirty_days")?;
    // Its rows lack the new rollups: it is built again as a whole.
    set_open(connection, None)?;
    each_day(connection, calendar, |day, part| {
        if dirty.contains(&day) {
            return Ok(());
        }
        for table in TABLES.iter().filter(|table| is_new(table)) {
            table.build_day(connection, part, day)?;
        }
        Ok(())
    })
}

/// Does something for each local day that has events.
fn each_day(
    connection: &Connection,
    calendar: &Calendar,
    mut work: impl FnMut(i64, &Part<'_>) -> Result<(), WarehouseError>,
) -> Result<(), WarehouseError> {
    let mut next = first_event(connection, i64::MIN)?;
    while let Some(time) = next {
        let date = calendar.date(time);
        let (from, to) = (calendar.midnight(date)?, calendar.next_midnight(time)?);
        work(i64::from(zone::day_number(date)), &Part { calendar, from, to })?;
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

// === impl Table ===

impl Table {
    /// Builds a local day's rows from a part of its events; the old ones are gone already.
    fn build_day(
        &self,
        connection: &Connection,
        part: &Part<'_>,
        day: i64,
    ) -> Result<(), WarehouseError> {
        match self.content {
            Content::Tasks => self.build_task_day(connection, part, day),
            _ => Ok(connection.execute_batch(&self.fill_sql(part))?),
        }
    }
}
