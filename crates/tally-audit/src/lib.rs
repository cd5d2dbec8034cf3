//! A log that a third party can prove untouched, offline.
//!
//! Each [`LogEntry`] is a leaf of the Merkle tree of RFC 6962 ([`tree`]); a
//! [`Checkpoint`] says how many entries there are and what their root is, signed. Whoever
//! was given a checkpoint finds out whether the log they are shown later ([`export`])
//! begins with what it was then ([`Verifier`]): a bare chain of hashes can be rewritten
//! whole by its operator, a checkpoint in other hands can not.
//!
//! A leaf holds salted commitments to what an entry says, so that personal data can be
//! erased and every proof stays valid.
//!
//! Hashing, proofs and notes are those of `tlog_tiles` and `signed_note`. Pure: no I/O,
//! no clock, no randomness.
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

mod checkpoint;
mod entry;
pub mod export;
mod finding;
mod hash;
mod proof;
pub mod tree;
mod verify;

pub use checkpoint::{Checkpoint, NoteError, PublicKey, SigningKey, TreeHead};
pub use entry::{Field, LogEntry, Salt, Seed, split};
pub use finding::Finding;
pub use hash::{Hash256, HashError};
pub use proof::{InclusionProof, ProofError};
pub use verify::{KeyTrust, Report, Trust, Verifier};

/// The action of the entry that introduces a key; its fields `after.key` and
/// `after.endorsement` hold the key, and the note by which the one before introduces it.
pub const KEY_ACTION: &str = "introduce_audit_key";
/// The field that holds the key which an entry introduces.
pub const KEY_FIELD: &str = "after.key";
/// The field that holds the note of the key before.
pub const ENDORSEMENT_FIELD: &str = "after.endorsement";
