//! What grants need to know of budgets: the seam to the room that enforces them.

use tally_types::{BudgetUse, CounterId, StageReached, Timestamp};

/// How budgets stand, and which of their stages were reached.
pub trait BudgetView: Send + Sync + 'static {
    /// How a counter stands; none while nothing has counted against it.
    fn use_of(&self, id: &CounterId, now: Timestamp) -> Option<BudgetUse>;

    /// Of the budgets that also apply to its last call, the one with least room.
    fn above(&self, id: &CounterId, now: Timestamp) -> Option<BudgetUse>;

    /// Stages that were reached and not acknowledged; told again after a restart.
    fn reached(&self) -> Vec<StageReached>;

    /// These are kept and need not be told again.
    fn acknowledge(&self, reached: &[StageReached]);

    /// Every counter.
    fn counters(&self, now: Timestamp) -> Vec<BudgetUse>;
}

/// Stands in where no room enforces budgets: nothing is used, nothing is reached.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoBudgets;

// === impl NoBudgets ===

impl BudgetView for NoBudgets {
    fn use_of(&self, _id: &CounterId, _now: Timestamp) -> Option<BudgetUse> {
        None
    }

    fn above(&self, _id: &CounterId, _now: Timestamp) -> Option<BudgetUse> {
        None
    }

    fn reached(&self) -> Vec<StageReached> {
        Vec::new()
    }

    fn acknowledge(&self, _reached: &[StageReached]) {}

    fn counters(&self, _now: Timestamp) -> Vec<BudgetUse> {
        Vec::new()
    }
}
