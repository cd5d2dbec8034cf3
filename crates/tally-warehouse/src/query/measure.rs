//! The measures, defined once for dashboards, alerts, statements and exports.

use std::{borrow::Cow, fmt, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use super::suggest;

/// What the numbers of a measure mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// US dollars, as decimal strings.
    Usd,
    /// Tokens.
    Tokens,
    /// A number of things.
    Count,
    /// A share between 0 and 1.
    Ratio,
    /// Milliseconds.
    Milliseconds,
    /// A number without a unit.
    Number,
}

/// What a measure is computed from, and so where it can be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    /// Sums, which rollups hold.
    Sums,
    /// The histogram of latencies.
    Latency,
    /// The histogram of times to the first token.
    FirstToken,
    /// Distinct values of a field.
    Distinct,
    /// Tasks joined with their outcomes.
    Tasks,
}

/// A measure as documentation and the UI show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct MeasureInfo {
    /// The measure.
    pub name: Measure,
    /// The heading.
    pub label: &'static str,
    /// The unit of its numbers.
    pub unit: Unit,
    /// How it is defined.
    pub description: &'static str,
}

macro_rules! measures {
    ($($variant:ident = $name:literal, $family:ident, $unit:ident, $label:literal, $description:literal;)*) => {
        /// A number computed over the calls of a group.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Measure {
            $(#[doc = $description] $variant,)*
        }

        impl Measure {
            /// Every measure.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The name in queries.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// Label, unit and definition.
            pub const fn info(self) -> MeasureInfo {
                match self {
                    $(Self::$variant => MeasureInfo {
                        name: self,
                        label: $label,
                        unit: Unit::$unit,
                        description: $description,
                    },)*
                }
            }

            pub(crate) const fn family(self) -> Family {
                match self { $(Self::$variant => Family::$family,)* }
            }
        }
    };
}

