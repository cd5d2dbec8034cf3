//! Usage and outcomes that arrive as documents, each counted once however often it
//! is sent.
//!
//! [`edge`] is what every door that speaks HTTP to people's programs shares: who
//! calls, how a body is read, how a refusal looks.
//!
//! Invariants:
//! - The id of a record follows from what the sender calls it, so that sending it
//!   again changes nothing.
//! - Of a batch, what is valid is kept and what is not is named.
//! - Prices come from the price catalog; an unknown one is flagged, never zero.
//! - A key reports for itself; for others only with a role that says so.
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

mod cloud_event;
mod decimal;
pub mod edge;
mod event;
mod items;
mod model;
mod outcome;
mod receive;

use std::sync::Arc;

use axum::{Router, middleware, routing::post};
use tally_gateway::Gateway;
use tally_journal::Journal;
use tally_types::Clock;

pub use receive::{BODY_BYTES_MAX, IngestReport, Rejected};

/// What the doors need.
#[derive(Clone)]
pub struct IngestState {
    /// Knows the keys, the resources and the prices.
    pub gateway: Arc<Gateway>,
    /// Keeps what arrives.
    pub journal: Journal,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// `POST /ingest/v1/outcomes` and `POST /ingest/v1/events`; a key is needed, its
/// role does not matter.
pub fn router(state: IngestState) -> Router {
    Router::new()
        .route("/ingest/v1/outcomes", post(receive::outcomes))
        .route("/ingest/v1/events", post(receive::events))
        .method_not_allowed_fallback(edge::method_not_allowed)
        .layer(middleware::from_fn_with_state(state.clone(), receive::authenticate))
        .layer(middleware::map_response(edge::secured))
        .with_state(state)
}
