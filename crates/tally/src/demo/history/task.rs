//! One task of the history: its calls, and what came of it.

use tally_types::{CallStatus, Record, ServiceTier, Timestamp, Tokens};

use super::{
    calendar::Day,
    call::{Scene, uuid},
};
use crate::demo::{
    chance::{Chance, whole},
    company::{ANTHROPIC, BLOATED, Model, SWITCHED, Shape, Workload},
    outcome::Done,
    work::{Caller, WITH_TEMPLATE},
};

/// How much longer a bloated prompt is.
const BLOAT: f64 = 1.75;
/// The context of an agent is cut when it gets this large, in tokens.
const AGENT_CONTEXT_MAX: f64 = 170_000.0;

/// How the calls of a task follow one another.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// When the task begins, in seconds after midnight.
    pub(crate) starts_at_s: f64,
    /// How many calls.
    pub(crate) calls: u64,
    /// The mean wait between two calls, in seconds.
    pub(crate) wait_s: f64,
}

// === impl Scene ===

impl<'a> Scene<'a> {
    /// Adds the calls of a task and its outcome.
    pub(crate) fn task(
        &self,
        chance: &mut Chance,
        caller: &Caller<'a>,
        (day, pace): (&Day, Pace),
        shape: Shape,
        records: &mut Vec<Record>,
    ) {
        let mut at_s = pace.starts_at_s;
        let mut context = Context::new(shape, caller.model);
        let mut served = false;
        for _ in 0..pace.calls {
            let time = day.after_midnight(at_s);
            let bloat = self.bloat(caller, time);
            let tokens = context.next(chance, caller, bloat);
            let event = self.call(chance, caller, time, tokens);
            served = event.status == CallStatus::Ok;
            records.push(Record::Usage(Box::new(event)));
            at_s += 2.0 + chance.wait(pace.wait_s);
        }
        if let (Some(workload), Some(task_id)) = (caller.workload, &caller.task_id) {
            let time = day.after_midnight(at_s + chance.wait(600.0));
            let done = Done { workload, task_id, tier: caller.model.tier(), served };
            let id = uuid(chance, time);
            records.extend(done.outcome(chance, id, time).map(Record::Outcome));
        }
    }

    /// The model of a task at a time: one workload has moved to a cheaper one.
    pub(crate) fn model_for(
        &self,
        chance: &mut Chance,
        workload: &Workload,
        time: Timestamp,
    ) -> Option<&'a Model> {
        let name = chance.weighted(workload.plan.models)?;
        let model = self.company.model(name)?;
        let has_moved = workload.plan.name == SWITCHED
            && self.incidents.switched_at.is_some_and(|switched| time >= switched);
        match model.plan.cheaper.filter(|_| has_moved) {
            Some(cheaper) => self.company.model(cheaper),
            None => Some(model),
        }
    }

    fn bloat(&self, caller: &Caller<'_>, time: Timestamp) -> f64 {
        let is_bloated = caller.workload.is_some_and(|workload| workload.plan.name == BLOATED)
            && self.incidents.bloat.is_some_and(|bloat| bloat.holds(time));
        if is_bloated { BLOAT } else { 1.0 }
    }
}

/// What a session's prompts hold, call after call.
struct Context<'a> {
    shape: Shape,
    model: &'a Model,
    /// What the provider has in its cache.
    cached: f64,
}

// === impl Context ===

impl<'a> Context<'a> {
    fn new(shape: Shape, model: &'a Model) -> Self {
        Self { shape, model, cached: 0.0 }
    }

    /// The tokens of the next call.
    fn next(&mut self, chance: &mut Chance, caller: &Caller<'_>, bloat: f64) -> Tokens {
        let less = if caller.template.is_some() { WITH_TEMPLATE } else { 1.0 };
        let fresh = chance.log_normal(self.shape.fresh, 0.55) * bloat * less;
        let output = chance.log_normal(self.shape.output, 0.6) * less;
        let mut tokens = Tokens { input_uncached: 1 + whole(fresh), ..Tokens::default() };
        if self.model.embeds() {
            return tokens;
        }
        tokens.output = 1 + whole(output);
        tokens.reasoning = whole(output * self.model.plan.reasoning * chance.range(0.5, 1.0));
        self.prefix(chance, caller, bloat, &mut tokens);
        tokens
    }

    /// The part of the prompt that could come from a cache.
    fn prefix(
        &mut self,
        chance: &mut Chance,
        caller: &Caller<'_>,
        bloat: f64,
        tokens: &mut Tokens,
    ) {
        let stable = self.shape.cached * bloat;
        let before = self.cached;
        if self.shape.agent {
            // Files read and answers given stay in the context.
            let grown = if before == 0.0 { stable } else { chance.log_normal(3_600.0, 0.8) };
            self.cached = before + grown;
            if self.cached > AGENT_CONTEXT_MAX {
                self.cached = stable;
            }
        } else {
            self.cached = stable;
        }
        if stable < 1.0 {
            return;
        }
        // Somebody else's call may have warmed the cache, and a pause lets it get cold.
        let is_warm = !self.shape.agent && chance.happens(0.82);
        let kept = if before > 0.0 && chance.happens(0.93) { before.min(self.cached) } else { 0.0 };
        let read = if is_warm { self.cached } else { kept };
        let written = whole(self.cached - read);
        tokens.cache_read = whole(read);
        match (self.model.plan.provider, caller.service_tier) {
            (ANTHROPIC, ServiceTier::Standard) if chance.happens(0.06) => {
                tokens.cache_write_1h = written;
            }
            (ANTHROPIC, ServiceTier::Standard) => tokens.cache_write_5m = written,
            // Others cache by themselves and charge nothing for it.
            _ => tokens.input_uncached += written,
        }
    }
}
