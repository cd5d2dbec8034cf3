//! The settings of one call: its own wishes over the configuration.

use crate::fault::Fault;
use crate::knobs::{FaultChoice, Knobs};
use crate::options::SimConfig;
use crate::random::{Draw, Stream};
use std::time::Duration;

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Settings {
    pub(crate) fault: Option<Fault>,
    pub(crate) latency_ms: u64,
    pub(crate) tokens_per_second: f64,
    pub(crate) retry_after: u64,
    pub(crate) output_tokens: Option<u64>,
    pub(crate) cut_at: Option<u64>,
}

const RETRY_AFTER_SECONDS: u64 = 1;
const LATENCY_MS_MAX: u64 = 24 * 60 * 60 * 1_000;

impl Settings {
    pub(crate) fn new(knobs: &Knobs, config: &SimConfig, draw: Draw, occurrence: u64) -> Self {
        let jitter = draw.stream(Stream::Jitter).between(0, config.latency_jitter_ms);
        let latency = knobs.latency_ms.unwrap_or(config.latency_ms.saturating_add(jitter));
        Self {
            fault: fault(knobs, config, draw, occurrence),
            latency_ms: latency.min(LATENCY_MS_MAX),
            tokens_per_second: knobs.tokens_per_second.unwrap_or(config.tokens_per_second),
            retry_after: knobs.retry_after.unwrap_or(RETRY_AFTER_SECONDS),
            output_tokens: knobs.output_tokens,
            cut_at: knobs.cut_at,
        }
    }

    pub(crate) fn latency(&self) -> Duration {
        Duration::from_millis(self.latency_ms)
    }
}

/// An explicit fault strikes always, or the first `fail_times` occurrences of
/// its content; otherwise the configured rates draw one.
fn fault(knobs: &Knobs, config: &SimConfig, draw: Draw, occurrence: u64) -> Option<Fault> {
    match knobs.fault {
        Some(FaultChoice::Never) => None,
        Some(FaultChoice::Always(fault)) => {
            let strikes = knobs.fail_times.is_none_or(|times| occurrence < times);
            strikes.then_some(fault)
        }
        None => Fault::draw(&config.faults, &mut draw.stream(Stream::Fault)),
    }
}
