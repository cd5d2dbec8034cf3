//! Who gets in where.

use std::fmt::Write as _;

use http::StatusCode;
use serde_json::Value;
use tally_api::openapi_document;

use crate::support::{Company, ROLES};

/// Health, and the ways in.
const OPEN: [&str; 6] = ["acceptInvitation", "getSignIn", "healthz", "readyz", "setUp", "signIn"];

/// An operation as the document describes it, with an address and a body for it.
struct Described {
    id: String,
    method: String,
    path: String,
    body: String,
    access: Value,
}

/// Every operation of the document.
fn described() -> Vec<Described> {
    let document = openapi_document();
    let mut all = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let example = &operation["requestBody"]["content"]["application/json"]["example"];
            all.push(Described {
                id: operation["operationId"].as_str().unwrap().to_owned(),
                method: method.to_uppercase(),
                path: address(path, operation),
                body: if example.is_null() { String::new() } else { example.to_string() },
                access: operation["x-tally-access"].clone(),
            });
        }
    }
    all
}

/// With names and ids of what is not there.
fn address(path: &str, operation: &Value) -> String {
    let path = path
        .replace("{name}", "nothing")
        .replace("{person}", "nobody-there")
        .replace("{id}", "00000000-0000-0000-0000-000000000001")
        .replace("{call_id}", "00000000-0000-0000-0000-000000000001");
    let parameters = operation["parameters"].as_array().unwrap().iter();
    let required = parameters.filter(|parameter| parameter["required"] == true);
    let query: Vec<String> = required
        .filter(|parameter| parameter["in"] == "query")
        .map(|parameter| format!("{}=1", parameter["name"].as_str().unwrap()))
        .collect();
    if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) }
}

/// What the document says of a role.
fn expected(access: &Value, role: &str) -> &'static str {
    let roles = access["roles"].as_array().cloned().unwrap_or_default();
    let is_named = roles.iter().any(|named| named == role);
    match access["kind"].as_str().unwrap() {
        "open" | "signed_in" => "all",
        "session" => "session",
        _ if is_named => "all",
        "roles_or_own" => "own",
        "usage" if ["developer", "manager"].contains(&role) => "own",
        _ => "-",
    }
}

#[tokio::test]
async fn every_operation_and_role() {
    let mut table = String::new();
    // The names and ids are of nothing that is there, so that nothing of the company ends.
    let company = Company::new().await;
    for operation in described() {
        let Described { id, method, path, body, access } = &operation;
        let _ = write!(table, "{method:6} {id:22}");
        for role in ROLES {
            let status = company.status(role, method, path, body).await;
            let allowed = expected(access, role);
            match allowed {
                "-" => assert_eq!(status, (403, "role_missing".to_owned()), "{role} {id}"),
                "session" => assert_eq!(status, (403, "session_needed".to_owned()), "{role} {id}"),
                // Past the guard, whatever comes of it there.
                _ => assert!(
                    status.0 != 401 && status.0 < 500 && status.1 != "role_missing"
                        || id == "signIn"
                        || id == "acceptInvitation"
                        || id == "setUp",
                    "{role} {id}: {status:?}"
                ),
            }
            let word = if allowed == "all" { role } else { allowed };
            let _ = write!(table, " {word}");
        }
        table.push('\n');
    }
    // Whoever changes a role sees here what it opens.
    insta::assert_snapshot!(table);
}

#[tokio::test]
async fn nothing_but_health_and_sign_in_answers_without_a_key() {
    let company = Company::new().await;
    let mut open = Vec::new();
    for operation in described() {
        let Described { id, method, path, body, access } = operation;
        if access["kind"] == "open" {
            open.push(id);
            continue;
        }
        let (status, _) = company.status("", &method, &path, &body).await;
        assert_eq!(status, 401, "{method} {path}");
    }
    open.sort();
    assert_eq!(open, OPEN, "what is open to anyone only shrinks");
    for path in ["/healthz", "/readyz"] {
        assert_eq!(company.call("", "GET", path, "").await.status, StatusCode::OK, "{path}");
        assert_eq!(company.call("", "HEAD", path, "").await.status, StatusCode::OK, "{path}");
    }
    let others = [
        ("GET", "/api"),
        ("GET", "/api/"),
        ("GET", "/api/v1/nonsense"),
        ("GET", "/api/v2/teams"),
        ("GET", "/api/v1/teams/support/verb"),
        ("PATCH", "/api/v1/teams"),
        ("POST", "/healthz"),
        ("OPTIONS", "/api/v1/teams"),
        ("HEAD", "/api/v1/teams"),
        ("GET", "/api/v1/teams/%ff"),
    ];
    for (method, path) in others {
        let reply = company.call("", method, path, "").await;
        assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "{method} {path}");
        assert_eq!(reply.headers["www-authenticate"], "Bearer realm=\"tally\"");
    }
    let reply = company.call_with("tally_wrong", "GET", "/api/v1/teams", "").await;
    insta::assert_json_snapshot!(reply.json());
    assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_key_without_a_role_or_with_no_person_sees_nothing() {
    let company = Company::new().await;
    for operation in described().iter().filter(|operation| operation.access["kind"] != "open") {
        let Described { method, path, body, .. } = operation;
        let (status, _) = company.status("nobody", method, path, body).await;
        assert_eq!(status, 403, "{method} {path}");
    }
    // A developer's service has no usage of its own; and `unattributed` as a filter
    // would mean everyone who is not known.
    for role in ["robot", "unattributed"] {
        for (method, path, body) in [
            ("POST", "/api/v1/query", r#"{"measures":["calls"],"range":"today"}"#),
            ("GET", "/api/v1/events", ""),
        ] {
            let reply = company.call(role, method, path, body).await;
            assert_eq!(reply.status, StatusCode::FORBIDDEN, "{role} {method} {path}");
        }
    }
}

#[tokio::test]
async fn unknown_paths_and_methods_are_problems() {
    let company = Company::new().await;
    for path in ["/api", "/api/", "/api/v1/nonsense", "/api/v2/x", "/api/v1/teams/support/verb"] {
        let reply = company.call("admin", "GET", path, "").await;
        assert_eq!((reply.status, reply.code().as_str()), (StatusCode::NOT_FOUND, "path_unknown"));
    }
    let reply = company.call("admin", "PATCH", "/api/v1/teams/support", "").await;
    assert_eq!(reply.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(reply.headers["allow"], "GET, PUT, DELETE");
    assert!(reply.headers.contains_key("x-tally-request-id"));
}

#[tokio::test]
async fn readiness_tells_what_is_missing_and_nothing_else() {
    let company = Company::new().await;
    insta::assert_json_snapshot!(company.call("", "GET", "/readyz", "").await.json());
    company.slot.empty();
    let reply = company.call("", "GET", "/readyz", "").await;
    assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(reply.json()["warehouse"], "unavailable");
    assert_eq!(company.call("", "GET", "/healthz", "").await.status, StatusCode::OK);
}

#[tokio::test]
async fn operators_see_the_state_of_the_parts() {
    let company = Company::new().await;
    let status = company.call("auditor", "GET", "/api/v1/status", "").await.json();
    assert_eq!(status["warehouse"], "open");
    assert_eq!(status["resources"]["revision"], status["resources"]["revision_in_effect"]);
    let metrics = company.call("viewer", "GET", "/metrics", "").await;
    assert!(metrics.headers["content-type"].to_str().unwrap().starts_with("text/plain"));
}
