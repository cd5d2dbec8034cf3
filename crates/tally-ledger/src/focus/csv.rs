//! Rows as text (RFC 4180).

use std::io::Write;

use super::{
    File, FocusError, Version,
    column::{self, Column},
    record::{Record, Value},
};

/// A file of which rows leave as soon as they are added.
pub(super) struct CsvFile<W: Write> {
    columns: Vec<Column>,
    writer: csv::Writer<W>,
}

// === impl CsvFile ===

impl<W: Write> CsvFile<W> {
    pub(super) fn begin(version: Version, out: W) -> Result<Self, FocusError> {
        let columns: Vec<Column> = column::of(version).collect();
        let mut writer = csv::Writer::from_writer(out);
        writer.write_record(columns.iter().map(|column| column.name())).map_err(failed)?;
        Ok(Self { columns, writer })
    }
}

impl<W: Write> File for CsvFile<W> {
    fn add(&mut self, record: Record) -> Result<(), FocusError> {
        for column in &self.columns {
            let cell = match record.get(*column) {
                None => String::new(),
                Some(Value::Text(text)) => text.clone(),
                Some(Value::Decimal(number)) => number.to_string(),
                Some(Value::Time(time)) => time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            };
            self.writer.write_field(cell).map_err(failed)?;
        }
        self.writer.write_record(None::<&[u8]>).map_err(failed)
    }

    fn finish(mut self) -> Result<(), FocusError> {
        Ok(self.writer.flush()?)
    }
}

fn failed(error: csv::Error) -> FocusError {
    FocusError::Io(error.into())
}
