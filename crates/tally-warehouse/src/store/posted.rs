//! Postings and rows of statements as columns.

use duckdb::{
    Connection,
    arrow::array::{BinaryArray, Int64Array, UInt32Array, UInt64Array},
};
use tally_types::{CostCenterName, TeamName, WorkloadName};

use super::batch::Columns;
use crate::{
    error::WarehouseError,
    ledger::{KeptRows, Posting, packed::packed},
};

/// Appends postings of a month.
///
/// # Errors
/// When DuckDB fails.
pub(crate) fn append_postings(
    connection: &Connection,
    period: u32,
    rows: &[Posting],
) -> Result<(), WarehouseError> {
    if rows.is_empty() {
        return Ok(());
    }
    let mut columns = Columns::default();
    columns.add(UInt32Array::from_iter_values(rows.iter().map(|_| period)));
    columns.word(rows.iter().map(|row| row.entry.as_str()));
    columns.known_uuid(rows.iter().map(|row| row.event.map(|(id, _)| id.0)))?;
    columns.add(rows.iter().map(|row| row.event.map(|(_, it)| it)).collect::<UInt32Array>());
    columns.add(UInt32Array::from_iter_values(rows.iter().map(|row| row.of_period)));
    columns.text(rows.iter().map(|row| row.cost_center.as_ref().map(CostCenterName::as_str)));
    columns.text(rows.iter().map(|row| row.team.as_ref().map(TeamName::as_str)));
    columns.text(rows.iter().map(|row| row.workload.as_ref().map(WorkloadName::as_str)));
    columns.add(rows.iter().map(|row| row.list).collect::<Int64Array>());
    let mut amounts = |of: fn(&Posting) -> i64| {
        columns.add(Int64Array::from_iter_values(rows.iter().map(of)));
    };
    amounts(|row| row.amount);
    amounts(|row| row.charged);
    amounts(|row| row.subsidised);
    amounts(|row| row.unallocated);
    let mut appender = connection.appender("postings")?;
    appender.append_record_batch(columns.finish()?)?;
    appender.flush()?;
    Ok(())
}

/// Appends rows of a month's statements.
///
/// # Errors
/// When DuckDB fails.
pub(crate) fn append_rows(
    connection: &Connection,
    period: u32,
    rows: &[KeptRows],
) -> Result<(), WarehouseError> {
    if rows.is_empty() {
        return Ok(());
    }
    let mut columns = Columns::default();
    columns.add(UInt32Array::from_iter_values(rows.iter().map(|_| period)));
    columns.text(rows.iter().map(|row| row.cost_center.as_ref().map(CostCenterName::as_str)));
    columns.add(UInt64Array::from_iter_values(rows.iter().map(|row| row.number)));
    let pieces: Result<Vec<Vec<u8>>, _> = rows.iter().map(|row| packed(&row.lines)).collect();
    columns.add(BinaryArray::from_iter_values(pieces?));
    let mut appender = connection.appender("sealed_rows")?;
    appender.append_record_batch(columns.finish()?)?;
    appender.flush()?;
    Ok(())
}
