//! Finds the budgets that may apply to a call without looking at the others.

use std::collections::HashMap;

use tally_types::{UsageEvent, spec::BudgetScope};

/// Budgets by the narrowest thing their scope names.
#[derive(Debug, Default)]
pub(crate) struct Index {
    by_value: [HashMap<String, Vec<u32>>; FIELDS],
    /// Those that name nothing that could be looked up.
    everywhere: Vec<u32>,
}

/// The narrowest first.
const FIELDS: usize = 11;

// === impl Index ===

impl Index {
    pub(crate) fn add(&mut self, budget: u32, scope: &BudgetScope) {
        let wanted = wanted(scope);
        let narrowest = wanted.into_iter().zip(&mut self.by_value);
        for (value, budgets) in narrowest {
            if let Some(value) = value {
                budgets.entry(value.to_owned()).or_default().push(budget);
                return;
            }
        }
        self.everywhere.push(budget);
    }

    /// Budgets whose scope may hold the event; it has still to be asked.
    pub(crate) fn candidates(&self, event: &UsageEvent) -> impl Iterator<Item = u32> {
        let found = actual(event).into_iter().zip(&self.by_value);
        let found = found.filter_map(|(value, budgets)| budgets.get(value?));
        found.flatten().chain(&self.everywhere).copied()
    }
}

fn wanted(scope: &BudgetScope) -> [Option<&str>; FIELDS] {
    [
        scope.key.as_ref().map(|name| name.as_str()),
        scope.person.as_ref().map(|name| name.as_str()),
        scope.workload.as_ref().map(|name| name.as_str()),
        scope.team.as_ref().map(|name| name.as_str()),
        scope.cost_center.as_ref().map(|name| name.as_str()),
        scope.model.as_ref().map(|name| name.as_str()),
        scope.department.as_deref(),
        scope.task_type.as_deref(),
        scope.provider.as_ref().map(|name| name.as_str()),
        scope.tier.map(|tier| tier.as_str()),
        scope.workload_class.map(|class| class.as_str()),
    ]
}

fn actual(event: &UsageEvent) -> [Option<&str>; FIELDS] {
    [
        event.key.as_ref().map(|name| name.as_str()),
        event.person.as_ref().map(|name| name.as_str()),
        event.workload.as_ref().map(|name| name.as_str()),
        event.team.as_ref().map(|name| name.as_str()),
        event.cost_center.as_ref().map(|name| name.as_str()),
        event.model_served.as_deref(),
        event.department.as_deref(),
        event.task_type.as_deref(),
        event.provider.as_ref().map(|name| name.as_str()),
        event.tier.map(|tier| tier.as_str()),
        event.workload_class.map(|class| class.as_str()),
    ]
}
