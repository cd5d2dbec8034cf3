//! One batch, one transaction: rows, the dirty buckets and the node's last sequence.

use std::collections::{HashMap, HashSet, hash_map::Entry};

use duckdb::{Connection, OptionalExt, params};
use tally_types::{NodeId, Outcome, Record, UsageEvent};
use uuid::Uuid;

use super::{
    batch::{self, Row},
    existing::{self, Target},
};
use crate::{error::WarehouseError, rollup, schema, zone::Calendar};

const EVENTS: Target = Target { table: "events", id: "event_id", keys: "event_keys" };
const OUTCOMES: Target = Target { table: "outcomes", id: "outcome_id", keys: "outcome_keys" };

/// What a batch did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WriteReport {
    /// Records stored for the first time.
    pub new: u64,
    /// Records that replaced a lower revision.
    pub amended: u64,
    /// Records that were there already, in the same or a higher revision.
    pub duplicates: u64,
    /// Records at or below the node's last sequence: shipped before.
    pub skipped: u64,
    /// The node's last sequence now.
    pub last_sequence: u64,
}

/// The last sequence stored for a node; 0 before its first batch.
///
/// # Errors
/// When DuckDB fails.
pub(crate) fn last_sequence(connection: &Connection, node: NodeId) -> Result<u64, WarehouseError> {
    let stored = connection
        .query_row("SELECT sequence FROM nodes WHERE node = ?::UUID", [node.to_string()], |row| {
            row.get(0)
        })
        .optional()?;
    Ok(stored.unwrap_or(0))
}

/// Writes a batch inside the caller's transaction.
///
/// # Errors
/// When DuckDB fails; the caller's transaction must then be rolled back.
pub(crate) fn write(
    connection: &Connection,
    calendar: &Calendar,
    node: NodeId,
    records: &[(u64, Record)],
) -> Result<WriteReport, WarehouseError> {
    let last = last_sequence(connection, node)?;
    let mut report = WriteReport { last_sequence: last, ..WriteReport::default() };
    let mut events = Newest::default();
    let mut outcomes = Newest::default();
    for (sequence, record) in records {
        if *sequence <= last {
            report.skipped += 1;
            continue;
        }
        report.last_sequence = report.last_sequence.max(*sequence);
        match record {
            Record::Usage(event) => events.offer(&**event),
            Record::Outcome(outcome) => outcomes.offer(outcome),
        }
    }
    report.duplicates += events.dropped + outcomes.dropped;
    write_events(connection, calendar, &events.rows(), &mut report)?;
    write_outcomes(connection, &outcomes.rows(), &mut report)?;
    if report.last_sequence > last {
        let node = node.to_string();
        connection.execute("DELETE FROM nodes WHERE node = ?::UUID", [&node])?;
        connection.execute(
            "INSERT INTO nodes VALUES (?::UUID, ?)",
            params![node, report.last_sequence],
        )?;
    }
    Ok(report)
}

/// Of each id in a batch, the highest revision; of the same revision, the first.
struct Newest<'a, R> {
    by_id: HashMap<Uuid, usize>,
    rows: Vec<&'a R>,
    dropped: u64,
}

impl<R> Default for Newest<'_, R> {
    fn default() -> Self {
        Self { by_id: HashMap::new(), rows: Vec::new(), dropped: 0 }
    }
}

impl<'a, R: Row> Newest<'a, R> {
    fn offer(&mut self, row: &'a R) {
        match self.by_id.entry(row.id()) {
            Entry::Vacant(vacant) => {
                vacant.insert(self.rows.len());
                self.rows.push(row);
            }
            Entry::Occupied(occupied) => {
                self.dropped += 1;
                if let Some(kept) = self.rows.get_mut(*occupied.get())
                    && kept.revision() < row.revision()
                {
                    *kept = row;
                }
            }
        }
    }

    fn rows(&self) -> Vec<&'a R> {
        self.rows.clone()
    }
}

/// What is left to write once the stored rows are known.
struct Accepted<'a, R> {
    rows: Vec<&'a R>,
    /// Ids whose stored row is replaced.
    replaced: Vec<Uuid>,
    /// Their stored times.
    left: Vec<i64>,
}

