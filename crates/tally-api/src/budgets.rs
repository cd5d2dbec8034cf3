//! How budgets stand: every counter, one of them, and those that the caller's calls count against.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::{Query, State, rejection::QueryRejection},
};
use http::StatusCode;
use schemars::JsonSchema;
use serde::Deserialize;
use tally_gateway::DataPlane;
use tally_ingest::edge::Problem;
use tally_types::{
    BudgetName, BudgetState, BudgetUse, CallId, CounterId, Environment, EventId, PersonName,
    Source, TeamName, Timestamp, UsageEvent,
    spec::{BudgetScope, Each},
};
use uuid::Uuid;

use crate::{
    access::READERS,
    caller::Caller,
    operation::{Access, Operation},
    params::{self, Page, PathParams},
    scope::Scope,
    scoreboards::Individuals,
    state::Api,
};

const PAGE: u32 = 200;
const PAGE_MAX: u32 = 2_000;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct UseQuery {
    /// Only counters of this budget.
    budget: Option<String>,
    /// Only counters that stand like this: `ok`, `notified`, `approval`, `degraded`, `denied`.
    state: Option<String>,
    /// How many at most, 1 to 2,000; by default 200.
    limit: Option<u32>,
    /// The `next` of the page before.
    after: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CounterQuery {
    /// Whose, where the budget is one of its own for `each` of something.
    each: Option<String>,
    /// Of which environment, where that has a limit of its own.
    environment: Option<String>,
}

pub(crate) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("listBudgetUse", "/api/v1/budget-use", Access::Usage(READERS), list)
            .about(
                "budgets",
                "How every budget stands",
                "Used, reserved, limit, projection, stage and state of every counter, by its name.",
            )
            .query::<UseQuery>()
            .reply::<Page<BudgetUse>>("Counters."),
        Operation::get(
            "getBudgetUse",
            "/api/v1/budgets/{name}/use",
            Access::Usage(READERS),
            one,
        )
        .about("budgets", "How one budget stands", "With its stages and when they were reached.")
        .query::<CounterQuery>()
        .reply::<BudgetUse>("The counter."),
        Operation::get("listMyBudgets", "/api/v1/me/budgets", Access::SignedIn, mine)
            .about(
                "budgets",
                "My quota",
                "How the budgets stand that calls of the caller count against, whatever they are for.",
            )
            .reply::<Page<BudgetUse>>("Counters."),
    ]
}

async fn list(
    State(api): State<Arc<Api>>,
    Extension(scope): Extension<Scope>,
    Extension(caller): Extension<Caller>,
    query: Result<Query<UseQuery>, QueryRejection>,
) -> Result<Json<Page<BudgetUse>>, Problem> {
    let query = params::query(query)?;
    let budget: Option<BudgetName> = params::parsed("budget", query.budget.as_deref())?;
    let state: Option<BudgetState> = params::parsed("state", query.state.as_deref())?;
    let limit = params::limit(query.limit, PAGE, PAGE_MAX)?;
    let after: Option<CounterId> = query.after.as_deref().map(position).transpose()?;
    let plane = api.state.gateway.plane();
    let individuals = Individuals::of(&caller);
    let uses = api.state.gateway.budgets().uses(api.state.clock.now());
    let mut items: Vec<BudgetUse> = uses
        .into_iter()
        .filter(|it| budget.as_ref().is_none_or(|budget| it.counter.budget == *budget))
        .filter(|it| state.is_none_or(|state| it.state == state))
        .filter(|it| after.as_ref().is_none_or(|after| it.counter > *after))
        .filter(|it| sees(&scope, &plane, &it.counter))
        .filter(|it| may_be_told(&individuals, &plane, &it.counter))
        .collect();
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_more = items.len() > limit;
    items.truncate(limit);
    let last = items.last().filter(|_| has_more);
    let next = last.and_then(|it| serde_json::to_string(&it.counter).ok());
    Ok(Json(Page { items, next }))
}

fn position(text: &str) -> Result<CounterId, Problem> {
    serde_json::from_str(text)
        .map_err(|_| Problem::bad_request("query_invalid", "`after`: expected a `next` as it came"))
}

async fn one(
    State(api): State<Arc<Api>>,
    Extension(scope): Extension<Scope>,
    Extension(caller): Extension<Caller>,
    Extension(path): Extension<PathParams>,
    query: Result<Query<CounterQuery>, QueryRejection>,
) -> Result<Json<BudgetUse>, Problem> {
    let query = params::query(query)?;
    let environment: Option<Environment> =
        params::parsed("environment", query.environment.as_deref())?;
    let each = query.each.filter(|each| !each.is_empty());
    let counter = CounterId { budget: BudgetName(path.name()?), each, environment };
    let plane = api.state.gateway.plane();
    let found = api.state.gateway.budgets().use_of(&counter, api.state.clock.now());
    let individuals = Individuals::of(&caller);
    // Who may spend from a budget may see how it stands.
    let may_see = |it: &BudgetUse| {
        let is_theirs = sees(&scope, &plane, &it.counter);
        is_theirs && may_be_told(&individuals, &plane, &it.counter)
            || spends_from(&api, &caller, &it.counter)
    };
    found.filter(may_see).map(Json).ok_or_else(|| {
        let detail = format!("there is no counter `{counter}`");
        Problem::new(StatusCode::NOT_FOUND, "not_found", detail)
            .with_next_step("`GET /api/v1/budget-use` lists them; one for `each` of something begins with its first call")
    })
}

