//! Schemas of resources: one shape, with the spec of their kind.

use std::sync::Arc;

use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};
use tally_types::{Kind, Name, Timestamp};

use crate::operation::SchemaOf;

/// What the operations on a kind take and give.
pub(crate) struct KindSchemas {
    pub(crate) resource: SchemaOf,
    pub(crate) page: SchemaOf,
    pub(crate) new: SchemaOf,
    pub(crate) changed: SchemaOf,
}

/// The schemas of a kind.
pub(crate) fn of_kind(kind: Kind) -> KindSchemas {
    KindSchemas {
        resource: Arc::new(move |generator| resource(kind, generator)),
        page: Arc::new(move |generator| page(kind, generator)),
        new: Arc::new(move |generator| {
            let name = generator.subschema_for::<Name>();
            object(&json!({ "name": name, "spec": kind.subschema(generator) }), &["name", "spec"])
        }),
        changed: Arc::new(move |generator| {
            let version = json!({ "type": "integer", "description": "The version that was read." });
            let fields = json!({ "version": version, "spec": kind.subschema(generator) });
            object(&fields, &["version", "spec"])
        }),
    }
}

fn resource(kind: Kind, generator: &mut SchemaGenerator) -> Schema {
    let time = generator.subschema_for::<Timestamp>();
    let fields = json!({
        "kind": { "const": kind.as_str() },
        "name": generator.subschema_for::<Name>(),
        "version": { "type": "integer", "description": "1 at creation, raised by each change." },
        "spec": kind.subschema(generator),
        "status": { "description": "What Tally made of it." },
        "applied_by": { "type": "string", "description": "The file set that created it." },
        "created_at": time,
        "updated_at": time,
    });
    let required = ["kind", "name", "version", "spec", "created_at", "updated_at"];
    named(generator, format!("{kind}Resource"), object(&fields, &required))
}

fn page(kind: Kind, generator: &mut SchemaGenerator) -> Schema {
    let items = json!({ "type": "array", "items": resource(kind, generator) });
    let next =
        json!({ "type": ["string", "null"], "description": "The `after` of the next page." });
    let fields = json!({ "items": items, "next": next });
    named(generator, format!("{kind}Page"), object(&fields, &["items", "next"]))
}

/// Keeps a schema under a name, and refers to it. A type of another shape under the same name would
/// take its place without a word, hence the assertion.
fn named(generator: &mut SchemaGenerator, name: String, schema: Schema) -> Schema {
    let path = generator.settings().definitions_path.trim_end_matches('/').to_owned();
    let reference = format!("#{path}/{name}");
    debug_assert!(
        generator.definitions().get(&name).is_none_or(|kept| kept == schema.as_value()),
        "two schemas are named {name}"
    );
    generator.definitions_mut().insert(name, schema.into());
    json_schema!({ "$ref": reference })
}

fn object(fields: &Value, required: &[&str]) -> Schema {
    json_schema!({ "type": "object", "properties": fields, "required": required })
}
