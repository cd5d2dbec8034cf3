//! One counter: a budget, of whom, in the window that goes on.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};
use tally_types::{
    Calendar, CounterId, StageReached, Timestamp, UsageEvent, Window, WorkloadName,
    spec::{BudgetLimit, BudgetStage},
};

use crate::{
    definition::{Approval, Definition},
    recount::Counted,
    settled::Settled,
};

/// Workloads that a counter tells apart; the use of others is only in its sum.
const WORKLOADS_MAX: usize = 256;

/// What is kept across restarts.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Kept {
    pub(crate) id: CounterId,
    /// What it counted, as [`Definition::counts`] said.
    pub(crate) counts: String,
    pub(crate) window: Settled,
    /// The calendar period before, for calls that end or are told of late.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) before: Option<Settled>,
    /// Stages reached, by percentage.
    #[serde(default)]
    pub(crate) marks: BTreeMap<u32, Mark>,
    /// The warning ahead of the limit.
    #[serde(default)]
    pub(crate) warning: Mark,
    #[serde(default)]
    workloads: BTreeMap<WorkloadName, i128>,
    /// Whether it has counted since the window began; if not, what came before it is to be
    /// looked up.
    #[serde(default)]
    pub(crate) is_whole: bool,
}

/// What became of one stage in this window.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Mark {
    pub(crate) reached: Option<StageReached>,
    /// How often a raised limit has re-armed it.
    pub(crate) round: u32,
    /// Whether somebody took it over.
    pub(crate) told: bool,
}

#[derive(Debug)]
pub(crate) struct Counter {
    pub(crate) kept: Kept,
    /// What calls under way may still use.
    pub(crate) reserved: i128,
    /// The same, of calls that began in the period before.
    pub(crate) reserved_before: i128,
    pub(crate) dirty: bool,
    /// What was counted while the past was not known.
    pub(crate) unsettled: Vec<Counted>,
    /// The last call that counted; shows which other budgets apply.
    pub(crate) last_call: Option<Arc<UsageEvent>>,
    /// What the last call was told, in this window.
    pub(crate) last_told: Option<tally_types::BudgetState>,
}

// === impl Counter ===

impl Counter {
    pub(crate) fn new(
        id: CounterId,
        definition: &Definition,
        calendar: &Calendar,
        now: Timestamp,
    ) -> Self {
        let window = Settled::new(definition.spec.window, calendar, now);
        Self::restored(Kept {
            id,
            counts: definition.counts(),
            window,
            before: None,
            marks: BTreeMap::new(),
            warning: Mark::default(),
            workloads: BTreeMap::new(),
            is_whole: false,
        })
    }

    pub(crate) const fn restored(kept: Kept) -> Self {
        Self {
            kept,
            reserved: 0,
            reserved_before: 0,
            dirty: true,
            unsettled: Vec::new(),
            last_call: None,
            last_told: None,
        }
    }

    /// Follows a changed definition: what it counted stays, unless that means something else
    /// now; then it is to be looked up anew.
    pub(crate) fn follow(
        &mut self,
        definition: &Definition,
        calendar: &Calendar,
        is_same_calendar: bool,
        now: Timestamp,
    ) {
        let counts_alike = self.kept.counts == definition.counts();
        if counts_alike && is_same_calendar {
            return;
        }
        let window = &self.kept.window;
        let alike = Settled::new(definition.spec.window, calendar, window.start);
        let is_alike = (alike.start, alike.end) == (window.start, window.end)
            || matches!(definition.spec.window, Window::RollingHours(_));
        if !counts_alike || !is_alike {
            self.kept = Self::new(self.kept.id.clone(), definition, calendar, now).kept;
            self.dirty = true;
        }
    }

    /// What is taken: used, and held for calls under way.
    pub(crate) fn taken(&self) -> i128 {
        self.kept.window.amount.saturating_add(self.reserved)
    }

