//! The month's sprint.

use std::sync::Arc;

use axum::{
    Extension, Json,
    body::Body,
    extract::{Query, State, rejection::QueryRejection},
};
use jiff::{Span, Timestamp, civil::Date};
use schemars::JsonSchema;
use serde::Deserialize;
use tally_ingest::edge::{self, Problem};
use tally_store::{
    Snapshot, StoreError,
    catalog::month_of,
    rollout::{
        Anomaly, FailedCalls, NewTarget, Offenders, SpendOfDay, Sprint, TargetProgress,
        Unattributed, WorkloadMonth, anomalies, offenders, reached, scaled, target_progress,
    },
};
use tally_types::{
    Exact, PersonName, Resource,
    spec::{SprintTarget, TargetMeasure, TargetResult, TargetScope},
};
use tally_warehouse::{
    Compare, Dimension, Field, Filter, FilterOp, Grain, Measure, Query as Question, Range,
};

use super::{
    BODY_BYTES_MAX, invalid,
    measure::{self, PROMPT_TOKENS, answer, today, uncached},
    refused,
};
use crate::{
    approvals::person,
    caller::Caller,
    catalog::numbers::{GROUPS_MAX, question, rows},
    params::{self, PathParams},
    scoreboards::Individuals,
    state::Api,
};

/// What a call that failed ended in.
const FAILED: [&str; 4] = ["error", "cut", "timeout", "interrupted"];
/// What stands on no page yet, so that nobody takes silence for all clear.
const NOT_MEASURED: &[&str] = &[
    "prompts that are sent twice, and retries by hand",
    "frontier models for small work",
    "slow drifts: only single days are compared",
];

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SprintQuery {
    /// The month, such as `2026-11`; by default the one that goes on.
    month: Option<String>,
}

/// A reduction target.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewTarget")]
pub(super) struct Target {
    /// Whose use: one of them.
    scope: TargetScope,
    /// What is to become less.
    measure: TargetMeasure,
    /// So much less than the baseline, in percent; this or `target`.
    #[serde(default)]
    reduce_percent: Option<Exact>,
    /// At most so much over the month; this or `reduce_percent`.
    #[serde(default)]
    target: Option<Exact>,
    /// Over which time the baseline is measured; by default the month before.
    #[serde(default)]
    baseline: Option<BaselineRange>,
    /// Who answers for it; by default who answers for what it is about.
    #[serde(default)]
    owner: Option<PersonName>,
    /// How it is to be reached.
    #[serde(default)]
    note: Option<String>,
}

/// Over which time a baseline is measured.
#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "TargetBaseline")]
struct BaselineRange {
    /// From when.
    from: Timestamp,
    /// Until when; not after now.
    to: Timestamp,
}

/// A target that no longer counts.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "TargetWithdrawal")]
pub(super) struct Withdrawal {
    /// Its number.
    target: u32,
    /// Why.
    reason: String,
}

/// The end of a sprint.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "SprintClosing")]
pub(super) struct Closing {
    /// What is to be remembered.
    #[serde(default)]
    note: Option<String>,
}

/// A month that has begun.
struct Month {
    text: String,
    first: Date,
    next: Date,
    from: Timestamp,
    until: Timestamp,
    /// Its end, or now.
    measured_until: Timestamp,
}

