//! The calls behind any number.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::{Query, State, rejection::QueryRejection},
};
use http::StatusCode;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use tally_ingest::edge::Problem;
use tally_types::{Timestamp, UsageEvent};
use tally_warehouse::{
    EVENTS_MAX, EventCursor, EventFilter, Filter, NamedRange, QueryError, Range,
};

use crate::{
    access::Scope,
    params::{self, PathParams},
    query::{ask, narrow},
    state::Api,
};

const PAGE: u32 = 100;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EventsQuery {
    /// A named range; by default the last 24 hours.
    range: Option<String>,
    /// Instead: from this time…
    from: Option<Timestamp>,
    /// …to this one.
    to: Option<Timestamp>,
    /// Filters as in queries, as a JSON array.
    filters: Option<String>,
    /// The `next` of the page before.
    after: Option<String>,
    limit: Option<u32>,
}

/// `GET /api/v1/events`
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    Extension(scope): Extension<Scope>,
    query: Result<Query<EventsQuery>, QueryRejection>,
) -> Result<Json<Value>, Problem> {
    let query = params::query(query)?;
    let most = u32::try_from(EVENTS_MAX).unwrap_or(PAGE);
    let limit = usize::try_from(params::limit(query.limit, PAGE, most)?).unwrap_or(EVENTS_MAX);
    let mut filters: Vec<Filter> = match &query.filters {
        Some(text) => from_json("filters", text)?,
        None => Vec::new(),
    };
    narrow(&mut filters, &scope);
    let filter = EventFilter { range: query.range()?, filters, after: query.cursor()?, limit };
    let now = api.state.clock.now();
    let items = ask(&api, move |warehouse| warehouse.events(&filter, now)).await?;
    let next = items
        .last()
        .filter(|_| items.len() == limit)
        .map(|last| format!("{},{}", last.time, last.event_id));
    Ok(Json(json!({ "items": items, "next": next })))
}

/// `GET /api/v1/events/{id}`
pub(crate) async fn one(
    State(api): State<Arc<Api>>,
    Extension(path): Extension<PathParams>,
) -> Result<Json<UsageEvent>, Problem> {
    let id = path.event_id()?;
    let found = ask(&api, move |warehouse| warehouse.event(id).map_err(QueryError::from)).await?;
    found.map(Json).ok_or_else(|| {
        Problem::new(StatusCode::NOT_FOUND, "not_found", format!("there is no event {id}"))
            .with_next_step("a call shows up here within seconds of its end")
    })
}

// === impl EventsQuery ===

impl EventsQuery {
    fn range(&self) -> Result<Range, Problem> {
        match (&self.range, self.from, self.to) {
            (Some(name), None, None) => from_json("range", &Value::from(name.as_str()).to_string()),
            (None, Some(from), Some(to)) => Ok(Range::Between { from, to }),
            (None, None, None) => Ok(Range::Named(NamedRange::Last24Hours)),
            _ => Err(Problem::bad_request(
                "query_invalid",
                "expected `range`, or both `from` and `to`",
            )),
        }
    }

    /// `<time>,<event id>`
    fn cursor(&self) -> Result<Option<EventCursor>, Problem> {
        let Some(text) = &self.after else { return Ok(None) };
        let parsed = text.split_once(',').and_then(|(time, id)| {
            Some(EventCursor { time: time.parse().ok()?, event_id: id.parse().ok()? })
        });
        let refused = || {
            Problem::bad_request("query_invalid", "`after`: expected the `next` of the page before")
        };
        parsed.map(Some).ok_or_else(refused)
    }
}

fn from_json<T: DeserializeOwned>(field: &str, text: &str) -> Result<T, Problem> {
    serde_json::from_str(text)
        .map_err(|error| Problem::bad_request("query_invalid", format!("`{field}`: {error}")))
}
