//! Whose data a caller sees.

use serde::Serialize;
use tally_types::{PersonName, TeamName, UsageEvent};
use tally_warehouse::{Dimension, Field, Filter, FilterOp};

/// Whose usage a caller sees.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Scope {
    /// Everyone's.
    All,
    /// That of these teams, as they were at the time of the call.
    Teams {
        /// The teams the caller manages.
        teams: Vec<TeamName>,
    },
    /// This person's only.
    Own {
        /// The caller.
        person: PersonName,
    },
}

// === impl Scope ===

impl Scope {
    /// Adds the filter that leaves only what the caller sees.
    pub(crate) fn narrow(&self, filters: &mut Vec<Filter>) {
        match self {
            Self::All => {}
            Self::Teams { teams } => filters.push(Filter {
                dimension: Dimension::Field(Field::Team),
                op: FilterOp::In,
                values: teams.iter().map(ToString::to_string).collect(),
            }),
            Self::Own { person } => filters.push(Filter::eq(Field::Person, person.as_str())),
        }
    }

    /// Whether the caller sees an event.
    pub(crate) fn sees(&self, event: &UsageEvent) -> bool {
        match self {
            Self::All => true,
            Self::Teams { teams } => event.team.as_ref().is_some_and(|team| teams.contains(team)),
            Self::Own { person } => event.person.as_ref() == Some(person),
        }
    }
}
