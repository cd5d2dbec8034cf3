//! Budgets, as the budget room enforces them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    CostCenterName, Environment, FieldError, KeyName, Kind, ModelName, Name, PersonName,
    PicoUsdSum, ProviderName, Reference, Role, TeamName, Tier, Window, WorkloadClass, WorkloadName,
    resource::KindSpec, vocabulary::vocabulary,
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
    /// Limits of their own for calls of an environment; other calls count toward `limit`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub environment_limits: BTreeMap<Environment, BudgetLimit>,
    /// Over which time.
    pub window: Window,
    /// What happens on the way; empty stands for the default set: at 70 the owner is told,
    /// at 80 the workload's owner and FinOps approve, at 90 manager and FinOps are told, at
    /// 100 calls are degraded by the workload's declared fallback.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stages: Vec<BudgetStage>,
    /// Which tokens count.
    #[serde(default)]
    pub count: Counted,
    /// Whether what is left of a calendar window is added to the next one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub carry_over: bool,
    /// Who approves a temporary increase; all of them, by default the owner.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvers: Vec<StageRole>,
    /// After how many hours without a decision FinOps and admins may decide, too.
    #[serde(default = "one_day", skip_serializing_if = "is_one_day")]
    pub escalate_after_hours: u32,
    /// Whether a person may approve their own increase in an emergency; it is flagged and
    /// reviewed afterwards.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub emergency: bool,
}

const fn one_day() -> u32 {
    24
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
const fn is_one_day(hours: &u32) -> bool {
    *hours == one_day()
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
        /// The webhooks of the configuration; can be told, not asked.
        Webhook = "webhook",
    }

    /// How much a model may think.
    ReasoningEffort {
        /// As little as it can.
        Minimal = "minimal",
        /// Little.
        Low = "low",
        /// Some.
        Medium = "medium",
        /// Much.
        High = "high",
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
    Usd(PicoUsdSum),
    /// Tokens.
    Tokens(u64),
    /// Calls.
    Requests(u64),
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

/// How to serve less; empty stands for the workload's declared fallback.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StageDegrade {
    /// `cheaper` (the model's own declaration) or the name of a model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Follow the models' declarations of a cheaper one down to this tier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tier: Option<Tier>,
    /// Lower the effort of reasoning to this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning_effort: Option<ReasoningEffort>,
    /// Cut the prompt to this many tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_context_tokens: Option<u64>,
    /// Cap the answer at this many tokens, at least 1,024; only under a ceiling.
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

    fn check(&self, index: usize, has_ceiling: bool, errors: &mut Vec<FieldError>) {
        let field = |name: &str| format!("stages[{index}].{name}");
        if self.approval.contains(&StageRole::Webhook) {
            errors.push(FieldError::new(field("approval"), "a webhook can be told, not asked"));
        }
        if let Some(degrade) = &self.degrade {
            degrade.check(&field("degrade"), has_ceiling, errors);
        }
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

// === impl BudgetLimit ===

impl BudgetLimit {
    /// The unit's word, as in files: `usd`, `tokens`, `requests`.
    pub const fn unit(self) -> &'static str {
        match self {
            Self::Usd(_) => "usd",
            Self::Tokens(_) => "tokens",
            Self::Requests(_) => "requests",
        }
    }

    /// The amount: picodollars, tokens or calls.
    pub fn amount(self) -> i128 {
        match self {
            Self::Usd(amount) => amount.pico(),
            Self::Tokens(count) | Self::Requests(count) => i128::from(count),
        }
    }

    /// An amount in the unit of this one; below zero is zero where counts are meant.
    #[must_use]
    pub fn with_amount(self, amount: i128) -> Self {
        let count = || u64::try_from(amount.max(0)).unwrap_or(u64::MAX);
        match self {
            Self::Usd(_) => Self::Usd(PicoUsdSum::from_pico(amount)),
            Self::Tokens(_) => Self::Tokens(count()),
            Self::Requests(_) => Self::Requests(count()),
        }
    }

    fn is_positive(self) -> bool {
        self.amount() > 0
    }
}

// === impl StageDegrade ===

impl StageDegrade {
    fn check(&self, field: &str, has_ceiling: bool, errors: &mut Vec<FieldError>) {
        if self.max_context_tokens.is_some_and(|tokens| tokens < 1_024) {
            let field = format!("{field}.max_context_tokens");
            errors.push(FieldError::new(field, "expected at least 1,024 tokens"));
        }
        let Some(tokens) = self.max_output_tokens else { return };
        let field = format!("{field}.max_output_tokens");
        if tokens < 1_024 {
            errors.push(FieldError::new(field, "expected at least 1,024 tokens"));
        } else if !has_ceiling {
            let message = "answers are capped only under a ceiling: add a stage with `deny: true`";
            errors.push(FieldError::new(field, message));
        }
    }
}

// === impl BudgetSpec ===

impl BudgetSpec {
    fn check_window(&self, errors: &mut Vec<FieldError>) {
        let Window::RollingHours(hours) = self.window else { return };
        if !(1..=8_784).contains(&hours) {
            errors.push(FieldError::new("window.rolling_hours", "expected 1 to 8,784 hours"));
        }
        if self.carry_over {
            errors.push(FieldError::new("carry_over", "only goes with a calendar window"));
        }
    }
}

impl KindSpec for BudgetSpec {
    fn check(&self, errors: &mut Vec<FieldError>) {
        if !self.limit.is_positive() {
            errors.push(FieldError::new("limit", "expected more than zero"));
        }
        for (environment, limit) in &self.environment_limits {
            let field = format!("environment_limits.{environment}");
            if limit.unit() != self.limit.unit() {
                errors.push(FieldError::new(field, "expected the unit of `limit`"));
            } else if !limit.is_positive() {
                errors.push(FieldError::new(field, "expected more than zero"));
            }
        }
        self.check_window(errors);
        let has_ceiling = self.stages.iter().any(|stage| stage.deny);
        for (index, stage) in self.stages.iter().enumerate() {
            stage.check(index, has_ceiling, errors);
        }
        let mut shares: Vec<u32> = self.stages.iter().map(|stage| stage.at).collect();
        shares.sort_unstable();
        if shares.windows(2).any(|pair| pair.first() == pair.last()) {
            errors.push(FieldError::new("stages", "expected each percentage only once"));
        }
        if self.approvers.contains(&StageRole::Webhook) {
            errors.push(FieldError::new("approvers", "a webhook can be told, not asked"));
        }
        if !(1..=720).contains(&self.escalate_after_hours) {
            errors.push(FieldError::new("escalate_after_hours", "expected 1 to 720 hours"));
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
        let targets = self.stages.iter().enumerate().filter_map(|(index, stage)| {
            let to = stage.degrade.as_ref()?.to.as_deref().filter(|to| *to != "cheaper")?;
            Some(Reference::new(
                format!("stages[{index}].degrade.to"),
                Kind::Model,
                &to.parse().ok()?,
            ))
        });
        references.extend(targets);
    }
}
