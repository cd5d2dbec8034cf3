//! Least squares with slow forgetting: what a token count has to do with what can be counted
//! of a text without a tokenizer.

use serde::{Deserialize, Serialize};

/// What is counted of a text; the order is that of [`Fit`]'s sums.
pub(crate) type Features = [f64; 3];

pub(crate) const FORGET: f64 = 0.999;
/// Keeps features that move together (words and bytes of one language) from being played off
/// against each other, relative to what was seen of each.
const RIDGE: f64 = 1e-4;

/// Sums over the calls seen, the older ones weighing less.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Fit {
    calls: f64,
    products: [Features; 3],
    with_tokens: Features,
}

// === impl Fit ===

impl Fit {
    /// How many calls it has learned from, less what was forgotten.
    pub(crate) fn calls(&self) -> f64 {
        self.calls
    }

    /// Learns that a text of these features was so many tokens. Weighted by its length: long
    /// answers would otherwise drown the short ones.
    pub(crate) fn learn(&mut self, features: &Features, tokens: f64) {
        let weight = 1.0 / features.iter().copied().fold(1.0, f64::max);
        self.calls = self.calls.mul_add(FORGET, 1.0);
        for (row, left) in self.products.iter_mut().zip(features) {
            for (sum, right) in row.iter_mut().zip(features) {
                *sum = sum.mul_add(FORGET, weight * left * right);
            }
        }
        for (sum, feature) in self.with_tokens.iter_mut().zip(features) {
            *sum = sum.mul_add(FORGET, weight * feature * tokens);
        }
    }

    /// Tokens for each of a feature alone, from the first one that was seen at all.
    pub(crate) fn ratio_of_first(&self) -> Option<f64> {
        let [[square, ..], ..] = self.products;
        let [product, ..] = self.with_tokens;
        (square > 0.0).then(|| product / square)
    }

    /// Tokens of a text with these features.
    pub(crate) fn predict(&self, features: &Features) -> Option<f64> {
        let weights = self.solve()?;
        Some(weights.iter().zip(features).map(|(weight, feature)| weight * feature).sum())
    }

    /// The weights, by elimination; the sums are symmetric and, with the ridge, positive.
    fn solve(&self) -> Option<Features> {
        let [[a, b, c], [_, d, e], [_, _, f]] = self.products;
        let (a, d, f) = (a * (1.0 + RIDGE), d * (1.0 + RIDGE), f * (1.0 + RIDGE));
        let [x, y, z] = self.with_tokens;
        let (low, lower) = (b / a, c / a);
        let (d, e, f) = (d - low * b, e - low * c, f - lower * c);
        let (y, z) = (y - low * x, z - lower * x);
        let lowest = e / d;
        let third = (z - lowest * y) / (f - lowest * e);
        let second = (y - e * third) / d;
        let first = (x - b * second - c * third) / a;
        let weights = [first, second, third];
        weights.iter().all(|weight| weight.is_finite()).then_some(weights)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_finds_the_weights_that_were_used() {
        let mut fit = Fit::default();
        for call in 1_u32..40 {
            let call = f64::from(call);
            let features = [call * 10.0, call * 2.0 + call % 5.0, call + call % 3.0];
            let [bytes, words, pieces] = features;
            fit.learn(&features, bytes * 0.1 + words * 0.7 + pieces * 0.4);
        }
        let found = fit.predict(&[1_000.0, 210.0, 95.0]).unwrap();
        assert!((found / 285.0 - 1.0).abs() < 0.005, "{found}");
    }

    #[test]
    fn features_that_say_the_same_do_no_harm() {
        let mut fit = Fit::default();
        for call in 1_u32..40 {
            let call = f64::from(call);
            fit.learn(&[call * 4.0, call, call], call);
        }
        let found = fit.predict(&[400.0, 100.0, 100.0]).unwrap();
        assert!((found / 100.0 - 1.0).abs() < 0.001, "{found}");
        assert_eq!(Fit::default().predict(&[1.0, 1.0, 1.0]), None);
    }
}
