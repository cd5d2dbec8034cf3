//! What a measurement found: tables for people, one object for programs.

use comfy_table::{CellAlignment, Table as Drawn, presets::UTF8_FULL_CONDENSED};
use serde_json::{Map, Value, json};

/// What a benchmark found.
pub(crate) struct Report {
    benchmark: &'static str,
    settings: Map<String, Value>,
    tables: Vec<Table>,
    notes: Vec<String>,
}

/// Rows under named columns.
pub(crate) struct Table {
    title: &'static str,
    columns: &'static [&'static str],
    rows: Vec<Vec<Value>>,
}

// === impl Report ===

impl Report {
    pub(crate) fn new(benchmark: &'static str) -> Self {
        Self { benchmark, settings: Map::new(), tables: Vec::new(), notes: Vec::new() }
    }

    /// Says how it was measured.
    pub(crate) fn setting(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.settings.insert(name.to_owned(), value.into());
        self
    }

    pub(crate) fn table(&mut self, table: Table) {
        self.tables.push(table);
    }

    /// A sentence that the numbers need.
    pub(crate) fn note(&mut self, sentence: impl Into<String>) {
        self.notes.push(sentence.into());
    }

    pub(crate) fn print(&self, machine: &Value, as_json: bool) {
        if as_json {
            println!("{}", self.to_json(machine));
            return;
        }
        println!("{}: {}", self.benchmark, line_of(&self.settings));
        println!("machine: {}", machine.as_object().map(line_of).unwrap_or_default());
        for table in &self.tables {
            println!("\n{}\n{}", table.title, table.draw());
        }
        for note in &self.notes {
            println!("note: {note}");
        }
    }

    fn to_json(&self, machine: &Value) -> Value {
        let tables: Vec<_> = self.tables.iter().map(Table::to_json).collect();
        json!({
            "benchmark": self.benchmark,
            "machine": machine,
            "settings": self.settings,
            "tables": tables,
            "notes": self.notes,
        })
    }
}

// === impl Table ===

impl Table {
    pub(crate) fn new(title: &'static str, columns: &'static [&'static str]) -> Self {
        Self { title, columns, rows: Vec::new() }
    }

    /// Adds a row: one cell per column.
    pub(crate) fn row(&mut self, cells: Vec<Value>) {
        debug_assert_eq!(cells.len(), self.columns.len());
        self.rows.push(cells);
    }

    fn draw(&self) -> Drawn {
        let mut drawn = Drawn::new();
        drawn.load_preset(UTF8_FULL_CONDENSED).set_header(self.columns);
        for row in &self.rows {
            drawn.add_row(row.iter().map(shown));
        }
        for (index, column) in drawn.column_iter_mut().enumerate() {
            let is_text = |row: &Vec<Value>| row.get(index).is_some_and(Value::is_string);
            if !self.rows.iter().any(is_text) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        drawn
    }

    fn to_json(&self) -> Value {
        let object = |row: &Vec<Value>| {
            let cells = self.columns.iter().zip(row);
            Value::Object(cells.map(|(name, cell)| ((*name).to_owned(), cell.clone())).collect())
        };
        let rows: Vec<Value> = self.rows.iter().map(object).collect();
        json!({"title": self.title, "rows": rows})
    }
}

fn line_of(object: &Map<String, Value>) -> String {
    let pairs: Vec<_> =
        object.iter().map(|(name, value)| format!("{name} {}", shown(value))).collect();
    pairs.join(", ")
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        // 64-bit floats are shown without a decimal point when they are whole.
        Value::Number(number) if number.is_f64() => {
            number.as_f64().map(|number| number.to_string()).unwrap_or_default()
        }
        other => other.to_string(),
    }
}
