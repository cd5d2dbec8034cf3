//! The price of a usage event.

use tally_types::{PicoUsd, UsageEvent};

use crate::{Billable, Price, PriceCatalog, rates::Subject};

impl PriceCatalog {
    /// What an event used, under the first of the model's names that a list holds.
    pub(crate) fn billable<'a>(
        &self,
        provider: &'a str,
        names: &[&'a str],
        event: &'a UsageEvent,
    ) -> Billable<'a> {
        let is_listed = |name: &&&str| self.find(provider, name, event.time).is_some();
        let model = names.iter().find(is_listed).or(names.last()).copied().unwrap_or_default();
        Billable {
            provider,
            model,
            at: event.time,
            tokens: event.tokens,
            service_tier: event.service_tier,
            modifiers: &event.billing_modifiers,
            tool_requests: &event.tool_requests,
        }
    }

    /// Prices an event by the first of the model's names that a list holds (the last
    /// one when none does), and by the rate card that holds. `provider` and `names` are as in
    /// [`Billable`]; who answers for the call, who served it and which model is known by then.
    pub fn price_event(&self, provider: &str, names: &[&str], event: &mut UsageEvent) {
        let price = self.price(&self.billable(provider, names, event));
        match price {
            Price::Known { cost, version } => {
                event.cost_list_usd = Some(cost);
                event.price_version = Some(version.to_string());
                event.unpriced_reason = None;
                event.cost_internal_usd = self.internal_cost(provider, names, event);
            }
            Price::Unknown { reason } => leave_unpriced(event, reason),
        }
    }

    /// At the internal rate: what a subscription covers is paid for elsewhere, and without a
    /// rate card the list price holds.
    fn internal_cost(&self, provider: &str, names: &[&str], event: &UsageEvent) -> Option<PicoUsd> {
        if event.subscription {
            return Some(PicoUsd::ZERO);
        }
        let Some(card) = self.card_at(event.time) else { return event.cost_list_usd };
        card.cost(&Subject::of(event), &self.meter_event(provider, names, event)?)
    }
}

/// Flags an event whose price is not known; it is never zero.
pub fn leave_unpriced(event: &mut UsageEvent, reason: String) {
    event.cost_list_usd = None;
    event.cost_internal_usd = None;
    event.price_version = None;
    event.unpriced_reason = Some(reason);
}
