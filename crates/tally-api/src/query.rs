//! The metrics layer: questions, answers, and what can be asked.

use std::{sync::Arc, time::Duration};

use axum::{
    Extension, Json,
    body::Body,
    extract::{self, State, rejection::QueryRejection},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tally_ingest::edge::{self, Problem};
use tally_warehouse::{
    DimensionInfo, MeasureInfo, NamedRange, Query, QueryError, QueryResult, Warehouse, dimensions,
    measures, to_csv,
};

use tokio::sync::OwnedSemaphorePermit;

use crate::{
    access::READERS,
    audit_log::exported,
    caller::Caller,
    operation::{Access, Operation},
    params,
    resources::BODY_BYTES_MAX,
    scope::Scope,
    scoreboards::Individuals,
    state::Api,
};

/// How long a query waits for its turn.
const WAIT_MAX: Duration = Duration::from_secs(10);
const TRUNCATED: HeaderName = HeaderName::from_static("x-tally-truncated");

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Format {
    /// How to answer; by default what the header `accept` asks for, else JSON.
    format: Option<Shape>,
}

/// How an answer looks.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub(crate) enum Shape {
    /// JSON.
    Json,
    /// A table for spreadsheets (RFC 4180).
    Csv,
}

/// What can be asked.
#[derive(Serialize, JsonSchema)]
struct Catalog {
    /// What can be computed.
    measures: Vec<MeasureInfo>,
    /// What answers can be split by and filtered on.
    dimensions: Vec<DimensionInfo>,
    /// The names of ranges.
    ranges: Vec<&'static str>,
}

pub(crate) fn operations() -> Vec<Operation> {
    let example = json!({
        "measures": ["spend_usd", "tokens", "cost_per_successful_task_usd"],
        "dimensions": ["team"],
        "filters": [{ "dimension": "environment", "op": "eq", "values": ["production"] }],
        "range": "last_30_days", "compare": "previous_period",
        "order": [{ "by": "spend_usd", "desc": true }], "limit": 20,
    });
    vec![
        Operation::post("query", "/api/v1/query", Access::Usage(READERS), answer)
            .about(
                "usage",
                "Ask the metrics layer",
                "Measures over dimensions, filters and time. Managers see their teams, developers their own usage.",
            )
            .query::<Format>()
            .body::<Query>(example)
            .reply::<QueryResult>("Columns, rows and their total.")
            .also("text/csv")
            .asks(),
        Operation::get("queryCatalog", "/api/v1/query/catalog", Access::SignedIn, catalog)
            .about("usage", "What can be asked", "Measures, dimensions and named ranges.")
            .reply::<Catalog>("The catalog."),
    ]
}

/// `POST /api/v1/query`
async fn answer(
    State(api): State<Arc<Api>>,
    Extension(scope): Extension<Scope>,
    Extension(caller): Extension<Caller>,
    format: Result<extract::Query<Format>, QueryRejection>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let shape = params::query(format)?.format;
    let mut query: Query = edge::json(&edge::read(body, BODY_BYTES_MAX).await?)?;
    scope.narrow(&mut query.filters);
    Individuals::of(&caller).narrow(&query.dimensions, &mut query.filters)?;
    let now = api.state.clock.now();
    let result = ask(&api, move |warehouse| warehouse.query(&query, now)).await?;
    Ok(if wants_csv(shape, &headers) {
        let what = json!({ "what": "usage", "format": "csv", "rows": result.rows.len() });
        exported(&api, &caller, what).await?;
        csv(to_csv(&result), result.truncated)
    } else {
        Json(result).into_response()
    })
}

/// `GET /api/v1/query/catalog`
async fn catalog() -> Json<Catalog> {
    let ranges = NamedRange::ALL.iter().map(|range| range.name()).collect();
    Json(Catalog { measures: measures(), dimensions: dimensions(), ranges })
}

/// Asks the warehouse off the async threads, a few questions at a time.
pub(crate) async fn ask<T: Send + 'static>(
    api: &Api,
    question: impl FnOnce(&Warehouse) -> Result<T, QueryError> + Send + 'static,
) -> Result<T, Problem> {
    let warehouse = api.state.warehouse.require()?;
    let turn = turn(api).await?;
    let asked = tokio::task::spawn_blocking(move || {
        // Held until the answer is there, even when whoever asked has gone away.
        let _turn = turn;
        question(&warehouse)
    });
    match asked.await {
        Ok(answer) => answer.map_err(refused),
        Err(error) => Err(Problem::internal("the query", &error)),
    }
}

/// Waits for a turn; it is over when what is given is dropped.
pub(crate) async fn turn(api: &Api) -> Result<OwnedSemaphorePermit, Problem> {
    let _place = api.queries_queued.try_acquire().map_err(|_| busy())?;
    let turn = tokio::time::timeout(WAIT_MAX, Arc::clone(&api.queries).acquire_owned()).await;
    turn.ok().and_then(Result::ok).ok_or_else(busy)
}

fn busy() -> Problem {
    let detail = "too many queries are under way";
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "warehouse_busy", detail)
        .with_next_step("try again shortly; shorter ranges and fewer dimensions help")
        .with_retry_after(5)
}

pub(crate) fn refused(error: QueryError) -> Problem {
    match error {
        QueryError::Invalid(detail) => {
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "query_invalid", detail)
                .with_next_step("`GET /api/v1/query/catalog` lists what can be asked")
        }
        QueryError::TooManyGroups(_) => {
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "query_too_wide", error.to_string())
                .with_next_step("narrow the query")
        }
        QueryError::Warehouse(error) => Problem::internal("the warehouse", &error),
    }
}

pub(crate) fn wants_csv(shape: Option<Shape>, headers: &HeaderMap) -> bool {
    if let Some(shape) = shape {
        return shape == Shape::Csv;
    }
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    accept.is_some_and(|kinds| {
        kinds
            .split(',')
            .any(|kind| kind.split(';').next().is_some_and(|kind| kind.trim() == "text/csv"))
    })
}

/// A table, as a file to keep.
pub(crate) fn csv(text: String, truncated: bool) -> Response {
    let mut response = text.into_response();
    let headers = response.headers_mut();
    let kind = HeaderValue::from_static("text/csv; charset=utf-8");
    headers.insert(header::CONTENT_TYPE, kind);
    let name = HeaderValue::from_static("attachment; filename=\"tally.csv\"");
    headers.insert(header::CONTENT_DISPOSITION, name);
    // A table cannot say that it has more rows than it shows.
    let truncated = if truncated { "true" } else { "false" };
    headers.insert(TRUNCATED, HeaderValue::from_static(truncated));
    response
}
