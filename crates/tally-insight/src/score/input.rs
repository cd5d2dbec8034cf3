//! What scores are computed from, beside tasks.

use std::{collections::BTreeMap, sync::Arc};

use tally_types::{
    Name, PersonName, PicoUsdSum, TeamName, TemplateName, TimeZone,
    spec::{ContributionKind, ScoringFormulaSpec},
};

use crate::score::explanation::TemplateEffect;

/// Everything that scores a season, beside its tasks and those before.
#[derive(Debug, Clone)]
pub struct Rules {
    /// The name of the formula.
    pub formula_name: String,
    /// The formula.
    pub formula: ScoringFormulaSpec,
    /// In which days begin.
    pub zone: TimeZone,
    /// Who works where.
    pub directory: Arc<Directory>,
}

/// What is known of a season beside its tasks.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// What was shared.
    pub knowledge: Knowledge,
    /// What was not kept to.
    pub compliance: Compliance,
    /// All that each team spent, whether for a task or not.
    pub spend: BTreeMap<TeamName, PicoUsdSum>,
}

/// Who works where.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Directory {
    /// The team of each person.
    pub people: BTreeMap<PersonName, Option<TeamName>>,
    /// The department of each team.
    pub teams: BTreeMap<TeamName, Option<String>>,
}

/// What was shared.
#[derive(Debug, Clone, Default)]
pub struct Knowledge {
    /// Templates, in use or not.
    pub templates: Vec<KnownTemplate>,
    /// Stories that were confirmed in the season.
    pub stories: Vec<ConfirmedStory>,
    /// Contributions that were confirmed in the season.
    pub contributions: Vec<ConfirmedContribution>,
}

/// A template.
#[derive(Debug, Clone)]
pub struct KnownTemplate {
    /// Without a version.
    pub name: TemplateName,
    /// Who gets the points.
    pub owner: PersonName,
    /// The team that gets them; the owner's where it is none.
    pub team: Option<TeamName>,
    /// What was measured.
    pub effect: TemplateEffect,
    /// The cost of tasks with it to that of tasks without: 0.8 is a fifth less.
    pub cost_ratio: Option<f64>,
}

/// A story that was confirmed in the season.
#[derive(Debug, Clone)]
pub struct ConfirmedStory {
    /// Its name.
    pub name: Name,
    /// Who told it.
    pub author: PersonName,
}

/// A contribution that was confirmed in the season.
#[derive(Debug, Clone)]
pub struct ConfirmedContribution {
    /// Its name.
    pub name: Name,
    /// What it is.
    pub kind: ContributionKind,
    /// Whose it is; of mentoring, the mentor.
    pub by: PersonName,
    /// Who was mentored.
    pub mentored: Option<PersonName>,
}

/// What was not kept to in the season.
#[derive(Debug, Clone, Default)]
pub struct Compliance {
    /// Of each person.
    pub people: BTreeMap<PersonName, ComplianceFacts>,
    /// Of each team.
    pub teams: BTreeMap<TeamName, ComplianceFacts>,
}

/// What one person or team did not keep to.
#[derive(Debug, Clone, Default)]
pub struct ComplianceFacts {
    /// Violations.
    pub violations: u64,
    /// Spend that no entry of the catalog explains.
    pub unregistered: PicoUsdSum,
    /// Exceptions that ran out.
    pub expired_exceptions: Vec<Name>,
}

// === impl Directory ===

impl Directory {
    /// The team of a person.
    pub fn team(&self, person: &PersonName) -> Option<&TeamName> {
        self.people.get(person)?.as_ref()
    }

    /// The department of a team.
    pub fn department(&self, team: &TeamName) -> Option<&String> {
        self.teams.get(team)?.as_ref()
    }
}
