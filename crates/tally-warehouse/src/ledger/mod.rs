//! What the ledger keeps beside the events: postings, and the rows of closed statements.
//!
//! A month is written in batches under its number and counts only once the store holds its
//! seal: a month that was begun and not sealed is begun anew, a sealed one is never touched.

mod late;
pub(crate) mod packed;
mod stream;
mod tables;

use std::str::FromStr;

use duckdb::{Connection, OptionalExt as _, arrow::array::BinaryArray, params};
use tally_types::{CostCenterName, EventId, TeamName, UsageEvent, WorkloadName};
use uuid::Uuid;

use crate::{error::WarehouseError, store, warehouse::Warehouse};

pub use late::{Posted, Spent};
pub(crate) use stream::{Known, typed};
pub(crate) use tables::prepare;

/// Why a posting was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PostingEntry {
    /// A call of the month.
    Usage,
    /// A call of a closed month that came late, or again.
    Late,
    /// Takes back what was posted of a call that came again.
    Reversal,
    /// No call: idle capacity, shared cost, rounding.
    Overhead,
    /// No call: a difference from a provider's bill that was approved.
    Adjustment,
}

/// One balanced entry: what was metered, and the difference that the rate made, against who
/// pays. Amounts are picodollars.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posting {
    /// Why.
    pub entry: PostingEntry,
    /// The call, with the revision that was posted.
    pub event: Option<(EventId, u32)>,
    /// The month of the call, such as 202610.
    pub of_period: u32,
    /// Who answers for it.
    pub cost_center: Option<CostCenterName>,
    /// Whose people called.
    pub team: Option<TeamName>,
    /// For which work.
    pub workload: Option<WorkloadName>,
    /// At list price; none where there is none.
    pub list: Option<i64>,
    /// At the internal rate.
    pub amount: i64,
    /// What the cost center pays.
    pub charged: i64,
    /// What the central budget pays.
    pub subsidised: i64,
    /// What nobody pays yet.
    pub unallocated: i64,
}

/// Rows of a closed statement that follow each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptRows {
    /// Whose statement; none is what nobody answers for.
    pub cost_center: Option<CostCenterName>,
    /// The place of the first one in the statement.
    pub number: u64,
    /// The rows as JSON, each with a line's end. They are kept compressed.
    pub lines: String,
}

/// The sums of a month's postings, in picodollars.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PostedSum {
    /// How many.
    pub postings: u64,
    /// At list price.
    pub list: i128,
    /// At the internal rate.
    pub amount: i128,
    /// What cost centers pay.
    pub charged: i128,
    /// What the central budget pays.
    pub subsidised: i128,
    /// What nobody pays yet.
    pub unallocated: i128,
}

// === impl Posting ===

impl Posting {
    /// Whether who pays makes up the whole amount. (The amount is by its definition the list
    /// price and the rate's difference from it.)
    pub fn is_balanced(&self) -> bool {
        let sum = self.charged.checked_add(self.subsidised);
        sum.and_then(|sum| sum.checked_add(self.unallocated)) == Some(self.amount)
    }
}

// === impl PostingEntry ===

impl PostingEntry {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Usage => "usage",
            Self::Late => "late",
            Self::Reversal => "reversal",
            Self::Overhead => "overhead",
            Self::Adjustment => "adjustment",
        }
    }
}

// === impl Warehouse ===

impl Warehouse {
    /// Hands over the calls of a stretch of time (microseconds), cost center by cost center
    /// and in the order of their time; those that were refused are none. Only what the ledger
    /// needs of them is there. Memory does not grow with their number.
    ///
    /// # Errors
    /// When DuckDB fails or a stored value cannot be read, or what `take` says.
    pub fn metered<E: From<WarehouseError>>(
        &self,
        from_us: i64,
        to_us: i64,
        take: &mut dyn FnMut(&UsageEvent) -> Result<(), E>,
    ) -> Result<(), E> {
        let condition = format!("time_us >= {from_us} AND time_us < {to_us}");
        self.read_ledger(|connection| stream::stream(connection, &condition, take))
    }

    /// Calls of closed months, from one time to another, which no month before `period` has
    /// posted in this revision.
    ///
    /// # Errors
    /// As [`metered`](Self::metered).
    pub fn unposted<E: From<WarehouseError>>(
        &self,
        period: u32,
        (from_us, to_us): (i64, i64),
        take: &mut dyn FnMut(&UsageEvent) -> Result<(), E>,
    ) -> Result<(), E> {
        let condition = late::unposted_sql(period, from_us, to_us);
        self.read_ledger(|connection| stream::stream(connection, &condition, take))
    }

    /// What was posted of calls that have come again in a higher revision, by who answered
    /// for it; of times before `to_us`.
    ///
    /// # Errors
    /// When DuckDB fails.
    pub fn outdated(&self, period: u32, to_us: i64) -> Result<Vec<Posted>, WarehouseError> {
        self.read(|connection, _| late::outdated(connection, period, to_us))
    }

    /// What was charged and paid centrally for the calls of each closed month before a
    /// period, by cost center.
    ///
    /// # Errors
    /// When DuckDB fails.
    pub fn spent_before(&self, period: u32) -> Result<Vec<Spent>, WarehouseError> {
        self.read(|connection, _| late::spent_before(connection, period))
    }

    /// Forgets what an attempt to close a month left. Never call it for a sealed one.
    ///
    /// # Errors
    /// When DuckDB fails.
    pub fn forget_unsealed(&self, period: u32) -> Result<(), WarehouseError> {
        self.in_transaction(|connection, _| {
            connection.execute("DELETE FROM postings WHERE period = ?", [period])?;
            connection.execute("DELETE FROM sealed_rows WHERE period = ?", [period])?;
            Ok(())
        })
    }

