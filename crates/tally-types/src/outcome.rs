//! What came of a task.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{EventId, PicoUsd, WorkloadName, vocabulary::vocabulary};

vocabulary! {
    /// Whether a task reached its goal.
    TaskResult {
        /// It did.
        Succeeded = "succeeded",
        /// It did not.
        Failed = "failed",
    }
}

/// The result of one task, joined to its calls on (workload, task id).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Outcome {
    /// Its id; the same report again has the same id.
    pub outcome_id: EventId,
    /// Of the same id, the highest revision counts.
    #[serde(default)]
    pub revision: u32,
    /// When the result was known.
    pub time: Timestamp,
    /// The workload the task belongs to; none for tasks of a person's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workload: Option<WorkloadName>,
    /// The task.
    pub task_id: String,
    /// Succeeded or failed.
    pub result: TaskResult,
    /// Whether a human or a dearer model had to take over.
    #[serde(default)]
    pub escalated: bool,
    /// Quality in basis points: 0 (useless) to 10,000 (perfect).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quality_bp: Option<u16>,
    /// Business value in money.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_usd: Option<PicoUsd>,
    /// Tickets that needed no human.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tickets_deflected: Option<u32>,
    /// Sales or sign-ups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversions: Option<u32>,
    /// Minutes of work saved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minutes_saved: Option<u32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quality_above_perfect_fits_the_type_but_not_the_scale() {
        // The scale is checked where outcomes come in; the type only bounds the size.
        assert!(serde_json::from_str::<TaskResult>("\"maybe\"").is_err());
        assert_eq!(TaskResult::Succeeded.to_string(), "succeeded");
    }
}
