//! Lets a call in, asks it to be served with less, or refuses it: in all its budgets or in none.

use tally_types::{
    BudgetState, EventId, Timestamp, Window,
    spec::{BudgetLimit, Pending},
};

use crate::{
    Ask, Less, Refused, RefusedBy, Standing,
    counter::Counter,
    definition::{Approval, Definition},
    state::{Slot, State},
};

/// After so long a reservation ends by itself: no call takes longer.
const RESERVED_MAX: jiff::SignedDuration = jiff::SignedDuration::from_hours(12);

/// What one counter says to a call.
enum Word {
    Fine,
    Waits,
    Less(u32),
    No(RefusedBy),
}

/// What came of a call that asked.
pub(crate) enum Admitted {
    /// Reserved in all its budgets.
    Reserved(Standing),
    /// No budget applies.
    Free,
    Less(Less),
    Refused(Refused),
}

#[derive(Debug)]
pub(crate) struct Reservation {
    pub(crate) lines: Vec<Line>,
    pub(crate) ends_at: Timestamp,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Line {
    pub(crate) slot: u32,
    pub(crate) counter: u32,
    period: Timestamp,
    pub(crate) amount: i128,
}

/// What the budgets asked so far say to a call.
#[derive(Default)]
struct Answer {
    standing: Standing,
    less: Option<Less>,
    /// Millionths of the limit left, and what is left, of the budget with the least.
    tightest: Option<(i128, BudgetLimit)>,
    lines: Vec<Line>,
}

// === impl Answer ===

impl Answer {
    /// Asks one budget more.
    fn ask(
        &mut self,
        (slot_number, slot): (u32, &Slot),
        (number, counter): (u32, &mut Counter),
        ask: &Ask<'_>,
    ) -> Result<(), Box<Refused>> {
        let definition = &slot.definition;
        let limit = counter.limit(definition, ask.now);
        let wanted = ask.demand.amount(definition.spec.limit, definition.counts_cache_reads());
        let amount = wanted.unwrap_or(0);
        match word(counter, definition, limit, wanted) {
            Word::No(by) => {
                counter.last_told = Some(BudgetState::Denied);
                note_denial(counter, definition, limit, ask);
                return Err(Box::new(refused(counter, definition, limit, by, amount)));
            }
            Word::Less(at) if !ask.is_degraded => {
                counter.last_told = Some(BudgetState::Degraded);
                note_degradation(counter, definition, limit, ask);
                let taken = counter.taken().saturating_add(amount);
                let how = definition.degrade_for(|share| is_over(taken, limit, share));
                let binding = || Less { binding: counter.kept.id.clone(), at, how: Vec::new() };
                self.less.get_or_insert_with(binding).how.push(how);
            }
            word => self.standing.take(counter, definition, &word),
        }
        let left = limit.saturating_sub(counter.taken()).saturating_sub(amount);
        let share = left.saturating_mul(1_000_000) / limit.max(1);
        if self.tightest.is_none_or(|(least, _)| share < least) {
            self.tightest = Some((share, counter.limit_as(definition, left)));
        }
        let period = counter.kept.window.start;
        self.lines.push(Line { slot: slot_number, counter: number, period, amount });
        Ok(())
    }
}

impl State {
    pub(crate) fn reserve(&mut self, ask: &Ask<'_>) -> Admitted {
        let applying = self.applying(ask.event, ask.now);
        if applying.is_empty() {
            return Admitted::Free;
        }
        let mut answer = Answer { lines: Vec::with_capacity(applying.len()), ..Answer::default() };
        for (slot_number, number) in applying {
            let Some((slot, counter)) = self.at(slot_number, number, ask.now) else { continue };
            if let Err(refused) = answer.ask((slot_number, slot), (number, counter), ask) {
                return Admitted::Refused(*refused);
            }
        }
        if let Some(less) = answer.less {
            return Admitted::Less(less);
        }
        self.hold(ask, answer.lines);
        let remaining = answer.tightest.map(|(_, left)| left);
        Admitted::Reserved(Standing { remaining, ..answer.standing })
    }

    pub(crate) fn at(
        &mut self,
        slot: u32,
        counter: u32,
        now: Timestamp,
    ) -> Option<(&Slot, &mut Counter)> {
        let slot = self.slots.get(slot as usize)?;
        let counter = self.counters.get_mut(counter as usize)?;
        counter.advance(&slot.definition, &self.calendar, now);
        Some((slot, counter))
    }

    fn hold(&mut self, ask: &Ask<'_>, lines: Vec<Line>) {
        for line in &lines {
            if let Some(counter) = self.counters.get_mut(line.counter as usize) {
                counter.reserved = counter.reserved.saturating_add(line.amount);
            }
        }
        let ends_at = ask.now.checked_add(RESERVED_MAX).unwrap_or(Timestamp::MAX);
        let reservation = Reservation { lines, ends_at };
        if let Some(earlier) = self.reservations.insert(ask.event.event_id, reservation) {
            self.give_back(&earlier);
        }
    }

