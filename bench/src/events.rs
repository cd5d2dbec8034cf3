//! Usage events as the gateway writes them: every field it knows of a call is set.

use tally_types::{
    CallId, CountQuality, EventId, PicoUsd, Source, Tier, Timestamp, UsageEvent, WorkloadClass,
};
use uuid::Uuid;

const PEOPLE: u64 = 1_000;
const TEAMS: u64 = 50;
const WORKLOADS: u64 = 40;
const MODELS: u64 = 8;
const CALLS_PER_TASK: u64 = 4;

/// Makes one event after the other.
#[derive(Debug, Default)]
pub(crate) struct Events {
    made: u64,
}

// === impl Events ===

impl Events {
    /// The next event, of now.
    pub(crate) fn next(&mut self) -> UsageEvent {
        self.made += 1;
        event(self.made, Timestamp::now())
    }

    /// So many events.
    pub(crate) fn take(&mut self, count: usize) -> Vec<UsageEvent> {
        (0..count).map(|_| self.next()).collect()
    }
}

/// An id nobody has; ids sort by time as the gateway's do.
pub(crate) fn fresh_id() -> Uuid {
    Uuid::now_v7()
}

fn event(number: u64, time: Timestamp) -> UsageEvent {
    let mut event = UsageEvent::new(EventId(fresh_id()), CallId(fresh_id()), time, Source::Gateway);
    let scattered = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
    let (person, workload, model) = (scattered % PEOPLE, scattered % WORKLOADS, scattered % MODELS);
    event.person = format!("person-{person}").parse().ok();
    event.team = format!("team-{}", person % TEAMS).parse().ok();
    event.department = Some(format!("department-{}", person % TEAMS % 8));
    event.cost_center = format!("cc-{}", person % TEAMS % 20).parse().ok();
    event.key = format!("key-{person}").parse().ok();
    event.workload = format!("workload-{workload}").parse().ok();
    event.workload_class = Some(WorkloadClass::Operational);
    event.application = Some("openai-python".to_owned());
    event.user_agent = Some("OpenAI/Python 2.8.1".to_owned());
    event.task_type = Some("summarise".to_owned());
    event.task_id = Some(format!("task-{}", number / CALLS_PER_TASK));
    event.session = Some(format!("session-{}", scattered % 5_000));
    event.provider = "openai".parse().ok();
    event.operation = "chat".to_owned();
    event.model_family = Some(format!("family-{}", model % 5));
    event.model_requested = format!("model-{model}");
    event.model_served = Some(format!("model-{model}"));
    event.model_reported = Some(format!("model-{model}-2026-01-01"));
    event.tier = Some(Tier::Standard);
    event.provider_request_id = Some(format!("req_{number:032x}"));
    event.provider_response_id = Some(format!("chatcmpl-{number:029x}"));
    event.tokens.input_uncached = 500 + scattered % 20_000;
    event.tokens.cache_read = scattered % 5_000;
    event.tokens.output = 50 + scattered % 800;
    event.counts = CountQuality::Reported;
    event.latency_us = Some(400_000 + scattered % 3_000_000);
    event.first_token_us = Some(100_000 + scattered % 500_000);
    event.http_status = Some(200);
    let cost = i64::try_from(event.tokens.input_uncached * 250_000).unwrap_or(0);
    event.cost_list_usd = Some(PicoUsd::from_pico(cost));
    event.cost_internal_usd = event.cost_list_usd;
    event.price_version = Some("public-2026-01-01".to_owned());
    event
}
