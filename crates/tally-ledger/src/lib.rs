//! Showback and chargeback: what was used, who pays for it, and the papers that say so.
//!
//! - [`ChargeRow`] is the finest thing a statement and an export are made of.
//!
//! Invariants: integers only, never floats; a closed statement never changes.
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

mod at_list;
pub mod focus;
pub mod reconcile;
mod row;

pub use at_list::{AtList, PricedMeter, meter_of};
pub use row::{ChargeLine, ChargeRow, Payment};
