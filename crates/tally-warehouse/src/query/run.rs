//! SQL of each family of measures, run and added up per group.

use duckdb::{Connection, params_from_iter};

use super::{
    Dimension, Field, Filter, Grain, Measure, ResolvedRange,
    accumulate::{GROUPS_MAX, Groups, Key, TaskSums},
    filter::where_sql,
    measure::Family,
    slices::{Need, Slice},
    value::needed,
};
use crate::{
    error::QueryError,
    facts::Fact,
    histogram,
    rollup::{Dirty, histogram_columns},
    zone::Calendar,
};

/// The parts of a query that its SQL is made of.
pub(crate) struct Run<'a> {
    pub(crate) connection: &'a Connection,
    pub(crate) calendar: &'a Calendar,
    pub(crate) range: &'a ResolvedRange,
    pub(crate) dimensions: &'a [Dimension],
    pub(crate) filters: &'a [Filter],
    pub(crate) grain: Option<Grain>,
    pub(crate) dirty: &'a Dirty,
    /// Whether rollups may answer.
    pub(crate) rollups: bool,
}

/// The two histograms of a call.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Duration {
    Latency,
    FirstToken,
}

const TASK_COLUMNS: &str = "count(*), \
     count(*) FILTER (WHERE result = 'succeeded'), \
     count(*) FILTER (WHERE result = 'failed'), \
     count(*) FILTER (WHERE escalated), \
     coalesce(sum(value_usd), 0), \
     coalesce(sum(quality_bp), 0), \
     count(quality_bp), \
     coalesce(sum(tokens), 0), \
     coalesce(sum(tokens) FILTER (WHERE result IS NOT NULL), 0), \
     coalesce(sum(cost) FILTER (WHERE result IS NOT NULL), 0), \
     coalesce(sum(unpriced) FILTER (WHERE result IS NOT NULL), 0)";
const TASK_COLUMNS_COUNT: usize = 11;

// === impl Run ===

