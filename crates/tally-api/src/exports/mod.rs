//! Files for other programs: FOCUS.

mod body;
mod rows;

use std::sync::Arc;

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

use crate::{
    audit_log::exported,
    caller::Caller,
    operation::{Access, Operation},
    params,
    state::Api,
};

pub(crate) use rows::{Days, MeteredDays};

/// Who takes the books out of the house.
const EXPORTERS: &[Role] = &[Role::Admin, Role::Finops, Role::Auditor];
/// What a company is called that has no `Organization` yet.
const UNNAMED: &str = "organization";

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
    ]
}

/// `GET /api/v1/exports/focus`
async fn focus(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    query: Result<Query<FocusQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let query = params::query(query)?;
    let period = params::parsed("period", Some(&query.period))?.ok_or_else(|| {
        Problem::bad_request("query_invalid", "`period`: expected a month such as 2026-10")
    })?;
    let version = query.version.unwrap_or(Version::V1_2);
    let format = query.format.unwrap_or(Format::Csv);
    has_begun(&caller, period, api.state.clock.now())?;

    let issuer = issuer(caller.plane.snapshot(), period);
    let rows = rows::of_month(&api, period)?;
    let what =
        json!({ "what": "focus", "format": format, "version": version, "period": query.period });
    exported(&api, &caller, what).await?;
    let body = body::written(&api, move |out| {
        focus::write(rows, &issuer, version, format, out).map(|_| ())
    })
    .await?;
    Ok(file(body, period, version, format))
}

fn has_begun(caller: &Caller, period: Month, now: Timestamp) -> Result<(), Problem> {
    let zone = caller.plane.snapshot().organization.zone();
    if period.first() <= now.to_zoned(zone).date() {
        return Ok(());
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

fn file(body: Body, period: Month, version: Version, format: Format) -> Response {
    let (kind, extension) = match format {
        Format::Csv => ("text/csv; charset=utf-8", "csv"),
        Format::Parquet => ("application/vnd.apache.parquet", "parquet"),
    };
    let name = format!("tally-focus-{}-{period}.{extension}", version.as_str());
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    response
}
