//! Events and outcomes as columns, for DuckDB's appender.

use std::{collections::HashMap, sync::Arc};

use duckdb::{
    Appender, Connection,
    arrow::{
        array::{
            ArrayRef, BooleanArray, FixedSizeBinaryArray, Int64Array, RecordBatch, StringArray,
            UInt16Array, UInt32Array, UInt64Array,
        },
        datatypes::{DataType, Field, Schema},
        error::ArrowError,
    },
};
use serde::Serialize;
use tally_types::{Fingerprint, Outcome, PicoUsd, UsageEvent, WorkloadName};
use uuid::Uuid;

use crate::error::WarehouseError;

/// Appends columns one after the other, in the order of the table.
#[derive(Default)]
pub(super) struct Columns {
    fields: Vec<Field>,
    arrays: Vec<ArrayRef>,
}

/// Something a table keeps, by id.
pub(crate) trait Row {
    /// Its id.
    fn id(&self) -> Uuid;
    /// Of the same id, the highest revision counts.
    fn revision(&self) -> u32;
    /// When it happened, in microseconds.
    fn time_us(&self) -> i64;
    /// Rows as columns, in the order of the table.
    fn columns(rows: &[&Self]) -> Result<RecordBatch, WarehouseError>;
}

// === impl Columns ===

impl Columns {
    pub(super) fn add(&mut self, array: impl duckdb::arrow::array::Array + 'static) {
        let name = self.fields.len().to_string();
        self.fields.push(Field::new(name, array.data_type().clone(), true));
        self.arrays.push(Arc::new(array));
    }

    fn uuid(&mut self, ids: impl Iterator<Item = Uuid>) -> Result<(), WarehouseError> {
        self.known_uuid(ids.map(Some))
    }

    pub(super) fn known_uuid(
        &mut self,
        ids: impl Iterator<Item = Option<Uuid>>,
    ) -> Result<(), WarehouseError> {
        let array = FixedSizeBinaryArray::try_from_sparse_iter_with_size(
            ids.map(|id| id.map(Uuid::into_bytes)),
            16,
        )
        .map_err(not_columns)?;
        let name = self.fields.len().to_string();
        let uuid = HashMap::from([("ARROW:extension:name".to_owned(), "arrow.uuid".to_owned())]);
        self.fields.push(Field::new(name, DataType::FixedSizeBinary(16), true).with_metadata(uuid));
        self.arrays.push(Arc::new(array));
        Ok(())
    }

