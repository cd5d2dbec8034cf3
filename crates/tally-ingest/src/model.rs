//! Which registered model, at which provider, an event's model is.

use std::collections::HashMap;

use tally_store::Snapshot;
use tally_types::{
    ModelName, ProviderName, Tier,
    spec::{ModelSpec, ProviderSpec},
};

/// The models of a snapshot under every name they go by.
pub(crate) struct Models<'a> {
    snapshot: &'a Snapshot,
    by_name: HashMap<&'a str, (&'a ModelName, &'a ModelSpec)>,
    /// What providers call them; counts only where no model has that name.
    by_upstream_name: HashMap<&'a str, (&'a ModelName, &'a ModelSpec)>,
}

/// What is known of an event's model.
pub(crate) struct Served {
    pub(crate) provider: Option<ProviderName>,
    /// The provider's name in price lists.
    pub(crate) price_provider: Option<String>,
    /// The provider's names of the model, the likeliest first.
    pub(crate) price_models: Vec<String>,
    pub(crate) name: String,
    pub(crate) family: Option<String>,
    pub(crate) tier: Option<Tier>,
}

// === impl Models ===

impl<'a> Models<'a> {
    pub(crate) fn new(snapshot: &'a Snapshot) -> Self {
        let mut by_name = HashMap::new();
        let mut by_upstream_name = HashMap::new();
        for (name, spec) in &snapshot.models {
            for route in &spec.routes {
                if let Some(upstream) = &route.upstream_name {
                    by_upstream_name.entry(upstream.as_str()).or_insert((name, spec));
                }
            }
            for alias in &spec.aliases {
                by_name.insert(alias.as_str(), (name, spec));
            }
            by_name.insert(name.as_str(), (name, spec));
        }
        Self { snapshot, by_name, by_upstream_name }
    }

    /// What is known of a model that an event names, at the provider it names, if any.
    pub(crate) fn resolve(&self, model: &str, provider: Option<&ProviderName>) -> Served {
        let found = self.by_name.get(model).or_else(|| self.by_upstream_name.get(model));
        let Some((name, spec)) = found.copied() else {
            return Served {
                provider: provider.cloned(),
                price_provider: provider.map(|provider| self.price_name(provider)),
                price_models: vec![model.to_owned()],
                name: model.to_owned(),
                family: None,
                tier: None,
            };
        };
        let mut routes = spec.all_routes().into_iter();
        let route = match provider {
            Some(wanted) => routes.find(|route| route.provider == *wanted),
            None => routes.next(),
        };
        let upstream_name = route.as_ref().and_then(|route| route.upstream_name.clone());
        let provider = provider.cloned().or_else(|| route.map(|route| route.provider));
        Served {
            price_provider: provider.as_ref().map(|provider| self.price_name(provider)),
            provider,
            price_models: [Some(model.to_owned()), upstream_name, Some(name.to_string())]
                .into_iter()
                .flatten()
                .collect(),
            name: name.to_string(),
            family: Some(spec.family_of(name.as_str())),
            tier: Some(spec.tier),
        }
    }

    fn price_name(&self, provider: &ProviderName) -> String {
        let spec: Option<&ProviderSpec> = self.snapshot.providers.get(provider);
        let listed = spec.and_then(|spec| spec.prices.clone());
        listed.unwrap_or_else(|| provider.to_string())
    }
}
