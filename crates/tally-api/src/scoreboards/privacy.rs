//! Who sees whom. Everything that is said of people on scoreboards, and of single people's
//! usage where a works council has a say, passes through here.

use std::{cell::OnceCell, collections::BTreeMap};

use tally_store::Snapshot;
use tally_types::{
    PersonName, Role, TeamName,
    spec::{PeopleShown, Scoreboards, ShownAs},
};

use super::pseudonyms::Pseudonyms;
use crate::caller::Caller;

/// Who looks.
pub(crate) struct Viewer<'a> {
    me: Option<PersonName>,
    my_team: Option<TeamName>,
    /// Whether who is behind a pseudonym is shown: of everybody…
    sees_all: bool,
    /// …or of these teams' people.
    sees_teams: Vec<TeamName>,
    snapshot: &'a Snapshot,
    pseudonyms: &'a Pseudonyms,
    season: &'a str,
    /// How many people there are in each team, once it is asked.
    sizes: OnceCell<BTreeMap<TeamName, u64>>,
}

/// How somebody appears to a viewer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Appearance {
    /// Of the row, in this season.
    pub(crate) id: String,
    /// What stands on the board.
    pub(crate) label: String,
    /// Who it is, where the viewer may know.
    pub(crate) person: Option<PersonName>,
    /// Their team, where the viewer may know.
    pub(crate) team: Option<TeamName>,
    /// Whether it is the viewer's own row.
    pub(crate) is_me: bool,
    /// Whether what they used may stand beside it: whoever sees usage elsewhere could tell by
    /// it who is meant.
    pub(crate) shows_volume: bool,
    /// Whether the score may be taken apart.
    pub(crate) is_open: bool,
}

// === impl Viewer ===

impl<'a> Viewer<'a> {
    pub(crate) fn new(
        caller: &Caller,
        pseudonyms: &'a Pseudonyms,
        snapshot: &'a Snapshot,
        season: &'a str,
    ) -> Self {
        let seers = &snapshot.organization.scoreboards.individuals_seen_by;
        let is_seer = |role: &Role| *role != Role::Manager && seers.contains(role);
        let manages = seers.contains(&Role::Manager) && caller.has_any(&[Role::Manager]);
        let me = caller.own().cloned();
        Self {
            my_team: me.as_ref().and_then(|me| team_of(snapshot, me)),
            me,
            sees_all: caller.roles.iter().any(is_seer),
            sees_teams: if manages { caller.managed_teams() } else { Vec::new() },
            snapshot,
            pseudonyms,
            season,
            sizes: OnceCell::new(),
        }
    }

    /// The person who looks.
    pub(crate) const fn me(&self) -> Option<&PersonName> {
        self.me.as_ref()
    }

    /// Their team.
    pub(crate) const fn my_team(&self) -> Option<&TeamName> {
        self.my_team.as_ref()
    }

