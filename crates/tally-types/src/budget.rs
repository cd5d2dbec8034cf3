//! What rooms tell each other about budgets: which counter, how it stands, what was reached.

use std::fmt;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    BudgetName, Environment, PersonName, WorkloadName, spec::BudgetLimit, spec::BudgetStage,
    vocabulary::vocabulary,
};

/// One counter: a budget, of whom, of which environment.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct CounterId {
    /// The budget.
    pub budget: BudgetName,
    /// Whose, where the budget is one of its own for `each` of something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub each: Option<String>,
    /// Of which environment, where that has a limit of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<Environment>,
}

vocabulary! {
    /// How a budget stands, the worst last.
    BudgetState {
        /// Below its first stage.
        Ok = "ok",
        /// Somebody was told.
        Notified = "notified",
        /// Somebody has to approve that it goes on.
        Approval = "approval",
        /// Calls are served with less.
        Degraded = "degraded",
        /// Calls are refused.
        Denied = "denied",
    }
}

/// How one stage of a counter stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StageUse {
    /// The stage.
    pub stage: BudgetStage,
    /// When it was reached in this window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reached_at: Option<Timestamp>,
    /// What became of its approval: none is open, it waits, yes, or no.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved: Option<bool>,
}

/// How one counter stands. Amounts have the limit's unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BudgetUse {
    /// Which counter.
    pub counter: CounterId,
    /// Start of the window.
    pub window_start: Timestamp,
    /// End of the window; of a rolling one, now.
    pub window_end: Timestamp,
    /// 100 %: as declared, with what was carried over and granted.
    pub limit: BudgetLimit,
    /// As declared.
    pub limit_declared: BudgetLimit,
    /// Left of the window before.
    pub carried: BudgetLimit,
    /// Granted for now.
    pub granted: BudgetLimit,
    /// Used by calls that have ended.
    pub settled: BudgetLimit,
    /// The most that calls under way may still use.
    pub reserved: BudgetLimit,
    /// Used beyond the limit, by calls that were served less.
    pub overage: BudgetLimit,
    /// Never exceeded, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ceiling: Option<BudgetLimit>,
    /// At this pace, used at the end of the window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub projected: Option<BudgetLimit>,
    /// At this pace, when the limit is reached, if within the window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exhausted_at: Option<Timestamp>,
    /// How it stands.
    pub state: BudgetState,
    /// The highest stage reached, in percent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<u32>,
    /// All its stages, the lowest first.
    pub stages: Vec<StageUse>,
}

/// A stage was reached: told once per window and limit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StageReached {
    /// Which counter.
    pub counter: CounterId,
    /// Start of the window.
    pub window_start: Timestamp,
    /// End of the window.
    pub window_end: Timestamp,
    /// The stage, as declared then; `projected` warnings have none of their own.
    pub stage: BudgetStage,
    /// 0 the first time in a window; raised each time a grant re-arms it.
    pub round: u32,
    /// 100 % then.
    pub limit: BudgetLimit,
    /// Used then.
    pub settled: BudgetLimit,
    /// When the call that reached it was made.
    pub at: Timestamp,
    /// A warning ahead: at the pace so far, the limit is reached then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exhausted_at: Option<Timestamp>,
    /// Whose call it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonName>,
    /// For which workload.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workload: Option<WorkloadName>,
    /// The workload with most use in this window, where the counter spans several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub top_workload: Option<WorkloadName>,
}

// === impl CounterId ===

impl fmt::Display for CounterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.budget)?;
        if let Some(each) = &self.each {
            write!(f, "/{each}")?;
        }
        if let Some(environment) = self.environment {
            write!(f, " ({environment})")?;
        }
        Ok(())
    }
}
