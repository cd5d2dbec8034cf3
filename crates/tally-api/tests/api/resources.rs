//! Reading and changing resources.

use http::StatusCode;
use serde_json::{Value, json};

use crate::support::Company;

async fn post(company: &Company, path: &str, body: &Value) -> crate::support::Reply {
    company.call("admin", "POST", path, &body.to_string()).await
}

#[tokio::test]
async fn a_resource_from_creation_to_deletion() {
    let company = Company::new().await;
    let team = json!({ "name": "lab/alpha+1", "spec": { "department": "research" } });
    let made = post(&company, "/api/v1/teams", &team).await;
    assert_eq!(made.status, StatusCode::CREATED);
    let path = made.headers["location"].to_str().unwrap();
    assert_eq!(path, "/api/v1/teams/lab%2Falpha%2B1");
    assert_eq!(company.call("viewer", "GET", path, "").await.json(), made.json());
    assert_eq!(post(&company, "/api/v1/teams", &team).await.code(), "already_exists");

    let change = json!({ "version": 1, "spec": { "department": "labs" } }).to_string();
    let changed = company.call("admin", "PUT", path, &change).await.json();
    assert_eq!((&changed["version"], &changed["spec"]["department"]), (&json!(2), &json!("labs")));
    let stale = json!({ "version": 1, "spec": {} }).to_string();
    let conflict = company.call("admin", "PUT", path, &stale).await;
    assert_eq!(conflict.status, StatusCode::CONFLICT);
    insta::assert_json_snapshot!(conflict.json());

    let stale = company.call("admin", "DELETE", &format!("{path}?version=1"), "").await;
    assert_eq!(stale.code(), "version_conflict");
    let unversioned = company.call("admin", "DELETE", path, "").await;
    assert_eq!(unversioned.status, StatusCode::BAD_REQUEST);
    let gone = company.call("admin", "DELETE", &format!("{path}?version=2"), "").await;
    assert_eq!((gone.status, gone.text.as_str()), (StatusCode::NO_CONTENT, ""));
    assert_eq!(company.call("admin", "GET", path, "").await.code(), "not_found");

    let trail = company.call("auditor", "GET", "/api/v1/audit?name=lab/alpha%2B1", "").await.json();
    let actions: Vec<_> =
        trail["items"].as_array().unwrap().iter().map(|entry| &entry["action"]).collect();
    assert_eq!(actions, ["delete", "update", "create"]);
    assert_eq!(trail["items"][0]["actor"], "Person/p-admin via Key/k-admin");
}

#[tokio::test]
async fn lists_are_paged() {
    let company = Company::new().await;
    let mut names = Vec::new();
    let mut path = "/api/v1/people?limit=4".to_owned();
    loop {
        let page = company.call("manager", "GET", &path, "").await.json();
        let items = page["items"].as_array().unwrap();
        names.extend(items.iter().map(|item| item["name"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/api/v1/people?limit=4&after={next}");
    }
    assert_eq!(names.len(), 11);
    assert!(names.is_sorted());
    let few = company.call("manager", "GET", "/api/v1/people?prefix=p-a", "").await.json();
    assert_eq!(few["items"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn problems_say_what_to_do() {
    let company = Company::new().await;
    let missing = company.call("viewer", "GET", "/api/v1/people/adda", "").await;
    insta::assert_json_snapshot!("not_found", missing.json());
    let budget = json!({ "name": "b", "spec": { "owner": "ada", "scope": { "teem": "support" },
        "limit": { "usd": "1" }, "window": { "calendar": "month" } } });
    let invalid = post(&company, "/api/v1/budgets", &budget).await;
    assert_eq!(invalid.status, StatusCode::UNPROCESSABLE_ENTITY);
    insta::assert_json_snapshot!("invalid", invalid.json());
    let dangling = json!({ "name": "t", "spec": { "manager": "nobody" } });
    let dangling = post(&company, "/api/v1/teams", &dangling).await;
    assert_eq!(dangling.status, StatusCode::UNPROCESSABLE_ENTITY);
    insta::assert_json_snapshot!("dangling", dangling.json());
    let used = company.call("admin", "DELETE", "/api/v1/cost-centers/cc-100-support?version=1", "");
    insta::assert_json_snapshot!("in_use", used.await.json());
}

#[tokio::test]
async fn apply_shows_what_would_change_and_changes_it() {
    let company = Company::new().await;
    let apply = |dry_run: bool| {
        json!({ "set": "labs", "dry_run": dry_run, "documents": [
            { "kind": "Team", "name": "labs", "spec": { "department": "research" } },
        ]})
    };
    let dry = post(&company, "/api/v1/apply", &apply(true)).await.json();
    assert_eq!(dry["changes"][0]["action"], "created");
    assert_eq!(company.call("admin", "GET", "/api/v1/teams/labs", "").await.code(), "not_found");
    post(&company, "/api/v1/apply", &apply(false)).await;
    let team = company.call("admin", "GET", "/api/v1/teams/labs", "").await.json();
    assert_eq!(team["applied_by"], "labs");

    let broken = json!({ "set": "labs", "documents": [
        { "kind": "Team", "name": "a", "spec": { "manger": "ada" }, "file": "a.yaml", "line": 3 },
    ]});
    insta::assert_json_snapshot!(post(&company, "/api/v1/apply", &broken).await.json());
}

#[tokio::test]
async fn the_audit_trail_is_read_in_both_directions() {
    let company = Company::new().await;
    let newest = company.call("security", "GET", "/api/v1/audit?limit=2", "").await.json();
    let first = newest["items"][0]["sequence"].as_i64().unwrap();
    assert_eq!(newest["next"], json!((first - 1).to_string()));
    let oldest = company.call("security", "GET", "/api/v1/audit?order=asc&limit=2", "").await;
    assert_eq!(oldest.json()["items"][0]["sequence"], 1);
    assert_eq!(oldest.json()["next"], "2");
    let keys = company.call("security", "GET", "/api/v1/audit?kind=keys&limit=1", "").await.json();
    assert_eq!(keys["items"][0]["kind"], "Key");
}
