//! How a counter stands, and where it goes at its pace so far.

use jiff::SignedDuration;
use tally_types::{
    BudgetState, BudgetUse, StageReached, StageUse, Timestamp, Window,
    spec::{BudgetStage, StageRole},
};

use crate::{
    counter::{Counter, Mark},
    definition::{Approval, Definition},
    state::State,
};

/// Before so much of its time and of its limit is gone, a window's pace says little.
const TELLING_PERCENT: i128 = 25;

/// Where a counter is at the end of its window, at its pace so far.
struct Pace {
    projected: i128,
    exhausted_at: Option<Timestamp>,
}

// === impl Counter ===

impl Counter {
    /// How it stands.
    pub(crate) fn report(&self, definition: &Definition, now: Timestamp) -> BudgetUse {
        let amount = |amount: i128| self.limit_as(definition, amount);
        let id = &self.kept.id;
        let limit = self.limit(definition, now);
        let settled = self.kept.window.amount;
        let ceiling = definition.ceiling.map(|share| limit.saturating_mul(share.into()) / 100);
        let pace = self.pace(definition, limit, now);
        let marked = definition.stages.iter().rev().find(|stage| self.is_marked(stage.at));
        BudgetUse {
            counter: id.clone(),
            window_start: self.kept.window.start,
            window_end: self.kept.window.end,
            limit: amount(limit),
            limit_declared: definition.declared(id.environment),
            carried: amount(self.carried(definition)),
            granted: amount(definition.granted(id.each.as_deref(), id.environment, now)),
            settled: amount(settled),
            reserved: amount(self.reserved),
            overage: amount(settled.saturating_sub(limit).max(0)),
            ceiling: ceiling.map(amount),
            projected: pace.as_ref().map(|pace| amount(pace.projected)),
            exhausted_at: pace.and_then(|pace| pace.exhausted_at),
            state: self.state(definition, limit),
            stage: marked.map(|stage| stage.at),
            stages: definition.stages.iter().map(|stage| self.stage(definition, stage)).collect(),
        }
    }

    fn state(&self, definition: &Definition, limit: i128) -> BudgetState {
        let approval = match self.approval(definition) {
            Some((_, Approval::Refused)) => BudgetState::Degraded,
            Some(_) => BudgetState::Approval,
            None if self.kept.marks.values().any(|mark| mark.reached.is_some()) => {
                BudgetState::Notified
            }
            None => BudgetState::Ok,
        };
        let is_at = |share: Option<u32>| share.is_some_and(|share| self.is_past(limit, share));
        let by_use = if is_at(definition.ceiling) {
            BudgetState::Denied
        } else if is_at(definition.degrades_at()) {
            BudgetState::Degraded
        } else {
            BudgetState::Ok
        };
        approval.max(by_use).max(self.last_told.unwrap_or(BudgetState::Ok))
    }

    fn stage(&self, definition: &Definition, stage: &BudgetStage) -> StageUse {
        let reached = self.kept.marks.get(&stage.at).and_then(|mark| mark.reached.as_ref());
        let asked = (!stage.approval.is_empty()).then(|| self.approval_of(definition, stage.at));
        let approved = match asked.flatten() {
            Some(Approval::Given) => Some(true),
            Some(Approval::Refused) => Some(false),
            Some(Approval::Waits) | None => None,
        };
        StageUse { stage: stage.clone(), reached_at: reached.map(|reached| reached.at), approved }
    }

    /// None for a rolling window, which has no end, and while the pace says little.
    fn pace(&self, definition: &Definition, limit: i128, now: Timestamp) -> Option<Pace> {
        if matches!(definition.spec.window, Window::RollingHours(_)) {
            return None;
        }
        let window = &self.kept.window;
        let whole = i128::from(window.end.duration_since(window.start).as_secs()).max(1);
        let gone = i128::from(now.duration_since(window.start).as_secs()).clamp(0, whole);
        if gone.saturating_mul(20) < whole || window.amount <= 0 {
            return None;
        }
        let projected = window.amount.checked_mul(whole)? / gone;
        let exhausted_s = gone.checked_mul(limit)? / window.amount;
        let exhausted_s = i64::try_from(exhausted_s).ok().filter(|at| i128::from(*at) < whole);
        let exhausted_at =
            exhausted_s.and_then(|at| window.start.checked_add(SignedDuration::from_secs(at)).ok());
        Some(Pace { projected, exhausted_at })
    }

    /// Warns once per window when the limit will not last, at the pace so far.
    fn warn_ahead(&mut self, definition: &Definition, now: Timestamp) {
        let limit = self.limit(definition, now);
        let window = &self.kept.window;
        let whole = window.end.duration_since(window.start).as_secs();
        let gone = now.duration_since(window.start).as_secs();
        let is_telling = i128::from(gone) * 100 >= i128::from(whole) * TELLING_PERCENT
            && window.amount.saturating_mul(100) >= limit.saturating_mul(TELLING_PERCENT);
        if self.kept.warning.reached.is_some() || !is_telling || self.is_past(limit, 100) {
            return;
        }
        let Some(exhausted_at) = self.pace(definition, limit, now).and_then(|it| it.exhausted_at)
        else {
            return;
        };
        let told = definition.stages.iter().find(|stage| !stage.notify.is_empty());
        let stage = BudgetStage {
            at: 100,
            notify: told.map_or_else(|| vec![StageRole::Owner], |stage| stage.notify.clone()),
            approval: Vec::new(),
            pending: None,
            degrade: None,
            deny: false,
        };
        let round = self.kept.warning.round;
        let reached = self.reached(definition, stage, limit, None, now, round);
        let reached = StageReached { exhausted_at: Some(exhausted_at), ..reached };
        self.kept.warning = Mark { reached: Some(reached), round, told: false };
        self.dirty = true;
    }
}

// === impl State ===

impl State {
    pub(crate) fn warn_ahead(&mut self, now: Timestamp) {
        for slot in self.slots.iter().filter(|slot| slot.is_active) {
            if matches!(slot.definition.spec.window, Window::RollingHours(_)) {
                continue;
            }
            for number in slot.instances.values().flatten().flatten() {
                if let Some(counter) = self.counters.get_mut(*number as usize) {
                    counter.warn_ahead(&slot.definition, now);
                }
            }
        }
    }
}
