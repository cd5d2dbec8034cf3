//! Files for other programs: FOCUS, and the calls themselves.

mod body;
mod rows;

use std::{io::Write, sync::Arc};

use axum::{
    Extension,
    body::Body,
    extract::{Query, State, rejection::QueryRejection},
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use tally_ingest::edge::Problem;
use tally_ledger::{
    Month,
    focus::{self, Format, Issuer, Version},
};
use tally_store::Snapshot;
use tally_types::{CostCenterName, Role, Timestamp};
use tally_warehouse::{Warehouse, WarehouseError};

use crate::{
    audit_log::exported,
    caller::Caller,
    operation::{Access, Operation},
    params,
    scoreboards::Individuals,
    state::Api,
};

/// Who takes the books out of the house.
const EXPORTERS: &[Role] = &[Role::Admin, Role::Finops, Role::Auditor];
/// What a company is called that has no `Organization` yet.
const UNNAMED: &str = "organization";
const PARQUET: &str = "application/vnd.apache.parquet";

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct FocusQuery {
    /// The month, such as `2026-10`.
    period: String,
    /// The version of FOCUS; by default 1.2.
    version: Option<Version>,
    /// How the file is written; by default CSV.
    format: Option<Format>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct EventsQuery {
    /// The month, such as `2026-10`.
    period: String,
}

pub(crate) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("exportFocus", "/api/v1/exports/focus", Access::Roles(EXPORTERS), focus)
            .about(
                "finance",
                "A month as FOCUS",
                "The open format for cost and usage (FOCUS 1.2 or 1.4): a row for each day, payer, workload, model and meter. Streamed; an answer that breaks off is no whole file.",
            )
            .query::<FocusQuery>()
            .text("text/csv", "The file.")
            .also("application/vnd.apache.parquet"),
        Operation::get("exportEvents", "/api/v1/exports/events", Access::Roles(EXPORTERS), events)
            .about(
                "finance",
                "A month's calls as Parquet",
                "Every usage event of a month with all that its price and its statement depend on, so that anybody can compute both anew. Streamed; an answer that breaks off is no whole file.",
            )
            .query::<EventsQuery>()
            .text(PARQUET, "The file."),
        Operation::get("exportOutcomes", "/api/v1/exports/outcomes", Access::Roles(EXPORTERS), outcomes)
            .about(
                "finance",
                "A month's outcomes as Parquet",
                "What came of each task and who reported it, by the time of the outcome: with the months' calls, all that scoreboards depend on. Streamed; an answer that breaks off is no whole file.",
            )
            .query::<EventsQuery>()
            .text(PARQUET, "The file."),
    ]
}

/// `GET /api/v1/exports/focus`
async fn focus(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    query: Result<Query<FocusQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let query = params::query(query)?;
    let period = period(&query.period, &caller, api.state.clock.now())?;
    let version = query.version.unwrap_or(Version::V1_2);
    let format = query.format.unwrap_or(Format::Csv);

    let issuer = issuer(caller.plane.snapshot(), period);
    let rows = rows::of_month(&api, period, Individuals::of(&caller))?;
    let what =
        json!({ "what": "focus", "format": format, "version": version, "period": query.period });
    exported(&api, &caller, what).await?;
    let body = body::written(&api, move |out| {
        focus::write(rows, &issuer, version, format, out).map(|_| ())
    })
    .await?;
    let (kind, extension) = match format {
        Format::Csv => ("text/csv; charset=utf-8", "csv"),
        Format::Parquet => (PARQUET, "parquet"),
    };
    let name = format!("tally-focus-{}-{period}.{extension}", version.as_str());
    Ok(file(body, kind, &name))
}

/// `GET /api/v1/exports/events`
async fn events(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    query: Result<Query<EventsQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    parquet(&api, &caller, "events", &params::query(query)?, Warehouse::events_to_parquet).await
}

/// `GET /api/v1/exports/outcomes`
async fn outcomes(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    query: Result<Query<EventsQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    parquet(&api, &caller, "outcomes", &params::query(query)?, Warehouse::outcomes_to_parquet).await
}

/// Writes rows of the warehouse from one time to another, and says how many.
type WriteRows =
    fn(&Warehouse, Timestamp, Timestamp, &mut (dyn Write + Send)) -> Result<u64, WarehouseError>;

/// A month of something.
async fn parquet(
    api: &Arc<Api>,
    caller: &Caller,
    what: &str,
    query: &EventsQuery,
    write: WriteRows,
) -> Result<Response, Problem> {
    Individuals::of(caller).check_raw()?;
    let period = period(&query.period, caller, api.state.clock.now())?;
    let zone = caller.plane.snapshot().organization.zone();
    let (from, to) = period.bounds(&zone).map_err(|error| Problem::internal("a month", &error))?;
    let warehouse = api.state.warehouse.require()?;
    let said = json!({ "what": what, "format": "parquet", "period": query.period });
    exported(api, caller, said).await?;
    let body = body::written(api, move |out| write(&warehouse, from, to, out).map(|_| ())).await?;
    Ok(file(body, PARQUET, &format!("tally-{what}-{period}.parquet")))
}

/// A month that has begun.
fn period(text: &str, caller: &Caller, now: Timestamp) -> Result<Month, Problem> {
    let period: Month = params::parsed("period", Some(text))?.ok_or_else(|| {
        Problem::bad_request("query_invalid", "`period`: expected a month such as 2026-10")
    })?;
    let zone = caller.plane.snapshot().organization.zone();
    if period.first() <= now.to_zoned(zone).date() {
        return Ok(period);
    }
    let detail = format!("`period`: {period} has not begun");
    Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "query_invalid", detail)
        .with_next_step("ask for a month that has"))
}

/// Who bills, as the organisation says.
fn issuer(snapshot: &Snapshot, period: Month) -> Issuer {
    let company =
        snapshot.organization_name.as_ref().map_or(UNNAMED.to_owned(), ToString::to_string);
    Issuer {
        billing_account_id: company.clone(),
        billing_account_name: company.clone(),
        billing_account_type: "Organization".to_owned(),
        sub_account_type: "Cost Center".to_owned(),
        invoice_issuer: company,
        service_name: "AI Platform".to_owned(),
        tag_prefix: "tally/".to_owned(),
        // Charges are kept in the currency of the price lists; statements say both.
        billing_currency: "USD".to_owned(),
        pricing_currency: "USD".to_owned(),
        exchange_rate: None,
        period,
        time_zone: snapshot.organization.zone(),
        invoice_of: Arc::new(move |payer: Option<&CostCenterName>| {
            payer.map_or_else(|| format!("{period}/unallocated"), |name| format!("{period}/{name}"))
        }),
    }
}

fn file(body: Body, kind: &'static str, name: &str) -> Response {
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    response
}
