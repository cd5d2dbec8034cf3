//! Requests that are sent twice.

use axum::body::Body;
use http::{Request, StatusCode};
use serde_json::json;

use crate::support::{Company, Reply, key};

async fn post(company: &Company, role: &str, idempotency: &str, path: &str, body: &str) -> Reply {
    let request = Request::builder()
        .method("POST")
        .uri(path)
        .header("authorization", format!("Bearer {}", key(role)))
        .header("idempotency-key", idempotency);
    company.send(request.body(Body::from(body.to_owned())).unwrap()).await
}

fn team(name: &str) -> String {
    json!({ "name": name, "spec": { "department": "labs" } }).to_string()
}

#[tokio::test]
async fn a_request_sent_twice_is_done_once() {
    let company = Company::new().await;
    let first = post(&company, "admin", "k1", "/api/v1/teams", &team("labs")).await;
    let again = post(&company, "admin", "k1", "/api/v1/teams", &team("labs")).await;
    assert_eq!((first.status, again.status), (StatusCode::CREATED, StatusCode::CREATED));
    assert_eq!(first.text, again.text);
    assert_eq!(again.headers["idempotency-replayed"], "true");
    assert!(!first.headers.contains_key("idempotency-replayed"));
    let trail = company.call("admin", "GET", "/api/v1/audit?name=labs", "").await.json();
    assert_eq!(trail["items"].as_array().unwrap().len(), 1);
    // Without the key it is another request.
    let other = company.call("admin", "POST", "/api/v1/teams", &team("labs")).await;
    assert_eq!(other.code(), "already_exists");
}

#[tokio::test]
async fn a_key_stands_for_one_request_of_one_caller() {
    let company = Company::new().await;
    post(&company, "admin", "k1", "/api/v1/teams", &team("labs")).await;
    let reused = post(&company, "admin", "k1", "/api/v1/teams", &team("other")).await;
    assert_eq!((reused.status.as_u16(), reused.code().as_str()), (422, "idempotency_key_reused"));
    // What another caller did is not shown to this one.
    let stranger = post(&company, "finops", "k1", "/api/v1/teams", &team("labs")).await;
    assert_eq!(stranger.code(), "role_missing");
    for bad in [String::new(), "x".repeat(256)] {
        let refused = post(&company, "admin", &bad, "/api/v1/teams", &team("x")).await;
        assert_eq!(refused.code(), "idempotency_key_invalid");
    }
}

#[tokio::test]
async fn secrets_are_not_kept_to_be_shown_again() {
    let company = Company::new().await;
    let body = json!({ "name": "ci", "spec": { "roles": ["viewer"] } }).to_string();
    let made = post(&company, "admin", "k1", "/api/v1/keys", &body).await;
    assert!(made.json()["secret"].is_string());
    let again = post(&company, "admin", "k1", "/api/v1/keys", &body).await;
    assert_eq!((again.status, again.code().as_str()), (StatusCode::CONFLICT, "already_done"));
    assert!(!again.text.contains(made.json()["secret"].as_str().unwrap()));
    // A refusal held none.
    let weak = json!({ "name": "weak", "spec": {} }).to_string();
    let refused = post(&company, "admin", "k2", "/api/v1/keys", &weak).await;
    assert_eq!(post(&company, "admin", "k2", "/api/v1/keys", &weak).await.text, refused.text);
}
