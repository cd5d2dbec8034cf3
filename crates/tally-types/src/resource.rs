//! Resources: everything a person configures or approves.
//!
//! One store table, one REST shape, one audit path, one `tally apply`.

use std::{fmt, str::FromStr};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{Name, spec};

/// What is wrong with one field of a spec.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{field}`: {message}")]
pub struct FieldError {
    /// Path of the field within the spec, such as `stages[1].at`.
    pub field: String,
    /// What was expected.
    pub message: String,
}

/// A field that names another resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// Path of the field within the spec.
    pub field: String,
    /// The kind it names.
    pub kind: Kind,
    /// The name.
    pub name: Name,
}

/// Why a spec is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SpecError {
    /// It does not have the kind's shape.
    #[error("{0}")]
    Shape(String),
    /// Its shape is right but values are not.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Fields(Vec<FieldError>),
}

/// A word that is no kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a kind of resource; expected one of {all}", all = Kind::ALL.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(", "))]
pub struct UnknownKind(pub String);

/// A resource as it is kept and shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Resource {
    /// Which kind.
    pub kind: Kind,
    /// Unique within the kind.
    pub name: Name,
    /// 1 at creation, raised by each change; a change names the version it is based on.
    pub version: i64,
    /// What was asked for.
    pub spec: Value,
    /// What Tally made of it.
    #[serde(default)]
    pub status: Value,
    /// The file set that created it, if `tally apply` did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub applied_by: Option<String>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
}

pub(crate) trait KindSpec: Serialize + DeserializeOwned + JsonSchema {
    fn check(&self, _errors: &mut Vec<FieldError>) {}

    fn references(&self, _references: &mut Vec<Reference>) {}
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident ($spec:ident) = $plural:literal),* $(,)?) => {
        /// A kind of resource.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        pub enum Kind {
            $($(#[$doc])* $kind,)*
        }

        /// The typed spec of any kind.
        #[derive(Debug, Clone, PartialEq)]
        #[expect(missing_docs, reason = "each variant is documented at its spec")]
        pub enum Spec {
            $($kind(spec::$spec),)*
        }

        impl Kind {
            /// Every kind, in the order in which they refer to each other.
            pub const ALL: &[Self] = &[$(Self::$kind),*];

            /// The kind as written in files.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$kind => stringify!($kind),)* }
            }

            /// The kind as written in paths.
            pub const fn plural(self) -> &'static str {
                match self { $(Self::$kind => $plural,)* }
            }

            /// Whether it is made and changed by steps of its own only: neither applied, nor
            /// replaced, nor deleted.
            pub const fn is_record(self) -> bool {
                matches!(
                    self,
                    Self::Grant
                        | Self::Exception
                        | Self::AccessRequest
                        | Self::Baseline
                        | Self::Period
                        | Self::Adjustment
                        | Self::Rollout
                        | Self::Sprint
                        | Self::QuarterlyReview
                        | Self::ScoreboardChoice
                        | Self::Template
                        | Self::Story
                        | Self::Contribution
                )
            }

            /// The JSON Schema of the kind's spec, as a part of a larger document.
            pub fn subschema(self, generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                match self { $(Self::$kind => generator.subschema_for::<spec::$spec>(),)* }
            }

            /// The JSON Schema of the kind's spec.
            pub fn schema(self) -> schemars::Schema {
                match self { $(Self::$kind => schemars::schema_for!(spec::$spec),)* }
            }
        }

        impl Spec {
            /// Reads and checks a spec; unknown fields are refused.
            ///
            /// # Errors
            /// Says every field that is wrong and what was expected.
            pub fn parse(kind: Kind, value: &Value) -> Result<Self, SpecError> {
                let parsed = match kind {
                    $(Kind::$kind => spec::$spec::deserialize(value).map(Self::$kind),)*
                };
                let parsed = parsed.map_err(|error| SpecError::Shape(error.to_string()))?;
                parsed.checked()
            }

            /// Checks values beyond the shape.
            ///
            /// # Errors
            /// Says every field that is wrong and what was expected.
            pub fn checked(self) -> Result<Self, SpecError> {
                let mut errors = Vec::new();
                match &self { $(Self::$kind(spec) => spec.check(&mut errors),)* }
                if errors.is_empty() { Ok(self) } else { Err(SpecError::Fields(errors)) }
            }

            /// Which kind it is of.
            pub const fn kind(&self) -> Kind {
                match self { $(Self::$kind(_) => Kind::$kind,)* }
            }

            /// Every field that names another resource.
            pub fn references(&self) -> Vec<Reference> {
                let mut references = Vec::new();
                match self { $(Self::$kind(spec) => KindSpec::references(spec, &mut references),)* }
                references
            }
        }
    };
}

