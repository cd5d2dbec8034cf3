//! Budgets against a model, rule by rule, and shared by several nodes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    missing_docs,
    reason = "a test"
)]

mod leases;
mod model;
mod rules;
mod support;
