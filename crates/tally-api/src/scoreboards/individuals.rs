//! Single people's usage, and that of groups too small to hide in: hidden where a works council wishes so.

use http::StatusCode;
use tally_ingest::edge::Problem;
use tally_types::{Outcome, PersonName, Reporter, TeamName, UsageEvent};
use tally_warehouse::{Dimension, Field, Filter, FilterOp};

use super::groups::SmallGroups;
use crate::caller::Caller;

const FEW: &str = "the group has too few people for its numbers to be shown";

/// Whether single people's usage is hidden from a caller: a works council's wish.
pub(crate) struct Individuals {
    me: Option<PersonName>,
    /// The groups that are hidden with them; none where nobody is.
    hidden: Option<SmallGroups>,
}

// === impl Individuals ===

impl Individuals {
    /// What holds for a caller: in works-council mode only the roles in `individuals_seen_by`
    /// see who called; managers among them see only their teams anyway.
    pub(crate) fn of(caller: &Caller) -> Self {
        let snapshot = caller.plane.snapshot();
        let rules = &snapshot.organization.scoreboards;
        let sees = rules.individuals_seen_by.iter().any(|role| caller.roles.contains(role));
        let hides = rules.hides_individuals() && !sees;
        Self { me: caller.own().cloned(), hidden: hides.then(|| SmallGroups::of(snapshot)) }
    }

    /// Whether a person's numbers are the caller's own.
    fn is_me(&self, person: &str) -> bool {
        self.me.as_ref().is_some_and(|me| me.as_str() == person)
    }

    /// Whether a person's numbers may be told.
    pub(crate) fn shows(&self, person: &str) -> bool {
        self.hidden.is_none() || self.is_me(person)
    }

    /// Whether a team's numbers may be told.
    pub(crate) fn shows_team(&self, team: &str) -> bool {
        !self.hidden.as_ref().is_some_and(|small| small.hides_team(team))
    }

    /// Refuses what asks for a team's numbers.
    ///
    /// # Errors
    /// 403 for one of too few people.
    pub(crate) fn check_team(&self, team: &TeamName) -> Result<(), Problem> {
        if self.shows_team(team.as_str()) { Ok(()) } else { Err(too_small(FEW)) }
    }

    /// Refuses a question that singles somebody out, and leaves groups of too few people out of the others.
    ///
    /// # Errors
    /// 403 for one that is split by people or asks for one of them, unless it is the caller, and for one that asks
    /// for nothing but groups that are too small.
    pub(crate) fn narrow(
        &self,
        dimensions: &[Dimension],
        filters: &mut Vec<Filter>,
    ) -> Result<(), Problem> {
        let is_personal = |dimension: &Dimension| {
            matches!(dimension, Dimension::Field(Field::Person | Field::Key | Field::Session))
        };
        let is_mine = |filter: &Filter| {
            filter.dimension == Dimension::Field(Field::Person)
                && matches!(filter.op, FilterOp::Eq | FilterOp::In)
                && filter.values.iter().all(|person| self.is_me(person))
        };
        let Some(small) = self.hidden.as_ref().filter(|_| !filters.iter().any(is_mine)) else {
            return Ok(());
        };
        let of_filters = filters.iter().map(|filter| &filter.dimension);
        if dimensions.iter().chain(of_filters).any(is_personal) {
            return Err(too_small("numbers of single people are not shown here"));
        }
        if filters.iter().any(|filter| small.singles_out(filter)) {
            return Err(too_small(FEW));
        }
        small.leave_out(dimensions, filters);
        Ok(())
    }

    /// Refuses what says of every call whose it was.
    ///
    /// # Errors
    /// 403 where single people are hidden.
    pub(crate) fn check_raw(&self) -> Result<(), Problem> {
        match self.hidden {
            Some(_) => Err(too_small("the file says of each call who made it")),
            None => Ok(()),
        }
    }

    /// Takes from a call what says who made it, unless it was the caller.
    pub(crate) fn hide(&self, event: &mut UsageEvent) {
        let is_own = event.person.as_ref().is_some_and(|person| self.is_me(person.as_str()));
        if let Some(small) = self.hidden.as_ref().filter(|_| !is_own) {
            event.person = None;
            event.key = None;
            event.session = None;
            small.hide(event);
        }
    }

    /// Takes from an outcome who reported it, unless it was the caller or a system.
    pub(crate) fn hide_reporter(&self, outcome: &mut Outcome) {
        if let Some(Reporter::Person(person)) = &outcome.reported_by
            && !self.shows(person.as_str())
        {
            outcome.reported_by = None;
        }
    }

    /// Takes the name of a team that is too small from a row of the books, which stay whole.
    pub(crate) fn hide_team(&self, team: &mut Option<TeamName>) {
        if team.as_ref().is_some_and(|team| !self.shows_team(team.as_str())) {
            *team = None;
        }
    }
}

fn too_small(what: &str) -> Problem {
    let detail = format!("{what}: the organization asks for groups");
    Problem::new(StatusCode::FORBIDDEN, "group_too_small", detail).with_next_step(
        "ask by a larger team, department or workload; `scoreboards.minimum_group` is the rule",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(name: &str) -> PersonName {
        name.parse().unwrap()
    }

    #[test]
    fn nobody_is_singled_out_by_a_filter() {
        let of = |field, values: &[&str]| Filter {
            dimension: Dimension::Field(field),
            op: FilterOp::In,
            values: values.iter().map(|value| (*value).to_owned()).collect(),
        };
        let small = Some(SmallGroups::default());
        let hidden = Individuals { me: Some(person("ada")), hidden: small };
        let check = |individuals: &Individuals, dimensions: &[Dimension], filters: &[Filter]| {
            individuals.narrow(dimensions, &mut filters.to_vec())
        };
        assert!(check(&hidden, &[], &[of(Field::Team, &["support"])]).is_ok());
        assert!(check(&hidden, &[], &[of(Field::Person, &["ada"])]).is_ok());
        for field in [Field::Person, Field::Key, Field::Session] {
            assert!(check(&hidden, &[Dimension::Field(field)], &[]).is_err());
            assert!(check(&hidden, &[], &[of(field, &["ada", "bo"])]).is_err());
        }
        let open = Individuals { me: None, hidden: None };
        assert!(check(&open, &[Dimension::Field(Field::Person)], &[]).is_ok());
    }
}
