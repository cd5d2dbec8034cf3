//! REST for people and their programs: resources, keys, the metrics layer, the
//! audit trail, health.
//!
//! [`router`] is the whole of it; [`access`] holds the one table that says which
//! role may do what; each other room of the crate is one group of paths.
//!
//! Invariants:
//! - Only the health checks answer without a key, and a path that the table does
//!   not list is refused.
//! - No business rules here: the store, the warehouse and the gateway decide.
//! - A key's secret appears once, in the reply that made it, and nowhere else.
//! - Everything that comes in is bounded in size, and everything long is paged.
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

mod access;
mod apply;
mod audit;
mod events;
mod health;
mod keys;
mod params;
mod prices;
mod query;
mod resources;
mod secret;
mod slot;
mod state;
mod status;
mod store_problem;

use std::sync::Arc;

use axum::{
    Router, middleware,
    routing::{any, get, post},
};

pub use secret::{OsSecrets, SecretMaker};
pub use slot::WarehouseSlot;
pub use state::ApiState;

use state::Api;

/// Health, metrics, and everything under `/api`. It has no fallback of its own, so
/// it can be merged with other routers; what is unknown under `/api` is answered here.
pub fn router(state: ApiState) -> Router {
    let api = Arc::new(Api::new(state));
    Router::new()
        .route("/healthz", get(health::live))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(status::metrics))
        .route("/api/v1/apply", post(apply::apply))
        .route("/api/v1/audit", get(audit::list))
        .route("/api/v1/events", get(events::list))
        .route("/api/v1/events/{id}", get(events::one))
        .route("/api/v1/prices", get(prices::list))
        .route("/api/v1/query", post(query::answer))
        .route("/api/v1/query/catalog", get(query::catalog))
        .route("/api/v1/status", get(status::status))
        .route("/api/v1/keys/{name}/revoke", post(keys::revoke))
        .route("/api/v1/keys/{name}/rotate", post(keys::rotate))
        .route("/api/v1/{kinds}", get(resources::list).post(resources::create))
        .route(
            "/api/v1/{kinds}/{name}",
            get(resources::one).put(resources::update).delete(resources::delete),
        )
        .route("/api", any(access::unknown_path))
        .route("/api/", any(access::unknown_path))
        .route("/api/{*rest}", any(access::unknown_path))
        .layer(middleware::from_fn_with_state(Arc::clone(&api), access::guard))
        .layer(middleware::map_response(tally_ingest::edge::secured))
        .with_state(api)
}
