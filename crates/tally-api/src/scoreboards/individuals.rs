//! Single people's usage: hidden where a works council wishes so.

use http::StatusCode;
use tally_ingest::edge::Problem;
use tally_types::{PersonName, UsageEvent};
use tally_warehouse::{Dimension, Field, Filter, FilterOp};

use crate::caller::Caller;

/// Whether single people's usage is hidden from a caller: a works council's wish.
pub(crate) struct Individuals {
    me: Option<PersonName>,
    hidden: bool,
}

// === impl Individuals ===

impl Individuals {
    /// What holds for a caller: in works-council mode only the roles in `individuals_seen_by`
    /// see who called; managers among them see only their teams anyway.
    pub(crate) fn of(caller: &Caller) -> Self {
        let rules = &caller.plane.snapshot().organization.scoreboards;
        let sees = rules.individuals_seen_by.iter().any(|role| caller.roles.contains(role));
        Self { me: caller.own().cloned(), hidden: rules.hides_individuals() && !sees }
    }

    /// Whether a person's numbers are the caller's own.
    fn is_me(&self, person: &str) -> bool {
        self.me.as_ref().is_some_and(|me| me.as_str() == person)
    }

    /// Refuses a question that singles somebody out.
    ///
    /// # Errors
    /// 403 for one that is split by people or asks for one of them, unless it is the caller.
    pub(crate) fn check(
        &self,
        dimensions: &[Dimension],
        filters: &[Filter],
    ) -> Result<(), Problem> {
        let is_personal = |dimension: &Dimension| {
            matches!(dimension, Dimension::Field(Field::Person | Field::Key | Field::Session))
        };
        let is_mine = |filter: &&Filter| {
            filter.dimension == Dimension::Field(Field::Person)
                && matches!(filter.op, FilterOp::Eq | FilterOp::In)
                && filter.values.iter().all(|person| self.is_me(person))
        };
        if !self.hidden || filters.iter().any(|filter| is_mine(&filter)) {
            return Ok(());
        }
        let of_filters = filters.iter().map(|filter| &filter.dimension);
        if !dimensions.iter().chain(of_filters).any(is_personal) {
            return Ok(());
        }
        let detail =
            "numbers of single people are not shown here: the organization asks for groups";
        Err(Problem::new(StatusCode::FORBIDDEN, "group_too_small", detail).with_next_step(
            "ask by team, department or workload; `scoreboards.minimum_group` is the rule",
        ))
    }

    /// Takes from a call what says who made it, unless it was the caller.
    pub(crate) fn hide(&self, event: &mut UsageEvent) {
        let is_own = event.person.as_ref().is_some_and(|person| self.is_me(person.as_str()));
        if self.hidden && !is_own {
            event.person = None;
            event.key = None;
            event.session = None;
        }
    }
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
        let hidden = Individuals { me: Some(person("ada")), hidden: true };
        assert!(hidden.check(&[], &[of(Field::Team, &["support"])]).is_ok());
        assert!(hidden.check(&[], &[of(Field::Person, &["ada"])]).is_ok());
        for field in [Field::Person, Field::Key, Field::Session] {
            assert!(hidden.check(&[Dimension::Field(field)], &[]).is_err());
            assert!(hidden.check(&[], &[of(field, &["ada", "bo"])]).is_err());
        }
        let open = Individuals { me: None, hidden: false };
        assert!(open.check(&[Dimension::Field(Field::Person)], &[]).is_ok());
    }
}
