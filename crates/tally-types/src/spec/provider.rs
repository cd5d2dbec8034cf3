//! Providers and models.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    DataClass, Dialect, FieldError, Kind, ModelName, ProviderName, Reference, Tier,
    resource::KindSpec,
    spec::{AccessRule, RateLimit},
    vocabulary::vocabulary,
};

/// Where a secret is read from; a secret itself never stands in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum SecretSource {
    /// An environment variable of the running Tally.
    Env(String),
    /// A file that the running Tally can read.
    File(String),
}

/// Where calls are sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProviderSpec {
    /// How it speaks on the wire.
    pub dialect: Dialect,
    /// What the official client would be given; OpenAI's ends in `/v1`, Anthropic's does not.
    pub base_url: String,
    /// The provider's key; none for a provider that asks for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key: Option<SecretSource>,
    /// The data classes it is approved for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub data_classes: Vec<DataClass>,
    /// Whether it keeps nothing of what it is sent.
    #[serde(default)]
    pub zero_retention: bool,
    /// The provider's name in price lists; its own name when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prices: Option<String>,
    /// How long to wait.
    #[serde(default)]
    pub timeouts: ProviderTimeouts,
    /// How often a failed attempt is repeated on this provider.
    #[serde(default = "two")]
    pub retries_max: u8,
}

/// How long to wait for a provider, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ProviderTimeouts {
    /// For a connection.
    pub connect_ms: u64,
    /// For the head of the answer (long: a reasoning model thinks before it answers).
    pub first_byte_ms: u64,
    /// Between two pieces of a streamed answer.
    pub idle_ms: u64,
}

/// One way to reach a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModelRoute {
    /// Through which provider.
    pub provider: ProviderName,
    /// What the provider calls it; the model's own name when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstream_name: Option<String>,
}

/// A model that may be asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModelSpec {
    /// Short for one route under the model's own name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<ProviderName>,
    /// Ways to reach it, in order of preference.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub routes: Vec<ModelRoute>,
    /// How capable, and dear, it is.
    pub tier: Tier,
    /// The model to degrade to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cheaper: Option<ModelName>,
    /// Other names that clients use for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// The family it is counted under; derived from its name when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family: Option<String>,
    /// What it can do; absent stands for everything. A call that needs more is not moved to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capabilities: Option<Vec<Capability>>,
    /// The longest prompt and answer together, in tokens; none is known when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context_tokens: Option<u64>,
    /// The longest answer, in tokens; a budget reserves it for calls that name no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_tokens: Option<u64>,
    /// How fast its calls may come, all together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_limit: Option<RateLimit>,
    /// Whether anyone may use it, or only who asked for it and was given it.
    #[serde(default, skip_serializing_if = "AccessRule::is_open")]
    pub access: AccessRule,
}

vocabulary! {
    /// What a request may need of a model.
    Capability {
        /// Calling tools.
        Tools = "tools",
        /// Reading images.
        Images = "images",
        /// Thinking before it answers.
        Reasoning = "reasoning",
    }
}

const fn two() -> u8 {
    2
}

// === impl ProviderTimeouts ===

impl Default for ProviderTimeouts {
    fn default() -> Self {
        Self { connect_ms: 5_000, first_byte_ms: 600_000, idle_ms: 120_000 }
    }
}

// === impl ModelSpec ===

impl ModelSpec {
    /// The routes, the short form spelled out.
    pub fn all_routes(&self) -> Vec<ModelRoute> {
        let short =
            self.provider.clone().map(|provider| ModelRoute { provider, upstream_name: None });
        short.into_iter().chain(self.routes.iter().cloned()).collect()
    }

    /// The family: the name without its version and date, such as `claude-opus` or `gpt-5`.
    pub fn family_of(&self, name: &str) -> String {
        self.family.clone().unwrap_or_else(|| family_of(name))
    }
}

/// `claude-opus-4-8` → `claude-opus`; `gpt-5-mini-2026-01-01` → `gpt-5-mini`.
fn family_of(name: &str) -> String {
    let base = name.rsplit('/').next().unwrap_or(name);
    let is_number = |part: &str| part.chars().all(|c| c.is_ascii_digit() || c == '.');
    let parts: Vec<&str> = base.split('-').collect();
    let worded = parts.iter().rposition(|part| !is_number(part)).unwrap_or(0);
    // A name such as `gpt-5` has its version as the only thing after the maker's word.
    let keep = if worded == 0 { parts.len().min(2) } else { worded + 1 };
    parts.into_iter().take(keep).collect::<Vec<_>>().join("-")
}

impl KindSpec for ProviderSpec {
    fn check(&self, errors: &mut Vec<FieldError>) {
        let is_url = self.base_url.starts_with("http://") || self.base_url.starts_with("https://");
        if !is_url || self.base_url.contains(['?', '#', ' ']) {
            errors.push(FieldError::new(
                "base_url",
                "expected an address such as `https://api.openai.com/v1`",
            ));
        }
        let waits = [
            ("timeouts.connect_ms", self.timeouts.connect_ms),
            ("timeouts.first_byte_ms", self.timeouts.first_byte_ms),
            ("timeouts.idle_ms", self.timeouts.idle_ms),
        ];
        for (field, wait) in waits {
            if !(1..=3_600_000).contains(&wait) {
                errors.push(FieldError::new(field, "expected 1 to 3,600,000 milliseconds"));
            }
        }
        if self.retries_max > 10 {
            errors.push(FieldError::new("retries_max", "expected at most 10"));
        }
    }
}

impl KindSpec for ModelSpec {
    fn check(&self, errors: &mut Vec<FieldError>) {
        if self.provider.is_none() && self.routes.is_empty() {
            errors.push(FieldError::new(
                "provider",
                "expected a `provider` or at least one of `routes`",
            ));
        }
        if self.provider.is_some() && !self.routes.is_empty() {
            errors.push(FieldError::new(
                "routes",
                "expected either `provider` or `routes`, not both",
            ));
        }
    }

    fn references(&self, references: &mut Vec<Reference>) {
        if let Some(provider) = &self.provider {
            references.push(Reference::new("provider", Kind::Provider, &provider.0));
        }
        for (index, route) in self.routes.iter().enumerate() {
            let field = format!("routes[{index}].provider");
            references.push(Reference::new(field, Kind::Provider, &route.provider.0));
        }
        if let Some(cheaper) = &self.cheaper {
            references.push(Reference::new("cheaper", Kind::Model, &cheaper.0));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families() {
        for (name, family) in [
            ("claude-opus-4-8", "claude-opus"),
            ("claude-haiku-4-5-20251001", "claude-haiku"),
            ("gpt-5", "gpt-5"),
            ("gpt-5-mini-2026-01-01", "gpt-5-mini"),
            ("text-embedding-3-small", "text-embedding-3-small"),
            ("gemini-2.5-pro", "gemini-2.5-pro"),
            ("meta/llama", "llama"),
        ] {
            assert_eq!(family_of(name), family, "{name}");
        }
    }
}
