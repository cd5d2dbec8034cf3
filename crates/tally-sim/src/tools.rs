//! Tool calls: which tools a request offers, and arguments that fit their schemas.

use crate::random::Rng;
use crate::text::write_phrase;
use serde_json::{Map, Value};

/// A tool that the request offers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ToolSpec<'a> {
    pub(crate) name: &'a str,
    pub(crate) schema: Option<&'a Value>,
}

/// What the request says about using tools.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ToolChoice<'a> {
    Never,
    Auto,
    Any,
    Named(&'a str),
}

const DEPTH_MAX: u32 = 4;
const PROPERTIES_MAX: usize = 12;

/// Arguments for a tool, as the JSON text that is streamed; every text in them is `said`,
/// where a test asks for it.
pub(crate) fn arguments(schema: Option<&Value>, said: Option<&str>, rng: &mut Rng) -> String {
    let mut value = match schema {
        Some(schema) => object_for(schema, rng, 0),
        None => Value::Object(Map::new()),
    };
    if let Some(said) = said {
        say(&mut value, said);
    }
    value.to_string()
}

fn say(value: &mut Value, said: &str) {
    match value {
        Value::String(text) => said.clone_into(text),
        Value::Object(fields) => fields.values_mut().for_each(|value| say(value, said)),
        Value::Array(items) => items.iter_mut().for_each(|value| say(value, said)),
        _ => {}
    }
}

fn object_for(schema: &Value, rng: &mut Rng, depth: u32) -> Value {
    let properties = schema.get("properties").and_then(Value::as_object);
    let fields = properties.into_iter().flatten().take(PROPERTIES_MAX);
    Value::Object(
        fields.map(|(name, schema)| (name.clone(), value_for(schema, rng, depth + 1))).collect(),
    )
}

fn value_for(schema: &Value, rng: &mut Rng, depth: u32) -> Value {
    if let Some(constant) = schema.get("const") {
        return constant.clone();
    }
    if let Some(options) = schema.get("enum").and_then(Value::as_array) {
        return rng.pick(options).cloned().unwrap_or(Value::Null);
    }
    match type_of(schema) {
        "integer" => Value::from(rng.between(1, 5_000)),
        "number" => Value::from(rng.between(1, 50_000) as f64 / 100.0),
        "boolean" => Value::from(rng.chance(1, 2)),
        "null" => Value::Null,
        "array" if depth < DEPTH_MAX => {
            let items = schema.get("items").unwrap_or(&Value::Null);
            (0..rng.between(1, 3)).map(|_| value_for(items, rng, depth + 1)).collect()
        }
        "array" => Value::Array(Vec::new()),
        "object" if depth < DEPTH_MAX => object_for(schema, rng, depth),
        "object" => Value::Object(Map::new()),
        _ => {
            let words = rng.between(1, 8);
            Value::from(write_phrase(words, rng))
        }
    }
}

/// The first type that a schema allows; strings when it does not say.
fn type_of(schema: &Value) -> &str {
    match schema.get("type") {
        Some(Value::String(name)) => name,
        Some(Value::Array(names)) => names.first().and_then(Value::as_str).unwrap_or("string"),
        _ if schema.get("properties").is_some() => "object",
        _ => "string",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn arguments_fit_the_schema() {
        let schema = json!({"type": "object", "properties": {
            "city": {"type": "string"}, "days": {"type": "integer"},
            "unit": {"enum": ["C", "F"]}, "tags": {"type": "array", "items": {"type": "string"}},
            "where": {"type": "object", "properties": {"lat": {"type": "number"}}},
            "maybe": {"type": ["boolean", "null"]},
        }});
        let text = arguments(Some(&schema), None, &mut Rng::new(2));
        let value: Value = serde_json::from_str(&text).unwrap();
        assert!(value["city"].is_string() && value["days"].is_u64());
        assert!(value["unit"] == "C" || value["unit"] == "F");
        assert!(value["tags"][0].is_string() && value["where"]["lat"].is_f64());
        assert!(value["maybe"].is_boolean());
        assert_eq!(arguments(None, None, &mut Rng::new(2)), "{}");
        let said = arguments(Some(&schema), Some("hello"), &mut Rng::new(2));
        let value: Value = serde_json::from_str(&said).unwrap();
        assert_eq!((&value["city"], &value["tags"][0]), (&json!("hello"), &json!("hello")));
    }

    #[test]
    fn recursive_looking_schemas_end() {
        let mut schema = json!({"type": "string"});
        for _ in 0..50 {
            schema = json!({"type": "object", "properties": {"next": schema}});
        }
        assert!(arguments(Some(&schema), None, &mut Rng::new(1)).len() < 200);
    }
}
