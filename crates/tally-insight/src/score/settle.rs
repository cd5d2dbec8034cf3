//! Which tasks count, who is compared with whom, and what everybody's tasks add up to.

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::ToSpan as _;
use tally_types::{
    Name, PersonName,
    spec::{Competitors, ScoringFormulaSpec},
};

use crate::score::{
    board::Season,
    explanation::{Peers, TaskStanding},
    input::Rules,
    links::Links,
    peers::{DayCounts, Group, PeerGroups},
    sums::Sums,
    tasks::{NONE, SeasonTasks, Task, Voucher, item, item_mut},
};

/// A person or a team, by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    Person(u32),
    Team(u32),
}

/// A season of which it is known what counts.
#[derive(Debug)]
pub(super) struct Settled {
    pub(super) known: SeasonTasks,
    pub(super) people: Vec<Sums>,
    pub(super) teams: Vec<Sums>,
    pub(super) groups: PeerGroups,
}

/// When the days of a season begin, in microseconds.
struct Days(Vec<i64>);

// === impl Who ===

impl Who {
    pub(super) const fn of(self) -> Competitors {
        match self {
            Self::Person(_) => Competitors::People,
            Self::Team(_) => Competitors::Teams,
        }
    }
}

// === impl Settled ===

impl Settled {
    pub(super) fn new(mut known: SeasonTasks, rules: &Rules) -> Self {
        known.sort();
        mark_credited(&mut known.tasks);
        let days = Days::of(&known.season, rules);
        let mut groups = PeerGroups::new(&rules.formula, departments(&known.people.all, rules));
        gather_people(&mut groups, &known.tasks, &days, rules);
        mark_too_many(&mut known.tasks, &groups, &days, rules);
        let (people, teams) = sums(&known);
        gather_teams(&mut groups, &teams, rules);
        groups.measure(&rules.formula, &people, &teams);
        Self { known, people, teams, groups }
    }

    pub(super) fn sums(&self, who: Who) -> Option<&Sums> {
        match who {
            Who::Person(person) => item(&self.people, person),
            Who::Team(team) => item(&self.teams, team),
        }
    }

    pub(super) fn name(&self, who: Who) -> Option<&Name> {
        match who {
            Who::Person(person) => self.known.people.get(person).map(|name| &name.0),
            Who::Team(team) => self.known.teams.get(team).map(|name| &name.0),
        }
    }

    /// With whom somebody is compared for a type.
    pub(super) fn peers(&self, who: Who, kind: u32) -> Option<(Peers, &Group)> {
        match who {
            Who::Person(person) => self.groups.of_person(person, kind),
            Who::Team(_) => self.groups.of_team(kind),
        }
    }

