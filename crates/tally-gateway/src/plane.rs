//! What the request path looks up: built from a snapshot of the resources,
//! immutable, swapped whole when they change.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use sha2::{Digest, Sha256};
use tally_budget::Subject;
use tally_pricing::{PriceCatalog, rates::Rates};
use tally_store::Snapshot;
use tally_types::{
    CostCenterName, Dialect, KeyName, KeyScope, ModelName, PersonName, ProviderName, Role,
    TeamName, Tier, Timestamp, WorkloadName,
    spec::{
        Capability, KeySecret, KeySpec, KeySuspension, ModelSpec, ProviderSpec, RateLimit,
        SecretSource, WorkloadSpec, WorkloadState, weak_secret,
    },
};

use crate::{policy::Policies, protocol::Needs};

/// Reads secrets from where a spec says they are.
pub trait Secrets: Send + Sync {
    /// The secret.
    ///
    /// # Errors
    /// Says what is missing, never the secret.
    fn read(&self, source: &SecretSource) -> Result<String, String>;
}

/// Everything the request path looks up.
pub struct DataPlane {
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) prices: PriceCatalog,
    keys: HashMap<[u8; 32], Arc<Identity>>,
    models: HashMap<String, Arc<Model>>,
    /// Models in the order of their names, for listings.
    model_names: Vec<ModelName>,
    workloads: HashMap<WorkloadName, Arc<Workload>>,
    pub(crate) policies: Policies,
    problems: Vec<String>,
}

/// Whose key it is.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The key.
    pub key: KeyName,
    /// The human behind it.
    pub person: Option<PersonName>,
    /// Their team.
    pub team: Option<TeamName>,
    /// Their team's department.
    pub department: Option<String>,
    /// Who pays for calls that no workload explains.
    pub cost_center: Option<CostCenterName>,
    /// The workload the key stands for.
    pub workload: Option<WorkloadName>,
    /// Workloads that a header may name.
    pub workloads: Vec<WorkloadName>,
    /// What the key may do.
    pub roles: Vec<Role>,
    /// How fast calls of the key and of its person may come.
    pub(crate) rates: Vec<(Subject, RateLimit)>,
    scopes: Vec<KeyScope>,
    expires_at: Option<Timestamp>,
    revoked: bool,
    /// Why it opens nothing for now, as the resources say.
    pub(crate) suspended: Option<Arc<KeySuspension>>,
    /// What it did until then is forgiven.
    pub(crate) reinstated_at: Option<Timestamp>,
}

/// Why a key opens nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyProblem {
    /// No key has this secret.
    Unknown,
    /// It was withdrawn.
    Revoked,
    /// Its time is over.
    Expired,
}

pub(crate) struct Workload {
    pub(crate) name: WorkloadName,
    pub(crate) spec: WorkloadSpec,
    /// The team of its owner, for calls of keys that are no person's.
    pub(crate) team: Option<TeamName>,
    pub(crate) department: Option<String>,
}

/// A model with its ways to be reached.
#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) name: ModelName,
    pub(crate) tier: Tier,
    pub(crate) family: String,
    pub(crate) cheaper: Option<ModelName>,
    /// What it can do; none says everything.
    pub(crate) capabilities: Option<Vec<Capability>>,
    pub(crate) context_tokens: Option<u64>,
    pub(crate) output_tokens: Option<u64>,
    pub(crate) rate_limit: Option<RateLimit>,
    pub(crate) routes: Vec<Arc<Route>>,
}

/// One way to reach a model.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) upstream_name: String,
    pub(crate) upstream: Arc<Upstream>,
}

/// A provider, ready to be called.
#[derive(Debug)]
pub(crate) struct Upstream {
    pub(crate) provider: ProviderName,
    pub(crate) spec: ProviderSpec,
    pub(crate) base_url: String,
    pub(crate) api_key: Option<String>,
    pub(crate) client: reqwest::Client,
}

// === impl DataPlane ===

