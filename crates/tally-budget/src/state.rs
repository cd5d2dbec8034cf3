//! Budgets as they are defined now, with their counters.

use std::collections::HashMap;

use tally_types::{
    BudgetName, Calendar, CounterId, Environment, EventId, Name, Timestamp, UsageEvent, spec::Each,
};

use crate::{
    Definitions, RolesByName, admit::Reservation, counter::Counter, definition::Definition,
    index::Index,
};

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) calendar: Calendar,
    organization: Option<Name>,
    roles: RolesByName,
    pub(crate) slots: Vec<Slot>,
    by_name: HashMap<BudgetName, u32>,
    index: Index,
    pub(crate) counters: Vec<Counter>,
    pub(crate) reservations: HashMap<EventId, Reservation>,
    /// The journal's newest row that was counted.
    pub(crate) sequence: u64,
}

/// One budget that there is or was, with its counters.
#[derive(Debug)]
pub(crate) struct Slot {
    pub(crate) definition: Definition,
    /// Whether it is among the resources now; use is kept until it comes back.
    pub(crate) is_active: bool,
    /// Whether its past is known, so that new counters begin with nothing.
    pub(crate) is_whole: bool,
    pub(crate) instances: HashMap<String, [Option<u32>; 3]>,
}

// === impl State ===

impl State {
    pub(crate) fn new(calendar: Calendar) -> Self {
        Self {
            calendar,
            organization: None,
            roles: RolesByName::default(),
            slots: Vec::new(),
            by_name: HashMap::new(),
            index: Index::default(),
            counters: Vec::new(),
            reservations: HashMap::new(),
            sequence: 0,
        }
    }

    pub(crate) fn configure(&mut self, definitions: Definitions, now: Timestamp) {
        let Definitions { calendar, organization, roles, budgets, grants } = definitions;
        let is_same_calendar = calendar == self.calendar;
        self.calendar = calendar;
        self.organization = organization;
        self.roles = roles;
        self.index = Index::default();
        for slot in &mut self.slots {
            slot.is_active = false;
        }
        for (name, spec) in budgets {
            let definition = Definition::new(name.clone(), spec, &grants);
            let number = match self.by_name.get(&name) {
                Some(number) => *number,
                None => self.add_slot(name),
            };
            self.index.add(number, &definition.spec.scope);
            self.redefine(number, definition, is_same_calendar, now);
        }
        self.settle_definitions(now);
    }

    fn add_slot(&mut self, name: BudgetName) -> u32 {
        let number = u32::try_from(self.slots.len()).unwrap_or(u32::MAX);
        self.by_name.insert(name, number);
        number
    }

    fn redefine(
        &mut self,
        number: u32,
        definition: Definition,
        is_same_calendar: bool,
        now: Timestamp,
    ) {
        let Some(slot) = self.slots.get_mut(number as usize) else {
            self.slots.push(Slot {
                definition,
                is_active: true,
                is_whole: false,
                instances: HashMap::new(),
            });
            return;
        };
        // What counts otherwise now has another past.
        slot.is_whole &= slot.definition.counts() == definition.counts() && is_same_calendar;
        slot.definition = definition;
        slot.is_active = true;
        for counter in slot.instances.values().flatten().flatten() {
            if let Some(counter) = self.counters.get_mut(*counter as usize) {
                counter.follow(&slot.definition, &self.calendar, is_same_calendar, now);
            }
        }
    }

    /// A lower limit may lie below what is used already, and a grant re-arms stages.
    pub(crate) fn settle_definitions(&mut self, now: Timestamp) {
        for number in 0..self.slots.len() {
            let Some(slot) = self.slots.get(number).filter(|slot| slot.is_active) else { continue };
            let counters: Vec<u32> = slot.instances.values().flatten().flatten().copied().collect();
            for counter in counters {
                self.refresh(number, counter, now);
            }
        }
        self.make_singles(now);
    }

    /// Budgets that are not one for `each` of something have their counters from the start.
    fn make_singles(&mut self, now: Timestamp) {
        for number in 0..self.slots.len() {
            let Some(slot) = self.slots.get(number) else { continue };
            if !slot.is_active || slot.definition.each().is_some() {
                continue;
            }
            let mut environments = vec![None];
            environments.extend(slot.definition.spec.environment_limits.keys().copied().map(Some));
            let number = u32::try_from(number).unwrap_or(u32::MAX);
            for environment in environments {
                self.counter(number, "", environment, now);
            }
        }
    }

    pub(crate) fn refresh(&mut self, slot: usize, counter: u32, now: Timestamp) {
        let (Some(slot), Some(counter)) =
            (self.slots.get(slot), self.counters.get_mut(counter as usize))
        else {
            return;
        };
        counter.advance(&slot.definition, &self.calendar, now);
        let limit = counter.limit(&slot.definition, now);
        counter.rearm(limit);
        counter.mark_reached(&slot.definition, limit, None, now);
    }

    /// The counter of a budget, made when it is needed first.
    pub(crate) fn counter(
        &mut self,
        slot: u32,
        each: &str,
        environment: Option<Environment>,
        now: Timestamp,
    ) -> Option<u32> {
        let slot = self.slots.get_mut(slot as usize)?;
        let place = environment.map_or(0, |environment| match environment {
            Environment::Production => 1,
            Environment::Experimentation => 2,
        });
        if let Some(found) = slot.instances.get(each).and_then(|of| *of.get(place)?) {
            return Some(found);
        }
        let id = CounterId {
            budget: slot.definition.name.clone(),
            each: (!each.is_empty()).then(|| each.to_owned()),
            environment,
        };
        let number = u32::try_from(self.counters.len()).ok()?;
        let mut counter = Counter::new(id, &slot.definition, &self.calendar, now);
        counter.kept.is_whole = slot.is_whole;
        self.counters.push(counter);
        *slot.instances.entry(each.to_owned()).or_default().get_mut(place)? = Some(number);
        Some(number)
    }

    /// The budgets and counters that a call counts against.
    pub(crate) fn applying(&mut self, event: &UsageEvent, now: Timestamp) -> Vec<(u32, u32)> {
        let mut found = Vec::with_capacity(8);
        for number in self.index.candidates(event) {
            let Some(slot) = self.slots.get(number as usize) else { continue };
            let scope = &slot.definition.spec.scope;
            if scope.holds(event, self.organization.as_ref(), self.roles.of(event)) {
                found.push(number);
            }
        }
        found
            .into_iter()
            .filter_map(|number| Some((number, self.counter_of(number, event, now)?)))
            .collect()
    }

    fn counter_of(&mut self, slot: u32, event: &UsageEvent, now: Timestamp) -> Option<u32> {
        let definition = &self.slots.get(slot as usize)?.definition;
        let each = match definition.each() {
            None => "",
            Some(Each::Person) => event.person.as_ref()?.as_str(),
            Some(Each::Team) => event.team.as_ref()?.as_str(),
            Some(Each::Workload) => event.workload.as_ref()?.as_str(),
        };
        let environment = Some(event.environment)
            .filter(|it| definition.spec.environment_limits.contains_key(it));
        self.counter(slot, each, environment, now)
    }
}
