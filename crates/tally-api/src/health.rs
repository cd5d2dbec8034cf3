//! Whether Tally is there, and whether all of it is.

use std::{sync::Arc, time::Duration};

use axum::{Json, extract::State};
use http::StatusCode;
use serde_json::{Value, json};
use tally_store::ListOptions;
use tally_types::Kind;

use crate::{
    operation::{Access, Operation},
    state::Api,
};

/// How long the store may take to answer.
const STORE_WAIT_MAX: Duration = Duration::from_secs(2);
/// Anyone may ask; the store is not asked more often than this.
const STORE_SEEN_NS: u64 = 1_000_000_000;

pub(crate) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("healthz", "/healthz", Access::Open, live)
            .about("operation", "Whether Tally is there", "As long as it serves.")
            .reply::<Value>("It is."),
        Operation::get("readyz", "/readyz", Access::Open, ready)
            .about(
                "operation",
                "Whether all of Tally is there",
                "503 while the store or the warehouse is not open; calls are served and metered without them.",
            )
            .reply::<Value>("It is."),
    ]
}

/// `GET /healthz`: as long as it serves.
async fn live() -> Json<Value> {
    Json(json!({ "status": "ok" }))
}

/// `GET /readyz`: 200 when the store answers, the warehouse is open and no settled
/// call waits for disk space. Calls are served and metered without the first two.
async fn ready(State(api): State<Arc<Api>>) -> (StatusCode, Json<Value>) {
    let store = store_answers(&api).await;
    let warehouse = api.state.warehouse.get().is_some();
    let stats = api.state.journal.stats();
    let is_ready = store && warehouse && stats.settlements_waiting == 0;
    let status = if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let word = |good: bool| if good { "ok" } else { "unavailable" };
    let body = json!({
        "status": if is_ready { "ready" } else { "not_ready" },
        "store": word(store),
        "warehouse": word(warehouse),
        "journal": {
            "unshipped": stats.last_sequence.saturating_sub(stats.shipped_sequence),
            "settlements_waiting": stats.settlements_waiting,
        },
        "configuration_problems": api.state.gateway.plane().problems().len(),
    });
    (status, Json(body))
}

/// Whether the store answers, or did within the last second.
async fn store_answers(api: &Api) -> bool {
    let now = api.state.clock.monotonic_ns();
    let mut seen = api.store_seen.lock().await;
    if let Some((at, answered)) = *seen
        && now.saturating_sub(at) < STORE_SEEN_NS
    {
        return answered;
    }
    let options = ListOptions { limit: 1, ..ListOptions::default() };
    let asked = api.state.store.list(Kind::Organization, options);
    let answered = matches!(tokio::time::timeout(STORE_WAIT_MAX, asked).await, Ok(Ok(_)));
    *seen = Some((now, answered));
    answered
}
