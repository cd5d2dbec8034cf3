//! Numbers as people read them: grouped digits, and one number of decimals per column.

use tally_types::PicoUsdSum;

/// Decimals of a picodollar.
const PICO_DECIMALS: u32 = 12;
/// Below a millionth of a dollar, the exact value in JSON or CSV serves better.
const MONEY_DECIMALS_MAX: u32 = 6;
const MONEY_DECIMALS_MIN: u32 = 2;

/// `1234567` as `1,234,567`.
pub(crate) fn count(value: i128) -> String {
    let sign = if value < 0 { "-" } else { "" };
    format!("{sign}{}", grouped(&value.unsigned_abs().to_string()))
}

/// A number with so many decimals and grouped digits.
pub(crate) fn decimal(value: f64, decimals: usize) -> String {
    let text = format!("{:.decimals$}", value.abs());
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let is_zero = text.chars().all(|c| matches!(c, '0' | '.'));
    let sign = if value < 0.0 && !is_zero { "-" } else { "" };
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{sign}{}{point}{fraction}", grouped(whole))
}

/// How many decimals a column of money needs so that its smallest amount still shows two
/// digits: 2 to 6, and no more than any of the amounts has.
pub(crate) fn money_decimals(amounts: impl Iterator<Item = PicoUsdSum>) -> u32 {
    let mut needed = MONEY_DECIMALS_MIN;
    for pico in amounts.map(|amount| amount.pico().unsigned_abs()).filter(|pico| *pico > 0) {
        // A dollar has 13 digits in picodollars: 0.0042 has ten, and needs four decimals.
        let digits = pico.ilog10() + 1;
        let for_two_digits = (PICO_DECIMALS + 2).saturating_sub(digits);
        let exact = PICO_DECIMALS - trailing_zeros(pico).min(PICO_DECIMALS);
        needed = needed.max(for_two_digits.min(exact));
    }
    needed.min(MONEY_DECIMALS_MAX)
}

/// An amount with so many decimals, rounded half away from zero; what rounds to nothing
/// but is something is shown as less than the smallest step.
pub(crate) fn money(amount: PicoUsdSum, decimals: u32) -> String {
    let decimals = decimals.min(PICO_DECIMALS);
    let magnitude = amount.pico().unsigned_abs();
    let step = 10_u128.pow(PICO_DECIMALS - decimals);
    let steps = magnitude.saturating_add(step / 2) / step;
    let sign = if amount.pico() < 0 { "-" } else { "" };
    if steps == 0 && magnitude > 0 {
        return format!("{sign}<{}", fixed(1, decimals));
    }
    format!("{sign}{}", fixed(steps, decimals))
}

fn fixed(steps: u128, decimals: u32) -> String {
    let unit = 10_u128.pow(decimals);
    let whole = grouped(&(steps / unit).to_string());
    if decimals == 0 {
        return whole;
    }
    let width = usize::try_from(decimals).unwrap_or_default();
    format!("{whole}.{:0width$}", steps % unit)
}

fn trailing_zeros(mut value: u128) -> u32 {
    let mut zeros = 0;
    while value > 0 && value.is_multiple_of(10) {
        value /= 10;
        zeros += 1;
    }
    zeros
}

fn grouped(digits: &str) -> String {
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usd(text: &str) -> PicoUsdSum {
        text.parse::<tally_types::PicoUsd>().unwrap().into()
    }

    fn decimals_of(amounts: &[&str]) -> u32 {
        money_decimals(amounts.iter().map(|amount| usd(amount)))
    }

    #[test]
    fn digits_are_grouped() {
        for (value, text) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (-1_234_567, "-1,234,567"),
            (60_000_000_000_000, "60,000,000,000,000"),
        ] {
            assert_eq!(count(value), text);
        }
        assert_eq!(decimal(1234.56, 1), "1,234.6");
        assert_eq!(decimal(-0.04, 1), "0.0", "no minus before nothing");
        assert_eq!(decimal(999.5, 0), "1,000");
    }

    #[test]
    fn a_column_of_money_has_the_decimals_its_smallest_amount_needs() {
        assert_eq!(decimals_of(&[]), 2);
        assert_eq!(decimals_of(&["0", "12.5"]), 2);
        assert_eq!(decimals_of(&["1234.5678901"]), 2);
        assert_eq!(decimals_of(&["1234.56", "0.0042"]), 4);
        assert_eq!(decimals_of(&["0.004"]), 3, "no more than there are");
        assert_eq!(decimals_of(&["0.00000000123"]), 6);
    }

    #[test]
    fn money_rounds_once_and_never_to_nothing() {
        assert_eq!(money(usd("1234.565"), 2), "1,234.57");
        assert_eq!(money(usd("-0.005"), 2), "-0.01");
        assert_eq!(money(usd("0.001"), 2), "<0.01");
        assert_eq!(money(usd("0"), 4), "0.0000");
        assert_eq!(money(PicoUsdSum::from_pico(i128::MAX), 0).len(), 27 + 8);
    }
}
