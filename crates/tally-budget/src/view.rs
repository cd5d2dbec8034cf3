//! What others read of the budgets: how they stand, what binds next, what was reached.

use tally_types::{BudgetUse, CounterId, StageReached, Timestamp, UsageEvent};

use crate::{Budgets, counter::Mark, state::State};

// === impl Budgets ===

impl Budgets {
    /// How every counter of the budgets in force stands, by its id.
    pub fn uses(&self, now: Timestamp) -> Vec<BudgetUse> {
        let mut state = self.state.lock();
        let numbers = state.active();
        let mut uses: Vec<BudgetUse> = numbers
            .into_iter()
            .filter_map(|(slot, number)| state.report(slot, number, now))
            .collect();
        uses.sort_by(|a, b| a.counter.cmp(&b.counter));
        uses
    }

    /// How one counter stands; none for one that has not counted anything yet.
    pub fn use_of(&self, id: &CounterId, now: Timestamp) -> Option<BudgetUse> {
        let mut state = self.state.lock();
        let (slot, number) = state.find(id)?;
        state.report(slot, number, now)
    }

    /// How the counters stand that a call like this would count against.
    pub fn applying(&self, event: &UsageEvent, now: Timestamp) -> Vec<BudgetUse> {
        let mut state = self.state.lock();
        let numbers = state.applying(event, now);
        numbers.into_iter().filter_map(|(slot, number)| state.report(slot, number, now)).collect()
    }

    /// Of the other budgets that applied to a counter's last call, the one with the least
    /// room left: it would bind next.
    pub fn above(&self, id: &CounterId, now: Timestamp) -> Option<BudgetUse> {
        let mut state = self.state.lock();
        let (_, number) = state.find(id)?;
        let call = state.counters.get(number as usize)?.last_call.clone()?;
        let numbers = state.applying(&call, now);
        let others = numbers.into_iter().filter(|(_, other)| *other != number);
        let uses: Vec<BudgetUse> =
            others.filter_map(|(slot, other)| state.report(slot, other, now)).collect();
        uses.into_iter().min_by_key(|other| {
            let limit = other.limit.amount().max(1);
            let left = limit - other.settled.amount() - other.reserved.amount();
            left.saturating_mul(1_000_000) / limit
        })
    }

    /// Stages that were reached and that nobody took over yet.
    pub fn reached(&self) -> Vec<StageReached> {
        let state = self.state.lock();
        let marks = state
            .counters
            .iter()
            .flat_map(|counter| counter.kept.marks.values().chain([&counter.kept.warning]));
        let open = marks.filter(|mark| !mark.told).filter_map(|mark| mark.reached.clone());
        open.collect()
    }

    /// These were taken over: they are not told again.
    pub fn acknowledge(&self, reached: &[StageReached]) {
        let mut state = self.state.lock();
        for told in reached {
            let Some((_, number)) = state.find(&told.counter) else { continue };
            let Some(counter) = state.counters.get_mut(number as usize) else { continue };
            let kept = &mut counter.kept;
            let marks = kept.marks.values_mut().chain([&mut kept.warning]);
            for mark in marks.filter(|mark| is_about(mark, told)) {
                mark.told = true;
                counter.dirty = true;
            }
        }
    }
}

fn is_about(mark: &Mark, told: &StageReached) -> bool {
    mark.reached.as_ref().is_some_and(|reached| {
        reached.window_start == told.window_start
            && reached.stage.at == told.stage.at
            && reached.round == told.round
            && reached.exhausted_at.is_some() == told.exhausted_at.is_some()
    })
}

// === impl State ===

impl State {
    /// Budgets in force and their counters.
    pub(crate) fn active(&self) -> Vec<(u32, u32)> {
        let slots = (0..).zip(&self.slots).filter(|(_, slot)| slot.is_active);
        slots
            .flat_map(|(number, slot)| {
                let counters = slot.instances.values().flatten().flatten();
                counters.map(move |counter| (number, *counter))
            })
            .collect()
    }

    fn find(&self, id: &CounterId) -> Option<(u32, u32)> {
        self.active().into_iter().find(|(_, number)| {
            self.counters.get(*number as usize).is_some_and(|counter| counter.kept.id == *id)
        })
    }

    fn report(&mut self, slot: u32, counter: u32, now: Timestamp) -> Option<BudgetUse> {
        let slot = self.slots.get(slot as usize)?;
        let counter = self.counters.get_mut(counter as usize)?;
        counter.advance(&slot.definition, &self.calendar, now);
        Some(counter.report(&slot.definition, now))
    }
}
