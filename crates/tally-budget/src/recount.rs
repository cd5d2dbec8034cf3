//! Counters that began in the middle of their window take over what was used before.
//!
//! A budget made today counts the whole month. What was used before it was made is known to
//! whoever keeps all events: it looks that up, up to some row of the journal, and what was
//! counted here since that row is added to it. Nothing is counted twice or not at all.

use tally_types::{BudgetName, CounterId, Environment, Timestamp, Window, spec::BudgetSpec};

use crate::{Budgets, counter::Counter, settled::Settled, state::State};

/// Calls that a counter remembers until its past is known; with more, it stays as it is.
const CALLS_MAX: usize = 200_000;

/// A budget whose counters do not know what was used earlier in their window.
#[derive(Debug, Clone, PartialEq)]
pub struct Recount {
    /// The budget.
    pub budget: BudgetName,
    /// What counts against it.
    pub spec: BudgetSpec,
    /// Start of the window.
    pub window_start: Timestamp,
    /// What is looked up must hold all rows of the journal up to this one.
    pub after: u64,
}

/// What was used before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Used {
    /// Whose, where the budget is one of its own for `each` of something.
    pub each: Option<String>,
    /// Of which environment, where that has a limit of its own.
    pub environment: Option<Environment>,
    /// When; matters for rolling windows only.
    pub time: Timestamp,
    /// Picodollars, tokens or calls.
    pub amount: i128,
}

/// A call that was counted while the past was not known yet.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counted {
    pub(crate) sequence: u64,
    pub(crate) time: Timestamp,
    pub(crate) amount: i128,
}

// === impl Budgets ===

impl Budgets {
    /// Budgets whose past is to be looked up.
    pub fn recounts(&self, now: Timestamp) -> Vec<Recount> {
        let state = self.state.lock();
        let slots = state.slots.iter().filter(|slot| slot.is_active && !slot.is_whole);
        slots
            .map(|slot| {
                let spec = slot.definition.spec.clone();
                let window = Settled::new(spec.window, &state.calendar, now);
                let budget = slot.definition.name.clone();
                Recount { budget, spec, window_start: window.start, after: state.sequence }
            })
            .collect()
    }

    /// What was used in the window from `window_start` on, by all rows of the journal up to
    /// `sequence` and nothing after it. Without a way to look it up, `used` is empty.
    pub fn recounted(&self, recount: &Recount, sequence: u64, used: &[Used], now: Timestamp) {
        self.state.lock().recounted(recount, sequence, used, now);
    }
}

// === impl State ===

impl State {
    fn recounted(&mut self, recount: &Recount, sequence: u64, used: &[Used], now: Timestamp) {
        let is_its = |slot: &crate::state::Slot| {
            slot.definition.name == recount.budget
                && slot.definition.spec.scope == recount.spec.scope
        };
        let Some(place) = self.slots.iter().position(is_its) else { return };
        let Ok(number) = u32::try_from(place) else { return };
        for it in used {
            self.counter(number, it.each.as_deref().unwrap_or_default(), it.environment, now);
        }
        let Some(slot) = self.slots.get_mut(place) else { return };
        slot.is_whole = true;
        let counters: Vec<u32> = slot.instances.values().flatten().flatten().copied().collect();
        for number in counters {
            let Some(slot) = self.slots.get(place) else { return };
            let Some(counter) = self.counters.get_mut(number as usize) else { continue };
            if counter.kept.is_whole {
                continue;
            }
            let own = |it: &&Used| is_of(it, &counter.kept.id);
            let used: Vec<Used> = used.iter().filter(own).cloned().collect();
            counter.take_over(slot.definition.spec.window, recount.window_start, sequence, &used);
            self.refresh(place, number, now);
        }
    }
}

fn is_of(used: &Used, id: &CounterId) -> bool {
    used.each == id.each && used.environment == id.environment
}

// === impl Counter ===

impl Counter {
    /// Remembers a call until the past is known.
    pub(crate) fn remember(&mut self, sequence: u64, time: Timestamp, amount: i128) {
        if self.kept.is_whole {
            return;
        }
        self.unsettled.push(Counted { sequence, time, amount });
        if self.unsettled.len() > CALLS_MAX {
            self.unsettled = Vec::new();
            self.kept.is_whole = true;
        }
    }

    fn take_over(&mut self, window: Window, start: Timestamp, sequence: u64, used: &[Used]) {
        let since = std::mem::take(&mut self.unsettled);
        let since = since.into_iter().filter(|it| it.sequence > sequence);
        let calls = used.iter().map(|it| (it.time, it.amount));
        let calls = calls.chain(since.map(|it| (it.time, it.amount)));
        self.kept.is_whole = true;
        self.dirty = true;
        match window {
            Window::Calendar(_) if start == self.kept.window.start => {
                let end = self.kept.window.end;
                let here = calls.filter(|(time, _)| (start..end).contains(time));
                self.kept.window.amount = here.map(|(_, amount)| amount).sum();
            }
            // The next window has begun meanwhile, which was whole from its start.
            Window::Calendar(_) => {}
            Window::RollingHours(hours) => {
                self.kept.window.clear();
                calls.for_each(|(time, amount)| self.kept.window.add_at(hours, time, amount));
            }
        }
    }
}
