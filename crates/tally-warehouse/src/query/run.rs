//! SQL of each family of measures, run and added up per group.

use std::sync::Arc;

use duckdb::{Connection, params_from_iter};

use super::{
    AnswerSource, Dimension, Field, Filter, Grain, Measure, ResolvedRange,
    accumulate::{GROUPS_MAX, Groups, Key},
    cache::{Answer, Asked, Cache},
    filter::where_sql,
    measure::Family,
    slices::{self, Need, Slice},
    value::{needed, needed_of_tasks},
};
use crate::{
    error::QueryError,
    facts::Fact,
    histogram,
    rollup::{Content, Dirty, TaskNumber, histogram_columns},
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
    pub(crate) cache: &'a Cache,
}

/// The two histograms of a call.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Duration {
    Latency,
    FirstToken,
}

// === impl Run ===

impl Run<'_> {
    /// The slices that answer with such content; `more` is a field that must be held besides.
    pub(crate) fn slices(
        &self,
        content: Content,
        more: Option<Field>,
    ) -> Result<Vec<Slice>, QueryError> {
        let filtered = self.filters.iter().map(|filter| &filter.dimension);
        let used = self.dimensions.iter().chain(filtered).map(Dimension::field);
        let fields: Option<Vec<Field>> = used.chain(more.map(Some)).collect();
        let fields = fields.filter(|_| self.rollups);
        self.need(fields, content).slices(self.range)
    }

    /// As [`Self::slices`], for what is not added up over them.
    pub(super) fn merged_slices(
        &self,
        content: Content,
        more: Option<Field>,
    ) -> Result<Vec<Slice>, QueryError> {
        Ok(slices::merged(self.slices(content, more)?))
    }

    fn need(&self, fields: Option<Vec<Field>>, content: Content) -> Need<'_> {
        let (grain, calendar, dirty) = (self.grain, self.calendar, self.dirty);
        Need { fields, content, grain, calendar, dirty, rollups: self.rollups }
    }

    /// The select list of the group's key in a slice; tags' names are pushed.
    pub(super) fn keys_sql(&self, slice: &Slice, parameters: &mut Vec<String>) -> String {
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
    pub(super) fn key_columns(&self) -> usize {
        self.dimensions.len() + usize::from(self.grain.is_some())
    }

    /// `GROUP BY` of the first columns, as far as there are any.
    pub(super) fn group_sql(columns: usize) -> String {
        if columns == 0 {
            return String::new();
        }
        let ordinals: Vec<_> = (1..=columns).map(|ordinal| ordinal.to_string()).collect();
        format!("GROUP BY {}", ordinals.join(", "))
    }

    /// The condition of a slice with the filters; their values are pushed.
    pub(super) fn where_sql(&self, slice: &Slice, parameters: &mut Vec<String>) -> String {
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
        self.rows_of_version(slice.version, sql, parameters, count, add)
    }

    /// As [`Self::rows`]; what is read may be another only in another version.
    pub(super) fn rows_of_version(
        &self,
        version: Option<&'static str>,
        sql: String,
        parameters: Vec<String>,
        count: usize,
        mut add: impl FnMut(Key, &[i128]),
    ) -> Result<(), QueryError> {
        let Some(table) = version else { return self.rows(&sql, &parameters, count, add) };
        let asked = Asked { table, version: self.dirty.version(table), sql, parameters };
        let answer = match self.cache.get(&asked) {
            Some(answer) => answer,
            None => {
                let mut answer = Answer::new();
                self.rows(&asked.sql, &asked.parameters, count, |key, values| {
                    answer.push((key, values.to_vec()));
                })?;
                let answer = Arc::new(answer);
                self.cache.put(asked, Arc::clone(&answer));
                answer
            }
        };
        for (key, values) in answer.iter() {
            add(key.clone(), values);
        }
        Ok(())
    }

    pub(super) fn key_names(&self) -> String {
        let mut names: String =
            (0..self.dimensions.len()).map(|index| format!("k{index}, ")).collect();
        if self.grain.is_some() {
            names.push_str("bucket_of_time, ");
        }
        names
    }

    /// Runs SQL whose columns are the key and then integers.
    pub(super) fn rows(
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

    /// Everything the measures need, per group, and what it was answered from.
    pub(crate) fn groups(
        &self,
        measures: &[Measure],
    ) -> Result<(Groups, AnswerSource), QueryError> {
        let mut groups = Groups::new();
        let needs = |family| measures.iter().any(|measure| measure.family() == family);
        // Sums are cheap and say which groups exist and how many calls have no price.
        let slices = self.slices(Content::Sums, None)?;
        self.sums(&needed(measures), &slices, &mut groups)?;
        let mut source = slices::source(&slices);
        for (family, duration) in
            [(Family::Latency, Duration::Latency), (Family::FirstToken, Duration::FirstToken)]
        {
            if needs(family) {
                let slices = self.slices(Content::Histograms, None)?;
                self.histograms(duration, &slices, &mut groups)?;
                source = source.max(slices::source(&slices));
            }
        }
        let numbers = needed_of_tasks(measures);
        source = source.max(self.not_additive(measures, &numbers, &mut groups)?);
        Ok((groups, source))
    }

    /// Sets the numbers of distinct values and the numbers of tasks, which are not
    /// the sums of their groups'; says what they were answered from.
    pub(crate) fn not_additive(
        &self,
        measures: &[Measure],
        numbers: &[TaskNumber],
        groups: &mut Groups,
    ) -> Result<AnswerSource, QueryError> {
        let mut source = AnswerSource::RollupDay;
        for (measure, field) in [
            (Measure::ActivePeople, Field::Person),
            (Measure::ActiveTeams, Field::Team),
            (Measure::Sessions, Field::Session),
        ] {
            if measures.contains(&measure) {
                let slices = self.merged_slices(Content::Sums, Some(field))?;
                self.distinct(field, &slices, |key, count| {
                    let group = groups.entry(key).or_default();
                    match field {
                        Field::Person => group.people = count,
                        Field::Team => group.teams = count,
                        _ => group.sessions = count,
                    }
                })?;
                source = source.max(slices::source(&slices));
            }
        }
        if measures.iter().any(|measure| measure.family() == Family::Tasks) {
            let slices = self.merged_slices(Content::Tasks, None)?;
            self.tasks(numbers, &slices, groups)?;
            source = source.max(slices::source(&slices));
        }
        Ok(source)
    }
}

pub(super) fn within_limit(groups: &Groups) -> Result<(), QueryError> {
    if groups.len() > GROUPS_MAX {
        return Err(QueryError::TooManyGroups(GROUPS_MAX));
    }
    Ok(())
}
