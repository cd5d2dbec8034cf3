//! Local accounts: sign-in, sessions, invitations.

use tally_types::{PersonName, Timestamp};
use uuid::Uuid;

/// A person who is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SignedIn {
    pub(crate) id: Uuid,
    pub(crate) person: PersonName,
    pub(crate) csrf_token: String,
    pub(crate) created: Timestamp,
    pub(crate) expires: Timestamp,
}

/// Sessions; see the accounts of the store.
pub(crate) struct SignIn;

impl SignIn {
    pub(crate) fn new(_state: &crate::ApiState) -> Self {
        Self
    }

    pub(crate) async fn session(
        &self,
        _headers: &http::HeaderMap,
        _now: Timestamp,
    ) -> Result<Option<SignedIn>, tally_ingest::edge::Problem> {
        Ok(None)
    }
}

impl SignedIn {
    pub(crate) fn check_csrf(
        &self,
        _method: &http::Method,
        _headers: &http::HeaderMap,
    ) -> Result<(), tally_ingest::edge::Problem> {
        Ok(())
    }
}