/// `GET /api/v1/rollout/sprint`
pub(super) async fn page(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    query: Result<Query<SprintQuery>, QueryRejection>,
) -> Result<Json<Sprint>, Problem> {
    let individuals = Individuals::of(&caller);
    let month = match params::query(query)?.month {
        Some(text) => month(&api, &text)?,
        None => month(&api, &today(&api).strftime("%Y-%m").to_string())?,
    };
    let snapshot = api.state.store.snapshot();
    let record = snapshot.sprints.get(month.text.as_str()).cloned();
    let is_shown = |target: &&SprintTarget| {
        target.scope.team.as_ref().is_none_or(|team| individuals.shows_team(team.as_str()))
    };
    let targets = record.iter().flat_map(|record| &record.targets).filter(is_shown);
    let mut measured = Vec::new();
    for target in targets {
        measured.push(progress_of(&api, target, &month).await?);
    }
    let (offenders, compared) = trouble(&api, &snapshot, &individuals, &month).await?;
    Ok(Json(Sprint {
        state: record.as_ref().map(|record| record.state),
        from: month.from,
        until: month.until,
        measured_until: month.measured_until,
        compared_from: compared.0,
        compared_until: compared.1,
        is_over: month.measured_until >= month.until,
        targets: measured,
        offenders,
        anomalies: out_of_the_ordinary(&api, &month).await?,
        not_measured: NOT_MEASURED.to_vec(),
        note: record.as_ref().and_then(|record| record.note.clone()),
        closed_by: record.as_ref().and_then(|record| record.closed_by.clone()),
        closed_at: record.as_ref().and_then(|record| record.closed_at),
        month: month.text,
    }))
}

fn month(api: &Api, text: &str) -> Result<Month, Problem> {
    let wrong =
        |why: &str| Problem::bad_request("query_invalid", format!("`month`: expected {why}"));
    let (first, next) = month_of(text).ok_or_else(|| wrong("such as 2026-11"))?;
    let zone = api.state.store.snapshot().organization.zone();
    let midnight = |day: Date| day.to_zoned(zone.clone()).map(|at| at.timestamp());
    let from = midnight(first).map_err(|_| wrong("such as 2026-11"))?;
    let until = midnight(next).map_err(|_| wrong("such as 2026-11"))?;
    let now = api.state.clock.now();
    if from >= now {
        return Err(wrong("a month that has begun"));
    }
    Ok(Month { text: text.to_owned(), first, next, from, until, measured_until: until.min(now) })
}

async fn progress_of(
    api: &Api,
    target: &SprintTarget,
    month: &Month,
) -> Result<TargetProgress, Problem> {
    let so_far = (month.from, month.measured_until);
    let value = match target.result {
        Some(result) => result.value,
        None => measure::value(api, &target.scope, target.measure, so_far).await?,
    };
    Ok(target_progress(target, value, so_far, (month.from, month.until)))
}

/// Where to look first, and the range that it is compared with.
async fn trouble(
    api: &Api,
    snapshot: &Snapshot,
    individuals: &Individuals,
    month: &Month,
) -> Result<(Offenders, (Timestamp, Timestamp)), Problem> {
    let range = Range::Between { from: month.from, to: month.measured_until };
    let own = [
        Measure::SpendUsd,
        Measure::CostPerSuccessfulTaskUsd,
        Measure::TasksSucceeded,
        Measure::TokensOutput,
    ];
    let measures = own.into_iter().chain(PROMPT_TOKENS).collect();
    let mut asked = question(measures, &[Field::Workload], range);
    asked.compare = Some(Compare::PreviousMonth);
    let found = answer(api, asked).await?;
    let months: Vec<WorkloadMonth> = rows(&found)
        .filter_map(|row| {
            let (tokens_uncached, percent) = uncached(&row);
            let uncached_percent = percent.filter(|_| row.count("tokens_output") > 0);
            Some(WorkloadMonth {
                workload: row.text("workload")?,
                spend_usd: row.money("spend_usd").unwrap_or_default(),
                before_usd: row.money("spend_usd_compared").unwrap_or_default(),
                cost_per_task_usd: row.money("cost_per_successful_task_usd"),
                cost_per_task_before_usd: row.money("cost_per_successful_task_usd_compared"),
                tasks_succeeded: row.count("tasks_succeeded"),
                tokens_uncached,
                uncached_percent,
            })
        })
        .collect();
    let mut asked = question(vec![Measure::SpendUsd], &[Field::Team], range);
    let dimension = Dimension::Field(Field::Workload);
    asked.filters.push(Filter { dimension, op: FilterOp::IsNull, values: Vec::new() });
    individuals.narrow(&asked.dimensions, &mut asked.filters)?;
    let nobodys = answer(api, asked).await?;
    let unattributed = rows(&nobodys).map(|row| Unattributed {
        team: row.text("team"),
        spend_usd: row.money("spend_usd").unwrap_or_default(),
    });
    let measures = vec![Measure::SpendUsd, Measure::CallsFailed];
    let mut asked = question(measures, &[Field::Workload], range);
    let values = FAILED.map(str::to_owned).to_vec();
    let dimension = Dimension::Field(Field::Status);
    asked.filters.push(Filter { dimension, op: FilterOp::In, values });
    let failing = answer(api, asked).await?;
    let failed = rows(&failing).map(|row| FailedCalls {
        workload: row.text("workload"),
        calls: row.count("calls_failed"),
        spend_usd: row.money("spend_usd").unwrap_or_default(),
    });
    let compared = found.compared_range.map_or((month.from, month.from), |it| (it.from, it.to));
    Ok((offenders(snapshot, &months, unattributed.collect(), failed.collect()), compared))
}

