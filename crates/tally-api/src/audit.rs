//! The audit trail.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
};
use schemars::JsonSchema;
use serde::Deserialize;
use tally_ingest::edge::Problem;
use tally_store::{AuditEntry, AuditFilter};

use crate::{
    access::REVIEWERS,
    operation::{Access, Operation},
    params::{self, Page},
    state::Api,
    store_problem::problem,
};

const PAGE: u32 = 100;
const PAGE_MAX: u32 = 1_000;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AuditQuery {
    /// Only of this kind, such as `Budget`.
    kind: Option<String>,
    /// Only of the resource of this name.
    name: Option<String>,
    /// Only of what was done in this way, such as `read_prompt`.
    action: Option<String>,
    /// Newest first by default.
    #[serde(default)]
    order: Order,
    /// How many at most, 1 to 1,000; by default 100.
    limit: Option<u32>,
    /// The `next` of the page before.
    after: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
enum Order {
    /// Newest first.
    #[default]
    Desc,
    /// Oldest first.
    Asc,
}

pub(crate) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("listAudit", "/api/v1/audit", Access::Roles(REVIEWERS), list)
            .about("audit", "The audit trail", "One entry per change: who, what, when, why.")
            .query::<AuditQuery>()
            .reply::<Page<AuditEntry>>("Entries, with what was before and after."),
    ]
}

/// `GET /api/v1/audit`
async fn list(
    State(api): State<Arc<Api>>,
    query: Result<Query<AuditQuery>, QueryRejection>,
) -> Result<Json<Page<AuditEntry>>, Problem> {
    let query = params::query(query)?;
    let limit = params::limit(query.limit, PAGE, PAGE_MAX)?;
    let after: Option<i64> = params::parsed("after", query.after.as_deref())?;
    let (after_sequence, before_sequence) = match query.order {
        Order::Asc => (after.unwrap_or(0), None),
        Order::Desc => (0, Some(after.unwrap_or(i64::MAX))),
    };
    let filter = AuditFilter {
        after_sequence,
        before_sequence,
        limit,
        kind: params::parsed("kind", query.kind.as_deref())?,
        name: params::parsed("name", query.name.as_deref())?,
        action: params::parsed("action", query.action.as_deref())?,
    };
    let items = api.state.store.audit(filter).await.map_err(problem)?;
    let is_full = u32::try_from(items.len()).is_ok_and(|count| count == limit);
    // Where the next page starts, in the direction asked for.
    let next = items.last().filter(|_| is_full).map(|entry| entry.sequence.to_string());
    Ok(Json(Page { items, next }))
}
