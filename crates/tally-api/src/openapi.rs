//! The OpenAPI document, made from the operations.

use std::{fmt::Write as _, sync::Arc};

use axum::{Json, extract::State};
use http::StatusCode;
use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value, json};
use tally_types::KeyScope;

use crate::{
    components::Components,
    operation::{Access, Operation, SchemaOf},
    state::Api,
};

const TAGS: &[(&str, &str)] = &[
    (
        "usage",
        "Who used what, for which work, at what cost: the metrics layer, usage events, calls, the live feed.",
    ),
    (
        "resources",
        "Everything a person configures: one shape, one audit path, optimistic concurrency by version.",
    ),
    ("keys", "Virtual keys: made, rotated, revoked."),
    ("budgets", "Budgets: temporary increases, approvals, the stages that were reached."),
    ("notifications", "What people were told, and what was sent out of the house."),
    ("prices", "Prices that hold now."),
    ("me", "The caller: who, what they see, their sessions."),
    ("sign-in", "Sign-in, set-up, invitations."),
    ("accounts", "Local accounts and invitations, for admins."),
    ("audit", "Every change: who, what, when, why."),
    ("retention", "How long personal data is kept, the purge, and kept prompts."),
    ("operation", "Health, metrics, the state of the parts."),
];

pub(crate) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("openapi", "/api/openapi.json", Access::SignedIn, serve)
            .about("operation", "This document", "OpenAPI 3.1.")
            .reply::<Value>("The document."),
    ]
}

async fn serve(State(api): State<Arc<Api>>) -> Json<Value> {
    Json(document(api.operations()))
}

/// The OpenAPI document of these operations; the same at every time.
pub(crate) fn document<'a>(operations: impl Iterator<Item = &'a Operation>) -> Value {
    let mut components = Components::default();
    let mut paths = Map::new();
    for operation in operations {
        let described = describe(operation, &mut components);
        let path = paths.entry(operation.path.clone()).or_insert_with(|| json!({}));
        if let Some(methods) = path.as_object_mut() {
            methods.insert(operation.method.as_str().to_lowercase(), described);
        }
    }
    let mut paths = Value::Object(paths);
    let mut schemas = components.finish(&mut paths);
    schemas.insert("Problem".to_owned(), problem_schema());
    let tags: Vec<Value> = TAGS
        .iter()
        .map(|(name, description)| json!({ "name": name, "description": description }))
        .collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Tally",
            "version": env!("CARGO_PKG_VERSION"),
            "description": INTRODUCTION,
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "tags": tags,
        "security": [{ "key": [] }, { "session": [] }],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "key": { "type": "http", "scheme": "bearer", "description": "A Tally key." },
                "session": {
                    "type": "apiKey", "in": "cookie", "name": "tally_session",
                    "description": "The cookie of a session. Changes need the header `x-tally-csrf` with the `csrf_token` of `GET /api/v1/me`.",
                },
            },
        },
    })
}

const INTRODUCTION: &str = "The meter, the budget office and the ledger for a company's AI tokens. \
Everything the interface and the command line do goes through these operations.\n\n\
Money is in US dollars as decimal strings, exact to the picodollar. Token counts are integers. \
Times are RFC 3339 in UTC. Lists take `limit` and `after`, and answer `items` and `next`. \
Errors are problem details (RFC 9457) with `code`, `detail` and `next_step`. \
A `POST` with the header `idempotency-key` is done once, however often it is sent within 24 hours.";

fn describe(operation: &Operation, components: &mut Components) -> Value {
    let mut described = json!({
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": operation.summary,
        "description": description(operation),
        "parameters": parameters(operation, &mut components.requests),
        "responses": responses(operation, &mut components.replies),
        "x-tally-access": access(operation.access),
    });
    let Some(fields) = described.as_object_mut() else { return described };
    if operation.access == Access::Open {
        fields.insert("security".to_owned(), json!([]));
    }
    if operation.is_audited {
        fields.insert("x-tally-audited".to_owned(), Value::Bool(true));
    }
    if let Some(request) = &operation.request {
        let schema = (request.schema)(&mut components.requests);
        let content = json!({ "schema": schema, "example": request.example });
        fields.insert(
            "requestBody".to_owned(),
            json!({ "required": true, "content": { "application/json": content } }),
        );
    }
    described
}

fn description(operation: &Operation) -> String {
    let mut text = operation.description.to_owned();
    let _ = match operation.access {
        Access::Open => write!(text, "\n\nNeeds no key."),
        Access::SignedIn => write!(text, "\n\nFor everyone who has a role."),
        Access::Session => write!(text, "\n\nFor people who are signed in; keys are refused."),
        Access::Roles(_) => write!(text, "\n\nRoles: {}.", words(operation.access)),
        Access::OwnOr(_) => {
            write!(
                text,
                "\n\nRoles: {}; whoever else, for what is their own.",
                words(operation.access)
            )
        }
        Access::Usage(_) => write!(
            text,
            "\n\nRoles: {}; managers for their teams, developers for themselves.",
            words(operation.access)
        ),
    };
    if operation.access != Access::Open && operation.scope() == KeyScope::Write {
        let _ = write!(text, " Keys need the scope `write`.");
    }
    text
}

