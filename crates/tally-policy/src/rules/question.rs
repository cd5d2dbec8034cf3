//! "What would happen to this call?", in the words of whoever asks.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tally_types::{
    DataClass, KeyName, ModelName, PersonName, ProviderName, WorkloadName, spec::PolicyCall,
};

use super::Explanation;

/// A call that somebody could make. What is not said is looked up, or is as of a call that says
/// nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PolicyQuestion {
    /// Who calls; by default the person of the key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonName>,
    /// With which key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<KeyName>,
    /// For which workload; by default that of the key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workload: Option<WorkloadName>,
    /// Which model is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelName>,
    /// Who would serve; by default the model's first route.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<ProviderName>,
    /// How sensitive the prompt is; never less than the workload says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_class: Option<DataClass>,
    /// What kind of task.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task_type: Option<String>,
    /// What is asked for: `chat`, `messages`, `embeddings`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// Which application.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub application: Option<String>,
    /// How long the prompt is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_estimate: Option<u64>,
    /// The highest stage that a budget has reached, in per cent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget_stage: Option<u32>,
    /// Whether images or files stand in the prompt.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub images: bool,
    /// Whether the model may call tools.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub tools: bool,
}

/// What would happen to a call, as it was understood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PolicyAnswer {
    /// The call, with what was looked up.
    pub call: PolicyCall,
    /// What would happen to it, and why.
    #[serde(flatten)]
    pub explanation: Explanation,
}
