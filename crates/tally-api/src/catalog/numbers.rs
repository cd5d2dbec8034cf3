//! Answers of the metrics layer, cell by cell.

use tally_types::{PicoUsdSum, Timestamp};
use tally_warehouse::{Cell, Dimension, Field, Measure, Query, QueryResult, Range};

/// How a dimension that is not known is shown.
const UNATTRIBUTED: &str = "unattributed";
/// How many groups are asked for at most.
pub(crate) const GROUPS_MAX: usize = 10_000;

/// A question without filters or steps of time.
pub(crate) fn question(measures: Vec<Measure>, fields: &[Field], range: Range) -> Query {
    Query {
        measures,
        dimensions: fields.iter().map(|field| Dimension::Field(*field)).collect(),
        filters: Vec::new(),
        range,
        grain: None,
        compare: None,
        order: Vec::new(),
        limit: Some(GROUPS_MAX),
        offset: 0,
    }
}

/// One row of an answer.
pub(crate) struct Row<'a> {
    answer: &'a QueryResult,
    cells: &'a [Cell],
}

/// The rows of an answer.
pub(crate) fn rows(answer: &QueryResult) -> impl Iterator<Item = Row<'_>> {
    answer.rows.iter().map(move |cells| Row { answer, cells })
}

/// All of it in one row.
pub(crate) fn total(answer: &QueryResult) -> Row<'_> {
    Row { answer, cells: &answer.total }
}

// === impl Row ===

impl Row<'_> {
    fn cell(&self, name: &str) -> Option<&Cell> {
        let at = self.answer.columns.iter().position(|column| column.name == name)?;
        self.cells.get(at)
    }

    /// When a step of time begins.
    pub(crate) fn time(&self, name: &str) -> Option<Timestamp> {
        match self.cell(name)? {
            Cell::Time(at) => Some(*at),
            _ => None,
        }
    }

    /// What a dimension is, if it is known.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        match self.cell(name)? {
            Cell::Text(text) if text != UNATTRIBUTED => Some(text.clone()),
            _ => None,
        }
    }

    pub(crate) fn count(&self, name: &str) -> u64 {
        match self.cell(name) {
            Some(Cell::Count(count)) => u64::try_from(*count).unwrap_or(0),
            _ => 0,
        }
    }

    pub(crate) fn money(&self, name: &str) -> Option<PicoUsdSum> {
        match self.cell(name)? {
            Cell::Money(money) => Some(*money),
            _ => None,
        }
    }

    pub(crate) fn number(&self, name: &str) -> Option<f64> {
        match self.cell(name)? {
            Cell::Number(number) => Some(*number),
            _ => None,
        }
    }
}
