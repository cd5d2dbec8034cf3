//! What the API's callers may rely on: over a real store, journal and warehouse.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    unreachable_pub,
    reason = "tests"
)]

mod access;
mod audit_log;
mod audited;
mod calls;
mod catalog;
mod document;
mod exceptions;
mod grants;
mod hostile;
mod idempotency;
mod keys;
mod live;
mod notifications;
mod policies;
mod query;
mod reconciliations;
mod resources;
mod retention;
mod rollout;
mod scoreboards;
mod sharing;
mod sign_in;
mod statements;
mod support;
mod ui;
mod works_council;
