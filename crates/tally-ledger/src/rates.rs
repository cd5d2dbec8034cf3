//! Internal rates: of a list rate and a rate card. They round once, per token.

use jiff::civil::Date;
use tally_types::{
    CostCenterName, Exact, Name, ProviderName,
    spec::{NegotiatedRate, RateCardSpec, ReservedCapacity},
};

/// Rate cards in the order of their days.
#[derive(Debug, Clone, Default)]
pub struct Rates<'a> {
    /// The newest first.
    cards: Vec<Card<'a>>,
}

/// A rate card.
#[derive(Debug, Clone, Copy)]
pub struct Card<'a> {
    /// Its name.
    pub name: &'a Name,
    /// What it says.
    pub spec: &'a RateCardSpec,
}

/// What a rate is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// Who answers for the call.
    pub cost_center: Option<&'a CostCenterName>,
    /// Who served it.
    pub provider: Option<&'a ProviderName>,
    /// The model that served, as Tally names it.
    pub model: &'a str,
}

// === impl Rates ===

impl<'a> Rates<'a> {
    /// From cards by name.
    pub fn new(cards: impl IntoIterator<Item = (&'a Name, &'a RateCardSpec)>) -> Self {
        let mut cards: Vec<Card<'a>> =
            cards.into_iter().map(|(name, spec)| Card { name, spec }).collect();
        cards.sort_by_key(|card| (std::cmp::Reverse(card.spec.from), card.name));
        Self { cards }
    }

    /// The card that holds on a day; where none does, the list price holds.
    pub fn on(&self, day: Date) -> Option<Card<'a>> {
        let begun = self.cards.iter().find(|card| card.spec.from <= day);
        begun.filter(|card| card.spec.until.is_none_or(|until| day < until)).copied()
    }
}

// === impl Card ===

impl<'a> Card<'a> {
    /// The internal rate of one, in picodollars, of its list rate with modifiers. A
    /// negotiated price per token holds whatever the list asks, its modifiers included.
    pub fn rate(&self, subject: &Subject<'_>, meter: &str, list_pico: i64) -> i64 {
        let matching = self.spec.negotiated.iter().filter(|rate| holds(rate, subject, meter));
        // Of several the one that names most; of equals the first.
        let best =
            matching.reduce(|best, rate| if named(rate) > named(best) { rate } else { best });
        if let Some(price) = best.and_then(|rate| rate.usd_per_million) {
            return price.pico();
        }
        let markup = best.and_then(|rate| rate.markup_percent);
        marked_up(list_pico, markup.unwrap_or(self.spec.markup_percent))
    }

    /// The first reserved capacity that covers such a call, by its place.
    pub fn covering(&self, subject: &Subject<'_>) -> Option<usize> {
        self.spec.reserved.iter().position(|reserved| covers(reserved, subject))
    }
}

fn covers(reserved: &ReservedCapacity, subject: &Subject<'_>) -> bool {
    let provider = reserved.provider.as_ref();
    provider.is_none_or(|provider| Some(provider) == subject.provider)
        && (reserved.models.is_empty() || reserved.models.iter().any(|it| it == subject.model))
}

fn holds(rate: &NegotiatedRate, subject: &Subject<'_>, meter: &str) -> bool {
    rate.cost_center.as_ref().is_none_or(|name| Some(name) == subject.cost_center)
        && rate.provider.as_ref().is_none_or(|name| Some(name) == subject.provider)
        && rate.model.as_ref().is_none_or(|model| model == subject.model)
        && rate.meter.as_ref().is_none_or(|named| named == meter)
}

/// How much a rate names: more is narrower.
fn named(rate: &NegotiatedRate) -> u8 {
    [
        rate.cost_center.is_some(),
        rate.provider.is_some(),
        rate.model.is_some(),
        rate.meter.is_some(),
    ]
    .into_iter()
    .map(u8::from)
    .sum()
}

/// A rate with a percentage added, rounded once, half up, to a picodollar.
fn marked_up(list_pico: i64, percent: Exact) -> i64 {
    const WHOLE: i128 = 100 * Exact::ONE;
    if percent.pico() == 0 {
        return list_pico;
    }
    let scaled = i128::from(list_pico) * (WHOLE + percent.pico());
    i64::try_from((scaled + WHOLE / 2).div_euclid(WHOLE)).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card(extra: serde_json::Value) -> RateCardSpec {
        let mut spec = serde_json::json!({ "from": "2026-01-01", "markup_percent": "10" });
        spec.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        serde_json::from_value(spec).unwrap()
    }

    fn rate(spec: &RateCardSpec, center: &str, model: &str, meter: &str, list: i64) -> i64 {
        let name = "card".parse().unwrap();
        let (center, provider) = (center.parse().unwrap(), "anthropic".parse().unwrap());
        let subject = Subject { cost_center: Some(&center), provider: Some(&provider), model };
        Card { name: &name, spec }.rate(&subject, meter, list)
    }

    #[test]
    fn a_markup_rounds_once_per_token() {
        let spec = card(serde_json::json!({}));
        assert_eq!(rate(&spec, "a", "m", "output", 37_500), 41_250);
        assert_eq!(rate(&spec, "a", "m", "output", 5), 6, "5.5 rounds up");
        assert_eq!(rate(&spec, "a", "m", "output", 4), 4, "4.4 rounds down");
        let discount = card(serde_json::json!({ "markup_percent": "-12.5" }));
        assert_eq!(rate(&discount, "a", "m", "output", 1_000_000), 875_000);
        let free = card(serde_json::json!({ "markup_percent": "-100" }));
        assert_eq!(rate(&free, "a", "m", "output", 1_000_000), 0);
    }

    #[test]
    fn the_negotiated_rate_that_names_most_holds() {
        let spec = card(serde_json::json!({ "negotiated": [
            { "provider": "anthropic", "markup_percent": "0" },
            { "cost_center": "a", "model": "opus", "meter": "output", "usd_per_million": "20" },
            { "model": "opus", "meter": "output", "usd_per_million": "22" },
        ]}));
        assert_eq!(rate(&spec, "a", "opus", "output", 25_000_000), 20_000_000);
        assert_eq!(rate(&spec, "b", "opus", "output", 25_000_000), 22_000_000);
        assert_eq!(rate(&spec, "b", "opus", "input_uncached", 5_000_000), 5_000_000);
    }

    #[test]
    fn a_card_holds_until_the_next_one_or_its_end() {
        let (first, second) = (
            card(serde_json::json!({})),
            card(serde_json::json!({ "from": "2026-07-01", "until": "2026-10-01" })),
        );
        let names: Vec<Name> = ["one", "two"].iter().map(|name| name.parse().unwrap()).collect();
        let rates = Rates::new([(&names[0], &first), (&names[1], &second)]);
        let on = |day: &str| rates.on(day.parse().unwrap()).map(|card| card.name.as_str());
        assert_eq!(on("2025-12-31"), None);
        assert_eq!(on("2026-06-30"), Some("one"));
        assert_eq!(on("2026-07-01"), Some("two"));
        assert_eq!(on("2026-10-01"), None, "it has ended");
    }
}
