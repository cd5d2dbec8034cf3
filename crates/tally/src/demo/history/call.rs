//! One call of the history: how it ended, how long it took, what it cost.

use jiff::Timestamp;
use tally_pricing::PriceCatalog;
use tally_types::{
    CallId, CallStatus, CountQuality, Environment, EventId, FallbackReason, Source, Tokens,
    UsageEvent,
};
use uuid::Uuid;

use super::incidents::Incidents;
use crate::demo::{
    chance::{Chance, whole},
    company::{ANTHROPIC, Company, Model},
    work::Caller,
};

/// Shares of calls on an ordinary day.
const FAILED: f64 = 0.014;
const CUT: f64 = 0.003;
const FELL_BACK: f64 = 0.008;
const RETRIED: f64 = 0.022;
/// How much longer calls take while a provider fails.
const OUTAGE_SLOWNESS: f64 = 3.2;
/// What waiting for a model that does not come costs, in milliseconds.
const FALLBACK_WAIT_MS: f64 = 6_500.0;

/// What an hour of the past is made from.
#[derive(Debug)]
pub(crate) struct Scene<'a> {
    pub(crate) company: &'a Company,
    pub(crate) incidents: &'a Incidents,
    pub(crate) prices: &'a PriceCatalog,
}

/// How a call ended.
enum Fate<'a> {
    Served { by: &'a Model, retries: u16 },
    Failed { status: CallStatus, http_status: Option<u16>, code: &'static str, retries: u16 },
    Cut,
}

// === impl Scene ===

impl<'a> Scene<'a> {
    /// The event of one call that would have used these tokens.
    pub(crate) fn call(
        &self,
        chance: &mut Chance,
        caller: &Caller<'a>,
        time: Timestamp,
        wanted: Tokens,
    ) -> UsageEvent {
        let is_out = self.incidents.is_out(caller.model, time);
        let fate = self.fate(chance, caller, is_out);
        let id = EventId(uuid(chance, time));
        let mut event = UsageEvent::new(id, CallId(id.0), time, Source::Simulated);
        self.attribute(&mut event, caller);
        let served = match &fate {
            Fate::Served { by, .. } => *by,
            _ => caller.model,
        };
        serve(&mut event, served);
        event.tokens = match fate {
            Fate::Served { .. } => wanted,
            Fate::Failed { .. } => Tokens::default(),
            Fate::Cut => cut(chance, wanted),
        };
        take_time(chance, &mut event, served, is_out);
        end(&mut event, &fate, caller.model);
        let names = [served.plan.name];
        self.prices.price_event(served.plan.provider, &names, &mut event);
        event
    }

    fn attribute(&self, event: &mut UsageEvent, caller: &Caller<'_>) {
        let workload = caller.workload;
        let own = caller.person.and_then(|person| self.company.team_of(person));
        let team = own.or_else(|| self.company.teams.get(workload?.team));
        event.person = caller.person.map(|person| person.name.clone());
        event.team = team.map(|team| team.name.clone());
        event.department = team.map(|team| team.plan.department.to_owned());
        event.cost_center = workload
            .map(|workload| workload.cost_center.clone())
            .or_else(|| own?.plan.cost_center.parse().ok());
        event.key.clone_from(&caller.key);
        if let Some(workload) = workload {
            event.workload = Some(workload.name.clone());
            event.workload_class = Some(workload.plan.class);
            event.data_class = workload.plan.data_class;
        }
        event.environment =
            workload.map_or(Environment::Experimentation, |workload| workload.plan.environment);
        event.application = Some(caller.application.clone());
        event.user_agent = Some(caller.user_agent.clone());
        event.task_type = caller.task_type.map(str::to_owned);
        event.template = caller.template.and_then(|name| name.parse().ok());
        event.task_id.clone_from(&caller.task_id);
        event.session.clone_from(&caller.session);
        event.value_tag = caller.value.map(str::to_owned);
        event.tags.extend(caller.value.map(|value| ("value".to_owned(), value.to_owned())));
        event.model_requested = caller.model.plan.name.to_owned();
        event.service_tier = caller.service_tier;
        event.streamed = caller.streamed;
        event.subscription = caller.subscription;
    }

    fn fate(&self, chance: &mut Chance, caller: &Caller<'a>, is_out: bool) -> Fate<'a> {
        let cheaper = caller.model.plan.cheaper.and_then(|name| self.company.model(name));
        // Only a workload declares what to fall back to.
        let fallback = cheaper.filter(|_| caller.workload.is_some());
        let (fell_back, failed) = if is_out { (0.55, 0.2) } else { (FELL_BACK, FAILED) };
        let luck = chance.unit();
        match fallback {
            Some(by) if luck < fell_back => Fate::Served { by, retries: 2 },
            None if luck < fell_back && is_out => overloaded(),
            _ if luck < fell_back + failed => failure(chance, is_out),
            _ if luck < fell_back + failed + CUT && caller.streamed => Fate::Cut,
            _ => Fate::Served { by: caller.model, retries: u16::from(chance.happens(RETRIED)) },
        }
    }
}

fn overloaded<'a>() -> Fate<'a> {
    Fate::Failed {
        status: CallStatus::Error,
        http_status: Some(529),
        code: "overloaded_error",
        retries: 2,
    }
}

fn failure<'a>(chance: &mut Chance, is_out: bool) -> Fate<'a> {
    let error = |http_status, code| Fate::Failed {
        status: CallStatus::Error,
        http_status: Some(http_status),
        code,
        retries: 2,
    };
    match chance.between(0, 9) {
        _ if is_out => overloaded(),
        0..=3 => error(429, "rate_limit_error"),
        4..=5 => error(500, "api_error"),
        6 => error(400, "invalid_request_error"),
        7 => overloaded(),
        8 => Fate::Failed {
            status: CallStatus::Timeout,
            http_status: Some(504),
            code: "upstream_timeout",
            retries: 1,
        },
        _ => Fate::Failed {
            status: CallStatus::Aborted,
            http_status: None,
            code: "client_closed_request",
            retries: 0,
        },
    }
}

/// Billed whole on the way in, in part on the way out.
fn cut(chance: &mut Chance, wanted: Tokens) -> Tokens {
    let output = whole(wanted.output as f64 * chance.range(0.1, 0.8));
    Tokens { output, reasoning: wanted.reasoning.min(output), ..wanted }
}

fn serve(event: &mut UsageEvent, model: &Model) {
    event.provider = Some(model.provider.clone());
    event.model_family = Some(model.family.clone());
    event.model_served = Some(model.plan.name.to_owned());
    event.model_reported = Some(model.plan.name.to_owned());
    event.tier = Some(model.tier());
    event.operation = match (model.embeds(), model.plan.provider) {
        (true, _) => "embeddings",
        (false, ANTHROPIC) => "messages",
        (false, _) => "chat",
    }
    .to_owned();
}

fn take_time(chance: &mut Chance, event: &mut UsageEvent, model: &Model, is_out: bool) {
    let slowness = if is_out { OUTAGE_SLOWNESS } else { 1.0 };
    // What is not cached is read at some 20,000 tokens per second.
    let reading_ms = event.tokens.input_uncached as f64 / 20.0;
    let median = model.plan.first_token_ms + reading_ms;
    let first_ms = chance.log_normal(median * slowness, 0.32);
    let speed = chance.log_normal(model.plan.tokens_per_second, 0.22);
    let writing_ms = event.tokens.output as f64 / speed * 1_000.0 * slowness.sqrt();
    event.latency_us = Some(whole((first_ms + writing_ms) * 1_000.0));
    event.first_token_us = event.streamed.then(|| whole(first_ms * 1_000.0));
}

fn end(event: &mut UsageEvent, fate: &Fate<'_>, asked: &Model) {
    event.counts = CountQuality::Reported;
    event.http_status = Some(200);
    match fate {
        Fate::Served { by, retries } => {
            event.retries = *retries;
            if by.name != asked.name {
                event.fallback = Some(FallbackReason::Error);
                let waited = whole(FALLBACK_WAIT_MS * 1_000.0);
                event.latency_us = event.latency_us.map(|latency| latency + waited);
            }
        }
        Fate::Failed { status, http_status, code, retries } => {
            event.status = *status;
            event.http_status = *http_status;
            event.error_code = Some((*code).to_owned());
            event.retries = *retries;
            event.first_token_us = None;
        }
        Fate::Cut => {
            event.status = CallStatus::Cut;
            event.error_code = Some("stream_broken".to_owned());
            event.counts = CountQuality::Estimated;
        }
    }
}

/// An id that sorts by time, as the gateway's do, but is the same for the same seed.
pub(crate) fn uuid(chance: &mut Chance, time: Timestamp) -> Uuid {
    let milliseconds = u64::try_from(time.as_millisecond()).unwrap_or(0);
    let [a, b, c, d, e, f, g, h] = chance.next().to_le_bytes();
    let [i, j, ..] = chance.next().to_le_bytes();
    uuid::Builder::from_unix_timestamp_millis(milliseconds, &[a, b, c, d, e, f, g, h, i, j])
        .into_uuid()
}
