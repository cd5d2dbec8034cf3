//! How scoreboards are computed: a formula that everybody can read, from one day on.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{FieldError, resource::KindSpec, vocabulary::vocabulary};

vocabulary! {
    /// What a scoreboard ranks by.
    Board {
        /// All of it together.
        Overall = "overall",
        /// The cost of successful tasks against that of the peers.
        Efficiency = "efficiency",
        /// The cost of successful tasks against the own best season before.
        Improvement = "improvement",
        /// What is shared.
        Knowledge = "knowledge",
        /// The value of vouched outcomes for what was spent; of teams only.
        Return = "return",
    }

    /// Who stands on a scoreboard.
    Competitors {
        /// Persons.
        People = "people",
        /// Teams.
        Teams = "teams",
    }

    /// What follows from a score.
    Badge {
        /// From 50.
        Bronze = "bronze",
        /// From 60.
        Silver = "silver",
        /// From 70.
        Gold = "gold",
        /// From 80.
        Platinum = "platinum",
        /// From 90.
        Emerald = "emerald",
    }

    /// What one ranked person has for a season.
    Title {
        /// Their templates saved others most.
        TokenLegend = "token_legend",
        /// The largest share of prompt tokens that caches served.
        CacheWizard = "cache_wizard",
        /// The largest share of successes by models below the frontier, where peers use those of the frontier.
        ModelConnoisseur = "model_connoisseur",
        /// The longest streak of successful tasks within what peers spend.
        SessionImmortal = "session_immortal",
    }

    /// What people share beside templates and stories.
    ContributionKind {
        /// How something went wrong, for others to learn from.
        FailureCase = "failure_case",
        /// A way to tell whether answers are good.
        Evaluation = "evaluation",
        /// A rule that keeps people safe.
        GuardrailPattern = "guardrail_pattern",
        /// Time given to somebody, who confirms it.
        Mentoring = "mentoring",
    }
}

/// The numbers that scores are computed with, from one day until the next formula begins.
/// `docs/scoreboards.md` says what each one does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScoringFormulaSpec {
    /// The first day it holds; a season is scored by the formula that held when it began.
    #[schemars(with = "String")]
    pub from: Date,
    /// Why there is this formula, for everybody to read.
    pub reason: String,
    /// How much each part counts.
    #[serde(default)]
    pub weights: ScoreWeights,
    /// Counting tasks of a season; whoever has fewer is not ranked.
    #[serde(default = "twenty")]
    pub minimum_tasks: u32,
    /// With fewer who can be compared, themselves included, nobody is.
    #[serde(default = "three")]
    pub minimum_peers: u32,
    /// Successes at the peers' median that everybody is given, so that few tasks tell little.
    #[serde(default = "twenty_successes")]
    pub shrinkage_tasks: f64,
    /// The quality of a success whose outcome tells none.
    #[serde(default = "four_fifths")]
    pub quality_default: f64,
    /// Successes of a day that has more than so many times what peers have on a busy day do not count.
    #[serde(default = "three_times")]
    pub spam_factor: f64,
    /// What it is worth when others use one's templates.
    #[serde(default)]
    pub reuse: ReusePoints,
    /// Of each confirmed story.
    #[serde(default = "ten")]
    pub story_points: f64,
    /// Of each confirmed contribution, by its kind.
    #[serde(default)]
    pub contribution_points: ContributionPoints,
    /// Of all contributions of a season, at most.
    #[serde(default = "ten")]
    pub contribution_points_max: f64,
    /// So many points are half of all.
    #[serde(default = "ten")]
    pub knowledge_half: f64,
    /// What it costs not to keep to the rules.
    #[serde(default)]
    pub compliance: ComplianceFactors,
}

/// How much each part of a score counts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScoreWeights {
    /// Of the cost of successful tasks against that of the peers.
    pub efficiency: f64,
    /// Of the cost of successful tasks against the own best season before.
    pub improvement: f64,
    /// Of what is shared.
    pub knowledge: f64,
}

/// What it is worth when others use one's templates.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ReusePoints {
    /// Somebody uses a template who has so many counting tasks with it.
    pub tasks: u32,
    /// For each such person.
    pub points: f64,
    /// Times so much where the template is measured to save.
    pub confirmed_factor: f64,
    /// For a template, at most.
    pub points_max: f64,
}

