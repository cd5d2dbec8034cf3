//! A task as scores and effects see it: all its calls together, with what came of it.

use std::{borrow::Cow, fmt, str::FromStr};

use jiff::Timestamp;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::{
    PersonName, PicoUsd, PicoUsdSum, Reporter, TaskResult, TeamName, TemplateName, Tier,
    WorkloadName,
};

/// 63 bits that follow from a request and a secret of this installation: the same request has
/// the same, and nothing of it can be read from them. Written as 16 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Fingerprint(u64);

/// One task. Who and which team it belongs to is told by its cost: whoever spent most.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskFact {
    /// Of workload and task id.
    pub task_key: u64,
    /// The workload it belongs to; none for tasks of a person's own.
    pub workload: Option<WorkloadName>,
    /// The task.
    pub task_id: String,
    /// Of its first call that names one.
    pub task_type: Option<String>,
    /// Who spent most on it; none where a key of no person did.
    pub person: Option<PersonName>,
    /// Their team then.
    pub team: Option<TeamName>,
    /// Their team's department then.
    pub department: Option<String>,
    /// When its first call began.
    pub first_call: Timestamp,
    /// How many calls.
    pub calls: u64,
    /// What all of them cost at list price; `None` when the price of one is not known.
    pub cost: Option<PicoUsdSum>,
    /// All tokens, cached or not.
    pub tokens: u64,
    /// Tokens of prompts, cached or not.
    pub prompt_tokens: u64,
    /// Tokens of prompts that were read from a cache.
    pub cache_read_tokens: u64,
    /// How long its calls took together, where it is known of each.
    pub latency_us: Option<u64>,
    /// The highest tier that served it.
    pub tier: Option<Tier>,
    /// The template of its first call that names one.
    pub template: Option<TemplateName>,
    /// Of its first call that has one.
    pub prompt_fingerprint: Option<Fingerprint>,
    /// What came of it, if somebody reported it.
    pub outcome: Option<TaskOutcome>,
}

/// What came of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskOutcome {
    /// Whether it reached its goal.
    pub result: TaskResult,
    /// Whether a human or a dearer model had to take over.
    pub escalated: bool,
    /// Quality in basis points.
    pub quality_bp: Option<u16>,
    /// Business value in money.
    pub value: Option<PicoUsd>,
    /// Who says so.
    pub reported_by: Option<Reporter>,
}

// === impl Fingerprint ===

impl Fingerprint {
    const BITS: u64 = u64::MAX >> 1;

    /// Of these bits, but for the highest.
    pub const fn new(bits: u64) -> Self {
        Self(bits & Self::BITS)
    }

    /// The bits; the highest is 0.
    pub const fn bits(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl FromStr for Fingerprint {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_hex = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let bits = u64::from_str_radix(text, 16).ok().filter(|_| is_hex);
        bits.filter(|bits| *bits <= Self::BITS)
            .map(Self)
            .ok_or_else(|| format!("`{text}`: expected 16 hexadecimal digits, the first below 8"))
    }
}

impl TryFrom<String> for Fingerprint {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Fingerprint> for String {
    fn from(fingerprint: Fingerprint) -> Self {
        fingerprint.to_string()
    }
}

impl JsonSchema for Fingerprint {
    fn schema_name() -> Cow<'static, str> {
        "Fingerprint".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^[0-7][0-9a-f]{15}$" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_are_read_as_they_are_written() {
        for bits in [0, 1, u64::MAX, 0x0123_4567_89ab_cdef] {
            let written = Fingerprint::new(bits).to_string();
            assert_eq!(written.parse(), Ok(Fingerprint::new(bits)));
        }
        for wrong in ["", "1", "ffffffffffffffff", "000000000000000g", "+00000000000000f"] {
            assert!(wrong.parse::<Fingerprint>().is_err(), "{wrong}");
        }
    }
}
