//! What can be set: at start through [`SimOptions`], at run time through
//! [`SimConfig`] (`PUT /sim/config`).

use crate::fault::Fault;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// About 300 MB when every one of them is kept.
const CALLS_KEPT: usize = 500_000;

/// How a simulator is started.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, clap::Args)]
#[serde(default)]
pub struct SimOptions {
    /// Decides every reply, together with the request itself
    #[arg(long, default_value_t = 1)]
    pub seed: u64,

    /// Served calls kept one by one; totals always cover all calls
    #[arg(long, default_value_t = CALLS_KEPT)]
    pub calls_kept: usize,

    /// The part that can be changed at run time.
    #[command(flatten)]
    #[serde(flatten)]
    pub config: SimConfig,
}

impl Default for SimOptions {
    fn default() -> Self {
        Self { seed: 1, calls_kept: CALLS_KEPT, config: SimConfig::default() }
    }
}

/// Settings that can be changed while the simulator runs, and for one call by
/// `x-sim-*` headers or a `[[sim …]]` directive in the last user message.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, clap::Args)]
#[serde(default)]
pub struct SimConfig {
    /// Time to the first token, in milliseconds
    #[arg(long, default_value_t = 0)]
    pub latency_ms: u64,

    /// Up to this many milliseconds are added to the latency, drawn per call
    #[arg(long, default_value_t = 0)]
    pub latency_jitter_ms: u64,

    /// Speed of the output; 0 is as fast as possible
    #[arg(long, default_value_t = 0.0)]
    pub tokens_per_second: f64,

    /// How often calls fail, and how.
    #[command(flatten)]
    #[serde(flatten)]
    pub faults: FaultRates,
}

/// The share of calls, from 0 to 1, that each fault hits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, clap::Args)]
#[serde(default)]
pub struct FaultRates {
    /// Share of calls answered with 429
    #[arg(long, default_value_t = 0.0)]
    pub fault_429: f64,
    /// Share of calls answered with 500
    #[arg(long, default_value_t = 0.0)]
    pub fault_500: f64,
    /// Share of calls answered with 529 (Anthropic) or 503 (OpenAI)
    #[arg(long, default_value_t = 0.0)]
    pub fault_529: f64,
    /// Share of calls never answered
    #[arg(long, default_value_t = 0.0)]
    pub fault_hang: f64,
    /// Share of calls that stop in the middle with the connection open
    #[arg(long, default_value_t = 0.0)]
    pub fault_hang_mid: f64,
    /// Share of calls whose connection is aborted in the middle
    #[arg(long, default_value_t = 0.0)]
    pub fault_cut: f64,
    /// Share of calls that end in the middle of an event
    #[arg(long, default_value_t = 0.0)]
    pub fault_truncated_sse: f64,
    /// Share of calls with an error event in the middle
    #[arg(long, default_value_t = 0.0)]
    pub fault_error_mid: f64,
    /// Share of calls answered with broken JSON
    #[arg(long, default_value_t = 0.0)]
    pub fault_malformed: f64,
    /// Share of calls answered without usage
    #[arg(long, default_value_t = 0.0)]
    pub fault_no_usage: f64,
    /// Share of calls answered with negative token counts
    #[arg(long, default_value_t = 0.0)]
    pub fault_negative_usage: f64,
    /// Share of calls answered with token counts near 2^62
    #[arg(long, default_value_t = 0.0)]
    pub fault_absurd_usage: f64,
    /// Share of calls answered in gzip
    #[arg(long, default_value_t = 0.0)]
    pub fault_gzip: f64,
    /// Share of calls answered with an HTML error page
    #[arg(long, default_value_t = 0.0)]
    pub fault_html: f64,
}

