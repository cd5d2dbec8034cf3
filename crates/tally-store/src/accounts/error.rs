//! What can go wrong with accounts, in the categories callers act on.

use tally_types::PersonName;

use crate::StoreError;

/// Why nothing was done to an account.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AccountError {
    /// The person never joined.
    #[error("`{0}` has no account; expected someone who accepted an invitation")]
    NoAccount(PersonName),
    /// The person joined before.
    #[error("`{0}` has an account already")]
    HasAccount(PersonName),
    /// The person may not sign in.
    #[error("the account of `{0}` is disabled")]
    Disabled(PersonName),
    /// The password was changed since it was verified.
    #[error("the password was changed meanwhile")]
    PasswordChanged,
    /// No open link has this token or id.
    #[error("this link was used already, was replaced or withdrawn, or has expired")]
    InvitationUnknown,
    /// No more links may be open.
    #[error("{0} invitations are open, expected fewer; withdraw some")]
    TooManyInvitations(i64),
    /// There is an admin who can sign in.
    #[error("Tally is set up already")]
    SetUpDone,
    /// The person has no such session.
    #[error("there is no such session")]
    SessionUnknown,
    /// As for resources: `NotFound` for a person who does not exist, `Backend`.
    #[error(transparent)]
    Store(#[from] StoreError),
}

// === impl AccountError ===

impl From<sqlx::Error> for AccountError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}
