//! Numbers of distinct values and of tasks: what cannot be added up over rows.

use super::{
    Field, Filter, FilterOp,
    accumulate::{Groups, Key},
    run::{Run, within_limit},
    slices::Slice,
};
use crate::{
    error::QueryError,
    rollup::{self, TaskNumber, TaskSql},
};

/// In so short a time there are few tasks: two days.
const FEW_TASKS_US: i64 = 2 * 86_400_000_000;

// === impl Run ===

impl Run<'_> {
    /// Sets the number of distinct values of a field among each group's calls.
    pub(super) fn distinct(
        &self,
        field: Field,
        slices: &[Slice],
        mut set: impl FnMut(Key, i128),
    ) -> Result<(), QueryError> {
        let mut parameters = Vec::new();
        let column = field.column();
        let parts: Vec<_> = slices
            .iter()
            .map(|slice| {
                let keys = self.keys_sql(slice, &mut parameters);
                let condition = self.where_sql(slice, &mut parameters);
                let calls = if slice.table.is_some() { "calls > 0" } else { "status <> 'refused'" };
                format!(
                    "SELECT {keys}\"{column}\" AS counted FROM {table} \
                     WHERE {condition} AND {calls} AND \"{column}\" IS NOT NULL",
                    table = slice.table_sql()
                )
            })
            .collect();
        // One plain GROUP BY of the values is several times as quick as count(DISTINCT) per group.
        let columns = self.key_columns();
        let keys = self.key_names();
        let sql = format!(
            "SELECT {keys}count(*) FROM (SELECT {keys}counted FROM ({parts}) {inner}) {outer}",
            parts = parts.join(" UNION ALL "),
            inner = Self::group_sql(columns + 1),
            outer = Self::group_sql(columns),
        );
        self.rows(&sql, &parameters, 1, |key, values| {
            set(key, values.first().copied().unwrap_or(0));
        })
    }

    /// Sets the numbers of the tasks of each group.
    pub(super) fn tasks(
        &self,
        numbers: &[TaskNumber],
        slices: &[Slice],
        groups: &mut Groups,
    ) -> Result<(), QueryError> {
        let sql = TaskSql(numbers);
        // All slices of a query are of one rollup, or of none.
        let table = slices.iter().find_map(|slice| slice.table);
        let name = table.map_or(rollup::TASK_TABLE, |table| table.name);
        // The day that goes on changes with every call and outcome, as the events do.
        let (rolled, fresh): (Vec<_>, Vec<_>) = slices
            .iter()
            .partition(|slice| slice.table.is_some() && slice.version != Some(rollup::OPEN));
        let mut add = |key, values: &[i128]| {
            // Without dimensions there is a row even of no tasks.
            if values.iter().any(|value| *value != 0) {
                let tasks = &mut groups.entry(key).or_default().tasks;
                for (number, value) in numbers.iter().zip(values) {
                    tasks.add(*number, *value);
                }
            }
        };
        if !rolled.is_empty() {
            let mut parameters = Vec::new();
            let sql = self.rolled_sql(&sql, &rolled, &mut parameters);
            self.rows_of_version(Some(name), sql, parameters, numbers.len(), &mut add)?;
        }
        if !fresh.is_empty() {
            let mut parameters = Vec::new();
            let sql = self.fresh_sql(&sql, &fresh, &rolled, &mut parameters);
            // The tasks of closed days are all in the rollup: their results are of its version.
            let closed = fresh.iter().all(|slice| slice.version == Some(rollup::CLOSED));
            let version = closed.then_some(name);
            self.rows_of_version(version, sql, parameters, numbers.len(), &mut add)?;
        }
        within_limit(groups)
    }

    /// SQL of the numbers of tasks in the rollup: those of calls are added up over the
    /// rows, those of tasks over the distinct cells.
    fn rolled_sql(
        &self,
        sql: &TaskSql<'_>,
        slices: &[&Slice],
        parameters: &mut Vec<String>,
    ) -> String {
        let names = self.key_names();
        let group = Self::group_sql(self.key_columns());
        let mut parts = Vec::new();
        if sql.adds() {
            parts = self.rollup_parts(slices, &sql.added_of_rollup(), &group, parameters);
        }
        let cells = format!("cell, {}", sql.once_of_rollup());
        let cells = self.rollup_parts(slices, &cells, "", parameters).join(" UNION ALL ");
        parts.push(format!("SELECT {names}{} FROM (SELECT DISTINCT * FROM ({cells}))", sql.once()));
        format!("SELECT {names}{} FROM ({}) {group}", sql.sums(), parts.join(" UNION ALL "))
    }

    /// SQL of the numbers of tasks from the events and the day that goes on. A task that
    /// has a row of the rollup in the same group was counted there.
    fn fresh_sql(
        &self,
        sql: &TaskSql<'_>,
        slices: &[&Slice],
        rolled: &[&Slice],
        parameters: &mut Vec<String>,
    ) -> String {
        let names = self.key_names();
        let group = Self::group_sql(self.key_columns());
        let fresh = self.fresh_tasks_sql(sql, slices, parameters);
        if rolled.is_empty()
            && slices.iter().all(|slice| slice.table.is_none())
            && slices.len() == 1
        {
            return format!("SELECT {names}{} FROM ({fresh}) {group}", sql.sums());
        }
        let mut with = format!("fresh AS MATERIALIZED ({fresh})");
        let mut seen = String::new();
        if !rolled.is_empty() {
            let known = self.rollup_parts(
                rolled,
                "cell",
                "AND cell IN (SELECT cell FROM fresh)",
                parameters,
            );
            with.push_str(&format!(
                ", seen AS MATERIALIZED (SELECT DISTINCT * FROM ({}))",
                known.join(" UNION ALL ")
            ));
            let same = names.split(", ").filter(|name| !name.is_empty());
            let same =
                same.map(|name| format!(" AND seen.{name} IS NOT DISTINCT FROM task.{name}"));
            seen = format!(
                "WHERE NOT EXISTS (SELECT 1 FROM seen WHERE seen.cell = task.cell{})",
                same.collect::<String>()
            );
        }
        let mut parts = Vec::new();
        if sql.adds() {
            parts.push(format!("SELECT {names}{} FROM fresh", sql.added()));
        }
        parts.push(format!(
            "SELECT {names}{} FROM (SELECT DISTINCT {names}cell, {} FROM fresh) task {seen}",
            sql.once(),
            sql.once_names()
        ));
        format!(
            "WITH {with} SELECT {names}{} FROM ({}) {group}",
            sql.sums(),
            parts.join(" UNION ALL ")
        )
    }

    /// SQL: keys and values of each slice of the rollup of tasks.
    fn rollup_parts(
        &self,
        slices: &[&Slice],
        values: &str,
        end: &str,
        parameters: &mut Vec<String>,
    ) -> Vec<String> {
        let each = slices.iter().map(|slice| {
            let keys = self.keys_sql(slice, parameters);
            let condition = self.where_sql(slice, parameters);
            let table = slice.table_sql();
            format!("SELECT {keys}{values} FROM {table} WHERE {condition} {end}")
        });
        each.collect()
    }

    /// SQL of single tasks from the events, each a cell of its own, and of the cells of
    /// the day that goes on.
    fn fresh_tasks_sql(
        &self,
        sql: &TaskSql<'_>,
        slices: &[&Slice],
        parameters: &mut Vec<String>,
    ) -> String {
        let names = self.key_names();
        let inner = Self::group_sql(self.key_columns() + 1);
        let each = slices.iter().map(|slice| {
            let keys = self.keys_sql(slice, parameters);
            let condition = self.where_sql(slice, parameters);
            if slice.table.is_some() {
                let values = sql.of_rollup();
                let table = slice.table_sql();
                return format!("SELECT {keys}cell, {values} FROM {table} WHERE {condition}");
            }
            let (sums, of_task) = (rollup::PART_SUMS, rollup::OF_TASK);
            let parts = format!(
                "SELECT {keys}task_key, {sums} FROM events WHERE {condition} AND {of_task} {inner}"
            );
            let joined = if self.few_tasks(slice) {
                format!(
                    "WITH parts AS MATERIALIZED ({parts}) \
                     SELECT * FROM parts LEFT JOIN {} USING (task_key)",
                    rollup::RESULTS_OF_FEW
                )
            } else {
                format!("SELECT * FROM ({parts}) LEFT JOIN {} USING (task_key)", rollup::RESULTS)
            };
            format!("SELECT {names}task_key AS cell, {} FROM ({joined})", sql.of_events())
        });
        each.collect::<Vec<_>>().join(" UNION ALL ")
    }

    /// Whether a slice of the events likely holds far fewer tasks than there are, and DuckDB
    /// does not see it: without dimensions it does.
    fn few_tasks(&self, slice: &Slice) -> bool {
        let picks = |filter: &Filter| matches!(filter.op, FilterOp::Eq | FilterOp::In);
        let few = slice.span() <= FEW_TASKS_US || self.filters.iter().any(picks);
        few && !self.dimensions.is_empty()
    }
}
