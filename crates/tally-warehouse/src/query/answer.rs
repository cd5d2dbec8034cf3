//! From groups to rows: comparison, gaps, order, totals, warnings.

use std::{cmp::Ordering, collections::HashMap};

use duckdb::Connection;
use jiff::Timestamp;

use super::{
    Cell, Column, ColumnKind, Measure, Query, QueryResult, TIME,
    accumulate::{GROUPS_MAX, Group, Groups, Key},
    buckets::Buckets,
    cache::Cache,
    result::UNATTRIBUTED,
    side::Sides,
    value::value,
};
use crate::{error::QueryError, facts::Fact, rollup::TaskNumber, zone::Calendar};

/// A group beside the same group of the compared range.
#[derive(Default)]
struct Pair {
    current: Group,
    compared: Option<Group>,
}

/// Where a query is answered.
pub(crate) struct Context<'a> {
    pub(crate) connection: &'a Connection,
    pub(crate) calendar: &'a Calendar,
    pub(crate) now: Timestamp,
    pub(crate) rollups: bool,
    pub(crate) cache: &'a Cache,
}

/// Answers a query.
///
/// # Errors
/// When the query is wrong, has too many groups, or DuckDB fails.
pub(crate) fn answer(context: &Context<'_>, query: &Query) -> Result<QueryResult, QueryError> {
    query.validate()?;
    let calendar = context.calendar;
    let range = query.range.resolve(context.now, calendar)?;
    let compared_range =
        query.compare.map(|compare| query.range.compared(compare, &range, calendar)).transpose()?;
    let Sides { current, compared, groups } =
        Sides::of(context, query, &range, compared_range.as_ref())?;
    let source = current.source;
    let mut total = Pair { current: current.total, compared: None };
    let mut warnings = warnings(query, &total.current);
    let mut pairs = pair(current.groups);
    if let Some(compared) = compared {
        total.compared = Some(compared.total);
        match_compared(&mut pairs, compared.groups, &compared.buckets, &current.buckets);
    }
    if query.grain.is_some() && query.dimensions.is_empty() {
        fill_gaps(&mut pairs, &current.buckets, context.now, compared_range.is_some());
    }
    let columns = columns(query);
    let mut rows: Vec<Vec<Cell>> =
        pairs.iter().map(|(key, pair)| row(query, key, pair, &current.buckets)).collect();
    sort(&mut rows, query, &columns);
    // Of very many groups only those of the page are here.
    let skip = if groups.is_some() { 0 } else { query.offset };
    let groups = groups.unwrap_or(rows.len());
    if groups > GROUPS_MAX {
        warnings
            .push(format!("{groups} groups: only those shown were computed; the total is of all"));
    }
    let rows: Vec<_> = rows.into_iter().skip(skip).take(query.rows()).collect();
    let nothing = Key { dimensions: Vec::new(), bucket: None };
    Ok(QueryResult {
        total: row(query, &nothing, &total, &current.buckets),
        truncated: query.offset + rows.len() < groups,
        partial_bucket: current.buckets.holding(context.now),
        time_zone: calendar.zone_name(),
        columns,
        rows,
        range,
        compared_range,
        source,
        groups,
        warnings,
    })
}

fn pair(groups: Groups) -> HashMap<Key, Pair> {
    let pairs = groups.into_iter();
    pairs.map(|(key, current)| (key, Pair { current, compared: None })).collect()
}

/// Puts each compared group beside the one at the same position of its range.
fn match_compared(
    pairs: &mut HashMap<Key, Pair>,
    groups: Groups,
    theirs: &Buckets,
    ours: &Buckets,
) {
    for pair in pairs.values_mut() {
        pair.compared = Some(Group::default());
    }
    for (mut key, group) in groups {
        if let Some(bucket) = key.bucket {
            let Some(same) = theirs.position(bucket).and_then(|at| ours.key(at)) else { continue };
            key.bucket = Some(same);
        }
        pairs.entry(key).or_default().compared = Some(group);
    }
}

/// Adds the buckets without calls, up to now.
fn fill_gaps(pairs: &mut HashMap<Key, Pair>, buckets: &Buckets, now: Timestamp, compared: bool) {
    for bucket in buckets.keys_until(now) {
        let key = Key { dimensions: Vec::new(), bucket: Some(bucket) };
        pairs.entry(key).or_insert_with(|| Pair {
            current: Group::default(),
            compared: compared.then(Group::default),
        });
    }
}

