//! What forgets.

use std::sync::Arc;

use tally_prompts::PromptStore;
use tally_store::Store;
use tally_types::{Clock, spec::Retention};
use tally_warehouse::Warehouse;
use tokio::sync::Mutex;

use crate::RetentionError;

/// Forgets in time, and shows what is kept. One for each data folder.
pub struct Keeper {
    pub(crate) store: Store,
    pub(crate) prompts: Arc<PromptStore>,
    pub(crate) clock: Arc<dyn Clock>,
    /// Held by the one run that goes on.
    pub(crate) running: Mutex<()>,
}

impl std::fmt::Debug for Keeper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keeper").finish_non_exhaustive()
    }
}

// === impl Keeper ===

impl Keeper {
    /// Puts the parts together.
    pub fn new(store: Store, prompts: Arc<PromptStore>, clock: Arc<dyn Clock>) -> Self {
        Self { store, prompts, clock, running: Mutex::default() }
    }

    /// The periods as they are now.
    pub(crate) fn retention(&self) -> Retention {
        self.store.snapshot().organization.retention.clone()
    }

    /// Asks the file of prompts, off the async threads.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&PromptStore) -> Result<T, tally_prompts::PromptError> + Send + 'static,
    ) -> Result<T, RetentionError> {
        let prompts = Arc::clone(&self.prompts);
        let done = tokio::task::spawn_blocking(move || work(&prompts)).await;
        Ok(done.map_err(|_| RetentionError::Interrupted)??)
    }
}

/// Asks the warehouse, off the async threads.
pub(crate) async fn ask_warehouse<T: Send + 'static>(
    warehouse: &Arc<Warehouse>,
    work: impl FnOnce(&Warehouse) -> Result<T, tally_warehouse::WarehouseError> + Send + 'static,
) -> Result<T, RetentionError> {
    let warehouse = Arc::clone(warehouse);
    let done = tokio::task::spawn_blocking(move || work(&warehouse)).await;
    Ok(done.map_err(|_| RetentionError::Interrupted)??)
}
