//! The ledger's tables: made where they lack, without a new version of the schema.

use duckdb::{Connection, params};

use super::packed::packed;
use crate::error::WarehouseError;

/// Makes the tables where they lack.
///
/// # Errors
/// When DuckDB fails.
pub(crate) fn prepare(connection: &Connection) -> Result<(), WarehouseError> {
    connection.execute_batch(
        "CREATE TABLE IF NOT EXISTS postings (
           period UINTEGER NOT NULL, entry VARCHAR NOT NULL, event_id UUID, revision UINTEGER,
           of_period UINTEGER NOT NULL, cost_center VARCHAR, team VARCHAR, workload VARCHAR,
           list BIGINT, amount BIGINT NOT NULL, charged BIGINT NOT NULL,
           subsidised BIGINT NOT NULL, unallocated BIGINT NOT NULL);
         CREATE TABLE IF NOT EXISTS sealed_rows (
           period UINTEGER NOT NULL, cost_center VARCHAR, number UBIGINT NOT NULL,
           lines BLOB NOT NULL);",
    )?;
    if has_single_rows(connection)? { pack_single_rows(connection) } else { Ok(()) }
}

/// Earlier builds kept each row by itself.
fn has_single_rows(connection: &Connection) -> Result<bool, WarehouseError> {
    let sql = "SELECT count(*) > 0 FROM duckdb_tables() WHERE table_name = 'statement_rows'";
    Ok(connection.query_row(sql, [], |row| row.get(0))?)
}

fn pack_single_rows(connection: &Connection) -> Result<(), WarehouseError> {
    // A piece of each thousand; the order of the bytes is the one they were sealed in.
    let sql =
        "SELECT period, cost_center, min(number), string_agg(json || chr(10), '' ORDER BY number)
               FROM statement_rows GROUP BY period, cost_center, number // 1000
               ORDER BY period, cost_center, min(number)";
    let insert = "INSERT INTO sealed_rows VALUES (?, ?, ?, ?)";
    connection.execute_batch("BEGIN")?;
    let mut pieces = connection.prepare(sql)?;
    let mut rows = pieces.query([])?;
    while let Some(row) = rows.next()? {
        let (period, center, number, lines): (u32, Option<String>, u64, String) =
            (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
        connection.execute(insert, params![period, center, number, packed(&lines)?])?;
    }
    connection.execute_batch("DROP TABLE statement_rows; COMMIT")?;
    Ok(())
}