    /// 100 % now: as declared, with what was carried over and granted.
    pub(crate) fn limit(&self, definition: &Definition, now: Timestamp) -> i128 {
        let id = &self.kept.id;
        let declared = definition.declared(id.environment).amount();
        let granted = definition.granted(id.each.as_deref(), id.environment, now);
        declared.saturating_add(self.carried(definition)).saturating_add(granted)
    }

    /// What the period before has left over; calls that still belong to it may yet use it.
    pub(crate) fn carried(&self, definition: &Definition) -> i128 {
        let Some(before) = self.kept.before.as_ref().filter(|_| definition.spec.carry_over) else {
            return 0;
        };
        let declared = definition.declared(self.kept.id.environment).amount();
        declared.saturating_sub(before.amount).saturating_sub(self.reserved_before).max(0)
    }

    pub(crate) fn limit_as(&self, definition: &Definition, amount: i128) -> BudgetLimit {
        definition.declared(self.kept.id.environment).with_amount(amount)
    }

    /// Moves on to the window that now is in.
    pub(crate) fn advance(&mut self, definition: &Definition, calendar: &Calendar, now: Timestamp) {
        match definition.spec.window {
            Window::RollingHours(hours) => self.kept.window.roll(hours, now),
            // A clock that steps back stays in the window that has begun.
            Window::Calendar(_) if now >= self.kept.window.end => {
                self.begin_period(definition, calendar, now);
            }
            Window::Calendar(_) => {}
        }
    }

    fn begin_period(&mut self, definition: &Definition, calendar: &Calendar, now: Timestamp) {
        let next = Settled::new(definition.spec.window, calendar, now);
        let is_next = next.start == self.kept.window.end;
        self.reserved_before = if is_next { self.reserved } else { 0 };
        self.reserved = 0;
        let old = std::mem::replace(&mut self.kept.window, next);
        let unused = || {
            let end = self.kept.window.start.checked_sub(jiff::SignedDuration::from_nanos(1));
            end.ok().map(|end| Settled::new(definition.spec.window, calendar, end))
        };
        self.kept.before = if is_next { Some(old) } else { unused() };
        self.kept.marks.clear();
        self.kept.warning = Mark::default();
        self.kept.workloads.clear();
        self.kept.is_whole = true;
        self.unsettled = Vec::new();
        self.last_told = None;
        self.dirty = true;
    }

    /// Gives back what was held for a call.
    pub(crate) fn give_back(&mut self, period: Timestamp, amount: i128, is_rolling: bool) {
        let held = if is_rolling || period == self.kept.window.start {
            &mut self.reserved
        } else {
            &mut self.reserved_before
        };
        *held = held.saturating_sub(amount).max(0);
    }

    /// Counts use at the time of its call; what lies before the period before counts nowhere.
    pub(crate) fn count(
        &mut self,
        definition: &Definition,
        event: &UsageEvent,
        amount: i128,
    ) -> bool {
        let time = event.time;
        match definition.spec.window {
            Window::RollingHours(hours) => self.kept.window.add_at(hours, time, amount),
            Window::Calendar(_) if time < self.kept.window.start => {
                self.dirty = true;
                if let Some(before) = self.kept.before.as_mut().filter(|it| it.holds(time)) {
                    before.add(amount);
                }
                return false;
            }
            // A call dated after the end counts now: its window has not begun.
            Window::Calendar(_) => self.kept.window.add(amount),
        }
        self.dirty = true;
        if let Some(workload) = &event.workload {
            let workloads = &mut self.kept.workloads;
            if workloads.len() < WORKLOADS_MAX || workloads.contains_key(workload) {
                *workloads.entry(workload.clone()).or_default() += amount;
            }
        }
        true
    }

    /// Whether the stage's share of the limit was used.
    pub(crate) fn is_past(&self, limit: i128, at: u32) -> bool {
        self.kept.window.amount.saturating_mul(100) >= limit.saturating_mul(i128::from(at))
    }

