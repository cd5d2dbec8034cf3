//! `tally status`: whether Tally is up and what state it is in.

use anyhow::anyhow;
use serde_json::{Value, json};

use super::{
    client::Client,
    connection::Connection,
    number, output,
    table::{Align, Table},
};

/// Runs `tally status`.
///
/// # Errors
/// Tally refuses, cannot be reached, or is not ready: then the error says why.
pub(crate) async fn run(connection: &Connection) -> anyhow::Result<()> {
    let client = Client::new(connection)?;
    let ready = client.reply(&["readyz"]).await?;
    let is_ready = ready.status.is_success();
    let said: Value = serde_json::from_str(&ready.body)
        .unwrap_or_else(|_| Value::String(ready.body.trim().to_owned()));
    // Only operators may read it all; whether it is ready is for everyone.
    let (status, refusal) = match client.get::<Value>(&["api", "v1", "status"], &[]).await {
        Ok(status) => (status, None),
        Err(error) => (Value::Null, Some(error)),
    };
    if connection.json {
        output::json(&json!({ "ready": is_ready, "readyz": said, "status": status }))?;
    } else {
        let word = if is_ready { "ready" } else { "not ready" };
        let facts = if refusal.is_none() { &status } else { &said };
        output::out(&format!("{} is {word}\n\n{}", client.address(), render(facts)))?;
    }
    if let Some(refusal) = refusal {
        return Err(refusal);
    }
    if is_ready {
        return Ok(());
    }
    Err(anyhow!("{} is not ready: {}", client.address(), summary(&said)))
}

/// Every fact on a line of its own, whatever a version of Tally has to say.
fn render(status: &Value) -> String {
    let mut facts = Vec::new();
    collect("", status, &mut facts);
    let mut table = Table::new([("Fact", Align::Left), ("Value", Align::Left)]);
    for (name, value) in facts {
        table.row([name, value]);
    }
    table.render()
}

fn collect(path: &str, value: &Value, facts: &mut Vec<(String, String)>) {
    let join = |name: &str| {
        let name = name.replace('_', " ");
        if path.is_empty() { name } else { format!("{path} · {name}") }
    };
    match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(name, value)| collect(&join(name), value, facts));
        }
        // Each problem is a sentence of its own: a line for each.
        Value::Array(items) if items.len() > 1 || items.iter().any(|item| item.is_object()) => {
            for (index, item) in items.iter().enumerate() {
                let name = item.get("name").and_then(Value::as_str).map(str::to_owned);
                collect(&join(&name.unwrap_or_else(|| (index + 1).to_string())), item, facts);
            }
        }
        other => facts.push((path.to_owned(), summary(other))),
    }
}

fn summary(value: &Value) -> String {
    match value {
        Value::Null => "–".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::String(text) => text.clone(),
        Value::Number(number) => number
            .as_i64()
            .map_or_else(|| number.to_string(), |count| number::count(i128::from(count))),
        Value::Array(items) if items.is_empty() => "none".to_owned(),
        Value::Array(items) => items.iter().map(summary).collect::<Vec<_>>().join(", "),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| format!("{name}: {}", summary(value)))
            .collect::<Vec<_>>()
            .join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fact_has_a_line() {
        let status = json!({
            "version": "0.1.0",
            "journal": {"events_pending": 1204, "full": false},
            "providers": [{"name": "openai", "healthy": true}],
            "warnings": ["a", "b"],
            "last_call": null,
        });
        insta::assert_snapshot!(render(&status));
    }
}
