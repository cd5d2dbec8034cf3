//! Guardrail rules: stored and checked now, decided by the policy room.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{FieldError, Severity, resource::KindSpec, vocabulary::vocabulary};

vocabulary! {
    /// What a rule does without further words.
    RuleEffectWord {
        /// Let it pass.
        Allow = "allow",
        /// Refuse.
        Deny = "deny",
        /// Refuse with a link that opens an approval.
        Review = "review",
        /// Use the model's declared cheaper one.
        Degrade = "degrade",
        /// Only record.
        Log = "log",
    }
}

/// What a rule does, with words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RuleEffectMap {
    /// Replace these kinds of data before the prompt leaves.
    Redact(Vec<String>),
    /// Send to this provider instead.
    Reroute(String),
}

/// What a rule does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum RuleEffect {
    /// A word.
    Word(RuleEffectWord),
    /// A word with words.
    Map(RuleEffectMap),
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyRule {
    /// What decisions call it.
    pub id: String,
    /// A CEL condition over the request's context.
    pub when: String,
    /// What it does.
    pub then: RuleEffect,
    /// How bad a match is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// A sentence for humans.
    pub says: String,
}

/// A short, readable set of rules.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicySpec {
    /// The rules; all that match apply.
    pub rules: Vec<PolicyRule>,
}

impl KindSpec for PolicySpec {
    fn check(&self, errors: &mut Vec<FieldError>) {
        for (index, rule) in self.rules.iter().enumerate() {
            let field = |name: &str| format!("rules[{index}].{name}");
            for (name, text) in [("id", &rule.id), ("when", &rule.when), ("says", &rule.says)] {
                if text.trim().is_empty() {
                    errors.push(FieldError::new(field(name), "expected some text"));
                }
            }
            if self.rules.iter().take(index).any(|earlier| earlier.id == rule.id) {
                errors.push(FieldError::new(field("id"), format!("`{}` stands twice", rule.id)));
            }
        }
    }
}
