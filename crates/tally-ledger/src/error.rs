//! What can go wrong.

use tally_store::StoreError;
use tally_warehouse::WarehouseError;

/// Why the ledger did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The warehouse failed.
    #[error(transparent)]
    Warehouse(#[from] WarehouseError),
    /// The store failed or refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The month cannot be closed now, or not again.
    #[error("{0}")]
    Refused(String),
    /// An amount is larger than a posting can hold.
    #[error("an amount of {0} picodollars is larger than one posting can hold")]
    TooLarge(i128),
    /// What is kept cannot be read.
    #[error("what is kept of {0} cannot be read: {1}")]
    Unreadable(String, String),
    /// A day lies outside the calendar.
    #[error("a day lies outside the calendar: {0}")]
    Calendar(#[from] jiff::Error),
}