    /// Stages that a higher limit, or time, took the counter out of again are re-armed.
    pub(crate) fn rearm(&mut self, limit: i128) {
        let used = self.kept.window.amount;
        let below = |at: u32| used.saturating_mul(100) < limit.saturating_mul(i128::from(at));
        for (at, mark) in &mut self.kept.marks {
            // Degradation may reach a stage before as much is settled: that alone re-arms nothing.
            let has_room = |reached: &StageReached| {
                limit > reached.limit.amount() || used < reached.settled.amount()
            };
            if mark.told && below(*at) && mark.reached.as_ref().is_some_and(has_room) {
                *mark = Mark { reached: None, round: mark.round + 1, told: false };
                self.dirty = true;
            }
        }
    }

    /// Marks every stage that was reached and was not marked yet, the lowest first.
    pub(crate) fn mark_reached(
        &mut self,
        definition: &Definition,
        limit: i128,
        cause: Option<&UsageEvent>,
        now: Timestamp,
    ) {
        for stage in &definition.stages {
            if self.is_past(limit, stage.at) {
                self.mark(definition, stage, limit, cause, now);
            }
        }
    }

    pub(crate) fn mark(
        &mut self,
        definition: &Definition,
        stage: &BudgetStage,
        limit: i128,
        cause: Option<&UsageEvent>,
        now: Timestamp,
    ) {
        if self.kept.marks.get(&stage.at).is_some_and(|mark| mark.reached.is_some()) {
            return;
        }
        let round = self.kept.marks.get(&stage.at).map_or(0, |mark| mark.round);
        let reached = self.reached(definition, stage.clone(), limit, cause, now, round);
        self.kept.marks.insert(stage.at, Mark { reached: Some(reached), round, told: false });
        self.dirty = true;
    }

    /// Whether all stages below one were reached.
    pub(crate) fn is_next(&self, definition: &Definition, stage: &BudgetStage) -> bool {
        let mut below = definition.stages.iter().filter(|other| other.at < stage.at);
        below.all(|other| self.is_marked(other.at))
    }

    pub(crate) fn is_marked(&self, at: u32) -> bool {
        self.kept.marks.get(&at).is_some_and(|mark| mark.reached.is_some())
    }

    pub(crate) fn reached(
        &self,
        definition: &Definition,
        stage: BudgetStage,
        limit: i128,
        cause: Option<&UsageEvent>,
        now: Timestamp,
        round: u32,
    ) -> StageReached {
        let top = self.kept.workloads.iter().max_by_key(|(_, amount)| **amount);
        StageReached {
            counter: self.kept.id.clone(),
            window_start: self.kept.window.start,
            window_end: self.kept.window.end,
            stage,
            round,
            limit: self.limit_as(definition, limit),
            settled: self.limit_as(definition, self.kept.window.amount),
            at: now,
            exhausted_at: None,
            person: cause.and_then(|event| event.person.clone()),
            workload: cause.and_then(|event| event.workload.clone()),
            top_workload: top.map(|(workload, _)| workload.clone()),
        }
    }

    /// The approvals of stages that were reached: the strictest that is not given.
    pub(crate) fn approval<'a>(
        &self,
        definition: &'a Definition,
    ) -> Option<(&'a BudgetStage, Approval)> {
        let asked = definition.stages.iter().filter(|stage| !stage.approval.is_empty());
        let open = asked.filter_map(|stage| Some((stage, self.approval_of(definition, stage.at)?)));
        open.filter(|(_, approval)| *approval != Approval::Given)
            .max_by_key(|(stage, approval)| (*approval == Approval::Refused, stage.at))
    }

    /// What became of the approval of one stage; none before it is reached.
    pub(crate) fn approval_of(&self, definition: &Definition, at: u32) -> Option<Approval> {
        let reached = self.kept.marks.get(&at)?.reached.as_ref()?;
        let id = &self.kept.id;
        Some(definition.approval(id.each.as_deref(), id.environment, at, reached.at))
    }
}