impl DataPlane {
    /// Builds the look-ups. What cannot be used (a key whose variable is not set,
    /// say) is left out and named in [`DataPlane::problems`].
    ///
    /// # Errors
    /// When the shipped price list or the HTTP client cannot be set up.
    pub fn build(snapshot: Arc<Snapshot>, secrets: &dyn Secrets) -> Result<Self, String> {
        let mut problems = Vec::new();
        let lists = snapshot.price_lists.iter().map(|(name, list)| (name.as_str(), list));
        let rates = Rates::new(&snapshot.rate_cards);
        let prices = PriceCatalog::with_shipped(lists)
            .map_err(|error| error.to_string())?
            .with_rates(&rates, snapshot.organization.zone());
        let mut upstreams = BTreeMap::new();
        for (name, spec) in &snapshot.providers {
            let upstream = Upstream::new(name, spec, secrets, &mut problems)?;
            upstreams.insert(name.clone(), Arc::new(upstream));
        }
        let mut models = HashMap::new();
        for (name, spec) in &snapshot.models {
            let model = Arc::new(Model::new(name, spec, &upstreams));
            for alias in spec.aliases.iter().map(String::as_str).chain([name.as_str()]) {
                models.insert(alias.to_owned(), Arc::clone(&model));
            }
        }
        let mut keys = HashMap::new();
        for (name, spec) in &snapshot.keys {
            match key_hash(spec, secrets) {
                Ok(hash) => {
                    let identity = Identity::new(KeyName(name.clone()), spec, &snapshot);
                    keys.insert(hash, Arc::new(identity));
                }
                Err(problem) => problems.push(format!("key {name}: {problem}")),
            }
        }
        let workloads = snapshot
            .workloads
            .iter()
            // Calls of a retired one are nobody's: they are seen, and listed as unexplained.
            .filter(|(_, spec)| spec.state != WorkloadState::Retired)
            .map(|(name, spec)| {
                let name = WorkloadName(name.clone());
                (name.clone(), Arc::new(Workload::new(name, spec, &snapshot)))
            })
            .collect();
        let model_names = snapshot.models.keys().cloned().collect();
        let policies = Policies::new(&snapshot);
        problems.extend(policies.problems());
        Ok(Self { snapshot, prices, keys, models, model_names, workloads, policies, problems })
    }

    /// What could not be used, each with what to do; never holds a secret.
    pub fn problems(&self) -> &[String] {
        &self.problems
    }

    /// Prices, shipped and applied.
    pub fn prices(&self) -> &PriceCatalog {
        &self.prices
    }

    /// The resources it was built from.
    pub fn snapshot(&self) -> &Arc<Snapshot> {
        &self.snapshot
    }

    /// Whose key this is; it may be suspended.
    ///
    /// # Errors
    /// When it opens nothing any more.
    pub(crate) fn identify(
        &self,
        secret: &str,
        now: Timestamp,
    ) -> Result<Arc<Identity>, KeyProblem> {
        let hash: [u8; 32] = Sha256::digest(secret.as_bytes()).into();
        // A hash of 256 random bits leaks nothing through the time its look-up takes.
        let identity = self.keys.get(&hash).ok_or(KeyProblem::Unknown)?;
        if identity.revoked {
            return Err(KeyProblem::Revoked);
        }
        if identity.expires_at.is_some_and(|end| end <= now) {
            return Err(KeyProblem::Expired);
        }
        Ok(Arc::clone(identity))
    }

    pub(crate) fn model(&self, name: &str) -> Option<&Arc<Model>> {
        self.models.get(name)
    }

    pub(crate) fn workload(&self, name: &WorkloadName) -> Option<&Arc<Workload>> {
        self.workloads.get(name)
    }

    /// Registered models that a dialect reaches.
    pub(crate) fn models_of(&self, dialect: Dialect) -> impl Iterator<Item = &Arc<Model>> {
        self.model_names
            .iter()
            .filter_map(|name| self.models.get(name.as_str()))
            .filter(move |model| model.routes_of(dialect).next().is_some())
    }

    /// Every registered model, by name.
    pub(crate) fn all_models(&self) -> impl Iterator<Item = &Arc<Model>> {
        self.model_names.iter().filter_map(|name| self.models.get(name.as_str()))
    }

    /// Names close to one that is not registered.
    pub(crate) fn similar_models(&self, wanted: &str) -> Vec<&str> {
        let stem = wanted.split(['-', '.', '/']).next().unwrap_or(wanted);
        let close = self.model_names.iter().map(ModelName::as_str);
        close.filter(|name| name.starts_with(stem)).take(4).collect()
    }
}

// === impl Identity ===

impl Identity {
    fn new(key: KeyName, spec: &KeySpec, snapshot: &Snapshot) -> Self {
        let person = spec.person.as_ref().and_then(|name| snapshot.people.get(name.as_str()));
        let team_name = person.and_then(|person| person.team.clone());
        let team = team_name.as_ref().and_then(|name| snapshot.teams.get(name.as_str()));
        let of_key = spec.rate_limit.map(|rate| (Subject::Key(key.clone()), rate));
        let of_person = person.and_then(|person| person.rate_limit).zip(spec.person.clone());
        let of_person = of_person.map(|(rate, name)| (Subject::Person(name), rate));
        Self {
            rates: of_key.into_iter().chain(of_person).collect(),
            key,
            person: spec.person.clone(),
            department: team.and_then(|team| team.department.clone()),
            cost_center: team.and_then(|team| team.cost_center.clone()),
            team: team_name,
            workload: spec.workload.clone(),
            workloads: spec.workloads.clone(),
            roles: person.map_or_else(|| spec.roles.clone(), |person| person.roles.clone()),
            scopes: spec.scopes.clone(),
            expires_at: spec.expires_at,
            revoked: spec.revoked,
            suspended: spec.suspended.clone().map(Arc::new),
            reinstated_at: spec.reinstated.as_ref().map(|said| said.at),
        }
    }

