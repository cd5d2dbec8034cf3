//! How much redaction finds, and how much it finds where nothing is: measured on texts
//! with known answers, made up here from a seed without any of the detectors' code.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::print_stderr,
    missing_docs
)]

mod identity;
mod measure;
mod negatives;
mod random;
mod texts;
mod values;
