//! Keys suspended by hand, and given back.

use std::sync::Arc;

use axum::{Extension, Json, body::Body, extract::State};
use http::StatusCode;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use tally_ingest::edge::{self, Problem};
use tally_store::Snapshot;
use tally_types::{Name, PersonName, Role};

use crate::{
    access::SECURITY,
    caller::Caller,
    keys::{ChangedKey, may_change},
    operation::{Access, Operation},
    params::PathParams,
    resources::BODY_BYTES_MAX,
    scope::Scope,
    state::Api,
    store_problem::problem,
};

/// Why.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "SuspensionReason")]
struct Reason {
    /// In 1 to 2,000 characters.
    reason: String,
}

/// What was found.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ReinstatementNote")]
struct Note {
    /// In 1 to 2,000 characters.
    note: String,
}

pub(crate) fn operations() -> Vec<Operation> {
    vec![
        Operation::post("suspendKey", "/api/v1/keys/{name}/suspend", Access::OwnOr(SECURITY), suspend)
            .about("keys", "Suspend a key", "It opens nothing until security or an admin reinstates it. By them, and by whose key it is. One that is suspended already stays as it is.")
            .body::<Reason>(json!({ "reason": "It stood in a public repository" }))
            .reply::<ChangedKey>("The key."),
        Operation::post("reinstateKey", "/api/v1/keys/{name}/reinstate", Access::Roles(SECURITY), reinstate)
            .about("keys", "Give a suspended key back", "By security or an admin; not by whose key it is, unless nobody else may. What it did until now does not suspend it again.")
            .body::<Note>(json!({ "note": "The secret was changed" }))
            .reply::<ChangedKey>("The key."),
    ]
}

/// `POST /api/v1/keys/{name}/suspend`
async fn suspend(
    State(api): State<Arc<Api>>,
    Extension(path): Extension<PathParams>,
    Extension(scope): Extension<Scope>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Result<Json<ChangedKey>, Problem> {
    let name = path.name()?;
    let Reason { reason } = edge::json(&edge::read(body, BODY_BYTES_MAX).await?)?;
    may_change(&caller, &scope, &name)?;
    let suspended = api.state.store.suspend_key(&caller.actor(), &name, &reason).await;
    Ok(Json(ChangedKey::new(&api, suspended.map_err(problem)?, None).await))
}

/// `POST /api/v1/keys/{name}/reinstate`
async fn reinstate(
    State(api): State<Arc<Api>>,
    Extension(path): Extension<PathParams>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Result<Json<ChangedKey>, Problem> {
    let name = path.name()?;
    let Note { note } = edge::json(&edge::read(body, BODY_BYTES_MAX).await?)?;
    check_not_own(&caller, &name)?;
    let reinstated = api.state.store.reinstate_key(&caller.actor(), &name, &note).await;
    Ok(Json(ChangedKey::new(&api, reinstated.map_err(problem)?, None).await))
}

/// Four eyes, where there are four.
fn check_not_own(caller: &Caller, key: &Name) -> Result<(), Problem> {
    let snapshot = caller.plane.snapshot();
    let Some(person) = &caller.person else { return Ok(()) };
    let is_own = snapshot.keys.get(key).is_some_and(|key| key.person.as_ref() == Some(person));
    let others = others_who_may(snapshot, person);
    if !is_own || others.is_empty() {
        return Ok(());
    }
    let detail = format!("`{key}` is your own key: someone else looks at it");
    Err(Problem::new(StatusCode::FORBIDDEN, "own_key", detail)
        .with_next_step(format!("ask {}", others.join(", "))))
}

fn others_who_may(snapshot: &Snapshot, person: &PersonName) -> Vec<String> {
    let may = |roles: &[Role]| roles.iter().any(|role| SECURITY.contains(role));
    let others =
        snapshot.people.iter().filter(|(name, spec)| **name != person.0 && may(&spec.roles));
    others.map(|(name, _)| name.to_string()).take(5).collect()
}