    /// Whether the key may be used for this; one without scopes may for everything.
    pub fn allows(&self, scope: KeyScope) -> bool {
        self.scopes.is_empty() || self.scopes.contains(&scope)
    }

    pub(crate) fn is_bound_to(&self, workload: &WorkloadName) -> bool {
        self.workload.as_ref() == Some(workload) || self.workloads.contains(workload)
    }
}

// === impl Workload ===

impl Workload {
    fn new(name: WorkloadName, spec: &WorkloadSpec, snapshot: &Snapshot) -> Self {
        let owner = snapshot.people.get(spec.owner.as_str());
        let team = owner.and_then(|owner| owner.team.clone());
        let department = team
            .as_ref()
            .and_then(|team| snapshot.teams.get(team.as_str()))
            .and_then(|team| team.department.clone());
        Self { name, spec: spec.clone(), team, department }
    }
}

// === impl Model ===

impl Model {
    fn new(
        name: &ModelName,
        spec: &ModelSpec,
        upstreams: &BTreeMap<ProviderName, Arc<Upstream>>,
    ) -> Self {
        let routes = spec.all_routes().into_iter().filter_map(|route| {
            let upstream = Arc::clone(upstreams.get(&route.provider)?);
            let upstream_name = route.upstream_name.unwrap_or_else(|| name.to_string());
            Some(Arc::new(Route { upstream_name, upstream }))
        });
        Self {
            name: name.clone(),
            tier: spec.tier,
            family: spec.family_of(name.as_str()),
            cheaper: spec.cheaper.clone(),
            capabilities: spec.capabilities.clone(),
            context_tokens: spec.context_tokens,
            output_tokens: spec.output_tokens,
            rate_limit: spec.rate_limit,
            routes: routes.collect(),
        }
    }

    /// Whether it can do what a request needs.
    pub(crate) fn serves(&self, needs: Needs) -> bool {
        let Some(can) = &self.capabilities else { return true };
        let wanted = [
            (needs.tools, Capability::Tools),
            (needs.images, Capability::Images),
            (needs.reasoning, Capability::Reasoning),
        ];
        wanted.iter().all(|(is_needed, capability)| !is_needed || can.contains(capability))
    }

    pub(crate) fn routes_of(&self, dialect: Dialect) -> impl Iterator<Item = &Arc<Route>> {
        self.routes.iter().filter(move |route| route.upstream.spec.dialect == dialect)
    }
}

// === impl Upstream ===

impl Upstream {
    fn new(
        name: &ProviderName,
        spec: &ProviderSpec,
        secrets: &dyn Secrets,
        problems: &mut Vec<String>,
    ) -> Result<Self, String> {
        let api_key = spec.api_key.as_ref().and_then(|source| match secrets.read(source) {
            Ok(secret) => Some(secret),
            Err(problem) => {
                problems.push(format!("provider {name}: {problem}"));
                None
            }
        });
        let client = reqwest::Client::builder()
            .connect_timeout(Duration::from_millis(spec.timeouts.connect_ms))
            .redirect(reqwest::redirect::Policy::none())
            .pool_max_idle_per_host(1_024)
            .tcp_nodelay(true)
            .build()
            .map_err(|error| format!("provider {name}: {error}"))?;
        Ok(Self {
            provider: name.clone(),
            spec: spec.clone(),
            base_url: spec.base_url.trim_end_matches('/').to_owned(),
            api_key,
            client,
        })
    }

    /// The provider's name in price lists.
    pub(crate) fn price_name(&self) -> &str {
        self.spec.prices.as_deref().unwrap_or(self.provider.as_str())
    }
}

fn key_hash(spec: &KeySpec, secrets: &dyn Secrets) -> Result<[u8; 32], String> {
    match &spec.secret {
        KeySecret::Env { env } => {
            let secret = secrets.read(&SecretSource::Env(env.clone()))?;
            match weak_secret(&secret) {
                Some(weakness) => Err(format!("the secret in {env} is too weak: {weakness}")),
                None => Ok(Sha256::digest(secret.as_bytes()).into()),
            }
        }
        KeySecret::Hashed { sha256, .. } => decode_hash(sha256)
            .ok_or_else(|| "`secret.sha256` is not 64 hexadecimal digits".to_owned()),
    }
}

fn decode_hash(text: &str) -> Option<[u8; 32]> {
    let mut hash = [0; 32];
    for (index, byte) in hash.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(index * 2..index * 2 + 2)?, 16).ok()?;
    }
    (text.len() == 64).then_some(hash)
}
