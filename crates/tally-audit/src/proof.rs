//! The proof of one entry, to be handed to someone who does not get the others.

use serde::{Deserialize, Serialize};

use crate::{
    Checkpoint, Hash256, LogEntry, NoteError, PublicKey, TreeHead,
    tree::{TreeError, verify_inclusion},
};

/// An entry, the hashes that lead from it to the root, and the checkpoint of that root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InclusionProof {
    /// The entry.
    pub entry: LogEntry,
    /// The hashes beside its way to the root, the lowest first.
    pub inclusion: Vec<Hash256>,
    /// The signed checkpoint.
    pub checkpoint: String,
}

/// Why an entry is not proven.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// Something is wrong with the checkpoint.
    #[error("the checkpoint of the proof: {0}")]
    Checkpoint(#[from] NoteError),
    /// The entry is not in the tree.
    #[error("entry {0} is not in the log that the checkpoint attests: {1}")]
    Entry(u64, TreeError),
}

// === impl InclusionProof ===

impl InclusionProof {
    /// Whether the entry was in the log as one of these keys attests; without keys, only
    /// whether it fits the checkpoint.
    ///
    /// # Errors
    /// What does not fit.
    pub fn verify(&self, keys: &[PublicKey]) -> Result<TreeHead, ProofError> {
        let checkpoint = Checkpoint::parse(&self.checkpoint)?;
        let head = checkpoint.head();
        let results: Vec<_> = keys.iter().map(|key| checkpoint.verify(key)).collect();
        if !keys.is_empty() && !results.contains(&Ok(())) {
            let forged = results
                .into_iter()
                .filter_map(Result::err)
                .max_by_key(|error| matches!(error, NoteError::Forged(_)));
            return Err(forged.unwrap_or(NoteError::Unsigned).into());
        }
        let sequence = self.entry.sequence;
        let index = sequence.wrapping_sub(1);
        verify_inclusion(&self.inclusion, index, self.entry.leaf(), head.size, head.root)
            .map_err(|error| ProofError::Entry(sequence, error))?;
        Ok(head.clone())
    }
}
