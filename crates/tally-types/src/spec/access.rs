//! Access requests: a key, a model or a tier that a person asks for, for a time.

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    FieldError, ModelName, Name, PersonName, Tier, WorkloadName,
    resource::KindSpec,
    spec::{
        GrantDecision, GrantNeed, GrantState,
        approval::{approvable, check_asked},
    },
    vocabulary::vocabulary,
};

/// Access ends by itself after at most so many days.
pub const ACCESS_DAYS_MAX: i64 = 180;

vocabulary! {
    /// Whether something may be used by anyone.
    AccessRule {
        /// By anyone.
        Open = "open",
        /// Only by who asked for it and was given it.
        OnRequest = "on_request",
    }
}

/// What a person asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AccessAsk {
    /// To make a key of their own; with a workload, one that stands for it.
    Key {
        /// A workload that is not their own.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        workload: Option<WorkloadName>,
    },
    /// To use a model that is `on_request`.
    Model(ModelName),
    /// To use every model of a tier that is `on_request`.
    Tier(Tier),
}

/// What a person was given, until when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Access {
    /// What.
    pub what: AccessAsk,
    /// Until when.
    pub until: Timestamp,
}

/// What a person asked for, and what was said to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccessRequestSpec {
    /// What is asked for.
    pub what: AccessAsk,
    /// Why it is needed.
    pub reason: String,
    /// Who asked, and is given it.
    pub requested_by: PersonName,
    /// When it was asked for.
    pub requested_at: Timestamp,
    /// When it ends by itself.
    pub until: Timestamp,
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
    /// The request that it renews.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renews: Option<Name>,
    /// How often it was renewed before.
    #[serde(default)]
    pub renewals: u32,
}

/// It refers to nothing: it is a record that outlives its model.
impl KindSpec for AccessRequestSpec {
    fn check(&self, errors: &mut Vec<FieldError>) {
        check_asked(self, errors);
        let most = SignedDuration::from_hours(24 * ACCESS_DAYS_MAX);
        if self.until.duration_since(self.requested_at) > most {
            let message = format!("expected at most {ACCESS_DAYS_MAX} days; it can be renewed");
            errors.push(FieldError::new("until", message));
        }
    }
}

approvable!(AccessRequestSpec = AccessRequest);

// === impl AccessRule ===

impl AccessRule {
    /// Whether anyone may.
    pub fn is_open(&self) -> bool {
        *self == Self::Open
    }
}

#[expect(
    clippy::derivable_impls,
    reason = "the macro derives no default: most vocabularies have none"
)]
impl Default for AccessRule {
    fn default() -> Self {
        Self::Open
    }
}
