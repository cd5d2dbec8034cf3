//! Why a grant is not asked for, decided or ended.

use tally_types::PersonName;

use crate::StoreError;

/// Why a grant stays as it is.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GrantError {
    /// What is asked for cannot be granted.
    #[error("`{field}`: {message}")]
    Invalid {
        /// The field of the request.
        field: &'static str,
        /// What was expected.
        message: String,
    },
    /// Nobody decides on what they asked for themselves.
    #[error("you asked for this yourself; somebody else has to decide: {}", names(may))]
    Own {
        /// Who may.
        may: Vec<PersonName>,
    },
    /// Somebody else has to decide.
    #[error("this is not yours to decide; {} may", names(may))]
    NotYours {
        /// Who may.
        may: Vec<PersonName>,
    },
    /// It is decided, withdrawn or over.
    #[error("{0}")]
    Decided(String),
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn names(people: &[PersonName]) -> String {
    if people.is_empty() {
        return "FinOps or an admin, once it is escalated,".to_owned();
    }
    people.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

// === impl GrantError ===

impl GrantError {
    pub(crate) fn invalid(field: &'static str, message: impl Into<String>) -> Self {
        Self::Invalid { field, message: message.into() }
    }
}
