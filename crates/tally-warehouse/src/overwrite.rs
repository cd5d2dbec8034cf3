//! Leaving nothing in the file of what no row holds any more.
//!
//! A row that is deleted or changed leaves its old values behind: in the part of the table it
//! stood in, in blocks that small columns share, in statistics (the first letters of the
//! smallest and the largest text), in blocks that are free. So every table is written anew,
//! one after the other, and then the free blocks are written over.

use duckdb::Connection;

use crate::{error::WarehouseError, warehouse::Warehouse};

/// So much free space is written over at once, at most.
const OVERWRITTEN_BYTES_MAX: u64 = 16 << 30;
/// So many parts of metadata blocks are written over at once, at most: 64 MB.
const METADATA_PARTS_MAX: u64 = 16_384;
/// A table of so many columns…
const METADATA_COLUMNS: u32 = 1_000;
/// …fills at least so many parts, of 4 KB each.
const METADATA_PARTS_OF_TABLE: u64 = 16;
/// A table that is being written anew.
const NEW: &str = "written_anew";

// === impl Warehouse ===

impl Warehouse {
    /// Writes all tables anew and writes over what is free then. It takes as long as to copy
    /// the file, and as much space again; others write between two tables, queries go on.
    /// Gives how many bytes were written over.
    ///
    /// # Errors
    /// When DuckDB fails, also because a query that goes on needs what was there before:
    /// nothing is lost then, and it can be called again.
    pub fn overwrite(&self) -> Result<u64, WarehouseError> {
        for table in self.read(|connection, _| tables(connection))? {
            self.in_transaction(|connection, _| write_anew(connection, &table))?;
        }
        self.checkpoint()?;
        self.on_writer(|connection| {
            let sql = "SELECT free_blocks::UBIGINT * block_size::UBIGINT FROM pragma_database_size()";
            let free: u64 = connection.query_row(sql, [], |row| row.get(0))?;
            let free = free.min(OVERWRITTEN_BYTES_MAX);
            if free > 0 {
                // Hashes cannot be packed, so as many bytes are written as are free.
                connection.execute_batch(&format!(
                    "CREATE OR REPLACE TABLE {NEW} AS SELECT hash(range) AS noise FROM range({rows});
                     CHECKPOINT; DROP TABLE {NEW}; CHECKPOINT;",
                    rows = free.div_ceil(8)
                ))?;
            }
            overwrite_metadata(connection)?;
            Ok(free)
        })
    }
}

/// Statistics of before stand in parts of metadata blocks that count as used: tables of nothing
/// but columns take their place. A checkpoint frees what the one before it wrote, hence twice.
fn overwrite_metadata(connection: &Connection) -> Result<(), duckdb::Error> {
    let columns: Vec<_> = (0..METADATA_COLUMNS).map(|number| format!("0 AS c{number}")).collect();
    let columns = columns.join(", ");
    for _ in 0..2 {
        let sql = "SELECT coalesce(sum(free_blocks), 0)::UBIGINT FROM pragma_metadata_info()";
        let free: u64 = connection.query_row(sql, [], |row| row.get(0))?;
        let tables = free.min(METADATA_PARTS_MAX).div_ceil(METADATA_PARTS_OF_TABLE);
        let each = |sql: &dyn Fn(u64) -> String| (0..tables).map(sql).collect::<String>();
        let create = each(&|number| format!("CREATE TABLE {NEW}_{number} AS SELECT {columns};"));
        let drop = each(&|number| format!("DROP TABLE {NEW}_{number};"));
        connection.execute_batch(&format!("{create} CHECKPOINT; {drop} CHECKPOINT;"))?;
    }
    Ok(())
}

fn tables(connection: &Connection) -> Result<Vec<String>, WarehouseError> {
    let sql = "SELECT table_name FROM duckdb_tables() \
               WHERE NOT internal AND NOT temporary AND database_name = current_database()";
    let mut statement = connection.prepare(sql)?;
    let names = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(names)
}

/// The rows keep their order, by which a query leaves out most of them.
fn write_anew(connection: &Connection, table: &str) -> Result<(), WarehouseError> {
    let sql = "SELECT sql FROM duckdb_tables() WHERE table_name = ? AND NOT temporary";
    let create: String = connection.query_row(sql, [table], |row| row.get(0))?;
    let create = create.replacen(table, NEW, 1);
    connection.execute_batch(&format!(
        "{create}
         INSERT INTO {NEW} SELECT * FROM {table} ORDER BY rowid;
         DROP TABLE {table};
         ALTER TABLE {NEW} RENAME TO {table};"
    ))?;
    Ok(())
}
