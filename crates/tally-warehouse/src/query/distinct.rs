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

    /// Sets the sums over the tasks of each group.
    pub(super) fn tasks(
        &self,
        numbers: &[TaskNumber],
        slices: &[Slice],
        groups: &mut Groups,
    ) -> Result<(), QueryError> {
        let sql = TaskSql(numbers);
        let mut parameters = Vec::new();
        let names = self.key_names();
        let columns = self.key_columns();
        let (inner, outer) = (Self::group_sql(columns + 1), Self::group_sql(columns));
        let parts: Vec<_> = slices
            .iter()
            .map(|slice| {
                let keys = self.keys_sql(slice, &mut parameters);
                let condition = self.where_sql(slice, &mut parameters);
                match slice.table {
                    Some(table) => format!(
                        "SELECT {keys}cell, {} FROM {} WHERE {condition}",
                        sql.of_rollup(),
                        table.name
                    ),
                    None => format!(
                        "SELECT {names}task_key AS cell, {} FROM (SELECT {keys}task_key, {} \
                         FROM events WHERE {condition} AND {} {inner}) \
                         LEFT JOIN {} USING (task_key)",
                        sql.of_events(),
                        rollup::PART_SUMS,
                        rollup::OF_TASK,
                        rollup::RESULTS
                    ),
                }
            })
            .collect();
        let sql = format!(
            "SELECT {names}{} FROM (SELECT {names}cell, {} FROM ({}) {inner}) {outer}",
            sql.of_group(),
            sql.of_cell(),
            parts.join(" UNION ALL ")
        );
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
}
