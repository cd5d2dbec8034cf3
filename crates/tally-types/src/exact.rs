//! Plain numbers that must stay exact: percentages and exchange rates.

use std::{fmt, str::FromStr};

use rust_decimal::{Decimal, prelude::ToPrimitive};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// Why a text is not an exact number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no exact number; expected a decimal such as \"12.5\" with at most 12 decimals")]
pub struct ExactError(String);

/// A decimal number with at most 12 decimals; written as a string, never a float.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Exact(i128);

// === impl Exact ===

impl Exact {
    /// How many of its smallest steps make one.
    pub const ONE: i128 = 1_000_000_000_000;

    /// From steps of 10⁻¹².
    pub const fn from_pico(pico: i128) -> Self {
        Self(pico)
    }

    /// In steps of 10⁻¹².
    pub const fn pico(self) -> i128 {
        self.0
    }
}

impl FromStr for Exact {
    type Err = ExactError;

    fn from_str(text: &str) -> Result<Self, ExactError> {
        const NUMBER_MAX: i64 = 1_000_000_000;
        let refused = || ExactError(text.chars().take(40).collect());
        let decimal = Decimal::from_str_exact(text).map_err(|_| refused())?;
        if decimal.abs() > Decimal::from(NUMBER_MAX) {
            return Err(refused());
        }
        let scaled = decimal.checked_mul(Decimal::from(1_000_000_000_000_i64));
        let scaled = scaled.filter(|scaled| scaled.fract().is_zero()).ok_or_else(refused)?;
        scaled.to_i128().map(Self).ok_or_else(refused)
    }
}

impl fmt::Display for Exact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The same digits as an amount of money.
        crate::PicoUsdSum::from_pico(self.0).fmt(f)
    }
}

impl Serialize for Exact {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Exact {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl JsonSchema for Exact {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Exact".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": "^-?[0-9]+(\\.[0-9]+)?$",
            "description": "A decimal number as a string",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stay_what_was_written() {
        for text in ["0", "12.5", "-10", "0.919300000001"] {
            assert_eq!(text.parse::<Exact>().unwrap().to_string(), text);
        }
        for text in ["", "1,5", "NaN", "1e3", "0.0000000000001", "1000000001"] {
            assert!(text.parse::<Exact>().is_err(), "{text}");
        }
    }
}
