//! Showback and chargeback: what was used, who pays for it, and the papers that say so.
//!
//! - [`ChargeRow`] is the finest thing a statement and an export are made of.
//! - [`funding`] says who pays; [`run`] makes rows and balanced postings of a month's calls. They are pure.
//! - [`Ledger`] reads the calls out of the warehouse, keeps what a closing made, and answers
//!   for statements: a draft is computed, a closed one is what was sealed.
//!
//! Invariants: integers only, never floats; every posting balances, to the picodollar; a
//! closed statement never changes.
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

pub mod advice;
mod books;
mod error;
pub mod focus;
pub mod funding;
mod meters;
mod money;
mod month;
pub mod print;
pub mod reconcile;
mod row;
mod rows;
pub mod run;
pub mod split;
mod statement;

pub use books::{
    Adjusted, BilledDay, CardEffect, ChargebackPreview, Closing, Ledger, Preview, Verified,
};
pub use error::LedgerError;
pub use meters::{Meters, price_names};
pub use money::{Billed, minor_units, rounded};
pub use month::Month;
pub use row::{ChargeLine, ChargeRow, Payment};
pub use run::{Made, Run, Terms};
pub use statement::{Showback, Statement, StatementHead, StatementLine, StatementState, Totals};