kinds! {
    /// The company itself; exactly one.
    Organization(OrganizationSpec) = "organizations",
    /// Where calls are sent.
    Provider(ProviderSpec) = "providers",
    /// A model that may be asked for.
    Model(ModelSpec) = "models",
    /// Prices from one source as of one day.
    PriceList(PriceListSpec) = "price-lists",
    /// Who pays (a budget code).
    CostCenter(CostCenterSpec) = "cost-centers",
    /// People who work together.
    Team(TeamSpec) = "teams",
    /// A human.
    Person(PersonSpec) = "people",
    /// A registered AI-powered app or workflow.
    Workload(WorkloadSpec) = "workloads",
    /// A virtual key.
    Key(KeySpec) = "keys",
    /// A limit with stages.
    Budget(BudgetSpec) = "budgets",
    /// A temporary increase of a budget, or the approval that a stage asks for.
    Grant(GrantSpec) = "grants",
    /// A waiver of one rule for somebody or something, for at most 30 days.
    Exception(ExceptionSpec) = "exceptions",
    /// A key, a model or a tier that a person asked for, for a time.
    AccessRequest(AccessRequestSpec) = "access-requests",
    /// Guardrail rules.
    Policy(PolicySpec) = "policies",
    /// What a workload used, signed off, to hold later savings against.
    Baseline(BaselineSpec) = "baselines",
    /// What cost centers pay for what they use, from a month on.
    RateCard(RateCardSpec) = "rate-cards",
    /// A month of statements: its review and its seal.
    Period(PeriodSpec) = "periods",
    /// A difference from a provider's bill that somebody decided about.
    Adjustment(AdjustmentSpec) = "adjustments",
    /// How far a cost center has come: inventory, showback, chargeback.
    Rollout(RolloutSpec) = "rollouts",
    /// A month's sprint: reduction targets and what became of them.
    Sprint(SprintSpec) = "sprints",
    /// A quarter's review of policies and prices, with its decisions.
    QuarterlyReview(QuarterlyReviewSpec) = "quarterly-reviews",
    /// How a person appears on scoreboards.
    ScoreboardChoice(ScoreboardChoiceSpec) = "scoreboard-choices",
    /// How scoreboards are computed, from a day on.
    ScoringFormula(ScoringFormulaSpec) = "scoring-formulas",
    /// A prompt that people share, version by version.
    Template(TemplateSpec) = "templates",
    /// What somebody says they saved, and what was measured.
    Story(StorySpec) = "stories",
    /// A failure case, an evaluation, a guardrail pattern, or mentoring.
    Contribution(ContributionSpec) = "contributions",
}

// === impl Kind ===

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Kind {
    type Err = UnknownKind;

    /// Accepts the kind (`CostCenter`), its plural (`cost-centers`) and its kebab singular.
    fn from_str(text: &str) -> Result<Self, UnknownKind> {
        let plain = |word: &str| word.replace(['-', '_'], "").to_ascii_lowercase();
        let wanted = plain(text);
        Self::ALL
            .iter()
            .copied()
            .find(|kind| wanted == plain(kind.as_str()) || wanted == plain(kind.plural()))
            .ok_or_else(|| UnknownKind(text.chars().take(64).collect()))
    }
}

// === impl FieldError ===

impl FieldError {
    pub(crate) fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: field.into(), message: message.into() }
    }
}

// === impl Reference ===

impl Reference {
    pub(crate) fn new(field: impl Into<String>, kind: Kind, name: &Name) -> Self {
        Self { field: field.into(), kind, name: name.clone() }
    }
}
