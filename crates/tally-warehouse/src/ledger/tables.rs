//! The ledger's tables. Older builds do not know them and do not have to: they are made
//! where they lack, without a new version of the schema.

use duckdb::Connection;

use crate::error::WarehouseError;

/// Makes the tables where they lack.
///
/// # Errors
/// When DuckDB fails.
pub(crate) fn prepare(connection: &Connection) -> Result<(), WarehouseError> {
    Ok(connection.execute_batch(
        "CREATE TABLE IF NOT EXISTS postings (
           period UINTEGER NOT NULL, entry VARCHAR NOT NULL, event_id UUID, revision UINTEGER,
           of_period UINTEGER NOT NULL, cost_center VARCHAR, team VARCHAR, workload VARCHAR,
           list BIGINT, amount BIGINT NOT NULL, charged BIGINT NOT NULL,
           subsidised BIGINT NOT NULL, unallocated BIGINT NOT NULL);
         CREATE TABLE IF NOT EXISTS statement_rows (
           period UINTEGER NOT NULL, cost_center VARCHAR, number UBIGINT NOT NULL,
           json VARCHAR NOT NULL);",
    )?)
}
