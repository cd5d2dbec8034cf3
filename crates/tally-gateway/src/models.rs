//! `GET /v1/models`: what is registered, in the shape the client expects.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use tally_types::Dialect;

use crate::{Gateway, auth::admit, contain, plane::Model, refusal::Refusal};

/// Tally does not know when a provider released a model; clients only sort by it.
const CREATED_UNKNOWN_S: i64 = 0;

fn asked_dialect(headers: &HeaderMap) -> Dialect {
    if headers.contains_key("anthropic-version") { Dialect::Anthropic } else { Dialect::OpenAi }
}

fn check_key(gateway: &Gateway, headers: &HeaderMap) -> Result<(), Refusal> {
    let known = admit(gateway, headers, gateway.clock.now())?;
    known.suspended.map_or(Ok(()), |why| Err(contain::refusal(&known.identity.key, &why)))
}

fn entry(model: &Model, dialect: Dialect) -> Value {
    match dialect {
        Dialect::Anthropic => json!({
            "type": "model",
            "id": model.name,
            "display_name": model.name,
            "created_at": "1970-01-01T00:00:00Z",
        }),
        Dialect::OpenAi | Dialect::Gemini => json!({
            "id": model.name,
            "object": "model",
            "created": CREATED_UNKNOWN_S,
            "owned_by": model.routes.first().map(|route| route.upstream.provider.as_str()),
        }),
    }
}

pub(crate) async fn list(State(gateway): State<Arc<Gateway>>, headers: HeaderMap) -> Response {
    let dialect = asked_dialect(&headers);
    if let Err(refusal) = check_key(&gateway, &headers) {
        return refusal.into_reply(dialect);
    }
    let plane = gateway.plane();
    let entries: Vec<Value> = plane.models_of(dialect).map(|model| entry(model, dialect)).collect();
    let ids = |at: Option<&Value>| at.map(|entry| entry["id"].clone());
    Json(match dialect {
        Dialect::Anthropic => json!({
            "first_id": ids(entries.first()),
            "last_id": ids(entries.last()),
            "has_more": false,
            "data": entries,
        }),
        Dialect::OpenAi | Dialect::Gemini => json!({ "object": "list", "data": entries }),
    })
    .into_response()
}

/// Whatever else a client may ask of a provider: told apart from a broken address.
pub(crate) async fn unsupported(
    State(gateway): State<Arc<Gateway>>,
    headers: HeaderMap,
    uri: http::Uri,
) -> Response {
    let dialect = asked_dialect(&headers);
    if let Err(refusal) = check_key(&gateway, &headers) {
        return refusal.into_reply(dialect);
    }
    let path: String = uri.path().chars().take(128).collect();
    Refusal::new(StatusCode::NOT_FOUND, "path_unsupported", format!("Tally does not serve `{path}`"))
        .with_next_step(
            "it serves /v1/chat/completions, /v1/embeddings, /v1/models, /v1/messages and /v1/messages/count_tokens",
        )
        .into_reply(dialect)
}

pub(crate) async fn one(
    State(gateway): State<Arc<Gateway>>,
    headers: HeaderMap,
    Path(name): Path<String>,
) -> Response {
    let dialect = asked_dialect(&headers);
    if let Err(refusal) = check_key(&gateway, &headers) {
        return refusal.into_reply(dialect);
    }
    match gateway.plane().model(&name) {
        Some(model) => Json(entry(model, dialect)).into_response(),
        None => {
            let name: String = name.chars().take(128).collect();
            let message = format!("the model `{name}` is not registered with Tally");
            Refusal::new(StatusCode::NOT_FOUND, "model_not_found", message)
                .with_next_step("`GET /v1/models` lists what is registered")
                .into_reply(dialect)
        }
    }
}
