//! The service catalog: workloads.

use jiff::{Timestamp, civil::Date};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    CostCenterName, DataClass, Environment, FieldError, Kind, PersonName, PicoUsd, PicoUsdSum,
    Reference, Tier, WorkloadClass, WorkloadName, resource::KindSpec, vocabulary::vocabulary,
};

/// What happens when the first choice is not to be had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fallback {
    /// `cheaper` (the model's own declaration) or the name of a model; none keeps the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Where a budget degrades: cut the prompt to this many tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_context_tokens: Option<u64>,
}

/// How fast calls may come; more are refused with the time to wait.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RateLimit {
    /// Calls in a minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests_per_minute: Option<u32>,
    /// Tokens in a minute, cache reads apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens_per_minute: Option<u64>,
}

impl RateLimit {
    pub(crate) fn check(limit: Option<&Self>, errors: &mut Vec<FieldError>) {
        let Some(limit) = limit else { return };
        if limit.requests_per_minute == Some(0) || limit.tokens_per_minute == Some(0) {
            errors.push(FieldError::new("rate_limit", "expected more than zero"));
        }
        if limit.requests_per_minute.is_none() && limit.tokens_per_minute.is_none() {
            let message = "expected `requests_per_minute`, `tokens_per_minute` or both";
            errors.push(FieldError::new("rate_limit", message));
        }
    }
}

/// What a workload promises.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WorkloadSlo {
    /// 95 % of calls are faster, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_p95_ms: Option<u64>,
    /// A successful task costs at most this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_per_successful_task_usd: Option<PicoUsd>,
}

vocabulary! {
    /// How far a workload has come.
    WorkloadState {
        /// Its calls were seen; who noticed entered what they knew.
        Discovered = "discovered",
        /// Its owner entered it.
        Registered = "registered",
        /// Somebody but its owner looked at it and agreed.
        Approved = "approved",
        /// It is over: its calls are no longer counted as its own.
        Retired = "retired",
    }

    /// Who pays for a workload, as it was agreed.
    Funding {
        /// Paid centrally.
        Subsidised = "subsidised",
        /// Its cost center pays.
        Charged = "charged",
        /// Its cost center pays up to a limit.
        Capped = "capped",
        /// Nobody agreed to pay: it should not run.
        Prohibited = "prohibited",
    }

    /// How much depends on a workload.
    Criticality {
        /// Nobody notices when it stands.
        Low = "low",
        /// Somebody is slower.
        Medium = "medium",
        /// A team cannot work.
        High = "high",
        /// The company stands.
        Critical = "critical",
    }
}

/// Why a workload needs a premium tier, and when that is looked at again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TierRationale {
    /// Why a cheaper one does not do.
    pub reason: String,
    /// The day by which that is looked at again.
    #[schemars(with = "String")]
    pub review_by: Date,
}

/// A registered AI-powered app or workflow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WorkloadSpec {
    /// What it is for; required in production.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
    /// The business owner.
    pub owner: PersonName,
    /// Who pays.
    pub cost_center: CostCenterName,
    /// The code statements carry; required in production.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget_code: Option<String>,
    /// Where its calls count.
    pub environment: Environment,
    /// What it is for.
    pub class: WorkloadClass,
    /// The dearest tier it may use.
    pub tier: Tier,
    /// How sensitive its data is.
    pub data_class: DataClass,
    /// What happens when the first choice is not to be had.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback: Option<Fallback>,
    /// What it promises; required in production.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slo: Option<WorkloadSlo>,
    /// Whether a client may ask, with `x-tally-degrade: never`, to be refused rather than
    /// served less.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub degrade_opt_out: bool,
    /// How fast its calls may come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_limit: Option<RateLimit>,
    /// How far it has come; verbs change it, and files that leave it out keep it.
    #[serde(default, skip_serializing_if = "WorkloadState::is_registered")]
    pub state: WorkloadState,
    /// How much depends on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub criticality: Option<Criticality>,
    /// Who pays, as it was agreed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub funding: Option<Funding>,
    /// Why it needs its tier, where that is frontier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier_rationale: Option<TierRationale>,
    /// Of a tool without telemetry, which is entered by hand: who sells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vendor: Option<String>,
    /// What such a tool costs a month, as its invoice says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub monthly_cost_usd: Option<PicoUsd>,
    /// Whether Tally sees its calls.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub metered: bool,
    /// Whether prompts and replies of its calls may be kept, for as long as the organization's
    /// `retention` says for their class of data.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub keep_prompts: bool,
}

/// How much of what the catalog asks of a workload is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Completeness {
    /// The fields that are missing, in the order of the catalog.
    pub missing: Vec<String>,
    /// Of how many that are asked for.
    pub asked: usize,
    /// Whole percent of them that are there.
    pub percent: usize,
}

