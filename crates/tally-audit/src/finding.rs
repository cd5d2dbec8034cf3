//! What a verifier can find.

use crate::NoteError;

/// What is wrong with a log, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Finding {
    /// A line that is none of a log.
    #[error("line {line} cannot be read, so something in it was changed: {reason}")]
    Unreadable {
        /// Which line.
        line: u64,
        /// What is wrong.
        reason: String,
    },
    /// An entry is gone.
    #[error("line {line}: entry {missing} is missing; entry {found} stands in its place")]
    Missing {
        /// Which line.
        line: u64,
        /// The entry that should be there.
        missing: u64,
        /// The one that is.
        found: u64,
    },
    /// An entry that was there before, or from elsewhere.
    #[error(
        "line {line}: entry {found} stands where entry {expected} should; entries were inserted or reordered"
    )]
    OutOfOrder {
        /// Which line.
        line: u64,
        /// The entry that should be there.
        expected: u64,
        /// The one that is.
        found: u64,
    },
    /// What an entry says is not what its hash was made of.
    #[error("line {line}: entry {entry} was changed: what it says does not give its hash")]
    Changed {
        /// Which line.
        line: u64,
        /// Which entry.
        entry: u64,
    },
    /// Entries are not those that a checkpoint of the file attests.
    #[error(
        "line {line}: entries {from} to {to} are not those that the log's checkpoint attests: at least one of them was changed, inserted, dropped or moved"
    )]
    NotAttested {
        /// The checkpoint's line.
        line: u64,
        /// The first entry that may be wrong.
        from: u64,
        /// The last one.
        to: u64,
    },
    /// The log is another one than a checkpoint that was handed out earlier attests.
    #[error(
        "entries 1 to {size} are not those of the earlier checkpoint of {size} entries: the log was rewritten since ({reason})"
    )]
    Rewritten {
        /// The checkpoint's size.
        size: u64,
        /// How that shows.
        reason: &'static str,
    },
    /// The log is shorter than it was.
    #[error("the log ends at entry {have}, but {wanted} are attested {by}: entries were cut off")]
    Truncated {
        /// How many are there.
        have: u64,
        /// How many there were.
        wanted: u64,
        /// By what.
        by: &'static str,
    },
    /// No checkpoint attests the last entries.
    #[error(
        "the entries after {attested} are attested by no checkpoint; the file was cut off, or entries were added"
    )]
    Unattested {
        /// The last entry that is.
        attested: u64,
    },
    /// A checkpoint at another place than where it was made.
    #[error("line {line}: a checkpoint of {says} entries stands after entry {at}")]
    Misplaced {
        /// Which line.
        line: u64,
        /// What it attests.
        says: u64,
        /// Where it stands.
        at: u64,
    },
    /// A checkpoint that is not signed by the key in force.
    #[error("line {line}: the checkpoint of {size} entries is not good: {reason}")]
    Signature {
        /// Which line; 0 for a checkpoint that was handed out earlier.
        line: u64,
        /// What it attests.
        size: u64,
        /// What is wrong.
        reason: NoteError,
    },
    /// A key that the log does not introduce, or that the one before did not endorse.
    #[error("key {key} is not introduced as it has to be: {reason}")]
    Key {
        /// Its id.
        key: String,
        /// What is missing.
        reason: &'static str,
    },
    /// The log's keys do not follow from those that are trusted.
    #[error(
        "key {key}, which signed last, does not follow from a key that you trust: the log may be another one, signed anew"
    )]
    Untrusted {
        /// Its id.
        key: String,
    },
}
