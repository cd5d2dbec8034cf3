//! Policies asked and checked, and the feed of what they did.

use serde_json::{Value, json};
use tally_types::{
    CallId, CallStatus, EventId, NodeId, PolicyDecision, Record, Severity, Source, UsageEvent,
};
use uuid::Uuid;

use crate::support::{Company, now};

const EXPLAIN: &str = "/api/v1/policies/explain";
const CHECK: &str = "/api/v1/policies/check";

#[tokio::test]
async fn a_call_is_explained_with_what_is_looked_up() {
    let company = Company::new().await;
    let question = json!({ "person": "ada", "model": "gpt-5", "data_class": "confidential" });
    let reply = company.call("developer", "POST", EXPLAIN, &question.to_string()).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    let answer = reply.json();
    assert_eq!(answer["effect"], "deny");
    assert_eq!(answer["rule"], "data-classes/no-class-beyond-approval");
    assert_eq!(answer["call"]["team"], "support");
    assert_eq!(answer["call"]["provider"]["name"], "openai");
    let deciding = answer["rules"].as_array().unwrap().iter().find(|rule| rule["decides"] == true);
    assert_eq!(deciding.unwrap()["standing"], "acts");
    // A workload's data is as sensitive as the workload says, whatever is asked.
    let question = json!({ "key": "support-copilot-prod", "model": "claude-opus-4-8", "data_class": "public" });
    let answer = company.call("developer", "POST", EXPLAIN, &question.to_string()).await.json();
    assert_eq!(
        (&answer["effect"], &answer["call"]["data_class"]),
        (&json!("allow"), &json!("confidential"))
    );
    assert!(answer["redact"].as_array().unwrap().contains(&json!("email")));
    let missing = company.call("developer", "POST", EXPLAIN, r#"{"person":"adda"}"#).await;
    assert_eq!(missing.status, 404);
}

#[tokio::test]
async fn a_file_is_checked_by_line_and_column_and_what_runs_stays() {
    let company = Company::new().await;
    let broken = "kind: Policy\nname: p\nspec:\n  rules:\n    - { id: a, when: 'data_clas == \"x\"', then: deny, says: No. }\n";
    let body = json!({ "file": "p.yaml", "text": broken }).to_string();
    let found = company.call("security", "POST", CHECK, &body).await.json();
    let problem = &found["problems"][0];
    assert_eq!((problem["line"].as_u64(), problem["column"].as_u64()), (Some(5), Some(23)));
    assert_eq!(problem["field"], "rules[0].when");
    // By the API there is no file: the place within the condition is said instead.
    let spec = json!({ "rules": [{ "id": "a", "when": "registered && data_clas == 1", "then": "deny", "says": "No." }] });
    let apply = json!({ "set": "s", "documents": [{ "kind": "Policy", "name": "data-classes", "spec": spec }] });
    let refused = company.call("admin", "POST", "/api/v1/apply", &apply.to_string()).await;
    assert_eq!(refused.status, 422);
    let flaw = &refused.json()["errors"][0];
    assert!(
        flaw["message"].as_str().unwrap().starts_with("line 1, column 15: there is no variable")
    );
    let kept = company.call("admin", "GET", "/api/v1/policies/data-classes", "").await.json();
    assert_eq!((&kept["version"], kept["spec"]["rules"].as_array().unwrap().len()), (&json!(1), 3));
    let fine = json!({ "text": broken.replace("data_clas ==", "team ==") }).to_string();
    let found = company.call("security", "POST", CHECK, &fine).await.json();
    assert_eq!(found, json!({ "problems": [], "policies": 1, "tests": 0 }));
}

fn refused(number: u128, person: &str, severity: Severity) -> UsageEvent {
    let id = Uuid::from_u128(number);
    let mut event = UsageEvent::new(EventId(id), CallId(id), now(), Source::Gateway);
    event.person = Some(person.parse().unwrap());
    event.operation = "chat".to_owned();
    event.model_requested = "gpt-5".to_owned();
    event.status = CallStatus::Refused;
    event.rules = vec!["data-classes/no-class-beyond-approval".to_owned()];
    event.policy_decision = Some(PolicyDecision::Deny);
    event.policy_severity = Some(severity);
    event
}

#[tokio::test]
async fn violations_are_listed_by_severity_and_rule_to_whom_the_calls_belong() {
    let company = Company::new().await;
    let mut redacted = refused(13, "ada", Severity::Low);
    redacted.policy_decision = Some(PolicyDecision::Redact);
    let events =
        [refused(11, "ada", Severity::High), refused(12, "grace", Severity::Severe), redacted];
    let batch: Vec<(u64, Record)> =
        (1..).zip(events.map(|event| Record::Usage(Box::new(event)))).collect();
    company.warehouse.write(NodeId(Uuid::from_u128(9)), &batch).unwrap();
    let list = async |role: &str, query: &str| -> Vec<Value> {
        let path = format!("/api/v1/violations{query}");
        let reply = company.call(role, "GET", &path, "").await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        reply.json()["items"].as_array().unwrap().clone()
    };
    let all = list("security", "").await;
    assert_eq!(all.len(), 2);
    assert_eq!(all[0]["rule"], "data-classes/no-class-beyond-approval");
    assert_eq!(all[0]["says"], "This provider is not approved for this data class.");
    assert_eq!(all[0]["event"]["person"], "grace");
    assert_eq!(list("security", "?severity=high").await.len(), 1);
    assert_eq!(list("security", "?rule=data-classes/other").await.len(), 0);
    assert_eq!(list("security", "?limit=1").await.len(), 1);
    assert!(list("developer", "").await.is_empty());
}
