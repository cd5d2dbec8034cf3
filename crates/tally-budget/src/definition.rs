//! What a budget means: its limits, its stages in order, and where calls are served less.

use std::collections::{BTreeMap, HashMap};

use tally_types::{
    BudgetName, Calendar, Environment, KeyName, Name, PersonName, Role, Timestamp, UsageEvent,
    spec::{
        BudgetLimit, BudgetSpec, BudgetStage, Counted, Each, GrantAsk, GrantSpec, GrantState,
        StageDegrade, StageRole,
    },
};

/// Everything that budgets depend on, as of one revision of the resources.
#[derive(Debug, Clone)]
pub struct Definitions {
    /// What days, weeks and years the organisation counts in.
    pub calendar: Calendar,
    /// The organisation's name, for budgets of a scope that names it.
    pub organization: Option<Name>,
    /// Who has which roles.
    pub roles: RolesByName,
    /// The budgets.
    pub budgets: BTreeMap<BudgetName, BudgetSpec>,
    /// Increases and approvals.
    pub grants: Vec<GrantSpec>,
}

/// Who has which roles: people, and keys that are no person's.
#[derive(Debug, Clone, Default)]
pub struct RolesByName {
    /// Of people.
    pub people: HashMap<PersonName, Vec<Role>>,
    /// Of keys that are no person's.
    pub keys: HashMap<KeyName, Vec<Role>>,
}

/// One budget, ready to be asked.
#[derive(Debug)]
pub(crate) struct Definition {
    pub(crate) name: BudgetName,
    pub(crate) spec: BudgetSpec,
    /// The lowest first.
    pub(crate) stages: Vec<BudgetStage>,
    /// In percent of the limit; never exceeded.
    pub(crate) ceiling: Option<u32>,
    /// Its grants that may matter now or later.
    pub(crate) grants: Vec<GrantSpec>,
}

/// What an approval stage is waiting for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Approval {
    Waits,
    Given,
    Refused,
}

// === impl RolesByName ===

impl RolesByName {
    pub(crate) fn of(&self, event: &UsageEvent) -> &[Role] {
        let person = event.person.as_ref().and_then(|name| self.people.get(name));
        let key = || event.key.as_ref().and_then(|name| self.keys.get(name));
        person.or_else(key).map_or(&[], Vec::as_slice)
    }
}

// === impl Definition ===

impl Definition {
    pub(crate) fn new(name: BudgetName, spec: BudgetSpec, grants: &[GrantSpec]) -> Self {
        let mut stages =
            if spec.stages.is_empty() { default_stages() } else { spec.stages.clone() };
        stages.sort_by_key(|stage| stage.at);
        let ceiling = stages.iter().find(|stage| stage.deny).map(|stage| stage.at);
        let grants = grants.iter().filter(|grant| grant.counter.budget == name).cloned().collect();
        Self { name, spec, stages, ceiling, grants }
    }

    /// The limit as declared, of a counter of this environment.
    pub(crate) fn declared(&self, environment: Option<Environment>) -> BudgetLimit {
        let own = environment.and_then(|it| self.spec.environment_limits.get(&it));
        own.copied().unwrap_or(self.spec.limit)
    }

    /// What is counted over which time, as one word to compare: another scope, unit or window
    /// makes the same number mean something else.
    pub(crate) fn counts(&self) -> String {
        let spec = &self.spec;
        let environments: Vec<_> = spec.environment_limits.keys().collect();
        let unit = spec.limit.unit();
        let parts = (&spec.scope, unit, spec.count, spec.window, environments);
        // Plain names and numbers, which JSON always takes.
        serde_json::to_string(&parts).unwrap_or_default()
    }

    pub(crate) fn counts_cache_reads(&self) -> bool {
        self.spec.count == Counted::All
    }

    pub(crate) fn each(&self) -> Option<Each> {
        self.spec.scope.each
    }

    /// From which percentage on calls are served less: where a stage says so, and at 100 at
    /// the latest, unless calls are refused before.
    pub(crate) fn degrades_at(&self) -> Option<u32> {
        let declared = self.stages.iter().find(|stage| stage.degrade.is_some());
        let at = declared.map_or(100, |stage| stage.at.min(100));
        (self.ceiling.is_none_or(|ceiling| at < ceiling)).then_some(at)
    }

    /// How to serve less once so much of the limit is taken; the workload's declared fallback
    /// when no stage says how.
    pub(crate) fn degrade_for(&self, is_past: impl Fn(u32) -> bool) -> StageDegrade {
        let stages = self.stages.iter().rev();
        let mut declared = stages.filter_map(|stage| Some((stage.at, stage.degrade.as_ref()?)));
        let reached = declared.clone().find(|(at, _)| is_past(*at));
        let lowest = reached.or_else(|| declared.next_back());
        lowest.map(|(_, degrade)| degrade.clone()).unwrap_or_default()
    }

    /// Increases in force.
    pub(crate) fn granted(
        &self,
        each: Option<&str>,
        environment: Option<Environment>,
        now: Timestamp,
    ) -> i128 {
        let unit = self.spec.limit.unit();
        let in_force = self.grants_of(each, environment).filter(|grant| {
            grant.state == GrantState::Approved && grant.requested_at <= now && now < grant.until
        });
        let increases = in_force.filter_map(|grant| match grant.ask {
            GrantAsk::Increase(more) if more.unit() == unit => Some(more.amount()),
            _ => None,
        });
        increases.fold(0, i128::saturating_add)
    }

    /// What became of the approval that a stage asked for when it was reached.
    pub(crate) fn approval(
        &self,
        each: Option<&str>,
        environment: Option<Environment>,
        stage: u32,
        since: Timestamp,
    ) -> Approval {
        let asked = self
            .grants_of(each, environment)
            .filter(|grant| grant.ask == GrantAsk::PassStage(stage) && grant.requested_at >= since);
        match asked.max_by_key(|grant| grant.requested_at).map(|grant| grant.state) {
            Some(GrantState::Approved) => Approval::Given,
            Some(GrantState::Denied | GrantState::Revoked) => Approval::Refused,
            _ => Approval::Waits,
        }
    }

    fn grants_of<'a>(
        &'a self,
        each: Option<&'a str>,
        environment: Option<Environment>,
    ) -> impl Iterator<Item = &'a GrantSpec> {
        self.grants.iter().filter(move |grant| {
            grant.counter.each.as_deref() == each && grant.counter.environment == environment
        })
    }
}

/// What happens on the way of a budget that says nothing of it.
pub(crate) fn default_stages() -> Vec<BudgetStage> {
    let stage = |at| BudgetStage {
        at,
        notify: Vec::new(),
        approval: Vec::new(),
        pending: None,
        degrade: None,
        deny: false,
    };
    vec![
        BudgetStage { notify: vec![StageRole::Owner], ..stage(70) },
        BudgetStage { approval: vec![StageRole::WorkloadOwner, StageRole::Finops], ..stage(80) },
        BudgetStage { notify: vec![StageRole::Manager, StageRole::Finops], ..stage(90) },
        BudgetStage { degrade: Some(StageDegrade::default()), ..stage(100) },
    ]
}
