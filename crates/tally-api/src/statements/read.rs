//! Statements as they are read.

use std::sync::Arc;

use axum::{
    Extension, Json,
    body::Body,
    extract::{Query, State, rejection::QueryRejection},
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tally_ingest::edge::{self, Problem};
use tally_ledger::{
    ChargeRow, ChargebackPreview, Month, Preview, Showback, StatementHead, StatementState, Totals,
    Verified, print,
};
use tally_types::{
    CostCenterName, Kind, Name, Spec, TeamName,
    spec::{Chargeback, CostCenterSpec, RateCardSpec},
};

use super::{BODY_BYTES_MAX, books, month, owns, this_month};
use crate::{
    audit_log::exported,
    caller::Caller,
    params::{self, PathParams},
    query::csv,
    scope::Scope,
    scoreboards::Individuals,
    state::Api,
    store_problem::problem,
};

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PeriodQuery {
    /// The month, such as `2026-10`; by default the one that goes on.
    period: Option<String>,
}

/// A month's statements.
#[derive(Serialize, JsonSchema)]
pub(super) struct Statements {
    /// The month.
    period: String,
    /// How far it has come.
    state: StatementState,
    /// Why it cannot be closed now; null where it can.
    not_closable: Option<String>,
    /// By cost center; the last one is what none answers for.
    items: Vec<StatementHead>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct FormatQuery {
    /// How it looks; by default JSON.
    #[serde(default)]
    format: Format,
}

/// How a statement looks.
#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
enum Format {
    /// JSON.
    #[default]
    Json,
    /// Its rows, the finest there are, as a table.
    Csv,
    /// A document.
    Markdown,
    /// A page to print.
    Html,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ShowbackQuery {
    /// The month, such as `2026-10`; by default the one that goes on.
    period: Option<String>,
    /// Only this team.
    team: Option<String>,
}

/// What teams are shown of a month.
#[derive(Serialize, JsonSchema)]
pub(super) struct Showbacks {
    /// By team; the first one is calls of no known team.
    items: Vec<Showback>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "RateCardPreviewRequest")]
pub(super) struct PreviewBody {
    /// The card.
    spec: RateCardSpec,
    /// The month, by default the last one that is over.
    #[serde(default)]
    period: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ChargebackPreviewRequest")]
pub(super) struct ChargebackPreviewBody {
    /// How it would be charged.
    chargeback: Chargeback,
    /// The month, by default the last one that is over.
    #[serde(default)]
    period: Option<String>,
}

/// `GET /api/v1/statements`
pub(super) async fn list(
    State(api): State<Arc<Api>>,
    Extension(scope): Extension<Scope>,
    Extension(caller): Extension<Caller>,
    query: Result<Query<PeriodQuery>, QueryRejection>,
) -> Result<Json<Statements>, Problem> {
    let period = asked(&api, params::query(query)?.period.as_deref())?;
    let now = api.state.clock.now();
    let found = books(&api, move |ledger| {
        let why = ledger.may_close(period, now).err().map(|why| why.to_string());
        Ok((ledger.heads(period)?, ledger.state(period), why))
    });
    let (mut items, state, not_closable) = found.await?;
    if scope != Scope::All {
        items.retain(|head| head.cost_center.as_ref().is_some_and(|name| owns(&caller, name)));
    }
    Ok(Json(Statements { period: period.to_string(), state, not_closable, items }))
}

/// `GET /api/v1/statements/{name}`
pub(super) async fn one(
    State(api): State<Arc<Api>>,
    Extension(scope): Extension<Scope>,
    Extension(caller): Extension<Caller>,
    Extension(path): Extension<PathParams>,
    query: Result<Query<FormatQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let format = params::query(query)?.format;
    let (name, period, cost_center) = named(&path.name()?)?;
    let not_there = || {
        let detail = format!("there is no statement {name}");
        Problem::new(StatusCode::NOT_FOUND, "not_found", detail)
            .with_next_step("`GET /api/v1/statements?period=…` lists those of a month")
    };
    let is_own = cost_center.as_ref().is_some_and(|name| owns(&caller, name));
    if scope != Scope::All && !is_own {
        return Err(not_there());
    }
    if format == Format::Csv {
        return rows(&api, &caller, period, cost_center).await;
    }
    let (wanted, individuals) = (cost_center.clone(), Individuals::of(&caller));
    let statement = books(&api, move |ledger| {
        let hide = |row: &mut ChargeRow| individuals.hide_team(&mut row.team);
        ledger.statement(period, wanted.as_ref(), &hide)
    })
    .await?;
    let is_known = cost_center
        .is_none_or(|name| api.state.store.snapshot().cost_centers.contains_key(name.as_str()));
    if !is_known && statement.lines.is_empty() {
        return Err(not_there());
    }
    Ok(match format {
        Format::Markdown => text(print::markdown(&statement), "text/markdown; charset=utf-8"),
        Format::Html => text(print::html(&statement), "text/html; charset=utf-8"),
        Format::Json | Format::Csv => Json(statement).into_response(),
    })
}

/// The rows of a statement as a table; that they left the house is written down.
async fn rows(
    api: &Api,
    caller: &Caller,
    period: Month,
    cost_center: Option<CostCenterName>,
) -> Result<Response, Problem> {
    let (wanted, individuals) = (cost_center.clone(), Individuals::of(caller));
    let table = books(api, move |ledger| {
        let mut table = print::CSV_COLUMNS.join(",") + "\r\n";
        ledger.rows(period, &mut |mut row| {
            if row.cost_center == wanted {
                individuals.hide_team(&mut row.team);
                table += &print::csv_line(&row);
                table += "\r\n";
            }
            Ok(())
        })?;
        Ok(table)
    })
    .await?;
    let count = table.lines().count().saturating_sub(1);
    let what = json!({
        "what": "statement", "format": "csv", "rows": count, "period": period.to_string(),
        "cost_center": cost_center,
    });
    exported(api, caller, what).await?;
    Ok(csv(table, false))
}

/// `GET /api/v1/showback`
pub(super) async fn showback(
    State(api): State<Arc<Api>>,
    Extension(scope): Extension<Scope>,
    Extension(caller): Extension<Caller>,
    query: Result<Query<ShowbackQuery>, QueryRejection>,
) -> Result<Json<Showbacks>, Problem> {
    let query = params::query(query)?;
    let period = asked(&api, query.period.as_deref())?;
    let only: Option<TeamName> = params::parsed("team", query.team.as_deref())?;
    let mine = (scope != Scope::All).then(|| caller.managed_teams());
    if mine.as_ref().is_some_and(Vec::is_empty) {
        return Ok(Json(Showbacks { items: Vec::new() }));
    }
    let individuals = Individuals::of(&caller);
    let is_shown = move |team: Option<&TeamName>| {
        team.is_none_or(|team| individuals.shows_team(team.as_str()))
            && only.as_ref().is_none_or(|only| Some(only) == team)
            && mine.as_ref().is_none_or(|mine| team.is_some_and(|team| mine.contains(team)))
    };
    let items = books(&api, move |ledger| ledger.showback(period, &is_shown)).await?;
    Ok(Json(Showbacks { items }))
}

/// `GET /api/v1/periods/{name}/verify`
pub(super) async fn verify(
    State(api): State<Arc<Api>>,
    Extension(path): Extension<PathParams>,
) -> Result<Json<Verified>, Problem> {
    let period = month(path.name()?.as_str())?;
    books(&api, move |ledger| ledger.verify(period)).await.map(Json)
}

/// `POST /api/v1/rate-cards/preview`
pub(super) async fn preview(
    State(api): State<Arc<Api>>,
    body: Body,
) -> Result<Json<Preview>, Problem> {
    let PreviewBody { spec, period } = edge::json(&edge::read(body, BODY_BYTES_MAX).await?)?;
    checked(Spec::RateCard(spec.clone()))?;
    let period = last_month(&api, period.as_deref())?;
    let name: Name = "preview".parse().map_err(|error| Problem::internal("a name", &error))?;
    books(&api, move |ledger| ledger.preview(period, &name, &spec)).await.map(Json)
}

/// `POST /api/v1/cost-centers/{name}/preview`
pub(super) async fn preview_chargeback(
    State(api): State<Arc<Api>>,
    Extension(path): Extension<PathParams>,
    body: Body,
) -> Result<Json<ChargebackPreview>, Problem> {
    let name = path.name()?;
    let ChargebackPreviewBody { chargeback, period } =
        edge::json(&edge::read(body, BODY_BYTES_MAX).await?)?;
    let there = api.state.store.require(Kind::CostCenter, &name).await.map_err(problem)?;
    let mut spec: CostCenterSpec = serde_json::from_value(there.spec)
        .map_err(|error| Problem::internal("a cost center", &error))?;
    spec.chargeback = Some(chargeback.clone());
    checked(Spec::CostCenter(spec))?;
    let period = last_month(&api, period.as_deref())?;
    let name = CostCenterName(name);
    books(&api, move |ledger| ledger.preview_chargeback(period, &name, &chargeback)).await.map(Json)
}

fn checked(spec: Spec) -> Result<(), Problem> {
    let checked = spec.checked();
    checked.map(|_| ()).map_err(|error| {
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "spec_invalid", error.to_string())
            .with_next_step("correct the fields it names")
    })
}

/// The month that was asked for; by default the last one that is over.
fn last_month(api: &Api, period: Option<&str>) -> Result<Month, Problem> {
    match period {
        Some(text) => month(text),
        None => this_month(api).previous().map_err(|error| Problem::internal("a month", &error)),
    }
}

fn asked(api: &Api, period: Option<&str>) -> Result<Month, Problem> {
    period.map_or_else(|| Ok(this_month(api)), month)
}

/// `2026-10:cc-100-support` taken apart.
fn named(name: &Name) -> Result<(String, Month, Option<CostCenterName>), Problem> {
    let text = name.as_str();
    let parts = text.split_once(':').and_then(|(period, center)| {
        let center = match center {
            "-" => None,
            center => Some(center.parse().ok()?),
        };
        Some((text.to_owned(), period.parse().ok()?, center))
    });
    parts.ok_or_else(|| {
        let detail = "expected a month and a cost center, such as 2026-10:cc-100-support";
        Problem::bad_request("name_invalid", detail)
            .with_next_step("`2026-10:-` is what no cost center answers for")
    })
}

fn text(text: String, kind: &'static str) -> Response {
    let mut response = text.into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

/// What people are told of a month.
pub(super) fn summary(totals: &Totals, advice: &[String]) -> String {
    let mut text = format!(
        "{} calls for {} at list price. Charged: {}. Paid centrally: {}.",
        totals.calls,
        print::usd(totals.list_usd),
        print::usd(totals.charged_usd),
        print::usd(totals.subsidised_usd),
    );
    for sentence in advice {
        text.push_str("\n\n");
        text.push_str(sentence);
    }
    text
}
