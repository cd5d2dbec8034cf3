//! The audit trail.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
};
use serde::Deserialize;
use serde_json::{Value, json};
use tally_ingest::edge::Problem;
use tally_store::AuditFilter;

use crate::{params, state::Api, store_problem::problem};

const PAGE: u32 = 100;
const PAGE_MAX: u32 = 1_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AuditQuery {
    /// Later entries than this, oldest first.
    #[serde(default)]
    after: i64,
    /// Earlier entries than this, newest first; `latest` starts at the newest.
    before: Option<String>,
    limit: Option<u32>,
    kind: Option<String>,
    name: Option<String>,
}

/// `GET /api/v1/audit`
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    query: Result<Query<AuditQuery>, QueryRejection>,
) -> Result<Json<Value>, Problem> {
    let query = params::query(query)?;
    let limit = params::limit(query.limit, PAGE, PAGE_MAX)?;
    let before_sequence = match query.before.as_deref() {
        Some("latest") => Some(i64::MAX),
        other => params::parsed("before", other)?,
    };
    let filter = AuditFilter {
        after_sequence: query.after,
        before_sequence,
        limit,
        kind: params::parsed("kind", query.kind.as_deref())?,
        name: params::parsed("name", query.name.as_deref())?,
    };
    let items = api.state.store.audit(filter).await.map_err(problem)?;
    let is_full = u32::try_from(items.len()).is_ok_and(|count| count == limit);
    // Where the next page starts, in the direction asked for.
    let next = items.last().filter(|_| is_full).map(|entry| entry.sequence);
    Ok(Json(json!({ "items": items, "next": next })))
}
