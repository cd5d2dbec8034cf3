//! How a cost center comes to be charged, step by step, and what has to be measured before.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Exact, FieldError, PersonName, resource::KindSpec, vocabulary::vocabulary};

vocabulary! {
    /// How far a cost center has come.
    RolloutStage {
        /// What it uses is being found out.
        Inventory = "inventory",
        /// It is shown what it uses, and pays nothing.
        Showback = "showback",
        /// It pays.
        Chargeback = "chargeback",
    }

    /// What stands before a stage.
    RolloutGate {
        /// The share of its spend that is for a workload of the catalog.
        Attributed = "attributed",
        /// The share of its workloads of which nothing is missing.
        WorkloadsComplete = "workloads_complete",
        /// For how many weeks there is data.
        QuarterOfData = "quarter_of_data",
        /// How far what was metered is from the providers' bills.
        BillVariance = "bill_variance",
        /// The readiness checklists of its teams.
        Readiness = "readiness",
        /// A chargeback model that does what the stage says; nothing stands in for it.
        ChargebackModel = "chargeback_model",
    }
}

/// What the company asks for before a cost center goes on; the rest is as it comes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RolloutRules {
    /// Before it is shown what it uses. By default half of the spend attributed, half of the
    /// workloads complete, 4 weeks of data, no bill, half of the readiness lines.
    #[serde(skip_serializing_if = "RolloutThresholds::is_default")]
    pub showback: RolloutThresholds,
    /// Before it is charged. By default 80 % of the spend attributed, 80 % of the workloads
    /// complete, 13 weeks of data, bills met within 2 %, every readiness line.
    #[serde(skip_serializing_if = "RolloutThresholds::is_default")]
    pub chargeback: RolloutThresholds,
}

/// What is asked for before one stage; what is left out is the stage's default, and zero is
/// not asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RolloutThresholds {
    /// At least so much of the spend of 30 days is for a workload, in percent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attributed_percent: Option<u8>,
    /// Of at least so many of its workloads nothing is missing, in percent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub complete_percent: Option<u8>,
    /// Calls are known for at least so many weeks, at most 52.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_weeks: Option<u8>,
    /// What was metered is at most so far from each provider's newest bill, in percent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variance_percent: Option<Exact>,
    /// At least so many of the readiness lines of its teams are met, in percent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub readiness_percent: Option<u8>,
}

/// What is asked for before a stage, defaults filled in; none is not asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// See [`RolloutThresholds::attributed_percent`].
    pub attributed_percent: Option<u8>,
    /// See [`RolloutThresholds::complete_percent`].
    pub complete_percent: Option<u8>,
    /// See [`RolloutThresholds::data_weeks`].
    pub data_weeks: Option<u8>,
    /// See [`RolloutThresholds::variance_percent`].
    pub variance_percent: Option<Exact>,
    /// See [`RolloutThresholds::readiness_percent`].
    pub readiness_percent: Option<u8>,
}

/// A gate as it was measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GateResult {
    /// Which.
    pub gate: RolloutGate,
    /// Whether it holds; what is not measured yet does not.
    pub ok: bool,
    /// What was measured: weeks of `quarter_of_data`, else percent; null where it is not
    /// measured yet, or is no number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measured: Option<Exact>,
    /// What is asked for: at least so much, of `bill_variance` at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<Exact>,
    /// What was found.
    pub detail: String,
    /// What to do where it does not hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_step: Option<String>,
}

/// A cost center went from one stage to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RolloutStep {
    /// From where.
    pub from: RolloutStage,
    /// Where to.
    pub to: RolloutStage,
    /// When.
    pub at: Timestamp,
    /// Who decided.
    pub by: PersonName,
    /// Why; always said of a step back, and where gates did not hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Whether it went on although gates did not hold.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub overridden: bool,
    /// What was measured then; nothing of a step back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gates: Vec<GateResult>,
}

/// How far a cost center has come; named like it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RolloutSpec {
    /// Where it is.
    pub stage: RolloutStage,
    /// How it came there, the oldest first.
    pub steps: Vec<RolloutStep>,
}

// === impl RolloutStage ===

impl RolloutStage {
    /// The one after it.
    pub const fn next(self) -> Option<Self> {
        match self {
            Self::Inventory => Some(Self::Showback),
            Self::Showback => Some(Self::Chargeback),
            Self::Chargeback => None,
        }
    }
}

// === impl RolloutRules ===

