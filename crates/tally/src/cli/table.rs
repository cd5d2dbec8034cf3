//! Tables as plain text: columns two spaces apart, a line below the headings, and one
//! above the totals.

use comfy_table::{CellAlignment, Table as Grid, TableComponent, presets};

/// Columns stand so far apart; the grid itself draws one space of it.
const GAP: u16 = 2;

/// How the cells of a column stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    /// Text.
    Left,
    /// Numbers.
    Right,
}

/// A table under construction.
#[derive(Debug, Clone, Default)]
pub(crate) struct Table {
    columns: Vec<(String, Align)>,
    rows: Vec<Vec<String>>,
    total: Option<Vec<String>>,
}

// === impl Table ===

impl Table {
    /// A table with these headings.
    pub(crate) fn new(columns: impl IntoIterator<Item = (impl Into<String>, Align)>) -> Self {
        let columns = columns.into_iter().map(|(name, align)| (name.into(), align)).collect();
        Self { columns, rows: Vec::new(), total: None }
    }

    /// A table of text columns.
    pub(crate) fn of_text(headings: &[&str]) -> Self {
        Self::new(headings.iter().map(|heading| (*heading, Align::Left)))
    }

    /// Adds a row.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = impl Into<String>>) {
        self.rows.push(cells.into_iter().map(|cell| printable(&cell.into())).collect());
    }

    /// Sets the row of totals.
    pub(crate) fn total(&mut self, cells: impl IntoIterator<Item = impl Into<String>>) {
        self.total = Some(cells.into_iter().map(|cell| printable(&cell.into())).collect());
    }

    /// The table as text, without a line break at the end.
    pub(crate) fn render(&self) -> String {
        let mut grid = Grid::new();
        grid.load_preset(presets::NOTHING)
            .set_style(TableComponent::HeaderLines, '─')
            .set_style(TableComponent::MiddleHeaderIntersections, '─')
            .set_header(self.columns.iter().map(|(heading, _)| heading));
        grid.add_rows(self.rows.iter().chain(&self.total));
        let last = self.columns.len().saturating_sub(1);
        for (index, (_, align)) in self.columns.iter().enumerate() {
            if let Some(column) = grid.column_mut(index) {
                column.set_padding((0, if index == last { 0 } else { GAP - 1 }));
                column.set_cell_alignment(match align {
                    Align::Left => CellAlignment::Left,
                    Align::Right => CellAlignment::Right,
                });
            }
        }
        let mut lines: Vec<String> = grid.lines().map(|line| line.trim_end().to_owned()).collect();
        let rule = lines.get(1).cloned();
        if let (Some(_), Some(rule)) = (&self.total, rule) {
            lines.insert(lines.len().saturating_sub(1), rule);
        }
        lines.join("\n")
    }
}

/// Text from elsewhere must not move the cursor or colour the terminal.
pub(crate) fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_right_and_totals_below_a_line() {
        let mut table = Table::new([("Team", Align::Left), ("Calls", Align::Right)]);
        table.row(["support", "1,204"]);
        table.row(["unattributed", "7"]);
        table.total(["total", "1,211"]);
        insta::assert_snapshot!(table.render(), @r"
        Team          Calls
        ───────────────────
        support       1,204
        unattributed      7
        ───────────────────
        total         1,211
        ");
    }

    #[test]
    fn text_from_elsewhere_cannot_steer_the_terminal() {
        let mut table = Table::of_text(&["User agent"]);
        table.row(["evil\u{1b}[2J\nagent"]);
        let text = table.render();
        assert!(!text.contains('\u{1b}'), "{text:?}");
        assert_eq!(text.lines().count(), 3);
    }
}
