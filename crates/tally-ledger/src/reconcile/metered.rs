//! What was metered, by day, model and meter; and what of a bill it does not cover.

use std::collections::BTreeMap;

use jiff::civil::Date;
use tally_pricing::MeterLine;
use tally_types::{PicoUsd, PicoUsdSum, TokenKind, UsageEvent, spec::BilledMeter};

use super::ModelNames;

/// A day, a model and a meter.
pub(super) type Key = (Date, String, String);

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sum {
    pub(super) quantity: Option<u64>,
    pub(super) cost: Option<PicoUsdSum>,
}

/// What Tally metered, by day, model and meter.
#[derive(Debug, Clone, Default)]
pub struct Metered {
    pub(super) sums: BTreeMap<Key, Sum>,
}

/// What calls do not cover of what is billed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Gap {
    /// How many, where the bill counts.
    pub quantity: u64,
    /// What they cost, in picodollars.
    pub pico: i128,
}

// === impl Metered ===

impl Metered {
    /// Adds a call of the provider's with its price taken apart, where that can be done; what
    /// a subscription covers is on no bill.
    pub fn add(&mut self, date: Date, event: &UsageEvent, meters: Option<&[MeterLine]>) {
        if event.subscription {
            return;
        }
        let model = event.model_served.as_ref().unwrap_or(&event.model_requested);
        match (event.cost_list_usd, meters) {
            (Some(_), Some(meters)) => {
                for line in meters {
                    self.count((date, model, &line.meter), line.quantity, Some(line.cost));
                }
            }
            // The price is known but not what it was made of.
            (Some(cost), None) => self.count((date, model, "call"), 1, Some(cost)),
            (None, _) => {
                let kinds = TokenKind::ALL.iter().map(|kind| (*kind, event.tokens.of(*kind)));
                for (kind, count) in kinds.filter(|(_, count)| *count > 0) {
                    self.count((date, model, meter_of(kind)), count, None);
                }
            }
        }
    }

    fn count(
        &mut self,
        (date, model, meter): (Date, &str, &str),
        quantity: u64,
        cost: Option<PicoUsd>,
    ) {
        // Reasoning is output on every bill.
        let meter = if meter == "reasoning" { "output" } else { meter };
        let sum = self
            .sums
            .entry((date, model.to_owned(), meter.to_owned()))
            .or_insert_with(|| Sum { quantity: Some(0), cost: Some(PicoUsdSum::default()) });
        sum.quantity = sum.quantity.map(|before| before.saturating_add(quantity));
        // A cost of which a part is unknown is unknown.
        let cost = cost.map(|cost| PicoUsdSum::from_pico(i128::from(cost.pico())));
        sum.cost = sum.cost.zip(cost).map(|(before, more)| before + more);
    }

    /// What the calls of a day do not cover of what is billed for it. Counts are held against
    /// counts; where a bill has none, costs against costs.
    pub fn gap(&self, date: Date, billed: &[BilledMeter], names: &ModelNames) -> Gap {
        let mut gap = Gap::default();
        for line in billed {
            let named = line.model.clone().unwrap_or_default();
            let model = names.get(&named).cloned().unwrap_or(named);
            let sum = self.sums.get(&(date, model, line.meter.clone())).copied();
            let sum = sum.unwrap_or(Sum::NOTHING);
            let usd = line.usd.pico();
            match line.quantity.filter(|quantity| *quantity > 0) {
                Some(quantity) => {
                    let left = quantity.saturating_sub(sum.quantity.unwrap_or_default());
                    gap.quantity = gap.quantity.saturating_add(left);
                    gap.pico += part(usd, left, quantity);
                }
                None => {
                    let covered = sum.cost.unwrap_or_default().pico();
                    gap.pico += (usd - covered).clamp(0, usd.max(0));
                }
            }
        }
        gap
    }
}

/// So much of an amount as `of` is of `whole`.
fn part(amount: i128, of: u64, whole: u64) -> i128 {
    let (of, whole) = (i128::from(of), i128::from(whole));
    // Of an amount so large that the product does not fit, the remainder does not matter.
    amount.checked_mul(of).map_or_else(|| amount / whole * of, |product| product / whole)
}

/// The kind of token of a meter.
pub(crate) fn kind_of(meter: &str) -> Option<TokenKind> {
    TokenKind::ALL.iter().copied().find(|kind| meter_of(*kind) == meter)
}

/// The meter of a kind of token.
const fn meter_of(kind: TokenKind) -> &'static str {
    match kind {
        TokenKind::InputUncached => "input_uncached",
        TokenKind::CacheRead => "cache_read",
        TokenKind::CacheWrite5m => "cache_write_5m",
        TokenKind::CacheWrite1h => "cache_write_1h",
        TokenKind::Output => "output",
    }
}

// === impl Sum ===

impl Sum {
    pub(super) const NOTHING: Self =
        Self { quantity: Some(0), cost: Some(PicoUsdSum::from_pico(0)) };

    pub(super) fn add(&mut self, quantity: Option<u64>, cost: Option<PicoUsdSum>) {
        if let Some(more) = quantity {
            self.quantity = Some(self.quantity.unwrap_or_default().saturating_add(more));
        }
        if let Some(more) = cost {
            self.cost = Some(self.cost.unwrap_or_default() + more);
        }
    }

    pub(super) fn of(sums: impl Iterator<Item = Self>) -> Self {
        let mut all = Self::default();
        sums.for_each(|sum| all.add(sum.quantity, sum.cost));
        all
    }
}
