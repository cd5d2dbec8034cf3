//! The price of a call, taken apart.

use schemars::JsonSchema;
use serde::Serialize;
use tally_types::{PicoUsd, RatePerToken, UsageEvent, spec::PriceEntry};

use crate::{
    Billable, PriceCatalog,
    cost::{is_priced_by_request, request_fee, token_kinds, total},
    gap::Gap,
    modifier::Factor,
};

/// What a price is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PriceUnit {
    /// A million tokens.
    MillionTokens,
    /// One call.
    Request,
    /// One use of a provider's tool.
    ToolRequest,
}

/// One line of a price: a quantity at a rate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PriceLine {
    /// The kind of token, `request`, or `tool:<name>`.
    pub what: String,
    /// How many tokens, calls or uses.
    pub quantity: u64,
    /// US dollars per unit, as a decimal string, modifiers included.
    pub rate_usd: String,
    /// What the rate is for.
    pub unit: PriceUnit,
    /// Quantity × rate.
    pub cost_usd: PicoUsd,
}

/// How the cost of a call came about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PriceBreakdown {
    /// The price list.
    pub list: String,
    /// Its version.
    pub version: String,
    /// What was charged; together the cost of the call.
    pub lines: Vec<PriceLine>,
    /// The sum of the lines.
    pub total_usd: PicoUsd,
}

impl PriceCatalog {
    /// Takes the price of an event apart. `provider` and `names` are as in
    /// [`price_event`](Self::price_event). None when the event has no price, or was
    /// priced by a version that holds no longer.
    pub fn explain_event(
        &self,
        provider: &str,
        names: &[&str],
        event: &UsageEvent,
    ) -> Option<PriceBreakdown> {
        let breakdown = self.explain(&self.billable(provider, names, event)).ok()?;
        let is_the_same = event.price_version.as_deref() == Some(&breakdown.version)
            && event.cost_list_usd == Some(breakdown.total_usd);
        is_the_same.then_some(breakdown)
    }

    fn explain<'a>(&'a self, billable: &Billable<'a>) -> Result<PriceBreakdown, Gap<'a>> {
        let listed = self.listed(billable.provider, billable.model, billable.at)?;
        let entry = &listed.entry;
        let mut lines = fees(entry, billable)?;
        if !is_priced_by_request(listed, billable.service_tier) {
            let factor = Factor::of(&entry.modifiers, billable.modifiers)?;
            let rates = listed.sheet.at(billable.service_tier, billable.tokens.input())?;
            for (kind, count, rate) in token_kinds(rates, &billable.tokens) {
                let Some(rate) = rate.filter(|_| count > 0) else { continue };
                let rate = factor.apply(rate).ok_or(Gap::Overflow)?;
                lines.push(line(kind, count, rate, PriceUnit::MillionTokens)?);
            }
        }
        let sum = lines.iter().map(|line| i128::from(line.cost_usd.pico())).sum();
        Ok(PriceBreakdown {
            list: listed.list.to_string(),
            version: listed.version.to_string(),
            lines,
            total_usd: total(sum)?,
        })
    }
}

fn fees<'a>(entry: &PriceEntry, billable: &Billable<'a>) -> Result<Vec<PriceLine>, Gap<'a>> {
    let mut lines = Vec::new();
    let fee = request_fee(entry)?;
    if fee > 0 {
        lines.push(line("request", 1, fee, PriceUnit::Request)?);
    }
    for (tool, count) in billable.tool_requests.iter().filter(|(_, count)| **count > 0) {
        let fee = entry.per_tool_usd.get(tool).ok_or(Gap::Tool(tool))?;
        let what = format!("tool:{tool}");
        lines.push(line(&what, *count, i128::from(fee.pico()), PriceUnit::ToolRequest)?);
    }
    Ok(lines)
}

/// A quantity at a rate in picodollars.
fn line(what: &str, quantity: u64, rate: i128, unit: PriceUnit) -> Result<PriceLine, Gap<'static>> {
    let cost = rate.checked_mul(i128::from(quantity)).ok_or(Gap::Overflow)?;
    let rate = i64::try_from(rate).map_err(|_| Gap::Overflow)?;
    let rate_usd = match unit {
        PriceUnit::MillionTokens => RatePerToken::from_pico(rate).to_string(),
        PriceUnit::Request | PriceUnit::ToolRequest => PicoUsd::from_pico(rate).to_string(),
    };
    Ok(PriceLine { what: what.to_owned(), quantity, rate_usd, unit, cost_usd: total(cost)? })
}
