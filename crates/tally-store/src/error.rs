//! What can go wrong, in the categories callers act on.

use std::fmt;

use serde::{Deserialize, Serialize};
use tally_types::{Kind, Name};

/// Which resource: its kind and name, written `Budget/support-month`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ResourceId {
    /// The kind.
    pub kind: Kind,
    /// The name, unique within the kind.
    pub name: Name,
}

/// What is wrong with one resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// The resource at fault.
    pub resource: ResourceId,
    /// Where it was written, as `file:line`, when it came from a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// Path of the field within the spec, such as `stages[1].at`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// What was expected.
    pub message: String,
    /// What was probably meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suggestion: Option<String>,
}

/// Why the store did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// There is no such resource.
    #[error("there is no {kind} `{name}`{}", meant(suggestion.as_deref()))]
    NotFound {
        /// The kind asked for.
        kind: Kind,
        /// The name asked for.
        name: Name,
        /// A name of that kind that was probably meant.
        suggestion: Option<String>,
    },
    /// A resource to be created is there already.
    #[error("{kind} `{name}` exists already; expected a new name, or an update of its version")]
    AlreadyExists {
        /// Its kind.
        kind: Kind,
        /// Its name.
        name: Name,
    },
    /// The resource was changed since it was read.
    #[error("{kind} `{name}` is at version {actual}, expected version {expected}; read it again")]
    Conflict {
        /// Its kind.
        kind: Kind,
        /// Its name.
        name: Name,
        /// The version the caller based its change on.
        expected: i64,
        /// The version it has.
        actual: i64,
    },
    /// Specs that do not have their kind's shape, or break a rule between resources.
    #[error("{}", list(.0))]
    Invalid(Vec<Problem>),
    /// Fields that name resources which would not exist.
    #[error("{}", list(.0))]
    Dangling(Vec<Problem>),
    /// A resource to be deleted is named by others.
    #[error("{kind} `{name}` is in use by {}; expected nothing to refer to it", users(by))]
    InUse {
        /// Its kind.
        kind: Kind,
        /// Its name.
        name: Name,
        /// Who refers to it, with the field that does.
        by: Vec<(ResourceId, String)>,
    },
    /// Stored specs that this version of Tally cannot read; nothing was dropped.
    #[error("the store holds resources that this version of tally cannot read: {}", list(.0))]
    Unreadable(Vec<Problem>),
    /// The database was written by a newer Tally.
    #[error("the database has schema {found}, expected at most {known}; start the newer tally")]
    NewerSchema {
        /// The database's.
        found: i64,
        /// The newest this version knows.
        known: i64,
    },
    /// An argument that is not about a resource's spec.
    #[error("{0}")]
    Argument(String),
    /// The database failed.
    #[error("the database failed: {0}")]
    Backend(String),
}

/// `; did you mean …?`, or nothing.
pub(crate) fn meant(suggestion: Option<&str>) -> String {
    suggestion.map(|word| format!("; did you mean `{word}`?")).unwrap_or_default()
}

fn list(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

fn users(by: &[(ResourceId, String)]) -> String {
    const SHOWN: usize = 10;
    let mut shown: Vec<String> =
        by.iter().take(SHOWN).map(|(id, field)| format!("{id} ({field})")).collect();
    if by.len() > SHOWN {
        shown.push(format!("{} more", by.len() - SHOWN));
    }
    shown.join(", ")
}

// === impl ResourceId ===

impl ResourceId {
    /// The resource of that kind and name.
    pub const fn new(kind: Kind, name: Name) -> Self {
        Self { kind, name }
    }
}

impl fmt::Display for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind, self.name)
    }
}

// === impl Problem ===

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(origin) = &self.origin {
            write!(f, "{origin}: ")?;
        }
        write!(f, "{}: ", self.resource)?;
        if let Some(field) = self.field.as_ref().filter(|field| !field.is_empty()) {
            write!(f, "{field}: ")?;
        }
        write!(f, "{}{}", self.message, meant(self.suggestion.as_deref()))
    }
}

// === impl StoreError ===

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        Self::Backend(error.to_string())
    }
}
