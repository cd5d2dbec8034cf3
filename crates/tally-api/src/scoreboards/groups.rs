//! Groups of too few people: their numbers are those of single people, near enough.

use std::collections::{BTreeMap, BTreeSet};

use tally_store::Snapshot;
use tally_types::{Name, UsageEvent};
use tally_warehouse::{Dimension, FILTERS_MAX, Field, Filter, FilterOp};

use super::privacy::sizes;

/// Teams and departments of the directory whose numbers are shown to nobody.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct SmallGroups {
    teams: BTreeSet<String>,
    departments: BTreeSet<String>,
}

/// People of a group, and its name: the smallest come first.
type Sized<'a> = (u64, &'a str);

// === impl SmallGroups ===

impl SmallGroups {
    /// Those with fewer people than `minimum_group`, and as many of the next ones as it takes that what is left out
    /// of a department, or of the company, is no small group again: whoever subtracts what they see from the whole
    /// finds the sum of what they do not.
    pub(crate) fn of(snapshot: &Snapshot) -> Self {
        let minimum = u64::from(snapshot.organization.scoreboards.minimum_group);
        let sizes = sizes(snapshot);
        let people = |team: &Name| sizes.get(team.as_str()).copied().unwrap_or(0);
        let mut by_department: BTreeMap<Option<&str>, Vec<Sized<'_>>> = BTreeMap::new();
        for (name, team) in &snapshot.teams {
            let of_department = by_department.entry(team.department.as_deref()).or_default();
            of_department.push((people(name), name.as_str()));
        }
        let mut found = Self::default();
        let mut departments = Vec::new();
        for (department, teams) in &mut by_department {
            found.teams.extend(smallest(teams, minimum));
            departments.extend(department.map(|it| (teams.iter().map(|(size, _)| size).sum(), it)));
        }
        found.departments.extend(smallest(&mut departments, minimum));
        for department in &found.departments {
            let teams = by_department.get(&Some(department.as_str())).into_iter().flatten();
            // Sorted by now; the first one goes where its department is large enough for itself.
            found.teams.extend(teams.take(1).map(|(_, team)| (*team).to_owned()));
        }
        found
    }

    fn names(&self, field: Field) -> Option<&BTreeSet<String>> {
        match field {
            Field::Team => Some(&self.teams),
            Field::Department => Some(&self.departments),
            _ => None,
        }
    }

    /// Whether a filter asks for nothing but groups that are too small.
    pub(super) fn singles_out(&self, filter: &Filter) -> bool {
        let Dimension::Field(field) = filter.dimension else { return false };
        let is_named =
            matches!(filter.op, FilterOp::Eq | FilterOp::In) && !filter.values.is_empty();
        let small = self.names(field).filter(|_| is_named);
        small.is_some_and(|small| filter.values.iter().all(|name| small.contains(name)))
    }

    /// Leaves them out of a question about teams or departments; one about neither holds them, unnamed.
    pub(super) fn leave_out(&self, dimensions: &[Dimension], filters: &mut Vec<Filter>) {
        for field in [Field::Team, Field::Department] {
            let dimension = Dimension::Field(field);
            let of_filters = filters.iter().map(|filter| &filter.dimension);
            if !dimensions.iter().chain(of_filters).any(|asked| *asked == dimension) {
                continue;
            }
            let names: Vec<String> = self.names(field).into_iter().flatten().cloned().collect();
            filters.extend(names.chunks(FILTERS_MAX).map(|names| Filter {
                dimension: dimension.clone(),
                op: FilterOp::NotIn,
                values: names.to_vec(),
            }));
        }
    }

    /// Takes their names from a call.
    pub(super) fn hide(&self, event: &mut UsageEvent) {
        if event.team.as_ref().is_some_and(|team| self.hides_team(team.as_str())) {
            event.team = None;
        }
        if event.department.as_ref().is_some_and(|name| self.departments.contains(name)) {
            event.department = None;
        }
    }

    /// Whether a team is one of them.
    pub(super) fn hides_team(&self, team: &str) -> bool {
        self.teams.contains(team)
    }
}

/// Those with fewer people than the minimum, and the next ones until they have that many together.
fn smallest(groups: &mut [Sized<'_>], minimum: u64) -> Vec<String> {
    groups.sort_unstable();
    let mut people = 0;
    let mut is_left_out = |(size, _): &&Sized<'_>| {
        let goes = *size < minimum || (0 < people && people < minimum);
        people += if goes { *size } else { 0 };
        goes
    };
    let left_out = groups.iter().take_while(|group| is_left_out(group));
    left_out.map(|(_, name)| (*name).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use tally_types::spec::{PersonSpec, TeamSpec};

    use super::*;

    /// Teams with their department and how many people they have.
    fn company(minimum: u32, teams: &[(&str, &str, usize)]) -> SmallGroups {
        let mut snapshot = Snapshot::default();
        snapshot.organization.scoreboards.minimum_group = minimum;
        for (name, department, size) in teams {
            let spec = serde_json::json!({ "department": department, "cost_center": "cc" });
            let spec: TeamSpec = serde_json::from_value(spec).unwrap();
            snapshot.teams.insert(name.parse().unwrap(), spec);
            for place in 0..*size {
                let team = Some(name.parse().unwrap());
                let spec = PersonSpec { team, ..PersonSpec::default() };
                snapshot.people.insert(format!("{name}-{place}").parse().unwrap(), spec);
            }
        }
        SmallGroups::of(&snapshot)
    }

    fn groups(teams: &[&str], departments: &[&str]) -> SmallGroups {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        SmallGroups { teams: owned(teams), departments: owned(departments) }
    }

    #[test]
    fn what_is_left_out_is_no_small_group_again() {
        // Two people are found by subtraction unless another team goes with them…
        let found = company(5, &[("a", "it", 2), ("b", "it", 7), ("c", "it", 9)]);
        assert_eq!(found, groups(&["a", "b"], &[]));
        // …and two small teams are enough for each other.
        let found = company(5, &[("a", "it", 2), ("b", "it", 4), ("c", "it", 9)]);
        assert_eq!(found, groups(&["a", "b"], &[]));
        // A department that is too small takes the smallest other one along, and a team of it.
        let found = company(5, &[("a", "law", 3), ("b", "it", 7), ("c", "it", 9), ("d", "hr", 30)]);
        assert_eq!(found, groups(&["a", "b"], &["it", "law"]));
        assert_eq!(company(5, &[("a", "it", 5), ("b", "hr", 5)]), groups(&[], &[]));
        // A team of nobody, any more, gives nobody else away.
        assert_eq!(company(5, &[("a", "it", 0), ("b", "it", 7)]), groups(&["a"], &[]));
    }

    #[test]
    fn a_question_about_other_things_stays_as_it_is() {
        let small = groups(&["law"], &[]);
        let mut filters = vec![Filter::eq(Field::Workload, "chat")];
        small.leave_out(&[Dimension::Field(Field::Model)], &mut filters);
        assert_eq!(filters.len(), 1);
        small.leave_out(&[Dimension::Field(Field::Team)], &mut filters);
        let last = filters.last().unwrap();
        assert_eq!(
            (last.op, last.values.as_slice()),
            (FilterOp::NotIn, ["law".to_owned()].as_slice())
        );
        assert!(small.singles_out(&Filter::eq(Field::Team, "law")));
        assert!(!small.singles_out(&Filter::eq(Field::Team, "it")));
        assert!(!small.singles_out(&Filter::eq(Field::Workload, "law")));
    }
}
