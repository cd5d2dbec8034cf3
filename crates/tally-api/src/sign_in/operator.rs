//! What whoever runs Tally does without being signed in.

use tally_store::{
    AccountError, Store,
    accounts::{NewInvitation, TokenHash},
};
use tally_types::PersonName;

use super::password;
use crate::SecretMaker;

/// What a key's secret begins with; tokens do without, as they are no keys.
const KEY_PREFIX: &str = "tally_";

/// Why an account was not made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NewAccountError {
    /// The password is no good.
    #[error("the password is too weak: {0}")]
    Weak(String),
    /// The password could not be hashed.
    #[error("hashing the password failed: {0}")]
    Hash(String),
    /// The store refused.
    #[error(transparent)]
    Account(#[from] AccountError),
}

/// The path of the link by which the first admin comes in, good for 24 hours; it replaces
/// the one before. None when some admin has an account.
///
/// # Errors
/// The store failed.
pub async fn set_up_link(
    store: &Store,
    secrets: &dyn SecretMaker,
) -> Result<Option<String>, AccountError> {
    let token = token(secrets);
    let link = NewInvitation { id: "set-up".to_owned(), token: TokenHash::of(&token) };
    match store.accounts().offer_set_up(link).await {
        Ok(()) => Ok(Some(format!("/set-up#token={token}"))),
        Err(AccountError::SetUpDone) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Gives someone who exists an account with this password, named after `actor` in the
/// audit trail.
///
/// # Errors
/// The password is weak, the person does not exist or has an account, the store failed.
pub async fn create_account(
    store: &Store,
    actor: &str,
    person: &PersonName,
    password: &str,
) -> Result<(), NewAccountError> {
    let snapshot = store.snapshot();
    if let Some(flaw) = password::flaw(password, person, snapshot.people.get(person.as_str())) {
        return Err(NewAccountError::Weak(flaw));
    }
    let password = password.to_owned();
    let hash = tokio::task::spawn_blocking(move || password::hash(&password))
        .await
        .map_err(|error| NewAccountError::Hash(error.to_string()))?
        .map_err(|error| NewAccountError::Hash(error.to_string()))?;
    Ok(store.accounts().create(actor, person, &hash).await?)
}

pub(super) fn token(secrets: &dyn SecretMaker) -> String {
    let secret = secrets.secret();
    secret.strip_prefix(KEY_PREFIX).unwrap_or(&secret).to_owned()
}
