//! The groups and the total over one range.

use std::collections::HashSet;

use super::{
    AnswerSource, Filter, Query, ResolvedRange,
    accumulate::{Group, Groups, Key},
    answer::Context,
    buckets::Buckets,
    ranked,
    run::Run,
    value::needed_of_tasks,
};
use crate::{error::QueryError, rollup::Dirty};

/// The groups and the total over one range.
pub(super) struct Side {
    pub(super) groups: Groups,
    pub(super) total: Group,
    pub(super) buckets: Buckets,
    pub(super) source: AnswerSource,
}

/// The ranges of a query, beside each other.
pub(super) struct Sides {
    pub(super) current: Side,
    pub(super) compared: Option<Side>,
    /// When only the groups of the page were computed: how many there are.
    pub(super) groups: Option<usize>,
}

// === impl Sides ===

impl Sides {
    /// Computes all groups, or of very many only those of the page asked for.
    ///
    /// # Errors
    /// When there are too many groups to rank them in SQL, too, or DuckDB fails.
    pub(super) fn of(
        context: &Context<'_>,
        query: &Query,
        range: &ResolvedRange,
        compared: Option<&ResolvedRange>,
    ) -> Result<Self, QueryError> {
        let dirty = Dirty::read(context.connection)?;
        let all = |top: Option<&ranked::Top>| -> Result<Self, QueryError> {
            let side = |range| Side::run(context, query, range, &dirty, top);
            Ok(Self {
                current: side(range)?,
                compared: compared.map(side).transpose()?,
                groups: top.map(|top| top.groups),
            })
        };
        let rankable = ranked::possible(query);
        if !rankable || !ranked::expects_many(query) {
            match all(None) {
                Err(QueryError::TooManyGroups(_)) if rankable => {}
                done => return done,
            }
        }
        let runs: Vec<_> = std::iter::once(range)
            .chain(compared)
            .map(|range| run(context, query, range, &dirty, &query.filters))
            .collect();
        all(Some(&ranked::top(&runs, query)?))
    }
}

fn run<'a>(
    context: &'a Context<'a>,
    query: &'a Query,
    range: &'a ResolvedRange,
    dirty: &'a Dirty,
    filters: &'a [Filter],
) -> Run<'a> {
    Run {
        connection: context.connection,
        calendar: context.calendar,
        range,
        dimensions: &query.dimensions,
        filters,
        grain: query.grain,
        dirty,
        rollups: context.rollups,
        cache: context.cache,
    }
}

// === impl Side ===

impl Side {
    fn run(
        context: &Context<'_>,
        query: &Query,
        range: &ResolvedRange,
        dirty: &Dirty,
        top: Option<&ranked::Top>,
    ) -> Result<Self, QueryError> {
        let buckets = Buckets::of(range, query.grain, context.calendar)?;
        let whole = Run {
            dimensions: &[],
            grain: None,
            ..run(context, query, range, dirty, &query.filters)
        };
        if let Some(top) = top {
            let (total, _) = whole.groups(&query.measures)?;
            let total = total.into_values().next().unwrap_or_default();
            if top.keys.is_empty() {
                // A page beyond the last group.
                let groups = Groups::new();
                return Ok(Self { groups, total, buckets, source: AnswerSource::Events });
            }
            let (mut groups, source) =
                run(context, query, range, dirty, &top.filters).groups(&query.measures)?;
            groups.retain(|key, _| top.keys.contains(key));
            return Ok(Self { groups, total, buckets, source });
        }
        let (groups, source) =
            run(context, query, range, dirty, &query.filters).groups(&query.measures)?;
        let total = if query.dimensions.is_empty() && query.grain.is_none() {
            // One group is the total; without calls there is none.
            groups.values().next().cloned().unwrap_or_default()
        } else {
            total(query, &groups, &whole)?
        };
        Ok(Self { groups, total, buckets, source })
    }
}

/// The sum of the groups, and what is not their sum: distinct values and tasks.
fn total(query: &Query, groups: &Groups, whole: &Run<'_>) -> Result<Group, QueryError> {
    let mut numbers = needed_of_tasks(&query.measures);
    numbers.retain(|number| number.once());
    let mut total = Groups::new();
    whole.not_additive(&query.measures, &numbers, &mut total)?;
    let mut total = total.into_values().next().unwrap_or_default();
    for group in groups.values() {
        total.add(group);
        total.tasks.add_calls(&group.tasks);
    }
    Ok(total)
}

/// The keys of a page.
pub(super) type Keys = HashSet<Key>;
