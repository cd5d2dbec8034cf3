//! Usage events and outcomes on DuckDB, rollups of them, and the metrics layer:
//! the one place that turns calls into numbers.
//!
//! Invariants:
//! - A record counts once: by node and sequence, and by id and revision.
//! - Rollups and events give the same answer; everything summed is an integer.
//! - No text from outside enters SQL other than as a bound parameter.
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

mod error;
mod events_csv;
mod events_parquet;
mod facts;
mod forget;
mod histogram;
mod ledger;
mod lookup;
mod overwrite;
pub mod query;
mod rollup;
mod schema;
mod store;
pub mod synthetic;
mod tasks;
mod warehouse;
mod zone;

pub use error::{QueryError, WarehouseError};
pub use events_csv::{EVENT_COLUMNS, csv_cell, events_to_csv};
pub use forget::{Forget, Waiting};
pub use histogram::PERCENTILE_ERROR;
pub use ledger::{KeptRows, Posted, PostedSum, Posting, PostingEntry, Spent, TakeRow};
pub use lookup::{EVENTS_MAX, EventCursor, EventFilter};
pub use query::{
    AnswerSource, Cell, Column, ColumnKind, Compare, Dimension, DimensionInfo, FILTERS_MAX, Field,
    Filter, FilterOp, Grain, Measure, MeasureInfo, NamedRange, OrderBy, Query, QueryResult,
    ROWS_MAX, Range, ResolvedRange, Unit, dimensions, measures, to_csv, validate_filters,
};
pub use store::{TaskSummary, WriteReport};
pub use warehouse::{Options, Warehouse};
