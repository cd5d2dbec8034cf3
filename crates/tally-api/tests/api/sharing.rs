//! Templates, savings stories and contributions, as people meet them.

use http::StatusCode;
use serde_json::{Value, json};
use tally_types::{
    CallId, EventId, NodeId, Outcome, PicoUsd, Record, Source, TaskResult, Timestamp, UsageEvent,
};
use uuid::Uuid;

use crate::support::{Company, Reply};

async fn post(company: &Company, role: &str, path: &str, body: &Value) -> Reply {
    company.call(role, "POST", &format!("/api/v1/{path}"), &body.to_string()).await
}

async fn get(company: &Company, role: &str, path: &str) -> Value {
    let reply = company.call(role, "GET", &format!("/api/v1/{path}"), "").await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
    reply.json()
}

fn template(name: &str) -> Value {
    json!({
        "name": name,
        "about": {
            "title": "Summary of a ticket", "purpose": "Says what a customer wants",
            "task_type": "summarise", "data_class": "confidential", "model": "claude-haiku-4-5",
        },
        "text": {
            "system": "Be {{mood}}.", "user": "What is wanted? {{ticket}}",
            "variables": [{ "name": "ticket" }, { "name": "mood", "default": "short" }],
        },
    })
}

async fn approved(company: &Company, name: &str) {
    for (role, path, body) in [
        ("developer", "templates".to_owned(), template(name)),
        ("developer", format!("templates/{name}/submit"), json!({ "version": 1 })),
        ("admin", format!("templates/{name}/review"), json!({ "version": 1, "approves": true })),
    ] {
        let reply = post(company, role, &path, &body).await;
        assert!(reply.status.is_success(), "{path}: {}", reply.text);
    }
}

#[tokio::test]
async fn a_template_is_used_once_somebody_else_approved_it() {
    let company = Company::new().await;
    let made = post(&company, "developer", "templates", &template("tickets")).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    let fill = json!({ "variables": { "ticket": "{{mood}} refund" } });
    let early = post(&company, "viewer", "templates/tickets/render", &fill).await;
    assert_eq!(early.json()["code"], "version_missing");

    let number = json!({ "version": 1 });
    let yes = json!({ "version": 1, "approves": true });
    let unasked = post(&company, "admin", "templates/tickets/review", &yes).await;
    assert_eq!(unasked.status, StatusCode::CONFLICT, "{}", unasked.text);
    let others = post(&company, "viewer", "templates/tickets/submit", &number).await;
    assert_eq!(others.json()["code"], "not_yours");
    let submitted = post(&company, "developer", "templates/tickets/submit", &number).await;
    assert!(submitted.status.is_success(), "{}", submitted.text);
    let own = post(&company, "developer", "templates/tickets/review", &yes).await;
    assert_eq!(
        (own.status, own.json()["code"].as_str()),
        (StatusCode::FORBIDDEN, Some("own_request"))
    );
    assert_eq!(get(&company, "viewer", "library?to_review=true").await["items"][0]["to_review"], 1);
    let reviewed = post(&company, "viewer", "templates/tickets/review", &yes).await;
    assert!(reviewed.status.is_success(), "{}", reviewed.text);

    let rendered = post(&company, "viewer", "templates/tickets/render", &fill).await.json();
    assert_eq!(rendered["template"], "tickets@1");
    assert_eq!(rendered["data_class"], "confidential");
    let expected = json!([
        { "role": "system", "content": "Be short." },
        { "role": "user", "content": "What is wanted? {{mood}} refund" },
    ]);
    assert_eq!(rendered["openai"]["messages"], expected);
    assert_eq!(rendered["anthropic"]["system"], "Be short.");
    let wrong = json!({ "variables": { "tickets": "x" } });
    let wrong = post(&company, "viewer", "templates/tickets/render", &wrong).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.text.contains("missing `ticket`; unknown `tickets`"), "{}", wrong.text);
}

