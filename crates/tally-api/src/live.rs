//! Usage as it settles, as server-sent events.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    Extension,
    extract::{Query, State, rejection::QueryRejection},
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures::{Stream, stream};
use http::{HeaderMap, Method, StatusCode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tally_ingest::edge::Problem;
use tally_types::{CallStatus, KeyScope, PicoUsdSum, Record, Timestamp, UsageEvent};
use tally_warehouse::Filter;
use tokio::{
    sync::{OwnedSemaphorePermit, broadcast, watch},
    time::Interval,
};

use crate::{
    access::{READERS, decide, identify},
    caller::Caller,
    events,
    operation::{Access, Operation},
    params,
    scope::Scope,
    scoreboards::Individuals,
    state::Api,
};

/// Batches kept for a reader who is slow; older ones are dropped and told of.
const BATCHES_MAX: usize = 64;
/// A message shows at most so many usage events; all are counted.
const ITEMS_MAX: usize = 50;
/// Beyond so many readers another one is refused.
pub(crate) const READERS_MAX: usize = 256;
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How often a reader's credential is looked at again.
const RECHECK: Duration = Duration::from_secs(30);
const RECONNECT: Duration = Duration::from_secs(3);

/// Where what has reached the warehouse is announced. Clones share it.
#[derive(Clone)]
pub struct LiveFeed {
    batches: broadcast::Sender<Arc<Batch>>,
    stopping: Arc<watch::Sender<bool>>,
    /// How often something reached the warehouse.
    arrivals: Arc<watch::Sender<u64>>,
}

/// What reached the warehouse at once.
struct Batch {
    time: Timestamp,
    events: Vec<UsageEvent>,
}

/// Usage that settled since the message before.
#[derive(Debug, Serialize, JsonSchema)]
struct LiveCalls {
    time: Timestamp,
    calls: usize,
    failed: usize,
    tokens: u64,
    /// At list price; calls without a known price add nothing.
    spend_usd: PicoUsdSum,
    /// At most 50.
    items: Vec<UsageEvent>,
    /// How many of the calls are not among `items`.
    omitted: usize,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct LiveQuery {
    /// Filters as in queries, as a JSON array.
    filters: Option<String>,
}

pub(crate) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("live", "/api/v1/live", Access::Usage(READERS), live)
            .about(
                "usage",
                "Usage as it settles",
                "Server-sent events: `calls` (about once a second while there is traffic; what it tells of is in the warehouse already), `lagged` when the reader was too slow, `end` before the server closes. Comments keep the connection alive.",
            )
            .query::<LiveQuery>()
            .stream::<LiveCalls>("Events until either side closes; the data of `calls`."),
    ]
}

// === impl LiveFeed ===

impl Default for LiveFeed {
    fn default() -> Self {
        let (batches, _) = broadcast::channel(BATCHES_MAX);
        let (stopping, _) = watch::channel(false);
        let (arrivals, _) = watch::channel(0);
        Self { batches, stopping: Arc::new(stopping), arrivals: Arc::new(arrivals) }
    }
}

impl LiveFeed {
    /// Announces rows that are in the warehouse now; amendments are no new calls.
    pub fn announce(&self, time: Timestamp, rows: &[(u64, Record)]) {
        self.arrivals.send_modify(|count| *count += 1);
        if self.batches.receiver_count() == 0 {
            return;
        }
        let events: Vec<UsageEvent> = rows
            .iter()
            .filter_map(|(_, record)| match record {
                Record::Usage(event) if event.revision == 0 => Some((**event).clone()),
                _ => None,
            })
            .collect();
        if !events.is_empty() {
            // No reader is no error.
            let _ = self.batches.send(Arc::new(Batch { time, events }));
        }
    }

    /// Tells whenever something reached the warehouse: calls, outcomes, amendments.
    pub(crate) fn arrivals(&self) -> watch::Receiver<u64> {
        self.arrivals.subscribe()
    }

    /// Whether the streams are to end.
    pub(crate) fn stopping(&self) -> watch::Receiver<bool> {
        self.stopping.subscribe()
    }

    /// Ends every stream, so that the server can stop.
    pub fn close(&self) {
        self.stopping.send_replace(true);
    }
}

/// One reader's stream.
struct Reader {
    api: Arc<Api>,
    headers: HeaderMap,
    scope: Scope,
    individuals: Individuals,
    /// What the reader asked for…
    asked: Vec<Filter>,
    /// …and what of it they may see.
    filters: Vec<Filter>,
    batches: broadcast::Receiver<Arc<Batch>>,
    stopping: watch::Receiver<bool>,
    recheck: Interval,
    is_over: bool,
    _place: OwnedSemaphorePermit,
}

/// What a reader waits for.
enum Step {
    Batch(Arc<Batch>),
    Lagged(u64),
    Stopping,
    Recheck,
}

