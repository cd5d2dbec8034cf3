//! Keys: made, rotated, revoked. A secret is shown once; its hash is what is kept.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::State,
    response::{IntoResponse, Response},
};
use http::StatusCode;
use serde::Serialize;
use serde_json::Value;
use tally_ingest::edge::{Caller, Problem};
use tally_store::StoreError;
use tally_types::{Kind, Name, Resource};

use crate::{
    params::PathParams, resources::created_at, secret::hashed, state::Api, store_problem::problem,
};

/// A key changed at the same moment by someone else is read again this often.
const ATTEMPTS: usize = 3;

/// A key and its secret, for the only time.
#[derive(Serialize)]
struct MadeKey {
    resource: Resource,
    secret: String,
    note: &'static str,
    /// Whether the gateway knows it already; if not, within seconds.
    in_effect: bool,
}

/// A key that opens nothing any more.
#[derive(Serialize)]
pub(crate) struct RevokedKey {
    resource: Resource,
    /// Whether the gateway refuses it already; if not, within seconds.
    in_effect: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
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
pub(crate) async fn rotate(
    State(api): State<Arc<Api>>,
    Extension(path): Extension<PathParams>,
    Extension(caller): Extension<Caller>,
) -> Result<Response, Problem> {
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
    Ok(Json(made(&api, resource, secret).await).into_response())
}

/// `POST /api/v1/keys/{name}/revoke`
pub(crate) async fn revoke(
    State(api): State<Arc<Api>>,
    Extension(path): Extension<PathParams>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<RevokedKey>, Problem> {
    let change = |spec: &mut Value| {
        fields(spec)?.insert("revoked".to_owned(), Value::Bool(true));
        Ok(())
    };
    let resource = change_key(&api, &caller, &path.name()?, change).await?;
    let note = resource.applied_by.as_ref().map(|set| {
        format!("the file set `{set}` holds this key: set `revoked: true` there too, or the next apply opens it again")
    });
    Ok(Json(RevokedKey { resource, in_effect: api.reached_gateway().await, note }))
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
