//! Money as integers: one picodollar is 10⁻¹² USD.
//!
//! $0.0375 per million tokens is 37,500 picodollars per token, exactly.
//! `i64` holds ±9.2 million dollars, enough for any one event; sums use `i128`.
//! JSON carries US dollars as decimal strings, never floats.

use std::{fmt, iter::Sum, ops::Add, str::FromStr};

use rust_decimal::{Decimal, prelude::ToPrimitive};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

const PICO_PER_USD: i128 = 1_000_000_000_000;
const TOKENS_PER_RATE_UNIT: i64 = 1_000_000;

/// Why a text is not an amount of money.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Not a decimal number.
    #[error("`{0}` is not an amount in US dollars; expected a decimal such as \"12.50\"")]
    NotDecimal(String),
    /// A decimal, but not a whole number of picodollars, or too large.
    #[error(
        "`{0}` USD cannot be kept exactly: expected at most 12 decimals and less than 9 million"
    )]
    NotExact(String),
}

/// An amount of money of one event, in picodollars (10⁻¹² USD).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PicoUsd(i64);

/// A sum of amounts, in picodollars; cannot overflow within 10¹⁹ events.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PicoUsdSum(i128);

/// A price per token in picodollars; written in files as USD per million tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RatePerToken(i64);

// === impl PicoUsd ===

impl PicoUsd {
    /// No money.
    pub const ZERO: Self = Self(0);

    /// From picodollars.
    pub const fn from_pico(pico: i64) -> Self {
        Self(pico)
    }

    /// In picodollars.
    pub const fn pico(self) -> i64 {
        self.0
    }

    /// The sum, unless it overflows.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// The product with a count, unless it overflows.
    pub fn checked_mul(self, count: u64) -> Option<Self> {
        i64::try_from(count).ok().and_then(|count| self.0.checked_mul(count)).map(Self)
    }
}

impl PicoUsdSum {
    /// From picodollars.
    pub const fn from_pico(pico: i128) -> Self {
        Self(pico)
    }

    /// In picodollars.
    pub const fn pico(self) -> i128 {
        self.0
    }
}

impl RatePerToken {
    /// From picodollars per token.
    pub const fn from_pico(pico_per_token: i64) -> Self {
        Self(pico_per_token)
    }

    /// In picodollars per token.
    pub const fn pico(self) -> i64 {
        self.0
    }

    /// From a decimal price of one token in USD, such as `1.25e-06`.
    ///
    /// # Errors
    /// When the text is no decimal or not a whole number of picodollars.
    pub fn from_usd_per_token(text: &str) -> Result<Self, MoneyError> {
        parse_scaled(text, 12).map(Self)
    }

    /// From a decimal price of one million tokens in USD, such as `0.0375`.
    ///
    /// # Errors
    /// When the text is no decimal or not a whole number of picodollars per token.
    pub fn from_usd_per_million(text: &str) -> Result<Self, MoneyError> {
        parse_scaled(text, 6).map(Self)
    }

    /// The cost of this many tokens, unless it overflows.
    pub fn cost(self, tokens: u64) -> Option<PicoUsd> {
        PicoUsd(self.0).checked_mul(tokens)
    }
}

fn parse_scaled(text: &str, decimals: u32) -> Result<i64, MoneyError> {
    let scaled = parse_wide(text, decimals)?;
    i64::try_from(scaled).map_err(|_| MoneyError::NotExact(text.to_owned()))
}

fn parse_wide(text: &str, decimals: u32) -> Result<i128, MoneyError> {
    let not_decimal = || MoneyError::NotDecimal(text.to_owned());
    let not_exact = || MoneyError::NotExact(text.to_owned());
    let decimal = Decimal::from_str_exact(text)
        .or_else(|_| Decimal::from_scientific(text))
        .map_err(|_| not_decimal())?;
    let scaled = decimal.checked_mul(Decimal::from(10_i64.pow(decimals))).ok_or_else(not_exact)?;
    if !scaled.fract().is_zero() {
        return Err(not_exact());
    }
    scaled.to_i128().ok_or_else(not_exact)
}

