//! What people say they saved, and what Tally measured; what else they share.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ContributionKind;
use crate::{
    FieldError, PersonName, PicoUsdSum, TeamName, TemplateName, WorkloadName, resource::KindSpec,
    vocabulary::vocabulary,
};

vocabulary! {
    /// What became of a story.
    StoryVerdict {
        /// It saved, beyond chance and beyond what others saved, too.
        Confirmed = "confirmed",
        /// It cannot be told.
        Unclear = "unclear",
        /// It did not save.
        Refuted = "refuted",
    }

    /// How far a contribution has come.
    ContributionState {
        /// Somebody else is to say whether it helps.
        Offered = "offered",
        /// It does.
        Confirmed = "confirmed",
        /// It does not.
        Declined = "declined",
    }
}

/// Which tasks; those that fit everything that is said.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StoryTasks {
    /// Of this workload.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workload: Option<WorkloadName>,
    /// Of this kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task_type: Option<String>,
    /// Of this team.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<TeamName>,
    /// Of the author alone.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub mine: bool,
}

/// A stretch of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StoryWindow {
    /// From when.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
}

/// What is claimed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StoryClaim {
    /// What it is called.
    pub title: String,
    /// What was changed, so that others can do it, too.
    pub changed: String,
    /// Which tasks it changed.
    pub subject: StoryTasks,
    /// Which tasks it left as they were; those of the subject are never among them.
    #[serde(default)]
    pub comparison: StoryTasks,
    /// Before the change.
    pub before: StoryWindow,
    /// After it.
    pub after: StoryWindow,
    /// The template that made the change, if one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<TemplateName>,
}

/// A ratio or difference with the ends of its interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StoryEstimate {
    /// The likeliest value.
    pub value: f64,
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// Tasks of a group in one window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StoryFigures {
    /// Those with a known cost.
    pub tasks: u64,
    /// What they cost together.
    pub cost_usd: PicoUsdSum,
    /// How many have an outcome.
    pub reported: u64,
    /// How many of them succeeded.
    pub succeeded: u64,
}

/// What was measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StoryResult {
    /// When.
    pub at: Timestamp,
    /// What became of it.
    pub verdict: StoryVerdict,
    /// Why, in a word.
    pub ground: String,
    /// Its own tasks, after to before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own: Option<StoryEstimate>,
    /// The comparison group, after to before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub others: Option<StoryEstimate>,
    /// Its own change beyond that of the comparison group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub net: Option<StoryEstimate>,
    /// The share of its own tasks that succeeded, after less before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub success: Option<StoryEstimate>,
    /// What its own tasks would have cost more, had they gone on as the comparison group did; only where it is
    /// confirmed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saved_usd: Option<PicoUsdSum>,
    /// Its own tasks before.
    pub subject_before: StoryFigures,
    /// Its own tasks after.
    pub subject_after: StoryFigures,
    /// The comparison group before.
    pub comparison_before: StoryFigures,
    /// The comparison group after.
    pub comparison_after: StoryFigures,
}

/// A savings story: what somebody changed, and what came of it as Tally measured it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StorySpec {
    /// Who tells it.
    pub author: PersonName,
    /// Their team then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<TeamName>,
    /// When it was told.
    pub at: Timestamp,
    /// What is claimed.
    pub claim: StoryClaim,
    /// What was measured last.
    pub result: Box<StoryResult>,
    /// Whether its author took it back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub withdrawn: bool,
}

/// What is shared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ContributionText {
    /// What it is.
    pub kind: ContributionKind,
    /// What it is called.
    pub title: String,
    /// What others can learn from it; of mentoring, what it was about.
    pub text: String,
    /// Who was mentored: they alone confirm it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mentored: Option<PersonName>,
}

/// Something that somebody shares beside templates and stories.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ContributionSpec {
    /// Whose it is.
    pub author: PersonName,
    /// When it was offered.
    pub at: Timestamp,
    /// What is shared.
    pub shared: ContributionText,
    /// How far it has come.
    pub state: ContributionState,
    /// Who said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<PersonName>,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_at: Option<Timestamp>,
    /// What they said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

// === impl StoryTasks ===

impl StoryTasks {
    /// Whether nothing is said.
    pub fn is_everything(&self) -> bool {
        *self == Self::default()
    }
}

fn check_text(field: &str, text: &str, errors: &mut Vec<FieldError>) {
    if text.trim().is_empty() || text.len() > 4_000 {
        errors.push(FieldError::new(field, "expected 1 to 4,000 bytes of text"));
    }
}

/// It refers to nothing: it outlives what it speaks of.
impl KindSpec for StorySpec {
    fn check(&self, errors: &mut Vec<FieldError>) {
        let StoryClaim { title, changed, subject, comparison, before, after, .. } = &self.claim;
        check_text("claim.title", title, errors);
        check_text("claim.changed", changed, errors);
        if subject.is_everything() {
            let message = "expected a workload, a task type, a team or `mine`";
            errors.push(FieldError::new("claim.subject", message));
        }
        if comparison.mine {
            let message = "expected tasks of others, to compare with";
            errors.push(FieldError::new("claim.comparison.mine", message));
        }
        for (field, window) in [("claim.before", before), ("claim.after", after)] {
            if window.from >= window.until {
                errors.push(FieldError::new(field, "expected `from` before `until`"));
            }
        }
        if before.until > after.from {
            errors.push(FieldError::new("claim.after.from", "expected after `before` is over"));
        }
    }
}

/// It refers to nothing: it outlives whose it is.
impl KindSpec for ContributionSpec {
    fn check(&self, errors: &mut Vec<FieldError>) {
        check_text("shared.title", &self.shared.title, errors);
        check_text("shared.text", &self.shared.text, errors);
        let is_mentoring = self.shared.kind == ContributionKind::Mentoring;
        if is_mentoring != self.shared.mentored.is_some() {
            let message = "expected who was mentored, of mentoring and only there";
            errors.push(FieldError::new("shared.mentored", message));
        }
        if self.shared.mentored.as_ref() == Some(&self.author) {
            errors.push(FieldError::new("shared.mentored", "expected somebody else"));
        }
    }
}
