//! The price of a call, taken apart.

use std::{borrow::Cow, collections::BTreeMap};

use schemars::JsonSchema;
use serde::Serialize;
use tally_types::{PicoUsd, RatePerToken, UsageEvent, spec::PriceEntry};

use crate::{
    Billable, PriceCatalog,
    catalog::Listed,
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

/// A quantity at a rate, as a ledger takes it: integers only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MeterLine {
    /// The kind of token, `request`, or `tool:<name>`.
    pub meter: Cow<'static, str>,
    /// How many tokens, calls or uses.
    pub quantity: u64,
    /// Picodollars for one, modifiers included.
    pub rate_pico: i64,
    /// Quantity × rate.
    pub cost: PicoUsd,
    /// What a price list states the rate for.
    pub unit: PriceUnit,
}

impl PriceCatalog {
    /// Takes the price of an event apart. `provider` and `names` are as in
    /// [`price_event`](Self::price_event). None when the event has no price, or another one than the
    /// list that holds now gives it: a newer version that changed nothing is as good.
    pub fn explain_event(
        &self,
        provider: &str,
        names: &[&str],
        event: &UsageEvent,
    ) -> Option<PriceBreakdown> {
        let (listed, lines, total_usd) = self.same_as(provider, names, event)?;
        Some(PriceBreakdown {
            list: listed.list.to_string(),
            version: listed.version.to_string(),
            lines: lines.into_iter().map(PriceLine::from).collect(),
            total_usd,
        })
    }

    /// The same as integers: together the cost of the event.
    pub fn meter_event(
        &self,
        provider: &str,
        names: &[&str],
        event: &UsageEvent,
    ) -> Option<Vec<MeterLine>> {
        self.same_as(provider, names, event).map(|(_, lines, _)| lines)
    }

    /// The price taken apart, if it is the one that the event has.
    fn same_as(
        &self,
        provider: &str,
        names: &[&str],
        event: &UsageEvent,
    ) -> Option<(&Listed, Vec<MeterLine>, PicoUsd)> {
        let billable = self.billable(provider, names, event);
        let listed = self.listed(billable.provider, billable.model, billable.at).ok()?;
        let lines = lines(listed, &billable).ok()?;
        let sum = lines.iter().map(|line| i128::from(line.cost.pico())).sum();
        let total = total(sum).ok()?;
        (event.cost_list_usd == Some(total)).then_some((listed, lines, total))
    }
}

fn lines<'a>(listed: &Listed, billable: &Billable<'a>) -> Result<Vec<MeterLine>, Gap<'a>> {
    let entry = &listed.entry;
    let mut lines = fees(entry, billable.tool_requests)?;
    if !is_priced_by_request(listed, billable.service_tier) {
        let factor = Factor::of(&entry.modifiers, billable.modifiers)?;
        let rates = listed.sheet.at(billable.service_tier, billable.tokens.input())?;
        for (kind, count, rate) in token_kinds(rates, &billable.tokens) {
            let Some(rate) = rate.filter(|_| count > 0) else { continue };
            let rate = factor.apply(rate).ok_or(Gap::Overflow)?;
            lines.push(line(kind.into(), count, rate, PriceUnit::MillionTokens)?);
        }
    }
    Ok(lines)
}

fn fees<'a>(
    entry: &PriceEntry,
    tool_requests: &'a BTreeMap<String, u64>,
) -> Result<Vec<MeterLine>, Gap<'a>> {
    let mut lines = Vec::with_capacity(5);
    let fee = request_fee(entry)?;
    if fee > 0 {
        lines.push(line("request".into(), 1, fee, PriceUnit::Request)?);
    }
    for (tool, count) in tool_requests.iter().filter(|(_, count)| **count > 0) {
        let fee = entry.per_tool_usd.get(tool).ok_or(Gap::Tool(tool))?;
        let meter = format!("tool:{tool}").into();
        lines.push(line(meter, *count, i128::from(fee.pico()), PriceUnit::ToolRequest)?);
    }
    Ok(lines)
}

/// A quantity at a rate in picodollars.
fn line(
    meter: Cow<'static, str>,
    quantity: u64,
    rate: i128,
    unit: PriceUnit,
) -> Result<MeterLine, Gap<'static>> {
    let cost = rate.checked_mul(i128::from(quantity)).ok_or(Gap::Overflow)?;
    let rate_pico = i64::try_from(rate).map_err(|_| Gap::Overflow)?;
    Ok(MeterLine { meter, quantity, rate_pico, cost: total(cost)?, unit })
}

impl From<MeterLine> for PriceLine {
    fn from(line: MeterLine) -> Self {
        let rate_usd = match line.unit {
            PriceUnit::MillionTokens => RatePerToken::from_pico(line.rate_pico).to_string(),
            PriceUnit::Request | PriceUnit::ToolRequest => {
                PicoUsd::from_pico(line.rate_pico).to_string()
            }
        };
        Self {
            what: line.meter.into_owned(),
            quantity: line.quantity,
            rate_usd,
            unit: line.unit,
            cost_usd: line.cost,
        }
    }
}
