//! Joins the journal to the warehouse, which may open later than the listener.

use std::{path::PathBuf, sync::Arc};

use tally_api::{LiveFeed, WarehouseSlot};
use tally_journal::{Sink, SinkError};
use tally_types::{Clock, NodeId, Record};
use tally_warehouse::{Options, Warehouse};

use crate::audit::Decisions;

/// Opens the warehouse when the first shipment needs it, and feeds it.
pub(crate) struct WarehouseSink {
    path: PathBuf,
    options: Options,
    slot: WarehouseSlot,
    live: LiveFeed,
    clock: Arc<dyn Clock>,
    decisions: Arc<Decisions>,
}

// === impl WarehouseSink ===

impl WarehouseSink {
    pub(crate) fn new(
        path: PathBuf,
        options: Options,
        slot: WarehouseSlot,
        live: LiveFeed,
        clock: Arc<dyn Clock>,
        decisions: Arc<Decisions>,
    ) -> Self {
        Self { path, options, slot, live, clock, decisions }
    }

    /// The shipper asks again when this fails, so the warehouse may come back.
    fn warehouse(&self) -> Result<Arc<Warehouse>, SinkError> {
        if let Some(open) = self.slot.get() {
            return Ok(open);
        }
        let opened = Arc::new(Warehouse::open(&self.path, &self.options)?);
        self.slot.fill(Arc::clone(&opened));
        Ok(opened)
    }
}

impl Sink for WarehouseSink {
    fn last_sequence(&mut self, node: NodeId) -> Result<u64, SinkError> {
        Ok(self.warehouse()?.last_sequence(node)?)
    }

    fn write(&mut self, node: NodeId, rows: &[(u64, Record)]) -> Result<(), SinkError> {
        self.warehouse()?.write(node, rows)?;
        self.decisions.take(rows);
        // Only now, so that whoever is told of a call finds it.
        self.live.announce(self.clock.now(), rows);
        Ok(())
    }
}