    pub(crate) fn release(&mut self, event_id: EventId) {
        if let Some(reservation) = self.reservations.remove(&event_id) {
            self.give_back(&reservation);
        }
    }

    pub(crate) fn give_back(&mut self, reservation: &Reservation) {
        for line in &reservation.lines {
            let Some(slot) = self.slots.get(line.slot as usize) else { continue };
            let is_rolling = matches!(slot.definition.spec.window, Window::RollingHours(_));
            if let Some(counter) = self.counters.get_mut(line.counter as usize) {
                counter.give_back(line.period, line.amount, is_rolling);
            }
        }
    }
}

/// What one counter says to a call, the strictest first.
fn word(counter: &Counter, definition: &Definition, limit: i128, wanted: Option<i128>) -> Word {
    let Some(wanted) = wanted else { return Word::No(RefusedBy::PriceUnknown) };
    let taken = counter.taken().saturating_add(wanted);
    if let Some(share) = definition.ceiling.filter(|share| is_over(taken, limit, *share)) {
        let ceiling = limit.saturating_mul(i128::from(share)) / 100;
        let left = ceiling.saturating_sub(counter.taken()).max(0);
        return Word::No(RefusedBy::Ceiling { left: counter.limit_as(definition, left) });
    }
    let waits = match counter.approval(definition) {
        Some((stage, Approval::Refused)) => match definition.degrades_at() {
            Some(_) => return Word::Less(stage.at),
            None => return Word::No(RefusedBy::ApprovalDenied),
        },
        Some((stage, _)) => match stage.pending.unwrap_or(Pending::Continue) {
            Pending::Deny => return Word::No(RefusedBy::ApprovalWaits),
            Pending::Degrade => return Word::Less(stage.at),
            Pending::Continue => true,
        },
        None => false,
    };
    match definition.degrades_at().filter(|share| is_over(taken, limit, *share)) {
        Some(share) => Word::Less(share),
        None if waits => Word::Waits,
        None => Word::Fine,
    }
}

fn is_over(taken: i128, limit: i128, share: u32) -> bool {
    taken.saturating_mul(100) > limit.saturating_mul(i128::from(share))
}

/// The stage that denies counts as reached once it denies, if nothing is left out before it.
fn note_denial(counter: &mut Counter, definition: &Definition, limit: i128, ask: &Ask<'_>) {
    let denies = definition.stages.iter().find(|stage| stage.deny);
    if let Some(stage) = denies.filter(|stage| counter.is_next(definition, stage)) {
        counter.mark(definition, stage, limit, Some(ask.event), ask.now);
    }
}

fn note_degradation(counter: &mut Counter, definition: &Definition, limit: i128, ask: &Ask<'_>) {
    let mut degrading = definition.stages.iter().filter(|stage| stage.degrade.is_some());
    if let Some(stage) = degrading.find(|stage| counter.is_next(definition, stage)) {
        counter.mark(definition, stage, limit, Some(ask.event), ask.now);
    }
}

fn refused(
    counter: &Counter,
    definition: &Definition,
    limit: i128,
    by: RefusedBy,
    wanted: i128,
) -> Refused {
    let window = &counter.kept.window;
    let resets_at = match definition.spec.window {
        Window::RollingHours(hours) => window.freed_at(hours, wanted),
        Window::Calendar(_) => window.end,
    };
    let limit = counter.limit_as(definition, limit);
    Refused { binding: counter.kept.id.clone(), by, limit, resets_at }
}

// === impl Standing ===

impl Standing {
    fn take(&mut self, counter: &mut Counter, definition: &Definition, word: &Word) {
        let reached = definition.stages.iter().rev().find(|stage| counter.is_marked(stage.at));
        let state = match word {
            Word::Less(_) => BudgetState::Degraded,
            Word::Waits => BudgetState::Approval,
            _ if reached.is_some() => BudgetState::Notified,
            _ => BudgetState::Ok,
        };
        counter.last_told = Some(state);
        self.has_ceiling |= definition.ceiling.is_some();
        self.stage = self.stage.max(reached.map(|stage| stage.at));
        let is_stricter = strictness(state) > strictness(self.state);
        if is_stricter || (self.binding.is_none() && state != BudgetState::Ok) {
            self.state = state;
            self.binding = Some(counter.kept.id.clone());
        }
    }
}

/// Deny before approval before degrade before notify.
const fn strictness(state: BudgetState) -> u8 {
    match state {
        BudgetState::Ok => 0,
        BudgetState::Notified => 1,
        BudgetState::Degraded => 2,
        BudgetState::Approval => 3,
        BudgetState::Denied => 4,
    }
}
