//! Asking for more, for real or to see what would come of it.

use std::sync::Arc;

use axum::{
    Extension, Json,
    body::Body,
    extract::{Query, State, rejection::QueryRejection},
    response::{IntoResponse, Response},
};
use http::StatusCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tally_ingest::edge::{self, Problem};
use tally_store::grants::{NewGrant, budget_of, concerns, request};
use tally_types::{
    BudgetUse, CounterId, PersonName, Timestamp,
    spec::{BudgetLimit, GrantSpec},
};

use crate::{
    approvals::{AskQuery, person, refused},
    caller::Caller,
    params,
    resources::BODY_BYTES_MAX,
    resources::created_at,
    scope::Scope,
    state::Api,
};

pub(super) const DESCRIPTION: &str = "A temporary increase: how much, until when, why. The budget's \
approvers are told; nobody approves their own. With `dry_run` nothing is stored: the reply (200) shows \
who would have to approve, how the budget stands, and which budget above it would bind next. An \
emergency holds at once where the budget allows it, and is reviewed afterwards.";

/// What is asked for.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewGrant")]
pub(super) struct NewGrantBody {
    /// Which budget; whose, where it is one for `each`; of which environment, where that
    /// has a limit of its own.
    counter: CounterId,
    /// So much more, in the budget's unit.
    increase: BudgetLimit,
    /// Until then, at most 90 days from now.
    until: Timestamp,
    /// Why, in 1 to 2,000 characters.
    reason: String,
    /// Whether it must not wait for an approver.
    #[serde(default)]
    emergency: bool,
}

/// What would come of it.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "GrantPreview")]
pub(super) struct Preview {
    /// The grant, with who would have to approve.
    grant: GrantSpec,
    /// How the counter stands; null while nothing has counted against it.
    r#use: Option<BudgetUse>,
    /// The budget that would bind next, if one is known.
    above: Option<BudgetUse>,
}

pub(super) fn example() -> Value {
    json!({
        "counter": { "budget": "support-month" }, "increase": { "usd": "250" },
        "until": "2026-11-30T17:00:00Z", "reason": "Replies to the recall of model 7",
    })
}

/// `POST /api/v1/grants`
pub(super) async fn create(
    State(api): State<Arc<Api>>,
    Extension(scope): Extension<Scope>,
    Extension(caller): Extension<Caller>,
    query: Result<Query<AskQuery>, QueryRejection>,
    body: Body,
) -> Result<Response, Problem> {
    let is_dry_run = params::query(query)?.dry_run;
    let new: NewGrantBody = edge::json(&edge::read(body, BODY_BYTES_MAX).await?)?;
    let by = person(&caller)?.clone();
    let NewGrantBody { counter, increase, until, reason, emergency } = new;
    let new = NewGrant { counter, increase, until, reason, emergency };
    check_concern(&api, &scope, &by, &new.counter)?;
    if is_dry_run {
        return Ok(Json(preview(&api, &by, new)?).into_response());
    }
    let made = api.state.store.grants().request(&caller.actor(), &by, new).await;
    let made = made.map_err(refused::<GrantSpec>)?;
    api.reached_gateway().await;
    Ok(created_at(&made, Json(&made).into_response()))
}

/// People ask for what their calls count against.
fn check_concern(
    api: &Api,
    scope: &Scope,
    by: &PersonName,
    counter: &CounterId,
) -> Result<(), Problem> {
    let snapshot = api.state.store.snapshot();
    if *scope == Scope::All || budget_of(&snapshot, counter).is_err() {
        // A counter that cannot be is told by the rules.
        return Ok(());
    }
    concerns(&snapshot, counter, by).then_some(()).ok_or_else(|| {
        let detail = format!("your calls do not count against {counter}");
        Problem::new(StatusCode::FORBIDDEN, "not_own", detail)
            .with_next_step("`GET /api/v1/me/budgets` lists the budgets that yours count against")
    })
}

fn preview(api: &Api, by: &PersonName, new: NewGrant) -> Result<Preview, Problem> {
    let now = api.state.clock.now();
    let counter = new.counter.clone();
    let grant = request(&api.state.store.snapshot(), by, new, now).map_err(refused::<GrantSpec>)?;
    let budgets = &api.state.budgets;
    Ok(Preview { grant, r#use: budgets.use_of(&counter, now), above: budgets.above(&counter, now) })
}
