//! What an answer looks like.

use std::{borrow::Cow, cmp::Ordering, fmt::Write as _};

use jiff::Timestamp;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};
use tally_types::PicoUsdSum;

use super::{ResolvedRange, Unit};

/// How a dimension that is not known is shown.
pub(crate) const UNATTRIBUTED: &str = "unattributed";

/// An answer of the metrics layer.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct QueryResult {
    /// What each cell of a row is.
    pub columns: Vec<Column>,
    /// The groups, in the order asked for.
    pub rows: Vec<Vec<Cell>>,
    /// The same columns over all calls that match, so that tables reconcile;
    /// null where the column is a dimension or the time.
    pub total: Vec<Cell>,
    /// The range used.
    pub range: ResolvedRange,
    /// The range compared with, if any.
    pub compared_range: Option<ResolvedRange>,
    /// What it was answered from.
    pub source: AnswerSource,
    /// How many groups there are, shown or not.
    pub groups: usize,
    /// Whether there are more rows than shown.
    pub truncated: bool,
    /// What to know before trusting the numbers.
    pub warnings: Vec<String>,
    /// The bucket that is still going on.
    pub partial_bucket: Option<Timestamp>,
    /// The zone of the calendar, such as `Europe/Berlin`.
    pub time_zone: String,
}

/// What the cells of a column are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Column {
    /// The dimension or measure, `time`, or the measure with `_compared`.
    pub name: String,
    /// The heading.
    pub label: String,
    /// What kind of column it is.
    pub kind: ColumnKind,
    /// The unit of numbers.
    pub unit: Option<Unit>,
}

/// What kind of column it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ColumnKind {
    /// What the answer is split by.
    Dimension,
    /// When the bucket starts.
    Time,
    /// A number.
    Measure,
    /// The same number in the compared range.
    Compare,
}

/// What an answer was computed from; all give the same numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AnswerSource {
    /// Rollups of local days, with finer ones at the edges of the range.
    RollupDay,
    /// Rollups of quarter-hours.
    Rollup,
    /// The events, at least for some of the measures.
    Events,
}

/// One value of an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// Not defined, such as a rate of no calls.
    Null,
    /// A dimension's value.
    Text(String),
    /// When a bucket starts.
    Time(Timestamp),
    /// A number of things.
    Count(i128),
    /// Money; a decimal string in JSON.
    Money(PicoUsdSum),
    /// A rate, a duration, a mean.
    Number(f64),
}

// === impl Cell ===

impl Cell {
    /// Order of two cells of one column; what is not defined comes last either way.
    pub(crate) fn compare(&self, other: &Self, desc: bool) -> Ordering {
        let order = match (self, other) {
            (Self::Null, Self::Null) => return Ordering::Equal,
            (Self::Null, _) => return Ordering::Greater,
            (_, Self::Null) => return Ordering::Less,
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (Self::Time(a), Self::Time(b)) => a.cmp(b),
            (Self::Count(a), Self::Count(b)) => a.cmp(b),
            (Self::Money(a), Self::Money(b)) => a.cmp(b),
            (Self::Number(a), Self::Number(b)) => a.total_cmp(b),
            _ => Ordering::Equal,
        };
        if desc { order.reverse() } else { order }
    }

    fn csv(&self) -> String {
        match self {
            Self::Null => String::new(),
            Self::Text(text) => quoted(&harmless(text)),
            Self::Time(time) => time.to_string(),
            Self::Count(count) => count.to_string(),
            Self::Money(amount) => amount.to_string(),
            Self::Number(number) => number.to_string(),
        }
    }
}

impl Serialize for Cell {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Time(time) => time.serialize(serializer),
            // JSON numbers beyond 64 bits are refused by many readers.
            Self::Count(count) => match i64::try_from(*count) {
                Ok(count) => serializer.serialize_i64(count),
                Err(_) => serializer.collect_str(count),
            },
            Self::Money(amount) => amount.serialize(serializer),
            Self::Number(number) => serializer.serialize_f64(*number),
        }
    }
}

impl JsonSchema for Cell {
    fn schema_name() -> Cow<'static, str> {
        "Cell".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Text for dimensions, times and money (US dollars as a decimal string), a number otherwise, null where not defined",
            "type": ["string", "number", "null"],
        })
    }
}

/// An answer as CSV (RFC 4180): a header and the rows.
///
/// Text that a spreadsheet would run as a formula is prefixed with an apostrophe.
pub fn to_csv(result: &QueryResult) -> String {
    let mut csv = String::new();
    let header = result.columns.iter().map(|column| quoted(&harmless(&column.name)));
    push_line(&mut csv, header);
    for row in &result.rows {
        push_line(&mut csv, row.iter().map(Cell::csv));
    }
    csv
}

/// Adds a line of cells that are quoted already.
pub(crate) fn push_line(csv: &mut String, cells: impl Iterator<Item = String>) {
    for (index, cell) in cells.enumerate() {
        let separator = if index == 0 { "" } else { "," };
        let _ = write!(csv, "{separator}{cell}");
    }
    csv.push_str("\r\n");
}

/// Text as a cell of CSV.
pub(crate) fn quoted(text: &str) -> String {
    if text.contains(['"', ',', '\r', '\n']) {
        return format!("\"{}\"", text.replace('"', "\"\""));
    }
    text.to_owned()
}

/// Text that no spreadsheet runs as a formula.
pub(crate) fn harmless(text: &str) -> Cow<'_, str> {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        return Cow::Owned(format!("'{text}"));
    }
    Cow::Borrowed(text)
}
