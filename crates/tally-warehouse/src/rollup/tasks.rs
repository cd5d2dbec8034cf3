//! The rollups of tasks, from which cost per successful task is answered.
//!
//! A number of tasks is not a sum over rows: a task counts once however many of its
//! calls match. So the unit of this rollup is the **cell**: a set of tasks whose calls
//! all lie in one local day and have the same combinations of dimensions. Whatever a
//! query groups by and filters on, either all tasks of a cell are in a group or none,
//! so a cell counts whole, once per group. A task with calls on several days is a cell
//! of its own, named by its key. Few tasks are; the others share a few hundred cells a day.
//! The finer the dimensions, the more cells: so what is asked about people has a rollup beside
//! the one that is asked about work.
//!
//! The parts of a rollup keep what each task adds to its cell. Therefore a rollup is, at
//! any time, exactly its parts joined with `task_results`: a result that comes later
//! changes its cells in the same transaction, and a call on a further day takes the task
//! out of the cell it shared.

use duckdb::Connection;

use super::{
    Content, Part, TABLES, Table,
    dirty::{changed, open_day},
    numbers::{self, values_sql},
};
use crate::{error::WarehouseError, query::Field};

/// What is asked about work.
pub(super) const OF_WORK: &[Field] = &[
    Field::Department,
    Field::Team,
    Field::CostCenter,
    Field::Workload,
    Field::WorkloadClass,
    Field::Application,
    Field::Environment,
    Field::Provider,
    Field::Model,
    Field::ModelFamily,
    Field::Tier,
    Field::TaskType,
    Field::ValueTag,
];

/// What is asked about people, their agents and what they work on; compared within a type of
/// task. What a person works with hardly makes more cells than their agent does.
pub(super) const OF_PEOPLE: &[Field] = &[
    Field::Person,
    Field::Team,
    Field::Department,
    Field::CostCenter,
    Field::Workload,
    Field::WorkloadClass,
    Field::Application,
    Field::UserAgent,
    Field::Environment,
    Field::TaskType,
];

/// The name of the rollup by work.
pub(crate) const TABLE: &str = "rollup_task";
/// The name of the rollup by people.
pub(crate) const TABLE_OF_PEOPLE: &str = "rollup_task_people";

/// SQL: the calls that belong to tasks.
pub(crate) const OF_TASK: &str = "task_key IS NOT NULL AND status <> 'refused'";

/// SQL: what calls add to their task. (The kinds are summed before they are added,
/// as 64 bits may not hold even two of them.)
pub(crate) const PART_SUMS: &str = "coalesce(sum(cost_list_usd), 0)::HUGEINT AS cost, \
     (sum(input_uncached) + sum(cache_read) + sum(cache_write_5m) + sum(cache_write_1h) \
     + sum(output))::HUGEINT AS tokens, count(*) FILTER (WHERE cost_list_usd IS NULL) AS unpriced";

/// SQL: what is known of each task's outcome.
pub(crate) const RESULTS: &str =
    "(SELECT task_key, result, escalated, value_usd, quality_bp FROM task_results)";

/// SQL: [`RESULTS`] of the tasks of the subquery `parts`. DuckDB takes a list for one row,
/// and so looks these few tasks up among all, not all among these.
pub(crate) const RESULTS_OF_FEW: &str = "(SELECT task_key, result, escalated, value_usd, quality_bp \
     FROM task_results WHERE task_key IN \
     (SELECT unnest(keys) FROM (SELECT list(task_key) AS keys FROM parts)))";

/// The columns besides bucket and dimensions, with their types.
pub(super) fn columns_sql() -> impl Iterator<Item = String> {
    let own = ["cell UBIGINT NOT NULL", "combination UBIGINT NOT NULL"];
    own.into_iter().map(str::to_owned).chain(numbers::create_sql())
}

/// The rollups of tasks.
fn tables() -> impl Iterator<Item = &'static Table> {
    TABLES.iter().filter(|table| table.content == Content::Tasks)
}

/// Empties the parts of all rollups of tasks.
///
/// # Errors
/// When DuckDB fails; the caller's transaction must then be rolled back.
pub(super) fn clear(connection: &Connection) -> Result<(), WarehouseError> {
    for table in tables() {
        connection.execute_batch(&format!("DELETE FROM {}", table.parts()))?;
    }
    Ok(())
}

/// Brings the rollups up to date with tasks whose results changed: those in the
/// temporary table `touched`.
///
/// # Errors
/// When DuckDB fails; the caller's transaction must then be rolled back.
pub(crate) fn results_changed(connection: &Connection) -> Result<(), WarehouseError> {
    for table in tables() {
        if table.find_cells(connection, "true")? {
            table.settle_cells(connection)?;
        }
    }
    Ok(())
}

/// Takes tasks out of the cells they share, because they have a new call: those in
/// the temporary table `touched`. The day of that call is dirty, so it is answered from
/// the events, and the parts of one task must be known as such.
///
/// # Errors
/// When DuckDB fails; the caller's transaction must then be rolled back.
pub(crate) fn tasks_go_on(connection: &Connection) -> Result<(), WarehouseError> {
    for table in tables() {
        if table.find_cells(connection, "cell <> task_key")? {
            table.part_ways(connection)?;
            table.settle_cells(connection)?;
        }
    }
    Ok(())
}

// === impl Table ===

impl Table {
    /// The table of what each task adds to its cell.
    pub(crate) fn parts(&self) -> String {
        format!("{}_parts", self.name)
    }

