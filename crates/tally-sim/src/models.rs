//! The list of models, in the dialect that the client asks for.

use crate::error::{ApiError, Dialect};
use http::HeaderMap;
use serde_json::{Value, json};

/// Models shown in the list; calls may name any other as well.
const MODELS: &[(&str, &str)] = &[
    ("claude-opus-4-5", "anthropic"),
    ("claude-sonnet-4-5", "anthropic"),
    ("claude-haiku-4-5", "anthropic"),
    ("gpt-5", "openai"),
    ("gpt-5-mini", "openai"),
    ("gpt-4.1", "openai"),
    ("gpt-4.1-mini", "openai"),
    ("gpt-4o", "openai"),
    ("gpt-4o-mini", "openai"),
    ("o3", "openai"),
    ("o4-mini", "openai"),
    ("text-embedding-3-small", "openai"),
    ("text-embedding-3-large", "openai"),
];
const CREATED: u64 = 1_735_689_600;
const CREATED_AT: &str = "2025-01-01T00:00:00Z";

/// Anthropic's clients always say which version they speak.
pub(crate) fn dialect_of(headers: &HeaderMap) -> Dialect {
    if headers.contains_key("anthropic-version") { Dialect::Anthropic } else { Dialect::OpenAi }
}

pub(crate) fn list(dialect: Dialect) -> Value {
    match dialect {
        Dialect::OpenAi => {
            let models = MODELS.iter().map(|(id, _)| describe(dialect, id));
            json!({"object": "list", "data": models.collect::<Vec<_>>()})
        }
        Dialect::Anthropic => {
            let own: Vec<&str> = MODELS
                .iter()
                .filter(|(_, owner)| *owner == "anthropic")
                .map(|(id, _)| *id)
                .collect();
            let models: Vec<Value> = own.iter().map(|id| describe(dialect, id)).collect();
            json!({
                "data": models,
                "has_more": false,
                "first_id": own.first(),
                "last_id": own.last(),
            })
        }
    }
}

/// One model; any name that calls accept is described.
pub(crate) fn find(dialect: Dialect, id: &str) -> Result<Value, ApiError> {
    if id.starts_with("nope-") {
        return Err(ApiError::ModelNotFound(id.to_owned()));
    }
    Ok(describe(dialect, id))
}

fn describe(dialect: Dialect, id: &str) -> Value {
    let owner = MODELS.iter().find(|(known, _)| *known == id).map_or("system", |(_, owner)| *owner);
    match dialect {
        Dialect::OpenAi => {
            json!({"id": id, "object": "model", "created": CREATED, "owned_by": owner})
        }
        Dialect::Anthropic => {
            json!({"type": "model", "id": id, "display_name": id, "created_at": CREATED_AT})
        }
    }
}
