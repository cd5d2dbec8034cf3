//! Writing exactly once, and reading single events back.

mod batch;
mod existing;
mod posted;
mod read;
mod story;
mod write;

pub(crate) use posted::{append_postings, append_rows};
pub(crate) use read::{event, events, has_simulated};
pub use story::TaskSummary;
pub(crate) use story::{call, outcome, task};
pub use write::WriteReport;
pub(crate) use write::{last_sequence, write};
