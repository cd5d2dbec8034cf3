//! Internal rates: of a list rate and a rate card. They round once, per token.

use tally_types::{
    CostCenterName, Date, Exact, Name, PicoUsd, ProviderName, TimeZone, Timestamp, UsageEvent,
    spec::{NegotiatedRate, RateCardSpec, ReservedCapacity},
};

use crate::MeterLine;

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
        holding(self.cards.iter().copied(), day)
    }
}

/// Of cards, the newest first, the one that holds on a day.
fn holding<'a>(mut cards: impl Iterator<Item = Card<'a>>, day: Date) -> Option<Card<'a>> {
    let begun = cards.find(|card| card.spec.from <= day);
    begun.filter(|card| card.spec.until.is_none_or(|until| day < until))
}

/// Rate cards to price calls by as they come.
#[derive(Debug, Clone)]
pub(crate) struct HouseRates {
    /// The newest first.
    cards: Vec<(Name, RateCardSpec)>,
    /// Of the cards' days.
    zone: TimeZone,
}

// === impl HouseRates ===

impl HouseRates {
    pub(crate) fn new(rates: &Rates<'_>, zone: TimeZone) -> Self {
        let own = |card: &Card<'_>| (card.name.clone(), card.spec.clone());
        Self { cards: rates.cards.iter().map(own).collect(), zone }
    }

    /// The card that holds at a time.
    pub(crate) fn at(&self, time: Timestamp) -> Option<Card<'_>> {
        let day = self.zone.to_datetime(time).date();
        holding(self.cards.iter().map(|(name, spec)| Card { name, spec }), day)
    }
}

// === impl Subject ===

impl<'a> Subject<'a> {
    /// What a call is to rates.
    pub fn of(event: &'a UsageEvent) -> Self {
        Self {
            cost_center: event.cost_center.as_ref(),
            provider: event.provider.as_ref(),
            model: event.model_served.as_deref().unwrap_or(&event.model_requested),
        }
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

    /// What meters cost at internal rates; none where that is too much to be counted.
    pub(crate) fn cost(&self, subject: &Subject<'_>, lines: &[MeterLine]) -> Option<PicoUsd> {
        let cost = |line: &MeterLine| {
            i128::from(self.rate(subject, &line.meter, line.rate_pico)) * i128::from(line.quantity)
        };
        i64::try_from(lines.iter().map(cost).sum::<i128>()).ok().map(PicoUsd::from_pico)
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

    #[test]
    fn a_call_costs_internally_what_the_card_of_its_day_says() {
        let cards = [("one", card(serde_json::json!({ "from": "2026-10-01" })))];
        let cards: Vec<(Name, RateCardSpec)> =
            cards.into_iter().map(|(name, spec)| (name.parse().unwrap(), spec)).collect();
        let rates = Rates::new(cards.iter().map(|(name, spec)| (name, spec)));
        let prices = crate::PriceCatalog::with_shipped([])
            .unwrap()
            .with_rates(&rates, TimeZone::get("Europe/Berlin").unwrap());
        let cost = |time: &str, subscription: bool| {
            let id = uuid::Uuid::from_u128(1);
            let (event, call) = (tally_types::EventId(id), tally_types::CallId(id));
            let source = tally_types::Source::Gateway;
            let mut event = UsageEvent::new(event, call, time.parse().unwrap(), source);
            event.model_requested = "claude-haiku-4-5".to_owned();
            event.tokens.output = 1_000;
            event.subscription = subscription;
            prices.price_event("anthropic", &["claude-haiku-4-5"], &mut event);
            [event.cost_list_usd, event.cost_internal_usd].map(|cost| cost.unwrap().to_string())
        };
        assert_eq!(cost("2026-09-30T21:59:59Z", false), ["0.005", "0.005"], "no card holds yet");
        assert_eq!(cost("2026-09-30T22:00:00Z", false), ["0.005", "0.0055"], "10 % more");
        assert_eq!(cost("2026-10-02T12:00:00Z", true), ["0.005", "0"], "paid for elsewhere");
    }
}
