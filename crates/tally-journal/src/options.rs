//! The journal's limits, all explicit.

use std::{path::PathBuf, time::Duration};

/// What a caller waits for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Durability {
    /// The commit in the page cache: survives `kill -9`; a power cut loses at most
    /// the last [`Options::flush_every`].
    #[default]
    Relaxed,
    /// The flush to the disk: survives a power cut.
    Strict,
}

/// The journal's limits.
#[derive(Debug, Clone)]
pub struct Options {
    /// The folder that holds its files.
    pub folder: PathBuf,
    /// What a caller waits for.
    pub durability: Durability,
    /// The largest database file, in bytes. Intents are refused from nine tenths on,
    /// so that the settlements of calls under way still find room.
    pub bytes_max: u64,
    /// The most calls under way at once.
    pub open_intents_max: u32,
    /// The most appended records waiting to be committed; more wait for room.
    pub queued_records_max: u32,
    /// How often commits are flushed to the disk.
    pub flush_every: Duration,
    /// The most rows of one shipment.
    pub shipment_rows_max: usize,
    /// The shortest time between two shipments, so that the warehouse sees batches.
    pub ship_every: Duration,
}

// === impl Options ===

impl Options {
    /// The defaults, in this folder.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            durability: Durability::Relaxed,
            bytes_max: 4 << 30,
            open_intents_max: 16_384,
            queued_records_max: 100_000,
            flush_every: Duration::from_millis(100),
            shipment_rows_max: 10_000,
            ship_every: Duration::from_secs(1),
        }
    }
}
