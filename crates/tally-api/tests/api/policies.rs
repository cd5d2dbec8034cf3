//! Policies asked and checked, and the feed of what they did.

use serde_json::{Value, json};
use tally_types::{
    CONTAINED_TAG, CallId, CallStatus, EventId, KeyName, NodeId, PolicyDecision, Record, Severity,
    Source, UsageEvent, spec::KeySuspension,
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

fn store(company: &Company, events: impl IntoIterator<Item = UsageEvent>) {
    let batch: Vec<(u64, Record)> =
        (1..).zip(events.into_iter().map(|event| Record::Usage(Box::new(event)))).collect();
    company.warehouse.write(NodeId(Uuid::from_u128(9)), &batch).unwrap();
}

/// A severe one, of ada's team.
pub fn record_violation(company: &Company) -> EventId {
    let mut event = refused(21, "ada", Severity::Severe);
    event.team = Some("support".parse().unwrap());
    let id = event.event_id;
    store(company, [event]);
    id
}

#[tokio::test]
async fn violations_are_listed_by_severity_and_rule_to_whom_the_calls_belong() {
    let company = Company::new().await;
    let mut redacted = refused(13, "ada", Severity::Low);
    redacted.policy_decision = Some(PolicyDecision::Redact);
    let events =
        [refused(11, "ada", Severity::High), refused(12, "grace", Severity::Severe), redacted];
    store(&company, events);
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

#[tokio::test]
async fn a_violation_is_acknowledged_once_by_security_and_by_the_manager_of_the_team() {
    let company = Company::new().await;
    let mut other = refused(22, "grace", Severity::High);
    other.team = Some("research".parse().unwrap());
    let mut own = refused(21, "ada", Severity::Severe);
    own.team = Some("support".parse().unwrap());
    store(&company, [own.clone(), other.clone()]);
    let say = async |role: &str, event: &UsageEvent, note: &str| {
        let path = format!("/api/v1/violations/{}/acknowledge", event.event_id);
        company.call(role, "POST", &path, &json!({ "note": note }).to_string()).await
    };
    let ids = async |query: &str| -> Vec<String> {
        let path = format!("/api/v1/violations?{query}");
        let page = company.call("security", "GET", &path, "").await.json();
        let items = page["items"].as_array().unwrap().iter();
        items.map(|item| item["event"]["event_id"].as_str().unwrap().to_owned()).collect()
    };
    let agenda = async || {
        let path = "/api/v1/governance/agenda?month=2026-11";
        company.call("security", "GET", path, "").await.json()["open_severe_violations"].clone()
    };
    assert_eq!(agenda().await, 1);
    for role in ["finops", "viewer", "auditor", "developer"] {
        assert_eq!(say(role, &own, "Mine").await.status, 403, "{role}");
    }
    // grace manages support, and p-manager nothing.
    assert_eq!(say("manager", &own, "Mine").await.status, 404);
    assert_eq!(say("grace", &other, "Mine").await.status, 404);
    assert_eq!(say("security", &own, " ").await.status, 400);
    let first = say("grace", &own, "A test; ada knows").await;
    assert_eq!(first.status, 200, "{}", first.text);
    let again = say("security", &own, "Me too").await.json();
    assert_eq!(again, first.json());
    assert_eq!((&again["by"], &again["note"]), (&json!("grace"), &json!("A test; ada knows")));
    let trail = company.call("admin", "GET", "/api/v1/audit?limit=5", "").await.json();
    let said = trail["items"].as_array().unwrap().iter();
    let said: Vec<&Value> =
        said.filter(|entry| entry["action"] == "acknowledge_violation").collect();
    assert_eq!(said.len(), 1);
    assert_eq!(said[0]["after"]["event"], own.event_id.to_string());

    assert_eq!(ids("acknowledged=true").await, [own.event_id.to_string()]);
    assert_eq!(ids("acknowledged=false").await, [other.event_id.to_string()]);
    assert!(ids("acknowledged=false&severity=severe").await.is_empty());
    assert_eq!(ids("").await.len(), 2);
    assert_eq!(agenda().await, 0);
}

#[tokio::test]
async fn a_key_is_suspended_by_its_owner_and_given_back_by_somebody_else() {
    let company = Company::new().await;
    let act = async |role: &str, key: &str, verb: &str, body: Value| {
        let path = format!("/api/v1/keys/{key}/{verb}");
        company.call(role, "POST", &path, &body.to_string()).await
    };
    let (why, note) = (json!({ "reason": "Lost my laptop" }), json!({ "note": "Found it" }));
    // Whose it is not is not told that it is there.
    assert_eq!(act("developer", "k-ada", "suspend", why.clone()).await.status, 404);
    let done = act("ada", "k-ada", "suspend", why.clone()).await;
    assert_eq!(done.status, 200, "{}", done.text);
    let suspended = done.json()["resource"]["spec"]["suspended"].clone();
    assert_eq!(suspended["by"], "Person/ada via Key/k-ada");
    // Said again, it stays as it was said first.
    let again = act("admin", "k-ada", "suspend", json!({ "reason": "Other" })).await.json();
    assert_eq!(again["resource"]["spec"]["suspended"], suspended);
    let refused = company.call("ada", "GET", "/api/v1/me", "").await;
    assert_eq!((refused.status.as_u16(), refused.code().as_str()), (403, "key_suspended"));
    for role in ["developer", "manager", "finops"] {
        assert_eq!(act(role, "k-ada", "reinstate", note.clone()).await.code(), "role_missing");
    }
    // A file that is silent on it keeps it, one that says otherwise is refused.
    let spec = json!({ "person": "ada", "secret": { "env": "KEY_ada" } });
    let document = |spec: &Value| {
        json!({ "set": "acme", "documents": [{ "kind": "Key", "name": "k-ada", "spec": spec }] })
            .to_string()
    };
    let applied = company.call("admin", "POST", "/api/v1/apply", &document(&spec)).await;
    assert_eq!(applied.status, 200, "{}", applied.text);
    let kept = company.call("admin", "GET", "/api/v1/keys/k-ada", "").await.json();
    assert_eq!(kept["spec"]["suspended"], suspended);
    let mut other = spec.clone();
    other["reinstated"] =
        json!({ "at": "2030-01-01T00:00:00Z", "by": "me", "note": "never again" });
    let applied = company.call("admin", "POST", "/api/v1/apply", &document(&other)).await;
    assert_eq!(applied.status, 422);
    assert_eq!(applied.json()["errors"][0]["field"], "reinstated");
    let put = json!({ "version": kept["version"], "spec": other }).to_string();
    assert_eq!(company.call("admin", "PUT", "/api/v1/keys/k-ada", &put).await.status, 422);
    let new =
        json!({ "name": "sly", "spec": { "person": "ada", "reinstated": other["reinstated"] } });
    assert_eq!(company.call("grace", "POST", "/api/v1/keys", &new.to_string()).await.status, 403);
    assert_eq!(company.call("admin", "POST", "/api/v1/keys", &new.to_string()).await.status, 422);

    let back = act("security", "k-ada", "reinstate", note.clone()).await.json();
    assert_eq!(back["resource"]["spec"]["suspended"], Value::Null);
    assert_eq!(back["resource"]["spec"]["reinstated"]["note"], "Found it");
    assert_eq!(company.call("ada", "GET", "/api/v1/me", "").await.status, 200);
    // Nobody gives back their own, while there is somebody else.
    let new = json!({ "name": "extra", "spec": { "person": "p-security" } }).to_string();
    assert_eq!(company.call("admin", "POST", "/api/v1/keys", &new).await.status, 201);
    assert_eq!(act("security", "extra", "suspend", why).await.status, 200);
    assert_eq!(act("security", "extra", "reinstate", note.clone()).await.code(), "own_key");
    assert_eq!(act("admin", "extra", "reinstate", note).await.status, 200);
    let notices = company.store.inbox().list(&"ada".parse().unwrap(), false, 10, None).await;
    let titles: Vec<String> = notices.unwrap().items.into_iter().map(|one| one.title).collect();
    assert_eq!(titles, ["Key k-ada is reinstated", "Key k-ada is suspended"]);
}

#[tokio::test]
async fn what_a_rule_suspended_is_taken_over_once_and_not_after_it_was_given_back() {
    let company = Company::new().await;
    let key: KeyName = "k-ada".parse().unwrap();
    let mut event = refused(31, "ada", Severity::Severe);
    event.key = Some(key.clone());
    event.tags.insert(CONTAINED_TAG.to_owned(), event.rules[0].clone());
    store(&company, [event.clone()]);
    let why = KeySuspension {
        at: event.time,
        by: "tally gateway".to_owned(),
        reason: "Restricted data never leaves.".to_owned(),
        rule: event.rules.first().cloned(),
        event: Some(event.event_id),
        call: Some(event.call_id),
    };
    assert!(company.store.contain_key(&key, &why).await.unwrap());
    assert!(!company.store.contain_key(&key, &why).await.unwrap());
    assert!(!company.store.contain_key(&"gone".parse().unwrap(), &why).await.unwrap());
    let contained = async || {
        let list = company.call("security", "GET", "/api/v1/violations", "").await.json();
        list["items"][0]["contained"].clone()
    };
    let shown = contained().await;
    assert_eq!((&shown["key"], &shown["suspended"]), (&json!("k-ada"), &json!(true)));
    assert_eq!(shown["rule"], event.rules[0]);
    // Whose key is suspended by a rule makes no other one.
    let new = json!({ "name": "another", "spec": { "person": "ada" } });
    let laptop = "tally_TALLY_KEY_ADA_0123456789abcdef";
    let made = company.call_with(laptop, "POST", "/api/v1/keys", &new.to_string()).await;
    assert_eq!(made.code(), "key_suspended");
    let note = json!({ "note": "A mistake" }).to_string();
    let path = "/api/v1/keys/k-ada/reinstate";
    assert_eq!(company.call("security", "POST", path, &note).await.status, 200);
    assert_eq!(contained().await["reinstated"]["note"], "A mistake");
    assert!(!company.store.contain_key(&key, &why).await.unwrap(), "told again, late");
    let later = KeySuspension { at: event.time + std::time::Duration::from_secs(1), ..why };
    assert!(company.store.contain_key(&key, &later).await.unwrap());
    let trail = company.call("security", "GET", "/api/v1/audit?name=k-ada&kind=keys", "").await;
    let actions: Vec<Value> = trail.json()["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| json!([entry["action"], entry["actor"]]))
        .collect();
    assert_eq!(actions[0], json!(["suspend_key", "tally gateway"]));
    assert_eq!(actions[1], json!(["reinstate_key", "Person/p-security via Key/k-security"]));
}
