//! The virtual key in a request, wherever the client's SDK puts it.

use std::sync::Arc;

use http::{HeaderMap, StatusCode, header};
use tally_types::{KeyScope, Timestamp};

use crate::{
    plane::{DataPlane, Identity, KeyProblem},
    refusal::Refusal,
};

/// The key a request shows, and whether the provider's own credentials are beside it.
pub(crate) struct ShownKey<'a> {
    pub(crate) secret: &'a str,
    /// The client is signed in with the provider (a subscription): its credentials
    /// pass through.
    pub(crate) subscription: bool,
}

pub(crate) fn shown_key(headers: &HeaderMap) -> Option<ShownKey<'_>> {
    if let Some(secret) = text(headers, "x-tally-key") {
        return Some(ShownKey { secret, subscription: provider_credential(headers).is_some() });
    }
    provider_credential(headers).map(|secret| ShownKey { secret, subscription: false })
}

fn provider_credential(headers: &HeaderMap) -> Option<&str> {
    let bearer = text(headers, header::AUTHORIZATION.as_str()).and_then(|value| {
        let (scheme, secret) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| secret.trim())
    });
    bearer
        .or_else(|| text(headers, "x-api-key"))
        .or_else(|| text(headers, "x-goog-api-key"))
        .filter(|secret| !secret.is_empty())
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

/// The key that a request shows, for rooms that identify callers as the gateway does.
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    shown_key(headers).map(|shown| shown.secret)
}

/// Whose key a call shows, and whether the client's own credentials pass through.
pub(crate) fn admit(
    plane: &DataPlane,
    headers: &HeaderMap,
    now: Timestamp,
) -> Result<(Arc<Identity>, bool), Refusal> {
    let shown = shown_key(headers).ok_or_else(missing_key)?;
    let identity = plane.identify(shown.secret, now).map_err(key_refusal)?;
    require_scope(&identity, KeyScope::Gateway)?;
    Ok((identity, shown.subscription))
}

/// Refuses a key that may not be used for this.
///
/// # Errors
/// 403 that names the scope.
pub fn require_scope(identity: &Identity, scope: KeyScope) -> Result<(), Refusal> {
    if identity.allows(scope) {
        return Ok(());
    }
    let message = format!("this Tally key does not have the scope `{scope}`");
    Err(Refusal::new(StatusCode::FORBIDDEN, "scope_missing", message)
        .with_next_step(format!("use a key whose `scopes` hold `{scope}`, or that has none")))
}

fn missing_key() -> Refusal {
    Refusal::new(StatusCode::UNAUTHORIZED, "key_missing", "no Tally key was sent")
        .with_next_step("send it as `authorization: Bearer …`, `x-api-key` or `x-tally-key`")
}

/// Never says whether a secret was close to another.
pub fn key_refusal(problem: KeyProblem) -> Refusal {
    let (code, message, next_step) = match problem {
        KeyProblem::Unknown => (
            "key_unknown",
            "no Tally key has this secret",
            "check for a cut or outdated key; `tally key create` makes one",
        ),
        KeyProblem::Revoked => {
            ("key_revoked", "this Tally key was revoked", "ask its owner or an admin for a new one")
        }
        KeyProblem::Expired => {
            ("key_expired", "this Tally key has expired", "ask its owner or an admin for a new one")
        }
    };
    Refusal::new(StatusCode::UNAUTHORIZED, code, message).with_next_step(next_step)
}
