//! Numbers of distinct values and of tasks: what cannot be added up over rows.

use super::{
    Field,
    accumulate::{Groups, Key},
    run::{Run, within_limit},
    slices::Slice,
};
use crate::{
    error::QueryError,
    rollup::{self, TaskNumber, TaskSql},
};

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
        let mut parameters = Vec::new();
        let sql = self.tasks_sql(&TaskSql(numbers), slices, &mut parameters);
        self.rows(&sql, &parameters, numbers.len(), |key, values| {
            // Without dimensions there is a row even of no tasks.
            if values.first().is_some_and(|tasks| *tasks != 0) {
                let tasks = &mut groups.entry(key).or_default().tasks;
                for (number, value) in numbers.iter().zip(values) {
                    tasks.set(*number, *value);
                }
            }
        })?;
        within_limit(groups)
    }

    /// SQL of the numbers of tasks: those of calls are added up, those of tasks are
    /// added up over the distinct cells.
    fn tasks_sql(
        &self,
        sql: &TaskSql<'_>,
        slices: &[Slice],
        parameters: &mut Vec<String>,
    ) -> String {
        let names = self.key_names();
        let outer = Self::group_sql(self.key_columns());
        let (rolled, events): (Vec<_>, Vec<_>) =
            slices.iter().partition(|slice| slice.table.is_some());
        let fresh = self.fresh_tasks_sql(sql, &events, parameters);
        if rolled.is_empty() && events.len() == 1 {
            return format!("SELECT {names}{} FROM ({fresh}) {outer}", sql.sums());
        }
        let mut from_rollup = |values: &str, group: &str| -> Vec<String> {
            let each = rolled.iter().map(|slice| {
                let keys = self.keys_sql(slice, parameters);
                let condition = self.where_sql(slice, parameters);
                format!("SELECT {keys}{values} FROM rollup_task WHERE {condition} {group}")
            });
            each.collect()
        };
        let mut parts = Vec::new();
        if sql.adds() {
            parts = from_rollup(&sql.added_of_rollup(), &outer);
        }
        let mut cells = from_rollup(&format!("cell, {}", sql.once_of_rollup()), "");
        let mut with = String::new();
        if !events.is_empty() {
            with = format!("WITH fresh AS MATERIALIZED ({fresh}) ");
            if sql.adds() {
                parts.push(format!("SELECT {names}{} FROM fresh", sql.added()));
            }
            cells.push(format!("SELECT {names}cell, {} FROM fresh", sql.once_names()));
        }
        parts.push(format!(
            "SELECT {names}{} FROM (SELECT DISTINCT * FROM ({}))",
            sql.once(),
            cells.join(" UNION ALL ")
        ));
        format!("{with}SELECT {names}{} FROM ({}) {outer}", sql.sums(), parts.join(" UNION ALL "))
    }

    /// SQL of single tasks from the events; each is a cell of its own.
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
            format!(
                "SELECT {names}task_key AS cell, {} FROM (SELECT {keys}task_key, {} \
                 FROM events WHERE {condition} AND {} {inner}) LEFT JOIN {} USING (task_key)",
                sql.of_events(),
                rollup::PART_SUMS,
                rollup::OF_TASK,
                rollup::RESULTS
            )
        });
        each.collect::<Vec<_>>().join(" UNION ALL ")
    }
}
