//! Usage events as CSV, for spreadsheets and archives.

use serde_json::Value;
use tally_types::UsageEvent;

use crate::query::{harmless, push_line, quoted};

/// The columns of [`events_to_csv`], in their order; new ones are only ever added at the
/// end. Each is the field of the usage event of that name; token counts are those of
/// `tokens`, money is US dollars as a decimal number, durations are microseconds, and
/// collections are JSON.
pub const EVENT_COLUMNS: &[&str] = &[
    "time",
    "event_id",
    "revision",
    "call_id",
    "source",
    "person",
    "team",
    "department",
    "cost_center",
    "key",
    "workload",
    "workload_class",
    "application",
    "user_agent",
    "environment",
    "task_type",
    "task_id",
    "session",
    "value_tag",
    "tags",
    "template",
    "provider",
    "operation",
    "model_family",
    "model_requested",
    "model_served",
    "model_reported",
    "tier",
    "service_tier",
    "billing_modifiers",
    "tool_requests",
    "provider_request_id",
    "provider_response_id",
    "input_uncached",
    "cache_read",
    "cache_write_5m",
    "cache_write_1h",
    "output",
    "reasoning",
    "counts",
    "latency_us",
    "first_token_us",
    "streamed",
    "status",
    "http_status",
    "error_code",
    "retries",
    "fallback",
    "data_class",
    "redactions",
    "rules",
    "shadow_rules",
    "policy_decision",
    "policy_severity",
    "cost_list_usd",
    "cost_internal_usd",
    "price_version",
    "unpriced_reason",
    "subscription",
    "prompt_fingerprint",
];

const TOKENS: &[&str] =
    &["input_uncached", "cache_read", "cache_write_5m", "cache_write_1h", "output", "reasoning"];

/// Events as CSV (RFC 4180): a header of [`EVENT_COLUMNS`] and a line for each event.
/// What is not known is empty, never zero.
///
/// Text that a spreadsheet would run as a formula is prefixed with an apostrophe.
pub fn events_to_csv(events: &[UsageEvent]) -> String {
    let mut csv = String::new();
    push_line(&mut csv, EVENT_COLUMNS.iter().map(|name| (*name).to_owned()));
    for event in events {
        let fields = serde_json::to_value(event).unwrap_or_default();
        push_line(&mut csv, EVENT_COLUMNS.iter().map(|name| cell(&fields, name)));
    }
    csv
}

fn cell(fields: &Value, name: &str) -> String {
    let found = fields.get(name).or_else(|| fields.get("tokens")?.get(name));
    match found {
        // An event leaves out counts of zero, which are known.
        None if TOKENS.contains(&name) => "0".to_owned(),
        found => csv_cell(found),
    }
}

/// A value of JSON as a cell of CSV; what is not known is empty.
pub fn csv_cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        // A number is a number, even a negative one.
        Some(Value::String(text)) if text.parse::<f64>().is_ok_and(f64::is_finite) => text.clone(),
        Some(Value::String(text)) => quoted(&harmless(text)),
        Some(other) => quoted(&other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use schemars::schema_for;

    use super::*;

    #[test]
    fn every_field_of_an_event_has_its_column() {
        let fields = |schema: schemars::Schema| -> BTreeSet<String> {
            let properties = schema.get("properties").and_then(Value::as_object).unwrap().clone();
            properties.into_iter().map(|(name, _)| name).collect()
        };
        let mut expected = fields(schema_for!(UsageEvent));
        assert!(expected.remove("tokens"));
        expected.extend(fields(schema_for!(tally_types::Tokens)));
        let columns: BTreeSet<String> =
            EVENT_COLUMNS.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(columns, expected);
        assert_eq!(columns.len(), EVENT_COLUMNS.len());
    }
}
