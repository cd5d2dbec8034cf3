//! Where the warehouse is found once it is open.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use http::StatusCode;
use tally_ingest::edge::Problem;
use tally_warehouse::Warehouse;

/// Holds the warehouse, or nothing yet: the listener answers before the warehouse is
/// open. Clones share it.
#[derive(Clone, Default)]
pub struct WarehouseSlot(Arc<ArcSwapOption<Warehouse>>);

// === impl WarehouseSlot ===

impl WarehouseSlot {
    /// An empty slot.
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts the open warehouse in.
    pub fn fill(&self, warehouse: Arc<Warehouse>) {
        self.0.store(Some(warehouse));
    }

    /// Takes the warehouse out, before it is closed.
    pub fn empty(&self) {
        self.0.store(None);
    }

    /// The warehouse, if it is open.
    pub fn get(&self) -> Option<Arc<Warehouse>> {
        self.0.load_full()
    }

    /// The warehouse.
    ///
    /// # Errors
    /// 503 when it is not open (yet).
    pub(crate) fn require(&self) -> Result<Arc<Warehouse>, Problem> {
        self.get().ok_or_else(|| {
            Problem::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "warehouse_unavailable",
                "the warehouse is not open; calls are metered and kept meanwhile",
            )
            .with_next_step("try again shortly; `/readyz` says when it is open")
            .with_retry_after(5)
        })
    }
}
