//! What grants need to know of budgets: the seam to the room that enforces them.

use tally_budget::Budgets;
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

impl BudgetView for Budgets {
    fn use_of(&self, id: &CounterId, now: Timestamp) -> Option<BudgetUse> {
        self.use_of(id, now)
    }

    fn above(&self, id: &CounterId, now: Timestamp) -> Option<BudgetUse> {
        self.above(id, now)
    }

    fn reached(&self) -> Vec<StageReached> {
        self.reached()
    }

    fn acknowledge(&self, reached: &[StageReached]) {
        self.acknowledge(reached);
    }

    fn counters(&self, now: Timestamp) -> Vec<BudgetUse> {
        self.uses(now)
    }
}
