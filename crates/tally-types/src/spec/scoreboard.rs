//! Scoreboards: how people appear on them, and what each one chose for themselves.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{FieldError, Role, resource::KindSpec, vocabulary::vocabulary};

/// A pseudonym is this long at most.
pub const PSEUDONYM_CHARACTERS_MAX: usize = 40;
/// A larger group than this would hide whole companies.
const GROUP_MAX: u32 = 1_000;

vocabulary! {
    /// How people who chose nothing appear on scoreboards.
    PeopleShown {
        /// Nobody does: there are boards of teams only.
        Off = "off",
        /// They do not.
        OptIn = "opt_in",
        /// By a pseudonym that Tally makes up, another one each season.
        Pseudonym = "pseudonym",
        /// By their names.
        Named = "named",
    }

    /// How long a season of the scoreboards is.
    SeasonLength {
        /// From the first of a month.
        Month = "month",
        /// From January, April, July or October.
        Quarter = "quarter",
    }

    /// How a person wants to appear on scoreboards.
    ShownAs {
        /// By name.
        Named = "named",
        /// By a pseudonym.
        Pseudonym = "pseudonym",
        /// Not at all.
        Hidden = "hidden",
    }
}

/// Who sees whom on scoreboards, and how long a season is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Scoreboards {
    /// How people appear who chose nothing; `opt_in` by default.
    pub people: PeopleShown,
    /// Works-council mode: numbers of fewer people than this are shown to nobody but
    /// themselves. 1 by default.
    pub minimum_group: u32,
    /// Roles that see who is behind a pseudonym, none by default; managers see their own
    /// teams' people.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub individuals_seen_by: Vec<Role>,
    /// How long a season is; a month by default.
    pub season: SeasonLength,
}

/// How a person wants to appear on scoreboards; named by the person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScoreboardChoiceSpec {
    /// By name, by a pseudonym, or not at all.
    pub shown: ShownAs,
    /// With `shown: pseudonym` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pseudonym: Option<String>,
    /// When they chose.
    pub at: Timestamp,
}

// === impl Scoreboards ===

impl Default for Scoreboards {
    fn default() -> Self {
        Self {
            people: PeopleShown::OptIn,
            minimum_group: 1,
            individuals_seen_by: Vec::new(),
            season: SeasonLength::Month,
        }
    }
}

impl Scoreboards {
    /// Whether nothing was said about them.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Whether numbers of single people are for nobody else.
    pub const fn hides_individuals(&self) -> bool {
        self.minimum_group > 1
    }

    pub(crate) fn check(&self, errors: &mut Vec<FieldError>) {
        if !(1..=GROUP_MAX).contains(&self.minimum_group) {
            let message = format!("expected 1 to {GROUP_MAX} people");
            errors.push(FieldError::new("scoreboards.minimum_group", message));
        }
    }
}

// === impl ScoreboardChoiceSpec ===

/// It refers to nothing: a person may go without being asked back for it.
impl KindSpec for ScoreboardChoiceSpec {
    fn check(&self, errors: &mut Vec<FieldError>) {
        if (self.shown == ShownAs::Pseudonym) != self.pseudonym.is_some() {
            let message = "expected with `shown: pseudonym`, and only there";
            errors.push(FieldError::new("pseudonym", message));
        }
        let is_long = |text: &String| {
            text.trim().is_empty() || text.chars().count() > PSEUDONYM_CHARACTERS_MAX
        };
        if self.pseudonym.as_ref().is_some_and(is_long) {
            let message = format!("expected 1 to {PSEUDONYM_CHARACTERS_MAX} characters");
            errors.push(FieldError::new("pseudonym", message));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(text: &str) -> Vec<String> {
        let spec: Scoreboards = serde_json::from_str(text).unwrap();
        let mut errors = Vec::new();
        spec.check(&mut errors);
        errors.into_iter().map(|error| error.field).collect()
    }

    #[test]
    fn what_is_left_out_is_the_careful_default() {
        let spec: Scoreboards = serde_json::from_str("{}").unwrap();
        assert_eq!(spec.people, PeopleShown::OptIn);
        assert!(spec.individuals_seen_by.is_empty() && !spec.hides_individuals());
        assert!(fields(r#"{"minimum_group": 5, "people": "pseudonym"}"#).is_empty());
        assert_eq!(fields(r#"{"minimum_group": 0}"#), ["scoreboards.minimum_group"]);
        assert!(serde_json::from_str::<Scoreboards>(r#"{"minimum": 5}"#).is_err());
    }

    #[test]
    fn a_pseudonym_stands_where_it_was_chosen_only() {
        let of = |shown: ShownAs, pseudonym: Option<&str>| {
            let mut errors = Vec::new();
            let spec = ScoreboardChoiceSpec {
                shown,
                pseudonym: pseudonym.map(str::to_owned),
                at: Timestamp::UNIX_EPOCH,
            };
            spec.check(&mut errors);
            errors.len()
        };
        assert_eq!(of(ShownAs::Pseudonym, Some("Amber Heron")), 0);
        assert_eq!(of(ShownAs::Hidden, None), 0);
        assert_eq!(of(ShownAs::Pseudonym, None), 1);
        assert_eq!(of(ShownAs::Named, Some("Amber Heron")), 1);
        assert_eq!(of(ShownAs::Pseudonym, Some(&"x".repeat(41))), 1);
    }
}
