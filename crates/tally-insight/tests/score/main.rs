//! Scores of a small company: what the rules say, what tricks do not bring, what explanations hold.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::expect_used)]

mod company;
mod explanations;
mod properties;
mod rules;
mod tricks;
