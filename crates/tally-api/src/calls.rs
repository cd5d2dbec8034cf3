//! One call's whole story: who, for which work, what was asked and served, the price.

use std::sync::Arc;

use axum::{Extension, Json, extract::State};
use http::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;
use tally_gateway::DataPlane;
use tally_ingest::edge::Problem;
use tally_pricing::PriceBreakdown;
use tally_types::{
    CallId, CallStatus, Name, Outcome, PicoUsd, PicoUsdSum, UsageEvent, WorkloadName,
};
use tally_warehouse::{QueryError, Warehouse};

use crate::{
    access::READERS,
    caller::Caller,
    operation::{Access, Operation},
    params::PathParams,
    query::ask,
    scope::Scope,
    scoreboards::Individuals,
    state::Api,
};

/// A call with all its attempts.
#[derive(Debug, Serialize, JsonSchema)]
struct Call {
    call_id: CallId,
    /// In the order of time; each that may have been billed is a usage event.
    attempts: Vec<Attempt>,
    total: CallTotal,
    /// The task it was made for, if it named one.
    task: Option<CallTask>,
    /// The names of the budgets it counts against, as they are now.
    budgets: Vec<Name>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Attempt {
    event: UsageEvent,
    /// How its cost came about; null when it has none, or was priced by a version of a
    /// price list that is gone.
    price: Option<PriceBreakdown>,
}

/// All attempts together.
#[derive(Debug, Serialize, JsonSchema)]
struct CallTotal {
    tokens: u64,
    /// Null when the price of an attempt is not known.
    cost_list_usd: Option<PicoUsdSum>,
    /// From the begin of the first attempt to the end of the last, in microseconds.
    latency_us: Option<u64>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct CallTask {
    workload: Option<WorkloadName>,
    task_id: String,
    /// Null while none is reported.
    outcome: Option<Outcome>,
    /// Calls of the task; null for those who see only a part of them.
    calls: Option<u64>,
    /// Their cost at list price; calls without a known price add nothing.
    cost_list_usd: Option<PicoUsdSum>,
}

pub(crate) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("getCall", "/api/v1/calls/{id}", Access::Usage(READERS), one)
            .about(
                "usage",
                "One call's whole story",
                "Its attempts with their prices taken apart, its task and outcome, the budgets it counts against.",
            )
            .reply::<Call>("The call."),
    ]
}

/// `GET /api/v1/calls/{id}`
async fn one(
    State(api): State<Arc<Api>>,
    Extension(scope): Extension<Scope>,
    Extension(caller): Extension<Caller>,
    Extension(path): Extension<PathParams>,
) -> Result<Json<Call>, Problem> {
    let id: CallId = path.id()?;
    let sees_all = scope == Scope::All;
    let found = ask(&api, move |warehouse| {
        let mut events = warehouse.call(id).map_err(QueryError::from)?;
        events.retain(|event| scope.sees(event));
        let task = events.last().map(|event| task_of(warehouse, event, sees_all)).transpose()?;
        Ok((events, task.flatten()))
    });
    let (mut events, mut task) = found.await?;
    if events.is_empty() {
        let detail = format!("there is no call {id}");
        return Err(Problem::new(StatusCode::NOT_FOUND, "not_found", detail)
            .with_next_step("a call shows up here within seconds of its end"));
    }
    let individuals = Individuals::of(&caller);
    events.iter_mut().for_each(|event| individuals.hide(event));
    if let Some(outcome) = task.as_mut().and_then(|task| task.outcome.as_mut()) {
        individuals.hide_reporter(outcome);
    }
    // Afterwards: a budget of one person's would say whose call it was.
    let budgets = events.last().map(|event| budgets(&caller, event)).unwrap_or_default();
    let total = CallTotal::of(&events);
    let attempts = events
        .into_iter()
        .map(|event| Attempt { price: explain(&caller.plane, &event), event })
        .collect();
    Ok(Json(Call { call_id: id, attempts, total, task, budgets }))
}

fn task_of(
    warehouse: &Warehouse,
    event: &UsageEvent,
    sees_all: bool,
) -> Result<Option<CallTask>, QueryError> {
    let Some(task_id) = event.task_id.clone() else { return Ok(None) };
    let workload = event.workload.as_ref();
    let outcome = warehouse.outcome(workload, &task_id)?;
    let summary = if sees_all { warehouse.task(workload, &task_id)? } else { None };
    Ok(Some(CallTask {
        workload: workload.cloned(),
        task_id,
        outcome,
        calls: summary.as_ref().map(|summary| summary.calls),
        cost_list_usd: summary.map(|summary| summary.cost_list_usd),
    }))
}

/// Takes a price apart by the names that the model has with its provider.
fn explain(plane: &DataPlane, event: &UsageEvent) -> Option<PriceBreakdown> {
    let (provider, names) = tally_ledger::price_names(plane.snapshot(), event)?;
    plane.prices().explain_event(provider, &names, event)
}

fn budgets(caller: &Caller, event: &UsageEvent) -> Vec<Name> {
    let snapshot = caller.plane.snapshot();
    let person = event.person.as_ref().and_then(|name| snapshot.people.get(name.as_str()));
    let roles = person.map(|person| person.roles.as_slice()).unwrap_or_default();
    let organization = snapshot.organization_name.as_ref();
    let holds = snapshot
        .budgets
        .iter()
        .filter(|(_, budget)| budget.scope.holds(event, organization, roles));
    holds.map(|(name, _)| name.clone()).collect()
}

// === impl CallTotal ===

impl CallTotal {
    fn of(events: &[UsageEvent]) -> Self {
        // What was never sent costs nothing, though it has no price.
        let sent = events.iter().filter(|event| event.status != CallStatus::Refused);
        let costs: Option<Vec<PicoUsd>> = sent.map(|event| event.cost_list_usd).collect();
        let end_us = |event: &UsageEvent| {
            Some(event.time.as_microsecond() + i64::try_from(event.latency_us?).ok()?)
        };
        let begin_us = events.iter().map(|event| event.time.as_microsecond()).min();
        let span = events.iter().filter_map(end_us).max().zip(begin_us);
        Self {
            tokens: events.iter().map(|event| event.tokens.total()).sum(),
            cost_list_usd: costs.map(|costs| costs.into_iter().sum()),
            latency_us: span.and_then(|(end, begin)| u64::try_from(end - begin).ok()),
        }
    }
}
