//! What is said to a grant: yes, no, no more, never mind.

use std::sync::Arc;

use axum::{Extension, Json, body::Body, extract::State};
use schemars::JsonSchema;
use serde::Deserialize;
use tally_ingest::edge::{self, Problem};
use tally_store::grants::{GrantError, Verdict};
use tally_types::Resource;

use super::{check_visible, person, refused};
use crate::{
    caller::Caller, params::PathParams, resources::BODY_BYTES_MAX, scope::Scope, state::Api,
};

/// Why.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "GrantReason")]
pub(super) struct Reason {
    /// In 1 to 2,000 characters; an approval needs none.
    #[serde(default)]
    reason: Option<String>,
}

/// Who says something about which grant.
type Said = (Extension<PathParams>, Extension<Scope>, Extension<Caller>);

/// `POST /api/v1/grants/{name}/approve`
pub(super) async fn approve(
    State(api): State<Arc<Api>>,
    said: Said,
    body: Body,
) -> Result<Json<Resource>, Problem> {
    decide(&api, said, Verdict::Approve, body).await
}

/// `POST /api/v1/grants/{name}/deny`
pub(super) async fn deny(
    State(api): State<Arc<Api>>,
    said: Said,
    body: Body,
) -> Result<Json<Resource>, Problem> {
    decide(&api, said, Verdict::Deny, body).await
}

async fn decide(
    api: &Api,
    (Extension(path), Extension(scope), Extension(caller)): Said,
    verdict: Verdict,
    body: Body,
) -> Result<Json<Resource>, Problem> {
    let (name, by) = (path.name()?, person(&caller)?);
    let reason = read(body).await?.reason;
    check_visible(&caller, &scope, &name)?;
    let grants = api.state.store.grants();
    let decided = grants.decide(&caller.actor(), by, &name, verdict, reason.as_deref()).await;
    done(api, decided).await
}

/// `POST /api/v1/grants/{name}/revoke`
pub(super) async fn revoke(
    State(api): State<Arc<Api>>,
    (Extension(path), Extension(scope), Extension(caller)): Said,
    body: Body,
) -> Result<Json<Resource>, Problem> {
    let (name, by) = (path.name()?, person(&caller)?);
    let reason = read(body).await?.reason.unwrap_or_default();
    check_visible(&caller, &scope, &name)?;
    let revoked = api.state.store.grants().revoke(&caller.actor(), by, &name, &reason).await;
    done(&api, revoked).await
}

/// `POST /api/v1/grants/{name}/withdraw`
pub(super) async fn withdraw(
    State(api): State<Arc<Api>>,
    (Extension(path), Extension(scope), Extension(caller)): Said,
) -> Result<Json<Resource>, Problem> {
    let (name, by) = (path.name()?, person(&caller)?);
    check_visible(&caller, &scope, &name)?;
    let withdrawn = api.state.store.grants().withdraw(&caller.actor(), by, &name).await;
    done(&api, withdrawn).await
}

/// A body may be left out where nothing has to be said.
async fn read(body: Body) -> Result<Reason, Problem> {
    let bytes = edge::read(body, BODY_BYTES_MAX).await?;
    if bytes.is_empty() { Ok(Reason::default()) } else { edge::json(&bytes) }
}

/// Confirmed only when calls feel it.
async fn done(api: &Api, changed: Result<Resource, GrantError>) -> Result<Json<Resource>, Problem> {
    let resource = changed.map_err(refused)?;
    api.reached_gateway().await;
    Ok(Json(resource))
}
