//! Exceptions: waivers of one rule, for somebody or something, for a time.

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    FieldError, KeyName, Name, PersonName, TeamName, WorkloadName,
    resource::KindSpec,
    spec::{
        GrantDecision, GrantNeed, GrantState,
        approval::{approvable, check_asked},
    },
};

/// An exception holds for at most so many days, renewed or not.
pub const EXCEPTION_DAYS_MAX: i64 = 30;

/// For whom or what a rule is waived: all that is given must hold of a call.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExceptionScope {
    /// Calls of this person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonName>,
    /// Calls of this team.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<TeamName>,
    /// Calls of this workload.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workload: Option<WorkloadName>,
    /// Calls with this key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<KeyName>,
}

/// That an architect looked at why an exception is asked for again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ArchitectureReview {
    /// Who recorded it.
    pub by: PersonName,
    /// When.
    pub at: Timestamp,
    /// What came of it.
    pub note: String,
}

/// A waiver of one rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExceptionSpec {
    /// The rule, as `policy/rule-id`.
    pub rule: String,
    /// For whom or what.
    pub scope: ExceptionScope,
    /// Why it is needed.
    pub reason: String,
    /// Who asked.
    pub requested_by: PersonName,
    /// When it was asked for.
    pub requested_at: Timestamp,
    /// From when it holds, once it is approved.
    pub from: Timestamp,
    /// When it ends by itself: at most 30 days after `from`.
    pub until: Timestamp,
    /// Who has to approve: all of these roles.
    pub needs: Vec<GrantNeed>,
    /// What was said so far.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub decisions: Vec<GrantDecision>,
    /// Since when security and admins may decide in anybody's place, as nobody else did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalated_at: Option<Timestamp>,
    /// How far it has come.
    pub state: GrantState,
    /// The exception that it renews.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renews: Option<Name>,
    /// How often it was renewed before.
    #[serde(default)]
    pub renewals: u32,
    /// Needed before a repeated one can be approved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub architecture_review: Option<ArchitectureReview>,
}

/// It refers to nothing: an exception is a record that outlives its rule.
impl KindSpec for ExceptionSpec {
    fn check(&self, errors: &mut Vec<FieldError>) {
        check_asked(self, errors);
        let is_rule = self
            .rule
            .split_once('/')
            .is_some_and(|(policy, rule)| !policy.is_empty() && !rule.is_empty());
        if !is_rule {
            errors.push(FieldError::new("rule", "expected `policy/rule-id`"));
        }
        if self.scope == ExceptionScope::default() {
            let message = "expected at least one of `person`, `team`, `workload`, `key`";
            errors.push(FieldError::new("scope", message));
        }
        if self.until <= self.from {
            errors.push(FieldError::new("until", "expected a time after `from`"));
        }
        // Held here, so that no path stores a longer one.
        if self.until.duration_since(self.from) > days(EXCEPTION_DAYS_MAX) {
            let message = format!(
                "an exception holds for at most {EXCEPTION_DAYS_MAX} days after `from`; ask for \
                 {EXCEPTION_DAYS_MAX}, and renew it where it is still needed"
            );
            errors.push(FieldError::new("until", message));
        }
        if self.renews.is_some() != (self.renewals > 0) {
            let message = "expected how often it was renewed, with `renews`";
            errors.push(FieldError::new("renewals", message));
        }
    }
}

approvable!(ExceptionSpec = Exception);

/// So many days of 24 hours.
fn days(count: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * count)
}

// === impl ExceptionSpec ===

impl ExceptionSpec {
    /// Whether its rule is waived at this time.
    pub fn holds_at(&self, time: Timestamp) -> bool {
        self.state == GrantState::Approved && self.from <= time && time < self.until
    }
}

// === impl ExceptionScope ===

impl ExceptionScope {
    /// Whether a call could be of both: a field that both name must be the same. A person
    /// may be of any team, so `person` here and `team` there do overlap.
    pub fn overlaps(&self, other: &Self) -> bool {
        fn fits<T: PartialEq>(one: Option<&T>, other: Option<&T>) -> bool {
            one.zip(other).is_none_or(|(one, other)| one == other)
        }
        fits(self.person.as_ref(), other.person.as_ref())
            && fits(self.team.as_ref(), other.team.as_ref())
            && fits(self.workload.as_ref(), other.workload.as_ref())
            && fits(self.key.as_ref(), other.key.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{Kind, Spec};

    fn stored(change: &Value) -> Result<Spec, String> {
        let mut spec = json!({
            "rule": "data-classes/restricted", "scope": { "person": "ada" }, "reason": "Audit",
            "requested_by": "ada", "requested_at": "2026-11-01T00:00:00Z",
            "from": "2026-11-01T00:00:00Z", "until": "2026-12-01T00:00:00Z",
            "needs": [{ "role": "security", "people": ["sam"] }], "state": "pending",
        });
        spec.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        Spec::parse(Kind::Exception, &spec).map_err(|error| error.to_string())
    }

    #[test]
    fn one_of_more_than_thirty_days_cannot_be_stored() {
        assert!(stored(&json!({})).is_ok());
        let longer = stored(&json!({ "until": "2026-12-01T00:00:01Z" })).unwrap_err();
        assert!(longer.contains("at most 30 days"), "{longer}");
        // Asked for long before does not make it longer.
        let ahead = json!({ "from": "2026-11-20T00:00:00Z", "until": "2026-12-20T00:00:00Z" });
        assert!(stored(&ahead).is_ok());
    }

    #[test]
    fn it_holds_once_it_is_approved_and_only_in_its_time() {
        let Ok(Spec::Exception(spec)) = stored(&json!({ "state": "approved" })) else { panic!() };
        let at = |text: &str| spec.holds_at(text.parse().unwrap());
        assert!(at("2026-11-01T00:00:00Z") && at("2026-11-30T23:59:59Z"));
        assert!(!at("2026-10-31T23:59:59Z") && !at("2026-12-01T00:00:00Z"));
        let Ok(Spec::Exception(waits)) = stored(&json!({})) else { panic!() };
        assert!(!waits.holds_at("2026-11-02T00:00:00Z".parse().unwrap()));
    }

    #[test]
    fn it_is_for_somebody_and_of_a_rule() {
        for (wrong, field) in [
            (json!({ "scope": {} }), "scope"),
            (json!({ "rule": "data-classes" }), "rule"),
            (json!({ "rule": "/restricted" }), "rule"),
            (json!({ "reason": "  " }), "reason"),
            (json!({ "renewals": 2 }), "renewals"),
        ] {
            let error = stored(&wrong).unwrap_err();
            assert!(error.starts_with(&format!("`{field}`")), "{error}");
        }
    }

    #[test]
    fn scopes_overlap_unless_they_name_different_ones() {
        let scope = |value: Value| serde_json::from_value::<ExceptionScope>(value).unwrap();
        let ada = scope(json!({ "person": "ada" }));
        assert!(ada.overlaps(&ada));
        assert!(ada.overlaps(&scope(json!({ "team": "support" }))));
        assert!(ada.overlaps(&scope(json!({ "person": "ada", "key": "k" }))));
        assert!(!ada.overlaps(&scope(json!({ "person": "bob" }))));
    }
}
