//! The calls behind any number.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::{Query, State, rejection::QueryRejection},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, StatusCode};
use schemars::JsonSchema;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use tally_ingest::edge::Problem;
use tally_types::{EventId, Timestamp, UsageEvent};
use tally_warehouse::{
    EVENTS_MAX, EventCursor, EventFilter, Filter, NamedRange, QueryError, Range, events_to_csv,
};

use crate::{
    access::READERS,
    audit_log::exported,
    caller::Caller,
    operation::{Access, Operation},
    params::{self, Page, PathParams},
    query::{Shape, ask, csv, wants_csv},
    scope::Scope,
    scoreboards::Individuals,
    state::Api,
};

const PAGE: u32 = 100;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct EventsQuery {
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
    /// How many at most, 1 to 1,000; by default 100.
    limit: Option<u32>,
    /// How to answer; by default what the header `accept` asks for, else JSON.
    format: Option<Shape>,
}

pub(crate) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("listEvents", "/api/v1/events", Access::Usage(READERS), list)
            .about("usage", "Usage events", "The calls behind any number, newest first.")
            .query::<EventsQuery>()
            .reply::<Page<UsageEvent>>("Usage events.")
            .also("text/csv"),
        Operation::get("getEvent", "/api/v1/events/{id}", Access::Usage(READERS), one)
            .about("usage", "One usage event", "By its id, in its newest revision.")
            .reply::<UsageEvent>("The usage event."),
    ]
}

/// `GET /api/v1/events`
async fn list(
    State(api): State<Arc<Api>>,
    Extension(scope): Extension<Scope>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    query: Result<Query<EventsQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let query = params::query(query)?;
    let most = u32::try_from(EVENTS_MAX).unwrap_or(PAGE);
    let limit = usize::try_from(params::limit(query.limit, PAGE, most)?).unwrap_or(EVENTS_MAX);
    let mut filters = filters(query.filters.as_deref())?;
    scope.narrow(&mut filters);
    let individuals = Individuals::of(&caller);
    individuals.narrow(&[], &mut filters)?;
    let filter = EventFilter {
        range: query.range()?,
        filters,
        after: cursor(query.after.as_deref())?,
        limit,
    };
    let now = api.state.clock.now();
    let mut items = ask(&api, move |warehouse| warehouse.events(&filter, now)).await?;
    items.iter_mut().for_each(|event| individuals.hide(event));
    let next = next(&items, limit);
    Ok(if wants_csv(query.format, &headers) {
        let what = json!({ "what": "calls", "format": "csv", "rows": items.len() });
        exported(&api, &caller, what).await?;
        csv(events_to_csv(&items), next.is_some())
    } else {
        Json(Page { items, next }).into_response()
    })
}

/// `GET /api/v1/events/{id}`
async fn one(
    State(api): State<Arc<Api>>,
    Extension(scope): Extension<Scope>,
    Extension(caller): Extension<Caller>,
    Extension(path): Extension<PathParams>,
) -> Result<Json<UsageEvent>, Problem> {
    let id: EventId = path.id()?;
    let found = ask(&api, move |warehouse| warehouse.event(id).map_err(QueryError::from)).await?;
    let hidden = |mut event: UsageEvent| {
        Individuals::of(&caller).hide(&mut event);
        Json(event)
    };
    found.filter(|event| scope.sees(event)).map(hidden).ok_or_else(|| {
        Problem::new(StatusCode::NOT_FOUND, "not_found", format!("there is no event {id}"))
            .with_next_step("a call shows up here within seconds of its end")
    })
}

/// Filters as in queries, as a JSON array in a query string.
pub(crate) fn filters(text: Option<&str>) -> Result<Vec<Filter>, Problem> {
    text.map_or_else(|| Ok(Vec::new()), |text| from_json("filters", text))
}

// === impl EventsQuery ===

impl EventsQuery {
    fn range(&self) -> Result<Range, Problem> {
        range(self.range.as_deref(), self.from, self.to, NamedRange::Last24Hours)
    }
}

/// A named range, or one from a time to another.
pub(crate) fn range(
    name: Option<&str>,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    default: NamedRange,
) -> Result<Range, Problem> {
    match (name, from, to) {
        (Some(name), None, None) => from_json("range", &Value::from(name).to_string()),
        (None, Some(from), Some(to)) => Ok(Range::Between { from, to }),
        (None, None, None) => Ok(Range::Named(default)),
        _ => {
            Err(Problem::bad_request("query_invalid", "expected `range`, or both `from` and `to`"))
        }
    }
}

/// `<time>,<event id>`, as [`next`] writes it.
pub(crate) fn cursor(after: Option<&str>) -> Result<Option<EventCursor>, Problem> {
    let Some(text) = after else { return Ok(None) };
    let parsed = text.split_once(',').and_then(|(time, id)| {
        Some(EventCursor { time: time.parse().ok()?, event_id: id.parse().ok()? })
    });
    let refused =
        || Problem::bad_request("query_invalid", "`after`: expected the `next` of the page before");
    parsed.map(Some).ok_or_else(refused)
}

/// Where the next page begins, if there is one.
pub(crate) fn next(items: &[UsageEvent], limit: usize) -> Option<String> {
    let last = items.last().filter(|_| items.len() == limit);
    last.map(|last| cursor_text(EventCursor { time: last.time, event_id: last.event_id }))
}

/// `<time>,<event id>`
pub(crate) fn cursor_text(EventCursor { time, event_id }: EventCursor) -> String {
    format!("{time},{event_id}")
}

fn from_json<T: DeserializeOwned>(field: &str, text: &str) -> Result<T, Problem> {
    serde_json::from_str(text)
        .map_err(|error| Problem::bad_request("query_invalid", format!("`{field}`: {error}")))
}
