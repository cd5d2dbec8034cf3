//! Who sees whom. Everything that is said of people on scoreboards, and of single people's
//! usage where a works council has a say, passes through here.

use std::{cell::OnceCell, collections::BTreeMap};

use tally_store::Snapshot;
use tally_types::{
    Name, PersonName, Role, TeamName,
    spec::{Competitors, PeopleShown, Scoreboards, ShownAs},
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
    /// Whether a pseudonym is too little: what somebody works on would tell who they are.
    of_task_type: bool,
    /// How many people there are in each team, once it is asked.
    sizes: OnceCell<BTreeMap<TeamName, u64>>,
}

/// How somebody appears to a viewer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Appearance {
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
            of_task_type: false,
            sizes: OnceCell::new(),
        }
    }

    /// Who looks at a board of one task type: what somebody works on tells who is behind a pseudonym, so that people
    /// are on it by their names only.
    #[must_use]
    pub(crate) fn at_task_type(self) -> Self {
        Self { of_task_type: true, ..self }
    }

    /// Whether a task type that so many people do is for this viewer.
    pub(crate) fn lists_type(&self, of: Competitors, people: usize) -> bool {
        let is_shown = of == Competitors::Teams || self.has_people();
        let are_few = u32::try_from(people).is_ok_and(|it| it < self.rules().minimum_group);
        is_shown && !(self.rules().hides_individuals() && are_few)
    }

    /// Of a row; of a person, another one each season.
    pub(crate) fn id(&self, of: Competitors, name: &Name) -> String {
        match of {
            Competitors::People => self.pseudonyms.id(self.season, &PersonName(name.clone())),
            Competitors::Teams => name.to_string(),
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
                && match shown_as(self.snapshot, person) {
                    ShownAs::Hidden => false,
                    ShownAs::Named => true,
                    ShownAs::Pseudonym => {
                        !self.of_task_type || self.knows(team_of(self.snapshot, person).as_ref())
                    }
                }
    }

    /// Whether the viewer may know who is behind a row.
    fn knows(&self, team: Option<&TeamName>) -> bool {
        self.sees_all || team.is_some_and(|team| self.sees_teams.contains(team))
    }

    /// A row of a person; none where it is not for this viewer.
    pub(crate) fn person(&self, person: &PersonName) -> Option<Appearance> {
        let team = team_of(self.snapshot, person);
        let spec = self.snapshot.people.get(person.as_str());
        let name = spec.and_then(|spec| spec.display_name.clone());
        let name = name.unwrap_or_else(|| person.to_string());
        if self.me.as_ref() == Some(person) {
            let person = Some(person.clone());
            let shown = Appearance {
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
            of_task_type: false,
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
        let of = |season| {
            let viewer = Viewer { season, ..viewer(&snapshot, "eve") };
            viewer.id(Competitors::People, &person("bo").0)
        };
        assert!(!of("2026-11").contains("bo"));
        assert_ne!(of("2026-12"), of("2026-11"));
    }

    /// A type that one team does would tell whose pseudonym it is.
    #[test]
    fn a_board_of_a_task_type_shows_nobody_by_a_pseudonym() {
        let snapshot = company(PeopleShown::Named);
        let seen = board(&viewer(&snapshot, "eve").at_task_type());
        assert_eq!(seen, [("ada".to_owned(), true), ("cy".to_owned(), true)]);
        // Who it is anyway, and who may know.
        let own = viewer(&snapshot, "bo").at_task_type();
        assert!(own.person(&person("bo")).unwrap().is_me);
        let seer = Viewer { sees_all: true, ..viewer(&snapshot, "eve") }.at_task_type();
        assert_eq!(seer.person(&person("bo")).unwrap().label, "Amber Heron (bo)");
    }

    #[test]
    fn a_task_type_of_fewer_than_the_minimum_group_is_not_told() {
        let mut snapshot = company(PeopleShown::Off);
        let lists =
            |snapshot: &Snapshot, of, people| viewer(snapshot, "eve").lists_type(of, people);
        assert!(lists(&snapshot, Competitors::Teams, 3));
        assert!(!lists(&snapshot, Competitors::People, 3), "there are no boards of people");
        snapshot.organization.scoreboards.minimum_group = 4;
        assert!(!lists(&snapshot, Competitors::Teams, 3));
        assert!(lists(&snapshot, Competitors::Teams, 4));
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
