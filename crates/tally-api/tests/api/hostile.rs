//! What nobody sends by accident.

use axum::body::Body;
use http::{Request, StatusCode};
use serde_json::json;

use crate::support::{Company, key};

#[tokio::test]
async fn quotes_in_filters_are_only_text() {
    let company = Company::new().await;
    company.record_calls();
    for value in ["'; DROP TABLE events; --", "\" OR 1=1", "%", "\\", "ada' OR 'a'='a", "🦊\u{0}"]
    {
        let query = json!({ "measures": ["calls"], "range": "today",
            "filters": [{ "dimension": "person", "op": "eq", "values": [value] }] });
        let reply = company.call("viewer", "POST", "/api/v1/query", &query.to_string()).await;
        assert_eq!(reply.status, StatusCode::OK, "{value}: {}", reply.text);
        assert_eq!(reply.json()["total"], json!([0]), "{value}");
        let tag = json!({ "measures": ["calls"], "range": "today", "dimensions": [format!("tag:{value}")] });
        let reply = company.call("viewer", "POST", "/api/v1/query", &tag.to_string()).await;
        assert!(reply.status == StatusCode::OK || reply.status == StatusCode::UNPROCESSABLE_ENTITY);
    }
    let all = r#"{"measures":["calls"],"range":"today"}"#;
    let reply = company.call("viewer", "POST", "/api/v1/query", all).await;
    assert_eq!(reply.json()["total"], json!([5]));
}

#[tokio::test]
async fn large_bodies_are_refused() {
    let company = Company::new().await;
    let large = " ".repeat((1 << 20) + 1);
    for (method, path) in
        [("POST", "/api/v1/teams"), ("PUT", "/api/v1/teams/support"), ("POST", "/api/v1/query")]
    {
        let reply = company.call("admin", method, path, &large).await;
        assert_eq!(reply.status, StatusCode::PAYLOAD_TOO_LARGE, "{method} {path}");
        assert_eq!(reply.code(), "body_too_large");
    }
    let larger = " ".repeat((32 << 20) + 1);
    let reply = company.call("admin", "POST", "/api/v1/apply", &larger).await;
    assert_eq!(reply.status, StatusCode::PAYLOAD_TOO_LARGE);
    // Without a key nothing of it is read.
    let reply = company.call("", "POST", "/api/v1/apply", &larger).await;
    assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn odd_paths_and_parameters_are_refused() {
    let company = Company::new().await;
    for (path, status) in [
        ("/api/v1/teams/%2e%2e%2fpeople", StatusCode::BAD_REQUEST),
        ("/api/v1/teams/..%2f..%2f..%2fetc%2fpasswd", StatusCode::BAD_REQUEST),
        ("/api/v1/teams/..", StatusCode::BAD_REQUEST),
        ("/api/v1/teams/support%00", StatusCode::BAD_REQUEST),
        ("/api/v1/teams/%ff%fe", StatusCode::BAD_REQUEST),
        ("/api/v1/%2e%2e/healthz", StatusCode::NOT_FOUND),
        ("/api/v1/../../healthz", StatusCode::NOT_FOUND),
        ("/api//v1/teams", StatusCode::NOT_FOUND),
        ("/api/v1/teams?limit=-1", StatusCode::BAD_REQUEST),
        ("/api/v1/teams?limit=1001", StatusCode::BAD_REQUEST),
        ("/api/v1/teams?after=%27", StatusCode::BAD_REQUEST),
        ("/api/v1/teams?unknown=1", StatusCode::BAD_REQUEST),
        ("/api/v1/teams?prefix=%27%20OR%201=1", StatusCode::OK),
        ("/api/v1/audit?kind=nothing", StatusCode::BAD_REQUEST),
        ("/api/v1/events/1%20OR%201=1", StatusCode::BAD_REQUEST),
    ] {
        let reply = company.call("admin", "GET", path, "").await;
        assert_eq!(reply.status, status, "{path}: {}", reply.text);
        if status != StatusCode::OK {
            reply.code();
        }
    }
}

#[tokio::test]
async fn bodies_that_are_no_json_are_refused() {
    let company = Company::new().await;
    let nested = format!("{{\"name\":\"x\",\"spec\":{}", "[".repeat(100_000));
    for body in [b"\xff\xfe".to_vec(), b"".to_vec(), b"{} {}".to_vec(), nested.into_bytes()] {
        let request = Request::post("/api/v1/teams")
            .header("authorization", format!("bearer {}", key("admin")))
            .header("content-type", "text/plain")
            .body(Body::from(body))
            .unwrap();
        let reply = company.send(request).await;
        assert!(
            [StatusCode::BAD_REQUEST, StatusCode::UNPROCESSABLE_ENTITY].contains(&reply.status),
            "{}",
            reply.text
        );
    }
}
