//! Workloads: the catalog, and what is said to one.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Extension, Json,
    body::Body,
    extract::State,
    response::{IntoResponse, Response},
};
use http::StatusCode;
use jiff::{Span, civil::Date};
use schemars::JsonSchema;
use serde::Deserialize;
use tally_ingest::edge::{self, Problem};
use tally_store::catalog::{Catalog, Used, catalog};
use tally_types::{
    Kind, Name, Resource, Timestamp, WorkloadName,
    spec::{AccessRequestSpec, BaselineSpec, WorkloadState},
};
use tally_warehouse::{Field, Filter, Measure, NamedRange, Range};

use super::numbers::{question, rows, total};
use crate::{
    approvals::{person, refused},
    caller::Caller,
    params::PathParams,
    query::ask,
    resources::{BODY_BYTES_MAX, created_at, not_own},
    scope::Scope,
    state::Api,
    store_problem::problem,
};

/// A choice of a tier is looked at at least once a year.
const REVIEW_DAYS_MAX: i64 = 366;

/// Why.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "WorkloadNote")]
pub(super) struct Note {
    /// For the audit trail.
    #[serde(default)]
    note: Option<String>,
}

/// Until when the choice of a tier holds.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TierReview {
    /// Why a cheaper tier does not do; left out, what was said before still holds.
    #[serde(default)]
    reason: Option<String>,
    /// The day by which it is looked at again, at most a year ahead.
    #[schemars(with = "String")]
    review_by: Date,
    /// For the audit trail.
    #[serde(default)]
    note: Option<String>,
}

/// Over which time a baseline is.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewBaseline {
    /// From when.
    from: Timestamp,
    /// Until when; not after now.
    to: Timestamp,
    /// In the words of who signs.
    #[serde(default)]
    note: Option<String>,
}

/// `GET /api/v1/catalog`
pub(super) async fn list(
    State(api): State<Arc<Api>>,
    Extension(scope): Extension<Scope>,
) -> Result<Json<Catalog>, Problem> {
    use Measure as M;
    let measures =
        vec![M::SpendUsd, M::Tokens, M::Calls, M::ErrorRate, M::LatencyP95Ms, M::FallbackRate];
    let mut query = question(measures, &[Field::Workload], Range::Named(NamedRange::Last30Days));
    scope.narrow(&mut query.filters);
    let now = api.state.clock.now();
    let answer = ask(&api, move |warehouse| warehouse.query(&query, now)).await?;
    let used: BTreeMap<String, Used> = rows(&answer)
        .map(|row| {
            let used = Used {
                calls: row.count("calls"),
                tokens: row.count("tokens"),
                spend_usd: row.money("spend_usd").unwrap_or_default(),
                error_rate: row.number("error_rate"),
                latency_p95_ms: row.number("latency_p95_ms"),
                fallback_rate: row.number("fallback_rate"),
            };
            (row.text("workload").unwrap_or_default(), used)
        })
        .collect();
    let snapshot = api.state.store.snapshot();
    let today = now.to_zoned(snapshot.organization.zone()).date();
    Ok(Json(catalog(&snapshot, used, today)))
}

