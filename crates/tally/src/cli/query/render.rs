//! An answer as a table.

use std::fmt::Write as _;

use tally_types::{PicoUsdSum, TimeZone, Timestamp};
use tally_warehouse::query::{
    AnswerSource, Cell, Column, ColumnKind, Grain, Measure, Query, QueryResult, ResolvedRange, Unit,
};

use crate::cli::{
    number,
    table::{Align, Table},
};

const NOTHING: &str = "–";
const PERCENT: f64 = 100.0;

/// How the numbers of one column are written, the same for all its rows.
struct Style {
    unit: Option<Unit>,
    money_decimals: u32,
    /// Times without a time of day.
    days_only: bool,
}

/// The answer as a table with totals, what it covers and what to know; `address` is where
/// a client would send calls, for those who have none yet.
pub(super) fn table(result: &QueryResult, query: &Query, address: &str) -> String {
    let zone = TimeZone::get(&result.time_zone).unwrap_or(TimeZone::UTC);
    if has_no_calls(result) {
        return empty(result, query, &zone, address);
    }
    let styles: Vec<Style> =
        (0..result.columns.len()).map(|index| Style::of(result, query, index)).collect();
    let mut table = Table::new(result.columns.iter().map(heading));
    let line = |row: &[Cell]| -> Vec<String> {
        row.iter().zip(&styles).map(|(cell, style)| style.text(cell, result, &zone)).collect()
    };
    for row in &result.rows {
        table.row(line(row));
    }
    let is_split = result.columns.first().is_some_and(|column| !is_number(column));
    if is_split {
        let mut total = line(&result.total);
        let texts = result.columns.iter().take_while(|column| !is_number(column)).count();
        for (index, cell) in total.iter_mut().take(texts).enumerate() {
            *cell = if index == 0 { "total".to_owned() } else { String::new() };
        }
        table.total(total);
    }
    let mut text = table.render();
    text.push_str("\n\n");
    text.push_str(&footer(result, &zone));
    text
}

/// What the table covers, where it comes from, and what to know before trusting it.
fn footer(result: &QueryResult, zone: &TimeZone) -> String {
    let mut text = covered(&result.range, result, zone);
    if let Some(compared) = &result.compared_range {
        let _ = write!(text, "\ncompared with {}", covered(compared, result, zone));
    }
    let shown = number::count(result.rows.len() as i128);
    let groups = number::count(result.groups as i128);
    let source = match result.source {
        AnswerSource::RollupDay => "from daily rollups",
        AnswerSource::Rollup => "from quarter-hour rollups",
        AnswerSource::Events => "from the calls themselves",
    };
    let rows = match (result.truncated, result.groups) {
        (true, _) => {
            format!("{shown} of {groups} rows shown; the total covers all (`--limit` shows more)")
        }
        (false, 1) => "1 row".to_owned(),
        (false, _) => format!("{shown} rows"),
    };
    let _ = write!(text, "\n{rows}, {source}");
    for warning in &result.warnings {
        let _ = write!(text, "\nwarning: {warning}");
    }
    text
}

fn covered(range: &ResolvedRange, result: &QueryResult, zone: &TimeZone) -> String {
    let (from, to) = (local(range.from, zone, false), local(range.to, zone, false));
    let span = format!("{from} to {to} ({})", result.time_zone);
    // A range that was given, not named, is called by its instants: once is enough.
    let is_named = !range.name.contains(&range.from.to_string());
    if is_named { format!("{}: {span}", range.name.replace('_', " ")) } else { span }
}

fn empty(result: &QueryResult, query: &Query, zone: &TimeZone, address: &str) -> String {
    let range = covered(&result.range, result, zone);
    if !query.filters.is_empty() {
        return format!(
            "No calls match these conditions.\n{range}\n\nTry a longer time (`--last 30d`), or fewer conditions (`--where`)."
        );
    }
    format!(
        "No calls were metered in this time.\n{range}\n\n\
         Look further back:           tally query --last 90d\n\
         Make a key for an SDK:       tally key create my-laptop --person NAME\n\
         and point the SDK at Tally:  export OPENAI_BASE_URL={address}/v1\n\
         \x20                            export ANTHROPIC_BASE_URL={address}\n\
         Or see a simulated company:  tally demo"
    )
}

/// Rows may be there all the same: steps of time without calls are filled in.
fn has_no_calls(result: &QueryResult) -> bool {
    let calls = Measure::Calls.name();
    let is_calls = |column: &Column| column.name == calls;
    let total = result.columns.iter().position(is_calls).and_then(|at| result.total.get(at));
    result.rows.is_empty() || total == Some(&Cell::Count(0))
}

fn heading(column: &Column) -> (String, Align) {
    let unit = match column.unit {
        Some(Unit::Usd) => " (USD)",
        Some(Unit::Milliseconds) => " (ms)",
        _ => "",
    };
    let align = if is_number(column) { Align::Right } else { Align::Left };
    (format!("{}{unit}", column.label), align)
}

const fn is_number(column: &Column) -> bool {
    matches!(column.kind, ColumnKind::Measure | ColumnKind::Compare)
}

fn local(time: Timestamp, zone: &TimeZone, days_only: bool) -> String {
    let format = if days_only { "%Y-%m-%d" } else { "%Y-%m-%d %H:%M" };
    time.to_zoned(zone.clone()).strftime(format).to_string()
}

// === impl Style ===

