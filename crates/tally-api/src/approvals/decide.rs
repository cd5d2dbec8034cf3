//! What is said to what was asked for: yes, no, no more, never mind.

use std::sync::Arc;

use axum::{Extension, Json, body::Body, extract::State};
use schemars::JsonSchema;
use serde::Deserialize;
use tally_ingest::edge::{self, Problem};
use tally_store::approvals::{ApprovalError, Request, Verdict};
use tally_types::Resource;

use super::{check_visible, person, refused};
use crate::{
    caller::Caller, params::PathParams, resources::BODY_BYTES_MAX, scope::Scope, state::Api,
};

/// Why.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "GrantReason")]
pub(crate) struct Reason {
    /// In 1 to 2,000 characters; an approval needs none.
    #[serde(default)]
    reason: Option<String>,
}

/// Who says something about which grant.
type Said = (Extension<PathParams>, Extension<Scope>, Extension<Caller>);

/// `POST /api/v1/{kind}/{name}/approve`
pub(crate) async fn approve<T: Request>(
    State(api): State<Arc<Api>>,
    said: Said,
    body: Body,
) -> Result<Json<Resource>, Problem> {
    decide::<T>(&api, said, Verdict::Approve, body).await
}

/// `POST /api/v1/{kind}/{name}/deny`
pub(crate) async fn deny<T: Request>(
    State(api): State<Arc<Api>>,
    said: Said,
    body: Body,
) -> Result<Json<Resource>, Problem> {
    decide::<T>(&api, said, Verdict::Deny, body).await
}

async fn decide<T: Request>(
    api: &Api,
    (Extension(path), Extension(scope), Extension(caller)): Said,
    verdict: Verdict,
    body: Body,
) -> Result<Json<Resource>, Problem> {
    let (name, by) = (path.name()?, person(&caller)?);
    let reason = read(body).await?.reason;
    check_visible::<T>(&caller, &scope, &name)?;
    let all = api.state.store.approvals::<T>();
    let decided = all.decide(&caller.actor(), by, &name, verdict, reason.as_deref()).await;
    done::<T>(api, decided).await
}

/// `POST /api/v1/{kind}/{name}/revoke`
pub(crate) async fn revoke<T: Request>(
    State(api): State<Arc<Api>>,
    (Extension(path), Extension(scope), Extension(caller)): Said,
    body: Body,
) -> Result<Json<Resource>, Problem> {
    let (name, by) = (path.name()?, person(&caller)?);
    let reason = read(body).await?.reason.unwrap_or_default();
    check_visible::<T>(&caller, &scope, &name)?;
    let revoked =
        api.state.store.approvals::<T>().revoke(&caller.actor(), by, &name, &reason).await;
    done::<T>(&api, revoked).await
}

/// `POST /api/v1/{kind}/{name}/withdraw`
pub(crate) async fn withdraw<T: Request>(
    State(api): State<Arc<Api>>,
    (Extension(path), Extension(scope), Extension(caller)): Said,
) -> Result<Json<Resource>, Problem> {
    let (name, by) = (path.name()?, person(&caller)?);
    check_visible::<T>(&caller, &scope, &name)?;
    let withdrawn = api.state.store.approvals::<T>().withdraw(&caller.actor(), by, &name).await;
    done::<T>(&api, withdrawn).await
}

/// A body may be left out where nothing has to be said.
async fn read(body: Body) -> Result<Reason, Problem> {
    let bytes = edge::read(body, BODY_BYTES_MAX).await?;
    if bytes.is_empty() { Ok(Reason::default()) } else { edge::json(&bytes) }
}

/// Confirmed only when calls feel it.
pub(crate) async fn done<T: Request>(
    api: &Api,
    changed: Result<Resource, ApprovalError>,
) -> Result<Json<Resource>, Problem> {
    let resource = changed.map_err(refused::<T>)?;
    api.reached_gateway().await;
    Ok(Json(resource))
}
