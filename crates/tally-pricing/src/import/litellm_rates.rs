//! The rates within a model of LiteLLM's file: the kind of token, the context
//! step and the service tier are all in a field's name.

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use tally_types::{RatePerToken, ServiceTier, spec::RateSet};

use super::fields::usd_per_token;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Input,
    CacheRead,
    CacheWrite5m,
    CacheWrite1h,
    CacheWrite12h,
    Output,
    Reasoning,
}

/// A prefix that begins with another stands before it.
const KINDS: [(&str, Kind); 7] = [
    ("cache_creation_input_token_cost_above_12hr", Kind::CacheWrite12h),
    ("cache_creation_input_token_cost_above_1hr", Kind::CacheWrite1h),
    ("cache_creation_input_token_cost", Kind::CacheWrite5m),
    ("cache_read_input_token_cost", Kind::CacheRead),
    ("input_cost_per_token", Kind::Input),
    ("output_cost_per_token", Kind::Output),
    ("output_cost_per_reasoning_token", Kind::Reasoning),
];
const TIERS: [(&str, ServiceTier); 3] = [
    ("_batches", ServiceTier::Batch),
    ("_flex", ServiceTier::Flex),
    ("_priority", ServiceTier::Priority),
];

/// The rates of a model while its fields are read.
#[derive(Debug, Default)]
pub(super) struct Book(BTreeMap<(ServiceTier, u64), Page>);

#[derive(Debug, Default)]
struct Page {
    set: RateSet,
    cache_write_12h: Option<RatePerToken>,
}

/// Whether a field is a rate that can be kept.
pub(super) fn is_rate(name: &str) -> bool {
    parse(name).is_some()
}

/// The kind, tier and step that a field's name means.
fn parse(name: &str) -> Option<(Kind, ServiceTier, u64)> {
    let (mut rest, kind) = KINDS
        .iter()
        .find_map(|(prefix, kind)| name.strip_prefix(prefix).map(|rest| (rest, *kind)))?;
    let (mut tier, mut above) = (ServiceTier::Standard, 0);
    while !rest.is_empty() {
        if let Some((after, found)) = TIERS
            .iter()
            .find_map(|(word, tier)| rest.strip_prefix(word).map(|after| (after, *tier)))
        {
            (rest, tier) = (after, found);
        } else {
            let (thousands, after) = rest.strip_prefix("_above_")?.split_once("k_tokens")?;
            above = thousands.parse::<u64>().ok()?.checked_mul(1_000)?;
            rest = after;
        }
    }
    Some((kind, tier, above))
}

// === impl Book ===

impl Book {
    pub(super) fn add(&mut self, name: &str, value: &RawValue) -> Result<(), String> {
        let Some((kind, tier, above)) = parse(name) else { return Ok(()) };
        let rate = Some(usd_per_token(name, value)?);
        let page = self.0.entry((tier, above)).or_default();
        let place = match kind {
            Kind::Input => &mut page.set.input,
            Kind::CacheRead => &mut page.set.cache_read,
            Kind::CacheWrite5m => &mut page.set.cache_write_5m,
            Kind::CacheWrite1h => &mut page.set.cache_write_1h,
            Kind::CacheWrite12h => &mut page.cache_write_12h,
            Kind::Output => &mut page.set.output,
            Kind::Reasoning => &mut page.set.reasoning,
        };
        *place = rate;
        Ok(())
    }

    /// The sets by tier and step.
    pub(super) fn into_sets(self) -> Result<Vec<RateSet>, String> {
        // With a price for one hour, that for twelve would be another thing.
        let has_1h = self.0.values().any(|page| page.set.cache_write_1h.is_some());
        let sets: Vec<RateSet> = self
            .0
            .into_iter()
            .map(|((tier, above), page)| RateSet {
                service_tier: tier,
                above_input_tokens: above,
                cache_write_1h: page
                    .set
                    .cache_write_1h
                    .or(page.cache_write_12h.filter(|_| !has_1h)),
                reasoning: page.set.reasoning.filter(|rate| Some(*rate) != page.set.output),
                ..page.set
            })
            .collect();
        let rates = || sets.iter().flat_map(|set| [set.input, set.output]).flatten();
        if rates().next().is_none() {
            return Err("no price per token".to_owned());
        }
        if rates().all(|rate| rate.pico() == 0) {
            return Err("costs nothing: free, or its price is not known".to_owned());
        }
        Ok(sets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_field_says_kind_tier_and_step() {
        let cases = [
            ("input_cost_per_token", Some((Kind::Input, ServiceTier::Standard, 0))),
            ("input_cost_per_token_flex", Some((Kind::Input, ServiceTier::Flex, 0))),
            (
                "input_cost_per_token_above_272k_tokens_batches",
                Some((Kind::Input, ServiceTier::Batch, 272_000)),
            ),
            (
                "cache_creation_input_token_cost_above_1hr_above_200k_tokens",
                Some((Kind::CacheWrite1h, ServiceTier::Standard, 200_000)),
            ),
            (
                "cache_creation_input_token_cost_above_12hr_above_272k_tokens_priority",
                Some((Kind::CacheWrite12h, ServiceTier::Priority, 272_000)),
            ),
            (
                "cache_creation_input_token_cost_above_100k_tokens",
                Some((Kind::CacheWrite5m, ServiceTier::Standard, 100_000)),
            ),
            ("output_cost_per_reasoning_token", Some((Kind::Reasoning, ServiceTier::Standard, 0))),
            ("input_cost_per_token_ultrafast", None),
            ("input_cost_per_token_cache_hit", None),
            ("input_cost_per_token_above_99999999999999999999k_tokens", None),
            ("input_cost_per_token_above_k_tokens", None),
            ("input_cost_per_audio_token", None),
            ("input_cost_per_image", None),
        ];
        for (name, expected) in cases {
            assert_eq!(parse(name), expected, "{name}");
        }
    }
}
