//! How cost centers come to be charged, sprints and reviews, as people see them.

use http::StatusCode;
use serde_json::{Value, json};
use tally_store::NewReconciliation;
use tally_types::{CallId, EventId, NodeId, PicoUsd, Record, Source, Timestamp, UsageEvent};
use uuid::Uuid;

use crate::support::{Company, Reply};

/// A call of a dollar at each time, of the workload where one is named.
pub fn record(company: &Company, workload: Option<&str>, times: &[&str], first: u64) {
    let call = |(number, time): (u64, &&str)| {
        let id = Uuid::from_u128(u128::from(number) + 7_000);
        let time: Timestamp = time.parse().unwrap();
        let mut event = UsageEvent::new(EventId(id), CallId(id), time, Source::Gateway);
        event.person = Some("ada".parse().unwrap());
        event.team = Some("support".parse().unwrap());
        event.cost_center = Some("cc-100-support".parse().unwrap());
        event.workload = workload.map(|name| name.parse().unwrap());
        event.provider = Some("anthropic".parse().unwrap());
        event.operation = "messages".to_owned();
        event.model_requested = "claude-haiku-4-5".to_owned();
        event.model_served = Some("claude-haiku-4-5".to_owned());
        event.tokens.input_uncached = 900;
        event.tokens.cache_read = 100;
        event.tokens.output = 10;
        event.cost_list_usd = Some(PicoUsd::from_pico(1_000_000_000_000));
        (number, Record::Usage(Box::new(event)))
    };
    let batch: Vec<_> = (first..).zip(times).map(call).collect();
    company.warehouse.write(NodeId(Uuid::from_u128(77)), &batch).unwrap();
}

async fn get(company: &Company, role: &str, path: &str) -> Value {
    let reply = company.call(role, "GET", &format!("/api/v1/{path}"), "").await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
    reply.json()
}

async fn post(company: &Company, role: &str, path: &str, body: Value) -> Reply {
    company.call(role, "POST", &format!("/api/v1/{path}"), &body.to_string()).await
}

/// What is measured of one gate of support.
async fn gate(company: &Company, name: &str) -> Value {
    let found = get(company, "finops", "rollout/stages?cost_center=cc-100-support").await;
    let gates = found["items"][0]["gates"].as_array().unwrap().clone();
    gates.into_iter().find(|gate| gate["gate"] == name).unwrap_or_default()
}

const MOVE: &str = "rollouts/cc-100-support/move";

#[tokio::test]
async fn a_cost_center_goes_on_when_its_gates_hold_or_with_a_reason() {
    let company = Company::new().await;
    record(&company, Some("support-copilot"), &["2026-11-10T10:00:00Z"], 1);
    record(&company, None, &["2026-11-11T10:00:00Z", "2026-11-12T10:00:00Z"], 2);
    let found = get(&company, "finops", "rollout/stages").await;
    assert_eq!(found["items"].as_array().unwrap().len(), 2);
    let support = &found["items"][0];
    assert_eq!((&support["stage"], &support["next"]), (&json!("inventory"), &json!("showback")));
    assert_eq!((&support["spend_usd"], &support["since"]), (&json!("3"), &Value::Null));
    assert_eq!(gate(&company, "attributed").await["measured"], "33");
    // It is charged by its model, which its stage does not say.
    assert!(support["at_odds"].as_str().unwrap().contains("charges already"));

    let refused = post(&company, "finops", MOVE, json!({ "to": "showback" })).await;
    assert_eq!((refused.status, refused.code()), (StatusCode::CONFLICT, "gates_open".to_owned()));
    let flaws = refused.json()["errors"].as_array().unwrap().clone();
    let named: Vec<&str> = flaws.iter().map(|flaw| flaw["field"].as_str().unwrap()).collect();
    assert!(named.contains(&"attributed") && named.contains(&"quarter_of_data"), "{named:?}");
    let unsaid = json!({ "to": "showback", "override": true, "reason": "  " });
    assert_eq!(post(&company, "finops", MOVE, unsaid).await.code(), "request_invalid");
    let why = json!({ "to": "showback", "override": true, "reason": "The pilot ends in December" });
    let moved = post(&company, "finops", MOVE, why.clone()).await;
    assert_eq!(moved.status, StatusCode::OK, "{}", moved.text);
    let step = &moved.json()["spec"]["steps"][0];
    assert_eq!((&step["overridden"], &step["by"]), (&json!(true), &json!("p-finops")));
    assert_eq!(step["gates"].as_array().unwrap().len(), 5, "with those that held");
    let twice = post(&company, "finops", MOVE, why).await;
    assert_eq!(twice.code(), "rollout_refused");
    let trail = get(&company, "admin", "audit?kind=rollouts&limit=1").await;
    assert_eq!(trail["items"][0]["action"], "override_stage");
    assert_eq!(trail["items"][0]["note"], "The pilot ends in December");

    // Back needs a reason and no gates; no stage is left out on the way.
    let back = json!({ "to": "inventory" });
    assert_eq!(post(&company, "admin", MOVE, back).await.code(), "request_invalid");
    let back = json!({ "to": "inventory", "reason": "Too early" });
    assert_eq!(post(&company, "admin", MOVE, back).await.json()["spec"]["stage"], "inventory");
    let far = json!({ "to": "chargeback", "override": true, "reason": "now" });
    assert_eq!(post(&company, "finops", MOVE, far).await.code(), "rollout_refused");
}

