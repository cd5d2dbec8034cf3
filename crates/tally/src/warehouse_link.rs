//! Joins the journal to the warehouse, which may open later than the listener.

use std::{path::PathBuf, sync::Arc};

use tally_api::WarehouseSlot;
use tally_journal::{Sink, SinkError};
use tally_types::{NodeId, Record};
use tally_warehouse::{Options, Warehouse};

/// Opens the warehouse when the first shipment needs it, and feeds it.
pub(crate) struct WarehouseSink {
    path: PathBuf,
    options: Options,
    slot: WarehouseSlot,
}

// === impl WarehouseSink ===

impl WarehouseSink {
    pub(crate) fn new(path: PathBuf, options: Options, slot: WarehouseSlot) -> Self {
        Self { path, options, slot }
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
        Ok(())
    }
}
