//! The exported log: one JSON object a line. First what log it is, then its entries in
//! order, with checkpoints in between and one at the end.
//!
//! There is one way to write each line, so that no byte of a file is without meaning.

use serde::{Deserialize, Serialize};

use crate::{Hash256, LogEntry};

/// The version of the format.
pub const FORMAT: u32 = 1;

/// One line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Line {
    /// The first line: which log, and how long.
    Log(Header),
    /// An entry.
    Entry(Box<Exported>),
    /// A signed checkpoint of all entries above.
    Checkpoint(String),
}

/// Which log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// The version of the format.
    pub format: u32,
    /// The name of the log.
    pub origin: String,
    /// How many entries follow.
    pub size: u64,
    /// Its keys, the oldest first.
    pub keys: Vec<LogKey>,
}

/// A key that signs checkpoints.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogKey {
    /// The public key.
    pub key: String,
    /// The sequence of the entry that introduced it; it signs from there on.
    pub since: u64,
}

/// An entry and its leaf, so that a changed entry can be named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exported {
    /// The hash of its leaf.
    pub leaf: Hash256,
    /// What it says.
    pub said: LogEntry,
}

// === impl Line ===

impl Line {
    /// The line of an entry.
    pub fn entry(said: LogEntry) -> Self {
        Self::Entry(Box::new(Exported { leaf: said.leaf(), said }))
    }

    /// Its only form, without the line's end.
    pub fn to_text(&self) -> String {
        // Texts, numbers and maps of them always have a JSON form.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads a line that is in its only form.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let line: Self = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if line.to_text() == text {
            Ok(line)
        } else {
            Err("it says something, but not in the form in which Tally writes it".to_owned())
        }
    }
}
