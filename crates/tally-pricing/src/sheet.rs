//! The rates of one entry, ready to be looked up.

use tally_types::{RatePerToken, ServiceTier, spec::RateSet};

use crate::gap::Gap;

/// Sets of rates, highest context step first, with what a step leaves out
/// filled in from the base set of its tier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sheet(Box<[RateSet]>);

// === impl Sheet ===

impl Sheet {
    /// From sets as a list states them. Negative rates are no rates.
    pub(crate) fn new(stated: &[RateSet]) -> Self {
        let stated: Vec<RateSet> = stated.iter().map(without_negatives).collect();
        let base_of = |tier| {
            stated.iter().find(|set| set.service_tier == tier && set.above_input_tokens == 0)
        };
        let mut sets: Vec<RateSet> = stated
            .iter()
            .map(|set| {
                base_of(set.service_tier).map_or_else(|| set.clone(), |base| fill(set, base))
            })
            .collect();
        sets.sort_by_key(|set| std::cmp::Reverse(set.above_input_tokens));
        Self(sets.into())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The set of a tier that holds for this much input.
    pub(crate) fn at(&self, tier: ServiceTier, input: u64) -> Result<&RateSet, Gap<'static>> {
        self.up_to(tier, input).next().ok_or_else(|| {
            let has_tier = self.0.iter().any(|set| set.service_tier == tier);
            if has_tier { Gap::Step { tier, input } } else { Gap::Tier(tier) }
        })
    }

    /// The sets of a tier that hold for some input up to this much; that of the
    /// most input first.
    pub(crate) fn up_to(&self, tier: ServiceTier, input: u64) -> impl Iterator<Item = &RateSet> {
        self.0.iter().filter(move |set| {
            set.service_tier == tier
                && (set.above_input_tokens == 0 || input > set.above_input_tokens)
        })
    }
}

/// Lists omit from a step what it does not change. Reasoning goes with output:
/// a step that states its own output price states reasoning too, or it costs
/// as output; the base set's would be another step's price.
fn fill(set: &RateSet, base: &RateSet) -> RateSet {
    let reasoning =
        if set.output.is_some() { set.reasoning } else { set.reasoning.or(base.reasoning) };
    RateSet {
        service_tier: set.service_tier,
        above_input_tokens: set.above_input_tokens,
        input: set.input.or(base.input),
        cache_read: set.cache_read.or(base.cache_read),
        cache_write_5m: set.cache_write_5m.or(base.cache_write_5m),
        cache_write_1h: set.cache_write_1h.or(base.cache_write_1h),
        output: set.output.or(base.output),
        reasoning,
    }
}

fn without_negatives(set: &RateSet) -> RateSet {
    let keep = |rate: Option<RatePerToken>| rate.filter(|rate| rate.pico() >= 0);
    RateSet {
        service_tier: set.service_tier,
        above_input_tokens: set.above_input_tokens,
        input: keep(set.input),
        cache_read: keep(set.cache_read),
        cache_write_5m: keep(set.cache_write_5m),
        cache_write_1h: keep(set.cache_write_1h),
        output: keep(set.output),
        reasoning: keep(set.reasoning),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(pico: i64) -> Option<RatePerToken> {
        Some(RatePerToken::from_pico(pico))
    }

    #[test]
    fn the_highest_exceeded_step_counts_and_falls_back_to_the_base() {
        let sheet = Sheet::new(&[
            RateSet { input: rate(1), cache_read: rate(2), output: rate(3), ..RateSet::default() },
            RateSet { above_input_tokens: 200, input: rate(9), ..RateSet::default() },
            RateSet { above_input_tokens: 100, output: rate(7), ..RateSet::default() },
        ]);
        let at = |input| {
            let set = sheet.at(ServiceTier::Standard, input).unwrap();
            [set.input, set.cache_read, set.output].map(|rate| rate.unwrap().pico())
        };
        assert_eq!(at(0), [1, 2, 3]);
        assert_eq!(at(100), [1, 2, 3], "a step is exceeded, not reached");
        assert_eq!(at(101), [1, 2, 7]);
        assert_eq!(at(200), [1, 2, 7]);
        assert_eq!(at(201), [9, 2, 3], "the base fills in, not the step below");
        assert_eq!(sheet.at(ServiceTier::Batch, 1).unwrap_err(), Gap::Tier(ServiceTier::Batch));
    }

    #[test]
    fn reasoning_goes_with_the_output_price_of_its_step() {
        let sheet = Sheet::new(&[
            RateSet { output: rate(3), reasoning: rate(5), ..RateSet::default() },
            RateSet { above_input_tokens: 100, output: rate(7), ..RateSet::default() },
            RateSet { above_input_tokens: 200, input: rate(1), ..RateSet::default() },
        ]);
        let at = |input| sheet.at(ServiceTier::Standard, input).unwrap().reasoning;
        assert_eq!(at(1), rate(5));
        assert_eq!(at(101), None);
        assert_eq!(at(201), rate(5));
    }

    #[test]
    fn a_tier_without_a_base_set_has_no_price_below_its_step() {
        let step = RateSet { above_input_tokens: 100, input: rate(1), ..RateSet::default() };
        let sheet = Sheet::new(&[step]);
        assert!(sheet.at(ServiceTier::Standard, 101).is_ok());
        let gap = Gap::Step { tier: ServiceTier::Standard, input: 100 };
        assert_eq!(sheet.at(ServiceTier::Standard, 100), Err(gap));
    }

    #[test]
    fn a_negative_rate_is_no_rate() {
        let sheet = Sheet::new(&[RateSet { input: rate(-1), ..RateSet::default() }]);
        assert_eq!(sheet.at(ServiceTier::Standard, 1).unwrap().input, None);
    }
}
