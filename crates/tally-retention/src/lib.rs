//! Forgetting in time. Calls lose what says who made them, and kept prompts are deleted, when
//! the organization's `retention` says so for their class of data; people who are erased are
//! forgotten at once, and again after a restore.
//!
//! Invariants:
//! - What a call cost, and who pays for it, stays: no statement changes.
//! - A run works in small batches with pauses and ends after a bounded number of them, so
//!   that calls and queries get their turn; the next run goes on.
//! - A run that purged something leaves one entry in the audit log; a prompt is shown only
//!   after the entry that says who reads it, and why, is written.
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

mod erasure;
mod error;
mod keeper;
mod prompts;
mod purge;
mod view;

pub use erasure::ErasedCalls;
pub use error::RetentionError;
pub use keeper::Keeper;
pub use prompts::{KeptPromptView, REASON_CHARACTERS_MIN, ReadPrompt};
pub use purge::{ClassPurge, EVENTS_PER_RUN_MAX, PurgeRun};
pub use view::{ClassView, PastRun, RetentionView};
