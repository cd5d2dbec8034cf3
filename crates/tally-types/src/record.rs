//! What travels through the journal to the warehouse.

use serde::{Deserialize, Serialize};

use crate::{EventId, Outcome, UsageEvent};

/// One thing that happened; kept exactly once per id and revision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Record {
    /// A metered attempt of a call.
    Usage(Box<UsageEvent>),
    /// The result of a task.
    Outcome(Outcome),
}

// === impl Record ===

impl Record {
    /// Its id.
    pub fn id(&self) -> EventId {
        match self {
            Self::Usage(event) => event.event_id,
            Self::Outcome(outcome) => outcome.outcome_id,
        }
    }

    /// Its revision; of the same id, the highest counts.
    pub fn revision(&self) -> u32 {
        match self {
            Self::Usage(event) => event.revision,
            Self::Outcome(outcome) => outcome.revision,
        }
    }
}