#[tokio::test]
async fn the_library_is_searched_and_what_is_over_is_replaced() {
    let company = Company::new().await;
    approved(&company, "tickets").await;
    let first = post(&company, "admin", "library/starter", &json!({})).await.json();
    assert!(first["created"].as_array().unwrap().len() >= 10);
    let again = post(&company, "admin", "library/starter", &json!({})).await.json();
    assert_eq!(again["created"], json!([]));
    // Another version does not make it somebody's own work, for which there would be points.
    let version =
        json!({ "text": { "user": "Shorter: {{text}}", "variables": [{ "name": "text" }] } });
    let added = post(&company, "admin", "templates/safe-summary/versions", &version).await;
    assert!(added.status.is_success(), "{}", added.text);
    assert_eq!(added.json()["spec"]["versions"][1]["number"], 2);
    assert_eq!(added.json()["spec"]["shipped"], true);
    let found = get(&company, "developer", "library?search=CUSTOMER+wants").await;
    let names: Vec<&str> = found["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["tickets"]);
    let over = json!({ "replaced_by": "safe-summary" });
    let retired = post(&company, "developer", "templates/tickets/retire", &over).await;
    assert!(retired.status.is_success(), "{}", retired.text);
    let found = get(&company, "developer", "library?state=retired").await;
    assert_eq!(found["items"][0]["replaced_by"], "safe-summary");
    let more = json!({ "version": 1 });
    let over = post(&company, "developer", "templates/tickets/submit", &more).await;
    assert_eq!(over.status, StatusCode::CONFLICT);
}

/// Tasks of a day with an outcome: so many, each of so many cents, give or take.
fn tasks(company: &Company, first: u64, day: &str, of: (&str, Option<&str>), cents: i64) {
    let mut batch = Vec::new();
    for number in first..first + 40 {
        let id = Uuid::from_u128(u128::from(number) + 70_000);
        let time: Timestamp = format!("{day}T10:00:00Z").parse().unwrap();
        let mut event = UsageEvent::new(EventId(id), CallId(id), time, Source::Gateway);
        event.person = Some(format!("p-{}", number % 5).parse().unwrap());
        event.workload = Some(of.0.parse().unwrap());
        event.task_id = Some(format!("t-{number}"));
        event.task_type = Some("summarise".to_owned());
        event.template = of.1.map(|name| name.parse().unwrap());
        event.operation = "messages".to_owned();
        event.model_requested = "claude-haiku-4-5".to_owned();
        event.tokens.input_uncached = 900;
        event.latency_us = Some(1_000_000);
        let wave = 96 + i64::try_from(number % 9).unwrap();
        event.cost_list_usd = Some(PicoUsd::from_pico(cents * wave * 100_000_000));
        batch.push((2 * number, Record::Usage(Box::new(event))));
        let outcome: Outcome = serde_json::from_value(json!({
            "outcome_id": id, "time": time, "workload": of.0, "task_id": format!("t-{number}"),
            "result": TaskResult::Succeeded,
        }))
        .unwrap();
        batch.push((2 * number + 1, Record::Outcome(outcome)));
    }
    company.warehouse.write(NodeId(Uuid::from_u128(78)), &batch).unwrap();
}

#[tokio::test]
async fn a_template_s_effect_is_measured_against_the_same_work() {
    let company = Company::new().await;
    approved(&company, "tickets").await;
    tasks(&company, 1, "2026-11-10", ("support-copilot", None), 100);
    tasks(&company, 101, "2026-11-11", ("support-copilot", Some("tickets@1")), 60);
    let effect = get(&company, "viewer", "templates/tickets/effect").await;
    assert_eq!(effect["all"]["effect"], "saves", "{effect}");
    let ratio = effect["all"]["cost"]["ratio"].as_f64().unwrap();
    assert!((ratio - 0.6).abs() < 0.03, "{ratio}");
    assert_eq!(
        (effect["reusers"].as_u64(), effect["versions"][0]["version"].as_u64()),
        (Some(5), Some(1))
    );
    assert_eq!(get(&company, "viewer", "templates/tickets/effect").await["all"]["tasks"], 40);
}

fn claim(subject: &Value) -> Value {
    json!({
        "title": "Shorter", "changed": "A shorter history", "subject": subject,
        "before": { "from": "2026-11-01T00:00:00Z", "until": "2026-11-10T00:00:00Z" },
        "after": { "from": "2026-11-10T00:00:00Z", "until": "2026-11-20T00:00:00Z" },
    })
}

#[tokio::test]
async fn a_story_is_what_was_measured_not_what_is_claimed() {
    let company = Company::new().await;
    tasks(&company, 1, "2026-11-05", ("support-copilot", None), 100);
    tasks(&company, 101, "2026-11-15", ("support-copilot", None), 70);
    tasks(&company, 201, "2026-11-05", ("other", None), 100);
    tasks(&company, 301, "2026-11-15", ("other", None), 100);
    let claimed = claim(&json!({ "workload": "support-copilot" }));
    let preview = post(&company, "admin", "story-preview", &claimed).await.json();
    assert_eq!(
        (preview["verdict"].as_str(), preview["ground"].as_str()),
        (Some("confirmed"), Some("saved")),
        "{preview}"
    );
    assert_eq!(get(&company, "viewer", "story-wall").await["items"], json!([]));
    let story = json!({ "name": "shorter", "claim": claimed });
    let told = post(&company, "admin", "stories", &story).await;
    assert_eq!(told.status, StatusCode::CREATED, "{}", told.text);
    let wall = get(&company, "viewer", "story-wall").await;
    assert_eq!((wall["confirmed"].as_u64(), wall["items"].as_array().unwrap().len()), (Some(1), 1));
    assert_eq!(wall["saved_usd"], preview["saved_usd"]);
    let none = claim(&json!({ "workload": "other" }));
    let none = post(&company, "admin", "story-preview", &none).await.json();
    assert_ne!(none["verdict"], "confirmed");
    let mine = post(&company, "viewer", "stories/shorter/withdraw", &json!({})).await;
    assert_eq!(mine.json()["code"], "not_yours");
    let early = json!({ "mine": true, "team": "platform" });
    let few = post(&company, "developer", "story-preview", &claim(&early)).await.json();
    assert_eq!(few["ground"], "too_few_tasks", "{few}");
    let foreign = claim(&json!({ "team": "nobodys" }));
    let foreign = post(&company, "developer", "story-preview", &foreign).await;
    assert_eq!(foreign.status, StatusCode::FORBIDDEN, "{}", foreign.text);
}

#[tokio::test]
async fn a_contribution_counts_when_somebody_else_says_so() {
    let company = Company::new().await;
    let shared =
        json!({ "kind": "failure_case", "title": "Made up", "text": "It made up a refund" });
    let offer = json!({ "name": "made-up", "shared": shared });
    let offered = post(&company, "developer", "contributions", &offer).await;
    assert_eq!(offered.status, StatusCode::CREATED, "{}", offered.text);
    let yes = json!({ "confirms": true });
    let own = post(&company, "developer", "contributions/made-up/decide", &yes).await;
    assert_eq!(own.json()["code"], "own_request");
    let confirmed = post(&company, "viewer", "contributions/made-up/decide", &yes).await;
    assert_eq!(confirmed.json()["spec"]["state"], "confirmed", "{}", confirmed.text);
    let twice = post(&company, "admin", "contributions/made-up/decide", &yes).await;
    assert_eq!(twice.status, StatusCode::CONFLICT);

    let shared =
        json!({ "kind": "mentoring", "title": "Caching", "text": "Prefixes", "mentored": "ada" });
    let offer = json!({ "name": "caching", "shared": shared });
    assert!(post(&company, "developer", "contributions", &offer).await.status.is_success());
    let by_other = post(&company, "admin", "contributions/caching/decide", &yes).await;
    assert_eq!(by_other.json()["code"], "not_yours");
}