impl Style {
    fn of(result: &QueryResult, query: &Query, index: usize) -> Self {
        // A measure and what it is compared with are read side by side.
        let unit = result.columns.get(index).and_then(|column| column.unit);
        let name = |at: usize| {
            let name = result.columns.get(at).map_or("", |column| column.name.as_str());
            name.strip_suffix("_compared").unwrap_or(name)
        };
        let alike: Vec<usize> =
            (0..result.columns.len()).filter(|at| name(*at) == name(index)).collect();
        let rows = result.rows.iter().chain(std::iter::once(&result.total));
        let amounts = rows.flat_map(|row| alike.iter().filter_map(|at| amount(row.get(*at)?)));
        let days_only = !matches!(query.grain, Some(Grain::QuarterHour | Grain::Hour));
        Self { unit, money_decimals: number::money_decimals(amounts), days_only }
    }

    fn text(&self, cell: &Cell, result: &QueryResult, zone: &TimeZone) -> String {
        match (cell, self.unit) {
            (Cell::Null, _) => NOTHING.to_owned(),
            (Cell::Text(text), _) => text.clone(),
            (Cell::Time(time), _) => {
                let partial = if result.partial_bucket == Some(*time) { " (so far)" } else { "" };
                format!("{}{partial}", local(*time, zone, self.days_only))
            }
            (Cell::Count(count), _) => number::count(*count),
            (Cell::Money(amount), _) => number::money(*amount, self.money_decimals),
            (Cell::Number(share), Some(Unit::Ratio)) => {
                format!("{} %", number::decimal(share * PERCENT, 1))
            }
            (Cell::Number(number), Some(Unit::Milliseconds)) => number::decimal(*number, 0),
            (Cell::Number(number), _) => number::decimal(*number, 1),
        }
    }
}

fn amount(cell: &Cell) -> Option<PicoUsdSum> {
    match cell {
        Cell::Money(amount) => Some(*amount),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use tally_warehouse::query::{Field, Filter, NamedRange, Range};

    use super::*;
    use crate::cli::query::answer::Answer;

    fn query() -> Query {
        let range = Range::Named(NamedRange::Last24Hours);
        Query::new(vec![Measure::Calls, Measure::SpendUsd], range)
    }

    fn result(columns: &Value, rows: &Value, total: &Value, more: &Value) -> QueryResult {
        let mut answer = json!({
            "columns": columns, "rows": rows, "total": total,
            "range": {"from": "2026-04-30T10:00:00Z", "to": "2026-05-01T10:00:00Z", "name": "last_24_hours"},
            "source": "rollup", "groups": rows.as_array().map_or(0, Vec::len), "truncated": false,
            "warnings": [], "partial_bucket": null, "time_zone": "Europe/Berlin",
        });
        for (name, value) in more.as_object().into_iter().flatten() {
            answer[name] = value.clone();
        }
        serde_json::from_value::<Answer>(answer).unwrap().into_result().unwrap()
    }

    fn column(name: &str, label: &str, kind: &str, unit: Value) -> Value {
        json!({"name": name, "label": label, "kind": kind, "unit": unit})
    }

    #[test]
    fn who_used_what() {
        let result = result(
            &json!([
                column("team", "Team", "dimension", Value::Null),
                column("model", "Model", "dimension", Value::Null),
                column("calls", "Calls", "measure", json!("count")),
                column("spend_usd", "Spend", "measure", json!("usd")),
                column("cache_hit_rate", "Cache hit rate", "measure", json!("ratio")),
                column("latency_p95_ms", "Latency p95", "measure", json!("milliseconds")),
            ]),
            &json!([
                ["support", "claude-opus-4-8", 120_431, "1843.5625", 0.91234, 2210.7],
                ["unattributed", "gpt-5-mini", 7, "0.0042", null, null],
            ]),
            &json!([null, null, 120_438, "1843.5667", 0.91, 2209.9]),
            &json!({"groups": 40, "truncated": true, "warnings": ["3 calls have no known price"]}),
        );
        insta::assert_snapshot!(table(&result, &query(), "http://x"));
    }

    #[test]
    fn steps_of_time_beside_another_time() {
        let result = result(
            &json!([
                column("time", "Time", "time", Value::Null),
                column("calls", "Calls", "measure", json!("count")),
                column("calls_compared", "Calls (compared)", "compare", json!("count")),
                column("spend_usd", "Spend", "measure", json!("usd")),
                column("spend_usd_compared", "Spend (compared)", "compare", json!("usd")),
            ]),
            &json!([
                ["2026-04-29T22:00:00Z", 10, 12, "1.5", "0.0031"],
                ["2026-04-30T22:00:00Z", 0, null, "0", null],
            ]),
            &json!([null, 10, 12, "1.5", "0.0031"]),
            &json!({
                "source": "rollup_day", "partial_bucket": "2026-04-30T22:00:00Z",
                "compared_range": {"from": "2026-04-22T22:00:00Z", "to": "2026-04-24T22:00:00Z", "name": "the same weekdays 7 days before"},
            }),
        );
        let query = Query { grain: Some(Grain::Day), ..query() };
        insta::assert_snapshot!(table(&result, &query, "http://x"));
    }

    #[test]
    fn one_number_needs_no_total() {
        let columns = json!([column("calls", "Calls", "measure", json!("count"))]);
        let result = result(&columns, &json!([[5]]), &json!([5]), &json!({}));
        let text = table(&result, &query(), "http://x");
        assert!(!text.contains("total"), "{text}");
        assert!(text.contains("1 row, from quarter-hour rollups"), "{text}");
    }

    #[test]
    fn without_calls_it_says_how_to_get_some() {
        let columns = json!([column("calls", "Calls", "measure", json!("count"))]);
        let result = result(&columns, &json!([[0]]), &json!([0]), &json!({}));
        insta::assert_snapshot!(table(&result, &query(), "http://127.0.0.1:8080"));
        let filters = vec![Filter::eq(Field::Team, "x")];
        let text = table(&result, &Query { filters, ..query() }, "http://x");
        assert!(text.starts_with("No calls match these conditions."), "{text}");
    }
}
