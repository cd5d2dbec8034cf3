//! Prompts and replies that are kept for a while, where an organization asks for it.
//!
//! ```text
//! gateway ──offer──► bounded queue ──► writer thread ──seal──► prompts.db
//!          never waits                                             │ open, with its key
//!                                                                  ▼
//!                                              security and auditors, with a reason
//! ```
//!
//! Invariants:
//! - [`PromptQueue::offer`] never waits and never fails a call: what does not fit is not kept
//!   and counted.
//! - What is said stands in the file encrypted only (AES-256-GCM, the event's id as associated
//!   data), never in a log, an error or a metric.
//! - The queue is bounded in number and in bytes, each prompt and each reply in bytes.
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

mod cipher;
mod error;
mod prompt;
mod queue;
mod store;

pub use cipher::PromptKey;
pub use error::PromptError;
pub use prompt::{Content, KeptPrompt, PROMPT_BYTES_MAX, Prompt, REPLY_BYTES_MAX};
pub use queue::{NotKept, PromptQueue, QUEUED_BYTES_MAX, QUEUED_MAX, Writer, start};
pub use store::{ClassStats, PromptStore};