/// What a workload used, signed off, to hold later savings against.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BaselineSpec {
    /// The workload.
    pub workload: WorkloadName,
    /// From when its use was counted.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// Calls.
    pub calls: u64,
    /// Tokens of all kinds.
    pub tokens: u64,
    /// What they cost.
    pub spend_usd: PicoUsdSum,
    /// Tasks with a known outcome.
    pub tasks: u64,
    /// What a successful task cost; null where no outcome is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_per_successful_task_usd: Option<PicoUsdSum>,
    /// Who signed it off.
    pub signed_by: PersonName,
    /// When.
    pub signed_at: Timestamp,
    /// In their words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// It refers to nothing: a baseline is a record that outlives its workload.
impl KindSpec for BaselineSpec {
    fn check(&self, errors: &mut Vec<FieldError>) {
        if self.until <= self.from {
            errors.push(FieldError::new("until", "expected a time after `from`"));
        }
    }
}

const fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
const fn is_yes(value: &bool) -> bool {
    *value
}

// === impl WorkloadState ===

impl WorkloadState {
    /// Whether it is as files that say nothing mean it.
    pub fn is_registered(&self) -> bool {
        *self == Self::Registered
    }
}

#[expect(
    clippy::derivable_impls,
    reason = "the macro derives no default: most vocabularies have none"
)]
impl Default for WorkloadState {
    fn default() -> Self {
        Self::Registered
    }
}

// === impl WorkloadSpec ===

impl WorkloadSpec {
    /// What the catalog asks of it and what of that is missing. Owner, cost center, tier,
    /// data class and class are always there: it could not be stored without.
    pub fn completeness(&self) -> Completeness {
        const ALWAYS: usize = 5;
        let production = self.environment == Environment::Production;
        let frontier = self.tier == Tier::Frontier;
        // The calls of a tool that is not metered cannot be served less, or be slow here.
        let metered = self.metered;
        let asked: Vec<(&str, bool)> = [
            (true, "purpose", self.purpose.is_some()),
            (metered, "fallback", self.fallback.is_some()),
            (true, "criticality", self.criticality.is_some()),
            (true, "funding", self.funding.is_some()),
            (production, "budget_code", self.budget_code.is_some()),
            (production && metered, "slo", self.slo.is_some()),
            (frontier, "tier_rationale", self.tier_rationale.is_some()),
            (!metered, "vendor", self.vendor.is_some()),
            (!metered, "monthly_cost_usd", self.monthly_cost_usd.is_some()),
        ]
        .into_iter()
        .filter_map(|(is_asked, field, is_there)| is_asked.then_some((field, is_there)))
        .collect();
        let missing: Vec<String> = asked
            .iter()
            .filter(|(_, is_there)| !is_there)
            .map(|(field, _)| (*field).to_owned())
            .collect();
        let asked = ALWAYS + asked.len();
        Completeness { percent: (asked - missing.len()) * 100 / asked, asked, missing }
    }

    /// Whether the choice of its tier should have been looked at by now, or was never
    /// explained.
    pub fn is_review_overdue(&self, today: Date) -> bool {
        if self.tier != Tier::Frontier || self.state == WorkloadState::Retired {
            return false;
        }
        self.tier_rationale.as_ref().is_none_or(|rationale| rationale.review_by < today)
    }
}

impl KindSpec for WorkloadSpec {
    fn check(&self, errors: &mut Vec<FieldError>) {
        RateLimit::check(self.rate_limit.as_ref(), errors);
        let fallback = self.fallback.as_ref();
        if fallback.is_some_and(|it| it.model.is_none() && it.max_context_tokens.is_none()) {
            let message = "expected `model`, `max_context_tokens` or both";
            errors.push(FieldError::new("fallback", message));
        }
        if fallback.and_then(|it| it.max_context_tokens).is_some_and(|tokens| tokens < 1_024) {
            let message = "expected at least 1,024 tokens";
            errors.push(FieldError::new("fallback.max_context_tokens", message));
        }
        let reason = self.tier_rationale.as_ref().map(|rationale| rationale.reason.trim());
        if reason.is_some_and(str::is_empty) {
            errors.push(FieldError::new("tier_rationale.reason", "expected some text"));
        }
        // What is seen is written down with what is known; nothing is served less by that.
        if self.environment != Environment::Production
            || self.state == WorkloadState::Discovered
            || !self.metered
        {
            return;
        }
        let required = [
            ("purpose", self.purpose.is_some()),
            ("budget_code", self.budget_code.is_some()),
            ("slo", self.slo.is_some()),
            ("fallback", self.fallback.is_some()),
        ];
        for (field, _) in required.iter().filter(|(_, present)| !present) {
            errors.push(FieldError::new(*field, "required for a workload in production"));
        }
    }

    fn references(&self, references: &mut Vec<Reference>) {
        references.push(Reference::new("owner", Kind::Person, &self.owner.0));
        references.push(Reference::new("cost_center", Kind::CostCenter, &self.cost_center.0));
        let fallback = self.fallback.as_ref().and_then(|fallback| fallback.model.as_deref());
        if let Some(fallback) = fallback.filter(|name| *name != "cheaper")
            && let Ok(model) = fallback.parse()
        {
            references.push(Reference::new("fallback.model", Kind::Model, &model));
        }
    }
}
