//! What people share: templates, savings stories, contributions. Everybody writes their own,
//! and nobody has a voice in what is their own.

mod contributions;
mod starter;
mod stories;
mod templates;

use tally_types::{Kind, PersonName, Timestamp};

use crate::{Store, StoreError};

pub use starter::{StarterTemplate, starter};
pub use templates::{NewTemplate, NewVersion, ResolvedTemplate, Ruling};

/// Who takes a step, and when.
#[derive(Debug, Clone)]
pub struct Sharer {
    /// Who.
    pub by: PersonName,
    /// When.
    pub at: Timestamp,
    /// Whether they keep what others shared in order, too.
    pub is_steward: bool,
}

/// Why a step is not taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SharingError {
    /// It is one's own, and somebody else has to do it.
    #[error("{0}")]
    Own(String),
    /// It is somebody else's.
    #[error("{0}")]
    Others(String),
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

// === impl Sharer ===

impl Sharer {
    /// Only who it belongs to, or who keeps order.
    fn must_be(&self, owner: &PersonName, what: &str) -> Result<(), SharingError> {
        if self.is_steward || self.by == *owner {
            return Ok(());
        }
        Err(SharingError::Others(format!("{what} belongs to `{owner}`, who alone changes it")))
    }

    /// Anybody but who it belongs to.
    fn must_not_be(&self, owner: &PersonName, what: &str) -> Result<(), SharingError> {
        if self.by != *owner {
            return Ok(());
        }
        Err(SharingError::Own(format!("{what} is your own; somebody else has to decide")))
    }
}

// === impl Store ===

impl Store {
    /// Why something that is to be changed is not there.
    async fn is_missing(&self, kind: Kind, name: &tally_types::Name) -> SharingError {
        match self.require(kind, name).await {
            Err(error) => error.into(),
            // It was made between two looks.
            Ok(_) => StoreError::Argument("look at it again, it is new".to_owned()).into(),
        }
    }
}
