//! What usage tells beyond its sums.
//!
//! - [`share`] measures what templates and savings stories did.
//! - [`effect`] says what a change did to a number of tasks, with an interval, and whether a claim holds.
//! - [`score`] makes the scoreboards of a season from its tasks, and explains them.
//!
//! Invariants: pure, no I/O and no clock; money goes in and out as integers, ratios are floats.
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

pub mod effect;
pub mod score;
pub mod share;
