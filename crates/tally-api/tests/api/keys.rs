//! Keys from their making to their end.

use http::StatusCode;
use serde_json::json;

use crate::support::Company;

#[tokio::test]
async fn a_key_is_made_used_rotated_and_revoked() {
    let company = Company::new().await;
    let body = json!({ "name": "ci", "spec": { "roles": ["viewer"] } }).to_string();
    let made = company.call("admin", "POST", "/api/v1/keys", &body).await;
    assert_eq!(made.status, StatusCode::CREATED);
    let made = made.json();
    let first = made["secret"].as_str().unwrap();
    assert_eq!((&made["note"], &made["in_effect"]), (&json!("shown once"), &json!(true)));
    assert_eq!(made["resource"]["spec"]["secret"]["prefix"], json!(&first[..10]));
    assert_eq!(company.call_with(first, "GET", "/api/v1/teams", "").await.status, StatusCode::OK);

    let rotated = company.call("admin", "POST", "/api/v1/keys/ci/rotate", "").await.json();
    let second = rotated["secret"].as_str().unwrap();
    assert_eq!(company.call_with(first, "GET", "/api/v1/teams", "").await.code(), "key_unknown");
    assert_eq!(company.call_with(second, "GET", "/api/v1/teams", "").await.status, StatusCode::OK);

    let revoked = company.call("admin", "POST", "/api/v1/keys/ci/revoke", "").await.json();
    assert_eq!(revoked["in_effect"], json!(true));
    assert_eq!(company.call_with(second, "GET", "/api/v1/teams", "").await.code(), "key_revoked");

    // Neither secret is anywhere to be read again.
    for path in ["/api/v1/keys/ci", "/api/v1/audit?name=ci", "/api/v1/keys"] {
        let shown = company.call("admin", "GET", path, "").await.text;
        assert!(!shown.contains(first) && !shown.contains(second), "{path}");
    }
    let trail = company.call("admin", "GET", "/api/v1/audit?name=ci", "").await.json();
    assert_eq!(trail["items"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn secrets_from_the_environment_are_the_operators_to_change() {
    let company = Company::new().await;
    let rotated = company.call("admin", "POST", "/api/v1/keys/k-ada/rotate", "").await;
    assert_eq!(
        (rotated.status, rotated.code().as_str()),
        (StatusCode::CONFLICT, "key_from_environment")
    );
    let revoked = company.call("admin", "POST", "/api/v1/keys/k-ada/revoke", "").await.json();
    assert!(revoked["note"].as_str().unwrap().contains("file set `acme`"));
    let body =
        json!({ "name": "env", "spec": { "roles": ["viewer"], "secret": { "env": "KEY_env" } } });
    let made = company.call("admin", "POST", "/api/v1/keys", &body.to_string()).await;
    assert_eq!(made.status, StatusCode::CREATED);
    assert!(made.json().get("secret").is_none());
    let known = company.call("env", "GET", "/api/v1/teams", "").await;
    assert_eq!(known.status, StatusCode::OK);
}

#[tokio::test]
async fn a_key_for_nobody_is_not_made() {
    let company = Company::new().await;
    for spec in
        [json!({}), json!([]), json!("x"), json!({ "person": "ghost" }), json!({ "secret": "abc" })]
    {
        let body = json!({ "name": "odd", "spec": spec }).to_string();
        let reply = company.call("admin", "POST", "/api/v1/keys", &body).await;
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", reply.text);
        assert!(!reply.text.contains("tally_"), "{}", reply.text);
    }
}

#[tokio::test]
async fn an_expired_key_opens_nothing() {
    let company = Company::new().await;
    let spec = json!({ "roles": ["admin"], "expires_at": "2026-11-15T11:59:59Z" });
    let body = json!({ "name": "old", "spec": spec }).to_string();
    let made = company.call("admin", "POST", "/api/v1/keys", &body).await.json();
    let secret = made["secret"].as_str().unwrap();
    assert_eq!(company.call_with(secret, "GET", "/metrics", "").await.code(), "key_expired");
}

#[tokio::test]
async fn people_make_and_end_their_own_keys_and_no_others() {
    let company = Company::new().await;
    let make = |spec: serde_json::Value| json!({ "name": "laptop", "spec": spec }).to_string();
    for (spec, code) in [
        (json!({ "person": "grace" }), "not_own"),
        (json!({ "roles": ["admin"] }), "not_own"),
        (json!({ "person": "ada", "workload": "support-copilot" }), "not_own"),
        (json!({ "person": "ada", "secret": { "env": "KEY_robot" } }), "not_own"),
        (json!({ "person": "ada", "roles": ["admin"] }), "spec_invalid"),
    ] {
        let refused = company.call("ada", "POST", "/api/v1/keys", &make(spec.clone())).await;
        assert_eq!(refused.code(), code, "{spec}");
    }
    let made = company.call("ada", "POST", "/api/v1/keys", &make(json!({ "person": "ada" }))).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    assert_eq!(made.json()["resource"]["spec"]["scopes"], json!(["gateway", "ingest"]));
    // It makes calls; it neither reads nor changes.
    let secret = made.json()["secret"].as_str().unwrap().to_owned();
    let refused = company.call_with(&secret, "GET", "/api/v1/teams", "").await;
    assert_eq!((refused.status, refused.code().as_str()), (StatusCode::FORBIDDEN, "scope_missing"));

    let listed = company.call("ada", "GET", "/api/v1/keys", "").await.json();
    let names: Vec<_> =
        listed["items"].as_array().unwrap().iter().map(|key| &key["name"]).collect();
    assert_eq!(names, ["ada-laptop", "k-ada", "laptop"]);
    for path in ["/api/v1/keys/k-admin/revoke", "/api/v1/keys/k-admin/rotate"] {
        assert_eq!(company.call("ada", "POST", path, "").await.code(), "not_found", "{path}");
    }
    assert_eq!(company.call("ada", "GET", "/api/v1/keys/k-admin", "").await.code(), "not_found");
    let rotated = company.call("ada", "POST", "/api/v1/keys/laptop/rotate", "").await;
    assert_eq!(rotated.status, StatusCode::OK);
    let revoked = company.call("ada", "POST", "/api/v1/keys/laptop/revoke", "").await;
    assert_eq!(revoked.status, StatusCode::OK);
}

#[tokio::test]
async fn a_person_has_so_many_keys_and_no_more() {
    let company = Company::new().await;
    let mut last = String::new();
    for number in 0..30 {
        let body = json!({ "name": format!("n{number}"), "spec": { "person": "ada" } });
        let made = company.call("ada", "POST", "/api/v1/keys", &body.to_string()).await;
        if made.status != StatusCode::CREATED {
            last = made.text;
            break;
        }
    }
    assert!(last.contains("revoke one first"), "{last}");
}