fn columns(query: &Query) -> Vec<Column> {
    let time = query.grain.map(|_| Column {
        name: TIME.to_owned(),
        label: "Time".to_owned(),
        kind: ColumnKind::Time,
        unit: None,
    });
    let dimensions = query.dimensions.iter().map(|dimension| Column {
        name: dimension.to_string(),
        label: dimension.label(),
        kind: ColumnKind::Dimension,
        unit: None,
    });
    let measures = query.measures.iter().flat_map(|measure| {
        let info = measure.info();
        let own = Column {
            name: measure.to_string(),
            label: info.label.to_owned(),
            kind: ColumnKind::Measure,
            unit: Some(info.unit),
        };
        let compared = query.compare.map(|_| Column {
            name: format!("{measure}_compared"),
            label: format!("{} (compared)", info.label),
            kind: ColumnKind::Compare,
            unit: Some(info.unit),
        });
        std::iter::once(own).chain(compared)
    });
    time.into_iter().chain(dimensions).chain(measures).collect()
}

/// A row; without a key (the total) its dimensions and time are null.
fn row(query: &Query, key: &Key, pair: &Pair, buckets: &Buckets) -> Vec<Cell> {
    let mut cells = Vec::new();
    if query.grain.is_some() {
        let start = key.bucket.and_then(|bucket| buckets.start(bucket));
        cells.push(start.map_or(Cell::Null, Cell::Time));
    }
    for index in 0..query.dimensions.len() {
        cells.push(match key.dimensions.get(index) {
            None => Cell::Null,
            Some(None) => Cell::Text(UNATTRIBUTED.to_owned()),
            Some(Some(text)) => Cell::Text(text.clone()),
        });
    }
    for measure in &query.measures {
        cells.push(value(*measure, &pair.current));
        if query.compare.is_some() {
            let compared = pair.compared.as_ref().map(|group| value(*measure, group));
            cells.push(compared.unwrap_or(Cell::Null));
        }
    }
    cells
}

/// Sorts by what was asked for, then by every column, so that pages never overlap.
fn sort(rows: &mut [Vec<Cell>], query: &Query, columns: &[Column]) {
    let position = |name: &str| columns.iter().position(|column| column.name == name);
    let mut criteria: Vec<(usize, bool)> =
        query.order.iter().filter_map(|order| Some((position(&order.by)?, order.desc))).collect();
    if criteria.is_empty() {
        let time = position(TIME).map(|index| (index, false));
        let first = query.measures.first().and_then(|m| position(m.name())).map(|i| (i, true));
        criteria.extend(time.into_iter().chain(first));
    }
    criteria.extend((0..columns.len()).map(|index| (index, false)));
    rows.sort_by(|a, b| {
        let orders = criteria.iter().map(|(index, desc)| match (a.get(*index), b.get(*index)) {
            (Some(a), Some(b)) => a.compare(b, *desc),
            _ => Ordering::Equal,
        });
        orders.fold(Ordering::Equal, Ordering::then)
    });
}

fn warnings(query: &Query, total: &Group) -> Vec<String> {
    let mut warnings = Vec::new();
    let asks = |measures: &[Measure]| query.measures.iter().any(|m| measures.contains(m));
    let mut warn = |count: i128, one: &str, many: &str| {
        if count > 0 {
            warnings.push(if count == 1 { format!("1 {one}") } else { format!("{count} {many}") });
        }
    };
    if asks(&[Measure::SpendUsd, Measure::CostPerCallUsd]) {
        warn(total.sum(Fact::Unpriced), "call has no known price", "calls have no known price");
    }
    if asks(&[Measure::SpendInternalUsd]) {
        warn(
            total.sum(Fact::InternalUnpriced),
            "call has no known internal price",
            "calls have no known internal price",
        );
    }
    if asks(&[Measure::CostPerSuccessfulTaskUsd, Measure::ValuePerUsd]) {
        warn(
            total.tasks.get(TaskNumber::KnownUnpriced),
            "call of a task with a known outcome has no known price",
            "calls of tasks with a known outcome have no known price",
        );
        warn(total.tasks.unknown(), "task has no known outcome", "tasks have no known outcome");
    }
    warnings
}
