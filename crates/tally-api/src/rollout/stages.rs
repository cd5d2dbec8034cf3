//! Stages of cost centers.

use std::sync::Arc;

use axum::{
    Extension, Json,
    body::Body,
    extract::{Query, State, rejection::QueryRejection},
};
use http::StatusCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tally_ingest::edge::{self, Flaw, Problem};
use tally_store::rollout::{RolloutError, RolloutProgress, StageMove, progress};
use tally_types::{
    Name, Resource,
    spec::{GateResult, RolloutStage},
};

use super::{BODY_BYTES_MAX, invalid, measure, refused};
use crate::{
    approvals::person,
    caller::Caller,
    params::{self, PathParams},
    scope::Scope,
    state::Api,
};

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ListQuery {
    /// Only this cost center.
    cost_center: Option<String>,
}

/// How far cost centers have come.
#[derive(Serialize, JsonSchema)]
pub(super) struct Rollouts {
    /// By name; of those, what the caller may see.
    items: Vec<RolloutProgress>,
}

/// Where a cost center is to go.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "RolloutMove")]
pub(super) struct Move {
    /// The stage.
    to: RolloutStage,
    /// Why; needed where it goes back, or on although gates do not hold.
    #[serde(default)]
    reason: Option<String>,
    /// Whether it goes on although gates do not hold.
    #[serde(default, rename = "override")]
    overrides: bool,
}

/// `GET /api/v1/rollout/stages`
pub(super) async fn list(
    State(api): State<Arc<Api>>,
    Extension(scope): Extension<Scope>,
    Extension(caller): Extension<Caller>,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Json<Rollouts>, Problem> {
    let only: Option<Name> =
        params::parsed("cost_center", params::query(query)?.cost_center.as_deref())?;
    let mut items = measured(&api).await?;
    items.retain(|item| only.as_ref().is_none_or(|only| *only == item.cost_center));
    if scope != Scope::All {
        let teams = caller.managed_teams();
        let own = caller.own();
        items.retain(|item| {
            own == Some(&item.owner) || item.teams.iter().any(|team| teams.contains(team))
        });
    }
    Ok(Json(Rollouts { items }))
}

async fn measured(api: &Api) -> Result<Vec<RolloutProgress>, Problem> {
    let (used, bills) = (measure::cost_centers(api).await?, measure::bills(api).await?);
    let snapshot = api.state.store.snapshot();
    let today = measure::today(api);
    Ok(progress(&snapshot, &used, &bills, today))
}

/// `POST /api/v1/rollouts/{name}/move`
pub(super) async fn go(
    State(api): State<Arc<Api>>,
    Extension(path): Extension<PathParams>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Result<Json<Resource>, Problem> {
    let (name, by) = (path.name()?, person(&caller)?.clone());
    let Move { to, reason, overrides } = edge::json(&edge::read(body, BODY_BYTES_MAX).await?)?;
    let found = measured(&api).await?.into_iter().find(|item| item.cost_center == name);
    // What was measured is for the next stage; back there is nothing to measure.
    let gates = found.filter(|item| item.next == Some(to)).map(|item| item.gates);
    let gates = gates.unwrap_or_default();
    let at = api.state.clock.now();
    let wanted = StageMove { by, at, to, reason, overrides, gates };
    let moved = api.state.store.move_stage(&caller.actor(), name, wanted).await;
    moved.map(Json).map_err(why)
}

fn why(error: RolloutError) -> Problem {
    let detail = error.to_string();
    match error {
        RolloutError::Own(_) => Problem::new(StatusCode::FORBIDDEN, "own_request", detail)
            .with_next_step("ask somebody else with the role finops or admin"),
        RolloutError::Gates(gates) => {
            let flaws = gates.into_iter().map(|GateResult { gate, detail, next_step, .. }| {
                let step = next_step.map(|step| format!("; {step}")).unwrap_or_default();
                Flaw::new(gate.as_str(), format!("{detail}{step}"))
            });
            Problem::new(StatusCode::CONFLICT, "gates_open", detail)
                .with_next_step("mend what is named in `errors`, or set `override` with a reason; a chargeback model that fits is needed in any case")
                .with_errors(flaws)
        }
        RolloutError::Reason(_) => invalid(detail, "say why in `reason`"),
        RolloutError::Store(error) => refused(error),
        _ => Problem::new(StatusCode::CONFLICT, "rollout_refused", detail)
            .with_next_step("`GET /api/v1/rollout/stages` says where each cost center is"),
    }
}
