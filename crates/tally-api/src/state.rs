//! What the handlers share.

use std::{sync::Arc, time::Duration};

use metrics_exporter_prometheus::PrometheusHandle;
use tally_gateway::Gateway;
use tally_journal::Journal;
use tally_retention::Keeper;
use tally_store::Store;
use tally_types::{Clock, IdSource};
use tokio::sync::{Mutex, Semaphore};

use crate::{
    BudgetView, LiveFeed, ScoreKeeper, SecretMaker, WarehouseSlot, live, operation::Operation,
    sign_in::SignIn,
};

/// Queries that run at once; more wait.
const QUERIES_MAX: usize = 8;
/// Queries that wait; more are refused at once.
const QUERIES_QUEUED_MAX: usize = 64;
/// How long a changed key may take to reach the gateway before the reply says so.
const PLANE_STEP: Duration = Duration::from_millis(5);
const PLANE_STEPS_MAX: usize = 200;

/// What the API is made of.
#[derive(Clone)]
pub struct ApiState {
    /// Knows the keys, the prices and what is wrong with the configuration.
    pub gateway: Arc<Gateway>,
    /// The resources and their audit trail.
    pub store: Store,
    /// The metrics layer, once it is open.
    pub warehouse: WarehouseSlot,
    /// Announces what reached the warehouse.
    pub live: LiveFeed,
    /// For its numbers.
    pub journal: Journal,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Ids of requests, in replies and in the log.
    pub ids: Arc<dyn IdSource>,
    /// Secrets of new keys.
    pub secrets: Arc<dyn SecretMaker>,
    /// How budgets stand.
    pub budgets: Arc<dyn BudgetView>,
    /// Forgets in time, and shows what is kept.
    pub retention: Arc<Keeper>,
    /// The standings of the scoreboards.
    pub scores: ScoreKeeper,
    /// Renders the metrics page.
    pub metrics: PrometheusHandle,
}

/// The state and what bounds its use.
pub(crate) struct Api {
    pub(crate) state: ApiState,
    operations: Vec<Operation>,
    pub(crate) sign_in: SignIn,
    pub(crate) queries: Arc<Semaphore>,
    pub(crate) queries_queued: Semaphore,
    /// Held by whoever closes a month, one at a time.
    pub(crate) closing: Mutex<()>,
    /// Places of readers of the live feed.
    pub(crate) live_places: Arc<Semaphore>,
    /// The last look at the store: when (monotonic, in nanoseconds), and whether it answered.
    pub(crate) store_seen: Mutex<Option<(u64, bool)>>,
}

// === impl Api ===

impl Api {
    pub(crate) fn new(state: ApiState, operations: Vec<Operation>) -> Self {
        Self {
            operations,
            sign_in: SignIn::new(&state),
            state,
            queries: Arc::new(Semaphore::new(QUERIES_MAX)),
            queries_queued: Semaphore::new(QUERIES_QUEUED_MAX),
            closing: Mutex::default(),
            live_places: Arc::new(Semaphore::new(live::READERS_MAX)),
            store_seen: Mutex::default(),
        }
    }

    /// Every operation.
    pub(crate) fn operations(&self) -> impl Iterator<Item = &Operation> {
        self.operations.iter()
    }

    /// The operations at a path of the router.
    pub(crate) fn operations_at<'a>(
        &'a self,
        template: Option<&'a str>,
    ) -> impl Iterator<Item = &'a Operation> {
        self.operations.iter().filter(move |operation| Some(operation.path.as_str()) == template)
    }

    /// Waits until the gateway knows what the store knows now, so that a revoked key
    /// is refused as soon as its revocation is confirmed. Tells whether it does.
    pub(crate) async fn reached_gateway(&self) -> bool {
        let wanted = self.state.store.snapshot().revision;
        for _ in 0..PLANE_STEPS_MAX {
            if self.state.gateway.plane().snapshot().revision >= wanted {
                return true;
            }
            tokio::time::sleep(PLANE_STEP).await;
        }
        tracing::warn!(revision = wanted, "the gateway does not follow the store");
        false
    }
}
