//! The crate from outside: exact costs, gaps, days, a naive model, imports.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests stop at the first thing that is not as it should be"
)]

mod bounds;
mod costs;
mod days;
mod hostile;
mod imports;
mod properties;
mod regressions;
mod shipped;
mod support;
mod unknowns;
