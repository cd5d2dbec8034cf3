//! What senders may rely on: over a real store, journal and warehouse.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    unreachable_pub,
    reason = "tests"
)]

mod support;

use axum::body::Body;
use http::{Request, StatusCode};
use serde_json::{Value, json};
use support::{Company, now};
use tally_types::Source;

const OUTCOMES: &str = "/ingest/v1/outcomes";
const EVENTS: &str = "/ingest/v1/events";

fn usage(id: &str) -> Value {
    json!({ "id": id, "model": "claude-haiku-4-5", "tokens": { "input_uncached": 1000, "output": 100 } })
}

fn cloud_event(id: &str, data: &Value) -> Value {
    json!({ "specversion": "1.0", "id": id, "source": "/etl", "type": "usage",
        "time": "2026-11-15T10:00:00Z", "data": data })
}

#[tokio::test(flavor = "multi_thread")]
async fn regression_20_retried_ingestion_counts_once() {
    let company = Company::new().await;
    let outcome = json!({ "task_id": "t-1", "result": "succeeded", "value_usd": "2" }).to_string();
    let call = json!({ "id": "c-1", "model": "claude-haiku-4-5", "task_id": "t-1",
        "tokens": { "input_uncached": 1_000_000 } });
    let call = cloud_event("c-1", &call).to_string();
    for round in 0..3 {
        for (path, body) in [(OUTCOMES, &outcome), (EVENTS, &call)] {
            let report = company.post("support", path, body).await.json();
            let seen =
                report["accepted"].as_u64().unwrap() + report["duplicates"].as_u64().unwrap();
            assert_eq!((seen, &report["rejected"]), (1, &json!([])), "{report}");
        }
        // The next round comes when the journal has shipped and forgotten this one.
        // Something new comes last, as the journal's numbers count duplicates too.
        let marker = json!({ "task_id": format!("marker-{round}"), "succeeded": true });
        company.post("support", OUTCOMES, &marker.to_string()).await;
        company.journal.shipped().await;
    }
    let measures = ["calls", "tokens", "tasks", "tasks_succeeded", "value_usd", "spend_usd"];
    let totals = company.totals(&measures);
    assert_eq!(totals, json!([1, 1_000_000, 1, 1, "2", "1"]));
}

#[tokio::test]
async fn outcomes_in_every_shape() {
    let company = Company::new().await;
    let one = r#"{"task_id":"a","succeeded":true,"quality":0.57495,"time":"2026-11-01T00:00:00Z"}"#;
    assert_eq!(company.post("support", OUTCOMES, one).await.json()["accepted"], 1);
    let array = r#"[{"task_id":"b","result":"failed","escalated":true},{"task_id":"c","result":"succeeded","quality":"1","value_usd":12.5,"tickets_deflected":1,"conversions":2,"minutes_saved":3}]"#;
    assert_eq!(company.post("support", OUTCOMES, array).await.json()["accepted"], 2);
    let lines = "{\"task_id\":\"d\",\"succeeded\":false}\n{\"task_id\":\n{\"task_id\":\"e\",\"succeeded\":true}\n";
    let report = company.post("support", OUTCOMES, lines).await.json();
    assert_eq!(report["accepted"], 2);
    assert_eq!(report["rejected"][0]["index"], 1);
    // The same task again, but another report of it; then a correction of the first.
    let more = r#"[{"id":"later","task_id":"a","succeeded":true},{"task_id":"a","succeeded":false,"revision":1}]"#;
    assert_eq!(company.post("support", OUTCOMES, more).await.json()["accepted"], 2);
}

#[tokio::test]
async fn what_is_wrong_with_outcomes_is_named_and_the_rest_kept() {
    let company = Company::new().await;
    let body = json!([
        { "task_id": "ok", "result": "succeeded" },
        { "task_id": "", "result": "succeeded" },
        { "task_id": "x".repeat(129), "result": "succeeded" },
        { "task_id": "a" },
        { "task_id": "a", "result": "maybe" },
        { "task_id": "a", "result": "failed", "succeeded": true },
        { "task_id": "a", "result": "failed", "quality": 1.5 },
        { "task_id": "a", "result": "failed", "value_usd": "-1" },
        { "task_id": "a", "result": "failed", "workload": "other" },
        { "task_id": "a", "result": "failed", "time": "2026-11-17T00:00:00Z" },
        { "task_id": "a", "result": "failed", "qualty": 1 },
        { "result": "failed" },
        7,
    ]);
    let report = company.post("support", OUTCOMES, &body.to_string()).await.json();
    insta::assert_json_snapshot!(report);
}