/// `GET /api/v1/live`
async fn live(
    State(api): State<Arc<Api>>,
    Extension(scope): Extension<Scope>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    query: Result<Query<LiveQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let asked = events::filters(params::query(query)?.filters.as_deref())?;
    tally_warehouse::validate_filters(&asked).map_err(crate::query::refused)?;
    let individuals = Individuals::of(&caller);
    let filters = allowed(&asked, &scope, &individuals)?;
    let place = Arc::clone(&api.live_places).try_acquire_owned().map_err(|_| {
        let detail = format!("{READERS_MAX} readers follow the live feed already");
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "live_busy", detail)
            .with_next_step("try again shortly")
            .with_retry_after(30)
    })?;
    let feed = &api.state.live;
    let reader = Reader {
        batches: feed.batches.subscribe(),
        stopping: feed.stopping.subscribe(),
        recheck: tokio::time::interval(RECHECK),
        is_over: false,
        _place: place,
        api: Arc::clone(&api),
        headers,
        scope,
        individuals,
        asked,
        filters,
    };
    let keep_alive = KeepAlive::new().interval(HEARTBEAT);
    Ok(Sse::new(reader.stream()).keep_alive(keep_alive).into_response())
}

/// What a reader may see of what they asked for.
fn allowed(
    asked: &[Filter],
    scope: &Scope,
    individuals: &Individuals,
) -> Result<Vec<Filter>, Problem> {
    let mut filters = asked.to_vec();
    scope.narrow(&mut filters);
    individuals.narrow(&[], &mut filters)?;
    Ok(filters)
}

// === impl Reader ===

impl Reader {
    fn stream(self) -> impl Stream<Item = Result<Event, Infallible>> {
        let hello = Event::default().retry(RECONNECT).comment("Tally's live feed");
        let events = stream::unfold(self, |mut reader| async move {
            let event = reader.next().await?;
            Some((Ok(event), reader))
        });
        futures::StreamExt::chain(stream::iter([Ok(hello)]), events)
    }

    async fn next(&mut self) -> Option<Event> {
        while !self.is_over {
            match self.step().await {
                Step::Batch(batch) => {
                    if let Some(event) = self.message(&batch) {
                        return Some(event);
                    }
                }
                Step::Lagged(batches) => {
                    return Some(named("lagged", &serde_json::json!({ "batches": batches })));
                }
                Step::Stopping => {
                    return Some(self.end("stopping", "Tally is stopping; try again shortly"));
                }
                Step::Recheck => {
                    if let Err(problem) = self.recheck().await {
                        return Some(self.end(problem.code, &problem.detail));
                    }
                }
            }
        }
        None
    }

    /// Roles, teams and keys change while a stream goes on.
    async fn recheck(&mut self) -> Result<(), Problem> {
        let caller = identify(&self.api, &Method::GET, &self.headers).await?;
        caller.require(KeyScope::Read)?;
        self.scope = decide(Access::Usage(READERS), &caller)?;
        self.individuals = Individuals::of(&caller);
        self.filters = allowed(&self.asked, &self.scope, &self.individuals)?;
        Ok(())
    }

    async fn step(&mut self) -> Step {
        tokio::select! {
            // What the reader may see comes before what there is to see.
            biased;
            _ = self.stopping.wait_for(|stopping| *stopping) => Step::Stopping,
            _ = self.recheck.tick() => Step::Recheck,
            batch = self.batches.recv() => match batch {
                Ok(batch) => Step::Batch(batch),
                Err(broadcast::error::RecvError::Lagged(batches)) => Step::Lagged(batches),
                Err(broadcast::error::RecvError::Closed) => Step::Stopping,
            },
        }
    }

    fn end(&mut self, code: &str, detail: &str) -> Event {
        self.is_over = true;
        named("end", &serde_json::json!({ "code": code, "detail": detail }))
    }

    fn message(&self, batch: &Batch) -> Option<Event> {
        let sees = |event: &&UsageEvent| {
            self.scope.sees(event) && self.filters.iter().all(|filter| filter.matches(event))
        };
        let events: Vec<&UsageEvent> = batch.events.iter().filter(sees).collect();
        (!events.is_empty()).then(|| {
            let mut calls = LiveCalls::of(batch.time, &events);
            calls.items.iter_mut().for_each(|event| self.individuals.hide(event));
            named("calls", &calls)
        })
    }
}

// === impl LiveCalls ===

impl LiveCalls {
    fn of(time: Timestamp, events: &[&UsageEvent]) -> Self {
        let spend = events.iter().filter_map(|event| event.cost_list_usd);
        Self {
            time,
            calls: events.len(),
            failed: events.iter().filter(|event| event.status != CallStatus::Ok).count(),
            tokens: events.iter().map(|event| event.tokens.total()).sum(),
            spend_usd: spend.sum(),
            // The newest are the ones that a reader wants to see.
            items: events.iter().rev().take(ITEMS_MAX).map(|event| (*event).clone()).collect(),
            omitted: events.len().saturating_sub(ITEMS_MAX),
        }
    }
}

fn named<T: Serialize>(name: &str, data: &T) -> Event {
    let event = Event::default().event(name);
    // What is serialised here has string keys and finite numbers only.
    event.json_data(data).unwrap_or_default()
}
