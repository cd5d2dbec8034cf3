//! What everything that somebody has to approve has in common: grants, exceptions and
//! access requests are asked for, decided, ended and kept in the same way.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{FieldError, Kind, PersonName, spec::StageRole, vocabulary::vocabulary};

vocabulary! {
    /// How far a grant, an exception or an access request has come.
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

/// What somebody has to approve.
pub trait Approvable: Clone + Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The kind of resource it is kept as.
    const KIND: Kind;

    /// Who asked; none when Tally did.
    fn requested_by(&self) -> Option<&PersonName>;
    /// When it was asked for.
    fn requested_at(&self) -> Timestamp;
    /// When it ends by itself.
    fn until(&self) -> Timestamp;
    /// Why it is needed.
    fn reason(&self) -> &str;
    /// Who has to approve: all of these roles.
    fn needs(&self) -> &[GrantNeed];
    /// What was said so far.
    fn decisions(&self) -> &[GrantDecision];
    /// Since when others may decide, too, as nobody else did.
    fn escalated_at(&self) -> Option<Timestamp>;
    /// How far it has come.
    fn state(&self) -> GrantState;
    /// Whether it holds before anybody approved it.
    fn is_emergency(&self) -> bool {
        false
    }
    /// It, in another state.
    #[must_use]
    fn in_state(&self, state: GrantState) -> Self;
    /// It, with one more decision.
    #[must_use]
    fn decided(&self, decision: GrantDecision) -> Self;
    /// It, escalated.
    #[must_use]
    fn escalated(&self, at: Timestamp) -> Self;
}

/// The fields have the same names everywhere; the rest of the trait follows from them.
macro_rules! approvable {
    ($spec:ident = $kind:ident $(, $emergency:ident)?) => {
        impl $crate::spec::Approvable for $spec {
            const KIND: $crate::Kind = $crate::Kind::$kind;

            fn requested_by(&self) -> Option<&$crate::PersonName> {
                Option::from(&self.requested_by)
            }

            fn requested_at(&self) -> jiff::Timestamp {
                self.requested_at
            }

            fn until(&self) -> jiff::Timestamp {
                self.until
            }

            fn reason(&self) -> &str {
                &self.reason
            }

            fn needs(&self) -> &[$crate::spec::GrantNeed] {
                &self.needs
            }

            fn decisions(&self) -> &[$crate::spec::GrantDecision] {
                &self.decisions
            }

            fn escalated_at(&self) -> Option<jiff::Timestamp> {
                self.escalated_at
            }

            fn state(&self) -> $crate::spec::GrantState {
                self.state
            }

            $(fn is_emergency(&self) -> bool {
                self.$emergency
            })?

            fn in_state(&self, state: $crate::spec::GrantState) -> Self {
                Self { state, ..self.clone() }
            }

            fn decided(&self, decision: $crate::spec::GrantDecision) -> Self {
                let mut next = self.clone();
                next.decisions.push(decision);
                next
            }

            fn escalated(&self, at: jiff::Timestamp) -> Self {
                Self { escalated_at: Some(at), ..self.clone() }
            }
        }
    };
}
pub(crate) use approvable;

/// What holds of everything that is asked for.
pub(crate) fn check_asked(asked: &impl Approvable, errors: &mut Vec<FieldError>) {
    if asked.reason().trim().is_empty() || asked.reason().chars().count() > 2_000 {
        errors.push(FieldError::new("reason", "expected 1 to 2,000 characters"));
    }
    if asked.until() <= asked.requested_at() {
        errors.push(FieldError::new("until", "expected a time after the request"));
    }
}
