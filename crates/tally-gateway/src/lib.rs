//! The request path: an unmodified client's call is identified, journaled, sent,
//! metered on the side, priced and settled.
//!
//! [`call`] holds the walkthrough; [`protocol`] what is known of each dialect;
//! [`plane`] what is looked up; [`attempt`] the accounting of one attempt.
//!
//! Invariants:
//! - Nothing here waits for the store or the warehouse: everything is read from
//!   one immutable [`DataPlane`], swapped whole.
//! - A request's and a reply's bytes pass untouched, but for the model's upstream
//!   name, the question for a stream's usage (whose answer is hidden again), and what
//!   must not leave ([`redaction`]).
//! - Every attempt that may have been billed becomes exactly one usage event,
//!   however it ends.
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

mod admission;
mod attempt;
mod auth;
mod call;
mod contain;
mod context;
mod counting;
mod estimate;
mod fit;
mod json_bytes;
mod keeping;
mod less;
mod measure;
mod models;
mod plane;
mod policy;
mod protocol;
mod redaction;
mod refusal;
mod reply;
mod sse;
mod stream;
mod upstream;
mod words;

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use axum::{
    Router,
    extract::{DefaultBodyLimit, Request, State},
    routing::{any, get, post},
};
use tally_budget::{Budgets, Rates};
use tally_journal::Journal;
use tally_policy::redact::RedactionKey;
use tally_prompts::PromptQueue;
use tally_types::{Clock, IdSource};

pub use auth::{bearer, require_scope};
pub use contain::Contained;
use counting::definitions;
pub use counting::{Counting, budgets_of};
pub use estimate::Estimator;
pub use plane::{DataPlane, Identity, KeyProblem, Secrets};
pub use policy::explain_policies;
pub use refusal::{Refusal, RuleNamed};
pub use tally_budget::{Recount as BudgetRecount, Used as BudgetUsed};

use protocol::{AnthropicCountTokens, AnthropicMessages, OpenAiChat, OpenAiEmbeddings, Protocol};

/// The gateway's limits, all explicit.
#[derive(Debug, Clone)]
pub struct Options {
    /// The largest request, in bytes.
    pub request_bytes_max: usize,
    /// The largest reply that is not streamed, in bytes.
    pub reply_bytes_max: usize,
    /// The first wait before a failed attempt is repeated; doubled each time.
    pub retry_wait_first: Duration,
    /// The longest wait; a provider that asks for more is not asked again.
    pub retry_wait_max: Duration,
    /// What placeholders of redacted values follow from. The same on every node and after
    /// a restart, or a conversation's placeholders change; none stands for a random one.
    pub redaction_key: Option<RedactionKey>,
    /// Where prompts are left that are to be kept; none keeps none.
    pub prompts: Option<PromptQueue>,
}

/// What the gateway is made of.
pub struct Gateway {
    plane: ArcSwap<DataPlane>,
    journal: Journal,
    budgets: Arc<Budgets>,
    contained: Arc<Contained>,
    rates: Rates,
    estimator: Estimator,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
    redaction_key: RedactionKey,
    options: Options,
}

// === impl Options ===

impl Default for Options {
    fn default() -> Self {
        Self {
            request_bytes_max: 32 << 20,
            reply_bytes_max: 64 << 20,
            retry_wait_first: Duration::from_millis(250),
            retry_wait_max: Duration::from_secs(10),
            redaction_key: None,
            prompts: None,
        }
    }
}

// === impl Gateway ===

impl Gateway {
    /// Puts the parts together.
    pub fn new(
        plane: DataPlane,
        journal: Journal,
        counting: &Counting,
        estimator: Estimator,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdSource>,
        options: Options,
    ) -> Arc<Self> {
        let redaction_key = options.redaction_key.clone();
        let redaction_key = redaction_key.unwrap_or_else(|| random_key(&*clock, &*ids));
        counting.contained.settle(&plane.snapshot().keys);
        Arc::new(Self {
            plane: ArcSwap::from_pointee(plane),
            journal,
            budgets: Arc::clone(&counting.budgets),
            contained: Arc::clone(&counting.contained),
            rates: Rates::default(),
            estimator,
            clock,
            ids,
            redaction_key,
            options,
        })
    }

