//! Resources of any kind: list, read, create, replace, delete.

use std::sync::Arc;

use axum::{
    Extension, Json,
    body::Body,
    extract::{Query, State, rejection::QueryRejection},
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};
use tally_ingest::edge::{self, Caller, Problem};
use tally_store::ListOptions;
use tally_types::{Kind, Name, Resource};

use crate::{
    keys,
    params::{self, PathParams},
    state::Api,
    store_problem::problem,
};

/// The largest body of a single resource, in bytes.
pub(crate) const BODY_BYTES_MAX: usize = 1 << 20;
const PAGE: u32 = 100;
const PAGE_MAX: u32 = 1_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListQuery {
    after: Option<String>,
    limit: Option<u32>,
    #[serde(default)]
    prefix: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewResource {
    name: Name,
    spec: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChangedResource {
    version: i64,
    spec: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeleteQuery {
    version: i64,
}

/// `GET /api/v1/{kinds}`
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    Extension(path): Extension<PathParams>,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Json<Value>, Problem> {
    let query = params::query(query)?;
    let options = ListOptions {
        after: params::parsed("after", query.after.as_deref())?,
        limit: params::limit(query.limit, PAGE, PAGE_MAX)?,
        prefix: query.prefix,
    };
    let page = api.state.store.list(path.require_kind()?, options).await.map_err(problem)?;
    Ok(Json(json!({ "items": page.items, "next": page.next })))
}

/// `GET /api/v1/{kinds}/{name}`
pub(crate) async fn one(
    State(api): State<Arc<Api>>,
    Extension(path): Extension<PathParams>,
) -> Result<Json<Resource>, Problem> {
    let (kind, name) = (path.require_kind()?, path.name()?);
    api.state.store.require(kind, &name).await.map(Json).map_err(problem)
}

/// `POST /api/v1/{kinds}`
pub(crate) async fn create(
    State(api): State<Arc<Api>>,
    Extension(path): Extension<PathParams>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Result<Response, Problem> {
    let kind = path.require_kind()?;
    let NewResource { name, spec } = edge::json(&edge::read(body, BODY_BYTES_MAX).await?)?;
    if kind == Kind::Key && keys::wants_secret(&spec) {
        return keys::create(&api, &caller, name, spec).await;
    }
    let created = api.state.store.create(&caller.actor(), kind, name, spec).await;
    let created = created.map_err(problem)?;
    reached(&api, kind).await;
    Ok(created_at(&created, Json(&created).into_response()))
}

/// `PUT /api/v1/{kinds}/{name}`
pub(crate) async fn update(
    State(api): State<Arc<Api>>,
    Extension(path): Extension<PathParams>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Result<Json<Resource>, Problem> {
    let (kind, name) = (path.require_kind()?, path.name()?);
    let ChangedResource { version, spec } = edge::json(&edge::read(body, BODY_BYTES_MAX).await?)?;
    let updated = api.state.store.update(&caller.actor(), kind, name, spec, version).await;
    let updated = updated.map_err(problem)?;
    reached(&api, kind).await;
    Ok(Json(updated))
}

/// `DELETE /api/v1/{kinds}/{name}?version=`
pub(crate) async fn delete(
    State(api): State<Arc<Api>>,
    Extension(path): Extension<PathParams>,
    Extension(caller): Extension<Caller>,
    query: Result<Query<DeleteQuery>, QueryRejection>,
) -> Result<StatusCode, Problem> {
    let (kind, name) = (path.require_kind()?, path.name()?);
    let version = params::query(query)
        .map_err(|refused| refused.with_next_step("read it, and send `?version=` as it was read"))?
        .version;
    let deleted = api.state.store.delete(&caller.actor(), kind, name, Some(version)).await;
    deleted.map_err(problem)?;
    reached(&api, kind).await;
    Ok(StatusCode::NO_CONTENT)
}

/// Keys open and close doors, so their changes are confirmed only when they hold.
async fn reached(api: &Api, kind: Kind) {
    if kind == Kind::Key || kind == Kind::Person {
        api.reached_gateway().await;
    }
}

/// 201, and where the resource is.
pub(crate) fn created_at(resource: &Resource, mut response: Response) -> Response {
    *response.status_mut() = StatusCode::CREATED;
    // Of the characters of names, these two mean something else in a path.
    let name = resource.name.as_str().replace('/', "%2F").replace('+', "%2B");
    let location = format!("/api/v1/{}/{name}", resource.kind.plural());
    if let Ok(location) = HeaderValue::try_from(location) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}
