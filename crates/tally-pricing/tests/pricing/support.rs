//! A call to price, in few words.

use std::collections::BTreeMap;

use tally_pricing::{Billable, Price, PriceCatalog};
use tally_types::{
    CallId, EventId, PicoUsd, RatePerToken, ServiceTier, Source, Timestamp, Tokens, UsageEvent,
    spec::{PriceEntry, PriceListSpec, RateSet},
};
use uuid::Uuid;

/// A day on which every price of the shipped list holds.
pub(crate) fn now() -> Timestamp {
    "2026-11-20T12:00:00Z".parse().unwrap()
}

/// A call, with everything that its price depends on.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) provider: &'static str,
    pub(crate) model: &'static str,
    pub(crate) at: Timestamp,
    pub(crate) tokens: Tokens,
    pub(crate) tier: ServiceTier,
    pub(crate) modifiers: Vec<String>,
    pub(crate) tools: BTreeMap<String, u64>,
}

impl Call {
    pub(crate) fn new(provider: &'static str, model: &'static str, tokens: Tokens) -> Self {
        let (modifiers, tools) = Default::default();
        let tier = ServiceTier::Standard;
        Self { provider, model, at: now(), tokens, tier, modifiers, tools }
    }

    pub(crate) fn tier(self, tier: ServiceTier) -> Self {
        Self { tier, ..self }
    }

    pub(crate) fn modified(mut self, fact: &str) -> Self {
        self.modifiers.push(fact.to_owned());
        self
    }

    pub(crate) fn tool(mut self, name: &str, count: u64) -> Self {
        self.tools.insert(name.to_owned(), count);
        self
    }

    pub(crate) fn price(&self, catalog: &PriceCatalog) -> Price {
        catalog.price(&Billable {
            provider: self.provider,
            model: self.model,
            at: self.at,
            tokens: self.tokens,
            service_tier: self.tier,
            modifiers: &self.modifiers,
            tool_requests: &self.tools,
        })
    }

    /// The call as an event without a price.
    pub(crate) fn event(&self) -> UsageEvent {
        let id = Uuid::from_u128(1);
        let mut event = UsageEvent::new(EventId(id), CallId(id), self.at, Source::Gateway);
        event.tokens = self.tokens;
        event.service_tier = self.tier;
        event.billing_modifiers.clone_from(&self.modifiers);
        event.tool_requests.clone_from(&self.tools);
        event
    }

    /// The cost in USD as text.
    pub(crate) fn usd(&self, catalog: &PriceCatalog) -> String {
        match self.price(catalog) {
            Price::Known { cost, .. } => cost.to_string(),
            Price::Unknown { reason } => panic!("unknown: {reason}"),
        }
    }

    pub(crate) fn gap(&self, catalog: &PriceCatalog) -> String {
        match self.price(catalog) {
            Price::Known { cost, .. } => panic!("known: {cost}"),
            Price::Unknown { reason } => reason,
        }
    }
}

pub(crate) fn shipped() -> PriceCatalog {
    PriceCatalog::with_shipped([]).unwrap()
}

pub(crate) fn rate(usd_per_million: &str) -> Option<RatePerToken> {
    Some(RatePerToken::from_usd_per_million(usd_per_million).unwrap())
}

pub(crate) fn usd(text: &str) -> PicoUsd {
    text.parse().unwrap()
}

/// An entry of `acme` with these rates and nothing else.
pub(crate) fn entry(model: &str, rates: Vec<RateSet>) -> PriceEntry {
    PriceEntry {
        provider: "acme".to_owned(),
        model: model.to_owned(),
        from: None,
        until: None,
        rates,
        per_request_usd: None,
        per_tool_usd: BTreeMap::new(),
        modifiers: Vec::new(),
        context_tokens_max: None,
        output_tokens_max: None,
    }
}

/// A list read on a day.
pub(crate) fn list(as_of: &str, precedence: i32, entries: Vec<PriceEntry>) -> PriceListSpec {
    PriceListSpec { source: "test".to_owned(), as_of: as_of.parse().unwrap(), precedence, entries }
}

pub(crate) fn catalog(entries: Vec<PriceEntry>) -> PriceCatalog {
    PriceCatalog::build([("test", &list("2026-01-01", 0, entries))])
}