    /// What calls look up now.
    pub fn plane(&self) -> Arc<DataPlane> {
        self.plane.load_full()
    }

    /// Swaps what calls look up; calls under way keep what they started with.
    pub fn replace_plane(&self, plane: DataPlane) {
        self.budgets.configure(definitions(plane.snapshot()), self.clock.now());
        let plane = Arc::new(plane);
        self.plane.store(Arc::clone(&plane));
        // After it, so that no call finds a key suspended in neither.
        self.contained.settle(&plane.snapshot().keys);
    }

    /// Keys that were suspended here and whose resources do not show it yet.
    pub fn contained(&self) -> &Arc<Contained> {
        &self.contained
    }

    /// Every budget and how it stands.
    pub fn budgets(&self) -> &Arc<Budgets> {
        &self.budgets
    }

    /// Ends what is over by now, and has the journal keep what the budgets counted since
    /// `kept`; gives back up to which row.
    ///
    /// # Errors
    /// When the journal kept nothing: call it again.
    pub async fn keep_budgets(&self, kept: u64) -> Result<u64, tally_journal::JournalError> {
        let ended = self.budgets.expire(self.clock.now());
        if ended > 0 {
            tracing::warn!(ended, "reservations that no call ended");
        }
        let Some(checkpoint) = self.budgets.checkpoint(kept) else { return Ok(kept) };
        let states = checkpoint.counters.iter();
        let mut states: Vec<(String, String)> =
            states.map(|saved| (saved.id.clone(), saved.state.clone())).collect();
        let contained = self.contained.to_keep();
        let keeps_contained = contained.is_some();
        states.extend(contained.map(|state| (contain::COUNTER.to_owned(), state)));
        let counters = tally_journal::Counters { sequence: checkpoint.sequence, states };
        match self.journal.keep_counters(counters).await {
            Ok(()) => Ok(checkpoint.sequence),
            Err(error) => {
                self.budgets.not_kept(&checkpoint);
                if keeps_contained {
                    self.contained.not_kept();
                }
                Err(error)
            }
        }
    }

    /// What was learned about models' tokens, to be kept across restarts.
    pub fn estimator(&self) -> &Estimator {
        &self.estimator
    }

    fn redaction_key(&self) -> &RedactionKey {
        &self.redaction_key
    }

    /// The gateway's routes. Authentication is by virtual key on every one of them.
    pub fn router(self: &Arc<Self>) -> Router {
        Router::new()
            .route("/v1/chat/completions", metered(&OpenAiChat))
            .route("/v1/embeddings", metered(&OpenAiEmbeddings))
            .route("/v1/messages", metered(&AnthropicMessages))
            .route("/v1/messages/count_tokens", metered(&AnthropicCountTokens))
            .route("/v1/models", get(models::list))
            .route("/v1/models/{*name}", get(models::one))
            .route("/v1/{*path}", any(models::unsupported))
            // The gateway reads bodies itself, with a limit of its own.
            .layer(DefaultBodyLimit::disable())
            .with_state(Arc::clone(self))
    }
}

/// A key that nobody knows, from the random parts of two ids.
fn random_key(clock: &dyn Clock, ids: &dyn IdSource) -> RedactionKey {
    let [one, other] = [ids.uuid(clock.now()), ids.uuid(clock.now())];
    RedactionKey::new(&[one.into_bytes(), other.into_bytes()].concat())
}

fn metered(protocol: &'static dyn Protocol) -> axum::routing::MethodRouter<Arc<Gateway>> {
    post(move |State(gateway): State<Arc<Gateway>>, request: Request| {
        call::handle(gateway, protocol, request)
    })
}
