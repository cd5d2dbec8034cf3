//! The gateway on the wire: a real listener, a real journal, the simulator as provider.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    missing_docs
)]

mod access;
mod bed;
mod budgets;
mod containment;
mod errors;
mod metering;
mod policies;
mod policy_table;
mod prompts;
mod redaction;
mod retries;
mod streams;
mod templates;
