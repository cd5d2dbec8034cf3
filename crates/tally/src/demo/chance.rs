//! Randomness that is the same for the same seed, on every machine and version.

/// Weyl sequence constant of SplitMix64.
const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;
/// Above this a Poisson number is drawn from its normal approximation.
const POISSON_EXACT_MAX: f64 = 30.0;

/// A stream of random numbers; streams of different keys do not overlap in practice.
#[derive(Debug, Clone)]
pub(crate) struct Chance {
    state: u64,
}

// === impl Chance ===

impl Chance {
    /// The stream of a seed and a key, such as what is drawn, for which day, for whom.
    pub(crate) fn new(seed: u64, key: &[u64]) -> Self {
        let state = key.iter().fold(mix(seed.wrapping_add(GAMMA)), |state, part| {
            mix(state ^ part.wrapping_add(1).wrapping_mul(GAMMA))
        });
        Self { state }
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(GAMMA);
        mix(self.state)
    }

    /// From 0 (inclusive) to 1 (exclusive).
    pub(crate) fn unit(&mut self) -> f64 {
        // 53 bits are what a float holds exactly.
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// True with a probability from 0 to 1.
    pub(crate) fn happens(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// A whole number within both bounds, inclusive.
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        let count = high.saturating_sub(low).saturating_add(1);
        low + self.next() % count.max(1)
    }

    /// A number between two others.
    pub(crate) fn range(&mut self, low: f64, high: f64) -> f64 {
        low + self.unit() * (high - low)
    }

    /// One of these; nothing of nothing.
    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        let last = u64::try_from(from.len()).ok()?.checked_sub(1)?;
        from.get(usize::try_from(self.between(0, last)).ok()?)
    }

    /// One of these, the heavier ones more often.
    pub(crate) fn weighted<'a, T>(&mut self, from: &'a [(T, f64)]) -> Option<&'a T> {
        let mut left = self.unit() * from.iter().map(|(_, weight)| weight).sum::<f64>();
        let hit = from.iter().find(|(_, weight)| {
            left -= weight;
            left < 0.0
        });
        hit.or(from.last()).map(|(item, _)| item)
    }

    /// Normally distributed.
    pub(crate) fn normal(&mut self, mean: f64, deviation: f64) -> f64 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        mean + deviation * radius * (self.unit() * std::f64::consts::TAU).cos()
    }

    /// Log-normally distributed around a median.
    pub(crate) fn log_normal(&mut self, median: f64, sigma: f64) -> f64 {
        median * self.normal(0.0, sigma).exp()
    }

    /// Exponentially distributed: the wait for something that comes at random.
    pub(crate) fn wait(&mut self, mean: f64) -> f64 {
        -mean * (1.0 - self.unit()).ln()
    }

    /// How often something happened that happens so often on average.
    pub(crate) fn poisson(&mut self, mean: f64) -> u64 {
        if mean > POISSON_EXACT_MAX {
            return whole(self.normal(mean, mean.sqrt()).round());
        }
        let limit = (-mean).exp();
        let mut product = self.unit();
        let mut count = 0;
        while product > limit {
            product *= self.unit();
            count += 1;
        }
        count
    }
}

/// A number without its fraction; nothing below zero.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the bounds make both impossible"
)]
pub(crate) fn whole(number: f64) -> u64 {
    number.clamp(0.0, 1e15) as u64
}

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_depends_on_seed_and_key_only() {
        let draw = |seed, key: &[u64]| Chance::new(seed, key).next();
        assert_eq!(draw(7, &[1, 2]), draw(7, &[1, 2]));
        for (seed, key) in [(8, [1, 2]), (7, [2, 1]), (7, [1, 3])] {
            assert_ne!(draw(7, &[1, 2]), draw(seed, &key), "{seed} {key:?}");
        }
    }

    #[test]
    fn distributions_have_their_means() {
        let mut chance = Chance::new(7, &[]);
        let mut mean = |draw: &mut dyn FnMut(&mut Chance) -> f64| {
            (0..20_000).map(|_| draw(&mut chance)).sum::<f64>() / 20_000.0
        };
        for wanted in [0.3, 4.0, 80.0] {
            let found = mean(&mut |chance| chance.poisson(wanted) as f64);
            assert!((found / wanted - 1.0).abs() < 0.05, "{found} for {wanted}");
        }
        assert!((mean(&mut Chance::unit) - 0.5).abs() < 0.01);
        assert!((mean(&mut |chance| chance.wait(3.0)) - 3.0).abs() < 0.1);
        assert!((mean(&mut |chance| chance.normal(10.0, 2.0)) - 10.0).abs() < 0.1);
        let heavy =
            mean(&mut |chance| chance.weighted(&[(1.0, 3.0), (0.0, 1.0)]).copied().unwrap());
        assert!((heavy - 0.75).abs() < 0.02, "{heavy}");
    }

    #[test]
    fn nothing_can_be_picked_from_nothing() {
        let mut chance = Chance::new(7, &[]);
        assert_eq!(chance.pick::<u8>(&[]), None);
        assert_eq!(chance.weighted::<u8>(&[]), None);
        assert_eq!(chance.pick(&[5]), Some(&5));
        assert_eq!((whole(-3.0), whole(f64::NAN), whole(2.9)), (0, 0, 2));
    }
}
