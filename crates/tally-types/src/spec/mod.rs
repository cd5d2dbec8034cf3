//! The specs of the resource kinds, as `tally apply` takes them.

mod budget;
mod budget_scope;
mod catalog;
mod grant;
mod key;
mod people;
mod policy;
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
pub use policy::{PolicyRule, PolicySpec, RuleEffect, RuleEffectMap, RuleEffectWord};
pub use prices::{PriceEntry, PriceListSpec, PriceModifier, RateSet};
pub use provider::{
    Capability, ModelRoute, ModelSpec, ProviderSpec, ProviderTimeouts, SecretSource,
};
