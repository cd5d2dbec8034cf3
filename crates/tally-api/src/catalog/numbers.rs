//! Answers of the metrics layer, cell by cell.

use tally_types::PicoUsdSum;
use tally_warehouse::{Cell, QueryResult};

/// How a dimension that is not known is shown.
const UNATTRIBUTED: &str = "unattributed";
/// How many groups are asked for at most.
pub(super) const GROUPS_MAX: usize = 10_000;

/// One row of an answer.
pub(super) struct Row<'a> {
    answer: &'a QueryResult,
    cells: &'a [Cell],
}

/// The rows of an answer.
pub(super) fn rows(answer: &QueryResult) -> impl Iterator<Item = Row<'_>> {
    answer.rows.iter().map(move |cells| Row { answer, cells })
}

/// All of it in one row.
pub(super) fn total(answer: &QueryResult) -> Row<'_> {
    Row { answer, cells: &answer.total }
}

// === impl Row ===

impl Row<'_> {
    fn cell(&self, name: &str) -> Option<&Cell> {
        let at = self.answer.columns.iter().position(|column| column.name == name)?;
        self.cells.get(at)
    }

    /// What a dimension is, if it is known.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        match self.cell(name)? {
            Cell::Text(text) if text != UNATTRIBUTED => Some(text.clone()),
            _ => None,
        }
    }

    pub(super) fn count(&self, name: &str) -> u64 {
        match self.cell(name) {
            Some(Cell::Count(count)) => u64::try_from(*count).unwrap_or(0),
            _ => 0,
        }
    }

    pub(super) fn money(&self, name: &str) -> Option<PicoUsdSum> {
        match self.cell(name)? {
            Cell::Money(money) => Some(*money),
            _ => None,
        }
    }

    pub(super) fn number(&self, name: &str) -> Option<f64> {
        match self.cell(name)? {
            Cell::Number(number) => Some(*number),
            _ => None,
        }
    }
}