fn words(access: Access) -> String {
    let (Access::Roles(roles) | Access::OwnOr(roles) | Access::Usage(roles)) = access else {
        return String::new();
    };
    roles.iter().map(|role| role.as_str()).collect::<Vec<_>>().join(", ")
}

/// For programs: which roles, and whether others for their own.
fn access(access: Access) -> Value {
    let kind = match access {
        Access::Open => "open",
        Access::SignedIn => "signed_in",
        Access::Session => "session",
        Access::Roles(_) => "roles",
        Access::OwnOr(_) => "roles_or_own",
        Access::Usage(_) => "usage",
    };
    match access {
        Access::Roles(roles) | Access::OwnOr(roles) | Access::Usage(roles) => {
            json!({ "kind": kind, "roles": roles })
        }
        _ => json!({ "kind": kind }),
    }
}

fn parameters(operation: &Operation, generator: &mut SchemaGenerator) -> Vec<Value> {
    let in_path = operation.path.split('/').filter_map(|part| {
        let name = part.strip_prefix('{')?.strip_suffix('}')?;
        let what = match name {
            "name" => "The name, percent-encoded.",
            "person" => "The name of the person.",
            _ => "The id, a UUID.",
        };
        Some(json!({
            "name": name, "in": "path", "required": true, "description": what,
            "schema": { "type": "string" },
        }))
    });
    let mut parameters: Vec<Value> = in_path.collect();
    if let Some(schema_of) = &operation.query {
        parameters.extend(in_query(schema_of, generator));
    }
    if operation.method == http::Method::POST && !operation.reads {
        parameters.push(json!({
            "name": "idempotency-key", "in": "header", "required": false,
            "description": "Sent again with the same key within 24 hours, the request is not done twice.",
            "schema": { "type": "string", "maxLength": 255 },
        }));
    }
    parameters
}

/// The fields of the query string's type are its parameters.
fn in_query(schema_of: &SchemaOf, generator: &mut SchemaGenerator) -> Vec<Value> {
    let schema: Schema = schema_of(generator);
    let required: Vec<&str> = schema
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let fields = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
    fields
        .map(|(name, schema)| {
            let mut schema = schema.clone();
            let description = schema
                .as_object_mut()
                .and_then(|fields| fields.remove("description"))
                .unwrap_or_default();
            json!({
                "name": name, "in": "query", "required": required.contains(&name.as_str()),
                "description": description, "schema": schema,
            })
        })
        .collect()
}

fn responses(operation: &Operation, generator: &mut SchemaGenerator) -> Value {
    let reply = &operation.reply;
    let contents: Map<String, Value> = reply
        .contents
        .iter()
        .map(|(content_type, schema)| {
            ((*content_type).to_owned(), json!({ "schema": schema(generator) }))
        })
        .collect();
    let mut good = json!({ "description": reply.description });
    if let Some(fields) = good.as_object_mut().filter(|_| !contents.is_empty()) {
        fields.insert("content".to_owned(), contents.into());
    }
    let problem = json!({
        "description": "What went wrong, and what to do about it.",
        "content": { "application/problem+json": {
            "schema": { "$ref": "#/components/schemas/Problem" },
        } },
    });
    let mut responses = json!({ reply.status.as_str(): good, "default": problem });
    if let (Some(other), Some(all)) = (&operation.other_reply, responses.as_object_mut()) {
        let schema = (other.schema)(generator);
        let content = json!({ "application/json": { "schema": schema } });
        let other = json!({ "description": other.description, "content": content });
        all.insert(StatusCode::OK.as_str().to_owned(), other);
    }
    responses
}

/// As `edge::Problem` writes itself.
fn problem_schema() -> Value {
    let text = |what: &str| json!({ "type": "string", "description": what });
    let optional = |what: &str| json!({ "type": ["string", "null"], "description": what });
    json!({
        "type": "object",
        "description": "Problem details (RFC 9457).",
        "required": ["type", "title", "status", "detail", "code"],
        "properties": {
            "type": text("Always `about:blank`."),
            "title": text("The HTTP status in words."),
            "status": { "type": "integer", "description": "The HTTP status." },
            "detail": text("A sentence for people."),
            "code": text("A short word for programs."),
            "next_step": optional("What to do about it."),
            "errors": { "type": "array", "description": "What exactly is wrong.", "items": {
                "type": "object", "required": ["message"],
                "properties": {
                    "resource": text("The resource at fault, as `Kind/name`."),
                    "origin": text("Where it was written, as `file:line`."),
                    "field": text("The field, such as `stages[1].at`."),
                    "message": text("What was expected."),
                    "suggestion": text("What was probably meant."),
                },
            } },
        },
        "example": {
            "type": "about:blank", "title": "Forbidden", "status": 403, "code": "role_missing",
            "detail": "this needs one of the roles: admin, finops",
            "next_step": "ask an admin for a role", "errors": [],
        },
    })
}
