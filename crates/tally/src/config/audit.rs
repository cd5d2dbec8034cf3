//! `[audit]`: when the audit log is signed, and where its checkpoints go.

use std::path::PathBuf;

use anyhow::bail;
use serde::{Deserialize, Serialize};
use tally_types::PersonName;

/// When and where.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Audit {
    /// After so many seconds with something new in the log it is signed.
    pub(crate) checkpoint_s: u32,
    /// After so many new entries, too.
    pub(crate) checkpoint_entries: u32,
    /// A file that holds the newest checkpoint, or a folder in which each gets a file of
    /// its own; nothing when empty. Best on a machine that Tally's operator cannot change.
    pub(crate) publish_file: PathBuf,
    /// Whether each goes to the webhooks and chats of `[notify]`.
    pub(crate) publish_webhooks: bool,
    /// People who get each in their inbox and by mail.
    pub(crate) publish_people: Vec<PersonName>,
}

// === impl Audit ===

impl Default for Audit {
    fn default() -> Self {
        Self {
            checkpoint_s: 600,
            checkpoint_entries: 1_000,
            publish_file: PathBuf::new(),
            publish_webhooks: false,
            publish_people: Vec::new(),
        }
    }
}

impl Audit {
    pub(super) fn check(&self) -> anyhow::Result<()> {
        for (key, value) in
            [("checkpoint_s", self.checkpoint_s), ("checkpoint_entries", self.checkpoint_entries)]
        {
            if value < 1 {
                bail!("`audit.{key}` is {value}; expected at least 1");
            }
        }
        Ok(())
    }
}
