//! Usage events and outcomes as Parquet, for whoever wants to compute anew: auditors, notebooks, lakes.

use std::{io::Write, sync::Arc};

use duckdb::{
    Connection,
    arrow::array::{Array, BooleanArray, Int64Array, RecordBatch, StringArray},
};
use parquet::{
    basic::Compression,
    column::writer::ColumnWriter,
    data_type::{ByteArray, FixedLenByteArray},
    errors::ParquetError,
    file::{properties::WriterProperties, writer::SerializedFileWriter},
    schema::parser::parse_message_type,
};
use tally_types::Timestamp;

use crate::{
    error::WarehouseError, events_csv::EVENT_COLUMNS, ledger::typed, schema, warehouse::Warehouse,
};

/// Rows that are kept until they are written together: all that is in memory.
const GROUP_ROWS: usize = 20_000;
/// Money has the decimals of a picodollar.
const MONEY_SCALE: u32 = 12;
/// An outcome's columns, as they stand in the file.
const OUTCOME_COLUMNS: &[&str] = &[
    "outcome_id",
    "revision",
    "time",
    "workload",
    "task_id",
    "result",
    "escalated",
    "quality_bp",
    "value_usd",
    "tickets_deflected",
    "conversions",
    "minutes_saved",
    "reported_by",
];
/// What is there of an optional value.
const PRESENT: i16 = 1;
const ABSENT: i16 = 0;

/// How a column stands in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Number,
    Truth,
    Time,
    /// US dollars.
    Money,
}

/// A column of the file.
#[derive(Debug, Clone, Copy)]
struct Column {
    name: &'static str,
    kind: Kind,
}

// === impl Warehouse ===

impl Warehouse {
    /// Writes the calls from one time to another as Parquet, in no particular order, and says
    /// how many: a column for each of [`EVENT_COLUMNS`], money as decimal US dollars, times as
    /// such, collections as JSON. Memory does not grow with their number.
    ///
    /// # Errors
    /// When DuckDB fails, or the file cannot be written.
    pub fn events_to_parquet(
        &self,
        from: Timestamp,
        to: Timestamp,
        out: &mut (dyn Write + Send),
    ) -> Result<u64, WarehouseError> {
        let kept = schema::kept_events();
        let columns = EVENT_COLUMNS.iter().map(|name| Column::of(name, &kept)).collect();
        let mut file = RowsFile::begin("events", columns, out)?;
        self.read(|connection, _| file.write_all(connection, from, to))
    }

    /// Writes what is known of tasks from one time to another as Parquet, as
    /// [`events_to_parquet`](Self::events_to_parquet) does: of each task the outcome that counts, by the time of it.
    ///
    /// # Errors
    /// When DuckDB fails, or the file cannot be written.
    pub fn outcomes_to_parquet(
        &self,
        from: Timestamp,
        to: Timestamp,
        out: &mut (dyn Write + Send),
    ) -> Result<u64, WarehouseError> {
        let kept = schema::kept_outcomes();
        let columns = OUTCOME_COLUMNS.iter().map(|name| Column::of(name, &kept)).collect();
        let mut file = RowsFile::begin("task_results", columns, out)?;
        self.read(|connection, _| file.write_all(connection, from, to))
    }
}

/// A file of which groups of rows leave as soon as they are full.
struct RowsFile<'o> {
    table: &'static str,
    columns: Vec<Column>,
    writer: SerializedFileWriter<&'o mut (dyn Write + Send)>,
    batches: Vec<RecordBatch>,
}

// === impl RowsFile ===

impl<'o> RowsFile<'o> {
    fn begin(
        table: &'static str,
        columns: Vec<Column>,
        out: &'o mut (dyn Write + Send),
    ) -> Result<Self, WarehouseError> {
        let fields: String = columns.iter().map(Column::field).collect();
        let schema = parse_message_type(&format!("message {table} {{ {fields} }}"))?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_created_by("Tally".to_owned())
            .build();
        let writer = SerializedFileWriter::new(out, Arc::new(schema), Arc::new(properties))?;
        Ok(Self { table, columns, writer, batches: Vec::new() })
    }

