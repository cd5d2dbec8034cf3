//! The price of one call.

use std::{collections::BTreeMap, sync::Arc};

use tally_types::{
    PicoUsd, RatePerToken, ServiceTier, Timestamp, Tokens,
    spec::{PriceEntry, RateSet},
};

use crate::{PriceCatalog, catalog::Listed, gap::Gap, modifier::Factor};

/// What a call used, as its price depends on it.
#[derive(Debug, Clone, Copy)]
pub struct Billable<'a> {
    /// The provider's name in price lists, such as `anthropic`.
    pub provider: &'a str,
    /// The provider's name of the model that answered.
    pub model: &'a str,
    /// When; prices hold by days in UTC.
    pub at: Timestamp,
    /// The tokens, by disjoint kinds.
    pub tokens: Tokens,
    /// The processing tier that was charged.
    pub service_tier: ServiceTier,
    /// What else the provider reported, such as `speed:fast`; only `speed:` and
    /// `inference_geo:` and what the entry lists have a price.
    pub modifiers: &'a [String],
    /// How often each of the provider's tools was used, such as `web_search`.
    pub tool_requests: &'a BTreeMap<String, u64>,
}

/// The price of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Price {
    /// A price list states it.
    Known {
        /// The cost of the call.
        cost: PicoUsd,
        /// The version of the price, as in [`Found`](crate::Found).
        version: Arc<str>,
    },
    /// No price list states it, or not all of it.
    Unknown {
        /// What is missing, as a sentence for people.
        reason: String,
    },
}

// === impl PriceCatalog ===

impl PriceCatalog {
    /// What a call costs. Allocates nothing when the price is known.
    ///
    /// The rates of the service tier and of the highest context step that the
    /// whole input exceeds count for the whole call; where a reasoning rate
    /// exists, it prices the reasoning part of the output. Modifiers multiply
    /// each rate (rounded once, half up to a picodollar), not the fees. An entry
    /// with a fee per request and no rates at all is priced by the request.
    pub fn price(&self, billable: &Billable<'_>) -> Price {
        let listed = match self.listed(billable.provider, billable.model, billable.at) {
            Ok(listed) => listed,
            Err(gap) => return unknown(billable, None, gap),
        };
        match cost(listed, billable) {
            Ok(cost) => Price::Known { cost, version: Arc::clone(&listed.version) },
            Err(gap) => unknown(billable, Some(&listed.version), gap),
        }
    }
}

fn unknown(billable: &Billable<'_>, version: Option<&Arc<str>>, gap: Gap<'_>) -> Price {
    let Billable { provider, model, .. } = billable;
    let reason = match version {
        Some(version) => format!("`{model}` of `{provider}` ({version}): {gap}"),
        None => format!("`{model}` of `{provider}`: {gap}"),
    };
    Price::Unknown { reason }
}

fn cost<'a>(listed: &Listed, billable: &Billable<'a>) -> Result<PicoUsd, Gap<'a>> {
    let entry = &listed.entry;
    let factor = Factor::of(&entry.modifiers, billable.modifiers)?;
    let fees = plus(request_fee(entry)?, tool_fees(entry, billable.tool_requests)?)?;
    if is_priced_by_request(listed, billable.service_tier) {
        return total(fees);
    }
    let rates = listed.sheet.at(billable.service_tier, billable.tokens.input())?;
    total(plus(fees, token_cost(rates, &billable.tokens, factor)?)?)
}

fn token_cost(rates: &RateSet, tokens: &Tokens, factor: Factor) -> Result<i128, Gap<'static>> {
    token_kinds(rates, tokens).into_iter().try_fold(0, |sum, (kind, count, rate)| {
        let gap = Gap::Kind { kind, tier: rates.service_tier };
        plus(sum, priced(count, rate, factor, gap)?)
    })
}

/// Kinds of tokens, how many, at which rate. The kinds are disjoint, so each is priced
/// once; only reasoning is a part of another kind, and what it costs apart is taken out
/// of output.
pub(crate) fn token_kinds(
    rates: &RateSet,
    tokens: &Tokens,
) -> [(&'static str, u64, Option<RatePerToken>); 6] {
    // A report of more reasoning than output cannot make output negative.
    let reasoning = rates.reasoning.map_or(0, |_| tokens.reasoning.min(tokens.output));
    [
        ("input_uncached", tokens.input_uncached, rates.input),
        ("cache_read", tokens.cache_read, rates.cache_read),
        ("cache_write_5m", tokens.cache_write_5m, rates.cache_write_5m),
        ("cache_write_1h", tokens.cache_write_1h, rates.cache_write_1h),
        ("output", tokens.output.saturating_sub(reasoning), rates.output),
        ("reasoning", reasoning, rates.reasoning),
    ]
}

/// The cost of tokens of one kind, in picodollars; none of them cost nothing
/// whatever their rate.
pub(crate) fn priced<'a>(
    count: u64,
    rate: Option<RatePerToken>,
    factor: Factor,
    gap: Gap<'a>,
) -> Result<i128, Gap<'a>> {
    if count == 0 {
        return Ok(0);
    }
    let rate = factor.apply(rate.ok_or(gap)?).ok_or(Gap::Overflow)?;
    rate.checked_mul(i128::from(count)).ok_or(Gap::Overflow)
}

/// Whether the fee per request is all that the entry asks. The fee stands for
/// the standard tier; a list that prices another tier says so in rates.
pub(crate) fn is_priced_by_request(listed: &Listed, tier: ServiceTier) -> bool {
    listed.sheet.is_empty()
        && listed.entry.per_request_usd.is_some()
        && tier == ServiceTier::Standard
}

/// The fee per request in picodollars.
pub(crate) fn request_fee(entry: &PriceEntry) -> Result<i128, Gap<'static>> {
    let fee = entry.per_request_usd.unwrap_or(PicoUsd::ZERO).pico();
    if fee < 0 { Err(Gap::NegativeFee) } else { Ok(i128::from(fee)) }
}

fn tool_fees<'a>(entry: &PriceEntry, requests: &'a BTreeMap<String, u64>) -> Result<i128, Gap<'a>> {
    requests.iter().filter(|(_, count)| **count > 0).try_fold(0, |sum, (tool, count)| {
        let fee = entry.per_tool_usd.get(tool).filter(|fee| fee.pico() >= 0);
        let fee = i128::from(fee.ok_or(Gap::Tool(tool))?.pico());
        plus(sum, fee.checked_mul(i128::from(*count)).ok_or(Gap::Overflow)?)
    })
}

pub(crate) fn plus(a: i128, b: i128) -> Result<i128, Gap<'static>> {
    a.checked_add(b).ok_or(Gap::Overflow)
}

pub(crate) fn total(pico: i128) -> Result<PicoUsd, Gap<'static>> {
    i64::try_from(pico).map(PicoUsd::from_pico).map_err(|_| Gap::Overflow)
}
