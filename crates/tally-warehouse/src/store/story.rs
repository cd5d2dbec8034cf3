//! What belongs together: the attempts of a call, the calls of a task, its outcome.

use duckdb::Connection;
use serde::Serialize;
use tally_types::{CallId, Outcome, PicoUsdSum, UsageEvent, WorkloadName};

use super::{batch, read};
use crate::{error::WarehouseError, schema};

/// The attempts of a call lie within this time of the call's id; later ones are looked
/// for only if there are none: a day, in microseconds.
const CALL_SPAN_US: i64 = 86_400_000_000;
/// More attempts of a call are not read.
const ATTEMPTS_MAX: usize = 1_000;

/// The calls of one task together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TaskSummary {
    /// Attempts sent to a provider; refused calls are not among them.
    pub calls: u64,
    /// All tokens, cached or not.
    pub tokens: u128,
    /// Their cost at list price, in US dollars.
    pub cost_list_usd: PicoUsdSum,
    /// How many of the calls have no known price, and so add nothing to the cost.
    pub unpriced: u64,
}

/// All attempts of a call, in the order of their time.
///
/// # Errors
/// When DuckDB fails or a stored value cannot be read.
pub(crate) fn call(connection: &Connection, id: CallId) -> Result<Vec<UsageEvent>, WarehouseError> {
    let is = format!("call_id = '{}'::UUID", id.0);
    let mut found = Vec::new();
    if id.0.get_version_num() == 7 {
        // The time in the id leaves a few row groups to look at.
        let us = i64::try_from(id.0.as_u128() >> 80).unwrap_or(i64::MAX).saturating_mul(1_000);
        let (from, to) = (us.saturating_sub(CALL_SPAN_US), us.saturating_add(CALL_SPAN_US));
        let near = format!("time_us BETWEEN {from} AND {to} AND {is}");
        found = read::events(connection, &near, &[], ATTEMPTS_MAX)?;
    }
    if found.is_empty() {
        found = read::events(connection, &is, &[], ATTEMPTS_MAX)?;
    }
    found.reverse();
    Ok(found)
}

/// The calls of a task; none when it has none.
///
/// # Errors
/// When DuckDB fails.
pub(crate) fn task(
    connection: &Connection,
    workload: Option<&WorkloadName>,
    task: &str,
) -> Result<Option<TaskSummary>, WarehouseError> {
    let key = batch::task_key(workload, task);
    let sql = format!(
        "SELECT count(*)::UBIGINT, \
           coalesce(sum(input_uncached) + sum(cache_read) + sum(cache_write_5m) \
             + sum(cache_write_1h) + sum(output), 0)::HUGEINT, \
           coalesce(sum(cost_list_usd), 0)::HUGEINT, \
           (count(*) FILTER (WHERE cost_list_usd IS NULL))::UBIGINT \
         FROM events WHERE task_key = {key} AND status <> 'refused'"
    );
    let summary = connection.query_row(&sql, [], |row| {
        Ok(TaskSummary {
            calls: row.get(0)?,
            tokens: row.get::<_, i128>(1)?.unsigned_abs(),
            cost_list_usd: PicoUsdSum::from_pico(row.get(2)?),
            unpriced: row.get(3)?,
        })
    })?;
    Ok(Some(summary).filter(|summary| summary.calls > 0))
}

/// What came of a task, by the latest report.
///
/// # Errors
/// When DuckDB fails or a stored value cannot be read.
pub(crate) fn outcome(
    connection: &Connection,
    workload: Option<&WorkloadName>,
    task: &str,
) -> Result<Option<Outcome>, WarehouseError> {
    let columns = schema::kept_outcomes();
    let key = batch::task_key(workload, task);
    let condition = format!("task_key = {key}");
    let mut found = read::rows(
        connection,
        &format!("SELECT {} FROM task_results WHERE {condition} LIMIT 1", read::select(&columns)),
        &[],
        &columns,
    )?;
    let Some(fields) = found.pop() else { return Ok(None) };
    serde_json::from_value(serde_json::Value::Object(fields))
        .map(Some)
        .map_err(|error| WarehouseError::Corrupt(format!("an outcome: {error}")))
}
