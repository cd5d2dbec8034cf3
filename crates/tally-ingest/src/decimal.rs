//! Decimal numbers kept as they were written, in JSON's numbers or in strings, so
//! that nothing passes through a float.

use rust_decimal::{Decimal, RoundingStrategy, prelude::ToPrimitive};
use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::value::RawValue;
use tally_types::PicoUsd;

const CHARACTERS_MAX: usize = 64;
/// 1 in basis points.
const WHOLE_BP: u16 = 10_000;

/// The text of a number or of a string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DecimalText(String);

// === impl DecimalText ===

impl DecimalText {
    /// Basis points of a share from 0 to 1, rounded once, half up.
    pub(crate) fn basis_points(&self) -> Result<u16, String> {
        let refused = || format!("expected a decimal from 0 to 1, found `{}`", self.0);
        let share = Decimal::from_str_exact(&self.0)
            .or_else(|_| Decimal::from_scientific(&self.0))
            .map_err(|_| refused())?;
        if share < Decimal::ZERO || share > Decimal::ONE {
            return Err(refused());
        }
        let points = share.checked_mul(Decimal::from(WHOLE_BP)).ok_or_else(refused)?;
        let rounded = points.round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero);
        rounded.to_u16().ok_or_else(refused)
    }

    /// An amount of money of zero or more.
    pub(crate) fn money(&self) -> Result<PicoUsd, String> {
        let amount: PicoUsd =
            self.0.parse().map_err(|error: tally_types::MoneyError| error.to_string())?;
        if amount < PicoUsd::ZERO {
            return Err(format!("expected zero or more, found `{}`", self.0));
        }
        Ok(amount)
    }
}

impl<'de> Deserialize<'de> for DecimalText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let text = match raw.get() {
            quoted if quoted.starts_with('"') => {
                serde_json::from_str::<String>(quoted).map_err(D::Error::custom)?
            }
            number if number.starts_with(|c: char| c == '-' || c.is_ascii_digit()) => {
                number.to_owned()
            }
            _ => return Err(D::Error::custom("expected a decimal as a number or a string")),
        };
        if text.len() > CHARACTERS_MAX {
            return Err(D::Error::custom("expected a decimal of at most 64 characters"));
        }
        Ok(Self(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(json: &str) -> DecimalText {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn quality_is_rounded_once_and_exactly() {
        for (json, points) in [
            ("0", 0),
            ("1", 10_000),
            ("0.85", 8_500),
            ("\"0.85\"", 8_500),
            ("0.00005", 1),
            ("0.000049999999999999999999", 0),
            ("0.99995", 10_000),
            ("8.5e-1", 8_500),
            // As a float this is 0.57495000000000007, and rounds elsewhere.
            ("0.57495", 5_750),
        ] {
            assert_eq!(decimal(json).basis_points(), Ok(points), "{json}");
        }
    }

    #[test]
    fn what_is_no_share_is_refused() {
        for json in ["1.0001", "-0.1", "\"abc\"", "\"NaN\"", "1e999999999", "\"\"", "85"] {
            assert!(decimal(json).basis_points().is_err(), "{json}");
        }
        for json in ["true", "null", "[1]", "{}"] {
            assert!(serde_json::from_str::<DecimalText>(json).is_err(), "{json}");
        }
    }

    #[test]
    fn money_is_exact() {
        assert_eq!(decimal("12.50").money().unwrap().to_string(), "12.5");
        assert_eq!(decimal("\"0.000000000001\"").money().unwrap().pico(), 1);
        assert!(decimal("-1").money().is_err());
        assert!(decimal("1e12").money().is_err());
    }
}
