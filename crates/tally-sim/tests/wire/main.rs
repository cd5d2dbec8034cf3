//! The simulator on the wire, seen by an ordinary HTTP client.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(missing_docs)]

mod anthropic;
mod determinism;
mod faults;
mod harness;
mod ledger;
mod openai;