    /// Appends postings and rows of a month, all or none.
    ///
    /// # Errors
    /// When DuckDB fails.
    pub fn post(
        &self,
        period: u32,
        postings: &[Posting],
        rows: &[KeptRows],
    ) -> Result<(), WarehouseError> {
        self.in_transaction(|connection, _| {
            store::append_postings(connection, period, postings)?;
            store::append_rows(connection, period, rows)
        })
    }

    /// Hands over the rows of a month's statements in their order, each as JSON; of one statement
    /// where it is named (the empty text is the one without a cost center).
    ///
    /// # Errors
    /// When DuckDB fails, or what `take` says.
    pub fn kept_rows<E: From<WarehouseError>>(
        &self,
        period: u32,
        cost_center: Option<&str>,
        take: TakeRow<'_, E>,
    ) -> Result<(), E> {
        self.read_ledger(|connection| kept_rows(connection, period, cost_center, take))
    }

    /// The sums of a month's postings.
    ///
    /// # Errors
    /// When DuckDB fails.
    pub fn posted_sum(&self, period: u32) -> Result<PostedSum, WarehouseError> {
        self.read(|connection, _| {
            let sum = |column: &str| format!("coalesce(sum({column}), 0)::HUGEINT");
            let sql = format!(
                "SELECT count(*), {}, {}, {}, {}, {} FROM postings WHERE period = ?",
                sum("list"),
                sum("amount"),
                sum("charged"),
                sum("subsidised"),
                sum("unallocated")
            );
            Ok(connection.query_row(&sql, [period], |row| {
                Ok(PostedSum {
                    postings: row.get(0)?,
                    list: row.get(1)?,
                    amount: row.get(2)?,
                    charged: row.get(3)?,
                    subsidised: row.get(4)?,
                    unallocated: row.get(5)?,
                })
            })?)
        })
    }

    /// The first and the last call there is, in microseconds; none in an empty warehouse.
    ///
    /// # Errors
    /// When DuckDB fails.
    pub fn span_us(&self) -> Result<Option<(i64, i64)>, WarehouseError> {
        self.read(|connection, _| {
            let sql = "SELECT min(time_us), max(time_us) FROM events";
            let span = connection.query_row(sql, [], |row| {
                Ok(row.get::<_, Option<i64>>(0)?.zip(row.get::<_, Option<i64>>(1)?))
            });
            Ok(span.optional()?.flatten())
        })
    }

    /// Reads with errors of the caller's own.
    fn read_ledger<E: From<WarehouseError>>(
        &self,
        work: impl FnOnce(&Connection) -> Result<(), E>,
    ) -> Result<(), E> {
        // What the caller says is carried past DuckDB's own errors.
        let mut said = Ok(());
        self.read(|connection, _| {
            said = work(connection);
            Ok::<_, duckdb::Error>(())
        })
        .map_err(|error| E::from(WarehouseError::from(error)))?;
        said
    }
}

/// Takes a kept row: whose statement it is on (none is the one without a cost center), and its JSON.
pub type TakeRow<'a, E> = &'a mut dyn FnMut(Option<&str>, &str) -> Result<(), E>;

fn kept_rows<E: From<WarehouseError>>(
    connection: &Connection,
    period: u32,
    cost_center: Option<&str>,
    take: TakeRow<'_, E>,
) -> Result<(), E> {
    let failed = |error: duckdb::Error| E::from(WarehouseError::from(error));
    // One after the other, so that no more than one statement's rows are sorted at once.
    let statements = statements_of(connection, period).map_err(failed)?;
    // The empty text is no name, so it can stand for the statement without one.
    let wanted = |name: &&Option<String>| {
        cost_center.is_none_or(|wanted| name.as_deref().unwrap_or_default() == wanted)
    };
    let sql = "SELECT lines FROM sealed_rows WHERE period = ? \
               AND cost_center IS NOT DISTINCT FROM ? ORDER BY number";
    let mut statement = connection.prepare(sql).map_err(failed)?;
    for name in statements.iter().filter(wanted) {
        for batch in statement.stream_arrow(params![period, name]).map_err(failed)? {
            let pieces: &BinaryArray = typed(&batch, 0)?;
            for piece in pieces.iter().flatten() {
                let lines = packed::unpacked(piece)?;
                lines.lines().try_for_each(|json| take(name.as_deref(), json))?;
            }
        }
    }
    Ok(())
}

/// Whose statements a month has, in their order.
fn statements_of(
    connection: &Connection,
    period: u32,
) -> Result<Vec<Option<String>>, duckdb::Error> {
    let sql = "SELECT DISTINCT cost_center FROM sealed_rows WHERE period = ? \
               ORDER BY cost_center NULLS LAST";
    connection.prepare(sql)?.query_map([period], |row| row.get(0))?.collect()
}

/// A name of something, as it was posted.
fn name_of<T: FromStr>(text: Option<String>) -> Result<Option<T>, WarehouseError> {
    let parsed = |text: String| {
        text.parse().map_err(|_| WarehouseError::Corrupt(format!("`{text}` of a posting")))
    };
    text.map(parsed).transpose()
}

/// An id out of the sixteen bytes of a column.
pub(crate) fn id_of(text: &str) -> Result<EventId, WarehouseError> {
    Uuid::parse_str(text)
        .map(EventId)
        .map_err(|error| WarehouseError::Corrupt(format!("an id of a posting: {error}")))
}
