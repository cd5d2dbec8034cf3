//! Prometheus metrics of the request path.

use metrics::{counter, histogram};
use tally_types::{TokenKind, UsageEvent};

/// Counts a settled attempt.
pub(crate) fn settled(event: &UsageEvent) {
    let model = event.model_served.clone().unwrap_or_default();
    let labels = [
        ("operation", event.operation.clone()),
        ("model", model.clone()),
        ("status", event.status.as_str().to_owned()),
    ];
    counter!("tally_calls_total", &labels).increment(1);
    for kind in TokenKind::ALL {
        let count = event.tokens.of(kind);
        if count > 0 {
            let labels = [("model", model.clone()), ("kind", kind_label(kind).to_owned())];
            counter!("tally_tokens_total", &labels).increment(count);
        }
    }
    match event.cost_list_usd {
        Some(cost) => {
            let micro_usd = u64::try_from(cost.pico() / 1_000_000).unwrap_or(0);
            counter!("tally_cost_micro_usd_total", "model" => model).increment(micro_usd);
        }
        None => counter!("tally_calls_unpriced_total", "model" => model).increment(1),
    }
    if let Some(latency_us) = event.latency_us {
        let seconds = std::time::Duration::from_micros(latency_us).as_secs_f64();
        histogram!("tally_call_seconds", "operation" => event.operation.clone()).record(seconds);
    }
}

/// Counts a refusal, whether its caller is known or not.
pub(crate) fn refused(code: &'static str) {
    counter!("tally_refusals_total", "code" => code).increment(1);
}

/// Counts an attempt that is repeated.
pub(crate) fn retried(provider: &str) {
    counter!("tally_retries_total", "provider" => provider.to_owned()).increment(1);
}

const fn kind_label(kind: TokenKind) -> &'static str {
    match kind {
        TokenKind::InputUncached => "input_uncached",
        TokenKind::CacheRead => "cache_read",
        TokenKind::CacheWrite5m => "cache_write_5m",
        TokenKind::CacheWrite1h => "cache_write_1h",
        TokenKind::Output => "output",
    }
}
