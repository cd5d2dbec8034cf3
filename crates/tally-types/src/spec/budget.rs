//! Budgets: stored and checked now, enforced by the budget room.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    CalendarUnit, CostCenterName, Environment, FieldError, KeyName, Kind, ModelName, Name,
    PersonName, PicoUsd, ProviderName, Reference, Role, TeamName, Tier, WorkloadClass,
    WorkloadName, resource::KindSpec, vocabulary::vocabulary,
};

/// A limit with stages over a scope and a window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BudgetSpec {
    /// Who answers for it.
    pub owner: PersonName,
    /// What counts against it.
    pub scope: BudgetScope,
    /// What 100 % is.
    pub limit: BudgetLimit,
    /// Over which time.
    pub window: BudgetWindow,
    /// What happens on the way.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stages: Vec<BudgetStage>,
    /// Which tokens count.
    #[serde(default)]
    pub count: Counted,
}

vocabulary! {
    /// A budget of its own for each of these.
    Each {
        /// Person.
        Person = "person",
        /// Team.
        Team = "team",
        /// Workload.
        Workload = "workload",
    }

    /// Who is told or asked.
    StageRole {
        /// The budget's owner.
        Owner = "owner",
        /// The person who called.
        Person = "person",
        /// The manager of the person's team.
        Manager = "manager",
        /// The owner of the workload.
        WorkloadOwner = "workload_owner",
        /// Everyone with the role `finops`.
        Finops = "finops",
        /// Everyone with the role `security`.
        Security = "security",
    }

    /// What calls do while an approval is open.
    Pending {
        /// They go on.
        Continue = "continue",
        /// They are degraded.
        Degrade = "degrade",
        /// They are refused.
        Deny = "deny",
    }

    /// Which tokens a token budget counts.
    Counted {
        /// Everything but cache reads.
        Uncached = "uncached",
        /// Cache reads too.
        All = "all",
    }
}

/// What counts against a budget; every field given narrows it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[expect(missing_docs, reason = "each field is the event's field of that name")]
pub struct BudgetScope {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization: Option<Name>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub department: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost_center: Option<CostCenterName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<TeamName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workload: Option<WorkloadName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workload_class: Option<WorkloadClass>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<KeyName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub each: Option<Each>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<Environment>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tier: Option<Tier>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<ProviderName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task_type: Option<String>,
}

/// What 100 % is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BudgetLimit {
    /// Money at list price.
    Usd(PicoUsd),
    /// Tokens.
    Tokens(u64),
    /// Calls.
    Requests(u64),
}

/// Over which time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BudgetWindow {
    /// A calendar period in the organisation's time zone.
    Calendar(CalendarUnit),
    /// The last so many hours.
    RollingHours(u32),
}

/// What happens from a share of the limit on; exactly one action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BudgetStage {
    /// From this percentage of the limit on.
    pub at: u32,
    /// Tell these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notify: Vec<StageRole>,
    /// Ask these; all must approve.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approval: Vec<StageRole>,
    /// What calls do while the approval is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending: Option<Pending>,
    /// Serve less.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub degrade: Option<StageDegrade>,
    /// Refuse: the budget has a ceiling.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deny: bool,
}

/// How to serve less.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StageDegrade {
    /// `cheaper` (the model's own declaration) or the name of a model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Cut the prompt to this many tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_context_tokens: Option<u64>,
    /// Cap the answer at this many tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_output_tokens: Option<u64>,
}

// === impl Counted ===

#[expect(
    clippy::derivable_impls,
    reason = "the macro derives no default: most vocabularies have none"
)]
impl Default for Counted {
    fn default() -> Self {
        Self::Uncached
    }
}

// === impl BudgetStage ===

impl BudgetStage {
    fn actions(&self) -> usize {
        [!self.notify.is_empty(), !self.approval.is_empty(), self.degrade.is_some(), self.deny]
            .into_iter()
            .filter(|present| *present)
            .count()
    }

    fn check(&self, index: usize, errors: &mut Vec<FieldError>) {
        let field = |name: &str| format!("stages[{index}].{name}");
        if !(1..=1_000).contains(&self.at) {
            errors.push(FieldError::new(field("at"), "expected a percentage from 1 to 1000"));
        }
        if self.actions() != 1 {
            let message = "expected exactly one of `notify`, `approval`, `degrade`, `deny`";
            errors.push(FieldError::new(format!("stages[{index}]"), message));
        }
        if self.pending.is_some() && self.approval.is_empty() {
            errors.push(FieldError::new(field("pending"), "only goes with `approval`"));
        }
    }
}

impl KindSpec for BudgetSpec {
    fn check(&self, errors: &mut Vec<FieldError>) {
        let positive = match self.limit {
            BudgetLimit::Usd(amount) => amount > PicoUsd::ZERO,
            BudgetLimit::Tokens(count) | BudgetLimit::Requests(count) => count > 0,
        };
        if !positive {
            errors.push(FieldError::new("limit", "expected more than zero"));
        }
        if matches!(self.window, BudgetWindow::RollingHours(0)) {
            errors.push(FieldError::new("window.rolling_hours", "expected more than zero"));
        }
        for (index, stage) in self.stages.iter().enumerate() {
            stage.check(index, errors);
        }
    }

    fn references(&self, references: &mut Vec<Reference>) {
        references.push(Reference::new("owner", Kind::Person, &self.owner.0));
        let scope = &self.scope;
        let named = [
            ("scope.organization", Kind::Organization, scope.organization.as_ref()),
            ("scope.cost_center", Kind::CostCenter, scope.cost_center.as_ref().map(|name| &name.0)),
            ("scope.team", Kind::Team, scope.team.as_ref().map(|name| &name.0)),
            ("scope.person", Kind::Person, scope.person.as_ref().map(|name| &name.0)),
            ("scope.workload", Kind::Workload, scope.workload.as_ref().map(|name| &name.0)),
            ("scope.key", Kind::Key, scope.key.as_ref().map(|name| &name.0)),
            ("scope.model", Kind::Model, scope.model.as_ref().map(|name| &name.0)),
            ("scope.provider", Kind::Provider, scope.provider.as_ref().map(|name| &name.0)),
        ];
        let given = named
            .into_iter()
            .filter_map(|(field, kind, name)| name.map(|name| Reference::new(field, kind, name)));
        references.extend(given);
    }
}
