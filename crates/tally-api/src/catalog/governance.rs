//! How ready teams are, and what a month's meeting talks about.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Extension, Json,
    extract::{Query, State, rejection::QueryRejection},
    response::{IntoResponse, Response},
};
use http::{HeaderValue, header};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tally_ingest::edge::Problem;
use tally_store::{
    AuditEntry, AuditFilter,
    catalog::{self, AgendaViolations, MonthViolations, TeamReadiness, TeamUse, month_of},
};
use tally_types::{Kind, TeamName, Timestamp};
use tally_warehouse::{Field, Filter, Measure, NamedRange, Range};

use super::numbers::{question, rows};
use crate::{
    params, query::ask, scope::Scope, state::Api, store_problem::problem, violations::open_severe,
};

/// Entries of the audit trail are read so many at a time.
const ENTRIES: u32 = 1_000;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReadinessQuery {
    /// Only this team.
    team: Option<String>,
}

/// How ready teams are.
#[derive(Serialize, JsonSchema)]
pub(super) struct Readiness {
    /// Teams by name; of those, whom the caller may see.
    items: Vec<TeamReadiness>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AgendaQuery {
    /// The month, such as `2026-11`; by default the current one.
    month: Option<String>,
    /// How to answer; by default JSON.
    #[serde(default)]
    format: AgendaFormat,
}

/// How an agenda looks.
#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub(crate) enum AgendaFormat {
    /// JSON.
    #[default]
    Json,
    /// A document to print.
    Markdown,
}

/// `GET /api/v1/readiness`
pub(super) async fn readiness(
    State(api): State<Arc<Api>>,
    Extension(scope): Extension<Scope>,
    query: Result<Query<ReadinessQuery>, QueryRejection>,
) -> Result<Json<Readiness>, Problem> {
    let only: Option<TeamName> = params::parsed("team", params::query(query)?.team.as_deref())?;
    let used = team_use(&api).await?;
    let now = api.state.clock.now();
    let snapshot = api.state.store.snapshot();
    let is_seen = |team: &TeamName| match &scope {
        Scope::All => true,
        Scope::Teams { teams } => teams.contains(team),
        Scope::Own { person } => {
            let person = snapshot.people.get(person.as_str());
            person.is_some_and(|person| person.team.as_ref() == Some(team))
        }
    };
    let items = snapshot
        .teams
        .keys()
        .map(|name| TeamName(name.clone()))
        .filter(|team| only.as_ref().is_none_or(|only| only == team) && is_seen(team))
        .map(|team| {
            let used = used.get(team.as_str()).copied().unwrap_or_default();
            catalog::readiness(&snapshot, &team, used, now)
        })
        .collect();
    Ok(Json(Readiness { items }))
}

/// What teams spent in the last 30 days.
pub(crate) async fn team_use(api: &Api) -> Result<BTreeMap<String, TeamUse>, Problem> {
    let range = Range::Named(NamedRange::Last30Days);
    let asked = question(vec![Measure::SpendUsd], &[Field::Team, Field::Workload], range);
    let now = api.state.clock.now();
    let answer = ask(api, move |warehouse| warehouse.query(&asked, now)).await?;
    let spent = rows(&answer).filter_map(|row| {
        let spend = row.money("spend_usd").unwrap_or_default();
        Some((row.text("team")?, row.text("workload"), spend))
    });
    Ok(TeamUse::by_team(spent))
}

/// `GET /api/v1/governance/agenda`
pub(super) async fn agenda(
    State(api): State<Arc<Api>>,
    query: Result<Query<AgendaQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let AgendaQuery { month, format } = params::query(query)?;
    let snapshot = api.state.store.snapshot();
    let zone = snapshot.organization.zone();
    let month = month.unwrap_or_else(|| {
        api.state.clock.now().to_zoned(zone.clone()).strftime("%Y-%m").to_string()
    });
    let wrong = || Problem::bad_request("query_invalid", "`month`: expected such as 2026-11");
    let (first, next) = month_of(&month).ok_or_else(wrong)?;
    let start = first.to_zoned(zone).map_err(|_| wrong())?.timestamp();
    let changes = changes_of(&api, Kind::Policy, start).await?;
    let end = next.to_zoned(snapshot.organization.zone()).map_err(|_| wrong())?.timestamp();
    let violations = violations(&api, Range::Between { from: start, to: end }).await?;
    let open_severe = open_severe(&api, Range::Between { from: start, to: end }).await?;
    let violations = MonthViolations { by_rule: violations, open_severe };
    let agenda =
        catalog::agenda(&snapshot, &changes, violations, first, next).map_err(|_| wrong())?;
    if format == AgendaFormat::Json {
        return Ok(Json(agenda).into_response());
    }
    Ok(markdown(agenda.to_markdown(&snapshot)))
}

/// A document to print.
pub(crate) fn markdown(text: String) -> Response {
    let mut response = text.into_response();
    let kind = HeaderValue::from_static("text/markdown; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

/// Violations in a range, by rule.
async fn violations(api: &Arc<Api>, range: Range) -> Result<Vec<AgendaViolations>, Problem> {
    let mut asked = question(vec![Measure::PolicyViolations], &[Field::Rule], range);
    asked.filters.push(Filter::eq(Field::Violation, "true"));
    let now = api.state.clock.now();
    let answer = ask(api, move |warehouse| warehouse.query(&asked, now)).await?;
    let met = rows(&answer).filter_map(|row| {
        Some(AgendaViolations { rule: row.text("rule")?, calls: row.count("policy_violations") })
    });
    Ok(met.collect())
}

/// What was done to resources of a kind since a time, oldest first.
pub(crate) async fn changes_of(
    api: &Api,
    kind: Kind,
    since: Timestamp,
) -> Result<Vec<AuditEntry>, Problem> {
    let mut found = Vec::new();
    let mut before = i64::MAX;
    loop {
        let filter = AuditFilter {
            before_sequence: Some(before),
            limit: ENTRIES,
            kind: Some(kind),
            ..AuditFilter::default()
        };
        let page = api.state.store.audit(filter).await.map_err(problem)?;
        let last = page.last().map(|entry| (entry.sequence, entry.time));
        found.extend(page.into_iter().filter(|entry| entry.time >= since));
        match last {
            Some((sequence, time)) if time >= since => before = sequence,
            _ => break,
        }
    }
    found.reverse();
    Ok(found)
}
