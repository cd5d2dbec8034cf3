//! What a call may cost at most, before it is made.

use tally_types::{PicoUsd, RatePerToken, ServiceTier, Timestamp, spec::RateSet};

use crate::{
    PriceCatalog,
    cost::{is_priced_by_request, plus, priced, request_fee, total},
    gap::Gap,
    modifier::Factor,
};

/// The most a call may use, known before it is made.
#[derive(Debug, Clone, Copy)]
pub struct Ceiling<'a> {
    /// See [`crate::Billable::provider`].
    pub provider: &'a str,
    /// See [`crate::Billable::model`].
    pub model: &'a str,
    /// See [`crate::Billable::at`].
    pub at: Timestamp,
    /// The most input tokens, cached or not.
    pub input_tokens: u64,
    /// The most output tokens, reasoning included.
    pub output_tokens: u64,
    /// See [`crate::Billable::service_tier`].
    pub service_tier: ServiceTier,
    /// See [`crate::Billable::modifiers`]; what the call asks for.
    pub modifiers: &'a [String],
}

// === impl PriceCatalog ===

impl PriceCatalog {
    /// An upper bound of the cost of a call that asks for no modifiers; see
    /// [`Self::bound`].
    pub fn worst_case(
        &self,
        provider: &str,
        model: &str,
        at: Timestamp,
        input_tokens: u64,
        output_tokens: u64,
        service_tier: ServiceTier,
    ) -> Option<PicoUsd> {
        let modifiers = &[];
        self.bound(&Ceiling {
            provider,
            model,
            at,
            input_tokens,
            output_tokens,
            service_tier,
            modifiers,
        })
    }

    /// An upper bound of the cost of a call, fees of tools aside: all input at
    /// the dearest input kind and all output at the dearer of output and
    /// reasoning, at the dearest context step that so much input can reach.
    ///
    /// None when a price that the bound needs is not known.
    pub fn bound(&self, ceiling: &Ceiling<'_>) -> Option<PicoUsd> {
        let listed = self.listed(ceiling.provider, ceiling.model, ceiling.at).ok()?;
        let factor = Factor::of(&listed.entry.modifiers, ceiling.modifiers).ok()?;
        let fee = request_fee(&listed.entry).ok()?;
        if is_priced_by_request(listed, ceiling.service_tier) {
            return total(fee).ok();
        }
        let mut most = None;
        for rates in listed.sheet.up_to(ceiling.service_tier, ceiling.input_tokens) {
            most = most.max(Some(token_bound(rates, ceiling, factor).ok()?));
        }
        total(plus(fee, most?).ok()?).ok()
    }
}

/// The kinds a list states no price for are priced by none of its steps, so
/// they cannot cost more than those it states.
fn token_bound<'a>(
    rates: &RateSet,
    ceiling: &Ceiling<'a>,
    factor: Factor,
) -> Result<i128, Gap<'a>> {
    let gap = |kind| Gap::Kind { kind, tier: rates.service_tier };
    let other_input = [rates.cache_read, rates.cache_write_5m, rates.cache_write_1h];
    let input = dearest(rates.input, &other_input);
    let output = dearest(rates.output, &[rates.reasoning]);
    plus(
        priced(ceiling.input_tokens, input, factor, gap("input_uncached"))?,
        priced(ceiling.output_tokens, output, factor, gap("output"))?,
    )
}

/// The dearest of a kind's rate and others; none without the kind's own.
fn dearest(own: Option<RatePerToken>, others: &[Option<RatePerToken>]) -> Option<RatePerToken> {
    own.map(|own| others.iter().flatten().fold(own, |most, rate| most.max(*rate)))
}
