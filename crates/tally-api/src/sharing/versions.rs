//! Versions of templates: written, submitted, reviewed, tried.

use axum::{Extension, Json, body::Body, extract::State};
use schemars::JsonSchema;
use serde::Deserialize;
use tally_ingest::edge::Problem;
use tally_store::sharing::{NewVersion, Ruling};
use tally_types::{
    Resource,
    spec::{TemplateAbout, TemplateText},
};

use super::{Shared, body, sharer, why};
use crate::{caller::Caller, params::PathParams};

/// Another version.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "TemplateVersionDraft")]
pub(super) struct NewVersionBody {
    /// What it says.
    text: TemplateText,
    /// What the template is for from here on, where that changes.
    #[serde(default)]
    about: Option<TemplateAbout>,
}

/// A version by its number.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "TemplateVersionNumber")]
pub(super) struct Numbered {
    /// Its number.
    version: u32,
}

/// What somebody else says of a version.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "TemplateVersionRuling")]
pub(super) struct Review {
    /// Its number.
    version: u32,
    /// Whether it may be used; else it goes back to its author, with a note.
    approves: bool,
    /// What is to be said.
    #[serde(default)]
    note: Option<String>,
}

/// How a version did.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewTemplateEvaluation")]
pub(super) struct Evaluation {
    /// Its number.
    version: u32,
    /// What was tried, and how it went.
    text: String,
}

/// `POST /api/v1/templates/{name}/versions`
pub(super) async fn add(
    State(api): Shared,
    Extension(path): Extension<PathParams>,
    Extension(caller): Extension<Caller>,
    sent: Body,
) -> Result<Json<Resource>, Problem> {
    let (name, by) = (path.name()?, sharer(&api, &caller)?);
    let NewVersionBody { text, about } = body(sent).await?;
    let new = NewVersion { text, about };
    let done = api.state.store.add_template_version(&caller.actor(), name, by, new).await;
    done.map(Json).map_err(why)
}

/// `POST /api/v1/templates/{name}/submit`
pub(super) async fn submit(
    State(api): Shared,
    Extension(path): Extension<PathParams>,
    Extension(caller): Extension<Caller>,
    sent: Body,
) -> Result<Json<Resource>, Problem> {
    let (name, by) = (path.name()?, sharer(&api, &caller)?);
    let Numbered { version } = body(sent).await?;
    let done = api.state.store.submit_template_version(&caller.actor(), name, by, version).await;
    done.map(Json).map_err(why)
}

/// `POST /api/v1/templates/{name}/review`
pub(super) async fn review(
    State(api): Shared,
    Extension(path): Extension<PathParams>,
    Extension(caller): Extension<Caller>,
    sent: Body,
) -> Result<Json<Resource>, Problem> {
    let (name, by) = (path.name()?, sharer(&api, &caller)?);
    let Review { version, approves, note } = body(sent).await?;
    let ruling = Ruling { version, approves, note };
    let done = api.state.store.rule_on_template_version(&caller.actor(), name, by, ruling).await;
    done.map(Json).map_err(why)
}

/// `POST /api/v1/templates/{name}/evaluations`
pub(super) async fn evaluate(
    State(api): Shared,
    Extension(path): Extension<PathParams>,
    Extension(caller): Extension<Caller>,
    sent: Body,
) -> Result<Json<Resource>, Problem> {
    let (name, by) = (path.name()?, sharer(&api, &caller)?);
    let Evaluation { version, text } = body(sent).await?;
    let store = &api.state.store;
    let done = store.evaluate_template(&caller.actor(), name, by, version, text).await;
    done.map(Json).map_err(why)
}
