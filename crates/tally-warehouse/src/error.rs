//! What can go wrong.

/// Why the warehouse could not be opened, written or read.
#[derive(Debug, thiserror::Error)]
pub enum WarehouseError {
    /// DuckDB refused; the transaction, if any, was rolled back.
    #[error("the warehouse's database failed: {0}")]
    Database(#[from] duckdb::Error),
    /// The file was written by a newer Tally.
    #[error(
        "the warehouse has schema version {found}, this Tally knows up to {known}: start the newer Tally, or restore a backup taken before the upgrade"
    )]
    NewerSchema {
        /// The version in the file.
        found: i64,
        /// The newest version this build knows.
        known: i64,
    },
    /// What was stored cannot be read back.
    #[error("a stored value cannot be read: {0}")]
    Corrupt(String),
    /// A time lies outside the calendar.
    #[error("a time lies outside the calendar: {0}")]
    Calendar(#[from] jiff::Error),
    /// A file for other programs could not be written.
    #[error("the file cannot be written: {0}")]
    File(#[from] parquet::errors::ParquetError),
}

/// Why a query was not answered.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// The query itself is wrong; the message says what and what was expected.
    #[error("{0}")]
    Invalid(String),
    /// More groups than anyone can read: narrow the query.
    #[error(
        "the query has more than {0} groups (series × buckets): use fewer dimensions, a coarser grain, a shorter range or a filter"
    )]
    TooManyGroups(usize),
    /// The warehouse failed.
    #[error(transparent)]
    Warehouse(#[from] WarehouseError),
}

impl From<duckdb::Error> for QueryError {
    fn from(error: duckdb::Error) -> Self {
        Self::Warehouse(error.into())
    }
}

impl From<jiff::Error> for QueryError {
    fn from(error: jiff::Error) -> Self {
        Self::Warehouse(error.into())
    }
}
