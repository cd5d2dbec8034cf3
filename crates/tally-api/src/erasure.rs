//! Erasing a person: from the resources, the audit log, their calls and kept prompts.

use std::{sync::Arc, time::Duration};

use axum::{Extension, Json, body::Body, extract::State};
use http::StatusCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tally_ingest::edge::{self, Problem};
use tally_types::PersonName;

use crate::{
    access::SECURITY,
    caller::Caller,
    operation::{Access, Operation},
    params::PathParams,
    retention::failed,
    state::Api,
    store_problem::problem,
};

const BODY_BYTES_MAX: usize = 16 << 10;
/// How long calls that have ended may take to reach the warehouse; later ones are forgotten
/// with the next run.
const SHIPPED_MAX: Duration = Duration::from_secs(10);

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ErasePerson {
    /// Why; it stands in the audit trail.
    reason: String,
    /// Only counts what would be touched; changes nothing.
    #[serde(default)]
    dry_run: bool,
}

#[derive(Serialize, JsonSchema)]
struct ErasedPerson {
    /// Whether nothing was changed, only counted.
    dry_run: bool,
    /// Entries of the audit trail in which something was erased.
    entries: u64,
    /// Keys that were revoked.
    keys: u64,
    /// Other resources that quoted them: requests, decisions, workloads.
    resources: u64,
    /// Notices, deliveries, stage events and kept replies that quoted them.
    notices: u64,
    /// Calls that no longer say who made them; null while the warehouse is not open: the next
    /// hourly run does it then.
    events: Option<u64>,
    /// Kept prompts that were deleted.
    prompts: u64,
    /// Whether the space of the files in which it stood was written over; where something
    /// still read them, erasing again does it.
    overwritten: bool,
}

pub(crate) fn operations() -> Vec<Operation> {
    vec![
        Operation::post("erasePerson", "/api/v1/people/{name}/erase", Access::Roles(SECURITY), erase)
            .about("accounts", "Erase a person's data", "Their display name and mail address go, from the audit log, what others wrote and what people were told, too; account, sessions, inbox and kept prompts are deleted, their keys revoked; their calls no longer say who made them, and cost the same. Their name stays as an opaque id, and every proof of the log stays valid.")
            .body::<ErasePerson>(json!({ "reason": "left the company; asked for erasure" }))
            .reply::<ErasedPerson>("What was done."),
    ]
}

/// `POST /api/v1/people/{name}/erase`
async fn erase(
    State(api): State<Arc<Api>>,
    Extension(path): Extension<PathParams>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Result<Json<ErasedPerson>, Problem> {
    let person = PersonName(path.name()?);
    let ErasePerson { reason, dry_run } = edge::json(&edge::read(body, BODY_BYTES_MAX).await?)?;
    if caller.person.as_ref() == Some(&person) {
        let detail = "this is your own account";
        return Err(Problem::new(StatusCode::CONFLICT, "own_account", detail)
            .with_next_step("ask another admin to erase it"));
    }
    let log = api.state.store.log();
    // Afterwards nobody knows them.
    let words = log.words_of(&person).await.map_err(problem)?;
    let done = match dry_run {
        true => log.preview_erasure(&person).await,
        false => log.erase_person(&caller.actor(), &person, &reason).await,
    };
    let done = done.map_err(problem)?;
    let mut erased = ErasedPerson {
        dry_run,
        entries: done.entries,
        keys: done.keys,
        resources: done.resources,
        notices: done.notices,
        events: None,
        prompts: 0,
        overwritten: false,
    };
    let scrubbed = dry_run || forget_journal(&api).await;
    let Some(warehouse) = api.state.warehouse.get() else { return Ok(Json(erased)) };
    let calls = api.state.retention.erase_calls(&warehouse, &person, &words, dry_run).await;
    let calls = calls.map_err(failed)?;
    if !dry_run {
        api.state.scores.forget().await;
    }
    erased.events = Some(calls.events);
    erased.prompts = calls.prompts;
    erased.overwritten = calls.overwritten && scrubbed;
    Ok(Json(erased))
}

/// From here on no call of theirs begins, and those that ended are in the warehouse.
async fn forget_journal(api: &Api) -> bool {
    api.reached_gateway().await;
    if tokio::time::timeout(SHIPPED_MAX, api.state.journal.shipped()).await.is_err() {
        tracing::warn!("calls are not in the warehouse yet: they are forgotten with the next run");
        return false;
    }
    let journal = api.state.journal.clone();
    match tokio::task::spawn_blocking(move || journal.scrub()).await {
        Ok(Ok(())) => true,
        Ok(Err(error)) => {
            tracing::warn!(%error, "the journal still holds pages of calls that were shipped");
            false
        }
        Err(_) => false,
    }
}