impl FaultRates {
    /// The rate of one fault.
    #[must_use]
    pub fn of(&self, fault: Fault) -> f64 {
        match fault {
            Fault::RateLimited => self.fault_429,
            Fault::ServerError => self.fault_500,
            Fault::Overloaded => self.fault_529,
            Fault::Hang => self.fault_hang,
            Fault::HangMidStream => self.fault_hang_mid,
            Fault::Cut => self.fault_cut,
            Fault::TruncatedSse => self.fault_truncated_sse,
            Fault::ErrorMidStream => self.fault_error_mid,
            Fault::Malformed => self.fault_malformed,
            Fault::NoUsage => self.fault_no_usage,
            Fault::NegativeUsage => self.fault_negative_usage,
            Fault::AbsurdUsage => self.fault_absurd_usage,
            Fault::Gzip => self.fault_gzip,
            Fault::Html => self.fault_html,
        }
    }
}

impl SimConfig {
    /// This configuration with the fields of a JSON object laid over it.
    ///
    /// # Errors
    /// A sentence naming the field that is unknown, mistyped or out of range.
    pub fn patched(&self, patch: &Value) -> Result<Self, String> {
        let Value::Object(changes) = patch else {
            return Err("the configuration must be a JSON object".to_owned());
        };
        let mut merged = serde_json::to_value(self).map_err(|error| error.to_string())?;
        let fields = merged.as_object_mut().ok_or("the configuration is not an object")?;
        for (name, value) in changes {
            let field = fields.get_mut(name).ok_or_else(|| format!("unknown setting `{name}`"))?;
            *field = value.clone();
        }
        let config: Self = serde_json::from_value(merged).map_err(|error| error.to_string())?;
        config.validate()?;
        Ok(config)
    }

    /// Checks that rates are shares and the speed is a finite number.
    ///
    /// # Errors
    /// A sentence naming what is out of range.
    pub fn validate(&self) -> Result<(), String> {
        if !self.tokens_per_second.is_finite() || self.tokens_per_second < 0.0 {
            return Err("tokens_per_second must be a finite number, 0 or more".to_owned());
        }
        for fault in Fault::ALL {
            if !(0.0..=1.0).contains(&self.faults.of(fault)) {
                return Err(format!("fault_{} must be between 0 and 1", fault.name()));
            }
        }
        let sum: f64 = Fault::ALL.into_iter().map(|fault| self.faults.of(fault)).sum();
        // A little slack for sums such as ten times 0.1.
        if sum > 1.0 + 1e-9 {
            return Err(format!("the fault rates add up to {sum}, which is more than 1"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;
    use serde_json::json;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        options: SimOptions,
    }

    #[test]
    fn flags_and_defaults_agree() {
        let plain = Command::parse_from(["sim"]).options;
        assert_eq!(plain, SimOptions::default());
        let set = Command::parse_from(["sim", "--seed", "9", "--fault-cut", "0.5"]).options;
        assert_eq!(set.seed, 9);
        assert!((set.config.faults.fault_cut - 0.5).abs() < f64::EPSILON);
    }

    #[test]
    fn a_patch_changes_only_what_it_names() {
        let config = SimConfig { latency_ms: 5, ..SimConfig::default() };
        let patched = config.patched(&json!({"fault_429": 0.5})).unwrap();
        assert_eq!(patched.latency_ms, 5);
        assert!((patched.faults.fault_429 - 0.5).abs() < f64::EPSILON);
    }

    #[test]
    fn mistakes_in_a_patch_are_named() {
        let config = SimConfig::default();
        for (patch, word) in [
            (json!({"latncy_ms": 5}), "latncy_ms"),
            (json!({"fault_cut": 2}), "fault_cut"),
            (json!({"fault_cut": 0.6, "fault_429": 0.6}), "more than 1"),
            (json!({"tokens_per_second": -1}), "tokens_per_second"),
            (json!([1]), "object"),
        ] {
            let error = config.patched(&patch).unwrap_err();
            assert!(error.contains(word), "{error}");
        }
    }

    #[test]
    fn options_survive_serialisation() {
        let options: SimOptions = serde_json::from_value(json!({"seed": 4})).unwrap();
        assert_eq!(options, SimOptions { seed: 4, ..SimOptions::default() });
        let text = serde_json::to_string(&options).unwrap();
        assert_eq!(serde_json::from_str::<SimOptions>(&text).unwrap(), options);
    }
}
