//! The virtual key in a request, wherever the client's SDK puts it.

use std::sync::Arc;

use http::{HeaderMap, StatusCode, header};
use tally_types::{KeyScope, Timestamp, spec::KeySuspension};

use crate::{
    Gateway, contain,
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

/// Whose key a call shows.
pub(crate) struct Known {
    pub(crate) plane: Arc<DataPlane>,
    pub(crate) identity: Arc<Identity>,
    /// Whether the client's own credentials pass through.
    pub(crate) subscription: bool,
    /// Why nothing is served to it for now.
    pub(crate) suspended: Option<Arc<KeySuspension>>,
}

pub(crate) fn admit(
    gateway: &Gateway,
    headers: &HeaderMap,
    now: Timestamp,
) -> Result<Known, Refusal> {
    let ShownKey { secret, subscription } = shown_key(headers).ok_or_else(missing_key)?;
    let (plane, identity, suspended) = gateway.look_up(secret, now)?;
    require_scope(&identity, KeyScope::Gateway)?;
    Ok(Known { plane, identity, subscription, suspended })
}

// === impl Gateway ===

impl Gateway {
    /// Whose key this is, and the resources that say so.
    ///
    /// # Errors
    /// 401 when it opens nothing, 403 while it is suspended.
    pub fn identify(
        &self,
        secret: &str,
        now: Timestamp,
    ) -> Result<(Arc<DataPlane>, Arc<Identity>), Refusal> {
        let (plane, identity, suspended) = self.look_up(secret, now)?;
        match suspended {
            Some(why) => Err(contain::refusal(&identity.key, &why)),
            None => Ok((plane, identity)),
        }
    }

    #[expect(clippy::type_complexity, reason = "three things that its two callers take apart")]
    fn look_up(
        &self,
        secret: &str,
        now: Timestamp,
    ) -> Result<(Arc<DataPlane>, Arc<Identity>, Option<Arc<KeySuspension>>), Refusal> {
        let here = self.contained.all();
        let plane = self.plane();
        let identity = plane.identify(secret, now).map_err(key_refusal)?;
        let suspended = identity.suspended(&here);
        Ok((plane, identity, suspended))
    }
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
fn key_refusal(problem: KeyProblem) -> Refusal {
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
