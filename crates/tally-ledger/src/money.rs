//! Rounding to a currency's smallest unit, and what a statement says in it.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tally_types::{
    Exact, PicoUsdSum,
    spec::{RoundingMode, RoundingPer},
};

use tally_pricing::rates::Card;

/// What a statement asks for, in its currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "StatementBilled")]
pub struct Billed {
    /// The currency.
    pub currency: String,
    /// So much of it for one US dollar; none for US dollars.
    pub per_usd: Option<Exact>,
    /// The day since when that rate holds.
    #[schemars(with = "Option<String>")]
    pub per_usd_since: Option<Date>,
    /// What is charged, rounded to the currency's smallest unit.
    pub charged: Exact,
}

/// The decimals of a currency (ISO 4217): two, but for these.
pub fn minor_units(currency: &str) -> u32 {
    match currency {
        "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "UGX"
        | "VND" | "VUV" | "XAF" | "XOF" | "XPF" => 0,
        "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
        _ => 2,
    }
}

/// A fraction rounded to whole steps. The denominator is more than zero.
pub fn rounded(numerator: i128, denominator: i128, mode: RoundingMode) -> i128 {
    let magnitude = numerator.abs();
    let (whole, rest) = (magnitude / denominator, magnitude % denominator);
    let more = match mode {
        RoundingMode::Up => rest > 0,
        RoundingMode::HalfUp => rest >= denominator - rest,
        RoundingMode::HalfEven => {
            rest > denominator - rest || rest == denominator - rest && whole % 2 == 1
        }
    };
    (whole + i128::from(more)) * numerator.signum()
}

/// What rounding an amount of US dollars to cents adds or takes, in picodollars.
pub(crate) fn rounding_of(pico: i128, mode: RoundingMode) -> i128 {
    let cent = step("USD");
    rounded(pico, cent, mode) * cent - pico
}

fn step(currency: &str) -> i128 {
    Exact::ONE / 10_i128.pow(minor_units(currency))
}

/// What is rounded of a card's statements; nothing without a card, which is the list price as
/// it is, and nothing in another currency, where a row of US dollars cannot say it.
pub(crate) fn rounding(
    card: Option<Card<'_>>,
    organization: &str,
) -> Option<(RoundingMode, RoundingPer)> {
    let card = card.filter(|card| currency_of(Some(*card), organization) == "USD")?;
    Some((card.spec.rounding.mode, card.spec.rounding.per))
}

fn currency_of<'a>(card: Option<Card<'a>>, organization: &'a str) -> &'a str {
    let named = card.and_then(|card| card.spec.currency.as_deref());
    // Without an exchange rate there is no other currency to speak of.
    let has_rates = |card: Card<'_>| !card.spec.exchange_rates.is_empty();
    match named {
        Some(currency) => currency,
        None if card.is_some_and(has_rates) => organization,
        None => "USD",
    }
}

/// What a statement asks for, by the exchange rate of the month's last day.
pub(crate) fn billed(
    card: Option<Card<'_>>,
    organization: &str,
    last: Date,
    charged: PicoUsdSum,
) -> Billed {
    let currency = currency_of(card, organization);
    let mode = card.map_or(RoundingMode::HalfUp, |card| card.spec.rounding.mode);
    let exchange = card.and_then(|card| card.spec.exchange_on(last)).filter(|_| currency != "USD");
    let per_usd = exchange.map_or(Exact::ONE, |rate| rate.per_usd.pico());
    let step = step(currency);
    // Both are multiplied: picodollars × 10⁻¹² of the currency for a dollar.
    let exact = charged.pico().checked_mul(per_usd);
    let amount = match exact {
        Some(exact) => rounded(exact, Exact::ONE * step, mode) * step,
        None => rounded(charged.pico() / Exact::ONE * per_usd, step, mode) * step,
    };
    Billed {
        currency: currency.to_owned(),
        per_usd: exchange.map(|rate| rate.per_usd),
        per_usd_since: exchange.map(|rate| rate.from),
        charged: Exact::from_pico(amount),
    }
}

#[cfg(test)]
mod tests {
    use RoundingMode::{HalfEven, HalfUp, Up};

    use super::*;

    #[test]
    fn halves_go_where_the_mode_says() {
        for (numerator, half_up, half_even, up) in
            [(24, 2, 2, 3), (25, 3, 2, 3), (35, 4, 4, 4), (-25, -3, -2, -3), (20, 2, 2, 2)]
        {
            assert_eq!(rounded(numerator, 10, HalfUp), half_up, "{numerator}");
            assert_eq!(rounded(numerator, 10, HalfEven), half_even, "{numerator}");
            assert_eq!(rounded(numerator, 10, Up), up, "{numerator}");
        }
        assert_eq!(rounding_of(12_345_000_000_000, HalfUp), 5_000_000_000, "12.345 is 12.35");
    }

    #[test]
    fn other_currencies_have_their_own_decimals() {
        let name = "card".parse().unwrap();
        let of = |currency: &str, per_usd: &str| {
            let spec = serde_json::from_value(serde_json::json!({
                "from": "2026-10-01", "currency": currency,
                "exchange_rates": [
                    { "from": "2026-10-01", "per_usd": "1" },
                    { "from": "2026-10-20", "per_usd": per_usd },
                ],
            }))
            .unwrap();
            let card = Card { name: &name, spec: &spec };
            let charged = PicoUsdSum::from_pico(1_234_567_000_000_000);
            billed(Some(card), "USD", "2026-10-31".parse().unwrap(), charged).charged.to_string()
        };
        assert_eq!(of("EUR", "0.9"), "1111.11");
        assert_eq!(of("JPY", "150.5"), "185802");
        assert_eq!(of("KWD", "0.306"), "377.778");
    }
}
