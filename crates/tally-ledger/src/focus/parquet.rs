//! Rows as columns.

use std::{io::Write, sync::Arc};

use ::parquet::{
    basic::Compression,
    column::writer::ColumnWriter,
    data_type::{ByteArray, FixedLenByteArray},
    errors::ParquetError,
    file::{
        properties::{EnabledStatistics, WriterProperties},
        writer::SerializedFileWriter,
    },
    schema::parser::parse_message_type,
};

use super::{
    File, FocusError, Issuer, Version,
    column::{self, Column, Kind},
    record::{Record, Value},
};

/// Rows that are kept until they are written together: all that is in memory.
const GROUP_ROWS: usize = if cfg!(test) { 100 } else { 10_000 };
/// What is there of an optional value.
const PRESENT: i16 = 1;
const ABSENT: i16 = 0;

/// A file of which groups of rows leave as soon as they are full.
pub(super) struct ParquetFile<W: Write + Send> {
    columns: Vec<Column>,
    /// The decimals of every decimal column.
    scale: u32,
    rows: Vec<Record>,
    writer: SerializedFileWriter<W>,
}

// === impl ParquetFile ===

impl<W: Write + Send> ParquetFile<W> {
    pub(super) fn begin(version: Version, issuer: &Issuer, out: W) -> Result<Self, FocusError> {
        let columns: Vec<Column> = column::of(version).collect();
        let scale = issuer.decimals();
        let fields: String = columns.iter().map(|column| field(*column, scale)).collect();
        let schema = parse_message_type(&format!("message focus {{ {fields} }}"))?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_created_by("Tally".to_owned())
            // What is said of each page stays in memory until the end: groups are small enough.
            .set_statistics_enabled(EnabledStatistics::Chunk)
            .set_offset_index_disabled(true)
            .build();
        let writer = SerializedFileWriter::new(out, Arc::new(schema), Arc::new(properties))?;
        Ok(Self { columns, scale, rows: Vec::new(), writer })
    }

    fn write_group(&mut self) -> Result<(), FocusError> {
        let mut group = self.writer.next_row_group()?;
        for column in &self.columns {
            let Some(mut writer) = group.next_column()? else { continue };
            write_column(writer.untyped(), *column, &self.rows, self.scale)?;
            writer.close()?;
        }
        group.close()?;
        self.rows.clear();
        Ok(())
    }
}

impl<W: Write + Send> File for ParquetFile<W> {
    fn add(&mut self, record: Record) -> Result<(), FocusError> {
        self.rows.push(record);
        if self.rows.len() < GROUP_ROWS { Ok(()) } else { self.write_group() }
    }

    fn finish(mut self) -> Result<(), FocusError> {
        if !self.rows.is_empty() {
            self.write_group()?;
        }
        self.writer.close()?;
        Ok(())
    }
}

/// The field of a column in the schema's own language.
fn field(column: Column, scale: u32) -> String {
    let name = column.name();
    match column.kind() {
        Kind::Text => format!("optional binary {name} (STRING);"),
        Kind::Decimal => {
            format!("optional fixed_len_byte_array(16) {name} (DECIMAL(38, {scale}));")
        }
        Kind::Time => format!("optional int64 {name} (TIMESTAMP(MICROS, true));"),
    }
}

fn write_column(
    writer: &mut ColumnWriter<'_>,
    column: Column,
    rows: &[Record],
    scale: u32,
) -> Result<(), ParquetError> {
    let values = rows.iter().map(|row| row.get(column));
    let levels: Vec<i16> =
        values.clone().map(|value| if value.is_some() { PRESENT } else { ABSENT }).collect();
    let levels = Some(levels.as_slice());
    let values = values.flatten();
    match writer {
        ColumnWriter::ByteArrayColumnWriter(writer) => {
            let texts: Vec<ByteArray> = values
                .filter_map(|value| match value {
                    Value::Text(text) => Some(ByteArray::from(text.as_str())),
                    _ => None,
                })
                .collect();
            writer.write_batch(&texts, levels, None)?;
        }
        ColumnWriter::FixedLenByteArrayColumnWriter(writer) => {
            let numbers: Vec<FixedLenByteArray> = values
                .filter_map(|value| match value {
                    Value::Decimal(number) => number.at_scale(scale),
                    _ => None,
                })
                .map(|units| FixedLenByteArray::from(units.to_be_bytes().to_vec()))
                .collect();
            writer.write_batch(&numbers, levels, None)?;
        }
        ColumnWriter::Int64ColumnWriter(writer) => {
            let times: Vec<i64> = values
                .filter_map(|value| match value {
                    Value::Time(time) => Some(time.as_microsecond()),
                    _ => None,
                })
                .collect();
            writer.write_batch(&times, levels, None)?;
        }
        _ => {
            let name = column.name();
            return Err(ParquetError::General(format!("`{name}` has a type that is not written")));
        }
    }
    Ok(())
}
