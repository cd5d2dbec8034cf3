//! Who works in which team, with which roles and habits.

use anyhow::Context;
use tally_types::{PersonName, Role, TeamName};

use super::{
    names::{FullName, Names},
    teams::{TEAMS, TeamPlan},
};
use crate::demo::chance::Chance;

const TEAM_SIZE: usize = 10;
const TEAM_SIZE_MIN: usize = 6;
/// Of so many people one is an executive, who looks on.
const PEOPLE_PER_VIEWER: usize = 60;

/// The people whom the demo signs in, with the role that it shows.
pub(crate) const PERSONAS: &[(&str, Role)] = &[
    ("maya.chen", Role::Admin),
    ("jonas.weber", Role::Finops),
    ("amara.okafor", Role::Manager),
    ("luca.rossi", Role::Developer),
    ("ingrid.larsen", Role::Viewer),
];

/// A team of the company.
#[derive(Debug)]
pub(crate) struct Team {
    pub(crate) name: TeamName,
    pub(crate) plan: &'static TeamPlan,
    /// The manager's place in the list of people.
    pub(crate) manager: usize,
}

/// A person of the company.
#[derive(Debug)]
pub(crate) struct Person {
    pub(crate) name: PersonName,
    pub(crate) display_name: String,
    /// The team's place in the list of teams.
    pub(crate) team: usize,
    pub(crate) roles: Vec<Role>,
    pub(crate) habit: Habit,
}

/// How a person uses AI.
#[derive(Debug, Clone)]
pub(crate) struct Habit {
    /// Tasks compared with a colleague of the same trade; 1 is average.
    pub(crate) zest: f64,
    /// When the working day begins, in hours after midnight.
    pub(crate) starts_at: f64,
    /// Stays with one model of a workload rather than another; 0 to 1.
    pub(crate) taste: f64,
    /// Signed in to the coding agent with a subscription.
    pub(crate) subscribed: bool,
}

/// Teams of 6 to 14 people, and these people.
pub(crate) fn staff(seed: u64, count: usize) -> anyhow::Result<(Vec<Team>, Vec<Person>)> {
    let mut chance = Chance::new(seed, &[1]);
    let mut names = Names::new(Chance::new(seed, &[2]));
    let special = special_people(&mut names, team_count(count));
    let mut teams = Vec::new();
    let mut people = Vec::with_capacity(count);
    for (index, size) in team_sizes(count, &mut chance).into_iter().enumerate() {
        let manager = people.len();
        for place in 0..size {
            let known =
                special.iter().find(|special| (special.team, special.place) == (index, place));
            let name = known.map_or_else(|| names.next(), |special| special.name.clone());
            let role = match known {
                Some(special) => special.role,
                None if place == 0 => Role::Manager,
                None if (people.len() + 1).is_multiple_of(PEOPLE_PER_VIEWER) => Role::Viewer,
                None => Role::Developer,
            };
            people.push(person(&name, index, role, &mut chance)?);
        }
        teams.push(team(index, manager)?);
    }
    Ok((teams, people))
}

fn team_count(people: usize) -> usize {
    ((people + TEAM_SIZE / 2) / TEAM_SIZE).max(2)
}

/// As even as can be, then some people change to the next team.
fn team_sizes(people: usize, chance: &mut Chance) -> Vec<usize> {
    let count = team_count(people);
    let mut sizes: Vec<usize> =
        (0..count).map(|index| people / count + usize::from(index < people % count)).collect();
    for pair in sizes.chunks_exact_mut(2) {
        let [one, other] = pair else { continue };
        let spare = one.saturating_sub(TEAM_SIZE_MIN).min(3);
        let moved = usize::try_from(chance.between(0, u64::try_from(spare).unwrap_or(0)));
        let moved = moved.unwrap_or(0);
        *one -= moved;
        *other += moved;
    }
    sizes
}

struct Special {
    team: usize,
    place: usize,
    name: FullName,
    role: Role,
}

/// Who must be there, whatever the size of the company.
fn special_people(names: &mut Names, teams: usize) -> Vec<Special> {
    let (care, money) = (1, (teams - 1).min(2));
    [
        (0, 0, "amara.okafor", "Amara Okafor", Role::Manager),
        (0, 1, "maya.chen", "Maya Chen", Role::Admin),
        (0, 2, "luca.rossi", "Luca Rossi", Role::Developer),
        (money, 1, "jonas.weber", "Jonas Weber", Role::Finops),
        (money, 2, "ingrid.larsen", "Ingrid Larsen", Role::Viewer),
        (care, 3, "dana.cohen", "Dana Cohen", Role::Security),
        (care, 4, "peter.nowak", "Peter Nowak", Role::Auditor),
    ]
    .into_iter()
    .map(|(team, place, login, display, role)| Special {
        team,
        place,
        name: names.fixed(login, display),
        role,
    })
    .collect()
}

fn person(name: &FullName, team: usize, role: Role, chance: &mut Chance) -> anyhow::Result<Person> {
    let habit = Habit {
        zest: match role {
            Role::Viewer | Role::Auditor => 0.3,
            Role::Manager | Role::Admin | Role::Finops | Role::Security => 0.7,
            Role::Developer => 1.0,
        } * chance.log_normal(0.9, 0.55),
        starts_at: chance.normal(8.7, 0.7).clamp(6.5, 11.0),
        taste: chance.unit(),
        subscribed: chance.happens(0.15),
    };
    Ok(Person {
        name: name.login.parse()?,
        display_name: name.display.clone(),
        team,
        roles: vec![role],
        habit,
    })
}

/// The planned teams first; a very large company has several of each.
fn team(index: usize, manager: usize) -> anyhow::Result<Team> {
    let plan = TEAMS.get(index % TEAMS.len()).context("there is no team")?;
    let round = index / TEAMS.len() + 1;
    let name = if round == 1 { plan.name.to_owned() } else { format!("{}-{round}", plan.name) };
    Ok(Team { name: name.parse()?, plan, manager })
}