impl Run<'_> {
    /// The slices that answer; `more` is a field that must be held besides.
    pub(crate) fn slices(
        &self,
        histograms: bool,
        more: Option<Field>,
    ) -> Result<Vec<Slice>, QueryError> {
        let filtered = self.filters.iter().map(|filter| &filter.dimension);
        let used = self.dimensions.iter().chain(filtered).map(Dimension::field);
        let fields: Option<Vec<Field>> = used.chain(more.map(Some)).collect();
        let fields = fields.filter(|_| self.rollups);
        self.need(fields, histograms).slices(self.range)
    }

    fn need(&self, fields: Option<Vec<Field>>, histograms: bool) -> Need<'_> {
        let (grain, calendar, dirty) = (self.grain, self.calendar, self.dirty);
        Need { fields, histograms, grain, calendar, dirty }
    }

    /// The select list of the group's key in a slice; tags' names are pushed.
    fn keys_sql(&self, slice: &Slice, parameters: &mut Vec<String>) -> String {
        let mut keys = String::new();
        for (index, dimension) in self.dimensions.iter().enumerate() {
            keys.push_str(&format!("{} AS k{index}, ", dimension.sql(parameters)));
        }
        if let Some(grain) = self.grain {
            let bucket = slice.bucket_sql(grain, self.range, self.calendar);
            keys.push_str(&format!("({bucket})::BIGINT AS bucket_of_time, "));
        }
        keys
    }

    /// How many columns the key has.
    fn key_columns(&self) -> usize {
        self.dimensions.len() + usize::from(self.grain.is_some())
    }

    /// `GROUP BY` of the first columns, as far as there are any.
    fn group_sql(columns: usize) -> String {
        if columns == 0 {
            return String::new();
        }
        let ordinals: Vec<_> = (1..=columns).map(|ordinal| ordinal.to_string()).collect();
        format!("GROUP BY {}", ordinals.join(", "))
    }

    /// The condition of a slice with the filters; their values are pushed.
    fn where_sql(&self, slice: &Slice, parameters: &mut Vec<String>) -> String {
        format!("{} AND {}", slice.time_sql(), where_sql(self.filters, parameters))
    }

    /// Adds the sums of the slices to the groups.
    fn sums(
        &self,
        facts: &[Fact],
        slices: &[Slice],
        groups: &mut Groups,
    ) -> Result<(), QueryError> {
        for slice in slices {
            let values: Vec<_> = facts
                .iter()
                .map(|fact| match slice.table {
                    Some(_) => fact.over_rollup_sql(),
                    None => fact.over_events_sql(),
                })
                .collect();
            self.grouped(slice, &values.join(", "), 0, facts.len(), |key, values| {
                // Without dimensions there is a row even of no events.
                if values.first().is_some_and(|events| *events != 0) {
                    let group = groups.entry(key).or_default();
                    for (fact, value) in facts.iter().zip(values) {
                        group.add_to(*fact, *value);
                    }
                }
            })?;
            within_limit(groups)?;
        }
        Ok(())
    }

    /// Adds the histograms of the slices to the groups.
    pub(crate) fn histograms(
        &self,
        duration: Duration,
        slices: &[Slice],
        groups: &mut Groups,
    ) -> Result<(), QueryError> {
        let (prefix, column) = match duration {
            Duration::Latency => ('l', "latency_us"),
            Duration::FirstToken => ('f', "first_token_us"),
        };
        for slice in slices {
            let packed = slice.table.is_some();
            let (values, more_keys, count) = if packed {
                let sums: Vec<_> = std::iter::once("sum(events)".to_owned())
                    .chain(histogram_columns(prefix).map(|c| format!("sum({c})")))
                    .map(|sum| format!("coalesce({sum}, 0)"))
                    .collect();
                (sums.join(", "), 0, histogram::COLUMNS + 1)
            } else {
                (format!("coalesce({}, -1) AS bin, count(*)", histogram::bin_sql(column)), 1, 2)
            };
            self.grouped(slice, &values, more_keys, count, |key, values| {
                // The sums came first: a group they do not know has no calls left.
                let Some(group) = groups.get_mut(&key) else { return };
                let slot = match duration {
                    Duration::Latency => &mut group.latency,
                    Duration::FirstToken => &mut group.first_token,
                };
                let histogram = slot.get_or_insert_default();
                match values {
                    [bin, count] if !packed => {
                        if let (Ok(bin), Ok(count)) = (usize::try_from(*bin), u64::try_from(*count))
                        {
                            histogram.add(bin, count);
                        }
                    }
                    [_, packed @ ..] => {
                        for (column, sum) in packed.iter().enumerate() {
                            histogram.add_packed(column, *sum);
                        }
                    }
                    [] => {}
                }
            })?;
        }
        Ok(())
    }

    /// Runs `SELECT keys, values … GROUP BY keys` on one slice; the first
    /// `more_keys` of the values are part of the key.
    fn grouped(
        &self,
        slice: &Slice,
        values: &str,
        more_keys: usize,
        count: usize,
        add: impl FnMut(Key, &[i128]),
    ) -> Result<(), QueryError> {
        let mut parameters = Vec::new();
        let keys = self.keys_sql(slice, &mut parameters);
        let condition = self.where_sql(slice, &mut parameters);
        let table = slice.table_sql();
        let group = Self::group_sql(self.key_columns() + more_keys);
        let sql = format!("SELECT {keys}{values} FROM {table} WHERE {condition} {group}");
        self.rows(&sql, &parameters, count, add)
    }

    /// Sets the number of distinct values of a field among each group's calls.
    pub(crate) fn distinct(
        &self,
        field: Field,
        slices: &[Slice],
        mut set: impl FnMut(Key, i128),
    ) -> Result<(), QueryError> {
        let mut parameters = Vec::new();
        let parts: Vec<_> = slices
            .iter()
            .map(|slice| {
                let keys = self.keys_sql(slice, &mut parameters);
                let condition = self.where_sql(slice, &mut parameters);
                let calls =
                    if slice.table.is_some() { "calls" } else { "(status <> 'refused')::BIGINT" };
                let (column, table) = (field.column(), slice.table_sql());
                format!(
                    "SELECT {keys}\"{column}\" AS counted, {calls} AS calls FROM {table} \
                     WHERE {condition} AND \"{column}\" IS NOT NULL"
                )
            })
            .collect();
        let columns = self.key_columns();
        let keys: String = self.key_names();
        let sql = format!(
            "SELECT {keys}count(*) FROM (SELECT {keys}counted FROM ({parts}) {inner} HAVING sum(calls) > 0) {outer}",
            parts = parts.join(" UNION ALL "),
            inner = Self::group_sql(columns + 1),
            outer = Self::group_sql(columns),
        );
        self.rows(&sql, &parameters, 1, |key, values| {
            set(key, values.first().copied().unwrap_or(0));
        })
    }

    /// Sets the sums over the tasks of each group.
    pub(crate) fn tasks(&self, groups: &mut Groups) -> Result<(), QueryError> {
        let slices = self.need(None, false).slices(self.range)?;
        let Some(slice) = slices.first() else { return Ok(()) };
        let mut parameters = Vec::new();
        let keys = self.keys_sql(slice, &mut parameters);
        let condition = self.where_sql(slice, &mut parameters);
        let columns = self.key_columns();
        let sql = format!(
            "SELECT {names}{TASK_COLUMNS} FROM (\
               SELECT {keys}task_key, coalesce(sum(cost_list_usd), 0) AS cost, \
                 sum(input_uncached + cache_read + cache_write_5m + cache_write_1h + output) AS tokens, \
                 count(*) FILTER (WHERE cost_list_usd IS NULL) AS unpriced \
               FROM events WHERE {condition} AND task_key IS NOT NULL AND status <> 'refused' {inner}\
             ) LEFT JOIN (\
               SELECT task_key, result, escalated, value_usd, quality_bp FROM task_results\
             ) USING (task_key) {outer}",
            names = self.key_names(),
            inner = Self::group_sql(columns + 1),
            outer = Self::group_sql(columns),
        );
        self.rows(&sql, &parameters, TASK_COLUMNS_COUNT, |key, values| {
            let tasks = TaskSums::from_columns(values);
            if tasks.tasks > 0 {
                groups.entry(key).or_default().tasks = tasks;
            }
        })?;
        within_limit(groups)
    }

    fn key_names(&self) -> String {
        let mut names: String =
            (0..self.dimensions.len()).map(|index| format!("k{index}, ")).collect();
        if self.grain.is_some() {
            names.push_str("bucket_of_time, ");
        }
        names
    }

    /// Runs SQL whose columns are the key and then integers.
    fn rows(
        &self,
        sql: &str,
        parameters: &[String],
        count: usize,
        mut add: impl FnMut(Key, &[i128]),
    ) -> Result<(), QueryError> {
        let mut statement = self.connection.prepare(sql)?;
        let mut rows = statement.query(params_from_iter(parameters))?;
        let columns = self.key_columns();
        let mut values = Vec::with_capacity(count);
        while let Some(row) = rows.next()? {
            let mut key = Key::default();
            for index in 0..self.dimensions.len() {
                key.dimensions.push(row.get(index)?);
            }
            if self.grain.is_some() {
                key.bucket = Some(row.get(self.dimensions.len())?);
            }
            values.clear();
            for index in columns..columns + count {
                values.push(row.get::<_, i128>(index)?);
            }
            add(key, &values);
        }
        Ok(())
    }

    /// Everything the measures need, per group.
    pub(crate) fn groups(&self, measures: &[Measure]) -> Result<(Groups, Vec<Slice>), QueryError> {
        let mut groups = Groups::new();
        let needs = |family| measures.iter().any(|measure| measure.family() == family);
        // Sums are cheap and say which groups exist and how many calls have no price.
        let mut used = self.slices(false, None)?;
        self.sums(&needed(measures), &used, &mut groups)?;
        for (family, duration) in
            [(Family::Latency, Duration::Latency), (Family::FirstToken, Duration::FirstToken)]
        {
            if needs(family) {
                let slices = self.slices(true, None)?;
                self.histograms(duration, &slices, &mut groups)?;
                used = slices;
            }
        }
        if measures.contains(&Measure::ActivePeople) {
            let slices = self.slices(false, Some(Field::Person))?;
            self.distinct(Field::Person, &slices, |key, count| {
                groups.entry(key).or_default().people = count;
            })?;
        }
        if measures.contains(&Measure::ActiveTeams) {
            let slices = self.slices(false, Some(Field::Team))?;
            self.distinct(Field::Team, &slices, |key, count| {
                groups.entry(key).or_default().teams = count;
            })?;
        }
        if measures.contains(&Measure::Sessions) {
            let slices = self.slices(false, Some(Field::Session))?;
            self.distinct(Field::Session, &slices, |key, count| {
                groups.entry(key).or_default().sessions = count;
            })?;
            used = slices;
        }
        if needs(Family::Tasks) {
            self.tasks(&mut groups)?;
            used.clear();
        }
        Ok((groups, used))
    }
}

fn within_limit(groups: &Groups) -> Result<(), QueryError> {
    if groups.len() > GROUPS_MAX {
        return Err(QueryError::TooManyGroups(GROUPS_MAX));
    }
    Ok(())
}
