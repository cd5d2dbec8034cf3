//! Single records of the warehouse: the calls behind any number, and what belongs to a call.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tally_types::{CallId, EventId, Outcome, UsageEvent, WorkloadName};

use crate::{
    error::{QueryError, WarehouseError},
    query::{self, Filter, Range, invalid},
    store::{self, TaskSummary},
    warehouse::Warehouse,
};

/// Events per page of [`Warehouse::events`].
pub const EVENTS_MAX: usize = 1_000;

/// Which events to list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EventFilter {
    /// Over which time.
    pub range: Range,
    /// All must match.
    #[serde(default)]
    pub filters: Vec<Filter>,
    /// Only events older than this one: the last of the page before.
    #[serde(default)]
    pub after: Option<EventCursor>,
    /// How many: 1 to 1,000.
    pub limit: usize,
}

/// Where a page of events ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EventCursor {
    /// The last event's time.
    pub time: Timestamp,
    /// The last event's id.
    pub event_id: EventId,
}

// === impl Warehouse ===

impl Warehouse {
    /// One event, in its newest revision.
    ///
    /// # Errors
    /// When DuckDB fails or a stored value cannot be read.
    pub fn event(&self, id: EventId) -> Result<Option<UsageEvent>, WarehouseError> {
        self.read(|connection, _| store::event(connection, id))
    }

    /// All attempts of a call, in the order of their time; at most 1,000.
    ///
    /// # Errors
    /// When DuckDB fails or a stored value cannot be read.
    pub fn call(&self, id: CallId) -> Result<Vec<UsageEvent>, WarehouseError> {
        self.read(|connection, _| store::call(connection, id))
    }

    /// The calls of a task, summed up; none when it has none. A task without a workload
    /// is a person's own.
    ///
    /// # Errors
    /// When DuckDB fails.
    pub fn task(
        &self,
        workload: Option<&WorkloadName>,
        task_id: &str,
    ) -> Result<Option<TaskSummary>, WarehouseError> {
        self.read(|connection, _| store::task(connection, workload, task_id))
    }

    /// What came of a task, by the latest report about it.
    ///
    /// # Errors
    /// When DuckDB fails or a stored value cannot be read.
    pub fn outcome(
        &self,
        workload: Option<&WorkloadName>,
        task_id: &str,
    ) -> Result<Option<Outcome>, WarehouseError> {
        self.read(|connection, _| store::outcome(connection, workload, task_id))
    }

    /// The newest events that match, newest first.
    ///
    /// # Errors
    /// When the filter is wrong, DuckDB fails or a stored value cannot be read.
    pub fn events(
        &self,
        filter: &EventFilter,
        now: Timestamp,
    ) -> Result<Vec<UsageEvent>, QueryError> {
        if filter.limit == 0 || filter.limit > EVENTS_MAX {
            return invalid(format!("`limit` is 1 to {EVENTS_MAX}, got {}", filter.limit));
        }
        query::validate_filters(&filter.filters)?;
        self.read(|connection, calendar| {
            let range = filter.range.resolve(now, calendar)?;
            let mut parameters = Vec::new();
            let mut condition = format!(
                "time_us >= {} AND time_us < {} AND {}",
                range.from.as_microsecond(),
                range.to.as_microsecond(),
                query::where_sql(&filter.filters, &mut parameters)
            );
            if let Some(EventCursor { time, event_id }) = filter.after {
                let us = time.as_microsecond();
                condition.push_str(&format!(
                    " AND (time_us < {us} OR (time_us = {us} AND event_id < '{event_id}'::UUID))"
                ));
            }
            Ok(store::events(connection, &condition, &parameters, filter.limit)?)
        })
    }
}
