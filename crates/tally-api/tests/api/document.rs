//! The OpenAPI document: kept beside the code, whole, and without loose ends.

use std::{collections::BTreeSet, path::Path};

use serde_json::Value;
use tally_api::openapi_document;

#[test]
fn the_document_beside_the_code_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json");
    let expected = format!("{}\n", serde_json::to_string_pretty(&openapi_document()).unwrap());
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        std::fs::write(&path, &expected).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == expected, "docs/openapi.json is stale: `make openapi` writes it anew");
}

#[test]
fn every_reference_has_a_target_and_every_operation_says_what_it_does() {
    let document = openapi_document();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let mut ids = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap();
            assert!(ids.insert(id.to_owned()), "{id} twice");
            for field in ["summary", "description"] {
                assert!(!operation[field].as_str().unwrap().is_empty(), "{method} {path}: {field}");
            }
            for parameter in operation["parameters"].as_array().unwrap() {
                let described =
                    parameter["description"].as_str().is_some_and(|text| !text.is_empty());
                assert!(described, "{method} {path}: {parameter}");
            }
            if let Some(body) = operation.get("requestBody") {
                assert!(
                    !body["content"]["application/json"]["example"].is_null(),
                    "{id}: no example"
                );
            }
        }
    }
    let mut references = Vec::new();
    collect(&document, &mut references);
    for reference in references {
        let name = reference.strip_prefix("#/components/schemas/").unwrap();
        assert!(schemas.contains_key(name), "{reference} has no target");
    }
}

#[test]
fn no_type_has_taken_the_name_of_a_list() {
    let document = openapi_document();
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        if name.ends_with("Page") {
            assert_eq!(schema["properties"]["items"]["type"], "array", "{name} is no list");
        }
    }
}

fn collect<'a>(value: &'a Value, references: &mut Vec<&'a str>) {
    match value {
        Value::Object(fields) => {
            references.extend(fields.get("$ref").and_then(Value::as_str));
            fields.values().for_each(|value| collect(value, references));
        }
        Value::Array(items) => items.iter().for_each(|value| collect(value, references)),
        _ => {}
    }
}
