//! Price lists: what a provider asks, by model, kind of token, tier and context.

use std::collections::BTreeMap;

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{FieldError, PicoUsd, RatePerToken, ServiceTier, resource::KindSpec};

/// Prices from one source as of one day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PriceListSpec {
    /// Where the prices come from.
    pub source: String,
    /// The day they were read.
    #[schemars(with = "String")]
    pub as_of: Date,
    /// Of two lists that price the same model on the same day, the higher precedence counts
    /// (then the later `as_of`). The shipped list has 0.
    #[serde(default)]
    pub precedence: i32,
    /// The prices.
    pub entries: Vec<PriceEntry>,
}

/// The price of one model at one provider, from one day on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PriceEntry {
    /// The provider's name in price lists, such as `anthropic`.
    pub provider: String,
    /// The provider's name of the model.
    pub model: String,
    /// The first day it holds (UTC); since ever when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub from: Option<Date>,
    /// The first day it no longer holds (UTC); without end when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub until: Option<Date>,
    /// Prices per token by service tier and context step.
    pub rates: Vec<RateSet>,
    /// A fee per call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_request_usd: Option<PicoUsd>,
    /// A fee per use of a provider's tool, such as `web_search`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub per_tool_usd: BTreeMap<String, PicoUsd>,
    /// What multiplies the token prices.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub modifiers: Vec<PriceModifier>,
    /// The largest prompt, in tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context_tokens_max: Option<u64>,
    /// The longest answer, in tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_tokens_max: Option<u64>,
}

/// Prices per token for one service tier above one context step; written as USD
/// per million tokens. The set with the highest `above_input_tokens` that the
/// call's whole input exceeds counts for the whole call.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RateSet {
    /// For this service tier.
    #[serde(default, skip_serializing_if = "is_standard")]
    pub service_tier: ServiceTier,
    /// For calls with more input tokens (cached or not) than this.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub above_input_tokens: u64,
    /// Uncached input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<RatePerToken>,
    /// Cache reads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_read: Option<RatePerToken>,
    /// Cache writes that live five minutes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_write_5m: Option<RatePerToken>,
    /// Cache writes that live one hour or longer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_write_1h: Option<RatePerToken>,
    /// Output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<RatePerToken>,
    /// Reasoning, where it costs other than output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<RatePerToken>,
}

/// A multiplier on the token prices when the provider reports something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PriceModifier {
    /// Such as `speed:fast` or `inference_geo:us`.
    pub when: String,
    /// In percent: 110 is ten percent more.
    pub percent: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature serde asks for")]
fn is_standard(tier: &ServiceTier) -> bool {
    *tier == ServiceTier::Standard
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature serde asks for")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl KindSpec for PriceListSpec {
    fn check(&self, errors: &mut Vec<FieldError>) {
        for (index, entry) in self.entries.iter().enumerate() {
            let field = |name: &str| format!("entries[{index}].{name}");
            if entry.rates.is_empty() && entry.per_request_usd.is_none() {
                errors.push(FieldError::new(field("rates"), "expected at least one set of rates"));
            }
            if entry.until.is_some_and(|until| entry.from.is_some_and(|from| until <= from)) {
                errors.push(FieldError::new(field("until"), "expected a day after `from`"));
            }
            let negative = |rate: Option<RatePerToken>| rate.is_some_and(|rate| rate.pico() < 0);
            let any_negative = entry.rates.iter().any(|rates| {
                [
                    rates.input,
                    rates.cache_read,
                    rates.cache_write_5m,
                    rates.cache_write_1h,
                    rates.output,
                    rates.reasoning,
                ]
                .into_iter()
                .any(negative)
            });
            if any_negative {
                errors.push(FieldError::new(field("rates"), "expected prices of zero or more"));
            }
        }
    }
}