/// `POST /api/v1/workloads/{name}/approve`
pub(super) async fn approve(
    State(api): State<Arc<Api>>,
    Extension(path): Extension<PathParams>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Result<Json<Resource>, Problem> {
    go_on(&api, &caller, &path.name()?, WorkloadState::Approved, body).await
}

/// `POST /api/v1/workloads/{name}/retire`
pub(super) async fn retire(
    State(api): State<Arc<Api>>,
    Extension(path): Extension<PathParams>,
    Extension(scope): Extension<Scope>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Result<Json<Resource>, Problem> {
    let name = path.name()?;
    check_own(&api, &scope, &name)?;
    go_on(&api, &caller, &name, WorkloadState::Retired, body).await
}

async fn go_on(
    api: &Api,
    caller: &Caller,
    name: &Name,
    to: WorkloadState,
    body: Body,
) -> Result<Json<Resource>, Problem> {
    let by = person(caller)?;
    let bytes = edge::read(body, BODY_BYTES_MAX).await?;
    let note = if bytes.is_empty() { Note::default() } else { edge::json(&bytes)? }.note;
    let note = note.filter(|note| !note.trim().is_empty());
    let moved = api.state.store.move_workload(&caller.actor(), by, name, to, note).await;
    let moved = moved.map_err(refused::<AccessRequestSpec>)?;
    api.reached_gateway().await;
    Ok(Json(moved))
}

/// `POST /api/v1/workloads/{name}/review`
pub(super) async fn review(
    State(api): State<Arc<Api>>,
    Extension(path): Extension<PathParams>,
    Extension(scope): Extension<Scope>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Result<Json<Resource>, Problem> {
    let name = path.name()?;
    check_own(&api, &scope, &name)?;
    let TierReview { reason, review_by, note } =
        edge::json(&edge::read(body, BODY_BYTES_MAX).await?)?;
    let zone = api.state.store.snapshot().organization.zone();
    let today = api.state.clock.now().to_zoned(zone).date();
    let latest = today.saturating_add(Span::new().days(REVIEW_DAYS_MAX));
    if review_by <= today || review_by > latest {
        let detail = format!("`review_by`: expected a day after {today}, at most {latest}");
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "request_invalid", detail)
            .with_next_step("choose the day by which somebody looks at it again"));
    }
    let said = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
    let note = said(note).unwrap_or_else(|| "the choice of its tier was looked at".to_owned());
    let store = &api.state.store;
    let kept = store.review_tier(&caller.actor(), &name, said(reason), review_by, Some(note)).await;
    let kept = kept.map_err(refused::<AccessRequestSpec>)?;
    api.reached_gateway().await;
    Ok(Json(kept))
}

/// `POST /api/v1/workloads/{name}/baseline`
pub(super) async fn baseline(
    State(api): State<Arc<Api>>,
    Extension(path): Extension<PathParams>,
    Extension(scope): Extension<Scope>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Result<Response, Problem> {
    use Measure as M;
    let (name, by) = (path.name()?, person(&caller)?);
    check_own(&api, &scope, &name)?;
    let NewBaseline { from, to, note } = edge::json(&edge::read(body, BODY_BYTES_MAX).await?)?;
    let now = api.state.clock.now();
    if to <= from || to > now {
        let detail = "expected a range that is over: `from` before `to`, and `to` not after now";
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "request_invalid", detail)
            .with_next_step("choose a whole month, or the quarter that has just ended"));
    }
    let measures = vec![
        M::SpendUsd,
        M::Tokens,
        M::Calls,
        M::TasksSucceeded,
        M::TasksFailed,
        M::CostPerSuccessfulTaskUsd,
    ];
    let mut query = question(measures, &[], Range::Between { from, to });
    query.filters.push(Filter::eq(Field::Workload, name.as_str()));
    let answer = ask(&api, move |warehouse| warehouse.query(&query, now)).await?;
    let all = total(&answer);
    let baseline = BaselineSpec {
        workload: WorkloadName(name),
        from,
        until: to,
        calls: all.count("calls"),
        tokens: all.count("tokens"),
        spend_usd: all.money("spend_usd").unwrap_or_default(),
        tasks: all.count("tasks_succeeded") + all.count("tasks_failed"),
        cost_per_successful_task_usd: all.money("cost_per_successful_task_usd"),
        signed_by: by.clone(),
        signed_at: now,
        note,
    };
    let made = api.state.store.freeze_baseline(&caller.actor(), &baseline).await;
    let made = made.map_err(problem)?;
    Ok(created_at(&made, Json(&made).into_response()))
}

/// Whoever has no role that may is the owner.
fn check_own(api: &Api, scope: &Scope, name: &Name) -> Result<(), Problem> {
    let Scope::Own { person } = scope else { return Ok(()) };
    let snapshot = api.state.store.snapshot();
    let is_own = snapshot.workloads.get(name).is_some_and(|spec| spec.owner == *person);
    is_own.then_some(()).ok_or_else(|| not_own(Kind::Workload, name))
}
