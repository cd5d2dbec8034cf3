//! Grants: temporary increases of a budget, and the approvals that stages ask for.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    CounterId, FieldError, PersonName,
    resource::KindSpec,
    spec::{
        BudgetLimit, GrantDecision, GrantNeed, GrantState,
        approval::{approvable, check_asked},
    },
};

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GrantAsk {
    /// So much more than the limit, until the grant ends.
    Increase(BudgetLimit),
    /// To go on past this stage's percentage, for the rest of the window.
    PassStage(u32),
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
        check_asked(self, errors);
    }
}

approvable!(GrantSpec = Grant, emergency);
