//! How long personal data is kept: what waits, the purge, and reading a kept prompt.

use std::sync::Arc;

use axum::{Extension, Json, body::Body, extract::State};
use http::StatusCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tally_ingest::edge::{self, Problem};
use tally_retention::{
    KeptPromptView, PurgeRun, REASON_CHARACTERS_MIN, ReadPrompt, RetentionError, RetentionView,
};
use tally_types::{EventId, Role};

use crate::{
    access::{REVIEWERS, SECURITY},
    caller::Caller,
    operation::{Access, Operation},
    params::PathParams,
    state::Api,
    store_problem::problem,
};

const TAG: &str = "retention";
/// Who reads kept prompts: nobody else, admins included.
const PROMPT_READERS: &[Role] = &[Role::Security, Role::Auditor];
const BODY_BYTES_MAX: usize = 16 << 10;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RunRetention {
    /// Only counts what would be purged; changes nothing.
    #[serde(default)]
    dry_run: bool,
}

/// What is kept of an event, if anything.
#[derive(Serialize, JsonSchema)]
struct KeptPromptOf {
    /// Null when none is kept, or none any more.
    prompt: Option<KeptPromptView>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ReadKeptPrompt {
    /// Why, in at least 10 characters; it stands in the audit trail.
    reason: String,
}

pub(crate) fn operations() -> Vec<Operation> {
    let readers = Access::Roles(PROMPT_READERS);
    vec![
        Operation::get("getRetention", "/api/v1/retention", Access::Roles(REVIEWERS), view)
            .about(TAG, "How long personal data is kept", "By class of data: the periods of the organization's `retention`, what waits for the next hourly run, what is kept; and the last runs.")
            .reply::<RetentionView>("How it stands."),
        Operation::post("runRetention", "/api/v1/retention/run", Access::Roles(SECURITY), run)
            .about(TAG, "Purge now", "Calls that are older than the period of their class of data lose what says who made them, and older kept prompts are deleted; costs stay. Bounded: `more` says whether another run is needed. A run that purged something has one entry in the audit trail.")
            .body::<RunRetention>(json!({ "dry_run": false }))
            .reply::<PurgeRun>("What was purged."),
        Operation::get("getKeptPrompt", "/api/v1/events/{id}/prompt", readers, kept)
            .about(TAG, "Whether a prompt is kept", "Of an event; or of a call, by the id that its client got as `x-tally-request-id`: that of its last attempt. Without what stands in it.")
            .reply::<KeptPromptOf>("When it is deleted, and how large it is."),
        Operation::post("readKeptPrompt", "/api/v1/events/{id}/prompt", readers, read)
            .about(TAG, "Read a kept prompt", "The prompt as it left (redacted) and the reply, decrypted. Who reads which prompt, and why, is written into the audit trail before.")
            .body::<ReadKeptPrompt>(json!({ "reason": "incident 4711: what left in this call" }))
            .reply::<ReadPrompt>("What was said.")
            .secret(),
    ]
}

/// `GET /api/v1/retention`
async fn view(State(api): State<Arc<Api>>) -> Result<Json<RetentionView>, Problem> {
    let warehouse = api.state.warehouse.require()?;
    api.state.retention.view(&warehouse).await.map(Json).map_err(failed)
}

/// `POST /api/v1/retention/run`
async fn run(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Result<Json<PurgeRun>, Problem> {
    let bytes = edge::read(body, BODY_BYTES_MAX).await?;
    let RunRetention { dry_run } =
        if bytes.is_empty() { RunRetention { dry_run: false } } else { edge::json(&bytes)? };
    let warehouse = api.state.warehouse.require()?;
    let retention = &api.state.retention;
    retention.run(&warehouse, &caller.actor(), dry_run).await.map(Json).map_err(failed)
}

/// `GET /api/v1/events/{id}/prompt`
async fn kept(
    State(api): State<Arc<Api>>,
    Extension(path): Extension<PathParams>,
) -> Result<Json<KeptPromptOf>, Problem> {
    let id: EventId = path.id()?;
    let prompt = api.state.retention.kept_prompt(id.0).await.map_err(failed)?;
    Ok(Json(KeptPromptOf { prompt }))
}

/// `POST /api/v1/events/{id}/prompt`
async fn read(
    State(api): State<Arc<Api>>,
    Extension(path): Extension<PathParams>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Result<Json<ReadPrompt>, Problem> {
    let id: EventId = path.id()?;
    let ReadKeptPrompt { reason } = edge::json(&edge::read(body, BODY_BYTES_MAX).await?)?;
    let read = api.state.retention.read_prompt(id.0, &caller.actor(), &reason).await;
    read.map_err(failed)?.map(Json).ok_or_else(|| not_kept(id))
}

fn not_kept(id: EventId) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "not_found", format!("no prompt is kept of {id}"))
        .with_next_step(
            "prompts are kept of workloads with `keep_prompts`, for as long as the organization's \
             `retention` says for their class of data",
        )
}

/// The problem that stands for what went wrong.
pub(crate) fn failed(error: RetentionError) -> Problem {
    match error {
        RetentionError::Store(error) => problem(error),
        RetentionError::Reason(_) => {
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "reason_needed", error.to_string())
                .with_next_step(format!(
                    "say in {REASON_CHARACTERS_MIN} characters or more what you look for"
                ))
        }
        RetentionError::Prompts(error) => Problem::internal("the file of kept prompts", &error),
        error => Problem::internal("retention", &error),
    }
}