/// Days of the month that are over, beside the four weeks before each.
async fn out_of_the_ordinary(api: &Api, month: &Month) -> Result<Vec<Anomaly>, Problem> {
    let zone = api.state.store.snapshot().organization.zone();
    let end = month.next.min(today(api));
    let start = month.first.saturating_sub(Span::new().weeks(4));
    let midnight = |day: Date| {
        let at = day.to_zoned(zone.clone()).map(|at| at.timestamp());
        at.map_err(|error| Problem::internal("a day", &error))
    };
    let (from, to) = (midnight(start)?, midnight(end)?);
    if end <= month.first {
        return Ok(Vec::new());
    }
    let mut asked = Question::new(vec![Measure::SpendUsd], Range::Between { from, to });
    asked.dimensions = vec![Dimension::Field(Field::CostCenter)];
    asked.grain = Some(Grain::Day);
    asked.limit = Some(GROUPS_MAX);
    let found = answer(api, asked).await?;
    let days: Vec<SpendOfDay> = rows(&found)
        .filter_map(|row| {
            Some(SpendOfDay {
                cost_center: row.text("cost_center"),
                day: row.time("time")?.to_zoned(zone.clone()).date(),
                spend_usd: row.money("spend_usd").unwrap_or_default(),
            })
        })
        .collect();
    Ok(anomalies(&days, month.first, end))
}

