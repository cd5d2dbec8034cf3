//! One row of a file.

use jiff::Timestamp;

use super::{column::Column, decimal::Exact};

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Text(String),
    Decimal(Exact),
    Time(Timestamp),
}

/// One row: a value, or none, for each column of any version.
#[derive(Debug, Clone, Default)]
pub(super) struct Record(Vec<Option<Value>>);

// === impl Record ===

impl Record {
    pub(super) fn new() -> Self {
        Self(vec![None; Column::ALL.len()])
    }

    pub(super) fn get(&self, column: Column) -> Option<&Value> {
        self.0.get(column as usize).and_then(Option::as_ref)
    }

    fn set(&mut self, column: Column, value: Value) {
        if let Some(cell) = self.0.get_mut(column as usize) {
            *cell = Some(value);
        }
    }

    pub(super) fn text(&mut self, column: Column, text: impl Into<String>) {
        self.set(column, Value::Text(text.into()));
    }

    pub(super) fn decimal(&mut self, column: Column, number: Exact) {
        self.set(column, Value::Decimal(number));
    }

    pub(super) fn time(&mut self, column: Column, time: Timestamp) {
        self.set(column, Value::Time(time));
    }
}
