//! The service catalog: workloads.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    CostCenterName, DataClass, Environment, FieldError, Kind, PersonName, PicoUsd, Reference, Tier,
    WorkloadClass, resource::KindSpec,
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
        if self.environment != Environment::Production {
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