#[tokio::test]
async fn owners_see_their_own_and_decide_nothing_about_it() {
    let company = Company::new().await;
    let names = |found: Value| -> Vec<Value> {
        found["items"].as_array().unwrap().iter().map(|it| it["cost_center"].clone()).collect()
    };
    assert_eq!(names(get(&company, "grace", "rollout/stages").await), ["cc-100-support"]);
    assert!(names(get(&company, "developer", "rollout/stages").await).is_empty());
    let go = json!({ "to": "showback", "override": true, "reason": "mine" });
    assert_eq!(post(&company, "grace", MOVE, go.clone()).await.code(), "role_missing");
    // Not even with the role.
    let mut theirs = get(&company, "admin", "cost-centers/cc-100-support").await;
    theirs["spec"]["owner"] = json!("p-finops");
    let change = json!({ "version": theirs["version"], "spec": theirs["spec"] }).to_string();
    let path = "/api/v1/cost-centers/cc-100-support";
    assert!(company.call("admin", "PUT", path, &change).await.status.is_success());
    assert_eq!(post(&company, "finops", MOVE, go.clone()).await.code(), "own_request");
    assert!(post(&company, "admin", MOVE, go).await.status.is_success());
}

#[tokio::test]
async fn nothing_stands_in_for_a_model_that_charges() {
    let company = Company::new().await;
    let path = "rollouts/cc-900-innovation/move";
    let go = |to: &str| json!({ "to": to, "override": true, "reason": "agreed" });
    assert!(post(&company, "admin", path, go("showback")).await.status.is_success());
    let refused = post(&company, "admin", path, go("chargeback")).await;
    assert_eq!(refused.code(), "gates_open", "it is subsidised until 2027");
    let flaws = refused.json()["errors"].clone();
    assert_eq!((flaws[0]["field"].as_str(), flaws[1].is_null()), (Some("chargeback_model"), true));
}

#[tokio::test]
async fn a_bill_that_was_never_imported_is_not_measured_yet() {
    let company = Company::new().await;
    record(&company, None, &["2026-11-10T10:00:00Z"], 1);
    let why = json!({ "to": "showback", "override": true, "reason": "agreed" });
    post(&company, "admin", MOVE, why).await;
    let before = gate(&company, "bill_variance").await;
    assert_eq!((&before["ok"], &before["measured"]), (&json!(false), &Value::Null));
    let bill = NewReconciliation {
        provider: "anthropic".parse().unwrap(),
        days: ("2026-10-01".parse().unwrap(), "2026-10-31".parse().unwrap()),
        format: "csv".to_owned(),
        billed_usd: Some("100".parse().unwrap()),
        metered_usd: "99".parse().unwrap(),
        variances: 1,
        bill: json!({}),
        found: json!({}),
    };
    company.store.reconciliations().keep("Person/lin", "lin", bill).await.unwrap();
    let after = gate(&company, "bill_variance").await;
    assert_eq!((&after["ok"], &after["measured"]), (&json!(true), &json!("1")), "{after}");
}

