//! How far each cost center has come, and what stands before its next stage.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Serialize;
use tally_types::{
    Name, PersonName, PicoUsdSum, TeamName, Timestamp,
    spec::{
        ChargebackModel, CostCenterSpec, GateResult, RolloutStage, RolloutStep, WorkloadSpec,
        WorkloadState,
    },
};

use super::{
    gates::{BillSeen, CostCenterUse, gates},
    stage_of,
};
use crate::Snapshot;

/// How far a cost center has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RolloutProgress {
    /// The cost center.
    pub cost_center: Name,
    /// Who answers for it.
    pub owner: PersonName,
    /// Where it is.
    pub stage: RolloutStage,
    /// Since when; null where it never moved.
    pub since: Option<Timestamp>,
    /// Whether it came there although gates did not hold.
    pub overridden: bool,
    /// Where it goes next; null at the end.
    pub next: Option<RolloutStage>,
    /// What stands before the next stage; at the end, what stood before that.
    pub gates: Vec<GateResult>,
    /// Whether all of them hold.
    pub ready: bool,
    /// How it is charged today.
    pub chargeback: Option<ChargebackModel>,
    /// What is at odds with its stage: it is charged before it should be, or is not although
    /// it should be. Null where nothing is.
    pub at_odds: Option<String>,
    /// What it spent in the last 30 days, at list price.
    pub spend_usd: PicoUsdSum,
    /// Its teams: those that pay here, and those whose people own its workloads.
    pub teams: Vec<TeamName>,
    /// How it came where it is, the oldest first.
    pub steps: Vec<RolloutStep>,
}

/// How far each cost center has come, by name.
pub fn progress(
    snapshot: &Snapshot,
    measured: &BTreeMap<String, CostCenterUse>,
    bills: &[BillSeen],
    today: Date,
) -> Vec<RolloutProgress> {
    let none = CostCenterUse::default();
    let of = |(name, spec): (&Name, &CostCenterSpec)| {
        let record = snapshot.rollouts.get(name);
        let stage = stage_of(record);
        let steps = record.map(|record| record.steps.clone()).unwrap_or_default();
        let used = measured.get(name.as_str()).unwrap_or(&none);
        let before = stage.next().unwrap_or(stage);
        let gates = gates(snapshot, (name, spec), before, used, bills, today);
        let rule = spec.chargeback.as_ref().and_then(|chargeback| chargeback.on(today));
        let charges = rule.as_ref().is_some_and(|rule| rule.charges_on(today));
        RolloutProgress {
            cost_center: name.clone(),
            owner: spec.owner.clone(),
            stage,
            since: steps.last().map(|step| step.at),
            overridden: steps.last().is_some_and(|step| step.overridden),
            next: stage.next(),
            ready: gates.iter().all(|gate| gate.ok),
            gates,
            at_odds: at_odds(stage, charges, rule.is_some()),
            chargeback: rule.map(|rule| rule.model),
            spend_usd: used.used.spend_usd,
            teams: teams_of(snapshot, name),
            steps,
        }
    };
    snapshot.cost_centers.iter().map(of).collect()
}

/// What the chargeback model does that the stage does not say.
fn at_odds(stage: RolloutStage, charges: bool, has_model: bool) -> Option<String> {
    let what = match stage {
        RolloutStage::Chargeback if !charges => "its chargeback model does not charge today",
        RolloutStage::Inventory | RolloutStage::Showback if charges => {
            "its chargeback model charges already"
        }
        RolloutStage::Showback if !has_model => "it has no chargeback model",
        _ => return None,
    };
    Some(format!("it is in stage {stage}, but {what}"))
}

/// The workloads that a cost center pays for, retired ones apart.
pub fn live_workloads<'a>(
    snapshot: &'a Snapshot,
    cost_center: &'a Name,
) -> impl Iterator<Item = (&'a Name, &'a WorkloadSpec)> {
    snapshot.workloads.iter().filter(move |(_, spec)| {
        spec.cost_center.0 == *cost_center && spec.state != WorkloadState::Retired
    })
}

/// The teams that pay here, and those whose people own its workloads.
pub fn teams_of(snapshot: &Snapshot, cost_center: &Name) -> Vec<TeamName> {
    let pays = |name: &&Name| {
        let team = snapshot.teams.get(*name);
        team.and_then(|team| team.cost_center.as_ref()).is_some_and(|it| it.0 == *cost_center)
    };
    let paying = snapshot.teams.keys().filter(pays).map(|name| TeamName(name.clone()));
    let owning = live_workloads(snapshot, cost_center)
        .filter_map(|(_, spec)| snapshot.people.get(spec.owner.as_str())?.team.clone())
        .filter(|team| snapshot.teams.contains_key(team.as_str()));
    let all: BTreeSet<TeamName> = paying.chain(owning).collect();
    all.into_iter().collect()
}
