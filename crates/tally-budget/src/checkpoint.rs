//! What the journal keeps of the counters, so that a start needs only the rows since.

use tally_types::Timestamp;

use crate::{
    Budgets,
    counter::{Counter, Kept},
    state::{Slot, State},
};

/// One counter as it is kept: what it is of, and how it stood, as JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedCounter {
    /// Which counter, as JSON.
    pub id: String,
    /// How it stood, as JSON.
    pub state: String,
}

/// What changed since the checkpoint before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// All rows of the journal up to this one are counted in it.
    pub sequence: u64,
    /// Counters that changed.
    pub counters: Vec<SavedCounter>,
}

// === impl Budgets ===

impl Budgets {
    /// What changed since the last checkpoint; none when nothing did.
    pub fn checkpoint(&self, since: u64) -> Option<Checkpoint> {
        let mut state = self.state.lock();
        let dirty = state.counters.iter_mut().filter(|counter| counter.dirty);
        let mut counters = Vec::new();
        for counter in dirty {
            let id = serde_json::to_string(&counter.kept.id);
            let saved = serde_json::to_string(&counter.kept);
            // Both are made of plain names and numbers, which JSON always takes.
            if let (Ok(id), Ok(saved)) = (id, saved) {
                counters.push(SavedCounter { id, state: saved });
            }
            counter.dirty = false;
        }
        let sequence = state.sequence;
        (sequence != since || !counters.is_empty()).then_some(Checkpoint { sequence, counters })
    }

    /// Its counters could not be kept: they belong to the next checkpoint.
    pub fn not_kept(&self, checkpoint: &Checkpoint) {
        let mut state = self.state.lock();
        for counter in &mut state.counters {
            let id = serde_json::to_string(&counter.kept.id).unwrap_or_default();
            counter.dirty |= checkpoint.counters.iter().any(|saved| saved.id == id);
        }
    }

    /// Takes over what an earlier run kept; counters of budgets that are gone, and what this
    /// version cannot read, are left out. Tells how many were left out.
    pub fn restore(&self, checkpoint: &Checkpoint, now: Timestamp) -> usize {
        let mut state = self.state.lock();
        state.sequence = checkpoint.sequence;
        let kept = checkpoint.counters.iter().map(|saved| serde_json::from_str(&saved.state));
        let kept: Vec<Kept> = kept.filter_map(Result::ok).collect();
        let taken_over = kept.into_iter().filter_map(|kept| state.take_over(kept, now)).count();
        checkpoint.counters.len() - taken_over
    }
}

// === impl State ===

impl State {
    fn take_over(&mut self, kept: Kept, now: Timestamp) -> Option<()> {
        let is_its = |slot: &Slot| slot.is_active && slot.definition.name == kept.id.budget;
        let place = self.slots.iter().position(is_its)?;
        let each = kept.id.each.as_deref().unwrap_or_default();
        let number = self.counter(u32::try_from(place).ok()?, each, kept.id.environment, now)?;
        let counter = self.counters.get_mut(number as usize)?;
        if kept.counts != counter.kept.counts {
            return None;
        }
        *counter = Counter::restored(kept);
        counter.dirty = false;
        // The organisation's days may have changed meanwhile.
        counter.follow(&self.slots.get(place)?.definition, &self.calendar, false, now);
        Some(())
    }
}
