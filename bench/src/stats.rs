//! Quantiles and rounding.

use std::time::Duration;

use serde_json::Value;

/// Durations in order, of which quantiles are asked; nearest rank, nothing interpolated.
#[derive(Debug, Default)]
pub(crate) struct Sorted(Vec<Duration>);

// === impl Sorted ===

impl FromIterator<Duration> for Sorted {
    fn from_iter<I: IntoIterator<Item = Duration>>(durations: I) -> Self {
        let mut all: Vec<_> = durations.into_iter().collect();
        all.sort_unstable();
        Self(all)
    }
}

impl Sorted {
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The smallest duration that so many of a thousand do not exceed.
    pub(crate) fn quantile(&self, per_mille: usize) -> Option<Duration> {
        let rank = (self.0.len() * per_mille).div_ceil(1_000);
        self.0.get(rank.saturating_sub(1)).copied()
    }

    pub(crate) fn median(&self) -> Option<Duration> {
        self.quantile(500)
    }

    pub(crate) fn max(&self) -> Option<Duration> {
        self.0.last().copied()
    }
}

/// Milliseconds to the microsecond; null for none.
pub(crate) fn ms(duration: Option<Duration>) -> Value {
    duration.map_or(Value::Null, |duration| Value::from(rounded(duration.as_secs_f64() * 1e3, 3)))
}

/// The difference in milliseconds, which noise can make negative; null unless both are known.
pub(crate) fn ms_more(more: Option<Duration>, than: Option<Duration>) -> Value {
    let (Some(more), Some(than)) = (more, than) else { return Value::Null };
    Value::from(rounded((more.as_secs_f64() - than.as_secs_f64()) * 1e3, 3))
}

/// How many per second, as a whole number.
pub(crate) fn per_second(count: u64, took: Duration) -> Value {
    let seconds = took.as_secs_f64();
    if seconds > 0.0 { Value::from(rounded(count as f64 / seconds, 0)) } else { Value::Null }
}

/// To so many decimals.
pub(crate) fn rounded(value: f64, decimals: i32) -> f64 {
    let unit = 10_f64.powi(decimals);
    (value * unit).round() / unit
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_values_that_were_measured() {
        let sorted: Sorted = (1..=100).rev().map(Duration::from_millis).collect();
        assert_eq!(sorted.median(), Some(Duration::from_millis(50)));
        assert_eq!(sorted.quantile(990), Some(Duration::from_millis(99)));
        assert_eq!(sorted.max(), Some(Duration::from_millis(100)));
        assert_eq!(Sorted::default().median(), None);
        let one: Sorted = [Duration::from_millis(3)].into_iter().collect();
        assert_eq!(one.quantile(1), one.quantile(1_000));
    }

    #[test]
    fn a_gain_is_a_negative_difference() {
        let (short, long) = (Some(Duration::from_micros(150)), Some(Duration::from_micros(400)));
        assert_eq!(ms_more(short, long), Value::from(-0.25));
        assert_eq!(ms_more(short, None), Value::Null);
    }
}