#[tokio::test]
async fn thresholds_are_the_companys() {
    let company = Company::new().await;
    record(&company, Some("support-copilot"), &["2026-11-10T10:00:00Z"], 1);
    let mut acme = get(&company, "admin", "organizations/acme").await;
    acme["spec"]["rollout"] = json!({ "showback": {
        "attributed_percent": 90, "complete_percent": 0, "data_weeks": 0, "readiness_percent": 0,
    } });
    let change = json!({ "version": acme["version"], "spec": acme["spec"] }).to_string();
    let reply = company.call("admin", "PUT", "/api/v1/organizations/acme", &change).await;
    assert!(reply.status.is_success(), "{}", reply.text);
    let found = get(&company, "finops", "rollout/stages?cost_center=cc-100-support").await;
    let gates = found["items"][0]["gates"].as_array().unwrap();
    assert_eq!((gates.len(), &found["items"][0]["ready"]), (2, &json!(true)), "{gates:?}");
    let moved = post(&company, "finops", MOVE, json!({ "to": "showback" })).await.json();
    assert_eq!(moved["spec"]["steps"][0].get("overridden"), None);
}

#[tokio::test]
async fn a_target_is_measured_before_and_after() {
    let company = Company::new().await;
    let september = ["2026-09-02T10:00:00Z", "2026-09-03T10:00:00Z"];
    record(&company, Some("support-copilot"), &september, 1);
    record(&company, Some("support-copilot"), &["2026-10-05T10:00:00Z"], 3);
    let path = "sprints/2026-10/targets";
    let wanted = |more: Value| {
        let mut body = json!({
            "scope": { "workload": "support-copilot" }, "measure": "spend_usd",
            "reduce_percent": "25",
        });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    assert_eq!(post(&company, "grace", path, wanted(json!({}))).await.code(), "role_missing");
    let set = post(&company, "finops", path, wanted(json!({}))).await;
    assert_eq!(set.status, StatusCode::OK, "{}", set.text);
    let target = &set.json()["spec"]["targets"][0];
    // Two dollars in the 30 days of September, in as many days as October has (and an hour).
    assert!(target["baseline"].as_str().unwrap().starts_with("2.0694"), "{target}");
    assert!(target["target"].as_str().unwrap().starts_with("1.552"), "{target}");
    assert_eq!(target["owner"], "grace", "who answers for the workload");
    let mean = wanted(json!({ "measure": "uncached_percent" }));
    let set = post(&company, "finops", path, mean).await.json();
    assert_eq!(set["spec"]["targets"][1]["baseline"], "90");
    for wrong in [
        json!({ "scope": {} }),
        json!({ "scope": { "workload": "nobody-knows" } }),
        json!({ "measure": "cost_per_successful_task_usd" }),
        json!({ "reduce_percent": "101" }),
        json!({ "target": "1" }),
        json!({ "reduce_percent": null, "target": "3" }),
    ] {
        let refused = post(&company, "finops", path, wanted(wrong.clone())).await;
        assert!(refused.status.is_client_error(), "{wrong}: {}", refused.text);
    }

    let page = get(&company, "viewer", "rollout/sprint?month=2026-10").await;
    assert_eq!(page["targets"][0]["value"], "1");
    assert_eq!((&page["targets"][0]["verdict"], &page["is_over"]), (&json!("met"), &json!(true)));
    assert_eq!(page["targets"][0]["late"], true, "October was over when it was set");
    assert_eq!(page["targets"][1]["verdict"], "missed");
    let uncached = &page["offenders"]["uncached"][0];
    assert_eq!(
        (&uncached["workload"], &uncached["uncached_percent"]),
        (&json!("support-copilot"), &json!("90"))
    );

    let drop = json!({ "target": 2, "reason": "Its prompts never repeat" });
    assert!(
        post(&company, "finops", "sprints/2026-10/withdraw", drop.clone())
            .await
            .status
            .is_success()
    );
    assert_eq!(
        post(&company, "finops", "sprints/2026-10/withdraw", drop).await.code(),
        "rollout_refused"
    );
    let closed = post(&company, "finops", "sprints/2026-10/close", json!({})).await.json();
    assert_eq!(closed["spec"]["targets"][0]["result"]["met"], true);
    assert_eq!(closed["spec"]["targets"][1].get("result"), None);
    assert_eq!(post(&company, "finops", path, wanted(json!({}))).await.code(), "rollout_refused");
    // What comes later does not change what was closed.
    record(&company, Some("support-copilot"), &["2026-10-06T10:00:00Z"; 1], 4);
    let page = get(&company, "viewer", "rollout/sprint?month=2026-10").await;
    assert_eq!(page["targets"][0]["value"], "1");
}

#[tokio::test]
async fn a_month_that_goes_on_is_not_closed_and_one_ahead_is_not_there() {
    let company = Company::new().await;
    let early = post(&company, "finops", "sprints/2026-11/close", json!({})).await;
    assert_eq!((early.status, early.code()), (StatusCode::CONFLICT, "rollout_refused".to_owned()));
    for month in ["2026-12", "2026-1", "November"] {
        let path = format!("/api/v1/rollout/sprint?month={month}");
        assert_eq!(company.call("finops", "GET", &path, "").await.code(), "query_invalid");
    }
    let nothing = get(&company, "finops", "rollout/sprint").await;
    assert_eq!((&nothing["month"], &nothing["state"]), (&json!("2026-11"), &Value::Null));
    assert!(!nothing["not_measured"].as_array().unwrap().is_empty(), "silence is no all clear");
}

#[tokio::test]
async fn a_review_shows_what_changed_and_keeps_what_was_decided() {
    let company = Company::new().await;
    let mut policy = get(&company, "admin", "policies/data-classes").await;
    policy["spec"]["rules"][0]["says"] = json!("Another sentence.");
    let change = json!({ "version": policy["version"], "spec": policy["spec"] }).to_string();
    company.call("admin", "PUT", "/api/v1/policies/data-classes", &change).await;
    let path = "quarterly-reviews/2026-Q4/decisions";
    let decision = json!({
        "subject": "policies", "about": "data-classes", "text": "It stays\nas *it* is",
        "owner": "ada", "due": "2026-12-15",
    });
    assert_eq!(post(&company, "grace", path, decision.clone()).await.code(), "role_missing");
    let recorded = post(&company, "security", path, decision).await;
    assert_eq!(recorded.json()["spec"]["decisions"][0]["by"], "p-security");
    let page = get(&company, "viewer", "rollout/review?quarter=2026-Q4").await;
    let actions: Vec<_> =
        page["policies"].as_array().unwrap().iter().map(|one| &one["action"]).collect();
    assert_eq!(actions, ["create", "update"]);
    assert_eq!(page["state"], "open");

    let empty = post(&company, "finops", "quarterly-reviews/2026-Q3/close", json!({})).await;
    assert_eq!(empty.code(), "rollout_refused", "nothing was decided, and nobody says why");
    let closing = json!({ "attendees": ["ada", "grace"], "note": "With legal" });
    let closed = post(&company, "finops", "quarterly-reviews/2026-Q4/close", closing).await;
    assert_eq!(closed.json()["spec"]["state"], "closed");
    let late = json!({ "subject": "other", "text": "One more" });
    assert_eq!(post(&company, "finops", path, late).await.code(), "rollout_refused");
    let minutes = "/api/v1/rollout/review?quarter=2026-Q4&format=markdown";
    let minutes = company.call("viewer", "GET", minutes, "").await.text;
    assert!(minutes.contains("There: ada, grace."), "{minutes}");
    assert!(
        minutes.contains(
            r"- 1. policies (data-classes): It stays as \*it\* is; ada does it by 2026-12-15"
        ),
        "{minutes}"
    );
    for quarter in ["2027-Q1", "2026-Q5", "november"] {
        let path = format!("quarterly-reviews/{quarter}/decisions");
        let body = json!({ "subject": "other", "text": "x" });
        assert_eq!(post(&company, "finops", &path, body).await.code(), "query_invalid");
    }
}
