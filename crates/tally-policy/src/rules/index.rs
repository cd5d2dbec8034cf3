//! Which rules can hold for a call at all: looked up by the values that they ask for.

use std::collections::HashMap;

use tally_types::spec::PolicyCall;

use super::{condition::Guard, rule::Rule, variables::Variable};

/// Rules by one value that each of them asks for.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// Rules that ask for no value.
    always: Vec<usize>,
    by_value: Vec<(Variable, ByValue)>,
}

/// The places of rules by the value that they ask for.
type ByValue = HashMap<Box<str>, Vec<usize>>;

/// From what leaves the fewest rules to what leaves the most.
const NARROWEST_FIRST: &[Variable] = &[
    Variable::Person,
    Variable::Key,
    Variable::Team,
    Variable::Model,
    Variable::Application,
    Variable::TaskType,
    Variable::Department,
    Variable::Operation,
    Variable::DataClass,
    Variable::Tier,
    Variable::Environment,
];

// === impl Index ===

impl Index {
    pub(super) fn new(rules: &[Rule]) -> Self {
        let mut index = Self::default();
        for (at, rule) in rules.iter().enumerate() {
            let guards = rule.condition.as_ref().map_or(&[][..], |it| it.guards.as_slice());
            let rank = |guard: &Guard| {
                let place = NARROWEST_FIRST.iter().position(|it| *it == guard.variable);
                (place.unwrap_or(NARROWEST_FIRST.len()), guard.values.len())
            };
            match guards.iter().min_by_key(|guard| rank(guard)) {
                Some(guard) => index.insert(guard, at),
                None => index.always.push(at),
            }
        }
        index
    }

    fn insert(&mut self, guard: &Guard, rule: usize) {
        let place = self.by_value.iter().position(|(variable, _)| *variable == guard.variable);
        let place = place.unwrap_or_else(|| {
            self.by_value.push((guard.variable, HashMap::new()));
            self.by_value.len() - 1
        });
        let Some((_, values)) = self.by_value.get_mut(place) else { return };
        for value in &guard.values {
            values.entry(value.clone()).or_default().push(rule);
        }
    }

    /// The places of the rules that can hold, each once.
    pub(super) fn candidates(&self, call: &PolicyCall) -> impl Iterator<Item = usize> {
        let found = self.by_value.iter().filter_map(|(variable, values)| {
            values.get(variable.as_text(call)?).map(Vec::as_slice)
        });
        found.flatten().chain(&self.always).copied()
    }
}
