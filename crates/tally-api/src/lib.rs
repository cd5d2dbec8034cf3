//! REST for people and their programs: resources, keys, the metrics layer, the
//! audit trail, health.
//!
//! [`router`] is the whole of it. Each room of the crate is one group of
//! [operations](operation); the router, the guard ([`access`]) and the OpenAPI document
//! are made from the same list of them.
//!
//! Invariants:
//! - Only health and sign-in answer without a key or a session, and what no operation
//!   stands for is refused.
//! - No business rules here: the store, the warehouse and the gateway decide.
//! - A key's secret appears once, in the reply that made it, and nowhere else.
//! - Everything that comes in is bounded in size, and everything long is paged.
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

mod access;
mod access_requests;
mod apply;
mod approvals;
mod audit;
mod audit_log;
mod budgets;
mod caller;
mod calls;
mod catalog;
mod components;
mod erasure;
mod events;
mod examples;
mod exceptions;
mod exports;
mod grants;
mod health;
mod idempotency;
mod keys;
mod live;
mod me;
mod notifications;
mod openapi;
mod operation;
mod params;
mod policies;
mod prices;
mod query;
mod reconcile;
mod resources;
mod retention;
mod rollout;
mod schema;
mod scope;
mod scoreboards;
mod secret;
mod sharing;
mod sign_in;
mod slot;
mod state;
mod statements;
mod status;
mod store_problem;
mod suspension;
mod ui;
mod violations;

use std::sync::Arc;

use axum::{Router, middleware, routing::any};
use serde_json::Value;

pub use grants::BudgetView;
pub use live::LiveFeed;
pub use scoreboards::ScoreKeeper;
pub use secret::{OsSecrets, SecretMaker};
pub use sign_in::{NewAccountError, create_account, set_up_link};
pub use slot::WarehouseSlot;
pub use state::ApiState;
pub use ui::ui;

use operation::Operation;
use state::Api;

/// Every operation there is, in the order of the document.
fn operations() -> Vec<Operation> {
    [
        health::operations(),
        status::operations(),
        openapi::operations(),
        sign_in::operations(),
        me::operations(),
        query::operations(),
        events::operations(),
        calls::operations(),
        budgets::operations(),
        exports::operations(),
        reconcile::operations(),
        policies::operations(),
        violations::operations(),
        live::operations(),
        prices::operations(),
        keys::operations(),
        suspension::operations(),
        apply::operations(),
        audit::operations(),
        audit_log::operations(),
        erasure::operations(),
        retention::operations(),
        grants::operations(),
        exceptions::operations(),
        catalog::operations(),
        rollout::operations(),
        scoreboards::operations(),
        sharing::operations(),
        access_requests::operations(),
        notifications::operations(),
        statements::operations(),
        resources::operations(),
    ]
    .concat()
}

/// Health, metrics, and everything under `/api`. It has no fallback of its own, so
/// it can be merged with other routers; what is unknown under `/api` is answered here.
pub fn router(state: ApiState) -> Router {
    let operations = operations();
    let mut router = Router::new();
    for operation in &operations {
        router = router.route(&operation.path, operation.route.clone());
    }
    let api = Arc::new(Api::new(state, operations));
    router
        .route("/api", any(access::unknown_path))
        .route("/api/", any(access::unknown_path))
        .route("/api/{*rest}", any(access::unknown_path))
        .layer(middleware::from_fn_with_state(Arc::clone(&api), access::guard))
        .layer(middleware::map_response(tally_ingest::edge::secured))
        .with_state(api)
}

/// The OpenAPI document.
pub fn openapi_document() -> Value {
    openapi::document(operations().iter())
}