fn accept<'a, R: Row>(
    connection: &Connection,
    target: Target,
    rows: &[&'a R],
    report: &mut WriteReport,
) -> Result<Accepted<'a, R>, WarehouseError> {
    let stored = existing::find(connection, target, rows)?;
    let mut accepted =
        Accepted { rows: Vec::with_capacity(rows.len()), replaced: Vec::new(), left: Vec::new() };
    for row in rows {
        match stored.get(&row.id()) {
            None => report.new += 1,
            Some(old) if old.revision < row.revision() => {
                report.amended += 1;
                accepted.replaced.push(row.id());
                accepted.left.push(old.time_us);
            }
            Some(_) => {
                report.duplicates += 1;
                continue;
            }
        }
        accepted.rows.push(*row);
    }
    Ok(accepted)
}

fn write_events(
    connection: &Connection,
    calendar: &Calendar,
    rows: &[&UsageEvent],
    report: &mut WriteReport,
) -> Result<(), WarehouseError> {
    if rows.is_empty() {
        return Ok(());
    }
    let accepted = accept(connection, EVENTS, rows, report)?;
    let left = accepted.left.iter();
    if let (Some(first), Some(last)) = (left.clone().min(), left.max()) {
        batch::load_ids(connection, "replaced", accepted.replaced.iter().copied())?;
        connection.execute_batch(&format!(
            "DELETE FROM events WHERE time_us BETWEEN {first} AND {last} \
             AND event_id IN (SELECT id FROM replaced)"
        ))?;
    }
    if accepted.rows.is_empty() {
        return Ok(());
    }
    batch::append(connection, EVENTS.table, &accepted.rows)?;
    let tasks = accepted.rows.iter().filter_map(|event| batch::task_key_of(event)).collect();
    go_on(connection, &tasks)?;
    let times = accepted.rows.iter().map(|row| row.time_us());
    rollup::mark(connection, calendar, times.chain(accepted.left.iter().copied()))
}

/// Tells the rollup of tasks which of them have a new call.
fn go_on(connection: &Connection, tasks: &HashSet<u64>) -> Result<(), WarehouseError> {
    if tasks.is_empty() {
        return Ok(());
    }
    connection.execute_batch("CREATE OR REPLACE TEMP TABLE touched (task_key UBIGINT)")?;
    let touched = connection.appender_to_catalog_and_db("touched", "temp", "main")?;
    batch::append_keys(touched, tasks.iter().copied())?;
    rollup::tasks_go_on(connection)
}

fn write_outcomes(
    connection: &Connection,
    rows: &[&Outcome],
    report: &mut WriteReport,
) -> Result<(), WarehouseError> {
    if rows.is_empty() {
        return Ok(());
    }
    let accepted = accept(connection, OUTCOMES, rows, report)?;
    if accepted.rows.is_empty() {
        return Ok(());
    }
    batch::load_ids(connection, "replaced", accepted.replaced.iter().copied())?;
    let names = schema::names_sql(schema::OUTCOMES);
    let reporter = schema::names_sql(schema::REPORTER);
    // An amendment may name another task: the task it leaves is settled anew, too.
    connection.execute_batch(
        "CREATE OR REPLACE TEMP TABLE touched AS SELECT DISTINCT task_key FROM outcomes \
           WHERE outcome_id IN (SELECT id FROM replaced);
         DELETE FROM outcomes WHERE outcome_id IN (SELECT id FROM replaced);",
    )?;
    batch::append(connection, OUTCOMES.table, &accepted.rows)?;
    let written = accepted.rows.iter().map(|row| row.outcome_id.0);
    batch::load_ids(connection, "written", written)?;
    // Of several outcomes of a task, the latest counts.
    connection.execute_batch(&format!(
        "INSERT INTO touched SELECT DISTINCT task_key FROM outcomes \
           WHERE outcome_id IN (SELECT id FROM written);
         DELETE FROM task_results WHERE task_key IN (SELECT task_key FROM touched);
         INSERT INTO task_results SELECT DISTINCT ON (task_key) {names}, task_key, {reporter} FROM outcomes \
           WHERE task_key IN (SELECT task_key FROM touched) \
           ORDER BY task_key, time_us DESC, outcome_id DESC;"
    ))?;
    rollup::results_changed(connection)
}
