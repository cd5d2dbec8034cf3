//! One task of the history: its calls, and what came of it.

use tally_types::{
    EventId, Outcome, PicoUsd, Record, ServiceTier, TaskResult, Tier, Timestamp, Tokens,
};

use super::{
    calendar::Day,
    call::{Caller, Scene, uuid},
};
use crate::demo::{
    chance::{Chance, whole},
    company::{ANTHROPIC, BLOATED, Model, Rhythm, SWITCHED, Shape, Workload, Worth},
};

/// Of so many tasks nobody ever reports what came of them.
const UNKNOWN: f64 = 0.15;
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
            served = event.status == tally_types::CallStatus::Ok;
            records.push(Record::Usage(Box::new(event)));
            at_s += 2.0 + chance.wait(pace.wait_s);
        }
        if let (Some(workload), Some(task_id)) = (caller.workload, &caller.task_id)
            && !chance.happens(UNKNOWN)
        {
            let known_s = at_s + chance.wait(600.0);
            let time = day.after_midnight(known_s);
            let result = Result { workload, task_id, tier: caller.model.tier(), served };
            records.push(Record::Outcome(result.outcome(chance, time)));
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
        let fresh = chance.log_normal(self.shape.fresh, 0.55) * bloat;
        let output = chance.log_normal(self.shape.output, 0.6);
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

/// What is needed to tell what came of a task.
struct Result<'a> {
    workload: &'a Workload,
    task_id: &'a str,
    tier: Tier,
    served: bool,
}

// === impl Result ===

impl Result<'_> {
    fn outcome(&self, chance: &mut Chance, time: Timestamp) -> Outcome {
        let edge = match self.tier {
            Tier::Frontier => 0.02,
            Tier::Standard => 0.0,
            Tier::Economy => -0.02,
        };
        let likely = (self.workload.plan.success + edge).min(0.99);
        let succeeded = self.served && chance.happens(likely);
        let quality = if succeeded { chance.normal(0.86, 0.07) } else { chance.normal(0.42, 0.13) };
        let mut outcome = Outcome {
            outcome_id: EventId(uuid(chance, time)),
            revision: 0,
            time,
            workload: Some(self.workload.name.clone()),
            task_id: self.task_id.to_owned(),
            result: if succeeded { TaskResult::Succeeded } else { TaskResult::Failed },
            escalated: chance.happens(if succeeded { 0.025 } else { 0.55 }),
            quality_bp: u16::try_from(whole(quality.clamp(0.0, 1.0) * 10_000.0)).ok(),
            value_usd: None,
            tickets_deflected: None,
            conversions: None,
            minutes_saved: None,
        };
        if succeeded {
            worth(chance, self.workload.plan.worth, &mut outcome);
        }
        outcome
    }
}

fn worth(chance: &mut Chance, worth: Worth, outcome: &mut Outcome) {
    match worth {
        Worth::Ticket(usd) => {
            outcome.tickets_deflected = Some(1);
            outcome.value_usd = cents(chance.log_normal(usd, 0.25));
        }
        Worth::Minutes(minutes) => {
            let minutes = chance.log_normal(minutes, 0.4).max(1.0);
            outcome.minutes_saved = u32::try_from(whole(minutes)).ok();
            // An hour of work at 48 USD, of which half is won back.
            outcome.value_usd = cents(minutes * 0.4);
        }
        Worth::Sale(share, usd) => {
            let sold = chance.happens(share);
            outcome.conversions = Some(u32::from(sold));
            outcome.value_usd = sold.then(|| cents(chance.log_normal(usd, 0.5))).flatten();
        }
        Worth::Money(usd) => outcome.value_usd = cents(chance.log_normal(usd, 0.7)),
        Worth::Unknown => {}
    }
}

fn cents(usd: f64) -> Option<PicoUsd> {
    let cents = i64::try_from(whole(usd * 100.0)).ok()?;
    Some(PicoUsd::from_pico(cents.checked_mul(10_000_000_000)?))
}

/// How many calls a task of a workload takes.
pub(crate) fn calls_of(chance: &mut Chance, workload: &Workload) -> u64 {
    let (low, high) = workload.plan.calls;
    let middle = (low as f64 * high as f64).sqrt();
    let drawn = whole(chance.log_normal(middle, 0.5).round());
    let most = if workload.plan.shape.agent { high * 2 } else { high };
    drawn.clamp(low, most)
}

/// Batches are cheaper where the provider has them.
pub(crate) fn service_tier(workload: &Workload, model: &Model) -> ServiceTier {
    let is_batch = workload.plan.rhythm == Rhythm::Night
        && model.plan.provider == ANTHROPIC
        && !workload.plan.shape.agent;
    if is_batch { ServiceTier::Batch } else { ServiceTier::Standard }
}
