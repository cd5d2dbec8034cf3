//! How long what names people, and what they wrote, is kept: by the class of the data.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{DataClass, FieldError};

/// No period is longer: ten years.
pub const RETENTION_DAYS_MAX: u32 = 3_650;
const DAY_S: i64 = 24 * 3_600;

/// How long personal data is kept, for each class of data.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Retention {
    /// Of calls with public data.
    #[serde(skip_serializing_if = "ClassRetention::is_default")]
    pub public: ClassRetention,
    /// Of calls with internal data.
    #[serde(skip_serializing_if = "ClassRetention::is_default")]
    pub internal: ClassRetention,
    /// Of calls with confidential data.
    #[serde(skip_serializing_if = "ClassRetention::is_default")]
    pub confidential: ClassRetention,
    /// Of calls with restricted data.
    #[serde(skip_serializing_if = "ClassRetention::is_default")]
    pub restricted: ClassRetention,
}

/// How long personal data of one class is kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ClassRetention {
    /// Days after which a call no longer says who made it; without end where it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub personal_days: Option<u32>,
    /// Days for which prompts and replies are kept, of workloads with `keep_prompts`; 0, the
    /// default, keeps none.
    #[serde(skip_serializing_if = "is_zero")]
    pub prompts_days: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
const fn is_zero(days: &u32) -> bool {
    *days == 0
}

// === impl Retention ===

impl Retention {
    pub(crate) fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// The periods of a class.
    pub const fn of(&self, class: DataClass) -> ClassRetention {
        match class {
            DataClass::Public => self.public,
            DataClass::Internal => self.internal,
            DataClass::Confidential => self.confidential,
            DataClass::Restricted => self.restricted,
        }
    }

    pub(crate) fn check(&self, errors: &mut Vec<FieldError>) {
        for class in DataClass::ALL {
            self.of(*class).check(&format!("retention.{class}"), errors);
        }
    }
}

// === impl ClassRetention ===

impl ClassRetention {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Calls before this time lose what says who made them; none is ever old enough
    /// without a period.
    pub fn personal_before(&self, now: Timestamp) -> Option<Timestamp> {
        Some(days_before(now, self.personal_days?))
    }

    /// Prompts of calls before this time are deleted; all of them where none are kept.
    pub fn prompts_before(&self, now: Timestamp) -> Timestamp {
        days_before(now, self.prompts_days)
    }

    /// When the prompt of a call of this time is deleted.
    pub fn prompt_until(&self, call: Timestamp) -> Timestamp {
        let days = i64::from(self.prompts_days);
        let until = call.as_second().saturating_add(days.saturating_mul(DAY_S));
        Timestamp::from_second(until).unwrap_or(Timestamp::MAX)
    }

    fn check(&self, field: &str, errors: &mut Vec<FieldError>) {
        let period = format!("expected 1 to {RETENTION_DAYS_MAX} days");
        if self.personal_days.is_some_and(|days| days == 0 || days > RETENTION_DAYS_MAX) {
            let message = format!("{period}; leave it out to keep who called without end");
            errors.push(FieldError::new(format!("{field}.personal_days"), message));
        }
        if self.prompts_days > RETENTION_DAYS_MAX {
            let message = format!("{period}, or 0 to keep no prompts");
            errors.push(FieldError::new(format!("{field}.prompts_days"), message));
        }
        if let Some(personal) = self.personal_days.filter(|days| *days < self.prompts_days) {
            let message = format!(
                "expected at most {personal} days, as `personal_days` says: a prompt tells more of \
                 its writer than the call does"
            );
            errors.push(FieldError::new(format!("{field}.prompts_days"), message));
        }
    }
}

fn days_before(now: Timestamp, days: u32) -> Timestamp {
    let before = now.as_second().saturating_sub(i64::from(days).saturating_mul(DAY_S));
    Timestamp::from_second(before).unwrap_or(Timestamp::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistakes(json: &str) -> Vec<String> {
        let retention: Retention = serde_json::from_str(json).unwrap();
        let mut errors = Vec::new();
        retention.check(&mut errors);
        errors.into_iter().map(|error| format!("{error:?}")).collect()
    }

    #[test]
    fn nothing_said_keeps_who_called_and_no_prompts() {
        let retention = Retention::default();
        for class in DataClass::ALL {
            let now: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
            assert_eq!(retention.of(*class).personal_before(now), None);
            assert_eq!(retention.of(*class).prompts_before(now), now);
        }
        assert_eq!(serde_json::to_string(&retention).unwrap(), "{}");
    }

    #[test]
    fn periods_that_cannot_be_meant_are_refused_with_their_field() {
        for (json, field) in [
            (r#"{"internal":{"personal_days":0}}"#, "retention.internal.personal_days"),
            (r#"{"public":{"personal_days":4000}}"#, "retention.public.personal_days"),
            (r#"{"public":{"prompts_days":4000}}"#, "retention.public.prompts_days"),
            (
                r#"{"restricted":{"personal_days":7,"prompts_days":8}}"#,
                "retention.restricted.prompts_days",
            ),
        ] {
            let found = mistakes(json);
            assert!(found.len() == 1 && found[0].contains(field), "{json}: {found:?}");
        }
        let fine =
            r#"{"internal":{"personal_days":30,"prompts_days":30},"public":{"prompts_days":7}}"#;
        assert_eq!(mistakes(fine), Vec::<String>::new());
        assert!(serde_json::from_str::<Retention>(r#"{"secret":{}}"#).is_err());
    }

    #[test]
    fn a_day_is_twenty_four_hours() {
        let kept = ClassRetention { personal_days: Some(30), prompts_days: 1 };
        let now: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
        assert_eq!(kept.personal_before(now), "2026-10-23T12:00:00Z".parse().ok());
        assert_eq!(kept.prompts_before(now), "2026-11-21T12:00:00Z".parse().unwrap());
        assert_eq!(kept.prompt_until(now), "2026-11-23T12:00:00Z".parse().unwrap());
    }
}
