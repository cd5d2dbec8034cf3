//! Reading: which stages a budget reached.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::{Query, State, rejection::QueryRejection},
};
use schemars::JsonSchema;
use serde::Deserialize;
use tally_ingest::edge::Problem;
use tally_store::{grants::concerns, notices::StageEventsPage};
use tally_types::{BudgetName, Kind};

use crate::{
    params::{self, PathParams},
    scope::Scope,
    state::Api,
    store_problem::problem,
};

const PAGE: u32 = 100;
const PAGE_MAX: u32 = 1_000;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EventsQuery {
    /// Only of this person, team or workload.
    each: Option<String>,
    /// The `next` of the page before.
    after: Option<i64>,
    /// How many at most, 1 to 1,000; by default 100.
    limit: Option<u32>,
}

/// `GET /api/v1/budgets/{name}/events`
pub(super) async fn events(
    State(api): State<Arc<Api>>,
    Extension(path): Extension<PathParams>,
    Extension(scope): Extension<Scope>,
    query: Result<Query<EventsQuery>, QueryRejection>,
) -> Result<Json<StageEventsPage>, Problem> {
    let query = params::query(query)?;
    let limit = params::limit(query.limit, PAGE, PAGE_MAX)?;
    let budget = BudgetName(path.name()?);
    // One that is gone keeps its history; one that never was has none.
    let (each, after) = (query.each.as_deref(), query.after);
    let events = api.state.store.stage_events();
    let mut page = events.list(&budget, each, limit, after).await.map_err(problem)?;
    if page.items.is_empty() && after.is_none() {
        api.state.store.require(Kind::Budget, &budget.0).await.map_err(problem)?;
    }
    if let Scope::Own { person } = &scope {
        let snapshot = api.state.store.snapshot();
        page.items.retain(|event| {
            event.reached.person.as_ref() == Some(person)
                || concerns(&snapshot, &event.reached.counter, person)
        });
        for event in &mut page.items {
            // Whose call it was is their colleagues' own business.
            event.reached.person = event.reached.person.take().filter(|name| name == person);
        }
    }
    Ok(Json(page))
}
