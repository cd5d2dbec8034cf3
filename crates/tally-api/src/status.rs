//! What operators look at: the metrics page and the state of the parts.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, header};
use serde_json::{Value, json};
use tally_journal::JournalStats;

use crate::{
    access::{OPERATORS, SCRAPERS},
    operation::{Access, Operation},
    state::Api,
};

pub(crate) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("getStatus", "/api/v1/status", Access::Roles(OPERATORS), status)
            .about(
                "operation",
                "The state of the parts",
                "Problems of the configuration, journal, warehouse.",
            )
            .reply::<Value>("The state."),
        Operation::get("metrics", "/metrics", Access::Roles(SCRAPERS), metrics)
            .about("operation", "Metrics for Prometheus", "In the text format of Prometheus.")
            .text("text/plain", "The metrics."),
    ]
}

/// `GET /metrics`
async fn metrics(State(api): State<Arc<Api>>) -> Response {
    measure(&api, api.state.journal.stats());
    let mut response = api.state.metrics.render().into_response();
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

/// What is only known by asking goes onto the page when it is asked for.
fn measure(api: &Api, stats: JournalStats) {
    let unshipped = stats.last_sequence.saturating_sub(stats.shipped_sequence);
    metrics::gauge!("tally_journal_unshipped_rows").set(unshipped as f64);
    metrics::gauge!("tally_journal_open_intents").set(stats.open_intents as f64);
    metrics::gauge!("tally_journal_settlements_waiting").set(stats.settlements_waiting as f64);
    let problems = api.state.gateway.plane().problems().len();
    metrics::gauge!("tally_configuration_problems").set(problems as f64);
    let is_open = api.state.warehouse.get().is_some();
    metrics::gauge!("tally_warehouse_open").set(f64::from(u8::from(is_open)));
}

/// `GET /api/v1/status`
async fn status(State(api): State<Arc<Api>>) -> Json<Value> {
    let plane = api.state.gateway.plane();
    let stats = api.state.journal.stats();
    Json(json!({
        "version": env!("CARGO_PKG_VERSION"),
        "time": api.state.clock.now(),
        "node": api.state.journal.node(),
        "problems": plane.problems(),
        "resources": {
            "revision": api.state.store.snapshot().revision,
            "revision_in_effect": plane.snapshot().revision,
        },
        "warehouse": if api.state.warehouse.get().is_some() { "open" } else { "unavailable" },
        "journal": {
            "open_intents": stats.open_intents,
            "last_sequence": stats.last_sequence,
            "shipped_sequence": stats.shipped_sequence,
            "settlements_waiting": stats.settlements_waiting,
        },
    }))
}
