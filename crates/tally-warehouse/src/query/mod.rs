//! The metrics layer: what can be asked, and how it is answered.

mod accumulate;
mod answer;
mod buckets;
mod cache;
mod dimension;
mod distinct;
mod filter;
mod matches;
mod measure;
mod range;
mod ranked;
mod result;
mod run;
mod side;
mod slices;
mod value;

pub use dimension::{Dimension, DimensionInfo, Field, dimensions};
pub use filter::{Filter, FilterOp};
pub use measure::{Measure, MeasureInfo, Unit, measures};
pub use range::{Compare, NamedRange, Range, ResolvedRange};
pub use result::{AnswerSource, Cell, Column, ColumnKind, QueryResult, to_csv};

pub(crate) use answer::{Context, answer};
pub(crate) use cache::Cache;
pub use filter::validate as validate_filters;
pub(crate) use filter::where_sql;
pub(crate) use result::{harmless, push_line, quoted};

use std::collections::HashSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tally_types::CalendarUnit;

use crate::error::QueryError;

/// Measures per query.
pub const MEASURES_MAX: usize = 16;
/// Dimensions per query.
pub const DIMENSIONS_MAX: usize = 6;
/// Rows per answer.
pub const ROWS_MAX: usize = 10_000;
/// Filters per query, and values per filter.
pub const FILTERS_MAX: usize = 1_000;

const ROWS_DEFAULT: usize = 1_000;
/// The name under which a query is ordered by time.
const TIME: &str = "time";

/// A question to the metrics layer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Query {
    /// What to compute: 1 to 16.
    pub measures: Vec<Measure>,
    /// What to split by: up to 6.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dimensions: Vec<Dimension>,
    /// Which calls to count; all must match.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub filters: Vec<Filter>,
    /// Over which time.
    pub range: Range,
    /// In which steps of time; without one, the whole range is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grain: Option<Grain>,
    /// Beside which other time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compare: Option<Compare>,
    /// In which order; by default time, else the first measure, largest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub order: Vec<OrderBy>,
    /// How many rows at most; by default 1,000, up to 10,000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
    /// How many rows to leave out first.
    #[serde(default)]
    pub offset: usize,
}

/// A step of time, in the organisation's zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Grain {
    /// 15 minutes.
    QuarterHour,
    /// 60 minutes, from the full local hour.
    Hour,
    /// Midnight to midnight.
    Day,
    /// From the organisation's first day of the week.
    Week,
    /// From the first.
    Month,
    /// January, April, July, October.
    Quarter,
    /// From 1 January.
    Year,
}

/// One criterion of the order of rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OrderBy {
    /// A measure or dimension of the query, or `time`.
    pub by: String,
    /// Largest first.
    #[serde(default)]
    pub desc: bool,
}

// === impl Query ===

impl Query {
    /// A query of these measures over a range, with nothing else set.
    pub fn new(measures: Vec<Measure>, range: Range) -> Self {
        Self {
            measures,
            dimensions: Vec::new(),
            filters: Vec::new(),
            range,
            grain: None,
            compare: None,
            order: Vec::new(),
            limit: None,
            offset: 0,
        }
    }

    /// Rows per answer.
    pub(crate) fn rows(&self) -> usize {
        self.limit.unwrap_or(ROWS_DEFAULT)
    }

    /// Checks what the types cannot.
    ///
    /// # Errors
    /// With a sentence on what is wrong and what was expected.
    pub fn validate(&self) -> Result<(), QueryError> {
        let count = self.measures.len();
        if count == 0 || count > MEASURES_MAX {
            return invalid(format!("a query needs 1 to {MEASURES_MAX} measures, got {count}"));
        }
        if self.dimensions.len() > DIMENSIONS_MAX {
            let count = self.dimensions.len();
            return invalid(format!(
                "a query takes up to {DIMENSIONS_MAX} dimensions, got {count}"
            ));
        }
        let mut seen = HashSet::new();
        let names = self.measures.iter().map(ToString::to_string);
        for name in names.chain(self.dimensions.iter().map(ToString::to_string)) {
            if !seen.insert(name.clone()) {
                return invalid(format!("`{name}` is asked for twice"));
            }
        }
        if self.rows() == 0 || self.rows() > ROWS_MAX {
            return invalid(format!("`limit` is 1 to {ROWS_MAX}, got {}", self.rows()));
        }
        self.validate_order(&seen)?;
        filter::validate(&self.filters)
    }

    fn validate_order(&self, columns: &HashSet<String>) -> Result<(), QueryError> {
        for order in &self.order {
            let is_time = order.by == TIME && self.grain.is_some();
            if !is_time && !columns.contains(&order.by) {
                let mut known: Vec<_> = columns.iter().map(String::as_str).collect();
                known.sort_unstable();
                return invalid(format!(
                    "cannot order by `{}`: expected `time` (with a grain) or one of the query's own columns: {}",
                    order.by,
                    known.join(", ")
                ));
            }
        }
        Ok(())
    }
}

// === impl Grain ===

impl Grain {
    /// The calendar period, unless it is shorter than a day.
    pub(crate) fn unit(self) -> Option<CalendarUnit> {
        match self {
            Self::QuarterHour | Self::Hour => None,
            Self::Day => Some(CalendarUnit::Day),
            Self::Week => Some(CalendarUnit::Week),
            Self::Month => Some(CalendarUnit::Month),
            Self::Quarter => Some(CalendarUnit::Quarter),
            Self::Year => Some(CalendarUnit::Year),
        }
    }
}

pub(crate) fn invalid<T>(message: String) -> Result<T, QueryError> {
    Err(QueryError::Invalid(message))
}

/// The message for an unknown name: the nearest ones, then all.
fn suggest<'a>(what: &str, text: &str, known: impl Iterator<Item = &'a str>) -> String {
    let shown: String = text.chars().take(64).collect();
    let mut ranked: Vec<_> = known.map(|name| (strsim::jaro_winkler(name, &shown), name)).collect();
    ranked.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    let near: Vec<_> =
        ranked.iter().filter(|(score, _)| *score > 0.8).take(3).map(|(_, name)| *name).collect();
    if near.is_empty() {
        let all: Vec<_> = ranked.iter().map(|(_, name)| *name).collect();
        return format!("unknown {what} `{shown}`; expected one of {}", all.join(", "));
    }
    format!("unknown {what} `{shown}`; did you mean {}?", near.join(", "))
}
