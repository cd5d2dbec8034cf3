//! Reading: which grants there are, what became of one, which stages a budget reached.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::{Query, State, rejection::QueryRejection},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tally_ingest::edge::Problem;
use tally_store::{
    grants::{Minute, concerns, may_decide},
    notices::StageEventsPage,
};
use tally_types::{
    BudgetName, Kind, Name, Resource,
    spec::{GrantSpec, GrantState},
};

use super::{check_visible, is_own, person};
use crate::{
    caller::Caller,
    params::{self, Page, PathParams},
    scope::Scope,
    state::Api,
    store_problem::problem,
};

const PAGE: u32 = 100;
const PAGE_MAX: u32 = 1_000;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ListQuery {
    /// The `next` of the page before.
    after: Option<String>,
    /// How many at most, 1 to 1,000; by default 100.
    limit: Option<u32>,
    /// Only names that begin with this.
    #[serde(default)]
    prefix: String,
    /// Only in this state.
    state: Option<GrantState>,
    /// Only those that I asked for.
    #[serde(default)]
    mine: bool,
    /// Only those that I may decide on now, emergencies to review among them.
    #[serde(default)]
    to_decide: bool,
}

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

/// What became of a grant.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "GrantTrail")]
pub(super) struct Trail {
    /// One line for each step, oldest first.
    items: Vec<Minute>,
}

/// `GET /api/v1/grants`
pub(super) async fn list(
    State(api): State<Arc<Api>>,
    Extension(scope): Extension<Scope>,
    Extension(caller): Extension<Caller>,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Json<Page<Resource>>, Problem> {
    let query = params::query(query)?;
    if query.mine || query.to_decide {
        person(&caller)?;
    }
    let after: Option<Name> = params::parsed("after", query.after.as_deref())?;
    let limit = params::limit(query.limit, PAGE, PAGE_MAX)?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    // What the store knows now: somebody who has just decided sees it decided.
    let snapshot = api.state.store.snapshot();
    let now = api.state.clock.now();
    let wanted = |name: &Name, grant: &GrantSpec| {
        let by = caller.person.as_ref();
        after.as_ref().is_none_or(|after| name > after)
            && name.as_str().starts_with(&query.prefix)
            && query.state.is_none_or(|state| grant.state == state)
            && (!query.mine || grant.requested_by.as_ref() == by)
            && (!query.to_decide
                || by.is_some_and(|person| may_decide(&snapshot, grant, person, now)))
            && match &scope {
                Scope::Own { person } => is_own(&caller, grant, person),
                _ => true,
            }
    };
    let mut names: Vec<&Name> = snapshot
        .grants
        .iter()
        .filter(|(name, grant)| wanted(name, grant))
        .map(|(name, _)| name)
        .take(limit + 1)
        .collect();
    let has_more = names.len() > limit;
    names.truncate(limit);
    let next = names.last().filter(|_| has_more).map(ToString::to_string);
    let mut items = Vec::with_capacity(names.len());
    for name in names {
        items.extend(api.state.store.get(Kind::Grant, name).await.map_err(problem)?);
    }
    Ok(Json(Page { items, next }))
}

/// `GET /api/v1/grants/{name}/trail`
pub(super) async fn trail(
    State(api): State<Arc<Api>>,
    Extension(path): Extension<PathParams>,
    Extension(scope): Extension<Scope>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<Trail>, Problem> {
    let name = path.name()?;
    check_visible(&caller, &scope, &name)?;
    let items = api.state.store.grants().trail(&name).await.map_err(problem)?;
    Ok(Json(Trail { items }))
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
