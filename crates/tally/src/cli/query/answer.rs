//! The answer of the metrics layer as it comes over the wire, read back into its types so
//! that tables and CSV are made from the same cells.

use anyhow::{Context as _, anyhow};
use serde::Deserialize;
use serde_json::Value;
use tally_types::{PicoUsdSum, Timestamp};
use tally_warehouse::query::{
    AnswerSource, Cell, Column, ColumnKind, QueryResult, ResolvedRange, Unit,
};

const PICO_DECIMALS: usize = 12;

/// A [`QueryResult`] over the wire.
#[derive(Debug, Deserialize)]
pub(crate) struct Answer {
    columns: Vec<WireColumn>,
    rows: Vec<Vec<Value>>,
    total: Vec<Value>,
    range: ResolvedRange,
    #[serde(default)]
    compared_range: Option<ResolvedRange>,
    source: WireSource,
    groups: usize,
    truncated: bool,
    #[serde(default)]
    warnings: Vec<String>,
    #[serde(default)]
    partial_bucket: Option<Timestamp>,
    time_zone: String,
}

#[derive(Debug, Deserialize)]
struct WireColumn {
    name: String,
    label: String,
    kind: WireKind,
    #[serde(default)]
    unit: Option<Unit>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum WireKind {
    Dimension,
    Time,
    Measure,
    Compare,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum WireSource {
    RollupDay,
    Rollup,
    Events,
}

// === impl Answer ===

impl Answer {
    /// As the metrics layer gave it.
    ///
    /// # Errors
    /// A cell that does not fit its column.
    pub(crate) fn into_result(self) -> anyhow::Result<QueryResult> {
        let columns: Vec<Column> = self.columns.into_iter().map(WireColumn::column).collect();
        let rows = self.rows.iter().map(|row| cells(&columns, row)).collect::<Result<_, _>>()?;
        let total = cells(&columns, &self.total)?;
        let source = match self.source {
            WireSource::RollupDay => AnswerSource::RollupDay,
            WireSource::Rollup => AnswerSource::Rollup,
            WireSource::Events => AnswerSource::Events,
        };
        Ok(QueryResult {
            columns,
            rows,
            total,
            range: self.range,
            compared_range: self.compared_range,
            source,
            groups: self.groups,
            truncated: self.truncated,
            warnings: self.warnings,
            partial_bucket: self.partial_bucket,
            time_zone: self.time_zone,
        })
    }
}

// === impl WireColumn ===

impl WireColumn {
    fn column(self) -> Column {
        let kind = match self.kind {
            WireKind::Dimension => ColumnKind::Dimension,
            WireKind::Time => ColumnKind::Time,
            WireKind::Measure => ColumnKind::Measure,
            WireKind::Compare => ColumnKind::Compare,
        };
        Column { name: self.name, label: self.label, kind, unit: self.unit }
    }
}

fn cells(columns: &[Column], row: &[Value]) -> anyhow::Result<Vec<Cell>> {
    if row.len() != columns.len() {
        return Err(anyhow!(
            "the answer has {} columns but {} cells in a row",
            columns.len(),
            row.len()
        ));
    }
    columns.iter().zip(row).map(|(column, value)| cell(column, value)).collect()
}

fn cell(column: &Column, value: &Value) -> anyhow::Result<Cell> {
    let unexpected = || anyhow!("the answer has {value} in the column `{}`", column.name);
    let cell = match (value, column.kind, column.unit) {
        (Value::Null, _, _) => Cell::Null,
        (Value::String(text), ColumnKind::Dimension, _) => Cell::Text(text.clone()),
        (Value::String(text), ColumnKind::Time, _) => {
            Cell::Time(text.parse().with_context(unexpected)?)
        }
        (Value::String(text), _, Some(Unit::Usd)) => Cell::Money(usd(text).ok_or_else(unexpected)?),
        // Counts beyond 64 bits come as text.
        (Value::String(text), _, Some(Unit::Count | Unit::Tokens)) => {
            Cell::Count(text.parse().with_context(unexpected)?)
        }
        (Value::Number(number), _, unit) => match number.as_i64() {
            Some(count) if matches!(unit, Some(Unit::Count | Unit::Tokens)) => {
                Cell::Count(i128::from(count))
            }
            _ => Cell::Number(number.as_f64().ok_or_else(unexpected)?),
        },
        _ => return Err(unexpected()),
    };
    Ok(cell)
}

/// A decimal string of US dollars; a sum may exceed what an event's amount can hold.
fn usd(text: &str) -> Option<PicoUsdSum> {
    let (negative, magnitude) = match text.strip_prefix('-') {
        Some(magnitude) => (true, magnitude),
        None => (false, text),
    };
    let (whole, fraction) = magnitude.split_once('.').unwrap_or((magnitude, ""));
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty()
        || fraction.len() > PICO_DECIMALS
        || !all_digits(whole)
        || !all_digits(fraction)
    {
        return None;
    }
    let pico: i128 = format!("{whole}{fraction:0<PICO_DECIMALS$}").parse().ok()?;
    Some(PicoUsdSum::from_pico(if negative { -pico } else { pico }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_of_money_come_back_exactly() {
        for pico in [0, 1, -1, 37_500, 1_500_000_000_000, i128::from(i64::MAX) * 1_000_000] {
            let sum = PicoUsdSum::from_pico(pico);
            assert_eq!(usd(&sum.to_string()), Some(sum));
        }
        for bad in ["", "-", ".5", "1e3", "1.0000000000001", "+1", "1.-5", "--1"] {
            assert_eq!(usd(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_cell_that_does_not_fit_its_column_is_named() {
        let column = Column {
            name: "spend_usd".into(),
            label: "Spend".into(),
            kind: ColumnKind::Measure,
            unit: Some(Unit::Usd),
        };
        let error = cell(&column, &Value::Bool(true)).unwrap_err().to_string();
        assert!(error.contains("`spend_usd`"), "{error}");
    }
}