impl RolloutRules {
    pub(crate) fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// What is asked for before a stage; nothing before the first.
    pub fn before(&self, stage: RolloutStage) -> Asked {
        let (said, default) = match stage {
            RolloutStage::Inventory => return Asked::NOTHING,
            RolloutStage::Showback => (&self.showback, Asked::SHOWBACK),
            RolloutStage::Chargeback => (&self.chargeback, Asked::CHARGEBACK),
        };
        let of = |said: Option<u8>, default: Option<u8>| said.or(default).filter(|it| *it > 0);
        Asked {
            attributed_percent: of(said.attributed_percent, default.attributed_percent),
            complete_percent: of(said.complete_percent, default.complete_percent),
            data_weeks: of(said.data_weeks, default.data_weeks),
            variance_percent: said.variance_percent.or(default.variance_percent),
            readiness_percent: of(said.readiness_percent, default.readiness_percent),
        }
    }

    pub(crate) fn check(&self, errors: &mut Vec<FieldError>) {
        self.showback.check("rollout.showback", errors);
        self.chargeback.check("rollout.chargeback", errors);
    }
}

// === impl RolloutThresholds ===

impl RolloutThresholds {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }

    fn check(&self, path: &str, errors: &mut Vec<FieldError>) {
        for (field, value, most) in [
            ("attributed_percent", self.attributed_percent, 100),
            ("complete_percent", self.complete_percent, 100),
            ("data_weeks", self.data_weeks, DATA_WEEKS_MAX),
            ("readiness_percent", self.readiness_percent, 100),
        ] {
            if value.is_some_and(|value| value > most) {
                let message = format!("expected 0 to {most}");
                errors.push(FieldError::new(format!("{path}.{field}"), message));
            }
        }
        if self.variance_percent.is_some_and(|percent| percent < Exact::default()) {
            let message = "expected zero or more, such as \"2\"";
            errors.push(FieldError::new(format!("{path}.variance_percent"), message));
        }
    }
}

/// Nobody waits longer than a year for data.
const DATA_WEEKS_MAX: u8 = 52;

// === impl Asked ===

impl Asked {
    const NOTHING: Self = Self {
        attributed_percent: None,
        complete_percent: None,
        data_weeks: None,
        variance_percent: None,
        readiness_percent: None,
    };
    const SHOWBACK: Self = Self {
        attributed_percent: Some(50),
        complete_percent: Some(50),
        data_weeks: Some(4),
        variance_percent: None,
        readiness_percent: Some(50),
    };
    const CHARGEBACK: Self = Self {
        attributed_percent: Some(80),
        complete_percent: Some(80),
        data_weeks: Some(13),
        variance_percent: Some(Exact::from_pico(2 * Exact::ONE)),
        readiness_percent: Some(100),
    };
}

/// It refers to nothing: it outlives the cost center that it speaks of.
impl KindSpec for RolloutSpec {
    fn check(&self, errors: &mut Vec<FieldError>) {
        if self.steps.last().is_some_and(|step| step.to != self.stage) {
            errors.push(FieldError::new("stage", "expected where the last step went"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_is_the_default_and_zero_is_not_asked_for() {
        let text = r#"{"chargeback": {"attributed_percent": 95, "data_weeks": 0}}"#;
        let rules: RolloutRules = serde_json::from_str(text).unwrap();
        let asked = rules.before(RolloutStage::Chargeback);
        assert_eq!((asked.attributed_percent, asked.data_weeks), (Some(95), None));
        assert_eq!((asked.complete_percent, asked.readiness_percent), (Some(80), Some(100)));
        assert_eq!(asked.variance_percent.unwrap().to_string(), "2");
        assert_eq!(rules.before(RolloutStage::Showback), Asked::SHOWBACK);
        assert_eq!(rules.before(RolloutStage::Inventory), Asked::NOTHING);
        assert_eq!(serde_json::to_string(&rules).unwrap().matches("percent").count(), 1);
    }

    #[test]
    fn thresholds_that_nothing_can_meet_are_refused() {
        let text = r#"{"showback": {"attributed_percent": 101, "variance_percent": "-1"}}"#;
        let rules: RolloutRules = serde_json::from_str(text).unwrap();
        let mut errors = Vec::new();
        rules.check(&mut errors);
        let fields: Vec<&str> = errors.iter().map(|error| error.field.as_str()).collect();
        let expected = ["rollout.showback.attributed_percent", "rollout.showback.variance_percent"];
        assert_eq!(fields, expected);
    }
}