    /// What a whole quality of a type costs the other peers, in picodollars; none where it is not compared.
    pub(super) fn median(&self, who: Who, kind: u32, formula: &ScoringFormulaSpec) -> Option<f64> {
        let own = self.sums(who)?.types.get(&kind);
        let own = own.and_then(|own| own.cost_per_success(formula));
        let (Who::Person(number) | Who::Team(number)) = who;
        self.peers(who, kind)?.1.median(number, own)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = Who> {
        let numbers = |count: usize| 0..u32::try_from(count).unwrap_or(NONE);
        let people = numbers(self.people.len()).map(Who::Person);
        people.chain(numbers(self.teams.len()).map(Who::Team))
    }
}

/// The number of each person's department.
fn departments(people: &[PersonName], rules: &Rules) -> Vec<Option<u32>> {
    let mut numbers: HashMap<&str, u32> = HashMap::new();
    let directory = &rules.directory;
    let number = |person: &PersonName| {
        let department = directory.department(directory.team(person)?)?;
        let next = u32::try_from(numbers.len()).unwrap_or(NONE);
        Some(*numbers.entry(department).or_insert(next))
    };
    people.iter().map(number).collect()
}

/// What a task comes to by itself; [`TaskStanding::Counts`] of a success may be taken back.
fn standing(task: &Task) -> TaskStanding {
    let Some(came) = task.outcome else { return TaskStanding::NoOutcome };
    match came.by {
        _ if task.cost.is_none() => TaskStanding::NoPrice,
        Voucher::Unknown => TaskStanding::ReporterUnknown,
        Voucher::Person(reporter) if reporter == task.person => TaskStanding::SelfReported,
        _ if came.succeeded => TaskStanding::Counts,
        _ => TaskStanding::Failed,
    }
}

fn mark_credited(tasks: &mut [Task]) {
    let mut vouches = Links::default();
    for task in &mut *tasks {
        task.standing = standing(task);
        if let Some(Voucher::Person(reporter)) = task.outcome.map(|came| came.by)
            && task.person != NONE
        {
            vouches.add(reporter, task.person);
        }
    }
    for own in tasks.chunk_by_mut(|one, other| one.person == other.person) {
        if own.first().is_none_or(|task| task.person == NONE) {
            continue;
        }
        mark_mutual(own, &vouches);
        mark_repeated(own);
    }
}

/// Outcomes of one person by people for whom they vouch, too, where those are more than half of what people say.
fn mark_mutual(own: &mut [Task], vouches: &Links) {
    let mut known: HashMap<u32, bool> = HashMap::new();
    let mut is_mutual = |task: &Task| match task.outcome.map(|came| came.by) {
        Some(Voucher::Person(other)) if other != task.person => {
            Some(*known.entry(other).or_insert_with(|| vouches.lead(task.person, other)))
        }
        _ => None,
    };
    let (mut mutual, mut all) = (0_u64, 0_u64);
    for task in &*own {
        if let Some(is_mutual) = is_mutual(task) {
            all += 1;
            mutual += u64::from(is_mutual);
        }
    }
    if mutual * 2 <= all {
        return;
    }
    for task in own.iter_mut().filter(|task| task.is_credited()) {
        if is_mutual(task) == Some(true) {
            task.standing = TaskStanding::MutuallyVouched;
        }
    }
}

fn mark_repeated(own: &mut [Task]) {
    let mut seen = HashSet::new();
    for task in own {
        let is_new = task.fingerprint.is_none_or(|fingerprint| seen.insert(fingerprint));
        if !is_new && task.is_credited() {
            task.standing = TaskStanding::Repeated;
        }
    }
}

/// How many of one person's tasks succeeded, by type and day.
fn successes(own: &[Task], days: &Days) -> BTreeMap<u32, BTreeMap<usize, u32>> {
    let mut by_type: BTreeMap<u32, BTreeMap<usize, u32>> = BTreeMap::new();
    for task in own.iter().filter(|task| task.standing == TaskStanding::Counts) {
        let by_day = by_type.entry(task.kind).or_default();
        *by_day.entry(days.day(task.at)).or_default() += 1;
    }
    by_type
}

fn day_counts(by_day: &BTreeMap<usize, u32>) -> DayCounts {
    let mut counts = DayCounts::new();
    for successes in by_day.values() {
        *counts.entry(*successes).or_default() += 1;
    }
    counts
}

fn gather_people(groups: &mut PeerGroups, tasks: &[Task], days: &Days, rules: &Rules) {
    for own in tasks.chunk_by(|one, other| one.person == other.person) {
        let Some(person) = own.first().map(|task| task.person).filter(|it| *it != NONE) else {
            continue;
        };
        let mut fresh: BTreeMap<u32, u32> = BTreeMap::new();
        for task in own.iter().filter(|task| task.is_counting()) {
            *fresh.entry(task.kind).or_default() += 1;
        }
        let by_type = successes(own, days);
        let enough = fresh.into_iter().filter(|(_, tasks)| *tasks >= rules.formula.minimum_tasks);
        for (kind, _) in enough {
            groups.add_person(person, kind, by_type.get(&kind).map(day_counts).as_ref());
        }
    }
}

fn gather_teams(groups: &mut PeerGroups, teams: &[Sums], rules: &Rules) {
    for (team, sums) in (0..).zip(teams) {
        for (kind, of_type) in &sums.types {
            if of_type.fresh >= u64::from(rules.formula.minimum_tasks) {
                groups.add_team(team, *kind);
            }
        }
    }
}

/// The successes of days that have more than peers have on a busy one: what comes by the hundred was not looked at, and
/// nobody can tell the honest ones among them.
fn mark_too_many(tasks: &mut [Task], groups: &PeerGroups, days: &Days, rules: &Rules) {
    for own in tasks.chunk_by_mut(|one, other| one.person == other.person) {
        let Some(person) = own.first().map(|task| task.person).filter(|it| *it != NONE) else {
            continue;
        };
        let mut beyond: HashSet<(u32, usize)> = HashSet::new();
        for (kind, by_day) in successes(own, days) {
            let group = groups.of_person(person, kind).map(|(_, group)| group);
            let busy = group.and_then(|group| group.busy_day(person, Some(&day_counts(&by_day))));
            let Some(busy) = busy else { continue };
            let limit = rules.formula.spam_factor * f64::from(busy);
            let is_beyond = |(_, count): &(usize, u32)| f64::from(*count) > limit;
            beyond.extend(by_day.into_iter().filter(is_beyond).map(|(day, _)| (kind, day)));
        }
        for task in own.iter_mut().filter(|task| task.standing == TaskStanding::Counts) {
            if beyond.contains(&(task.kind, days.day(task.at))) {
                task.standing = TaskStanding::TooManyADay;
            }
        }
    }
}

fn sums(known: &SeasonTasks) -> (Vec<Sums>, Vec<Sums>) {
    let mut people = vec![Sums::default(); known.people.all.len()];
    let mut teams = vec![Sums::default(); known.teams.all.len()];
    // Tasks come person by person, so that a team sees each of its people once in a row.
    let mut newest = vec![NONE; teams.len()];
    for task in &known.tasks {
        if let Some(sums) = item_mut(&mut people, task.person) {
            sums.add(task);
            sums.volume.people = 1;
        }
        let (Some(sums), Some(newest)) =
            (item_mut(&mut teams, task.team), item_mut(&mut newest, task.team))
        else {
            continue;
        };
        sums.add(task);
        if task.is_credited() && task.person != NONE && *newest != task.person {
            *newest = task.person;
            sums.volume.people += 1;
        }
    }
    (people, teams)
}

// === impl Days ===

impl Days {
    fn of(season: &Season, rules: &Rules) -> Self {
        let mut begins = Vec::new();
        let mut day = season.from.to_zoned(rules.zone.clone()).date();
        while let Ok(midnight) = day.to_zoned(rules.zone.clone()) {
            if midnight.timestamp() >= season.until {
                break;
            }
            begins.push(midnight.timestamp().as_microsecond());
            let Ok(next) = day.checked_add(1.day()) else { break };
            day = next;
        }
        Self(begins)
    }

    fn day(&self, at: i64) -> usize {
        self.0.partition_point(|begins| *begins <= at)
    }
}
