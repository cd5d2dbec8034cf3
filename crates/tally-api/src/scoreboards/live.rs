//! Standings as they change, as server-sent events.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    Extension,
    extract::State,
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures::{StreamExt as _, stream};
use http::{HeaderMap, Method, StatusCode};
use schemars::JsonSchema;
use serde::Serialize;
use tally_ingest::edge::Problem;
use tally_types::{KeyScope, Timestamp};
use tokio::{
    sync::{OwnedSemaphorePermit, watch},
    time::Interval,
};

use super::{board, computed::Computed, rows::MyRank};
use crate::{
    access::{decide, identify},
    caller::Caller,
    live::READERS_MAX,
    operation::Access,
    state::Api,
};

const HEARTBEAT: Duration = Duration::from_secs(15);
const RECHECK: Duration = Duration::from_secs(30);
const RECONNECT: Duration = Duration::from_secs(3);

/// The standings changed.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct StandingsChanged {
    /// Raised by each computation; what was asked with a lower one is out of date.
    version: u64,
    /// The season.
    season: String,
    /// When they were computed.
    computed_at: Timestamp,
    /// The caller's rank on each board of people.
    my_ranks: Vec<MyRank>,
}

struct Reader {
    api: Arc<Api>,
    headers: HeaderMap,
    caller: Caller,
    versions: watch::Receiver<u64>,
    stopping: watch::Receiver<bool>,
    recheck: Interval,
    is_first: bool,
    is_over: bool,
    _place: OwnedSemaphorePermit,
}

/// What a reader waits for.
enum Step {
    Changed,
    Stopping,
    Recheck,
}

/// `GET /api/v1/scoreboards/live`
pub(super) async fn live(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let place = Arc::clone(&api.live_places).try_acquire_owned().map_err(|_| {
        let detail = format!("{READERS_MAX} readers follow live feeds already");
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "live_busy", detail)
            .with_next_step("try again shortly")
            .with_retry_after(30)
    })?;
    let reader = Reader {
        versions: api.state.scores.versions(),
        stopping: api.state.live.stopping(),
        recheck: tokio::time::interval(RECHECK),
        is_first: true,
        is_over: false,
        _place: place,
        api,
        headers,
        caller,
    };
    let hello = Event::default().retry(RECONNECT).comment("Tally's scoreboards");
    let events = stream::unfold(reader, |mut reader| async move {
        let event = reader.next().await?;
        Some((Ok::<_, Infallible>(event), reader))
    });
    let events = stream::iter([Ok(hello)]).chain(events);
    let keep_alive = KeepAlive::new().interval(HEARTBEAT);
    Ok(Sse::new(events).keep_alive(keep_alive).into_response())
}

// === impl Reader ===

impl Reader {
    async fn next(&mut self) -> Option<Event> {
        while !self.is_over {
            match self.step().await {
                Step::Changed => {
                    if let Some(computed) = self.api.state.scores.latest() {
                        return Some(self.message(&computed));
                    }
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

    async fn step(&mut self) -> Step {
        // So that a reader who was away knows where things stand.
        if std::mem::take(&mut self.is_first) {
            return Step::Changed;
        }
        tokio::select! {
            // What the reader may see comes before what there is to see.
            biased;
            _ = self.stopping.wait_for(|stopping| *stopping) => Step::Stopping,
            _ = self.recheck.tick() => Step::Recheck,
            changed = self.versions.changed() => match changed {
                Ok(()) => Step::Changed,
                Err(_) => Step::Stopping,
            },
        }
    }

    /// Roles, choices and keys change while a stream goes on.
    async fn recheck(&mut self) -> Result<(), Problem> {
        let caller = identify(&self.api, &Method::GET, &self.headers).await?;
        caller.require(KeyScope::Read)?;
        decide(Access::SignedIn, &caller)?;
        self.caller = caller;
        Ok(())
    }

    fn message(&self, computed: &Computed) -> Event {
        let changed = StandingsChanged {
            version: *self.versions.borrow(),
            season: computed.season.name.clone(),
            computed_at: computed.computed_at,
            my_ranks: board::my_ranks(computed, self.caller.own()),
        };
        Event::default().event("standings").json_data(changed).unwrap_or_default()
    }

    fn end(&mut self, code: &str, detail: &str) -> Event {
        self.is_over = true;
        let data = serde_json::json!({ "code": code, "detail": detail });
        Event::default().event("end").json_data(data).unwrap_or_default()
    }
}
