//! JSON of strangers, read field by field from its text.

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use tally_types::{PicoUsd, RatePerToken};

use super::ImportError;

/// More digits than any price has. Decimals keep 28 exactly and round what is
/// beyond; a price must not be rounded.
const DIGITS_MAX: usize = 28;
/// How much of a wrong value a reason shows.
const SHOWN_CHARS: usize = 40;

/// The fields of a JSON object, sorted by name, with their values' text. Of a
/// field written twice the last counts.
pub(super) struct Fields<'a>(BTreeMap<String, &'a RawValue>);

// === impl Fields ===

impl<'a> Fields<'a> {
    /// The object that a whole file is.
    pub(super) fn read(json: &'a str) -> Result<Self, ImportError> {
        serde_json::from_str(json)
            .map(Self)
            .map_err(|error| ImportError::NotJson(error.to_string()))
    }

    /// The object that a value is; none when it is none.
    pub(super) fn of(value: &'a RawValue) -> Option<Self> {
        serde_json::from_str(value.get()).ok().map(Self)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &'a RawValue)> {
        self.0.iter().map(|(name, value)| (name.as_str(), *value))
    }

    /// A field's value, unless it is absent or null.
    pub(super) fn get(&self, name: &str) -> Option<&'a RawValue> {
        self.0.get(name).copied().filter(|value| !is_null(value))
    }

    /// A field's text, when it is text.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        serde_json::from_str(self.get(name)?.get()).ok()
    }

    /// A field's whole number, when it is one; limits are for information, so
    /// that a wrong one is no reason to leave a price out.
    pub(super) fn count(&self, name: &str) -> Option<u64> {
        serde_json::from_str(self.get(name)?.get()).ok()
    }

    pub(super) fn object(&self, name: &str) -> Option<Self> {
        Self::of(self.get(name)?)
    }
}

pub(super) fn is_null(value: &RawValue) -> bool {
    value.get() == "null"
}

/// A price of one token in USD.
pub(super) fn usd_per_token(name: &str, value: &RawValue) -> Result<RatePerToken, String> {
    let text = price(name, value)?;
    RatePerToken::from_usd_per_token(text).map_err(|_| inexact(name, text, "USD per token"))
}

/// A price of a million tokens in USD.
pub(super) fn usd_per_million(name: &str, value: &RawValue) -> Result<RatePerToken, String> {
    let text = price(name, value)?;
    let unit = "USD per million tokens";
    RatePerToken::from_usd_per_million(text).map_err(|_| inexact(name, text, unit))
}

/// An amount in USD.
pub(super) fn usd(name: &str, value: &RawValue) -> Result<PicoUsd, String> {
    let text = price(name, value)?;
    text.parse().map_err(|_| inexact(name, text, "USD"))
}

/// A factor such as `1.1` as percent.
pub(super) fn percent(name: &str, value: &RawValue) -> Result<u32, String> {
    let text = price(name, value)?;
    let whole = || format!("`{name}`: {} is not a whole number of percent", shown(text));
    // A factor is read as dollars: its cents are its percent.
    let pico = text.parse::<PicoUsd>().map_err(|_| whole())?.pico();
    let pico_per_cent = 10_000_000_000;
    if pico % pico_per_cent != 0 {
        return Err(whole());
    }
    u32::try_from(pico / pico_per_cent).map_err(|_| whole())
}

/// The text of a number that is not negative and short enough to be kept.
fn price<'a>(name: &str, value: &'a RawValue) -> Result<&'a str, String> {
    let text = value.get();
    if !text.starts_with(|first: char| first == '-' || first.is_ascii_digit()) {
        return Err(format!("`{name}`: expected a number, found {}", shown(text)));
    }
    let mantissa = text.split(['e', 'E']).next().unwrap_or_default();
    let is_zero = mantissa.bytes().all(|byte| !(b'1'..=b'9').contains(&byte));
    if text.starts_with('-') && !is_zero {
        return Err(format!("`{name}`: {} is negative", shown(text)));
    }
    let digits = mantissa.bytes().filter(u8::is_ascii_digit).count();
    if digits > DIGITS_MAX {
        return Err(inexact(name, text, "USD"));
    }
    Ok(text)
}

fn inexact(name: &str, text: &str, unit: &str) -> String {
    format!("`{name}`: {} {unit} is not a whole number of picodollars", shown(text))
}

/// The beginning of a text that may be hostile: short, on one line.
fn shown(text: &str) -> String {
    let short: String = text.chars().take(SHOWN_CHARS).collect();
    let short = short.replace(char::is_control, " ");
    if text.chars().nth(SHOWN_CHARS).is_some() { format!("{short}…") } else { short }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(text: &str) -> Box<RawValue> {
        RawValue::from_string(text.to_owned()).unwrap()
    }

    #[test]
    fn prices_are_exact_or_refused() {
        let token = |text: &str| usd_per_token("f", &raw(text));
        assert_eq!(token("1.25e-06").unwrap().pico(), 1_250_000);
        assert_eq!(token("0.00000125").unwrap().pico(), 1_250_000);
        assert_eq!(token("-0.0").unwrap().pico(), 0);
        for text in [
            "4.0000000000000003e-07",
            "1.00000000000000000000000000000000000001e-06",
            "0.00000100000000000000000000000000000001",
            "1e-13",
            "1e-29",
            "1e-400",
            "1e400",
            "1e99999999999999999999",
            "99999999999999999999999999999999999999",
            "-1e-06",
            "\"1e-06\"",
            "true",
            "[]",
            "{}",
        ] {
            assert!(token(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_factor_is_whole_percent_or_refused() {
        let factor = |text: &str| percent("f", &raw(text)).ok();
        assert_eq!(factor("1.1"), Some(110));
        assert_eq!(factor("2"), Some(200));
        assert_eq!(factor("0.5"), Some(50));
        for text in ["1.105", "-1", "1e12", "\"us\""] {
            assert_eq!(factor(text), None, "{text}");
        }
    }

    #[test]
    fn a_hostile_value_is_shown_short_and_on_one_line() {
        let long = format!("[\n{}]", "1,".repeat(500) + "1");
        let reason = usd("f", &raw(&long)).unwrap_err();
        assert!(reason.len() < 100 && !reason.contains('\n'), "{reason}");
    }
}
