//! The audit trail: one entry per changed resource.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tally_types::{Kind, Name, Timestamp};

/// What was done to a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuditAction {
    /// It was created.
    Create,
    /// Its spec was changed.
    Update,
    /// It was deleted.
    Delete,
    /// It was deleted because its file set no longer holds it.
    Prune,
    /// Another file set owns it now; the spec is the same. `before` and `after` hold
    /// `{"applied_by": …}` instead of specs.
    TakeOver,
}

/// One entry of the audit trail.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// 1, 2, 3… without gaps, in the order of commits.
    pub sequence: i64,
    /// When.
    pub time: Timestamp,
    /// Who, as the caller names them.
    pub actor: String,
    /// What.
    pub action: AuditAction,
    /// The kind of the resource.
    pub kind: Kind,
    /// The name of the resource.
    pub name: Name,
    /// The version after the change; of a deleted resource, the version that was deleted.
    pub version: i64,
    /// The spec before; none at creation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// The spec after; none at deletion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
    /// Why, in the actor's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// Which entries to read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Only later ones; oldest first.
    pub after_sequence: i64,
    /// Only earlier ones than this; then newest first. `i64::MAX` starts at the newest.
    pub before_sequence: Option<i64>,
    /// At most so many, 1 to 1,000; 0 stands for 100.
    pub limit: u32,
    /// Only of this kind.
    pub kind: Option<Kind>,
    /// Only of this name.
    pub name: Option<Name>,
}

// === impl AuditAction ===

impl AuditAction {
    /// Every action.
    pub const ALL: &[Self] =
        &[Self::Create, Self::Update, Self::Delete, Self::Prune, Self::TakeOver];

    /// The word used everywhere.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Prune => "prune",
            Self::TakeOver => "take_over",
        }
    }
}

impl fmt::Display for AuditAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for AuditAction {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .iter()
            .copied()
            .find(|action| action.as_str() == text)
            .ok_or_else(|| format!("`{text}` is no action of the audit trail"))
    }
}