    fn write_all(
        &mut self,
        connection: &Connection,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<u64, WarehouseError> {
        let select: Vec<_> = self.columns.iter().map(Column::select).collect();
        let sql = format!(
            "SELECT {} FROM {} WHERE time_us >= {} AND time_us < {}",
            select.join(", "),
            self.table,
            from.as_microsecond(),
            to.as_microsecond()
        );
        let mut statement = connection.prepare(&sql)?;
        let (mut written, mut waiting) = (0, 0);
        for batch in statement.stream_arrow([])? {
            waiting += batch.num_rows();
            written += batch.num_rows() as u64;
            self.batches.push(batch);
            if waiting >= GROUP_ROWS {
                self.write_group()?;
                waiting = 0;
            }
        }
        self.write_group()?;
        self.writer.finish()?;
        Ok(written)
    }

    fn write_group(&mut self) -> Result<(), WarehouseError> {
        if self.batches.is_empty() {
            return Ok(());
        }
        let mut group = self.writer.next_row_group()?;
        for (index, column) in self.columns.iter().enumerate() {
            let Some(mut writer) = group.next_column()? else { continue };
            for batch in &self.batches {
                column.write(writer.untyped(), batch, index)?;
            }
            writer.close()?;
        }
        group.close()?;
        self.batches.clear();
        Ok(())
    }
}

// === impl Column ===

impl Column {
    fn of(name: &'static str, kept: &[(&str, &str)]) -> Self {
        let column = if name == "time" { "time_us" } else { name };
        let stored = kept.iter().find(|(stored, _)| *stored == column);
        let kind = match stored.map(|(_, kind)| kind.split(' ').next().unwrap_or_default()) {
            Some("BIGINT") if name == "time" => Kind::Time,
            Some("BIGINT") => Kind::Money,
            Some("BOOLEAN") => Kind::Truth,
            Some("UBIGINT" | "UINTEGER" | "USMALLINT") => Kind::Number,
            _ => Kind::Text,
        };
        Self { name, kind }
    }

    /// SQL that reads it.
    fn select(&self) -> String {
        let name = self.name;
        match self.kind {
            Kind::Time => "time_us".to_owned(),
            Kind::Text => format!("\"{name}\"::VARCHAR"),
            Kind::Number => format!("\"{name}\"::BIGINT"),
            Kind::Truth | Kind::Money => format!("\"{name}\""),
        }
    }

    /// The field in the schema's own language.
    fn field(&self) -> String {
        let name = self.name;
        match self.kind {
            Kind::Text => format!("optional binary {name} (STRING);"),
            Kind::Number => format!("optional int64 {name};"),
            Kind::Truth => format!("optional boolean {name};"),
            Kind::Time => format!("optional int64 {name} (TIMESTAMP(MICROS, true));"),
            Kind::Money => {
                format!("optional fixed_len_byte_array(16) {name} (DECIMAL(38, {MONEY_SCALE}));")
            }
        }
    }

    fn write(
        &self,
        writer: &mut ColumnWriter<'_>,
        batch: &RecordBatch,
        index: usize,
    ) -> Result<(), WarehouseError> {
        let rows = 0..batch.num_rows();
        let levels = |array: &dyn Array| -> Vec<i16> {
            rows.clone().map(|row| if array.is_null(row) { ABSENT } else { PRESENT }).collect()
        };
        match writer {
            ColumnWriter::ByteArrayColumnWriter(writer) => {
                let array: &StringArray = typed(batch, index)?;
                let values: Vec<ByteArray> = array.iter().flatten().map(ByteArray::from).collect();
                writer.write_batch(&values, Some(&levels(array)), None)?;
            }
            ColumnWriter::Int64ColumnWriter(writer) => {
                let array: &Int64Array = typed(batch, index)?;
                let values: Vec<i64> = array.iter().flatten().collect();
                writer.write_batch(&values, Some(&levels(array)), None)?;
            }
            ColumnWriter::FixedLenByteArrayColumnWriter(writer) => {
                let array: &Int64Array = typed(batch, index)?;
                let money = |pico: i64| i128::from(pico).to_be_bytes().to_vec();
                let values: Vec<FixedLenByteArray> =
                    array.iter().flatten().map(|pico| money(pico).into()).collect();
                writer.write_batch(&values, Some(&levels(array)), None)?;
            }
            ColumnWriter::BoolColumnWriter(writer) => {
                let array: &BooleanArray = typed(batch, index)?;
                let values: Vec<bool> = array.iter().flatten().collect();
                writer.write_batch(&values, Some(&levels(array)), None)?;
            }
            _ => {
                let name = self.name;
                let why = format!("`{name}` has a type that is not written");
                return Err(ParquetError::General(why).into());
            }
        }
        Ok(())
    }
}
