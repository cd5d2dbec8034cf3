//! What people share beside templates and stories.

use axum::{Extension, Json, body::Body, extract::State, response::Response};
use schemars::JsonSchema;
use serde::Deserialize;
use tally_ingest::edge::Problem;
use tally_types::{Name, Resource, spec::ContributionText};

use super::{Shared, body, created, refused, sharer, why};
use crate::{caller::Caller, params::PathParams};

/// Something to learn from.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ContributionOffer")]
pub(super) struct Offer {
    /// Its name.
    name: Name,
    /// What is shared.
    shared: ContributionText,
}

/// Whether it helps.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ContributionDecision")]
pub(super) struct Decision {
    /// Whether it does.
    confirms: bool,
    /// What is to be said.
    #[serde(default)]
    note: Option<String>,
}

/// `POST /api/v1/contributions`
pub(super) async fn offer(
    State(api): Shared,
    Extension(caller): Extension<Caller>,
    sent: Body,
) -> Result<Response, Problem> {
    let by = sharer(&api, &caller)?;
    let Offer { name, shared } = body(sent).await?;
    let offered = api.state.store.offer_contribution(&caller.actor(), name, by, shared).await;
    Ok(created(&offered.map_err(refused)?))
}

/// `POST /api/v1/contributions/{name}/decide`
pub(super) async fn decide(
    State(api): Shared,
    Extension(path): Extension<PathParams>,
    Extension(caller): Extension<Caller>,
    sent: Body,
) -> Result<Json<Resource>, Problem> {
    let (name, by) = (path.name()?, sharer(&api, &caller)?);
    let Decision { confirms, note } = body(sent).await?;
    let store = &api.state.store;
    let done = store.decide_contribution(&caller.actor(), name, by, confirms, note).await;
    done.map(Json).map_err(why)
}
