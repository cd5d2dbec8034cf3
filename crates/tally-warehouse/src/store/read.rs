//! Events back from their columns: the calls behind any number.

use duckdb::{Connection, params_from_iter, types::Value};
use serde_json::{Map, Value as Json};
use tally_types::{EventId, PicoUsd, UsageEvent};

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
    let columns: Vec<_> = schema::EVENTS
        .iter()
        .map(|(name, kind)| {
            if kind.starts_with("UUID") {
                format!("{name}::VARCHAR")
            } else {
                format!("\"{name}\"")
            }
        })
        .collect();
    let sql = format!(
        "SELECT {} FROM events WHERE {condition} ORDER BY time_us DESC, event_id DESC LIMIT {limit}",
        columns.join(", ")
    );
    let mut statement = connection.prepare(&sql)?;
    let mut rows = statement.query(params_from_iter(parameters))?;
    let mut events = Vec::new();
    while let Some(row) = rows.next()? {
        let values = (0..schema::EVENTS.len())
            .map(|index| row.get::<_, Value>(index))
            .collect::<Result<Vec<_>, _>>()?;
        events.push(from_columns(values)?);
    }
    Ok(events)
}

fn from_columns(values: Vec<Value>) -> Result<UsageEvent, WarehouseError> {
    let mut event = Map::new();
    let mut tokens = Map::new();
    for ((name, _), value) in schema::EVENTS.iter().zip(values) {
        let Some(json) = to_json(name, value)? else { continue };
        if TOKENS.contains(name) {
            tokens.insert((*name).to_owned(), json);
        } else {
            let field = if *name == "time_us" { "time" } else { name };
            event.insert(field.to_owned(), json);
        }
    }
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
        Value::UBigInt(number) => Json::from(number),
        Value::Text(text) => match name {
            "tags" | "billing_modifiers" | "tool_requests" | "redactions" => {
                serde_json::from_str(&text)
                    .map_err(|error| WarehouseError::Corrupt(format!("{name}: {error}")))?
            }
            _ => Json::from(text),
        },
        other => return Err(WarehouseError::Corrupt(format!("{name}: {other:?}"))),
    };
    Ok(Some(json))
}