/// `POST /api/v1/sprints/{name}/targets`
pub(super) async fn set(
    State(api): State<Arc<Api>>,
    Extension(path): Extension<PathParams>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Result<Json<Resource>, Problem> {
    let (name, by) = (path.name()?, person(&caller)?.clone());
    let asked: Target = edge::json(&edge::read(body, BODY_BYTES_MAX).await?)?;
    if let Some(team) = &asked.scope.team {
        Individuals::of(&caller).check_team(team)?;
    }
    let month = month(&api, name.as_str())?;
    let measured = baseline_range(&api, &month, asked.baseline)?;
    let found = measure::value(&api, &asked.scope, asked.measure, measured).await?;
    let Some(found) = found.filter(|found| *found > Exact::default()) else {
        let detail = "nothing was measured over the range of the baseline";
        return Err(invalid(detail, "name another range in `baseline`, or another measure"));
    };
    let baseline = match asked.measure.adds_up() {
        true => scaled(found, measured, (month.from, month.until)),
        false => found,
    };
    let target = wanted(baseline, asked.reduce_percent, asked.target)?;
    let owner = match asked.owner {
        Some(owner) => owner,
        None => owner_of(&api.state.store.snapshot(), &asked.scope)
            .ok_or_else(|| invalid("nobody answers for it", "name an `owner`"))?,
    };
    let new = NewTarget {
        scope: asked.scope,
        measure: asked.measure,
        baseline,
        baseline_from: measured.0,
        baseline_until: measured.1,
        target,
        owner,
        note: asked.note,
        by,
        at: api.state.clock.now(),
    };
    let set = api.state.store.set_target(&caller.actor(), name, new).await;
    set.map(Json).map_err(refused)
}

/// The range that was named, else the whole month before.
fn baseline_range(
    api: &Api,
    month: &Month,
    asked: Option<BaselineRange>,
) -> Result<(Timestamp, Timestamp), Problem> {
    if let Some(BaselineRange { from, to }) = asked {
        let is_over = from < to && to <= api.state.clock.now();
        let step = "choose a whole month, or the weeks before";
        let detail = "`baseline`: expected a range that is over";
        return is_over.then_some((from, to)).ok_or_else(|| invalid(detail, step));
    }
    let zone = api.state.store.snapshot().organization.zone();
    let before = month.first.saturating_sub(Span::new().months(1)).to_zoned(zone);
    let before = before.map_err(|error| Problem::internal("a month", &error))?;
    Ok((before.timestamp(), month.from))
}

/// What is wanted, from a percentage or as it is.
fn wanted(
    baseline: Exact,
    reduce_percent: Option<Exact>,
    target: Option<Exact>,
) -> Result<Exact, Problem> {
    let all = 100 * Exact::ONE;
    match (reduce_percent, target) {
        (Some(percent), None) if percent > Exact::default() && percent.pico() <= all => {
            // A hundredth of a percent is fine enough, and keeps the product small.
            let step = Exact::ONE / 10_000;
            let left = (all - percent.pico()) / step;
            Ok(Exact::from_pico(baseline.pico().saturating_mul(left) / (all / step)))
        }
        (None, Some(target)) if target >= Exact::default() && target < baseline => Ok(target),
        (None, Some(_)) => {
            let detail = format!("`target`: expected zero or more, and less than {baseline}");
            Err(invalid(detail, "it was that much over the range of the baseline"))
        }
        _ => {
            let detail = "expected `reduce_percent`, above 0 and up to 100, or `target`";
            Err(invalid(detail, "give one of them"))
        }
    }
}

fn owner_of(snapshot: &Snapshot, scope: &TargetScope) -> Option<PersonName> {
    let (kind, name) = scope.named()?;
    match kind {
        "cost_center" => snapshot.cost_centers.get(name).map(|spec| spec.owner.clone()),
        "team" => snapshot.teams.get(name)?.manager.clone(),
        _ => snapshot.workloads.get(name).map(|spec| spec.owner.clone()),
    }
}

/// `POST /api/v1/sprints/{name}/withdraw`
pub(super) async fn withdraw(
    State(api): State<Arc<Api>>,
    Extension(path): Extension<PathParams>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Result<Json<Resource>, Problem> {
    let (name, by) = (path.name()?, person(&caller)?.clone());
    let Withdrawal { target, reason } = edge::json(&edge::read(body, BODY_BYTES_MAX).await?)?;
    let by = (by, api.state.clock.now());
    let done = api.state.store.withdraw_target(&caller.actor(), name, target, by, reason).await;
    done.map(Json).map_err(refused)
}

/// `POST /api/v1/sprints/{name}/close`
pub(super) async fn close(
    State(api): State<Arc<Api>>,
    Extension(path): Extension<PathParams>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Result<Json<Resource>, Problem> {
    let (name, by) = (path.name()?, person(&caller)?.clone());
    let bytes = edge::read(body, BODY_BYTES_MAX).await?;
    let note = if bytes.is_empty() { Closing::default() } else { edge::json(&bytes)? }.note;
    let month = month(&api, name.as_str())?;
    if month.measured_until < month.until {
        let why = format!("{} is not over: its results are not there yet", month.text);
        return Err(refused(StoreError::Argument(why)));
    }
    let at = api.state.clock.now();
    let whole = (month.from, month.until);
    let record = api.state.store.snapshot().sprints.get(&name).cloned();
    let targets = record.map(|record| record.targets).unwrap_or_default();
    let mut results = Vec::new();
    for target in targets.iter().filter(|target| target.withdrawn.is_none()) {
        let value = measure::value(&api, &target.scope, target.measure, whole).await?;
        let met = value.is_some_and(|value| reached(target, value, whole, whole));
        results.push((target.number, TargetResult { value, met, at }));
    }
    let done = api.state.store.close_sprint(&caller.actor(), name, (by, at), note, results).await;
    done.map(Json).map_err(refused)
}
