//! The schemas that the OpenAPI document names.
//!
//! What is sent may leave out what has a default; what is answered never does. So a
//! type that is both has two schemas where these differ, the one that is sent with
//! `Input` at the end of its name.

use std::collections::BTreeSet;

use schemars::{SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value};

const SCHEMAS: &str = "#/components/schemas/";
/// Where references of requests point until it is known which of them differ.
const REQUESTS: &str = "#/components/requests/";

/// Collects the schemas of a document.
pub(crate) struct Components {
    pub(crate) replies: SchemaGenerator,
    pub(crate) requests: SchemaGenerator,
}

// === impl Components ===

impl Default for Components {
    fn default() -> Self {
        let settings = |path: &'static str| {
            SchemaSettings::draft2020_12().with(|settings| settings.definitions_path = path.into())
        };
        Self {
            replies: settings("/components/schemas").for_serialize().into_generator(),
            requests: settings("/components/requests").for_deserialize().into_generator(),
        }
    }
}

impl Components {
    /// All schemas by name; the references in `paths` point to them afterwards.
    pub(crate) fn finish(mut self, paths: &mut Value) -> Map<String, Value> {
        let mut schemas = self.replies.take_definitions(true);
        let mut sent = self.requests.take_definitions(true);
        let differing = differing(&schemas, &sent);
        for schema in sent.values_mut() {
            settle(schema, &differing);
        }
        for (name, schema) in sent {
            let name = if differing.contains(&name) { format!("{name}Input") } else { name };
            schemas.insert(name, schema);
        }
        settle(paths, &differing);
        schemas
    }
}

/// The names whose schemas differ, or refer to one that does.
fn differing(replies: &Map<String, Value>, sent: &Map<String, Value>) -> BTreeSet<String> {
    let differs = |(name, schema): &(&String, &Value)| {
        replies.get(*name).is_some_and(|reply| {
            let sent = schema.to_string().replace(REQUESTS, SCHEMAS);
            sent != reply.to_string().as_str()
        })
    };
    let mut found: BTreeSet<String> =
        sent.iter().filter(differs).map(|(name, _)| name.clone()).collect();
    loop {
        let refers = |(name, schema): &(&String, &Value)| {
            let text = schema.to_string();
            replies.contains_key(*name)
                && !found.contains(*name)
                && found.iter().any(|other| text.contains(&format!("\"{REQUESTS}{other}\"")))
        };
        let more: Vec<String> = sent.iter().filter(refers).map(|(name, _)| name.clone()).collect();
        if more.is_empty() {
            return found;
        }
        found.extend(more);
    }
}

/// Points the references of requests to where their schemas are.
fn settle(value: &mut Value, differing: &BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::String(reference)) = fields.get_mut("$ref")
                && let Some(name) = reference.strip_prefix(REQUESTS)
            {
                let suffix = if differing.contains(name) { "Input" } else { "" };
                *reference = format!("{SCHEMAS}{name}{suffix}");
            }
            fields.values_mut().for_each(|value| settle(value, differing));
        }
        Value::Array(items) => items.iter_mut().for_each(|value| settle(value, differing)),
        _ => {}
    }
}