    const fn rules(&self) -> &'a Scoreboards {
        &self.snapshot.organization.scoreboards
    }

    /// Whether there are boards of people at all.
    pub(crate) fn has_people(&self) -> bool {
        self.rules().people != PeopleShown::Off
    }

    /// Whether a row of a person is for this viewer; see [`Self::person`].
    pub(crate) fn lists(&self, person: &PersonName) -> bool {
        self.me.as_ref() == Some(person)
            || self.has_people()
                && !self.rules().hides_individuals()
                && shown_as(self.snapshot, person) != ShownAs::Hidden
    }

    /// Whether the viewer may know who is behind a row.
    fn knows(&self, team: Option<&TeamName>) -> bool {
        self.sees_all || team.is_some_and(|team| self.sees_teams.contains(team))
    }

    /// A row of a person; none where it is not for this viewer.
    pub(crate) fn person(&self, person: &PersonName) -> Option<Appearance> {
        let id = self.pseudonyms.id(self.season, person);
        let team = team_of(self.snapshot, person);
        let spec = self.snapshot.people.get(person.as_str());
        let name = spec.and_then(|spec| spec.display_name.clone());
        let name = name.unwrap_or_else(|| person.to_string());
        if self.me.as_ref() == Some(person) {
            let person = Some(person.clone());
            let shown = Appearance {
                id,
                label: name,
                person,
                team,
                is_me: true,
                shows_volume: true,
                is_open: true,
            };
            return Some(shown);
        }
        // What one person does is a number of one, which is too few for some companies.
        if !self.lists(person) {
            return None;
        }
        let is_open = self.knows(team.as_ref());
        let named = |label| Appearance {
            id: id.clone(),
            label,
            person: Some(person.clone()),
            team: team.clone(),
            is_me: false,
            shows_volume: true,
            is_open,
        };
        match shown_as(self.snapshot, person) {
            ShownAs::Hidden => None,
            ShownAs::Named => Some(named(name)),
            ShownAs::Pseudonym if is_open => {
                Some(named(format!("{} ({name})", self.pseudonym(person))))
            }
            ShownAs::Pseudonym => Some(Appearance {
                label: self.pseudonym(person),
                person: None,
                team: None,
                shows_volume: false,
                ..named(String::new())
            }),
        }
    }

    fn pseudonym(&self, person: &PersonName) -> String {
        let chosen = self.snapshot.scoreboard_choices.get(person.as_str());
        let chosen = chosen.and_then(|choice| choice.pseudonym.clone());
        chosen.unwrap_or_else(|| self.pseudonyms.made_up(self.season, person))
    }

    /// Whether the tasks of a team's people may be listed one by one.
    pub(crate) fn knows_people_of(&self, team: &TeamName) -> bool {
        !self.rules().hides_individuals() && self.knows(Some(team))
    }

    /// Whether a row of a team, whose numbers are those of `people`, is for this viewer.
    pub(crate) fn lists_team(&self, team: &TeamName, people: u64) -> bool {
        if !self.rules().hides_individuals() {
            return true;
        }
        // Whoever left is in the numbers, who came new is not: the fewer count.
        let sizes = self.sizes.get_or_init(|| sizes(self.snapshot));
        let size = sizes.get(team).copied().unwrap_or(0).min(people);
        size >= u64::from(self.rules().minimum_group)
    }

    /// A row of a team whose numbers are those of `people`; none where they are too few.
    pub(crate) fn team(&self, team: &TeamName, people: u64) -> Option<Appearance> {
        if !self.lists_team(team, people) {
            return None;
        }
        Some(Appearance {
            id: team.to_string(),
            label: team.to_string(),
            person: None,
            team: Some(team.clone()),
            is_me: self.my_team.as_ref() == Some(team),
            shows_volume: true,
            is_open: true,
        })
    }
}

/// How a person chose to appear, or what holds for who chose nothing.
pub(super) fn shown_as(snapshot: &Snapshot, person: &PersonName) -> ShownAs {
    match snapshot.scoreboard_choices.get(person.as_str()) {
        Some(choice) => choice.shown,
        None => match snapshot.organization.scoreboards.people {
            PeopleShown::Off | PeopleShown::OptIn => ShownAs::Hidden,
            PeopleShown::Pseudonym => ShownAs::Pseudonym,
            PeopleShown::Named => ShownAs::Named,
        },
    }
}

/// How many people there are in each team.
pub(super) fn sizes(snapshot: &Snapshot) -> BTreeMap<TeamName, u64> {
    let mut sizes = BTreeMap::new();
    for team in snapshot.people.values().filter_map(|person| person.team.clone()) {
        *sizes.entry(team).or_default() += 1;
    }
    sizes
}

