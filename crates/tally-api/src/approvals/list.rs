//! Reading: what was asked for, and what became of it.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::{Query, State, rejection::QueryRejection},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tally_ingest::edge::Problem;
use tally_store::approvals::{Minute, Request, may_decide};
use tally_types::{Name, Resource, spec::GrantState};

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
pub(crate) struct ListQuery {
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

/// What became of it.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "GrantTrail")]
pub(crate) struct Trail {
    /// One line for each step, oldest first.
    items: Vec<Minute>,
}

/// `GET /api/v1/{kind}`
pub(crate) async fn list<T: Request>(
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
    let wanted = |name: &Name, asked: &T| {
        let by = caller.person.as_ref();
        after.as_ref().is_none_or(|after| name > after)
            && name.as_str().starts_with(&query.prefix)
            && query.state.is_none_or(|state| asked.state() == state)
            && (!query.mine || asked.requested_by() == by)
            && (!query.to_decide
                || by.is_some_and(|person| may_decide(&snapshot, asked, person, now)))
            && match &scope {
                Scope::Own { person } => is_own(&caller, asked, person),
                _ => true,
            }
    };
    let mut names: Vec<&Name> = T::all(&snapshot)
        .iter()
        .filter(|(name, asked)| wanted(name, asked))
        .map(|(name, _)| name)
        .take(limit + 1)
        .collect();
    let has_more = names.len() > limit;
    names.truncate(limit);
    let next = names.last().filter(|_| has_more).map(ToString::to_string);
    let mut items = Vec::with_capacity(names.len());
    for name in names {
        items.extend(api.state.store.get(T::KIND, name).await.map_err(problem)?);
    }
    Ok(Json(Page { items, next }))
}

/// `GET /api/v1/{kind}/{name}/trail`
pub(crate) async fn trail<T: Request>(
    State(api): State<Arc<Api>>,
    Extension(path): Extension<PathParams>,
    Extension(scope): Extension<Scope>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<Trail>, Problem> {
    let name = path.name()?;
    check_visible::<T>(&caller, &scope, &name)?;
    let items = api.state.store.approvals::<T>().trail(&name).await.map_err(problem)?;
    Ok(Json(Trail { items }))
}