fn write_scaled(
    f: &mut fmt::Formatter<'_>,
    value: i128,
    unit: i128,
    decimals: usize,
) -> fmt::Result {
    let sign = if value < 0 { "-" } else { "" };
    let magnitude = value.unsigned_abs();
    let unit = unit.unsigned_abs();
    let (whole, fraction) = (magnitude / unit, magnitude % unit);
    if fraction == 0 {
        return write!(f, "{sign}{whole}");
    }
    let digits = format!("{fraction:0decimals$}");
    write!(f, "{sign}{whole}.{}", digits.trim_end_matches('0'))
}

impl fmt::Display for PicoUsd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_scaled(f, i128::from(self.0), PICO_PER_USD, 12)
    }
}

impl fmt::Display for PicoUsdSum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_scaled(f, self.0, PICO_PER_USD, 12)
    }
}

impl fmt::Display for RatePerToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_scaled(f, i128::from(self.0), i128::from(TOKENS_PER_RATE_UNIT), 6)
    }
}

impl FromStr for PicoUsd {
    type Err = MoneyError;

    fn from_str(text: &str) -> Result<Self, MoneyError> {
        parse_scaled(text, 12).map(Self)
    }
}

impl FromStr for PicoUsdSum {
    type Err = MoneyError;

    fn from_str(text: &str) -> Result<Self, MoneyError> {
        parse_wide(text, 12).map(Self)
    }
}

impl From<PicoUsd> for PicoUsdSum {
    fn from(amount: PicoUsd) -> Self {
        Self(i128::from(amount.0))
    }
}

impl Add for PicoUsdSum {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sum<PicoUsd> for PicoUsdSum {
    fn sum<I: Iterator<Item = PicoUsd>>(amounts: I) -> Self {
        amounts.fold(Self::default(), |sum, amount| sum + amount.into())
    }
}

macro_rules! decimal_string {
    ($type:ident, $parse:expr, $description:literal) => {
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                $parse(&text).map_err(D::Error::custom)
            }
        }

        decimal_schema!($type, $description);
    };
}

macro_rules! decimal_schema {
    ($type:ident, $description:literal) => {
        impl JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({
                    "type": "string",
                    "pattern": "^-?[0-9]+(\\.[0-9]+)?$",
                    "description": $description,
                })
            }
        }
    };
}

decimal_string!(PicoUsd, PicoUsd::from_str, "US dollars as a decimal string");
decimal_string!(
    RatePerToken,
    RatePerToken::from_usd_per_million,
    "US dollars per million tokens as a decimal string"
);

decimal_string!(PicoUsdSum, PicoUsdSum::from_str, "US dollars as a decimal string");

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_smallest_public_prices_are_exact() {
        let rate = RatePerToken::from_usd_per_million("0.0375").unwrap();
        assert_eq!(rate.pico(), 37_500);
        assert_eq!(RatePerToken::from_usd_per_token("3.75e-08").unwrap(), rate);
        assert_eq!(rate.to_string(), "0.0375");
        assert_eq!(rate.cost(1_000_000).unwrap().to_string(), "0.0375");
    }

    #[test]
    fn what_cannot_be_kept_exactly_is_refused() {
        for text in ["0.0000000000001", "1e30", "abc", "", "NaN", "1,5"] {
            assert!(text.parse::<PicoUsd>().is_err(), "{text}");
        }
    }

    #[test]
    fn overflow_is_an_answer_not_a_panic() {
        assert_eq!(PicoUsd::from_pico(i64::MAX).checked_mul(2), None);
        assert_eq!(RatePerToken::from_pico(1).cost(u64::MAX), None);
    }

    proptest! {
        #[test]
        fn text_and_back(pico in any::<i64>()) {
            let amount = PicoUsd::from_pico(pico);
            let json = serde_json::to_string(&amount).unwrap();
            prop_assert_eq!(serde_json::from_str::<PicoUsd>(&json).unwrap(), amount);
        }
    }
}
