//! Why something is not asked for, decided or ended.

use tally_types::PersonName;

use crate::StoreError;

/// Why a grant, an exception or an access request stays as it is.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ApprovalError {
    /// What is asked for cannot be granted.
    #[error("`{field}`: {message}")]
    Invalid {
        /// The field of the request.
        field: &'static str,
        /// What was expected.
        message: String,
    },
    /// Nobody decides on what they asked for themselves.
    #[error("you asked for this yourself; somebody else has to decide: {}", names(may, or))]
    Own {
        /// Who may.
        may: Vec<PersonName>,
        /// Who may where nobody is left.
        or: &'static str,
    },
    /// Somebody else has to decide.
    #[error("this is not yours to decide; {} may", names(may, or))]
    NotYours {
        /// Who may.
        may: Vec<PersonName>,
        /// Who may where nobody is left.
        or: &'static str,
    },
    /// A repeated exception is approved only after an architecture review.
    #[error("{0}")]
    ReviewNeeded(String),
    /// It is decided, withdrawn or over.
    #[error("{0}")]
    Decided(String),
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn names(people: &[PersonName], or: &str) -> String {
    if people.is_empty() {
        return format!("{or}, once it is escalated,");
    }
    people.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

// === impl ApprovalError ===

impl ApprovalError {
    pub(crate) fn invalid(field: &'static str, message: impl Into<String>) -> Self {
        Self::Invalid { field, message: message.into() }
    }
}
