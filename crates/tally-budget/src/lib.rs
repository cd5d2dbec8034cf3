//! Budgets as a pure state machine.
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

mod rates;

pub use rates::{Limit, Limited, Rates, Subject, Ticket};
