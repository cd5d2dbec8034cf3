//! What came after its month was closed.

use duckdb::Connection;
use tally_types::{CostCenterName, EventId, TeamName, WorkloadName};

use super::{id_of, name_of};
use crate::error::WarehouseError;

/// What was posted of a call, all postings together; amounts are picodollars.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posted {
    /// The call.
    pub event_id: EventId,
    /// The revision that it has now.
    pub revision: u32,
    /// Its time, in microseconds, as it is now.
    pub time_us: i64,
    /// The closed month that it was posted for.
    pub of_period: u32,
    /// Who answered for it.
    pub cost_center: Option<CostCenterName>,
    /// Whose people called.
    pub team: Option<TeamName>,
    /// For which work.
    pub workload: Option<WorkloadName>,
    /// At list price; none where there was none.
    pub list: Option<i64>,
    /// At the internal rate.
    pub amount: i64,
    /// What the cost center was charged.
    pub charged: i64,
    /// What was paid centrally.
    pub subsidised: i64,
    /// What nobody pays yet.
    pub unallocated: i64,
}

/// What was charged and paid centrally for a month's calls, in picodollars.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spent {
    /// The month.
    pub of_period: u32,
    /// Whose calls.
    pub cost_center: Option<CostCenterName>,
    /// What was charged.
    pub charged: i128,
    /// What was paid centrally.
    pub subsidised: i128,
}

/// SQL: calls between two times that no posting of an earlier month holds in their revision. What a closing that did
/// not end left in the month itself is none.
pub(super) fn unposted_sql(period: u32, from_us: i64, to_us: i64) -> String {
    format!(
        "time_us >= {from_us} AND time_us < {to_us} AND NOT EXISTS (SELECT 1 FROM postings p \
         WHERE p.event_id = events.event_id AND p.revision >= events.revision AND p.period < {period})"
    )
}

/// Only amended calls can be outdated, and of those there are few.
pub(super) fn outdated(
    connection: &Connection,
    period: u32,
    to_us: i64,
) -> Result<Vec<Posted>, WarehouseError> {
    let sql = "WITH amended AS (
           SELECT event_id, revision, time_us FROM events WHERE revision > 0 AND time_us < ?),
         posted AS (
           SELECT p.*, a.revision AS newest, a.time_us FROM postings p
           JOIN amended a ON a.event_id = p.event_id WHERE p.period < ?),
         stale AS (
           SELECT event_id FROM posted GROUP BY event_id HAVING max(revision) < any_value(newest))
         SELECT event_id::VARCHAR, any_value(newest), any_value(time_us), of_period, cost_center,
           team, workload, sum(list)::BIGINT, sum(amount)::BIGINT, sum(charged)::BIGINT,
           sum(subsidised)::BIGINT, sum(unallocated)::BIGINT
         FROM posted WHERE event_id IN (SELECT event_id FROM stale)
         GROUP BY event_id, of_period, cost_center, team, workload
         HAVING sum(amount) <> 0 OR coalesce(sum(list), 0) <> 0
         ORDER BY cost_center NULLS LAST, event_id, of_period, team, workload";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([to_us, i64::from(period)])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(Posted {
            event_id: id_of(&row.get::<_, String>(0)?)?,
            revision: row.get(1)?,
            time_us: row.get(2)?,
            of_period: row.get(3)?,
            cost_center: name_of(row.get(4)?)?,
            team: name_of(row.get(5)?)?,
            workload: name_of(row.get(6)?)?,
            list: row.get(7)?,
            amount: row.get(8)?,
            charged: row.get(9)?,
            subsidised: row.get(10)?,
            unallocated: row.get(11)?,
        });
    }
    Ok(found)
}

pub(super) fn spent_before(
    connection: &Connection,
    period: u32,
) -> Result<Vec<Spent>, WarehouseError> {
    let sql = "SELECT of_period, cost_center, sum(charged)::HUGEINT, sum(subsidised)::HUGEINT
               FROM postings WHERE period < ? AND event_id IS NOT NULL
               GROUP BY of_period, cost_center";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([period])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(Spent {
            of_period: row.get(0)?,
            cost_center: name_of(row.get(1)?)?,
            charged: row.get(2)?,
            subsidised: row.get(3)?,
        });
    }
    Ok(found)
}
