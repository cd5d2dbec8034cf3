//! Temporary increases: asked for, decided, ended, by people with keys.

use http::StatusCode;
use serde_json::{Value, json};

use crate::support::{Company, Reply};

fn ask(more: Value) -> String {
    let mut body = json!({
        "counter": { "budget": "support-month" }, "increase": { "usd": "250" },
        "until": "2026-11-30T17:00:00Z", "reason": "Replies to the recall of model 7",
    });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body.to_string()
}

async fn asked(company: &Company, role: &str, more: Value) -> String {
    let made = company.call(role, "POST", "/api/v1/grants", &ask(more)).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    let name = made.json()["name"].as_str().unwrap().to_owned();
    assert_eq!(made.headers["location"], format!("/api/v1/grants/{name}"));
    name
}

async fn say(company: &Company, role: &str, name: &str, verb: &str, why: Option<&str>) -> Reply {
    let body = why.map_or_else(String::new, |why| json!({ "reason": why }).to_string());
    company.call(role, "POST", &format!("/api/v1/grants/{name}/{verb}"), &body).await
}

async fn names(company: &Company, role: &str, query: &str) -> Vec<String> {
    let page = company.call(role, "GET", &format!("/api/v1/grants{query}"), "").await.json();
    let items = page["items"].as_array().unwrap().iter();
    items.map(|item| item["name"].as_str().unwrap().to_owned()).collect()
}

async fn change_budget(company: &Company, change: Value) {
    let path = "/api/v1/budgets/support-month";
    let read = company.call("admin", "GET", path, "").await.json();
    let mut spec = read["spec"].clone();
    spec.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    let body = json!({ "version": read["version"], "spec": spec }).to_string();
    let changed = company.call("admin", "PUT", path, &body).await;
    assert_eq!(changed.status, StatusCode::OK, "{}", changed.text);
}