    pub(super) fn text<'a>(&mut self, texts: impl Iterator<Item = Option<&'a str>>) {
        self.add(texts.collect::<StringArray>());
    }

    pub(super) fn word(&mut self, words: impl Iterator<Item = &'static str>) {
        self.add(words.map(Some).collect::<StringArray>());
    }

    fn json<'a, T: Serialize + Emptiness + 'a>(&mut self, values: impl Iterator<Item = &'a T>) {
        let texts = values
            .map(|value| if value.nothing() { None } else { serde_json::to_string(value).ok() });
        self.add(texts.collect::<StringArray>());
    }

    fn money(&mut self, amounts: impl Iterator<Item = Option<PicoUsd>>) {
        self.add(amounts.map(|amount| amount.map(PicoUsd::pico)).collect::<Int64Array>());
    }

    fn task_keys(&mut self, keys: impl Iterator<Item = Option<u64>>) {
        self.add(keys.collect::<UInt64Array>());
    }

    pub(super) fn finish(self) -> Result<RecordBatch, WarehouseError> {
        RecordBatch::try_new(Arc::new(Schema::new(self.fields)), self.arrays).map_err(not_columns)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the signature map_err asks for")]
fn not_columns(error: ArrowError) -> WarehouseError {
    WarehouseError::Corrupt(format!("rows do not fit their columns: {error}"))
}

/// Whether a collection is empty, and so stored as null.
trait Emptiness {
    fn nothing(&self) -> bool;
}

impl<K, V> Emptiness for std::collections::BTreeMap<K, V> {
    fn nothing(&self) -> bool {
        self.is_empty()
    }
}

impl<T> Emptiness for Vec<T> {
    fn nothing(&self) -> bool {
        self.is_empty()
    }
}

/// A column of optional names or words.
macro_rules! text {
    ($columns:ident, $rows:ident, $($field:ident),*) => {
        $($columns.text($rows.iter().map(|row| row.$field.as_ref().map(|text| text.as_str())));)*
    };
}

/// A column of words that are always there.
macro_rules! word {
    ($columns:ident, $rows:ident, $field:ident) => {
        $columns.word($rows.iter().map(|row| row.$field.as_str()))
    };
}

/// A column of numbers or truth values.
macro_rules! plain {
    ($columns:ident, $rows:ident, $array:ident, $($field:ident).+) => {
        $columns.add($rows.iter().map(|row| Some(row.$($field).+)).collect::<$array>())
    };
}

/// A column of numbers that may be unknown.
macro_rules! known {
    ($columns:ident, $rows:ident, $array:ident, $field:ident) => {
        $columns.add($rows.iter().map(|row| row.$field).collect::<$array>())
    };
}

impl Row for UsageEvent {
    fn id(&self) -> Uuid {
        self.event_id.0
    }

    fn revision(&self) -> u32 {
        self.revision
    }

    fn time_us(&self) -> i64 {
        self.time.as_microsecond()
    }

    fn columns(rows: &[&Self]) -> Result<RecordBatch, WarehouseError> {
        let mut columns = Columns::default();
        columns.uuid(rows.iter().map(|row| row.event_id.0))?;
        plain!(columns, rows, UInt32Array, revision);
        columns.uuid(rows.iter().map(|row| row.call_id.0))?;
        columns.add(rows.iter().map(|row| Some(row.time_us())).collect::<Int64Array>());
        attribution(&mut columns, rows);
        service(&mut columns, rows);
        result(&mut columns, rows);
        columns.task_keys(rows.iter().map(|row| task_key_of(row)));
        policies(&mut columns, rows);
        let bits = |row: &&Self| row.prompt_fingerprint.map(Fingerprint::bits);
        columns.add(rows.iter().map(bits).collect::<UInt64Array>());
        columns.finish()
    }
}

fn policies(columns: &mut Columns, rows: &[&UsageEvent]) {
    columns.json(rows.iter().map(|row| &row.rules));
    columns.json(rows.iter().map(|row| &row.shadow_rules));
    text!(columns, rows, policy_decision, policy_severity);
    columns.text(rows.iter().map(|row| row.rules.first().map(String::as_str)));
    columns.add(rows.iter().map(|row| Some(row.is_violation())).collect::<BooleanArray>());
}

fn attribution(columns: &mut Columns, rows: &[&UsageEvent]) {
    word!(columns, rows, source);
    text!(columns, rows, person, team, department, cost_center, key, workload, workload_class);
    text!(columns, rows, application, user_agent);
    word!(columns, rows, environment);
    text!(columns, rows, task_type, task_id, session, value_tag);
    columns.json(rows.iter().map(|row| &row.tags));
    text!(columns, rows, template);
}

fn service(columns: &mut Columns, rows: &[&UsageEvent]) {
    text!(columns, rows, provider);
    columns.text(rows.iter().map(|row| Some(row.operation.as_str())));
    text!(columns, rows, model_family);
    columns.text(rows.iter().map(|row| Some(row.model_requested.as_str())));
    text!(columns, rows, model_served, model_reported, tier);
    word!(columns, rows, service_tier);
    columns.json(rows.iter().map(|row| &row.billing_modifiers));
    columns.json(rows.iter().map(|row| &row.tool_requests));
    text!(columns, rows, provider_request_id, provider_response_id);
}

fn result(columns: &mut Columns, rows: &[&UsageEvent]) {
    plain!(columns, rows, UInt64Array, tokens.input_uncached);
    plain!(columns, rows, UInt64Array, tokens.cache_read);
    plain!(columns, rows, UInt64Array, tokens.cache_write_5m);
    plain!(columns, rows, UInt64Array, tokens.cache_write_1h);
    plain!(columns, rows, UInt64Array, tokens.output);
    plain!(columns, rows, UInt64Array, tokens.reasoning);
    word!(columns, rows, counts);
    known!(columns, rows, UInt64Array, latency_us);
    known!(columns, rows, UInt64Array, first_token_us);
    plain!(columns, rows, BooleanArray, streamed);
    word!(columns, rows, status);
    known!(columns, rows, UInt16Array, http_status);
    text!(columns, rows, error_code);
    plain!(columns, rows, UInt16Array, retries);
    text!(columns, rows, fallback);
    word!(columns, rows, data_class);
    columns.json(rows.iter().map(|row| &row.redactions));
    columns.money(rows.iter().map(|row| row.cost_list_usd));
    columns.money(rows.iter().map(|row| row.cost_internal_usd));
    text!(columns, rows, price_version, unpriced_reason);
    plain!(columns, rows, BooleanArray, subscription);
}

impl Row for Outcome {
    fn id(&self) -> Uuid {
        self.outcome_id.0
    }

    fn revision(&self) -> u32 {
        self.revision
    }

    fn time_us(&self) -> i64 {
        self.time.as_microsecond()
    }

    fn columns(rows: &[&Self]) -> Result<RecordBatch, WarehouseError> {
        let mut columns = Columns::default();
        columns.uuid(rows.iter().map(|row| row.outcome_id.0))?;
        plain!(columns, rows, UInt32Array, revision);
        columns.add(rows.iter().map(|row| Some(row.time_us())).collect::<Int64Array>());
        text!(columns, rows, workload);
        columns.text(rows.iter().map(|row| Some(row.task_id.as_str())));
        word!(columns, rows, result);
        plain!(columns, rows, BooleanArray, escalated);
        known!(columns, rows, UInt16Array, quality_bp);
        columns.money(rows.iter().map(|row| row.value_usd));
        known!(columns, rows, UInt32Array, tickets_deflected);
        known!(columns, rows, UInt32Array, conversions);
        known!(columns, rows, UInt32Array, minutes_saved);
        columns
            .task_keys(rows.iter().map(|row| Some(task_key(row.workload.as_ref(), &row.task_id))));
        let reporters: Vec<_> =
            rows.iter().map(|row| row.reported_by.as_ref().map(ToString::to_string)).collect();
        columns.text(reporters.iter().map(Option::as_deref));
        columns.finish()
    }
}

/// The key of the task a call belongs to.
pub(crate) fn task_key_of(event: &UsageEvent) -> Option<u64> {
    Some(task_key(event.workload.as_ref(), event.task_id.as_deref()?))
}

/// 64 bits that join the calls and the outcomes of one task. A workload's name
/// holds no control characters, so the text hashed is unambiguous; among 100 million
/// tasks the chance that any two are mixed up is 1 in 3,700.
pub(crate) fn task_key(workload: Option<&WorkloadName>, task: &str) -> u64 {
    let workload = workload.map_or("", |name| name.as_str());
    let text = format!("{workload}\u{1f}{task}");
    Uuid::new_v5(&Uuid::NAMESPACE_OID, text.as_bytes()).as_u64_pair().0
}

/// Appends rows to a table.
///
/// # Errors
/// When DuckDB fails.
pub(crate) fn append<R: Row>(
    connection: &Connection,
    table: &str,
    rows: &[&R],
) -> Result<(), WarehouseError> {
    let mut appender = connection.appender(table)?;
    appender.append_record_batch(R::columns(rows)?)?;
    appender.flush()?;
    Ok(())
}

/// Appends 64-bit keys to a table of one column.
///
/// # Errors
/// When DuckDB fails.
pub(crate) fn append_keys(
    mut appender: Appender<'_>,
    keys: impl Iterator<Item = u64>,
) -> Result<(), WarehouseError> {
    let mut columns = Columns::default();
    columns.add(UInt64Array::from_iter_values(keys));
    appender.append_record_batch(columns.finish()?)?;
    appender.flush()?;
    Ok(())
}

/// Creates a temporary table of ids and appends to it.
///
/// # Errors
/// When DuckDB fails.
pub(crate) fn load_ids(
    connection: &Connection,
    table: &str,
    ids: impl Iterator<Item = Uuid>,
) -> Result<(), WarehouseError> {
    let mut columns = Columns::default();
    columns.uuid(ids)?;
    connection
        .execute_batch(&format!("CREATE OR REPLACE TEMP TABLE {table} (id UUID NOT NULL)"))?;
    let mut appender = connection.appender_to_catalog_and_db(table, "temp", "main")?;
    appender.append_record_batch(columns.finish()?)?;
    appender.flush()?;
    Ok(())
}
