//! Decimals that are exact: an integer and where its point is.

use std::fmt;

/// A decimal number: `units` × 10^-`scale`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Exact {
    units: i128,
    scale: u32,
}

// === impl Exact ===

impl Exact {
    pub(super) const ONE: Self = Self { units: 1, scale: 0 };

    pub(super) const fn new(units: i128, scale: u32) -> Self {
        Self { units, scale }
    }

    /// The product, unless it has more digits than an `i128`.
    pub(super) fn times(self, other: Self) -> Option<Self> {
        let units = self.units.checked_mul(other.units)?;
        Some(Self { units, scale: self.scale.checked_add(other.scale)? })
    }

    /// Its integer at another scale, unless digits would be lost or it does not fit.
    pub(super) fn at_scale(self, scale: u32) -> Option<i128> {
        if let Some(more) = scale.checked_sub(self.scale) {
            return self.units.checked_mul(10_i128.checked_pow(more)?);
        }
        let unit = 10_i128.checked_pow(self.scale - scale)?;
        (self.units % unit == 0).then(|| self.units / unit)
    }
}

impl fmt::Display for Exact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.units < 0 { "-" } else { "" };
        let width = self.scale as usize;
        let digits = format!("{:0width$}", self.units.unsigned_abs(), width = width + 1);
        let (whole, fraction) = digits.split_at(digits.len() - width);
        // FOCUS wants a point in every decimal, so that no reader takes a column for integers.
        let fraction = fraction.trim_end_matches('0');
        let fraction = if fraction.is_empty() { "0" } else { fraction };
        write!(f, "{sign}{whole}.{fraction}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_written_whole_and_with_a_point() {
        for (units, scale, text) in [
            (0, 0, "0.0"),
            (8, 0, "8.0"),
            (8_000_000, 6, "8.0"),
            (1, 12, "0.000000000001"),
            (-2_400_000_000_000, 12, "-2.4"),
            (-5, 1, "-0.5"),
            (i128::MAX, 12, "170141183460469231731687303.715884105727"),
        ] {
            assert_eq!(Exact::new(units, scale).to_string(), text);
        }
    }

    #[test]
    fn nothing_is_lost_between_scales() {
        assert_eq!(Exact::new(25, 1).at_scale(12), Some(2_500_000_000_000));
        assert_eq!(Exact::new(2_500, 3).at_scale(1), Some(25));
        assert_eq!(Exact::new(2_501, 3).at_scale(1), None);
        assert_eq!(Exact::new(i128::MAX, 0).at_scale(1), None);
    }
}
