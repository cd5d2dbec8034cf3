//! What is forgotten in time, what is read with a reason, and who is erased.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::{Value, json};
use tally_api::openapi_document;
use tally_prompts::Prompt;
use tally_types::{
    CallId, DataClass, EventId, NodeId, PicoUsd, Record, Source, Timestamp, UsageEvent,
};
use uuid::Uuid;

use crate::support::{Company, now};

const DAY_S: u64 = 24 * 3_600;

fn days_ago(days: u64) -> Timestamp {
    now() - std::time::Duration::from_secs(days * DAY_S)
}

fn call(number: u128, person: &str, time: Timestamp) -> UsageEvent {
    let id = Uuid::from_u128(number);
    let mut event = UsageEvent::new(EventId(id), CallId(id), time, Source::Gateway);
    event.person = person.parse().ok();
    event.key = format!("{person}-laptop").parse().ok();
    event.cost_center = "cc-100-support".parse().ok();
    event.operation = "chat".to_owned();
    event.model_requested = "gpt-5".to_owned();
    event.cost_list_usd = Some(PicoUsd::from_pico(1_000_000_000));
    event
}

fn write(company: &Company, node: u128, events: Vec<UsageEvent>) {
    let rows: Vec<(u64, Record)> = (1..)
        .zip(events)
        .map(|(sequence, event)| (sequence, Record::Usage(Box::new(event))))
        .collect();
    company.warehouse.write(NodeId(Uuid::from_u128(node)), &rows).unwrap();
}

fn prompt(number: u128, person: Option<&str>, days: u64) -> Prompt {
    Prompt {
        event_id: EventId(Uuid::from_u128(number)),
        call_id: CallId(Uuid::from_u128(number + 1_000)),
        time: days_ago(days),
        class: DataClass::Internal,
        person: person.and_then(|person| person.parse().ok()),
        request: Bytes::from_static(b"an unmistakable question"),
        reply: Bytes::from_static(b"an unmistakable answer"),
    }
}

/// Sets the organization's periods.
pub async fn set_periods(company: &Company, retention: Value) {
    let path = "/api/v1/organizations/acme";
    let read = company.call("admin", "GET", path, "").await.json();
    let mut spec = read["spec"].clone();
    spec["retention"] = retention;
    let body = json!({ "version": read["version"], "spec": spec }).to_string();
    let changed = company.call("admin", "PUT", path, &body).await;
    assert_eq!(changed.status, 200, "{}", changed.text);
}

