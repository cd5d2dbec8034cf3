//! The quarterly review of policies and prices: what was decided, and by whom.

use jiff::{Timestamp, civil::Date};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::MeetingState;
use crate::{FieldError, PersonName, resource::KindSpec, vocabulary::vocabulary};

vocabulary! {
    /// What a decision is about.
    ReviewSubject {
        /// Rules.
        Policies = "policies",
        /// Price lists.
        Prices = "prices",
        /// Rate cards and chargeback models.
        RateCards = "rate_cards",
        /// Waivers.
        Exceptions = "exceptions",
        /// Budgets.
        Budgets = "budgets",
        /// Stages of cost centers, and what is asked for before them.
        Rollout = "rollout",
        /// Anything else.
        Other = "other",
    }
}

/// Something that was decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReviewDecision {
    /// 1, 2, 3…
    pub number: u32,
    /// What it is about.
    pub subject: ReviewSubject,
    /// What exactly, such as the name of a policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// What was decided.
    pub text: String,
    /// Who does it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<PersonName>,
    /// Until when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub due: Option<Date>,
    /// Who wrote it down.
    pub by: PersonName,
    /// When.
    pub at: Timestamp,
}

/// A quarter's review; named by the quarter, such as `2026-Q4`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QuarterlyReviewSpec {
    /// How far it has come.
    pub state: MeetingState,
    /// What was decided.
    pub decisions: Vec<ReviewDecision>,
    /// Who was there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attendees: Vec<PersonName>,
    /// What else is to be remembered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Who closed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_by: Option<PersonName>,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<Timestamp>,
}

/// It refers to nothing: it outlives what it speaks of.
impl KindSpec for QuarterlyReviewSpec {
    fn check(&self, errors: &mut Vec<FieldError>) {
        if (self.state == MeetingState::Closed) != self.closed_at.is_some() {
            errors.push(FieldError::new("closed_at", "expected with `state: closed`, only there"));
        }
    }
}
