//! Writing exactly once, and reading single events back.

mod batch;
mod existing;
mod read;
mod write;

pub(crate) use read::{event, events};
pub use write::WriteReport;
pub(crate) use write::{last_sequence, write};
