//! The catalog: every workload with what is missing of it, who uses it, and how it does.

use std::collections::BTreeMap;

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Serialize;
use tally_types::{
    KeyName, Name, PicoUsdSum,
    spec::{Completeness, WorkloadSpec, WorkloadState},
};

use crate::Snapshot;

/// More of the calls than this may not fail.
const ERROR_RATE_MAX: f64 = 0.05;

/// What was used, of the metrics layer.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
pub struct Used {
    /// Calls.
    pub calls: u64,
    /// Tokens of all kinds.
    pub tokens: u64,
    /// What they cost.
    pub spend_usd: PicoUsdSum,
    /// Failed calls ÷ calls.
    pub error_rate: Option<f64>,
    /// 95 % of the calls took at most this long.
    pub latency_p95_ms: Option<f64>,
    /// Share of the calls served by another model than asked for.
    pub fallback_rate: Option<f64>,
}

/// How a workload does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// Nothing to say against it.
    Ok,
    /// More than 5 % of its calls fail.
    Failing,
    /// Slower than its SLO says.
    Slow,
    /// No calls in the range.
    Idle,
    /// Tally does not see its calls.
    Unmetered,
    /// It is over.
    Retired,
}

/// A workload in the catalog.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct CatalogEntry {
    /// Its name.
    pub name: Name,
    /// What is known of it.
    pub spec: WorkloadSpec,
    /// What is missing.
    pub completeness: Completeness,
    /// The keys that are bound to it.
    pub keys: Vec<KeyName>,
    /// What it used in the range.
    pub used: Used,
    /// How it does.
    pub health: Health,
    /// Whether the choice of its tier should have been looked at by now.
    pub review_overdue: bool,
    /// Its newest baseline.
    pub baseline: Option<Name>,
}

/// What holds of all of them.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct CatalogTotal {
    /// How many there are, retired ones apart.
    pub workloads: usize,
    /// Of how many nothing is missing.
    pub complete: usize,
    /// Whole percent of what is asked for that is there, retired ones apart.
    pub percent: usize,
    /// How many there are in each state.
    pub states: BTreeMap<&'static str, usize>,
    /// What no workload explains.
    pub unexplained: Used,
}

/// The catalog.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "ServiceCatalog")]
pub struct Catalog {
    /// Workloads by name.
    pub items: Vec<CatalogEntry>,
    /// What holds of all of them.
    pub total: CatalogTotal,
}

/// The catalog, with what each workload used; what stands under no workload's name is not
/// explained.
pub fn catalog(snapshot: &Snapshot, mut used: BTreeMap<String, Used>, today: Date) -> Catalog {
    let baselines = newest_baselines(snapshot);
    let items: Vec<CatalogEntry> = snapshot
        .workloads
        .iter()
        .map(|(name, spec)| {
            let used = used.remove(name.as_str()).unwrap_or_default();
            CatalogEntry {
                name: name.clone(),
                completeness: spec.completeness(),
                keys: keys_of(snapshot, name),
                health: health(spec, &used),
                review_overdue: spec.is_review_overdue(today),
                baseline: baselines.get(name.as_str()).map(|name| (*name).clone()),
                spec: spec.clone(),
                used,
            }
        })
        .collect();
    let total = total(&items, used.into_values());
    Catalog { items, total }
}

fn total(items: &[CatalogEntry], unexplained: impl Iterator<Item = Used>) -> CatalogTotal {
    let live = || items.iter().filter(|item| item.spec.state != WorkloadState::Retired);
    let sum = |count: fn(&Completeness) -> usize| -> usize {
        live().map(|item| count(&item.completeness)).sum()
    };
    let asked = sum(|completeness| completeness.asked);
    let missing = sum(|completeness| completeness.missing.len());
    let mut states = BTreeMap::new();
    for item in items {
        *states.entry(item.spec.state.as_str()).or_default() += 1;
    }
    let mut rest = Used::default();
    for used in unexplained {
        rest.calls += used.calls;
        rest.tokens += used.tokens;
        rest.spend_usd = rest.spend_usd + used.spend_usd;
    }
    CatalogTotal {
        workloads: live().count(),
        complete: live().filter(|item| item.completeness.missing.is_empty()).count(),
        // Nothing is missing of nothing.
        percent: ((asked - missing) * 100).checked_div(asked).unwrap_or(100),
        states,
        unexplained: rest,
    }
}

fn health(spec: &WorkloadSpec, used: &Used) -> Health {
    let slo = spec.slo.as_ref().and_then(|slo| slo.latency_p95_ms);
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of an SLO are few")]
    let is_slow =
        slo.zip(used.latency_p95_ms).is_some_and(|(most, measured)| measured > most as f64);
    match spec.state {
        WorkloadState::Retired => Health::Retired,
        _ if !spec.metered => Health::Unmetered,
        _ if used.calls == 0 => Health::Idle,
        _ if used.error_rate.is_some_and(|rate| rate > ERROR_RATE_MAX) => Health::Failing,
        _ if is_slow => Health::Slow,
        _ => Health::Ok,
    }
}

/// The keys that stand for a workload, or may.
fn keys_of(snapshot: &Snapshot, workload: &Name) -> Vec<KeyName> {
    let bound = snapshot.keys.iter().filter(|(_, key)| {
        !key.revoked && key.workload.iter().chain(&key.workloads).any(|name| name.0 == *workload)
    });
    bound.map(|(name, _)| KeyName(name.clone())).collect()
}

fn newest_baselines(snapshot: &Snapshot) -> BTreeMap<&str, &Name> {
    let mut newest: BTreeMap<&str, (&Name, jiff::Timestamp)> = BTreeMap::new();
    for (name, baseline) in &snapshot.baselines {
        let known = newest.entry(baseline.workload.as_str()).or_insert((name, baseline.signed_at));
        if baseline.signed_at >= known.1 {
            *known = (name, baseline.signed_at);
        }
    }
    newest.into_iter().map(|(workload, (name, _))| (workload, name)).collect()
}