measures! {
    SpendUsd = "spend_usd", Sums, Usd, "Spend", "Cost at list price; calls without a known price add nothing and are warned of.";
    SpendInternalUsd = "spend_internal_usd", Sums, Usd, "Internal spend", "Cost at the internal rate.";
    Tokens = "tokens", Sums, Tokens, "Tokens", "All tokens, cached or not.";
    TokensInputUncached = "tokens_input_uncached", Sums, Tokens, "Input", "Prompt tokens that no cache served.";
    TokensCacheRead = "tokens_cache_read", Sums, Tokens, "Cache reads", "Prompt tokens read from a cache.";
    TokensCacheWrite5m = "tokens_cache_write_5m", Sums, Tokens, "Cache writes (5 min)", "Prompt tokens written to a cache of five minutes.";
    TokensCacheWrite1h = "tokens_cache_write_1h", Sums, Tokens, "Cache writes (1 h)", "Prompt tokens written to a cache of one hour or longer.";
    TokensOutput = "tokens_output", Sums, Tokens, "Output", "Everything the models wrote, reasoning included.";
    TokensReasoning = "tokens_reasoning", Sums, Tokens, "Reasoning", "The part of the output that was reasoning.";
    TokensBudgeted = "tokens_budgeted", Sums, Tokens, "Budgeted tokens", "What token budgets count: everything but cache reads.";
    Calls = "calls", Sums, Count, "Calls", "Attempts sent to a provider; refused calls are not among them.";
    CallsRefused = "calls_refused", Sums, Count, "Refused", "Calls that Tally refused.";
    CallsFailed = "calls_failed", Sums, Count, "Failed", "Calls that ended in an error, a time-out, a broken-off answer or an interruption.";
    CallsUnpriced = "calls_unpriced", Sums, Count, "Unpriced", "Calls whose price is not known.";
    CallsEstimated = "calls_estimated", Sums, Count, "Estimated", "Calls whose tokens Tally counted, not the provider.";
    PolicyViolations = "policy_violations", Sums, Count, "Policy violations", "Calls that a policy refused, sent to review, moved or lessened, and those that a severe rule was met by.";
    CostPerCallUsd = "cost_per_call_usd", Sums, Usd, "Cost per call", "Spend of calls with a known price ÷ these calls.";
    TokensPerCall = "tokens_per_call", Sums, Number, "Tokens per call", "Tokens ÷ calls.";
    Tasks = "tasks", Tasks, Count, "Tasks", "Distinct tasks with a call in the range; a task that spans two groups counts in both.";
    TasksSucceeded = "tasks_succeeded", Tasks, Count, "Succeeded", "Tasks reported as succeeded.";
    TasksFailed = "tasks_failed", Tasks, Count, "Failed tasks", "Tasks reported as failed.";
    TasksUnknown = "tasks_unknown", Tasks, Count, "Outcome unknown", "Tasks without a reported outcome.";
    CostPerSuccessfulTaskUsd = "cost_per_successful_task_usd", Tasks, Usd, "Cost per successful task", "Cost of all tasks with a known outcome ÷ successes.";
    TokensPerTask = "tokens_per_task", Tasks, Number, "Tokens per task", "Tokens of tasks ÷ tasks.";
    TokensPerSuccessfulTask = "tokens_per_successful_task", Tasks, Number, "Tokens per successful task", "Tokens of all tasks with a known outcome ÷ successes.";
    EscalationRate = "escalation_rate", Tasks, Ratio, "Escalation rate", "Share of the tasks with a known outcome that a human or a dearer model took over.";
    ValueUsd = "value_usd", Tasks, Usd, "Value", "Business value reported for the tasks.";
    ValuePerTokenUsd = "value_per_token_usd", Tasks, Usd, "Value per token", "Value ÷ tokens of the tasks with a known outcome.";
    ValuePerUsd = "value_per_usd", Tasks, Number, "Value per dollar", "Value ÷ cost of the tasks with a known outcome.";
    QualityMean = "quality_mean", Tasks, Ratio, "Quality", "Mean quality of the tasks that report one, from 0 to 1.";
    LatencyP50Ms = "latency_p50_ms", Latency, Milliseconds, "Latency p50", "Half of the calls took at most this long; within 6 %.";
    LatencyP95Ms = "latency_p95_ms", Latency, Milliseconds, "Latency p95", "95 % of the calls took at most this long; within 6 %.";
    LatencyP99Ms = "latency_p99_ms", Latency, Milliseconds, "Latency p99", "99 % of the calls took at most this long; within 6 %.";
    FirstTokenP50Ms = "first_token_p50_ms", FirstToken, Milliseconds, "First token p50", "Half of the calls began to answer within this time; within 6 %.";
    FirstTokenP95Ms = "first_token_p95_ms", FirstToken, Milliseconds, "First token p95", "95 % of the calls began to answer within this time; within 6 %.";
    FirstTokenP99Ms = "first_token_p99_ms", FirstToken, Milliseconds, "First token p99", "99 % of the calls began to answer within this time; within 6 %.";
    ErrorRate = "error_rate", Sums, Ratio, "Error rate", "Failed calls ÷ calls.";
    RetryRate = "retry_rate", Sums, Ratio, "Retry rate", "Share of the calls that needed an unbilled attempt before.";
    FallbackRate = "fallback_rate", Sums, Ratio, "Fallback rate", "Share of the calls served by another model than asked for.";
    FallbackErrorRate = "fallback_error_rate", Sums, Ratio, "Fallback after errors", "Share of the calls served by another model because the first choice failed.";
    FallbackBudgetRate = "fallback_budget_rate", Sums, Ratio, "Fallback by budget", "Share of the calls that a budget degraded.";
    FallbackPolicyRate = "fallback_policy_rate", Sums, Ratio, "Fallback by policy", "Share of the calls that a policy rerouted.";
    CacheHitRate = "cache_hit_rate", Sums, Ratio, "Cache hit rate", "Cache reads ÷ all prompt tokens.";
    ActivePeople = "active_people", Distinct, Count, "Active people", "Distinct people with a call.";
    ActiveTeams = "active_teams", Distinct, Count, "Active teams", "Distinct teams with a call.";
    Sessions = "sessions", Distinct, Count, "Sessions", "Distinct sessions with a call.";
}

/// Every measure, for documentation and the UI.
pub fn measures() -> Vec<MeasureInfo> {
    Measure::ALL.iter().map(|measure| measure.info()).collect()
}

// === impl Measure ===

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Measure {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = || Self::ALL.iter().map(|measure| measure.name());
        Self::ALL
            .iter()
            .find(|measure| measure.name() == text)
            .copied()
            .ok_or_else(|| suggest("measure", text, known()))
    }
}

impl Serialize for Measure {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Measure {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl JsonSchema for Measure {
    fn schema_name() -> Cow<'static, str> {
        "Measure".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let names: Vec<_> = Self::ALL.iter().map(|measure| measure.name()).collect();
        json_schema!({"type": "string", "enum": names, "description": "A number computed over calls"})
    }
}