/// Points of a confirmed contribution.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ContributionPoints {
    /// Of a failure case.
    pub failure_case: f64,
    /// Of an evaluation.
    pub evaluation: f64,
    /// Of a guardrail pattern.
    pub guardrail_pattern: f64,
    /// Of a person mentored.
    pub mentoring: f64,
}

/// What it costs not to keep to the rules: so much is taken off the multiplier.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ComplianceFactors {
    /// For each violation a head.
    pub violation: f64,
    /// For spend that no entry of the catalog explains, where it is as much as peers would have spent in all.
    pub unregistered: f64,
    /// For each own exception that ran out, a head.
    pub expired_exception: f64,
    /// The multiplier is never below this.
    pub floor: f64,
}

const fn twenty() -> u32 {
    20
}

const fn three() -> u32 {
    3
}

const fn twenty_successes() -> f64 {
    20.0
}

const fn four_fifths() -> f64 {
    0.8
}

const fn three_times() -> f64 {
    3.0
}

const fn ten() -> f64 {
    10.0
}

// === impl ScoringFormulaSpec ===

impl Default for ScoringFormulaSpec {
    /// The formula `standard`, which holds until there is another one.
    fn default() -> Self {
        Self {
            from: Date::constant(2026, 1, 1),
            reason: "The one that Tally comes with.".to_owned(),
            weights: ScoreWeights::default(),
            minimum_tasks: twenty(),
            minimum_peers: three(),
            shrinkage_tasks: twenty_successes(),
            quality_default: four_fifths(),
            spam_factor: three_times(),
            reuse: ReusePoints::default(),
            story_points: ten(),
            contribution_points: ContributionPoints::default(),
            contribution_points_max: ten(),
            knowledge_half: ten(),
            compliance: ComplianceFactors::default(),
        }
    }
}

impl ScoringFormulaSpec {
    /// The name of the formula that holds until there is another one.
    pub const STANDARD: &str = "standard";

    fn amounts(&self) -> [(&'static str, f64); 17] {
        let Self { weights, reuse, contribution_points: points, compliance, .. } = self;
        [
            ("weights.efficiency", weights.efficiency),
            ("weights.improvement", weights.improvement),
            ("weights.knowledge", weights.knowledge),
            ("reuse.points", reuse.points),
            ("reuse.confirmed_factor", reuse.confirmed_factor),
            ("reuse.points_max", reuse.points_max),
            ("story_points", self.story_points),
            ("contribution_points.failure_case", points.failure_case),
            ("contribution_points.evaluation", points.evaluation),
            ("contribution_points.guardrail_pattern", points.guardrail_pattern),
            ("contribution_points.mentoring", points.mentoring),
            ("contribution_points_max", self.contribution_points_max),
            ("compliance.violation", compliance.violation),
            ("compliance.unregistered", compliance.unregistered),
            ("compliance.expired_exception", compliance.expired_exception),
            ("compliance.floor", compliance.floor),
            ("quality_default", self.quality_default),
        ]
    }
}

impl KindSpec for ScoringFormulaSpec {
    fn check(&self, errors: &mut Vec<FieldError>) {
        const MAX: f64 = 1_000_000.0;
        let mut refuse = |field: &str, message: &str| errors.push(FieldError::new(field, message));
        if self.reason.trim().is_empty() {
            refuse("reason", "expected some text: everybody reads why the formula is as it is");
        }
        for (field, amount) in self.amounts() {
            if !(0.0..=MAX).contains(&amount) {
                refuse(field, "expected zero or more, and at most a million");
            }
        }
        let above_zero = [
            ("shrinkage_tasks", self.shrinkage_tasks),
            ("knowledge_half", self.knowledge_half),
            ("spam_factor", self.spam_factor),
        ];
        for (field, amount) in above_zero {
            if !(amount > 0.0 && amount <= MAX) {
                refuse(field, "expected more than zero, and at most a million");
            }
        }
        // Efficiency and knowledge are of everybody: without both, a score might divide by zero.
        if self.weights.efficiency + self.weights.knowledge <= 0.0 {
            refuse("weights", "expected a weight above zero for `efficiency` or `knowledge`");
        }
        for (field, share) in
            [("quality_default", self.quality_default), ("compliance.floor", self.compliance.floor)]
        {
            if share > 1.0 {
                refuse(field, "expected a share, 0 to 1");
            }
        }
        for (field, count) in [
            ("minimum_tasks", self.minimum_tasks),
            ("minimum_peers", self.minimum_peers),
            ("reuse.tasks", self.reuse.tasks),
        ] {
            if count == 0 {
                refuse(field, "expected one or more");
            }
        }
    }
}

// === impl ScoreWeights ===

impl Default for ScoreWeights {
    fn default() -> Self {
        Self { efficiency: 0.5, improvement: 0.2, knowledge: 0.3 }
    }
}

// === impl ReusePoints ===

impl Default for ReusePoints {
    fn default() -> Self {
        Self { tasks: 3, points: 1.0, confirmed_factor: 2.0, points_max: 20.0 }
    }
}

// === impl ContributionPoints ===

impl Default for ContributionPoints {
    fn default() -> Self {
        Self { failure_case: 2.0, evaluation: 3.0, guardrail_pattern: 3.0, mentoring: 2.0 }
    }
}

impl ContributionPoints {
    /// Of a kind.
    pub const fn of(&self, kind: ContributionKind) -> f64 {
        match kind {
            ContributionKind::FailureCase => self.failure_case,
            ContributionKind::Evaluation => self.evaluation,
            ContributionKind::GuardrailPattern => self.guardrail_pattern,
            ContributionKind::Mentoring => self.mentoring,
        }
    }
}

// === impl ComplianceFactors ===

impl Default for ComplianceFactors {
    fn default() -> Self {
        Self { violation: 0.02, unregistered: 0.2, expired_exception: 0.02, floor: 0.5 }
    }
}

// === impl Badge ===

impl Badge {
    /// The score it begins at.
    pub const fn from(self) -> f64 {
        match self {
            Self::Bronze => 50.0,
            Self::Silver => 60.0,
            Self::Gold => 70.0,
            Self::Platinum => 80.0,
            Self::Emerald => 90.0,
        }
    }

