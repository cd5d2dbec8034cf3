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
    /// `cheaper` (the model's own declaration) or the name of a model.
    pub model: String,
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
}

impl KindSpec for WorkloadSpec {
    fn check(&self, errors: &mut Vec<FieldError>) {
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
        if let Some(fallback) =
            self.fallback.as_ref().filter(|fallback| fallback.model != "cheaper")
            && let Ok(model) = fallback.model.parse()
        {
            references.push(Reference::new("fallback.model", Kind::Model, &model));
        }
    }
}
