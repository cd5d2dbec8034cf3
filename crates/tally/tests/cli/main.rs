//! The command line against a real `tally serve` and a real `tally sim`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod apply;
mod audit;
mod connection;
mod demo;
mod grants;
mod keys;
mod prices;
mod start;
mod support;
mod usage;
