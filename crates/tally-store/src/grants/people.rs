//! Who stands behind the roles that a budget names.

use tally_types::{
    CounterId, PersonName, Role, WorkloadName,
    spec::{BudgetSpec, Each, StageRole},
};

use crate::{Snapshot, approvals::with_role};

/// What a role is resolved for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct About<'a> {
    pub(crate) counter: &'a CounterId,
    /// Whose call it was, where it was a call.
    pub(crate) person: Option<&'a PersonName>,
    /// For which workload, or the one with most use.
    pub(crate) workload: Option<&'a WorkloadName>,
}

/// Everyone who has a role, where the budget and the counter say which.
pub(crate) fn behind(snapshot: &Snapshot, role: StageRole, about: About<'_>) -> Vec<PersonName> {
    let Some(budget) = snapshot.budgets.get(about.counter.budget.as_str()) else {
        return Vec::new();
    };
    let one = match role {
        StageRole::Owner => Some(budget.owner.clone()),
        StageRole::Person => person_of(budget, about),
        StageRole::Manager => manager_of(snapshot, budget, about),
        StageRole::WorkloadOwner => workload_of(budget, about)
            .and_then(|name| snapshot.workloads.get(name))
            .map(|workload| workload.owner.clone()),
        StageRole::Finops => return with_role(snapshot, Role::Finops),
        StageRole::Security => return with_role(snapshot, Role::Security),
        StageRole::Webhook => None,
    };
    one.into_iter().filter(|person| snapshot.people.contains_key(person.as_str())).collect()
}

/// Whether a counter is a person's own, their team's, or one that everyone shares.
pub fn concerns(snapshot: &Snapshot, counter: &CounterId, person: &PersonName) -> bool {
    let Some(budget) = snapshot.budgets.get(counter.budget.as_str()) else { return false };
    if budget.owner == *person {
        return true;
    }
    let team = snapshot.people.get(person.as_str()).and_then(|spec| spec.team.as_ref());
    let of_workload = |name: &str| {
        let workload = snapshot.workloads.get(name);
        let by_key = snapshot.keys.values().any(|key| {
            key.person.as_ref() == Some(person)
                && key.workload.iter().chain(&key.workloads).any(|bound| bound.as_str() == name)
        });
        by_key || workload.is_some_and(|workload| workload.owner == *person)
    };
    let scope = &budget.scope;
    let each = match (scope.each, counter.each.as_deref()) {
        (Some(Each::Person), Some(each)) => each == person.as_str(),
        (Some(Each::Team), Some(each)) => team.is_some_and(|team| team.as_str() == each),
        (Some(Each::Workload), Some(each)) => of_workload(each),
        _ => true,
    };
    each && scope.person.as_ref().is_none_or(|only| only == person)
        && scope.team.as_ref().is_none_or(|only| Some(only) == team)
        && scope.workload.as_ref().is_none_or(|only| of_workload(only.as_str()))
}

fn person_of(budget: &BudgetSpec, about: About<'_>) -> Option<PersonName> {
    let each = about.counter.each.as_deref().filter(|_| budget.scope.each == Some(Each::Person));
    each.and_then(|name| name.parse().ok())
        .or_else(|| budget.scope.person.clone())
        .or_else(|| about.person.cloned())
}

fn manager_of(snapshot: &Snapshot, budget: &BudgetSpec, about: About<'_>) -> Option<PersonName> {
    let each = about.counter.each.as_deref();
    let team_of = |person: &PersonName| snapshot.people.get(person.as_str())?.team.clone();
    let team = match (budget.scope.each, each) {
        (Some(Each::Team), Some(team)) => team.parse().ok(),
        (Some(Each::Person), Some(person)) => {
            person.parse().ok().and_then(|person: PersonName| team_of(&person))
        }
        _ => None,
    };
    let team = team
        .or_else(|| budget.scope.team.clone())
        .or_else(|| budget.scope.person.as_ref().and_then(team_of))
        .or_else(|| about.person.and_then(team_of))?;
    snapshot.teams.get(team.as_str())?.manager.clone()
}

fn workload_of<'a>(budget: &'a BudgetSpec, about: About<'a>) -> Option<&'a str> {
    let each = about.counter.each.as_deref().filter(|_| budget.scope.each == Some(Each::Workload));
    each.or_else(|| budget.scope.workload.as_ref().map(WorkloadName::as_str))
        .or_else(|| about.workload.map(WorkloadName::as_str))
}
