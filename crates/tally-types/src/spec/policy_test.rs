//! What policies know of a call, and the tests that stand beside them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    CostCenterName, DataClass, Dialect, Environment, ProviderName, Role, Tier, WorkloadClass,
    WorkloadName, vocabulary::vocabulary,
};

/// What the conditions of policies read. What is not said is empty, the environment is
/// `experimentation`, the data class `internal`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PolicyCall {
    /// Who calls; empty for a key that is no person's.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub person: String,
    /// Their team.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub team: String,
    /// Their department.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub department: String,
    /// Their roles.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<Role>,
    /// The registered workload; null for a call that none explains.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workload: Option<PolicyWorkload>,
    /// Where it counts.
    pub environment: Environment,
    /// What kind of task.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub task_type: String,
    /// How sensitive the prompt is.
    pub data_class: DataClass,
    /// The model that would serve, as Tally names it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub model: String,
    /// The model's tier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tier: Option<Tier>,
    /// The provider that would serve.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<PolicyProvider>,
    /// Estimated tokens of the prompt.
    pub token_estimate: u64,
    /// The highest stage that a budget of the call has reached, in per cent.
    pub budget_stage: u32,
    /// When, in the organization's time zone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<PolicyTime>,
    /// The virtual key's name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub key: String,
    /// The application, as it named itself.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub application: String,
    /// What is asked for: `chat`, `messages`, `embeddings`, `count_tokens`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub operation: String,
    /// Whether images or files stand in the prompt.
    pub images: bool,
    /// Whether the model may call tools.
    pub tools: bool,
}

/// A workload, as policies know it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyWorkload {
    /// Its name.
    pub name: WorkloadName,
    /// Its owner.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub owner: String,
    /// Who pays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_center: Option<CostCenterName>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<WorkloadClass>,
    /// The dearest tier it may use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<Tier>,
    /// The data it is registered for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_class: Option<DataClass>,
}

/// A provider, as policies know it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyProvider {
    /// Its name.
    pub name: ProviderName,
    /// How it speaks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dialect: Option<Dialect>,
    /// The data classes it is approved for.
    #[serde(default)]
    pub data_classes: Vec<DataClass>,
    /// Whether it keeps nothing of what it is sent.
    #[serde(default)]
    pub zero_retention: bool,
}

/// A time, as policies know it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyTime {
    /// 0 to 23.
    pub hour: u8,
    /// `monday` to `sunday`.
    pub weekday: PolicyWeekday,
    /// Such as `2026-11-22`; later dates are greater.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub date: String,
}

vocabulary! {
    /// A day of the week.
    PolicyWeekday {
        /// Monday.
        Monday = "monday",
        /// Tuesday.
        Tuesday = "tuesday",
        /// Wednesday.
        Wednesday = "wednesday",
        /// Thursday.
        Thursday = "thursday",
        /// Friday.
        Friday = "friday",
        /// Saturday.
        Saturday = "saturday",
        /// Sunday.
        Sunday = "sunday",
    }

    /// What becomes of a call, from the mildest to the strictest.
    PolicyEffect {
        /// It passes.
        Allow = "allow",
        /// It is served by a cheaper model.
        Degrade = "degrade",
        /// It is sent to another provider.
        Reroute = "reroute",
        /// It is refused until someone approves an exception.
        Review = "review",
        /// It is refused.
        Deny = "deny",
    }
}

/// A call, and what this policy alone has to decide about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyTest {
    /// What it shows.
    pub name: String,
    /// The call.
    pub call: PolicyCall,
    /// What has to come of it; what is not said is not compared.
    pub expect: PolicyExpectation,
}

/// What has to come of a call.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PolicyExpectation {
    /// The effect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effect: Option<PolicyEffect>,
    /// The id of the rule that decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// Exactly these kinds of data are redacted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redact: Option<Vec<String>>,
}

// === impl PolicyCall ===

impl PolicyCall {
    /// Whether a registered workload explains the call.
    pub const fn is_registered(&self) -> bool {
        self.workload.is_some()
    }
}

impl Default for PolicyCall {
    fn default() -> Self {
        Self {
            person: String::new(),
            team: String::new(),
            department: String::new(),
            roles: Vec::new(),
            workload: None,
            environment: Environment::Experimentation,
            task_type: String::new(),
            data_class: DataClass::Internal,
            model: String::new(),
            tier: None,
            provider: None,
            token_estimate: 0,
            budget_stage: 0,
            time: None,
            key: String::new(),
            application: String::new(),
            operation: String::new(),
            images: false,
            tools: false,
        }
    }
}
