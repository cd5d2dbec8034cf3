//! Keys: made, rotated, revoked. A secret is shown once; its hash is what is kept.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::State,
    response::{IntoResponse, Response},
};
use http::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};
use tally_ingest::edge::Problem;
use tally_store::{Snapshot, StoreError};
use tally_types::{
    KeyScope, Kind, Name, PersonName, Resource, Timestamp, WorkloadName,
    spec::{AccessRule, KeySpec},
};

use crate::{
    access::ADMINS,
    caller::Caller,
    operation::{Access, Operation},
    params::PathParams,
    resources::{created_at, not_own},
    scope::Scope,
    secret::hashed,
    state::Api,
    store_problem::problem,
};

/// A key changed at the same moment by someone else is read again this often.
const ATTEMPTS: usize = 3;
/// A person makes at most so many keys that are not revoked.
const OWN_KEYS_MAX: usize = 20;

/// A key and its secret, for the only time.
#[derive(Serialize, JsonSchema)]
pub(crate) struct MadeKey {
    resource: Resource,
    /// Shown once; only its hash is kept.
    secret: String,
    note: &'static str,
    /// Whether the gateway knows it already; if not, within seconds.
    in_effect: bool,
}

/// A key that was revoked, suspended or reinstated.
#[derive(Serialize, JsonSchema)]
pub(crate) struct ChangedKey {
    resource: Resource,
    /// Whether the gateway knows it already; if not, within seconds.
    in_effect: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

pub(crate) fn operations() -> Vec<Operation> {
    vec![
        Operation::post("rotateKey", "/api/v1/keys/{name}/rotate", Access::OwnOr(ADMINS), rotate)
            .about("keys", "Give a key another secret", "The old one opens nothing from now on.")
            .reply::<MadeKey>("The key and its new secret, for the only time.")
            .secret(),
        Operation::post("revokeKey", "/api/v1/keys/{name}/revoke", Access::OwnOr(ADMINS), revoke)
            .about("keys", "Withdraw a key", "It opens nothing from now on.")
            .reply::<ChangedKey>("The key."),
    ]
}

/// Admins make any key. People make keys of their own, for themselves, for the workloads
/// they own and for those they were given access to, until that ends; without scopes such a
/// key makes calls and reports on them.
pub(crate) fn may_create(
    caller: &Caller,
    scope: &Scope,
    spec: &mut Value,
    now: Timestamp,
) -> Result<(), Problem> {
    let Scope::Own { person } = scope else { return Ok(()) };
    let snapshot = caller.plane.snapshot();
    let refused = |detail: String| {
        Problem::new(StatusCode::FORBIDDEN, "not_own", detail)
            .with_next_step("ask an admin to make this key")
    };
    let of_person = spec.get("person").and_then(Value::as_str);
    if of_person != Some(person.as_str()) {
        return Err(refused(format!("a key you make belongs to you: expected `person: {person}`")));
    }
    if spec.get("secret").is_some_and(|secret| !secret.is_null()) {
        return Err(refused("a key you make gets its secret from Tally".to_owned()));
    }
    let until = access(snapshot, person, spec, now)?;
    let own = snapshot.keys.iter().filter(|(_, key)| key.person.as_ref() == Some(person));
    let by_rule = |key: &KeySpec| key.suspended.as_ref().is_some_and(|why| why.rule.is_some());
    if let Some((name, _)) = own.clone().find(|(_, key)| by_rule(key)) {
        // Else another key would be the way around what a severe rule has stopped; revoked or not.
        let detail = format!("your key `{name}` is suspended by a rule");
        return Err(Problem::new(StatusCode::FORBIDDEN, "key_suspended", detail)
            .with_next_step("have security or an admin reinstate it first"));
    }
    if own.map(|(_, key)| key).filter(|key| !key.revoked).count() >= OWN_KEYS_MAX {
        return Err(refused(format!("you have {OWN_KEYS_MAX} keys already: revoke one first")));
    }
    let scopes = fields(spec)?.entry("scopes").or_insert(Value::Null);
    if scopes.as_array().is_none_or(Vec::is_empty) {
        *scopes = json!([KeyScope::Gateway, KeyScope::Ingest]);
    }
    if let Some(until) = until {
        ends_with_access(spec, until)?;
    }
    Ok(())
}

/// Until when a person may have such a key; none for ever.
fn access(
    snapshot: &Snapshot,
    person: &PersonName,
    spec: &Value,
    now: Timestamp,
) -> Result<Option<Timestamp>, Problem> {
    let more = spec.get("workloads").and_then(Value::as_array).into_iter().flatten();
    let named = spec.get("workload").into_iter().chain(more).filter_map(Value::as_str);
    let needed = |detail: String, ask: &str| {
        Problem::new(StatusCode::FORBIDDEN, "not_own", detail).with_next_step(format!(
            "ask for it with `tally access request {ask} --until +30d --reason …`, or ask an admin"
        ))
    };
    let mut until: Option<Timestamp> = None;
    for name in named {
        if snapshot.workloads.get(name).is_some_and(|workload| workload.owner == *person) {
            continue;
        }
        let given = name
            .parse()
            .ok()
            .and_then(|workload: WorkloadName| snapshot.may_make_key(person, Some(&workload), now));
        let Some(given) = given else {
            let detail = format!("you do not own the workload `{name}`");
            return Err(needed(detail, &format!("--key-for {name}")));
        };
        until = Some(until.map_or(given, |until| until.min(given)));
    }
    if until.is_none() && snapshot.organization.own_keys == AccessRule::OnRequest {
        let Some(given) = snapshot.may_make_key(person, None, now) else {
            let detail = "keys are made on request here".to_owned();
            return Err(needed(detail, "--own-key"));
        };
        until = Some(given);
    }
    Ok(until)
}

/// A key does not outlive the access that it was made by.
fn ends_with_access(spec: &mut Value, until: Timestamp) -> Result<(), Problem> {
    let wanted = spec.get("expires_at").and_then(Value::as_str);
    let wanted = wanted.and_then(|text| text.parse::<Timestamp>().ok());
    if wanted.is_some_and(|wanted| wanted > until) {
        let detail = format!("your access ends at {until}: expected `expires_at` no later");
        return Err(Problem::new(StatusCode::FORBIDDEN, "not_own", detail)
            .with_next_step("leave it out, or have your access renewed first"));
    }
    if wanted.is_none() {
        fields(spec)?.insert("expires_at".to_owned(), json!(until));
    }
    Ok(())
}

/// Whether a key's spec leaves its secret to Tally.
pub(crate) fn wants_secret(spec: &Value) -> bool {
    spec.as_object().is_some_and(|fields| fields.get("secret").is_none_or(Value::is_null))
}

/// `POST /api/v1/keys` with a spec that has no secret.
pub(crate) async fn create(
    api: &Api,
    caller: &Caller,
    name: Name,
    mut spec: Value,
) -> Result<Response, Problem> {
    let secret = api.state.secrets.secret();
    set_secret(&mut spec, &secret)?;
    let created = api.state.store.create(&caller.actor(), Kind::Key, name, spec).await;
    let resource = created.map_err(problem)?;
    let made = made(api, resource.clone(), secret).await;
    Ok(created_at(&resource, Json(made).into_response()))
}

/// `POST /api/v1/keys/{name}/rotate`
async fn rotate(
    State(api): State<Arc<Api>>,
    Extension(path): Extension<PathParams>,
    Extension(scope): Extension<Scope>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<MadeKey>, Problem> {
    may_change(&caller, &scope, &path.name()?)?;
    let secret = api.state.secrets.secret();
    let change = |spec: &mut Value| {
        let variable = spec.pointer("/secret/env").and_then(Value::as_str);
        if let Some(variable) = variable {
            let detail = format!("the key's secret is read from the variable {variable}");
            return Err(Problem::new(StatusCode::CONFLICT, "key_from_environment", detail)
                .with_next_step("change the variable and restart Tally, or make another key"));
        }
        set_secret(spec, &secret)
    };
    let resource = change_key(&api, &caller, &path.name()?, change).await?;
    Ok(Json(made(&api, resource, secret).await))
}

/// `POST /api/v1/keys/{name}/revoke`
async fn revoke(
    State(api): State<Arc<Api>>,
    Extension(path): Extension<PathParams>,
    Extension(scope): Extension<Scope>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<ChangedKey>, Problem> {
    may_change(&caller, &scope, &path.name()?)?;
    let change = |spec: &mut Value| {
        fields(spec)?.insert("revoked".to_owned(), Value::Bool(true));
        Ok(())
    };
    let resource = change_key(&api, &caller, &path.name()?, change).await?;
    let note = resource.applied_by.as_ref().map(|set| {
        format!("the file set `{set}` holds this key: set `revoked: true` there too, or the next apply opens it again")
    });
    Ok(Json(ChangedKey::new(&api, resource, note).await))
}

// === impl ChangedKey ===

impl ChangedKey {
    pub(crate) async fn new(api: &Api, resource: Resource, note: Option<String>) -> Self {
        Self { resource, in_effect: api.reached_gateway().await, note }
    }
}

/// Whoever has no role that may changes their own only.
pub(crate) fn may_change(caller: &Caller, scope: &Scope, name: &Name) -> Result<(), Problem> {
    let Scope::Own { person } = scope else { return Ok(()) };
    let key = caller.plane.snapshot().keys.get(name);
    let is_own = key.is_some_and(|key| key.person.as_ref() == Some(person));
    is_own.then_some(()).ok_or_else(|| not_own(Kind::Key, name))
}

async fn made(api: &Api, resource: Resource, secret: String) -> MadeKey {
    let in_effect = api.reached_gateway().await;
    MadeKey { resource, secret, note: "shown once", in_effect }
}

/// Changes the newest version of a key.
async fn change_key(
    api: &Api,
    caller: &Caller,
    name: &Name,
    change: impl Fn(&mut Value) -> Result<(), Problem>,
) -> Result<Resource, Problem> {
    let store = &api.state.store;
    let mut attempt = 1;
    loop {
        let Resource { version, mut spec, .. } =
            store.require(Kind::Key, name).await.map_err(problem)?;
        change(&mut spec)?;
        let changed = store.update(&caller.actor(), Kind::Key, name.clone(), spec, version).await;
        match changed {
            Err(StoreError::Conflict { .. }) if attempt < ATTEMPTS => attempt += 1,
            other => return other.map_err(problem),
        }
    }
}

fn set_secret(spec: &mut Value, secret: &str) -> Result<(), Problem> {
    fields(spec)?.insert("secret".to_owned(), hashed(secret));
    Ok(())
}

fn fields(spec: &mut Value) -> Result<&mut serde_json::Map<String, Value>, Problem> {
    spec.as_object_mut().ok_or_else(|| {
        let detail = "expected the spec of a key";
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "spec_invalid", detail)
    })
}
