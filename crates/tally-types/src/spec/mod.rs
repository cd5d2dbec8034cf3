//! The specs of the resource kinds, as `tally apply` takes them.

mod budget;
mod budget_scope;
mod catalog;
mod grant;
mod key;
mod people;
mod policy;
mod policy_test;
mod prices;
mod provider;

pub use budget::{
    BudgetLimit, BudgetScope, BudgetSpec, BudgetStage, Counted, Each, Pending, ReasoningEffort,
    StageDegrade, StageRole,
};
pub use catalog::{Fallback, RateLimit, WorkloadSlo, WorkloadSpec};
pub use grant::{GrantAsk, GrantDecision, GrantNeed, GrantSpec, GrantState};
pub use key::{KeySecret, KeySpec, SECRET_CHARACTERS_MIN, weak_secret};
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
