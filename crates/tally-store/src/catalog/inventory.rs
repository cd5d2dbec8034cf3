//! The inventory: usage that no entry of the catalog explains, and tools entered by hand.

use std::{cmp::Reverse, collections::BTreeMap};

use schemars::JsonSchema;
use serde::Serialize;
use tally_types::{
    CostCenterName, DataClass, Environment, KeyName, Name, PersonName, PicoUsd, PicoUsdSum, Tier,
    WorkloadClass, WorkloadName,
    spec::{WorkloadSpec, WorkloadState},
};

use crate::{Snapshot, approvals::ApprovalError};

/// Calls of one kind, of the metrics layer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Seen {
    /// With which key.
    pub key: Option<String>,
    /// By which application.
    pub application: Option<String>,
    /// Under which user agent.
    pub user_agent: Option<String>,
    /// Served by which model.
    pub model: Option<String>,
    /// By whom.
    pub person: Option<String>,
    /// Calls.
    pub calls: u64,
    /// Tokens of all kinds.
    pub tokens: u64,
    /// What they cost.
    pub spend_usd: PicoUsdSum,
}

/// What one model served.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ModelSeen {
    /// The model.
    pub model: String,
    /// Tokens of all kinds.
    pub tokens: u64,
    /// What they cost.
    pub spend_usd: PicoUsdSum,
}

/// Usage that no workload explains.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Unexplained {
    /// With which key.
    pub key: Option<String>,
    /// By which application.
    pub application: Option<String>,
    /// Under which user agent.
    pub user_agent: Option<String>,
    /// Calls.
    pub calls: u64,
    /// Tokens of all kinds.
    pub tokens: u64,
    /// What they cost.
    pub spend_usd: PicoUsdSum,
    /// The models, dearest first.
    pub models: Vec<ModelSeen>,
    /// Who called most, or whose key it is.
    pub likely_owner: Option<PersonName>,
    /// A name for a workload that would explain it.
    pub suggested_name: String,
    /// The workload that its key stands for by now: what comes from now on is its own.
    pub registered_as: Option<WorkloadName>,
}

/// A tool without telemetry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Tool {
    /// Its name in the catalog.
    pub name: Name,
    /// Who answers for it.
    pub owner: PersonName,
    /// Who sells it.
    pub vendor: Option<String>,
    /// What it costs a month, as its invoice says.
    pub monthly_cost_usd: Option<PicoUsd>,
}

/// The inventory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Inventory {
    /// Usage that no workload explains, dearest first.
    pub items: Vec<Unexplained>,
    /// Tools that were entered by hand.
    pub tools: Vec<Tool>,
}

/// What is not explained, grouped by key, application and user agent.
pub fn inventory(snapshot: &Snapshot, seen: Vec<Seen>) -> Inventory {
    type Group = (Option<String>, Option<String>, Option<String>);
    let mut groups: BTreeMap<Group, Vec<Seen>> = BTreeMap::new();
    for one in seen {
        let group = (one.key.clone(), one.application.clone(), one.user_agent.clone());
        groups.entry(group).or_default().push(one);
    }
    let mut items: Vec<Unexplained> = groups
        .into_iter()
        .map(|((key, application, user_agent), seen)| {
            let sum = |of: fn(&Seen) -> u64| seen.iter().map(of).sum();
            Unexplained {
                calls: sum(|one| one.calls),
                tokens: sum(|one| one.tokens),
                spend_usd: seen.iter().fold(PicoUsdSum::default(), |sum, one| sum + one.spend_usd),
                models: models(&seen),
                likely_owner: likely_owner(snapshot, key.as_deref(), &seen),
                suggested_name: suggested(snapshot, application.as_deref(), key.as_deref()),
                registered_as: registered_as(snapshot, key.as_deref()),
                key,
                application,
                user_agent,
            }
        })
        .collect();
    items.sort_by_key(|item| Reverse((item.spend_usd, item.tokens)));
    let tools = snapshot.workloads.iter().filter(|(_, spec)| !spec.metered);
    let tool = |(name, spec): (&Name, &WorkloadSpec)| Tool {
        name: name.clone(),
        owner: spec.owner.clone(),
        vendor: spec.vendor.clone(),
        monthly_cost_usd: spec.monthly_cost_usd,
    };
    Inventory { items, tools: tools.map(tool).collect() }
}

