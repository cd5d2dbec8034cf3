//! What a call costs: price lists by model and day, and the price of one call.
//!
//! - [`PriceCatalog`] answers what a call costs and which version of which list says so.
//! - [`shipped()`] is the list that comes with Tally.
//! - [`import`] reads the public price lists.
//! - [`rates`] make an internal rate of a list rate.
//!
//! Invariants: integers only, never floats; no I/O, no clock; a price that no
//! list states is [`Price::Unknown`] with a reason, never zero.
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

mod bound;
mod catalog;
mod cost;
mod event;
mod explain;
mod gap;
pub mod import;
mod modifier;
pub mod rates;
mod sheet;
mod shipped;

pub use bound::Ceiling;
pub use catalog::{Found, PriceCatalog};
pub use cost::{Billable, Price};
pub use event::leave_unpriced;
pub use explain::{MeterLine, PriceBreakdown, PriceLine, PriceUnit};
pub use shipped::{SHIPPED_LIST, ShippedError, shipped};