    /// The highest one of a score.
    pub fn of(score: f64) -> Option<Self> {
        Self::ALL.iter().copied().rev().find(|badge| score >= badge.from())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(change: impl FnOnce(&mut ScoringFormulaSpec)) -> Vec<String> {
        let mut spec = ScoringFormulaSpec::default();
        change(&mut spec);
        let mut errors = Vec::new();
        spec.check(&mut errors);
        errors.into_iter().map(|error| error.field).collect()
    }

    #[test]
    fn what_is_left_out_is_as_the_standard_has_it() {
        let text = r#"{"from": "2026-01-01", "reason": "The one that Tally comes with."}"#;
        let spec: ScoringFormulaSpec = serde_json::from_str(text).unwrap();
        assert_eq!(spec, ScoringFormulaSpec::default());
        assert!(fields(|_| ()).is_empty());
    }

    #[test]
    fn numbers_that_would_break_a_score_are_refused() {
        assert_eq!(fields(|spec| spec.reason = " ".to_owned()), ["reason"]);
        assert_eq!(fields(|spec| spec.shrinkage_tasks = 0.0), ["shrinkage_tasks"]);
        assert_eq!(fields(|spec| spec.knowledge_half = f64::NAN), ["knowledge_half"]);
        assert_eq!(fields(|spec| spec.compliance.floor = 1.5), ["compliance.floor"]);
        assert_eq!(fields(|spec| spec.reuse.points = -1.0), ["reuse.points"]);
        let only_improvement = |spec: &mut ScoringFormulaSpec| {
            spec.weights = ScoreWeights { efficiency: 0.0, improvement: 1.0, knowledge: 0.0 };
        };
        assert_eq!(fields(only_improvement), ["weights"]);
    }

    #[test]
    fn badges_begin_where_their_thresholds_are() {
        assert_eq!(Badge::of(49.9), None);
        assert_eq!(Badge::of(50.0), Some(Badge::Bronze));
        assert_eq!(Badge::of(89.9), Some(Badge::Platinum));
        assert_eq!(Badge::of(100.0), Some(Badge::Emerald));
    }
}