#[tokio::test]
async fn a_key_reports_for_its_own_workload_and_an_admin_for_any() {
    let company = Company::new().await;
    let named = r#"{"task_id":"a","succeeded":true,"workload":"support-copilot"}"#;
    assert_eq!(company.post("support", OUTCOMES, named).await.status, StatusCode::OK);
    // Ada is bound to none; an admin may correct any workload that there is.
    let refused = company.post("ada", OUTCOMES, named).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    let own = r#"{"task_id":"a","succeeded":true}"#;
    assert_eq!(company.post("ada", OUTCOMES, own).await.status, StatusCode::OK);
    assert_eq!(company.post("admin", OUTCOMES, named).await.status, StatusCode::OK);
    let unknown = r#"{"task_id":"a","succeeded":true,"workload":"nobodys"}"#;
    let refused = company.post("admin", OUTCOMES, unknown).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn events_are_priced_and_attributed_as_the_gateway_does() {
    let company = Company::new().await;
    let data = json!({ "model": "claude-haiku-4-5", "tokens": { "input_uncached": 1000, "output": 100 },
        "task_id": "t", "tags": { "value": "retention" }, "latency_ms": 250, "request_id": "req_1",
        "environment": "experimentation" });
    let event = company.event_of("support", &cloud_event("1", &data).to_string()).await;
    assert_eq!(event.source, Source::Import);
    assert_eq!(event.workload.as_ref().unwrap().as_str(), "support-copilot");
    assert_eq!(event.team.as_ref().unwrap().as_str(), "support");
    assert_eq!(event.department.as_deref(), Some("customer-care"));
    assert_eq!(event.cost_center.as_ref().unwrap().as_str(), "cc-100-support");
    assert_eq!(event.environment.as_str(), "production");
    assert_eq!(event.tags["tally.claimed_environment"], "experimentation");
    assert_eq!(event.value_tag.as_deref(), Some("retention"));
    assert_eq!(event.provider.as_ref().unwrap().as_str(), "anthropic");
    assert_eq!(event.model_family.as_deref(), Some("claude-haiku"));
    assert_eq!(event.tier.unwrap().as_str(), "economy");
    assert_eq!(event.cost_list_usd.unwrap().to_string(), "0.0015");
    assert!(event.price_version.is_some());
    assert_eq!(event.latency_us, Some(250_000));
    assert_eq!(event.person, None);

    let mut other = usage("2");
    other["workload"] = json!("support-copilot");
    let event = company.event_of("ada", &other.to_string()).await;
    assert_eq!(event.person.as_ref().unwrap().as_str(), "ada");
    assert_eq!(event.workload, None);
    assert_eq!(event.tags["tally.unbound_workload"], "support-copilot");
    assert_eq!(event.time, now());
}

#[tokio::test]
async fn what_changes_a_price_can_be_reported_with_a_call() {
    let company = Company::new().await;
    let cost = |event: tally_types::UsageEvent| event.cost_list_usd.unwrap().to_string();
    let fable = |id: &str| {
        let mut usage = usage(id);
        usage["model"] = json!("claude-fable-5");
        usage["provider"] = json!("anthropic");
        usage
    };
    assert_eq!(cost(company.event_of("ada", &fable("plain").to_string()).await), "0.015");
    let mut tools = fable("tools");
    tools["tool_requests"] = json!({ "web_search": 2 });
    assert_eq!(cost(company.event_of("ada", &tools.to_string()).await), "0.035");
    let mut elsewhere = fable("elsewhere");
    elsewhere["billing_modifiers"] = json!(["inference_geo:us"]);
    assert_eq!(cost(company.event_of("ada", &elsewhere.to_string()).await), "0.0165");
    let mut refused = fable("refused");
    (refused["status"], refused["tokens"]) = (json!("refused"), json!({}));
    refused["tool_requests"] = json!({ "web_search": 2 });
    assert_eq!(cost(company.event_of("ada", &refused.to_string()).await), "0");
    let mut covered = usage("covered");
    covered["subscription"] = json!(true);
    assert!(company.event_of("ada", &covered.to_string()).await.subscription);
    for (field, value) in [
        ("billing_modifiers", json!(vec!["x"; 17])),
        ("tool_requests", json!({ "web_search": u64::MAX })),
    ] {
        let mut wrong = usage("wrong");
        wrong[field] = value;
        let report = company.post("ada", EVENTS, &wrong.to_string()).await.json();
        assert!(report["rejected"][0]["message"].as_str().unwrap().contains(field), "{report}");
    }
}

#[tokio::test]
async fn an_unknown_price_is_flagged_and_never_zero() {
    let company = Company::new().await;
    for (id, model, provider) in [
        ("1", "mystery-9", Some("openai")),
        ("2", "mystery-9", None),
        ("3", "gpt-5", Some("nowhere")),
    ] {
        let mut data = usage(id);
        data["model"] = json!(model);
        data["provider"] = json!(provider);
        let event = company.event_of("ada", &data.to_string()).await;
        assert_eq!((event.cost_list_usd, event.cost_internal_usd), (None, None));
        assert!(event.unpriced_reason.unwrap().contains(model));
    }
    // A list knows it, though it is not registered here.
    let mut data = usage("4");
    data["model"] = json!("claude-sonnet-4-5");
    data["provider"] = json!("anthropic");
    let event = company.event_of("ada", &data.to_string()).await;
    assert!(event.cost_list_usd.is_some(), "{:?}", event.unpriced_reason);
    assert_eq!(event.model_served.as_deref(), Some("claude-sonnet-4-5"));
}

#[tokio::test]
async fn only_some_roles_report_for_other_people() {
    let company = Company::new().await;
    let mut data = usage("1");
    data["person"] = json!("grace");
    data["workload"] = json!("support-copilot");
    let refused = company.post("ada", EVENTS, &data.to_string()).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    let event = company.event_of("admin", &data.to_string()).await;
    assert_eq!(event.person.as_ref().unwrap().as_str(), "grace");
    assert_eq!(event.team.as_ref().unwrap().as_str(), "support");
    assert_eq!(event.workload.as_ref().unwrap().as_str(), "support-copilot");
    for (field, nobody) in [("person", "ghost"), ("workload", "ghost")] {
        let mut data = usage("2");
        data[field] = json!(nobody);
        let refused = company.post("admin", EVENTS, &data.to_string()).await.json();
        assert!(refused["rejected"][0]["message"].as_str().unwrap().contains("ghost"));
    }
}

#[tokio::test]
async fn events_in_every_envelope_and_what_is_wrong_with_them() {
    let company = Company::new().await;
    let batch = json!([
        cloud_event("1", &usage("ignored")),
        usage("plain"),
        { "model": "gpt-5", "tokens": {} },
        { "id": "a", "model": "", "tokens": {} },
        { "id": "b", "model": "gpt-5", "tokens": { "output": 5_000_000_000_u64 } },
        { "id": "c", "model": "gpt-5", "tokens": { "outputs": 1 } },
        { "id": "d", "model": "gpt-5", "tokens": {}, "status": "splendid" },
        { "id": "e", "model": "gpt-5", "tokens": {}, "cost_usd": "1" },
        { "id": "f", "model": "gpt-5", "tokens": { "output": -1 } },
        { "id": "g", "model": "gpt-5", "tokens": {}, "provider": "a b" },
        { "id": "r", "model": "gpt-5", "tokens": { "output": 1 }, "status": "refused" },
        { "specversion": "1.0", "id": "h", "type": "usage", "data": {} },
    ]);
    let report = company.post("ada", EVENTS, &batch.to_string()).await.json();
    insta::assert_json_snapshot!(report);
    let lines = format!("{}\n{}\n", cloud_event("l1", &usage("x")), usage("l2"));
    assert_eq!(company.post("ada", EVENTS, &lines).await.json()["accepted"], 2);
}

#[tokio::test]
async fn doors_are_shut_to_strangers_and_to_nonsense() {
    let company = Company::new().await;
    for path in [OUTCOMES, EVENTS] {
        let reply = company.post("", path, "{}").await;
        assert_eq!((reply.status, reply.code()), (StatusCode::UNAUTHORIZED, "key_missing".into()));
        let reply = company.post("ghost", path, "{}").await;
        assert_eq!(reply.code(), "key_unknown");
        for (body, code) in
            [("", "json_malformed"), ("hello", "json_malformed"), ("[{}", "json_malformed")]
        {
            let reply = company.post("ada", path, body).await;
            assert_eq!((reply.status, reply.code().as_str()), (StatusCode::BAD_REQUEST, code));
        }
        let request = Request::post(path)
            .header("x-api-key", support::key("ada"))
            .body(Body::from(b"{\"id\":\"\xff\"}".to_vec()))
            .unwrap();
        assert_eq!(company.send(request).await.code(), "utf8_invalid");
        let reply = company.post("ada", path, &" ".repeat((20 << 20) + 1)).await;
        assert_eq!(reply.status, StatusCode::PAYLOAD_TOO_LARGE);
        let request = Request::get(path).header("x-api-key", support::key("ada"));
        let reply = company.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(reply.status, StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(reply.headers["allow"], "POST");
    }
}

#[tokio::test]
async fn a_full_journal_says_when_to_come_back() {
    let company = Company::with_journal_bytes(1 << 16).await;
    let mut last = None;
    for round in 0..2_000 {
        let batch: Vec<Value> = (0..50).map(|item| usage(&format!("{round}-{item}"))).collect();
        let reply = company.post("ada", EVENTS, &json!(batch).to_string()).await;
        if reply.status != StatusCode::OK {
            last = Some(reply);
            break;
        }
    }
    let reply = last.expect("the journal fills up");
    assert_eq!(
        (reply.status, reply.code().as_str()),
        (StatusCode::SERVICE_UNAVAILABLE, "journal_full")
    );
    assert_eq!(reply.headers["retry-after"], "30");
}
