//! What came of a task.

use std::{borrow::Cow, fmt, str::FromStr};

use jiff::Timestamp;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::{
    EventId, KeyName, NameError, PersonName, PicoUsd, WorkloadName, vocabulary::vocabulary,
};

vocabulary! {
    /// Whether a task reached its goal.
    TaskResult {
        /// It did.
        Succeeded = "succeeded",
        /// It did not.
        Failed = "failed",
    }
}

/// Who says so: whoever's key it was, as `person:jane.doe`, or a key of no person, as `key:ci`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Reporter {
    /// A human.
    Person(PersonName),
    /// A system.
    Key(KeyName),
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
    /// Who reported it; not known of reports from before this was recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reported_by: Option<Reporter>,
}

// === impl Reporter ===

impl fmt::Display for Reporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person(name) => write!(f, "person:{name}"),
            Self::Key(name) => write!(f, "key:{name}"),
        }
    }
}

impl FromStr for Reporter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = |error: NameError| format!("`{text}`: {error}");
        match text.split_once(':') {
            Some(("person", name)) => name.parse().map(Self::Person).map_err(wrong),
            Some(("key", name)) => name.parse().map(Self::Key).map_err(wrong),
            _ => Err(format!("`{text}`: expected `person:` or `key:` and a name")),
        }
    }
}

impl TryFrom<String> for Reporter {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Reporter> for String {
    fn from(reporter: Reporter) -> Self {
        reporter.to_string()
    }
}

impl JsonSchema for Reporter {
    fn schema_name() -> Cow<'static, str> {
        "Reporter".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^(person|key):" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reporters_are_read_as_they_are_written() {
        for text in ["person:jane.doe", "key:ci"] {
            assert_eq!(text.parse::<Reporter>().unwrap().to_string(), text);
        }
        for wrong in ["jane.doe", "team:search", "person:", "key:no good"] {
            assert!(wrong.parse::<Reporter>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn quality_above_perfect_fits_the_type_but_not_the_scale() {
        // The scale is checked where outcomes come in; the type only bounds the size.
        assert!(serde_json::from_str::<TaskResult>("\"maybe\"").is_err());
        assert_eq!(TaskResult::Succeeded.to_string(), "succeeded");
    }
}