    /// SQL that creates the table of what each task adds to its cell.
    pub(super) fn create_parts_sql(&self) -> String {
        format!(
            "CREATE TABLE {} (bucket BIGINT NOT NULL, task_key UBIGINT NOT NULL, \
             cell UBIGINT NOT NULL, combination UBIGINT NOT NULL, cost HUGEINT NOT NULL, \
             tokens HUGEINT NOT NULL, unpriced BIGINT NOT NULL);",
            self.parts()
        )
    }

    /// Builds a local day's rows from its events; the old ones are gone already, but for
    /// their parts.
    ///
    /// # Errors
    /// When DuckDB fails; the caller's transaction must then be rolled back.
    pub(super) fn build_task_day(
        &self,
        connection: &Connection,
        part: &Part<'_>,
        day: i64,
    ) -> Result<(), WarehouseError> {
        let (name, parts) = (self.name, self.parts());
        let (fields, values) = (self.keys_sql(), values_sql());
        let (within, from, to) =
            (part.condition(), part.from.as_microsecond(), part.to.as_microsecond());
        connection.execute_batch(&format!(
            "DELETE FROM {parts} WHERE bucket = {day};
             CREATE OR REPLACE TEMP TABLE day_parts AS
               SELECT task_key, hash({fields}) AS combination, {fields}, {PART_SUMS} FROM events
               WHERE {within} AND {OF_TASK} GROUP BY task_key, {fields};
             CREATE OR REPLACE TEMP TABLE day_cells AS
               SELECT task_key, hash({day}, list(combination ORDER BY combination)) AS cell
               FROM day_parts GROUP BY task_key;
             UPDATE day_cells SET cell = task_key WHERE task_key IN (
               SELECT task_key FROM events WHERE (time_us < {from} OR time_us >= {to})
               AND task_key IN (SELECT task_key FROM day_parts));
             INSERT INTO {parts} SELECT {day}, task_key, cell, combination, cost, tokens, unpriced
               FROM day_parts JOIN day_cells USING (task_key);
             INSERT INTO {name} SELECT {day}, {fields}, cell, combination, {values}
               FROM day_parts JOIN day_cells USING (task_key)
               LEFT JOIN {RESULTS} USING (task_key)
               GROUP BY {fields}, cell, combination;
             DROP TABLE day_parts; DROP TABLE day_cells;"
        ))?;
        Ok(())
    }

    /// Lists the cells of touched tasks in the temporary table `changed_cells` and their rows'
    /// dimensions in `shapes`; whether there are any.
    fn find_cells(&self, connection: &Connection, condition: &str) -> Result<bool, WarehouseError> {
        let (name, parts) = (self.name, self.parts());
        connection.execute_batch(&format!(
            "CREATE OR REPLACE TEMP TABLE changed_cells AS SELECT DISTINCT bucket, cell \
               FROM {parts} WHERE {condition} AND task_key IN (SELECT task_key FROM touched)"
        ))?;
        let count: i64 =
            connection.query_row("SELECT count(*) FROM changed_cells", [], |row| row.get(0))?;
        if count == 0 {
            return Ok(false);
        }
        connection.execute_batch(&format!(
            "CREATE OR REPLACE TEMP TABLE shapes AS SELECT DISTINCT bucket, combination, {} \
               FROM {name} WHERE bucket IN (SELECT bucket FROM changed_cells) \
               AND cell IN (SELECT cell FROM changed_cells)",
            self.keys_sql()
        ))?;
        Ok(true)
    }

    /// Makes the touched tasks that shared a cell cells of their own.
    fn part_ways(&self, connection: &Connection) -> Result<(), WarehouseError> {
        let parts = self.parts();
        connection.execute_batch(&format!(
            "INSERT INTO changed_cells SELECT DISTINCT bucket, task_key FROM {parts} \
               WHERE cell <> task_key AND task_key IN (SELECT task_key FROM touched);
             UPDATE {parts} SET cell = task_key \
               WHERE cell <> task_key AND task_key IN (SELECT task_key FROM touched);"
        ))?;
        Ok(())
    }

    /// Sums the changed cells anew from their parts.
    fn settle_cells(&self, connection: &Connection) -> Result<(), WarehouseError> {
        let (name, parts) = (self.name, self.parts());
        let (fields, values) = (self.keys_sql(), values_sql());
        // The open day's rows are never kept, so a change of them alone is no new version.
        let open = open_day(connection)?.map_or(i64::MIN, |open| open.day);
        let sql = format!("SELECT count(*) FROM changed_cells WHERE bucket <> {open}");
        let closed: i64 = connection.query_row(&sql, [], |row| row.get(0))?;
        connection.execute_batch(&format!(
            "DELETE FROM {name} WHERE bucket IN (SELECT bucket FROM changed_cells) \
               AND (bucket, cell) IN (SELECT (bucket, cell) FROM changed_cells);
             INSERT INTO {name} SELECT bucket, {fields}, cell, combination, {values} FROM (
                 SELECT * FROM {parts} WHERE bucket IN (SELECT bucket FROM changed_cells) \
                   AND (bucket, cell) IN (SELECT (bucket, cell) FROM changed_cells))
               JOIN shapes USING (bucket, combination) LEFT JOIN {RESULTS} USING (task_key)
               GROUP BY bucket, {fields}, cell, combination;
             DROP TABLE changed_cells; DROP TABLE shapes;"
        ))?;
        if closed > 0 {
            changed(connection, name)?;
        }
        Ok(())
    }
}
