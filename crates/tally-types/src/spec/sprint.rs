//! The month's optimisation sprint: what was to become less, and what became of it.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    CostCenterName, Exact, FieldError, PersonName, TeamName, WorkloadName, resource::KindSpec,
    vocabulary::vocabulary,
};

vocabulary! {
    /// What a target wants less of.
    TargetMeasure {
        /// Spend of the month, in US dollars.
        Spend = "spend_usd",
        /// Of that, what is for no workload.
        Unattributed = "unattributed_usd",
        /// Cost of all tasks with a known outcome ÷ successes, in US dollars.
        CostPerTask = "cost_per_successful_task_usd",
        /// Tokens of all tasks with a known outcome ÷ successes.
        TokensPerTask = "tokens_per_successful_task",
        /// The share of prompt tokens that no cache served, in percent.
        Uncached = "uncached_percent",
    }

    /// How far a sprint or a review has come.
    MeetingState {
        /// It goes on.
        Open = "open",
        /// It is over, and stands as it was written.
        Closed = "closed",
    }
}

/// Whose use a target is about: one of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TargetScope {
    /// A cost center.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_center: Option<CostCenterName>,
    /// A team.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<TeamName>,
    /// A workload.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workload: Option<WorkloadName>,
}

/// Something is to become less.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SprintTarget {
    /// 1, 2, 3…
    pub number: u32,
    /// Whose use.
    pub scope: TargetScope,
    /// What.
    pub measure: TargetMeasure,
    /// How much it was; of what adds up over time, in as many days as the sprint's month has.
    pub baseline: Exact,
    /// Over which time that was measured: from when.
    pub baseline_from: Timestamp,
    /// Until when.
    pub baseline_until: Timestamp,
    /// At most so much is wanted over the month.
    pub target: Exact,
    /// Who answers for it.
    pub owner: PersonName,
    /// How it is to be reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Who set it.
    pub by: PersonName,
    /// When.
    pub at: Timestamp,
    /// Why it no longer counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawn: Option<TargetWithdrawn>,
    /// What became of it, measured when the sprint was closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<TargetResult>,
}

/// A target that no longer counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TargetWithdrawn {
    /// Who.
    pub by: PersonName,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: String,
}

/// What became of a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TargetResult {
    /// Over the whole month; null where nothing was there to measure.
    pub value: Option<Exact>,
    /// Whether that is at most the target.
    pub met: bool,
    /// When it was measured.
    pub at: Timestamp,
}

/// A month's sprint; named by the month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SprintSpec {
    /// How far it has come.
    pub state: MeetingState,
    /// What is to become less.
    pub targets: Vec<SprintTarget>,
    /// Who closed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_by: Option<PersonName>,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<Timestamp>,
    /// What is to be remembered of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

// === impl TargetMeasure ===

impl TargetMeasure {
    /// Whether it adds up over time, so that a month has more of it than a day.
    pub const fn adds_up(self) -> bool {
        matches!(self, Self::Spend | Self::Unattributed)
    }
}

// === impl TargetScope ===

impl TargetScope {
    /// What kind it names, and which; none unless it names exactly one.
    pub fn named(&self) -> Option<(&'static str, &str)> {
        let cost_center = self.cost_center.as_ref().map(|name| ("cost_center", name.as_str()));
        let team = self.team.as_ref().map(|name| ("team", name.as_str()));
        let workload = self.workload.as_ref().map(|name| ("workload", name.as_str()));
        let mut all = [cost_center, team, workload].into_iter().flatten();
        match (all.next(), all.next()) {
            (one, None) => one,
            _ => None,
        }
    }
}

/// It refers to nothing: it outlives what it speaks of.
impl KindSpec for SprintSpec {
    fn check(&self, errors: &mut Vec<FieldError>) {
        for (index, target) in self.targets.iter().enumerate() {
            if target.scope.named().is_none() {
                let message = "expected one of `cost_center`, `team`, `workload`";
                errors.push(FieldError::new(format!("targets[{index}].scope"), message));
            }
            if target.target < Exact::default() || target.target >= target.baseline {
                let message = "expected zero or more, and less than the baseline";
                errors.push(FieldError::new(format!("targets[{index}].target"), message));
            }
        }
    }
}
