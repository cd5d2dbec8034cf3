//! A provider simulator faithful on the wire, for OpenAI's and Anthropic's
//! dialects: what a gateway meters in front of it can be checked against what it
//! says it served (`GET /sim/served`).
//!
//! A reply is a function of the seed, the request's content, and how often the
//! credential has sent that content before. The same request sent directly and
//! through a relay is therefore answered with the same bytes, provided that the
//! two use different credentials, while ids never repeat for one credential.
//! Nothing reads a clock.

#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

mod anthropic;
mod body;
mod cache;
mod canon;
mod error;
mod exchange;
mod fault;
mod headers;
mod knobs;
mod ledger;
mod meter;
mod models;
mod openai;
mod options;
mod plan;
mod prepare;
mod prompt;
mod random;
mod reply;
mod server;
mod settings;
mod state;
mod steps;
mod text;
mod tokens;
mod tools;
mod usage;

pub use fault::Fault;
pub use ledger::{CallRecord, Outcome, Served, ServedQuery, Totals};
pub use options::{FaultRates, SimConfig, SimOptions};
pub use server::{RunningSim, router, serve, serve_sim};
pub use state::Sim;
pub use tokens::count_tokens;
pub use usage::Usage;
