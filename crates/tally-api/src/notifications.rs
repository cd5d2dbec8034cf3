//! The inbox of the caller, and what was sent out of the house.

use std::sync::Arc;

use axum::{
    Extension, Json,
    body::Body,
    extract::{Query, State, rejection::QueryRejection},
};
use http::StatusCode;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use tally_ingest::edge::{self, Problem};
use tally_store::notices::{DeliveriesPage, Delivery, DeliveryState, InboxPage};
use tally_types::{PersonName, Role};

use crate::{
    access::FINANCE,
    caller::Caller,
    operation::{Access, Operation},
    params::{self, PathParams},
    resources::BODY_BYTES_MAX,
    state::Api,
    store_problem::problem,
};

const TAG: &str = "notifications";
const PAGE: u32 = 50;
const PAGE_MAX: u32 = 500;
/// Who sees what was sent to whom.
const AUDITED_FINANCE: &[Role] = &[Role::Admin, Role::Finops, Role::Auditor];

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct InboxQuery {
    /// Only what is not read.
    #[serde(default)]
    unread: bool,
    /// The `next` of the page before.
    after: Option<i64>,
    /// How many at most, 1 to 500; by default 50.
    limit: Option<u32>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DeliveriesQuery {
    /// Only in this state.
    state: Option<DeliveryState>,
    /// The `next` of the page before.
    after: Option<i64>,
    /// How many at most, 1 to 500; by default 50.
    limit: Option<u32>,
}

/// What was read: these, or all of it.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ReadNotifications")]
struct Read {
    /// The ids.
    #[serde(default)]
    ids: Vec<String>,
    /// Instead of ids: everything.
    #[serde(default)]
    all: bool,
}

pub(crate) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("listNotifications", "/api/v1/notifications", Access::SignedIn, inbox)
            .about(TAG, "My inbox", "Newest first, page by page, with how many are not read.")
            .query::<InboxQuery>()
            .reply::<InboxPage>("What I was told."),
        Operation::post("readNotifications", "/api/v1/notifications/read", Access::SignedIn, read)
            .about(TAG, "Mark my notifications as read", "These, or all.")
            .body::<Read>(json!({ "ids": ["17"] }))
            .unaudited(),
        Operation::get(
            "listDeliveries",
            "/api/v1/deliveries",
            Access::Roles(AUDITED_FINANCE),
            deliveries,
        )
        .about(
            TAG,
            "What was sent",
            "By mail, webhooks and chat: newest first, with what became of it.",
        )
        .query::<DeliveriesQuery>()
        .reply::<DeliveriesPage>("Deliveries."),
        Operation::post(
            "retryDelivery",
            "/api/v1/deliveries/{id}/retry",
            Access::Roles(FINANCE),
            retry,
        )
        .about(TAG, "Send once more", "What was given up, with all its attempts.")
        .reply::<Delivery>("The delivery.")
        .unaudited(),
    ]
}

fn person(caller: &Caller) -> Result<&PersonName, Problem> {
    caller.person.as_ref().ok_or_else(|| {
        let detail = "people have an inbox; this key is nobody's";
        Problem::new(StatusCode::FORBIDDEN, "person_needed", detail)
            .with_next_step("sign in, or use a key that belongs to a person")
    })
}

/// `GET /api/v1/notifications`
async fn inbox(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    query: Result<Query<InboxQuery>, QueryRejection>,
) -> Result<Json<InboxPage>, Problem> {
    let query = params::query(query)?;
    let limit = params::limit(query.limit, PAGE, PAGE_MAX)?;
    let inbox = api.state.store.inbox();
    let page = inbox.list(person(&caller)?, query.unread, limit, query.after).await;
    page.map(Json).map_err(problem)
}

/// `POST /api/v1/notifications/read`
async fn read(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Result<StatusCode, Problem> {
    let Read { ids, all } = edge::json(&edge::read(body, BODY_BYTES_MAX).await?)?;
    let person = person(&caller)?;
    let invalid = |detail: String| Problem::bad_request("argument_invalid", detail);
    if all != ids.is_empty() {
        return Err(invalid("expected either `ids` or `all: true`".to_owned()));
    }
    if ids.len() > PAGE_MAX as usize {
        return Err(invalid(format!("`ids`: expected at most {PAGE_MAX}")));
    }
    let parsed: Result<Vec<i64>, Problem> = ids
        .iter()
        .map(|id| id.parse().map_err(|_| invalid(format!("`ids`: `{id:.64}` is no id"))))
        .collect();
    let parsed = parsed?;
    let ids = (!all).then_some(parsed.as_slice());
    api.state.store.inbox().read(person, ids).await.map_err(problem)?;
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /api/v1/deliveries`
async fn deliveries(
    State(api): State<Arc<Api>>,
    query: Result<Query<DeliveriesQuery>, QueryRejection>,
) -> Result<Json<DeliveriesPage>, Problem> {
    let query = params::query(query)?;
    let limit = params::limit(query.limit, PAGE, PAGE_MAX)?;
    let page = api.state.store.deliveries().list(query.state, limit, query.after).await;
    page.map(Json).map_err(problem)
}

/// `POST /api/v1/deliveries/{id}/retry`
async fn retry(
    State(api): State<Arc<Api>>,
    Extension(path): Extension<PathParams>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<Delivery>, Problem> {
    let id: i64 = path.id()?;
    let delivery = api.state.store.deliveries().retry(id).await.map_err(problem)?;
    let delivery = delivery.ok_or_else(|| {
        let detail = format!("there is no delivery {id}");
        Problem::new(StatusCode::NOT_FOUND, "not_found", detail)
            .with_next_step("`GET /api/v1/deliveries` lists what is kept")
    })?;
    tracing::info!(id, by = caller.actor(), "a delivery is sent once more");
    Ok(Json(delivery))
}
