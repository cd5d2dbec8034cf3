//! What multiplies token prices.

use tally_types::{RatePerToken, spec::PriceModifier};

use crate::gap::Gap;

/// Facts a provider reports that change what it asks; what else it reports
/// changes nothing.
const PRICED_PREFIXES: [&str; 2] = ["speed:", "inference_geo:"];
const NEUTRAL: [&str; 4] =
    ["speed:standard", "speed:normal", "inference_geo:global", "inference_geo:not_available"];
const PERCENT: i128 = 100;

/// A product of percentages, kept as a fraction so that it rounds only once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Factor {
    numerator: i128,
    denominator: i128,
}

// === impl Factor ===

impl Factor {
    pub(crate) const ONE: Self = Self { numerator: 1, denominator: 1 };

    /// The factor of what was reported, by what the price lists. A fact that is
    /// reported twice counts once.
    pub(crate) fn of<'a>(
        listed: &[PriceModifier],
        reported: &'a [String],
    ) -> Result<Self, Gap<'a>> {
        let is_listed = |fact: &str| listed.iter().any(|modifier| modifier.when == fact);
        if let Some(fact) = reported.iter().find(|fact| matters(fact) && !is_listed(fact)) {
            return Err(Gap::Modifier(fact));
        }
        listed
            .iter()
            .enumerate()
            .filter(|(index, modifier)| {
                // Of a fact listed twice the first counts.
                reported.contains(&modifier.when)
                    && !listed.iter().take(*index).any(|before| before.when == modifier.when)
            })
            .try_fold(Self::ONE, |factor, (_, modifier)| factor.times(modifier.percent))
            .ok_or(Gap::Overflow)
    }

    fn times(self, percent: u32) -> Option<Self> {
        Some(Self {
            numerator: self.numerator.checked_mul(i128::from(percent))?,
            denominator: self.denominator.checked_mul(PERCENT)?,
        })
    }

    /// The rate in picodollars per token, rounded half up, unless it overflows.
    /// Rates are never negative here, so that half up is away from zero.
    pub(crate) fn apply(self, rate: RatePerToken) -> Option<i128> {
        let pico = i128::from(rate.pico());
        if self.denominator == 1 {
            return pico.checked_mul(self.numerator);
        }
        let scaled = pico.checked_mul(self.numerator)?.checked_add(self.denominator / 2)?;
        scaled.checked_div(self.denominator)
    }
}

fn matters(fact: &str) -> bool {
    let value = PRICED_PREFIXES.iter().find_map(|prefix| fact.strip_prefix(prefix));
    value.is_some_and(|value| !value.is_empty()) && !NEUTRAL.contains(&fact)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(pairs: &[(&str, u32)]) -> Vec<PriceModifier> {
        pairs
            .iter()
            .map(|(when, percent)| PriceModifier { when: (*when).to_owned(), percent: *percent })
            .collect()
    }

    fn reported(facts: &[&str]) -> Vec<String> {
        facts.iter().map(|fact| (*fact).to_owned()).collect()
    }

    #[test]
    fn half_a_picodollar_rounds_up_and_only_once() {
        let modifiers = listed(&[("speed:fast", 150), ("inference_geo:us", 110)]);
        let rate = |pico, facts: &[&str]| {
            let facts = reported(facts);
            Factor::of(&modifiers, &facts).unwrap().apply(RatePerToken::from_pico(pico)).unwrap()
        };
        assert_eq!(rate(1, &["speed:fast"]), 2, "1.5");
        assert_eq!(rate(4, &["inference_geo:us"]), 4, "4.4");
        assert_eq!(rate(5, &["inference_geo:us"]), 6, "5.5");
        // 3 × 1.5 × 1.1 = 4.95; rounding after each step would give 5 × 1.1 = 5.5 → 6.
        assert_eq!(rate(3, &["speed:fast", "inference_geo:us"]), 5);
        assert_eq!(rate(3, &["speed:fast", "speed:fast"]), 5, "a fact counts once");
    }

    #[test]
    fn neutral_and_foreign_facts_change_nothing() {
        let facts = reported(&[
            "speed:standard",
            "speed:normal",
            "speed:",
            "inference_geo:global",
            "inference_geo:not_available",
            "inference_geo:",
            "",
            "color:blue",
        ]);
        assert_eq!(Factor::of(&[], &facts), Ok(Factor::ONE));
    }

    #[test]
    fn a_fact_without_a_listed_factor_is_a_gap() {
        let facts = reported(&["speed:standard", "inference_geo:mars"]);
        let modifiers = listed(&[("inference_geo:us", 110)]);
        assert_eq!(Factor::of(&modifiers, &facts), Err(Gap::Modifier("inference_geo:mars")));
    }
}
