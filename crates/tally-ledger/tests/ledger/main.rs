//! The ledger over a real store and warehouse, and its arithmetic over made-up months.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod bills;
mod months;
mod properties;
mod support;