async fn entries(company: &Company, action: &str) -> Vec<Value> {
    let path = format!("/api/v1/audit?action={action}");
    let page = company.call("admin", "GET", &path, "").await.json();
    page["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn old_calls_and_prompts_go_and_one_entry_says_so() {
    let company = Company::new().await;
    write(
        &company,
        7,
        vec![
            call(1, "ada", days_ago(40)),
            call(2, "ada", days_ago(31)),
            call(3, "ada", days_ago(2)),
        ],
    );
    company.prompts.write(&[prompt(1, Some("ada"), 9), prompt(2, None, 3)]).unwrap();
    set_periods(&company, json!({ "internal": { "personal_days": 30, "prompts_days": 7 } })).await;

    let before = company.call("finops", "GET", "/api/v1/retention", "").await.json();
    let internal = before["classes"][1].clone();
    assert_eq!(internal["data_class"], "internal");
    for (field, value) in [
        ("personal_days", json!(30)),
        ("events_due", json!(2)),
        ("oldest_event_due", json!(days_ago(40))),
        ("prompts_kept", json!(2)),
        ("prompts_due", json!(1)),
        ("oldest_prompt", json!(days_ago(9))),
    ] {
        assert_eq!(internal[field], value, "{field}");
    }
    assert_eq!(before["runs"], json!([]));

    let run = |body: &'static str| company.call("security", "POST", "/api/v1/retention/run", body);
    let dry = run(r#"{"dry_run":true}"#).await.json();
    assert_eq!(dry["classes"][1], json!({ "data_class": "internal", "events": 2, "prompts": 1 }));
    assert_eq!(entries(&company, "purge_personal_data").await.len(), 0, "nothing was changed");
    let done = run("").await.json();
    assert_eq!(done["classes"][1], dry["classes"][1]);
    assert_eq!((&done["dry_run"], &done["more"]), (&json!(false), &json!(false)));
    run("").await;
    let written = entries(&company, "purge_personal_data").await;
    assert_eq!(written.len(), 1, "a run that purges nothing leaves no entry");
    let counts = json!({ "internal": { "events": 2, "prompts": 1 } });
    assert_eq!(written[0]["after"]["classes"], counts);

    let after = company.call("auditor", "GET", "/api/v1/retention", "").await.json();
    assert_eq!(after["classes"][1]["events_due"], 0);
    assert_eq!(after["runs"][0]["purged"]["classes"], counts);
    let page = company.call("admin", "GET", "/api/v1/events?range=last_90_days", "").await.json();
    let people: Vec<_> =
        page["items"].as_array().unwrap().iter().map(|item| item["person"].as_str()).collect();
    assert_eq!(people, [Some("ada"), None, None]);
    assert!(page["items"][2]["key"].is_null() && page["items"][2]["cost_list_usd"] == "0.001");
}

#[tokio::test]
async fn a_kept_prompt_is_read_with_a_reason_and_every_look_is_written_down() {
    let company = Company::new().await;
    set_periods(&company, json!({ "internal": { "prompts_days": 7 } })).await;
    company.prompts.write(&[prompt(1, Some("ada"), 2)]).unwrap();
    let path = format!("/api/v1/events/{}/prompt", Uuid::from_u128(1));
    let reason = json!({ "reason": "incident 4711: what left" }).to_string();

    let kept = company.call("auditor", "GET", &path, "").await.json()["prompt"].clone();
    assert_eq!(kept["purged_at"], json!(now() + std::time::Duration::from_secs(5 * DAY_S)));
    assert_eq!(kept["bytes"], 46);
    for role in ["admin", "finops", "viewer", "manager", "developer"] {
        for (method, body) in [("GET", ""), ("POST", reason.as_str())] {
            let reply = company.call(role, method, &path, body).await;
            assert_eq!(reply.status, 403, "{role}: {}", reply.text);
        }
    }
    for short in ["", "because", "        x         "] {
        let body = json!({ "reason": short }).to_string();
        let refused = company.call("security", "POST", &path, &body).await;
        assert_eq!((refused.status.as_u16(), refused.code().as_str()), (422, "reason_needed"));
    }
    assert_eq!(entries(&company, "read_prompt").await.len(), 0);

    for (role, id) in [("security", 1), ("auditor", 1_001)] {
        // By the event, and by the id that the client got.
        let path = format!("/api/v1/events/{}/prompt", Uuid::from_u128(id));
        let read = company.call(role, "POST", &path, &reason).await.json();
        assert_eq!(read["request"], "an unmistakable question");
        assert_eq!(read["reply"], "an unmistakable answer");
    }
    let written = entries(&company, "read_prompt").await;
    assert_eq!(written.len(), 2);
    assert_eq!(written[0]["actor"], "Person/p-auditor via Key/k-auditor");
    assert_eq!(written[0]["after"]["event"], json!(Uuid::from_u128(1)));
    assert_eq!(written[0]["after"]["reason"], "incident 4711: what left");
    assert!(!Value::from(written).to_string().contains("unmistakable"));
    let gone = format!("/api/v1/events/{}/prompt", Uuid::from_u128(9));
    assert_eq!(company.call("security", "POST", &gone, &reason).await.code(), "not_found");
    let none = company.call("security", "GET", &gone, "").await.json();
    assert_eq!(none, json!({ "prompt": null }));
}

/// Every `GET` without a name in its path, and those of what the test made.
async fn everything_said(company: &Company, more: &[String]) -> BTreeMap<String, String> {
    let document = openapi_document();
    let paths = document["paths"].as_object().unwrap().iter();
    let read = paths.filter(|(path, methods)| {
        !path.contains('{') && !path.ends_with("/live") && methods.get("get").is_some()
    });
    let read: Vec<String> = read.map(|(path, _)| path.clone()).chain(more.to_vec()).collect();
    let mut said = BTreeMap::new();
    for path in read {
        for role in ["admin", "auditor", "grace"] {
            said.insert(format!("{role} {path}"), company.call(role, "GET", &path, "").await.text);
        }
    }
    said
}

fn holding(company: &Company, word: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![company.folder.path().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if std::fs::read(&path)
                .unwrap()
                .windows(word.len())
                .any(|it| it == word.as_bytes())
            {
                found.push(path.display().to_string());
            }
        }
    }
    found
}

const NAME: &str = "Quillon Featherstonehaugh";
const MAIL: &str = "q.featherstonehaugh@acme.test";

/// Someone who left traces everywhere.
async fn leave_traces(company: &Company) -> Vec<String> {
    let path = "/api/v1/people/ada";
    let read = company.call("admin", "GET", path, "").await.json();
    let mut spec = read["spec"].clone();
    spec["display_name"] = json!(NAME);
    spec["email"] = json!(MAIL);
    let body = json!({ "version": read["version"], "spec": spec }).to_string();
    assert_eq!(company.call("admin", "PUT", path, &body).await.status, 200);
    let ask = json!({
        "counter": { "budget": "support-month" }, "increase": { "usd": "250" },
        "until": "2026-11-30T17:00:00Z", "reason": format!("{NAME} asked me, see {MAIL}"),
    });
    let made = company.call("ada", "POST", "/api/v1/grants", &ask.to_string()).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let grant = format!("/api/v1/grants/{}", made.json()["name"].as_str().unwrap());
    let why = json!({ "reason": format!("{NAME} should use the other model") }).to_string();
    let denied = company.call("grace", "POST", &format!("{grant}/deny"), &why).await;
    assert_eq!(denied.status, 200, "{}", denied.text);

    let mut own = call(1, "ada", days_ago(1));
    own.user_agent = Some(format!("mailer of {MAIL}"));
    own.session = Some(format!("{NAME} 1"));
    own.tags.insert("author".to_owned(), NAME.to_owned());
    let mut quoting = call(2, "grace", days_ago(1));
    quoting.task_id = Some(format!("answer {NAME}"));
    write(company, 7, vec![own, quoting]);
    company.warehouse.compact(now()).unwrap();
    company.warehouse.checkpoint().unwrap();
    company.prompts.write(&[prompt(1, Some("ada"), 1), prompt(2, Some("grace"), 1)]).unwrap();
    let event = |number| format!("/api/v1/events/{}", Uuid::from_u128(number));
    vec![
        grant,
        path.to_owned(),
        event(1),
        event(2),
        format!("{}/minutes", made.headers["location"].to_str().unwrap()),
    ]
}

#[tokio::test]
async fn who_is_erased_is_named_by_no_endpoint_and_no_file() {
    let company = Company::new().await;
    let more = leave_traces(&company).await;
    let spend = "/api/v1/query";
    let query = json!({ "measures": ["spend_usd", "calls"], "dimensions": ["cost_center"],
        "range": "last_7_days" })
    .to_string();
    let cost = company.call("finops", "POST", spend, &query).await.json()["rows"].clone();
    for word in [NAME, MAIL] {
        let said = everything_said(&company, &more).await;
        assert!(said.values().filter(|text| text.contains(word)).count() > 3, "the test can tell");
        assert!(!holding(&company, word).is_empty());
    }

    let erase = "/api/v1/people/ada/erase";
    let body = |dry_run| json!({ "reason": "asked for it", "dry_run": dry_run }).to_string();
    let dry = company.call("security", "POST", erase, &body(true)).await.json();
    assert_eq!((&dry["events"], &dry["prompts"]), (&json!(2), &json!(1)));
    let still = company.call("admin", "GET", "/api/v1/people/ada", "").await;
    assert!(still.text.contains(NAME), "nothing was changed");
    let done = company.call("security", "POST", erase, &body(false)).await;
    assert_eq!(done.status, 200, "{}", done.text);
    let done = done.json();
    for field in ["entries", "keys", "resources", "notices", "events", "prompts"] {
        assert!(done[field].as_u64().unwrap() > 0, "{field}: {done}");
        assert_eq!(done[field], dry[field], "{field}");
    }
    assert_eq!(done["overwritten"], true, "{done}");

    for (request, text) in everything_said(&company, &more).await {
        for word in [NAME, MAIL, "Featherstonehaugh"] {
            assert!(!text.contains(word), "{request}: {text}");
        }
    }
    for word in [NAME, MAIL, "eatherstonehaugh"] {
        assert_eq!(holding(&company, word), Vec::<String>::new(), "{word}");
    }
    let calls = company.call("admin", "GET", "/api/v1/events?range=last_7_days", "").await.json();
    let people: Vec<_> =
        calls["items"].as_array().unwrap().iter().map(|item| item["person"].as_str()).collect();
    assert!(people.contains(&Some("grace")) && !people.contains(&Some("ada")), "{people:?}");
    let same = company.call("finops", "POST", spend, &query).await.json()["rows"].clone();
    assert_eq!(same, cost, "what it cost, and who pays, stays");
    assert!(company.prompts.find(Uuid::from_u128(1)).unwrap().is_none());
    assert!(company.prompts.find(Uuid::from_u128(2)).unwrap().is_some(), "grace's stays");
}

#[tokio::test]
async fn a_restored_warehouse_forgets_who_was_erased_with_the_next_run() {
    let company = Company::new().await;
    let why = json!({ "reason": "asked for it" }).to_string();
    let erased = company.call("admin", "POST", "/api/v1/people/ada/erase", &why).await;
    assert_eq!(erased.status, 200, "{}", erased.text);
    // As an older copy of the files knows her; and someone who got her name later.
    write(&company, 7, vec![call(1, "ada", days_ago(3))]);
    company.prompts.write(&[prompt(1, Some("ada"), 3)]).unwrap();
    company.clock.advance(std::time::Duration::from_secs(DAY_S));
    write(&company, 8, vec![call(2, "ada", now() + std::time::Duration::from_secs(600))]);
    let run = company.call("admin", "POST", "/api/v1/retention/run", "").await.json();
    assert_eq!((&run["erased_events"], &run["erased_prompts"]), (&json!(1), &json!(1)));
    let people = |number| {
        let event = company.warehouse.event(EventId(Uuid::from_u128(number))).unwrap().unwrap();
        event.person.map(|person| person.to_string())
    };
    assert_eq!((people(1), people(2)), (None, Some("ada".to_owned())));
}
