//! Exceptions and access requests: asked for, decided, ended, by people with keys.

use http::StatusCode;
use serde_json::{Value, json};

use crate::support::{Company, Reply};

const RULE: &str = "data-classes/restricted-needs-zero-retention";

async fn post(company: &Company, role: &str, path: &str, body: Value) -> Reply {
    company.call(role, "POST", &format!("/api/v1/{path}"), &body.to_string()).await
}

async fn asked(company: &Company, role: &str, kind: &str, body: Value) -> String {
    let made = post(company, role, kind, body).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    made.json()["name"].as_str().unwrap().to_owned()
}

fn exception(more: Value) -> Value {
    let mut body = json!({
        "rule": RULE, "scope": { "workload": "support-copilot" },
        "until": "2026-12-01T12:00:00Z", "reason": "The audit needs it",
    });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

async fn names(company: &Company, role: &str, query: &str) -> Vec<String> {
    let page = company.call(role, "GET", &format!("/api/v1/{query}"), "").await.json();
    let items = page["items"].as_array().unwrap().iter();
    items.map(|item| item["name"].as_str().unwrap().to_owned()).collect()
}

async fn titles(company: &Company, role: &str) -> Vec<String> {
    let page = company.call(role, "GET", "/api/v1/notifications", "").await.json();
    let items = page["items"].as_array().unwrap().iter();
    items.map(|item| item["title"].as_str().unwrap().to_owned()).collect()
}

async fn spec(company: &Company, path: &str) -> Value {
    company.call("admin", "GET", &format!("/api/v1/{path}"), "").await.json()["spec"].clone()
}

#[tokio::test]
async fn an_exception_needs_security_and_the_owner_and_ends_by_itself() {
    let company = Company::new().await;
    let dry = post(&company, "ada", "exceptions?dry_run=true", exception(json!({}))).await;
    assert_eq!(dry.status, StatusCode::OK, "{}", dry.text);
    assert_eq!(dry.json()["repeats"], Value::Null);
    assert_eq!(
        dry.json()["exception"]["needs"],
        json!([
            { "role": "security", "people": ["lin", "p-security"] },
            { "role": "workload_owner", "people": ["grace"] },
        ])
    );
    assert!(names(&company, "admin", "exceptions").await.is_empty(), "nothing was stored");

    let name = asked(&company, "ada", "exceptions", exception(json!({}))).await;
    assert_eq!(names(&company, "ada", "exceptions?mine=true").await, [name.as_str()]);
    assert_eq!(names(&company, "security", "exceptions?to_decide=true").await, [name.as_str()]);
    assert!(titles(&company, "security").await[0].starts_with("Ada asks for a waiver of"));
    let path = format!("exceptions/{name}");
    let say = |role: &'static str, verb: &str, why: Option<&str>| {
        let body = why.map_or_else(|| json!({}), |why| json!({ "reason": why }));
        let path = format!("{path}/{verb}");
        let company = &company;
        async move { post(company, role, &path, body).await }
    };
    assert_eq!(say("ada", "approve", None).await.code(), "own_request");
    assert_eq!(say("finops", "approve", None).await.code(), "not_an_approver");
    assert_eq!(say("developer", "approve", None).await.code(), "not_found");
    let one = say("security", "approve", None).await;
    assert_eq!(one.json()["spec"]["state"], "pending");
    let both = say("grace", "approve", Some("Fine")).await;
    assert_eq!(both.json()["spec"]["state"], "approved");
    assert!(titles(&company, "ada").await[0].starts_with("Approved: a waiver"));
    assert_eq!(company.store.snapshot().exceptions.len(), 1);

    let hours = 24 * 16;
    company.clock.advance(std::time::Duration::from_secs(3_600 * hours));
    company.store.exceptions().sweep().await.unwrap();
    assert_eq!(spec(&company, &path).await["state"], "expired");
    let trail = company.call("ada", "GET", &format!("/api/v1/{path}/trail"), "").await.json();
    let lines: Vec<String> = trail["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| format!("{} {}", line["by"].as_str().unwrap(), line["what"].as_str().unwrap()))
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @r"
    ada asked for a waiver of data-classes/restricted-needs-zero-retention for the workload support-copilot from 15 Nov 2026 13:00 CET until 1 Dec 2026 13:00 CET
    tally told lin or p-security (security), grace (workload owner)
    p-security approved it as security; still to decide: grace (workload owner)
    grace approved it as workload owner; it holds until 1 Dec 2026 13:00 CET
    tally it ended by itself
    ");
}

#[tokio::test]
async fn one_of_more_than_thirty_days_is_stored_by_no_path() {
    let company = Company::new().await;
    let long = exception(json!({ "until": "2026-12-15T12:00:01Z" }));
    let refused = post(&company, "ada", "exceptions", long).await;
    assert_eq!((refused.status.as_u16(), refused.code().as_str()), (422, "request_invalid"));
    assert_eq!(refused.json()["errors"][0]["field"], "until");
    let later = exception(json!({
        "from": "2026-11-20T12:00:00Z", "until": "2026-12-20T12:00:01Z",
    }));
    assert_eq!(post(&company, "ada", "exceptions", later).await.status.as_u16(), 422);
    // Neither applied, nor written over, nor made by other means.
    let mut spec = exception(json!({
        "until": "2027-11-15T12:00:00Z", "from": "2026-11-15T12:00:00Z", "requested_by": "ada",
        "requested_at": "2026-11-15T12:00:00Z", "needs": [], "state": "approved",
    }));
    let documents = json!({ "set": "s", "documents": [
        { "kind": "Exception", "name": "long", "spec": spec },
    ] });
    let applied = post(&company, "admin", "apply", documents).await;
    assert_eq!(applied.status.as_u16(), 422, "{}", applied.text);
    assert!(applied.text.contains("not applied"), "{}", applied.text);
    let name = asked(&company, "ada", "exceptions", exception(json!({}))).await;
    for (method, status) in [("PUT", 405), ("DELETE", 405)] {
        let path = format!("/api/v1/exceptions/{name}?version=1");
        let body = json!({ "version": 1, "spec": spec }).to_string();
        let reply = company.call("admin", method, &path, &body).await;
        assert_eq!(reply.status.as_u16(), status, "{method}: {}", reply.text);
    }
    let kind = tally_types::Kind::Exception;
    let stored = company.store.create("test", kind, "long".parse().unwrap(), spec.take()).await;
    assert!(stored.unwrap_err().to_string().contains("30 days"));
}

#[tokio::test]
async fn a_repeated_one_is_approved_only_after_an_architecture_review() {
    let company = Company::new().await;
    let body = || exception(json!({ "scope": { "person": "ada" } }));
    let first = asked(&company, "ada", "exceptions", body()).await;
    post(&company, "security", &format!("exceptions/{first}/approve"), json!({})).await;
    let renewal = json!({
        "renews": first, "until": "2026-12-10T12:00:00Z", "reason": "It takes longer",
    });
    let dry = post(&company, "ada", "exceptions?dry_run=true", renewal.clone()).await.json();
    assert_eq!((&dry["repeats"], &dry["exception"]["renewals"]), (&json!(first), &json!(1)));
    let second = asked(&company, "ada", "exceptions", renewal).await;
    let approve = format!("exceptions/{second}/approve");
    let early = post(&company, "security", &approve, json!({})).await;
    assert_eq!((early.status.as_u16(), early.code().as_str()), (409, "architecture_review_needed"));
    assert!(early.json()["next_step"].as_str().unwrap().contains("tally exception review"));
    let review = format!("exceptions/{second}/architecture-review");
    let note = || json!({ "note": "The route is rebuilt in January" });
    assert_eq!(post(&company, "grace", &review, note()).await.code(), "role_missing");
    assert_eq!(post(&company, "security", &review, json!({ "note": " " })).await.status, 422);
    let reviewed = post(&company, "security", &review, note()).await.json();
    assert_eq!(reviewed["spec"]["architecture_review"]["by"], "p-security");
    let done = post(&company, "security", &approve, json!({})).await.json();
    assert_eq!(done["spec"]["state"], "approved", "{done}");
}

#[tokio::test]
async fn access_to_a_key_lets_a_person_make_it_until_it_ends() {
    let company = Company::new().await;
    let key = |more: Value| {
        let mut spec = json!({ "person": "ada", "workload": "support-copilot" });
        spec.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({ "name": "ada-copilot", "spec": spec })
    };
    let closed = post(&company, "ada", "keys", key(json!({}))).await;
    assert_eq!(closed.code(), "not_own");
    let next = closed.json()["next_step"].as_str().unwrap().to_owned();
    assert!(next.contains("tally access request --key-for support-copilot"), "{next}");
    let ask = json!({
        "what": { "key": { "workload": "support-copilot" } }, "until": "2026-12-15T12:00:00Z",
        "reason": "On call next week",
    });
    let name = asked(&company, "ada", "access-requests", ask).await;
    assert_eq!(name, "key-support-copilot-2026-11-15-ada");
    // Its owner is the manager, too, and says it once.
    let approve = format!("access-requests/{name}/approve");
    let both = post(&company, "grace", &approve, json!({})).await.json();
    assert_eq!(both["spec"]["state"], "approved", "{both}");
    let longer =
        post(&company, "ada", "keys", key(json!({ "expires_at": "2027-01-01T00:00:00Z" })));
    assert_eq!(longer.await.code(), "not_own");
    let made = post(&company, "ada", "keys", key(json!({}))).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    assert_eq!(made.json()["resource"]["spec"]["expires_at"], "2026-12-15T12:00:00Z");
    company.clock.advance(std::time::Duration::from_secs(3_600 * 24 * 31));
    let mut other = key(json!({}));
    other["name"] = json!("another");
    assert_eq!(post(&company, "ada", "keys", other).await.code(), "not_own", "it is over");
}

#[tokio::test]
async fn keys_can_be_on_request_and_access_can_be_renewed() {
    let company = Company::new().await;
    let path = "/api/v1/organizations/acme";
    let read = company.call("admin", "GET", path, "").await.json();
    let mut spec = read["spec"].clone();
    spec["own_keys"] = json!("on_request");
    let body = json!({ "version": read["version"], "spec": spec }).to_string();
    assert_eq!(company.call("admin", "PUT", path, &body).await.status, StatusCode::OK);
    let key = |name: &str| json!({ "name": name, "spec": { "person": "ada" } });
    let closed = post(&company, "ada", "keys", key("mine")).await;
    assert!(closed.text.contains("on request"), "{}", closed.text);
    let ask = json!({ "what": { "key": {} }, "until": "2026-11-20T12:00:00Z", "reason": "New" });
    let name = asked(&company, "ada", "access-requests", ask).await;
    post(&company, "grace", &format!("access-requests/{name}/approve"), json!({})).await;
    assert_eq!(post(&company, "ada", "keys", key("mine")).await.status, StatusCode::CREATED);
    let again = json!({ "renews": name, "until": "2026-12-20T12:00:00Z", "reason": "Still new" });
    let again = asked(&company, "ada", "access-requests", again).await;
    let renewed = spec_of(&company, &again).await;
    assert_eq!((&renewed["renewals"], &renewed["what"]), (&json!(1), &json!({ "key": {} })));
    let theirs = json!({ "renews": name, "until": "2026-12-20T12:00:00Z", "reason": "Me too" });
    assert_eq!(post(&company, "grace", "access-requests", theirs).await.status, 422);
}

async fn spec_of(company: &Company, name: &str) -> Value {
    spec(company, &format!("access-requests/{name}")).await
}
