//! The metrics layer: questions, answers, and what can be asked.

use std::{sync::Arc, time::Duration};

use axum::{
    Extension, Json,
    body::Body,
    extract::{self, State, rejection::QueryRejection},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};
use tally_ingest::edge::{self, Problem};
use tally_warehouse::{
    Field, Filter, NamedRange, Query, QueryError, QueryResult, Warehouse, dimensions, measures,
    to_csv,
};

use crate::{access::Scope, params, resources::BODY_BYTES_MAX, state::Api};

/// How long a query waits for its turn.
const WAIT_MAX: Duration = Duration::from_secs(10);
const TRUNCATED: HeaderName = HeaderName::from_static("x-tally-truncated");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Format {
    format: Option<Shape>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Shape {
    Json,
    Csv,
}

/// `POST /api/v1/query`
pub(crate) async fn answer(
    State(api): State<Arc<Api>>,
    Extension(scope): Extension<Scope>,
    format: Result<extract::Query<Format>, QueryRejection>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let shape = params::query(format)?.format;
    let mut query: Query = edge::json(&edge::read(body, BODY_BYTES_MAX).await?)?;
    narrow(&mut query.filters, &scope);
    let now = api.state.clock.now();
    let result = ask(&api, move |warehouse| warehouse.query(&query, now)).await?;
    let is_csv = shape.map_or_else(|| accepts_csv(&headers), |shape| shape == Shape::Csv);
    Ok(if is_csv { csv(&result) } else { Json(result).into_response() })
}

/// `GET /api/v1/query/catalog`
pub(crate) async fn catalog() -> Json<Value> {
    let ranges: Vec<&str> = NamedRange::ALL.iter().map(|range| range.name()).collect();
    Json(json!({ "measures": measures(), "dimensions": dimensions(), "ranges": ranges }))
}

/// Adds the filter that leaves a person only their own.
pub(crate) fn narrow(filters: &mut Vec<Filter>, scope: &Scope) {
    if let Scope::Own(person) = scope {
        filters.push(Filter::eq(Field::Person, person.as_str()));
    }
}

/// Asks the warehouse off the async threads, a few questions at a time.
pub(crate) async fn ask<T: Send + 'static>(
    api: &Api,
    question: impl FnOnce(&Warehouse) -> Result<T, QueryError> + Send + 'static,
) -> Result<T, Problem> {
    let warehouse = api.state.warehouse.require()?;
    let _place = api.queries_queued.try_acquire().map_err(|_| busy())?;
    let turn = tokio::time::timeout(WAIT_MAX, Arc::clone(&api.queries).acquire_owned()).await;
    let Ok(Ok(turn)) = turn else { return Err(busy()) };
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

fn busy() -> Problem {
    let detail = "too many queries are under way";
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "warehouse_busy", detail)
        .with_next_step("try again shortly; shorter ranges and fewer dimensions help")
        .with_retry_after(5)
}

fn refused(error: QueryError) -> Problem {
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

fn accepts_csv(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    accept.is_some_and(|kinds| {
        kinds
            .split(',')
            .any(|kind| kind.split(';').next().is_some_and(|kind| kind.trim() == "text/csv"))
    })
}

fn csv(result: &QueryResult) -> Response {
    let mut response = to_csv(result).into_response();
    let headers = response.headers_mut();
    let kind = HeaderValue::from_static("text/csv; charset=utf-8");
    headers.insert(header::CONTENT_TYPE, kind);
    let name = HeaderValue::from_static("attachment; filename=\"tally.csv\"");
    headers.insert(header::CONTENT_DISPOSITION, name);
    // A table cannot say that it has more rows than it shows.
    let truncated = if result.truncated { "true" } else { "false" };
    headers.insert(TRUNCATED, HeaderValue::from_static(truncated));
    response
}
