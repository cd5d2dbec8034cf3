//! What can go wrong; never with a word of what was kept.

use tally_prompts::PromptError;
use tally_store::StoreError;
use tally_warehouse::WarehouseError;

/// Why something was not forgotten, or not shown.
#[derive(Debug, thiserror::Error)]
pub enum RetentionError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The warehouse.
    #[error(transparent)]
    Warehouse(#[from] WarehouseError),
    /// The file of kept prompts.
    #[error(transparent)]
    Prompts(#[from] PromptError),
    /// It was stopped in the middle.
    #[error("it was interrupted; the next run goes on")]
    Interrupted,
    /// A reason says too little.
    #[error("expected a reason of at least {0} characters: it stands in the audit log")]
    Reason(usize),
}
