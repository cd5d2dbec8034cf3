//! Every counter behind one lock: what a call may use is reserved, counted and given back.

use std::sync::Arc;

use parking_lot::Mutex;
use tally_types::{EventId, Timestamp, UsageEvent};

use crate::{Ask, Definitions, Standing, Verdict, admit::Admitted, state::State};

/// Every budget and how it stands. Cheap to ask from many calls at once.
#[derive(Debug)]
pub struct Budgets {
    pub(crate) state: Mutex<State>,
}

/// What a call has reserved. Dropped, it gives everything back; handed over, it stays until
/// the journal commits what came of the call.
#[derive(Debug)]
pub struct Hold {
    budgets: Arc<Budgets>,
    event_id: EventId,
    is_handed_over: bool,
}

// === impl Budgets ===

impl Budgets {
    /// Budgets without any use yet.
    pub fn new(definitions: Definitions, now: Timestamp) -> Arc<Self> {
        let state = State::new(definitions.calendar.clone());
        let budgets = Arc::new(Self { state: Mutex::new(state) });
        budgets.configure(definitions, now);
        budgets
    }

    /// Takes over changed definitions. Use stays; a budget that is gone keeps its counters for
    /// when it comes back.
    pub fn configure(&self, definitions: Definitions, now: Timestamp) {
        self.state.lock().configure(definitions, now);
    }

    /// Reserves the most a call may use in every budget that applies, or in none.
    pub fn reserve(self: &Arc<Self>, ask: &Ask<'_>) -> Verdict {
        let event_id = ask.event.event_id;
        let allowed = |standing, is_handed_over| {
            let hold = Hold { budgets: Arc::clone(self), event_id, is_handed_over };
            Verdict::Allowed(hold, standing)
        };
        match self.state.lock().reserve(ask) {
            Admitted::Reserved(standing) => allowed(standing, false),
            Admitted::Free => allowed(Standing::default(), true),
            Admitted::Less(less) => Verdict::Degrade(less),
            Admitted::Refused(refused) => Verdict::Refused(refused),
        }
    }

    /// Counts what the journal committed as its row `sequence`: once, in that order.
    pub fn commit(&self, sequence: u64, event: &UsageEvent, now: Timestamp) {
        let mut state = self.state.lock();
        // Seen in an earlier run, or before a replay.
        if sequence <= state.sequence {
            return;
        }
        state.sequence = sequence;
        state.commit(event, now);
    }

    /// The journal committed a row that no budget counts.
    pub fn skip(&self, sequence: u64) {
        let mut state = self.state.lock();
        state.sequence = state.sequence.max(sequence);
    }

    /// Gives back what a call reserved: it cost nothing.
    pub fn release(&self, event_id: EventId) {
        self.state.lock().release(event_id);
    }

    /// Ends reservations that nobody ended, and moves every counter on. Tells how many ended.
    pub fn expire(&self, now: Timestamp) -> usize {
        self.state.lock().expire(now)
    }
}

// === impl Hold ===

impl Hold {
    /// Leaves what is reserved to the journal's commit.
    pub fn hand_over(mut self) {
        self.is_handed_over = true;
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        if !self.is_handed_over {
            self.budgets.release(self.event_id);
        }
    }
}
