//! What a call's price is made of, by the names that its model has with its provider.

use tally_pricing::{MeterLine, PriceCatalog};
use tally_store::Snapshot;
use tally_types::UsageEvent;

/// Prices, and the names under which they are looked up.
#[derive(Debug, Clone, Copy)]
pub struct Meters<'a> {
    /// The resources.
    pub snapshot: &'a Snapshot,
    /// The prices.
    pub prices: &'a PriceCatalog,
}

// === impl Meters ===

impl Meters<'_> {
    /// The price of a call taken apart; none where it has none, or was priced by a version
    /// that holds no longer.
    pub fn of(&self, event: &UsageEvent) -> Option<Vec<MeterLine>> {
        let (provider, names) = price_names(self.snapshot, event)?;
        self.prices.meter_event(provider, &names, event)
    }
}

/// The provider's name in price lists, and the names of the call's model, the likeliest first.
pub fn price_names<'a>(
    snapshot: &'a Snapshot,
    event: &'a UsageEvent,
) -> Option<(&'a str, Vec<&'a str>)> {
    let provider = event.provider.as_ref()?;
    let listed = snapshot.providers.get(provider).and_then(|spec| spec.prices.as_deref());
    let served = event.model_served.as_deref().unwrap_or(&event.model_requested);
    // The short form of a route has no name of its own upstream.
    let model = snapshot.models.get(served).filter(|spec| spec.provider.as_ref() != Some(provider));
    let upstream = model.and_then(|spec| {
        let routes = spec.routes.iter().find(|route| route.provider == *provider);
        routes.and_then(|route| route.upstream_name.as_deref())
    });
    let names = [event.model_reported.as_deref(), upstream, Some(served)];
    Some((listed.unwrap_or(provider.as_str()), names.into_iter().flatten().collect()))
}