fn team_of(snapshot: &Snapshot, person: &PersonName) -> Option<TeamName> {
    snapshot.people.get(person.as_str()).and_then(|person| person.team.clone())
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use tally_types::spec::{PersonSpec, ScoreboardChoiceSpec};

    use super::*;

    fn person(name: &str) -> PersonName {
        name.parse().unwrap()
    }

    fn support() -> TeamName {
        "support".parse().unwrap()
    }

    /// Ada chose nothing, bo a pseudonym, cy their name, di not to be there; all of one team.
    fn company(people: PeopleShown) -> Snapshot {
        let mut snapshot = Snapshot::default();
        snapshot.organization.scoreboards.people = people;
        for name in ["ada", "bo", "cy", "di"] {
            let spec = PersonSpec { team: Some(support()), ..PersonSpec::default() };
            snapshot.people.insert(person(name).0, spec);
        }
        for (name, shown, pseudonym) in [
            ("bo", ShownAs::Pseudonym, Some("Amber Heron")),
            ("cy", ShownAs::Named, None),
            ("di", ShownAs::Hidden, None),
        ] {
            let pseudonym = pseudonym.map(str::to_owned);
            let choice = ScoreboardChoiceSpec { shown, pseudonym, at: Timestamp::UNIX_EPOCH };
            snapshot.scoreboard_choices.insert(person(name).0, choice);
        }
        snapshot
    }

    const SECRET: Pseudonyms = Pseudonyms::new([7; 32]);

    fn viewer<'a>(snapshot: &'a Snapshot, me: &str) -> Viewer<'a> {
        Viewer {
            me: Some(person(me)),
            my_team: team_of(snapshot, &person(me)),
            sees_all: false,
            sees_teams: Vec::new(),
            snapshot,
            pseudonyms: &SECRET,
            season: "2026-11",
            sizes: OnceCell::new(),
        }
    }

    /// Label, and whether the person is told, of those who are listed.
    fn board(viewer: &Viewer<'_>) -> Vec<(String, bool)> {
        ["ada", "bo", "cy", "di"]
            .into_iter()
            .filter_map(|name| {
                let seen = viewer.person(&person(name));
                assert_eq!(viewer.lists(&person(name)), seen.is_some(), "{name}");
                seen.map(|seen| (seen.label, seen.person.is_some()))
            })
            .collect()
    }

    #[test]
    fn people_appear_as_they_chose_or_as_the_company_says() {
        let shown = |name: &str, told: bool| (name.to_owned(), told);
        let opt_in = company(PeopleShown::OptIn);
        let seen = board(&viewer(&opt_in, "eve"));
        assert_eq!(seen, [shown("Amber Heron", false), shown("cy", true)]);
        let named = company(PeopleShown::Named);
        let seen = board(&viewer(&named, "eve"));
        assert_eq!(seen, [shown("ada", true), shown("Amber Heron", false), shown("cy", true)]);
        let made_up = company(PeopleShown::Pseudonym);
        let seen = board(&viewer(&made_up, "eve"));
        assert_eq!(seen[0], shown(&SECRET.made_up("2026-11", &person("ada")), false));
        assert!(board(&viewer(&company(PeopleShown::Off), "eve")).is_empty());
        // Everybody sees themselves, whatever they chose.
        assert_eq!(board(&viewer(&company(PeopleShown::Off), "di")), [shown("di", true)]);
    }

    #[test]
    fn a_pseudonym_comes_with_nothing_that_would_tell() {
        let snapshot = company(PeopleShown::OptIn);
        let seen = viewer(&snapshot, "eve").person(&person("bo")).unwrap();
        assert_eq!((seen.person, seen.team), (None, None));
        assert!(!seen.shows_volume && !seen.is_open);
        assert!(!seen.id.contains("bo"));
        let next = Viewer { season: "2026-12", ..viewer(&snapshot, "eve") };
        assert_ne!(next.person(&person("bo")).unwrap().id, seen.id);
    }

    #[test]
    fn only_who_the_company_names_sees_who_it_is_and_never_who_is_hidden() {
        let snapshot = company(PeopleShown::OptIn);
        let manager = Viewer { sees_teams: vec![support()], ..viewer(&snapshot, "eve") };
        let seen = manager.person(&person("bo")).unwrap();
        assert_eq!((seen.label.as_str(), seen.is_open), ("Amber Heron (bo)", true));
        assert!(manager.person(&person("di")).is_none());
        let other =
            Viewer { sees_teams: vec!["search".parse().unwrap()], ..viewer(&snapshot, "eve") };
        assert!(other.person(&person("bo")).unwrap().person.is_none());
    }

    #[test]
    fn works_council_mode_shows_groups_only() {
        let mut snapshot = company(PeopleShown::Named);
        snapshot.organization.scoreboards.minimum_group = 4;
        let seer = Viewer { sees_all: true, ..viewer(&snapshot, "eve") };
        assert!(board(&seer).is_empty());
        assert_eq!(board(&viewer(&snapshot, "cy")), [("cy".to_owned(), true)]);
        assert!(seer.lists_team(&support(), 4));
        // Of fewer people with a task, and of fewer who are there.
        assert!(!seer.lists_team(&support(), 3));
        snapshot.people.remove("ada");
        assert!(viewer(&snapshot, "eve").team(&support(), 9).is_none());
        assert!(!viewer(&snapshot, "eve").knows_people_of(&support()));
    }
}
