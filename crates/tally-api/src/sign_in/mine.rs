//! My password and my sessions.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Extension, Json,
    body::Body,
    extract::{ConnectInfo, State},
};
use http::StatusCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tally_ingest::edge::{self, Flaw, Problem};
use tally_types::Timestamp;
use uuid::Uuid;

use super::{
    BODY_BYTES_MAX,
    door::address,
    password::refuse_weak,
    refusal::{refused, session_expired, too_many_attempts},
    secret::Secret,
};
use crate::{
    caller::Caller,
    operation::{Access, Operation},
    params::{Page, PathParams},
    state::Api,
};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PasswordChange {
    /// The password until now.
    current: Secret,
    /// The password from now on, 12 to 256 characters.
    new: Secret,
}

/// One of my open sessions.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Session")]
struct SessionLine {
    id: String,
    /// When I signed in.
    created: Timestamp,
    /// When it was last used, give or take a minute.
    last_seen: Timestamp,
    /// When it ends unless it is used before.
    expires: Timestamp,
    /// The browser, as it calls itself.
    user_agent: String,
    /// Whether it is the one that asks.
    current: bool,
}

pub(super) fn operations() -> Vec<Operation> {
    let change =
        json!({ "current": "four words make a sentence", "new": "so do these five words" });
    vec![
        Operation::post("setPassword", "/api/v1/me/password", Access::Session, set_password)
            .about("me", "Change my password", "Ends my other sessions.")
            .body::<PasswordChange>(change),
        Operation::get("listSessions", "/api/v1/me/sessions", Access::Session, sessions)
            .about("me", "My sessions", "Where I am signed in, the newest first.")
            .reply::<Page<SessionLine>>("The open ones."),
        Operation::delete("endSession", "/api/v1/me/sessions/{id}", Access::Session, end_session)
            .about("me", "End one of my sessions", "Whoever uses it has to sign in again."),
    ]
}

/// `POST /api/v1/me/password`
async fn set_password(
    State(api): State<Arc<Api>>,
    peer: Option<Extension<ConnectInfo<SocketAddr>>>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Result<StatusCode, Problem> {
    let session = caller.session()?;
    let PasswordChange { current, new } = edge::json(&edge::read(body, BODY_BYTES_MAX).await?)?;
    let (sign_in, person) = (&api.sign_in, &session.person);
    let now_ns = sign_in.clock.monotonic_ns();
    // Whoever finds a browser open must not find the password out by trying.
    let attempt = sign_in
        .attempts
        .begin(person.as_str(), address(peer), now_ns)
        .map_err(too_many_attempts)?;
    let credential = sign_in.accounts.credential(person).await.map_err(refused)?;
    let credential = credential.ok_or_else(session_expired)?;
    let hash = Some(credential.password_hash.clone());
    if !sign_in.passwords.verify(current.0, hash).await? {
        return Err(current_wrong());
    }
    sign_in.attempts.succeeded(attempt, now_ns);
    let snapshot = api.state.store.snapshot();
    refuse_weak("new", &new.0, person, snapshot.people.get(person.as_str()))?;
    let hash = sign_in.passwords.hash(new.0).await?;
    let (actor, keep) = (caller.actor(), session.id.to_string());
    let changed = sign_in.accounts.change_password(&actor, &credential, &hash, Some(&keep)).await;
    changed.map_err(refused)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Not 401, as the session is good.
fn current_wrong() -> Problem {
    let detail = "the current password is another one";
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "password_wrong", detail)
        .with_errors([Flaw::new("current", detail)])
        .with_next_step("an admin can make a link to choose another password without it")
}

/// `GET /api/v1/me/sessions`
async fn sessions(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<Page<SessionLine>>, Problem> {
    let mine = caller.session()?;
    let current = mine.id.to_string();
    let open = api.sign_in.accounts.sessions(&mine.person).await.map_err(refused)?;
    let items = open.into_iter().map(|session| SessionLine {
        current: session.id == current,
        id: session.id,
        created: session.created,
        last_seen: session.last_seen,
        expires: session.expires,
        user_agent: session.user_agent,
    });
    // At most 50, so one page holds them all.
    Ok(Json(Page { items: items.collect(), next: None }))
}

/// `DELETE /api/v1/me/sessions/{id}`
async fn end_session(
    State(api): State<Arc<Api>>,
    Extension(path): Extension<PathParams>,
    Extension(caller): Extension<Caller>,
) -> Result<StatusCode, Problem> {
    let person = &caller.session()?.person;
    let id = path.id::<Uuid>()?.to_string();
    api.sign_in.accounts.end_session(&caller.actor(), person, &id).await.map_err(refused)?;
    Ok(StatusCode::NO_CONTENT)
}
