//! Amounts of bills.

use rust_decimal::{Decimal, RoundingStrategy, prelude::ToPrimitive as _};
use tally_types::PicoUsdSum;

/// The decimals of an amount in dollars, and of one in cents, down to a picodollar.
pub(super) const DOLLARS: u32 = 12;
pub(super) const CENTS: u32 = 10;

/// An amount; what is finer than a picodollar is rounded, half away from zero.
pub(super) fn amount(text: &str, decimals: u32) -> Result<PicoUsdSum, String> {
    let expected =
        || format!("`{text}` is no amount; expected a decimal such as 12.5, with a point");
    let decimal = Decimal::from_str_exact(text)
        .or_else(|_| Decimal::from_scientific(text))
        .map_err(|_| expected())?;
    let pico = decimal.checked_mul(Decimal::from(10_i64.pow(decimals))).ok_or_else(expected)?;
    let pico = pico.round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero);
    pico.to_i128().map(PicoUsdSum::from_pico).ok_or_else(expected)
}
