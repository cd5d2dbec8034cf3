//! Who is compared with whom, by task type.

use std::collections::{BTreeMap, HashMap};

use tally_types::spec::ScoringFormulaSpec;

use crate::score::{
    explanation::Peers,
    sums::{Sums, TypeSums},
    tasks::item,
};

/// Successes that count by how many of them a day has: how many days had so many.
pub(super) type DayCounts = BTreeMap<u32, u64>;

/// Those who do enough tasks of a type.
#[derive(Debug, Default)]
pub(super) struct Group {
    pub(super) members: Vec<u32>,
    days: DayCounts,
    /// What a whole quality costs each of them, in picodollars, the least first.
    costs: Vec<f64>,
    credited: u64,
    frontier: u64,
}

/// Groups by type, and by department and type.
#[derive(Debug, Default)]
pub(super) struct PeerGroups {
    departments: HashMap<(u32, u32), Group>,
    everybody: HashMap<u32, Group>,
    teams: HashMap<u32, Group>,
    /// The number of each person's department.
    department_of: Vec<Option<u32>>,
    minimum: usize,
}

// === impl Group ===

impl Group {
    fn measure(&mut self, formula: &ScoringFormulaSpec, of: impl Fn(u32) -> Option<TypeSums>) {
        for sums in self.members.iter().filter_map(|member| of(*member)) {
            self.costs.extend(sums.cost_per_success(formula));
            self.credited += sums.credited;
            self.frontier += sums.frontier;
        }
        self.costs.sort_by(f64::total_cmp);
    }

    /// The median of what a whole quality costs the others: what somebody spends must not move what they are held
    /// against. None where nobody else had a success, or it is free.
    pub(super) fn median(&self, member: u32, own: Option<f64>) -> Option<f64> {
        let own = own.filter(|_| self.members.binary_search(&member).is_ok());
        let gap = own.map(|own| self.costs.partition_point(|cost| *cost < own));
        let count = self.costs.len().checked_sub(usize::from(gap.is_some()))?;
        let others =
            |at: usize| self.costs.get(at + usize::from(gap.is_some_and(|gap| gap <= at))).copied();
        let upper = others(count / 2).filter(|_| count > 0)?;
        let median = match count % 2 {
            0 => f64::midpoint(others(count / 2 - 1)?, upper),
            _ => upper,
        };
        (median > 0.0).then_some(median)
    }

    /// What the cheapest quarter pays at most.
    pub(super) fn quarter(&self) -> Option<f64> {
        self.costs.get(self.costs.len().div_ceil(4).checked_sub(1)?).copied()
    }

    /// Whether they use models of the frontier in at least one task of five.
    pub(super) const fn uses_frontier(&self) -> bool {
        self.credited > 0 && self.frontier * 5 >= self.credited
    }

    /// The 95th percentile of what the others succeed in on a day on which they do; none where nobody else does.
    pub(super) fn busy_day(&self, person: u32, own: Option<&DayCounts>) -> Option<u32> {
        let is_member = self.members.binary_search(&person).is_ok();
        let own = own.filter(|_| is_member);
        let others = self.days.iter().map(|(successes, days)| {
            let own = own.and_then(|own| own.get(successes)).copied().unwrap_or_default();
            (*successes, days.saturating_sub(own))
        });
        let all: u64 = others.clone().map(|(_, days)| days).sum();
        let wanted = (all * 95).div_ceil(100);
        let mut seen = 0;
        others
            .filter(|(_, days)| *days > 0)
            .find(|(_, days)| {
                seen += days;
                seen >= wanted
            })
            .map(|(successes, _)| successes)
    }
}

// === impl PeerGroups ===

impl PeerGroups {
    pub(super) fn new(formula: &ScoringFormulaSpec, department_of: Vec<Option<u32>>) -> Self {
        let minimum = usize::try_from(formula.minimum_peers).unwrap_or(usize::MAX);
        Self { department_of, minimum, ..Self::default() }
    }

    fn department(&self, person: u32) -> Option<u32> {
        item(&self.department_of, person).copied().flatten()
    }

    /// Somebody who does enough tasks of a type, and how many they succeed in on their days.
    pub(super) fn add_person(&mut self, person: u32, kind: u32, days: Option<&DayCounts>) {
        let department = self.department(person);
        let of_department =
            department.map(|department| self.departments.entry((department, kind)).or_default());
        let groups = of_department.into_iter().chain([self.everybody.entry(kind).or_default()]);
        for group in groups {
            group.members.push(person);
            for (successes, count) in days.into_iter().flatten() {
                *group.days.entry(*successes).or_default() += count;
            }
        }
    }

    pub(super) fn add_team(&mut self, team: u32, kind: u32) {
        self.teams.entry(kind).or_default().members.push(team);
    }

    /// Once it is known what counts.
    pub(super) fn measure(
        &mut self,
        formula: &ScoringFormulaSpec,
        people: &[Sums],
        teams: &[Sums],
    ) {
        let of = |all: &[Sums], one, kind| item(all, one)?.types.get(&kind).cloned();
        for ((_, kind), group) in &mut self.departments {
            group.measure(formula, |person| of(people, person, *kind));
        }
        for (kind, group) in &mut self.everybody {
            group.measure(formula, |person| of(people, person, *kind));
        }
        for (kind, group) in &mut self.teams {
            group.measure(formula, |team| of(teams, team, *kind));
        }
    }

    /// With whom a person is compared: their department, or everybody; none where there are too few.
    pub(super) fn of_person(&self, person: u32, kind: u32) -> Option<(Peers, &Group)> {
        let is_enough = |group: &&Group| group.members.len() >= self.minimum;
        let department = self
            .department(person)
            .and_then(|department| self.departments.get(&(department, kind)))
            .filter(is_enough);
        match department {
            Some(group) => Some((Peers::Department, group)),
            None => Some((Peers::Everybody, self.everybody.get(&kind).filter(is_enough)?)),
        }
    }

    /// How many people and teams do enough of each type.
    pub(super) fn sizes(&self) -> impl Iterator<Item = (u32, usize, usize)> {
        let teams = |kind| self.teams.get(kind).map_or(0, |group| group.members.len());
        self.everybody.iter().map(move |(kind, group)| (*kind, group.members.len(), teams(kind)))
    }

    /// With whom a team is compared; none where there are too few.
    pub(super) fn of_team(&self, kind: u32) -> Option<(Peers, &Group)> {
        let group = self.teams.get(&kind)?;
        (group.members.len() >= self.minimum).then_some((Peers::Teams, group))
    }
}