#[tokio::test]
async fn asked_approved_and_on_the_record() {
    let company = Company::new().await;
    let dry = company.call("ada", "POST", "/api/v1/grants?dry_run=true", &ask(json!({}))).await;
    assert_eq!(dry.status, StatusCode::OK, "{}", dry.text);
    let dry = dry.json();
    assert_eq!(dry["grant"]["needs"], json!([{ "role": "owner", "people": ["grace"] }]));
    assert_eq!(dry["use"]["settled"], json!({ "usd": "1612.4" }));
    assert_eq!(dry["above"]["counter"], json!({ "budget": "each-person-day", "each": "ada" }));
    assert!(names(&company, "admin", "").await.is_empty(), "nothing was stored");

    let name = asked(&company, "ada", json!({})).await;
    assert_eq!(name, "support-month-2026-11-15-ada");
    assert_eq!(names(&company, "ada", "?mine=true").await, [name.as_str()]);
    assert!(names(&company, "ada", "?to_decide=true").await.is_empty());
    assert_eq!(names(&company, "grace", "?to_decide=true&state=pending").await, [name.as_str()]);
    // Nobody else's: a developer does not see it, a manager sees it and cannot decide.
    let path = format!("/api/v1/grants/{name}");
    assert_eq!(company.call("developer", "GET", &path, "").await.code(), "not_found");
    assert_eq!(say(&company, "developer", &name, "approve", None).await.code(), "not_found");
    assert!(names(&company, "developer", "").await.is_empty());
    assert_eq!(say(&company, "manager", &name, "approve", None).await.code(), "not_an_approver");
    assert_eq!(say(&company, "ada", &name, "approve", None).await.code(), "own_grant");

    let done = say(&company, "grace", &name, "approve", Some("Go on")).await;
    assert_eq!((done.status, &done.json()["spec"]["state"]), (StatusCode::OK, &json!("approved")));
    let again = say(&company, "grace", &name, "approve", None).await;
    assert_eq!(again.json()["version"], done.json()["version"]);
    let late = say(&company, "grace", &name, "deny", Some("no")).await;
    assert_eq!((late.status, late.code().as_str()), (StatusCode::CONFLICT, "already_decided"));
    assert!(late.json()["detail"].as_str().unwrap().starts_with("grace approved it"));
    assert_eq!(say(&company, "ada", &name, "withdraw", None).await.code(), "already_decided");

    assert_eq!(say(&company, "finops", &name, "revoke", None).await.code(), "grant_invalid");
    let ended = say(&company, "finops", &name, "revoke", Some("The recall is over")).await;
    assert_eq!(ended.json()["spec"]["state"], "revoked");
    let trail = company.call("ada", "GET", &format!("{path}/trail"), "").await.json();
    let minutes: Vec<String> = trail["items"].as_array().unwrap().iter().map(line).collect();
    insta::assert_snapshot!(minutes.join("\n"), @r"
    ada asked for 250 USD more on support-month until 30 Nov 2026 18:00 CET (Replies to the recall of model 7)
    tally told grace (owner)
    grace approved it as owner; it holds until 30 Nov 2026 18:00 CET (Go on)
    p-finops revoked it (The recall is over)
    ");
}

fn line(minute: &Value) -> String {
    let note = minute["note"].as_str().map(|note| format!(" ({note})")).unwrap_or_default();
    format!("{} {}{note}", minute["by"].as_str().unwrap(), minute["what"].as_str().unwrap())
}

#[tokio::test]
async fn both_roles_must_approve_and_two_at_once_both_count() {
    let company = Company::new().await;
    change_budget(&company, json!({ "approvers": ["owner", "finops"] })).await;
    let name = asked(&company, "ada", json!({})).await;
    let (one, two) = tokio::join!(
        say(&company, "grace", &name, "approve", None),
        say(&company, "finops", &name, "approve", None)
    );
    assert_eq!((one.status, two.status), (StatusCode::OK, StatusCode::OK));
    let read = company.call("ada", "GET", &format!("/api/v1/grants/{name}"), "").await.json();
    assert_eq!((&read["version"], &read["spec"]["state"]), (&json!(3), &json!("approved")));
    assert_eq!(read["spec"]["decisions"].as_array().unwrap().len(), 2);

    // Two of one role do not make up for the other.
    let name = asked(&company, "ada", json!({ "reason": "again" })).await;
    say(&company, "finops", &name, "approve", None).await;
    let lin = company.store.grants();
    let refused = lin
        .decide(
            "Person/lin",
            &"lin".parse().unwrap(),
            &name.parse().unwrap(),
            tally_store::approvals::Verdict::Approve,
            None,
        )
        .await;
    assert!(refused.is_err());
    let denied = say(&company, "grace", &name, "deny", Some("The small model will do")).await;
    assert_eq!(denied.json()["spec"]["state"], "denied");
}

#[tokio::test]
async fn a_delegate_decides_in_the_place_of_the_approver() {
    let company = Company::new().await;
    let grace = company.call("admin", "GET", "/api/v1/people/grace", "").await.json();
    let mut spec = grace["spec"].clone();
    spec["delegate"] = json!("p-developer");
    let body = json!({ "version": grace["version"], "spec": spec }).to_string();
    company.call("admin", "PUT", "/api/v1/people/grace", &body).await;
    let name = asked(&company, "ada", json!({})).await;
    assert_eq!(names(&company, "developer", "?to_decide=true").await, [name.as_str()]);
    let done = say(&company, "developer", &name, "approve", None).await.json();
    assert_eq!(done["spec"]["decisions"][0]["for_person"], "grace");
}

#[tokio::test]
async fn an_emergency_holds_at_once_where_the_budget_says_so() {
    let company = Company::new().await;
    let taken = ask(json!({ "emergency": true }));
    let refused = company.call("ada", "POST", "/api/v1/grants", &taken).await;
    assert_eq!(refused.code(), "grant_invalid");
    assert_eq!(refused.json()["errors"][0]["field"], "emergency");
    change_budget(&company, json!({ "emergency": true })).await;
    let name = asked(&company, "ada", json!({ "emergency": true })).await;
    assert_eq!(names(&company, "grace", "?to_decide=true").await, [name.as_str()]);
    let told = company.call("finops", "GET", "/api/v1/notifications", "").await.json();
    let title = told["items"][0]["title"].as_str().unwrap();
    assert_eq!(title, "Ada took 250 USD more on support-month in an emergency; please review");
    let reviewed = say(&company, "grace", &name, "approve", None).await.json();
    assert_eq!(reviewed["spec"]["state"], "approved");
    assert!(names(&company, "grace", "?to_decide=true").await.is_empty());
}

#[tokio::test]
async fn what_cannot_be_granted_is_refused_with_the_field() {
    let company = Company::new().await;
    for (more, field) in [
        (json!({ "increase": { "usd": "0" } }), "increase"),
        (json!({ "increase": { "usd": "-1" } }), "increase"),
        (json!({ "increase": { "tokens": 5 } }), "increase"),
        (json!({ "until": "2026-11-15T12:00:00Z" }), "until"),
        (json!({ "until": "2027-11-15T12:00:00Z" }), "until"),
        (json!({ "reason": "" }), "reason"),
        (json!({ "counter": { "budget": "suport-month" } }), "counter.budget"),
        (json!({ "counter": { "budget": "support-month", "each": "ada" } }), "counter.each"),
        (json!({ "counter": { "budget": "each-person-day" } }), "counter.each"),
    ] {
        let refused = company.call("ada", "POST", "/api/v1/grants", &ask(more.clone())).await;
        assert_eq!((refused.status.as_u16(), refused.code().as_str()), (422, "grant_invalid"));
        assert_eq!(refused.json()["errors"][0]["field"], field, "{more}");
    }
    // What one's calls do not count against is not one's to raise; a manager may.
    let others = json!({ "counter": { "budget": "each-person-day", "each": "grace" }, "increase": { "tokens": 5 } });
    let refused = company.call("ada", "POST", "/api/v1/grants", &ask(others.clone())).await;
    assert_eq!(refused.code(), "not_own");
    asked(&company, "grace", others).await;
    // A key of nobody's asks for nothing.
    let refused = company.call("robot", "POST", "/api/v1/grants", &ask(json!({}))).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    // There is no way round: no document, no replacement, no deletion.
    let document = json!({ "kind": "Grant", "name": "g", "spec": {} });
    let set = json!({ "set": "s", "documents": [document] }).to_string();
    let refused = company.call("admin", "POST", "/api/v1/apply", &set).await;
    assert!(refused.text.contains("tally grant request"), "{}", refused.text);
    let name = asked(&company, "ada", json!({})).await;
    for method in ["PUT", "DELETE"] {
        let path = format!("/api/v1/grants/{name}");
        assert_eq!(company.call("admin", method, &path, "").await.code(), "method_not_allowed");
    }
}

#[tokio::test]
async fn stages_that_were_reached_can_be_read() {
    let company = Company::new().await;
    let reached = serde_json::from_value(json!({
        "counter": { "budget": "support-month" },
        "window_start": "2026-10-31T23:00:00Z", "window_end": "2026-11-30T23:00:00Z",
        "stage": { "at": 80, "approval": ["workload_owner", "finops"] }, "round": 0,
        "limit": { "usd": "2000" }, "settled": { "usd": "1612.4" }, "at": "2026-11-15T11:59:00Z",
        "person": "grace", "top_workload": "support-copilot",
    }))
    .unwrap();
    assert!(company.store.stage_events().keep(&reached).await.unwrap());
    let path = "/api/v1/budgets/support-month/events";
    let event = company.call("finops", "GET", path, "").await.json()["items"][0].clone();
    assert_eq!((&event["stage"]["at"], &event["person"]), (&json!(80), &json!("grace")));
    let grant = event["grant"].as_str().unwrap();
    assert_eq!(names(&company, "finops", "?to_decide=true").await, [grant]);
    // The team's budget is ada's, too; whose call it was is not hers to know.
    let event = company.call("ada", "GET", path, "").await.json()["items"][0].clone();
    assert!(event["person"].is_null());
    let others = company.call("developer", "GET", path, "").await.json();
    assert_eq!(others["items"], json!([]));
    let none = company.call("finops", "GET", "/api/v1/budgets/nothing/events", "").await;
    assert_eq!(none.code(), "not_found");
}