/// A workload that would explain a row, as far as it can be guessed: of its likely owner, paid
/// by their team, of the dearest tier that was seen.
///
/// # Errors
/// `Invalid` with what nobody could guess.
pub fn draft(snapshot: &Snapshot, row: &Unexplained) -> Result<WorkloadSpec, ApprovalError> {
    let owner = row.likely_owner.clone().ok_or_else(|| {
        ApprovalError::invalid("spec.owner", "nobody is known to call; expected an owner")
    })?;
    let cost_center = cost_center(snapshot, &owner).ok_or_else(|| {
        let message = format!("{owner} has no team with a cost center; expected who pays");
        ApprovalError::invalid("spec.cost_center", message)
    })?;
    let tiers = row.models.iter().filter_map(|seen| snapshot.models.get(seen.model.as_str()));
    // Tiers are ordered from the dearest.
    let tier = tiers.map(|model| model.tier).min().unwrap_or(Tier::Standard);
    Ok(WorkloadSpec {
        purpose: None,
        owner,
        cost_center,
        budget_code: None,
        environment: Environment::Experimentation,
        class: WorkloadClass::Exploration,
        tier,
        data_class: DataClass::Internal,
        fallback: None,
        slo: None,
        degrade_opt_out: false,
        rate_limit: None,
        state: WorkloadState::Discovered,
        criticality: None,
        funding: None,
        tier_rationale: None,
        vendor: None,
        monthly_cost_usd: None,
        metered: true,
        keep_prompts: false,
    })
}

fn cost_center(snapshot: &Snapshot, owner: &PersonName) -> Option<CostCenterName> {
    let team = snapshot.people.get(owner.as_str())?.team.as_ref()?;
    snapshot.teams.get(team.as_str())?.cost_center.clone()
}

fn models(seen: &[Seen]) -> Vec<ModelSeen> {
    let mut models: BTreeMap<&str, ModelSeen> = BTreeMap::new();
    for one in seen {
        let name = one.model.as_deref().unwrap_or("unknown");
        let model = models.entry(name).or_insert_with(|| ModelSeen {
            model: name.to_owned(),
            tokens: 0,
            spend_usd: PicoUsdSum::default(),
        });
        model.tokens += one.tokens;
        model.spend_usd = model.spend_usd + one.spend_usd;
    }
    let mut models: Vec<ModelSeen> = models.into_values().collect();
    models.sort_by_key(|model| Reverse((model.spend_usd, model.tokens)));
    models
}

fn likely_owner(snapshot: &Snapshot, key: Option<&str>, seen: &[Seen]) -> Option<PersonName> {
    let mut people: BTreeMap<&str, (PicoUsdSum, u64)> = BTreeMap::new();
    for one in seen {
        let Some(person) = one.person.as_deref() else { continue };
        let used = people.entry(person).or_default();
        *used = (used.0 + one.spend_usd, used.1 + one.calls);
    }
    people.retain(|person, _| snapshot.people.contains_key(*person));
    let most = people.into_iter().max_by_key(|(_, used)| *used).map(|(person, _)| person);
    let of_key = || snapshot.keys.get(key?)?.person.as_ref().map(PersonName::as_str);
    most.or_else(of_key).and_then(|name| name.parse().ok())
}

/// What a key stands for; what is retired explains nothing.
fn registered_as(snapshot: &Snapshot, key: Option<&str>) -> Option<WorkloadName> {
    let workload = snapshot.keys.get(key?)?.workload.clone()?;
    let known = snapshot.workloads.get(workload.as_str())?;
    (known.state != WorkloadState::Retired).then_some(workload)
}

/// The application's name as a name that is free; else the key's.
fn suggested(snapshot: &Snapshot, application: Option<&str>, key: Option<&str>) -> String {
    let text = application.or(key).unwrap_or("unnamed").to_ascii_lowercase();
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' };
    let text: String = text.chars().take(80).map(plain).collect();
    let base = match text.trim_matches(['-', '.']) {
        "" => "unnamed",
        text => text,
    };
    let is_free = |name: &String| !snapshot.workloads.contains_key(name.as_str());
    let numbered = (2..).map(|number: u64| format!("{base}-{number}"));
    std::iter::once(base.to_owned()).chain(numbered).find(is_free).unwrap_or_default()
}

// === impl Unexplained ===

impl Unexplained {
    /// Whether it is the group of this key, application and user agent.
    pub fn is_of(
        &self,
        key: Option<&KeyName>,
        application: Option<&str>,
        agent: Option<&str>,
    ) -> bool {
        self.key.as_deref() == key.map(KeyName::as_str)
            && self.application.as_deref() == application
            && self.user_agent.as_deref() == agent
    }
}
