//! The price of a usage event.

use tally_types::UsageEvent;

use crate::{Billable, Price, PriceCatalog};

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
    /// one when none does). `provider` and `names` are as in [`Billable`].
    pub fn price_event(&self, provider: &str, names: &[&str], event: &mut UsageEvent) {
        let price = self.price(&self.billable(provider, names, event));
        match price {
            Price::Known { cost, version } => {
                event.cost_list_usd = Some(cost);
                // Without a rate card a cost center pays the list price.
                event.cost_internal_usd = Some(cost);
                event.price_version = Some(version.to_string());
                event.unpriced_reason = None;
            }
            Price::Unknown { reason } => leave_unpriced(event, reason),
        }
    }
}

/// Flags an event whose price is not known; it is never zero.
pub fn leave_unpriced(event: &mut UsageEvent, reason: String) {
    event.cost_list_usd = None;
    event.cost_internal_usd = None;
    event.price_version = None;
    event.unpriced_reason = Some(reason);
}
