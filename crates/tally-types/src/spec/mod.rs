//! The specs of the resource kinds, as `tally apply` takes them.

mod access;
mod adjustment;
mod approval;
mod budget;
mod budget_scope;
mod catalog;
mod exception;
mod formula;
mod grant;
mod key;
mod people;
mod period;
mod policy;
mod policy_test;
mod prices;
mod provider;
mod rate_card;
mod retention;
mod review;
mod rollout;
mod scoreboard;
mod sprint;
mod story;
mod template;

pub use access::{ACCESS_DAYS_MAX, Access, AccessAsk, AccessRequestSpec, AccessRule};
pub use adjustment::{AdjustmentSpec, AdjustmentState, BilledMeter, VarianceKind};
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
pub use formula::{
    Badge, Board, Competitors, ComplianceFactors, ContributionKind, ContributionPoints,
    ReusePoints, ScoreWeights, ScoringFormulaSpec, Title,
};
pub use grant::{GrantAsk, GrantSpec};
pub use key::{
    KeyReinstatement, KeySecret, KeySpec, KeySuspension, SECRET_CHARACTERS_MIN, weak_secret,
};
pub use people::{
    Chargeback, ChargebackModel, ChargebackRule, CostCenterSpec, OrganizationSpec, PersonSpec,
    TeamSpec,
};
pub use period::{
    CommentKind, CommentReply, CommentState, PeriodComment, PeriodSeal, PeriodSpec, PeriodState,
    SealedAdjustment, StatementSeal,
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
pub use rate_card::{
    ExchangeRate, IdleSplit, NegotiatedRate, RateCardSpec, ReservedCapacity, Rounding,
    RoundingMode, RoundingPer, SharedCost, SharedSplit,
};
pub use retention::{ClassRetention, RETENTION_DAYS_MAX, Retention};
pub use review::{QuarterlyReviewSpec, ReviewDecision, ReviewSubject};
pub use rollout::{
    Asked, GateResult, RolloutGate, RolloutRules, RolloutSpec, RolloutStage, RolloutStep,
    RolloutThresholds,
};
pub use scoreboard::{
    PSEUDONYM_CHARACTERS_MAX, PeopleShown, ScoreboardChoiceSpec, Scoreboards, SeasonLength, ShownAs,
};
pub use sprint::{
    MeetingState, SprintSpec, SprintTarget, TargetMeasure, TargetResult, TargetScope,
    TargetWithdrawn,
};
pub use story::{
    ContributionSpec, ContributionState, ContributionText, StoryClaim, StoryEstimate, StoryFigures,
    StoryResult, StorySpec, StoryTasks, StoryVerdict, StoryWindow,
};
pub use template::{
    RenderedText, TemplateAbout, TemplateEvaluation, TemplateSpec, TemplateState, TemplateText,
    TemplateVariable, TemplateVersion, VariableProblems, VersionReview, VersionState,
};
