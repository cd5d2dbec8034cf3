//! Answers with very many groups: DuckDB ranks them, and only those of the page are
//! computed and sent. The order is the one of `answer::sort`.

use std::collections::BTreeSet;

use duckdb::params_from_iter;

use super::{
    Dimension, Field, Filter, FilterOp, Measure, Query,
    accumulate::Key,
    result::UNATTRIBUTED,
    run::Run,
    side::Keys,
    value::{Formula, formula},
};
use crate::{error::QueryError, facts::Fact, rollup::Content};

/// The groups of a page.
pub(super) struct Top {
    pub(super) keys: Keys,
    /// The query's filters, and such that leave little besides these groups.
    pub(super) filters: Vec<Filter>,
    /// How many groups there are.
    pub(super) groups: usize,
}

/// Whether SQL can rank the groups: by dimensions and by measures that are made of sums.
pub(super) fn possible(query: &Query) -> bool {
    !query.dimensions.is_empty() && query.grain.is_none() && criteria(query).is_some()
}

/// Whether there may be a group for every few calls.
pub(super) fn expects_many(query: &Query) -> bool {
    query.dimensions.iter().any(|dimension| {
        matches!(dimension, Dimension::Tag(_) | Dimension::Field(Field::Session | Field::TaskId))
    })
}

/// What to order by: a dimension's position or a formula, and whether largest first.
enum Criterion {
    Dimension(usize, bool),
    Formula(Formula, bool),
}

fn criteria(query: &Query) -> Option<Vec<Criterion>> {
    let by_measure = |measure: &Measure, desc| Some(Criterion::Formula(formula(*measure)?, desc));
    if query.order.is_empty() {
        return Some(vec![by_measure(query.measures.first()?, true)?]);
    }
    let each = query.order.iter().map(|order| {
        let dimension = query.dimensions.iter().position(|d| d.to_string() == order.by);
        match dimension {
            Some(index) => Some(Criterion::Dimension(index, order.desc)),
            None => by_measure(&order.by.parse().ok()?, order.desc),
        }
    });
    each.collect()
}

/// Ranks the groups of the first run's range; those of the others only count as groups.
///
/// # Errors
/// When DuckDB fails.
pub(super) fn top(runs: &[Run<'_>], query: &Query) -> Result<Top, QueryError> {
    let Some(first) = runs.first() else { return Err(QueryError::TooManyGroups(0)) };
    let criteria = criteria(query).unwrap_or_default();
    let mut facts = vec![Fact::Events];
    for criterion in &criteria {
        if let Criterion::Formula(formula, _) = criterion {
            facts.extend(formula.facts().filter(|fact| *fact != Fact::Events));
        }
    }
    let mut parameters = Vec::new();
    let parts = parts_sql(runs, &facts, &mut parameters)?;
    let names = first.key_names();
    let group = Run::group_sql(query.dimensions.len());
    let ranked = match parts.as_slice() {
        // One part is grouped already.
        [one] => one.clone(),
        many => {
            let sums: Vec<_> = (0..facts.len()).map(|at| format!("sum(f{at}) AS f{at}")).collect();
            let (sums, parts) = (sums.join(", "), many.join(" UNION ALL "));
            format!("SELECT {names}{sums} FROM ({parts}) {group}")
        }
    };
    let sql = format!(
        "WITH ranked AS MATERIALIZED ({ranked}) \
         SELECT counted.groups, page.* FROM (SELECT count(*) AS groups FROM ranked) counted \
         LEFT JOIN (SELECT {names}true AS found FROM ranked ORDER BY {} LIMIT {} OFFSET {}) page ON true",
        order_sql(&criteria, &facts, query.dimensions.len()),
        query.rows(),
        query.offset,
    );
    let mut statement = first.connection.prepare(&sql)?;
    let mut rows = statement.query(params_from_iter(&parameters))?;
    let mut top = Top { keys: Keys::new(), filters: query.filters.clone(), groups: 0 };
    while let Some(row) = rows.next()? {
        top.groups = row.get(0)?;
        let found: Option<bool> = row.get(query.dimensions.len() + 1)?;
        if found.is_some() {
            let mut key = Key::default();
            for index in 0..query.dimensions.len() {
                key.dimensions.push(row.get(index + 1)?);
            }
            top.keys.insert(key);
        }
    }
    top.narrow(&query.dimensions);
    Ok(top)
}

/// SQL: keys and sums of all slices of all runs.
fn parts_sql(
    runs: &[Run<'_>],
    facts: &[Fact],
    parameters: &mut Vec<String>,
) -> Result<Vec<String>, QueryError> {
    let mut parts = Vec::new();
    for (number, run) in runs.iter().enumerate() {
        for slice in run.merged_slices(Content::Sums, None)? {
            let keys = run.keys_sql(&slice, parameters);
            let condition = run.where_sql(&slice, parameters);
            let value = |(at, fact): (usize, &Fact)| match (number, slice.table) {
                (0, Some(_)) => format!("{} AS f{at}", fact.over_rollup_sql()),
                (0, None) => format!("{} AS f{at}", fact.over_events_sql()),
                // What was only there in the compared range has no calls in this one.
                _ => format!("0::HUGEINT AS f{at}"),
            };
            let values: Vec<_> = facts.iter().enumerate().map(value).collect();
            parts.push(format!(
                "SELECT {keys}{} FROM {} WHERE {condition} {}",
                values.join(", "),
                slice.table_sql(),
                Run::group_sql(run.key_columns())
            ));
        }
    }
    Ok(parts)
}

/// SQL: by the criteria, then by the dimensions as they are shown; what is not defined last.
fn order_sql(criteria: &[Criterion], facts: &[Fact], dimensions: usize) -> String {
    let shown = |index: usize| format!("coalesce(k{index}, '{UNATTRIBUTED}')");
    let column = |fact: Fact| {
        let at = facts.iter().position(|known| *known == fact).unwrap_or(0);
        format!("f{at}")
    };
    let direction = |desc: bool| if desc { "DESC NULLS LAST" } else { "ASC NULLS LAST" };
    let mut order: Vec<_> = criteria
        .iter()
        .map(|criterion| match criterion {
            Criterion::Dimension(index, desc) => format!("{} {}", shown(*index), direction(*desc)),
            Criterion::Formula(formula, desc) => {
                format!("{} {}", formula.sql(column), direction(*desc))
            }
        })
        .collect();
    order.extend((0..dimensions).map(|index| format!("{} ASC", shown(index))));
    order.join(", ")
}

// === impl Top ===

impl Top {
    fn narrow(&mut self, dimensions: &[Dimension]) {
        for (index, dimension) in dimensions.iter().enumerate() {
            let values: BTreeSet<_> = self
                .keys
                .iter()
                .filter_map(|key| key.dimensions.get(index))
                .map(|value| value.clone().unwrap_or_else(|| UNATTRIBUTED.to_owned()))
                .collect();
            self.filters.push(Filter {
                dimension: dimension.clone(),
                op: FilterOp::In,
                values: values.into_iter().collect(),
            });
        }
    }
}
