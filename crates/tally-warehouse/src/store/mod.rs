//! Writing exactly once, and reading single events back.

mod batch;
mod existing;
mod read;
mod story;
mod write;

pub(crate) use read::{event, events, has_simulated};
pub use story::TaskSummary;
pub(crate) use story::{call, outcome, task};
pub use write::WriteReport;
pub(crate) use write::{last_sequence, write};
