//! Grants: temporary increases of a budget, and the approvals that stages ask for.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    CounterId, FieldError, PersonName,
    resource::KindSpec,
    spec::{BudgetLimit, StageRole},
    vocabulary::vocabulary,
};

vocabulary! {
    /// How far a grant has come.
    GrantState {
        /// Somebody has to decide.
        Pending = "pending",
        /// In force until it ends.
        Approved = "approved",
        /// Somebody said no.
        Denied = "denied",
        /// Taken back after it was approved.
        Revoked = "revoked",
        /// Taken back by who asked, before anybody decided.
        Withdrawn = "withdrawn",
        /// Its time is over.
        Expired = "expired",
    }
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GrantAsk {
    /// So much more than the limit, until the grant ends.
    Increase(BudgetLimit),
    /// To go on past this stage's percentage, for the rest of the window.
    PassStage(u32),
}

/// A role that has to approve, and who could when it was asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GrantNeed {
    /// The role.
    pub role: StageRole,
    /// Who has it; delegates come on top.
    pub people: Vec<PersonName>,
}

/// What one approver said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GrantDecision {
    /// Who said it.
    pub by: PersonName,
    /// As which role.
    pub role: StageRole,
    /// In whose place, if as a delegate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub for_person: Option<PersonName>,
    /// Yes or no.
    pub approved: bool,
    /// Why; a denial has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// A temporary increase of one budget, or the approval that one of its stages asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GrantSpec {
    /// Which budget, of whom.
    pub counter: CounterId,
    /// What is asked for.
    pub ask: GrantAsk,
    /// When it ends by itself.
    pub until: Timestamp,
    /// Why it is needed.
    pub reason: String,
    /// Who asked; Tally itself, when a stage was reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requested_by: Option<PersonName>,
    /// When it was asked for.
    pub requested_at: Timestamp,
    /// Approved by who asked, in an emergency; to be reviewed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub emergency: bool,
    /// Who has to approve: all of these roles.
    pub needs: Vec<GrantNeed>,
    /// What was said so far.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub decisions: Vec<GrantDecision>,
    /// Since when FinOps and admins may decide, too, as nobody else did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalated_at: Option<Timestamp>,
    /// How far it has come.
    pub state: GrantState,
}

/// It refers to nothing: a grant is a record that outlives its budget.
impl KindSpec for GrantSpec {
    fn check(&self, errors: &mut Vec<FieldError>) {
        if let GrantAsk::Increase(more) = self.ask
            && more.amount() <= 0
        {
            errors.push(FieldError::new("ask.increase", "expected more than zero"));
        }
        if self.reason.trim().is_empty() || self.reason.chars().count() > 2_000 {
            errors.push(FieldError::new("reason", "expected 1 to 2,000 characters"));
        }
        if self.until <= self.requested_at {
            errors.push(FieldError::new("until", "expected a time after the request"));
        }
    }
}
