//! Events back from their columns: the calls behind any number.

use duckdb::{Connection, params_from_iter, types::Value};
use serde_json::{Map, Value as Json};
use tally_types::{EventId, Fingerprint, PicoUsd, UsageEvent};

use crate::{error::WarehouseError, schema, zone};

const TOKENS: &[&str] =
    &["input_uncached", "cache_read", "cache_write_5m", "cache_write_1h", "output", "reasoning"];

/// One event by its id, in its newest revision.
///
/// # Errors
/// When DuckDB fails or a stored value cannot be read.
pub(crate) fn event(
    connection: &Connection,
    id: EventId,
) -> Result<Option<UsageEvent>, WarehouseError> {
    // An id is hexadecimal digits: as a literal it lets zone maps skip.
    let found = events(connection, &format!("event_id = '{id}'::UUID"), &[], 1)?;
    Ok(found.into_iter().next())
}

/// Whether any event was made by the demo.
///
/// # Errors
/// When DuckDB fails.
pub(crate) fn has_simulated(connection: &Connection) -> Result<bool, WarehouseError> {
    let sql = "SELECT count(*) > 0 FROM (SELECT 1 FROM events WHERE source = 'simulated' LIMIT 1)";
    Ok(connection.query_row(sql, [], |row| row.get(0))?)
}

/// The newest events that match a condition, newest first.
///
/// # Errors
/// When DuckDB fails or a stored value cannot be read.
pub(crate) fn events(
    connection: &Connection,
    condition: &str,
    parameters: &[String],
    limit: usize,
) -> Result<Vec<UsageEvent>, WarehouseError> {
    let columns = schema::kept_events();
    let sql = format!(
        "SELECT {} FROM events WHERE {condition} ORDER BY time_us DESC, event_id DESC LIMIT {limit}",
        select(&columns)
    );
    let rows = rows(connection, &sql, parameters, &columns)?;
    rows.into_iter().map(from_fields).collect()
}

/// SQL: columns as [`rows`] reads them.
pub(super) fn select(columns: &[(&str, &str)]) -> String {
    let columns: Vec<_> = columns
        .iter()
        .map(|(name, kind)| match kind.starts_with("UUID") {
            true => format!("\"{name}\"::VARCHAR"),
            false => format!("\"{name}\""),
        })
        .collect();
    columns.join(", ")
}

/// Rows as JSON objects with the columns' names, without what is null.
///
/// # Errors
/// When DuckDB fails or a stored value cannot be read.
pub(super) fn rows(
    connection: &Connection,
    sql: &str,
    parameters: &[String],
    columns: &[(&str, &str)],
) -> Result<Vec<Map<String, Json>>, WarehouseError> {
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query(params_from_iter(parameters))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let mut fields = Map::new();
        for (index, (name, _)) in columns.iter().enumerate() {
            if let Some(json) = to_json(name, row.get::<_, Value>(index)?)? {
                let field = if *name == "time_us" { "time" } else { name };
                fields.insert(field.to_owned(), json);
            }
        }
        found.push(fields);
    }
    Ok(found)
}

fn from_fields(mut event: Map<String, Json>) -> Result<UsageEvent, WarehouseError> {
    let tokens = TOKENS.iter().filter_map(|name| event.remove_entry(*name)).collect();
    event.insert("tokens".to_owned(), Json::Object(tokens));
    serde_json::from_value(Json::Object(event))
        .map_err(|error| WarehouseError::Corrupt(format!("an event: {error}")))
}

/// A column's value as the event's JSON has it; nothing for null.
fn to_json(name: &str, value: Value) -> Result<Option<Json>, WarehouseError> {
    let json = match value {
        Value::Null => return Ok(None),
        Value::Boolean(truth) => Json::from(truth),
        Value::BigInt(us) if name == "time_us" => Json::from(zone::timestamp(us)?.to_string()),
        Value::BigInt(pico) => Json::from(PicoUsd::from_pico(pico).to_string()),
        Value::USmallInt(number) => Json::from(number),
        Value::UInt(number) => Json::from(number),
        Value::UBigInt(bits) if name == "prompt_fingerprint" => {
            Json::from(Fingerprint::new(bits).to_string())
        }
        Value::UBigInt(number) => Json::from(number),
        Value::Text(text) => match name {
            "tags" | "billing_modifiers" | "tool_requests" | "redactions" | "rules"
            | "shadow_rules" => serde_json::from_str(&text)
                .map_err(|error| WarehouseError::Corrupt(format!("{name}: {error}")))?,
            _ => Json::from(text),
        },
        other => return Err(WarehouseError::Corrupt(format!("{name}: {other:?}"))),
    };
    Ok(Some(json))
}
