//! The specs of the resource kinds, as `tally apply` takes them.

mod access;
mod approval;
mod budget;
mod budget_scope;
mod catalog;
mod exception;
mod grant;
mod key;
mod people;
mod policy;
mod policy_test;
mod prices;
mod provider;
mod retention;

pub use access::{ACCESS_DAYS_MAX, Access, AccessAsk, AccessRequestSpec, AccessRule};
pub use approval::{Approvable, GrantDecision, GrantNeed, GrantState};
pub use budget::{
    BudgetLimit, BudgetScope, BudgetSpec, BudgetStage, Counted, Each, Pending, ReasoningEffort,
    StageDegrade, StageRole,
};
pub use catalog::{
    BaselineSpec, Completeness, Criticality, Fallback, Funding, RateLimit, TierRationale,
    WorkloadSlo, WorkloadSpec, WorkloadState,
};
pub use exception::{ArchitectureReview, EXCEPTION_DAYS_MAX, ExceptionScope, ExceptionSpec};
pub use grant::{GrantAsk, GrantSpec};
pub use key::{
    KeyReinstatement, KeySecret, KeySpec, KeySuspension, SECRET_CHARACTERS_MIN, weak_secret,
};
pub use people::{
    Chargeback, ChargebackModel, CostCenterSpec, OrganizationSpec, PersonSpec, TeamSpec,
};
pub use policy::{
    Containment, OverrideFor, PolicyOverride, PolicyRule, PolicySpec, RedactionPattern,
    RuleDegrade, RuleEffect, RuleEffectMap, RuleEffectWord, RuleOverride, Shadow, ShadowPilot,
};
pub use policy_test::{
    PolicyCall, PolicyEffect, PolicyExpectation, PolicyProvider, PolicyTest, PolicyTime,
    PolicyWeekday, PolicyWorkload,
};
pub use prices::{PriceEntry, PriceListSpec, PriceModifier, RateSet};
pub use provider::{
    Capability, ModelRoute, ModelSpec, ProviderSpec, ProviderTimeouts, SecretSource,
};
pub use retention::{ClassRetention, RETENTION_DAYS_MAX, Retention};