async fn mine(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
) -> Json<Page<BudgetUse>> {
    Json(Page { items: own(&api, &caller), next: None })
}

fn spends_from(api: &Api, caller: &Caller, counter: &CounterId) -> bool {
    own(api, caller).iter().any(|it| it.counter == *counter)
}

/// The counters that calls of the caller count against.
fn own(api: &Api, caller: &Caller) -> Vec<BudgetUse> {
    let now = api.state.clock.now();
    let mut items: Vec<BudgetUse> = Vec::new();
    for event in calls_of(caller, now) {
        for found in api.state.gateway.budgets().applying(&event, now) {
            if !items.iter().any(|it| it.counter == found.counter) {
                items.push(found);
            }
        }
    }
    items
}

/// Calls that the caller could make: of their own, and for each workload that a key of
/// theirs is bound to.
fn calls_of(caller: &Caller, now: Timestamp) -> Vec<UsageEvent> {
    let Some(person) = caller.own() else { return Vec::new() };
    let snapshot = caller.plane.snapshot();
    let id = Uuid::nil();
    let mut own = UsageEvent::new(EventId(id), CallId(id), now, Source::Gateway);
    own.person = Some(person.clone());
    own.team = snapshot.people.get(person.as_str()).and_then(|spec| spec.team.clone());
    let team = own.team.as_ref().and_then(|name| snapshot.teams.get(name.as_str()));
    own.department = team.and_then(|team| team.department.clone());
    own.cost_center = team.and_then(|team| team.cost_center.clone());
    let keys = snapshot.keys.values().filter(|key| key.person.as_ref() == Some(person));
    let mut workloads: Vec<_> =
        keys.flat_map(|key| key.workload.iter().chain(&key.workloads)).collect();
    workloads.sort_unstable();
    workloads.dedup();
    let for_workloads = workloads.into_iter().filter_map(|name| {
        let spec = snapshot.workloads.get(name.as_str())?;
        let mut event = own.clone();
        event.workload = Some(name.clone());
        event.workload_class = Some(spec.class);
        event.environment = spec.environment;
        event.cost_center = Some(spec.cost_center.clone());
        Some(event)
    });
    let for_workloads: Vec<UsageEvent> = for_workloads.collect();
    std::iter::once(own).chain(for_workloads).collect()
}

/// Whether a caller sees a counter: everyone's, those of one's teams and their people, one's own.
pub(crate) fn sees(scope: &Scope, plane: &DataPlane, counter: &CounterId) -> bool {
    let snapshot = plane.snapshot();
    let Some(spec) = snapshot.budgets.get(counter.budget.as_str()) else { return false };
    let each = |wanted: Each| counter.each.as_deref().filter(|_| spec.scope.each == Some(wanted));
    let team_of = |person: &str| snapshot.people.get(person)?.team.clone();
    match scope {
        Scope::All => true,
        Scope::Own { person } => {
            spec.owner == *person || is_own(&spec.scope, each(Each::Person), person)
        }
        Scope::Teams { teams } => {
            let team = each(Each::Team).or(spec.scope.team.as_ref().map(TeamName::as_str));
            let person = each(Each::Person).or(spec.scope.person.as_ref().map(PersonName::as_str));
            let is_managed = |team: &TeamName| teams.contains(team);
            team.is_some_and(|team| teams.iter().any(|managed| managed.as_str() == team))
                || person.and_then(team_of).is_some_and(|team| is_managed(&team))
        }
    }
}

/// Whether a counter says nothing of somebody, or of a group, that is hidden from the caller.
fn may_be_told(individuals: &Individuals, plane: &DataPlane, counter: &CounterId) -> bool {
    let snapshot = plane.snapshot();
    let Some(spec) = snapshot.budgets.get(counter.budget.as_str()) else { return false };
    let scope = &spec.scope;
    let each = |wanted: Each| counter.each.as_deref().filter(|_| scope.each == Some(wanted));
    let of_key = scope.key.as_ref().and_then(|key| snapshot.keys.get(key.as_str()));
    let people = [
        each(Each::Person),
        scope.person.as_ref().map(PersonName::as_str),
        of_key.and_then(|key| key.person.as_ref()).map(PersonName::as_str),
    ];
    let teams = [each(Each::Team), scope.team.as_ref().map(TeamName::as_str)];
    people.into_iter().flatten().all(|person| individuals.shows(person))
        && teams.into_iter().flatten().all(|team| individuals.shows_team(team))
}

fn is_own(scope: &BudgetScope, each: Option<&str>, person: &PersonName) -> bool {
    each.is_some_and(|each| each == person.as_str()) || scope.person.as_ref() == Some(person)
}
