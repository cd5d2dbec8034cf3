//! One call's whole story.

use http::StatusCode;
use serde_json::json;
use tally_types::{
    CallId, CallStatus, EventId, NodeId, Outcome, PicoUsd, Record, Source, TaskResult, UsageEvent,
};
use uuid::Uuid;

use crate::support::{Company, now};

const ID: u128 = 7;
const PATH: &str = "/api/v1/calls/00000000-0000-0000-0000-000000000007";

/// Two attempts, the second of which served; the price is that of the shipped list.
fn attempts(company: &Company) -> Vec<UsageEvent> {
    let prices = company.prices();
    [(1_u64, CallStatus::Timeout), (2, CallStatus::Ok)]
        .into_iter()
        .map(|(number, status)| {
            let id = EventId(Uuid::from_u128(u128::from(number) + 100));
            let time = now() + std::time::Duration::from_secs(number);
            let mut event = UsageEvent::new(id, CallId(Uuid::from_u128(ID)), time, Source::Gateway);
            event.status = status;
            event.person = Some("ada".parse().unwrap());
            event.team = Some("support".parse().unwrap());
            event.workload = Some("support-copilot".parse().unwrap());
            event.task_id = Some("t-1".to_owned());
            event.provider = Some("anthropic".parse().unwrap());
            event.operation = "messages".to_owned();
            event.model_requested = "claude-haiku-4-5".to_owned();
            event.model_served = Some("claude-haiku-4-5".to_owned());
            event.tokens.input_uncached = 1_000;
            event.tokens.output = 100;
            event.latency_us = Some(500_000);
            prices.price_event("anthropic", &["claude-haiku-4-5"], &mut event);
            event
        })
        .collect()
}

fn record(company: &Company) -> PicoUsd {
    let events = attempts(company);
    let cost = events[0].cost_list_usd.unwrap();
    let outcome = Outcome {
        outcome_id: EventId(Uuid::from_u128(900)),
        revision: 0,
        time: now(),
        workload: Some("support-copilot".parse().unwrap()),
        task_id: "t-1".to_owned(),
        result: TaskResult::Succeeded,
        escalated: false,
        quality_bp: Some(9_000),
        value_usd: None,
        tickets_deflected: Some(1),
        conversions: None,
        minutes_saved: None,
        reported_by: "key:tickets".parse().ok(),
    };
    let events = events.into_iter().map(|event| Record::Usage(Box::new(event)));
    let rows: Vec<(u64, Record)> = (1..).zip(events.chain([Record::Outcome(outcome)])).collect();
    company.warehouse.write(NodeId(Uuid::from_u128(9)), &rows).unwrap();
    cost
}

#[tokio::test]
async fn a_call_tells_who_what_for_which_work_and_why_it_cost_so_much() {
    let company = Company::new().await;
    let cost = record(&company);
    let reply = company.call("viewer", "GET", PATH, "").await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
    let call = reply.json();
    let statuses: Vec<_> = call["attempts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|attempt| &attempt["event"]["status"])
        .collect();
    assert_eq!(statuses, ["timeout", "ok"], "in the order of time");
    let price = &call["attempts"][1]["price"];
    assert_eq!(price["total_usd"], json!(cost));
    assert_eq!(price["lines"][0]["what"], "input_uncached");
    assert_eq!(price["lines"][0]["rate_usd"], "1");
    assert_eq!(price["lines"][0]["cost_usd"], "0.001");
    assert_eq!(call["total"]["tokens"], 2_200);
    assert_eq!(call["total"]["latency_us"], 1_500_000);
    let both = PicoUsd::from_pico(2 * cost.pico());
    assert_eq!(call["total"]["cost_list_usd"], json!(both));
    assert_eq!(call["task"]["outcome"]["result"], "succeeded");
    assert_eq!((&call["task"]["calls"], &call["task"]["cost_list_usd"]), (&json!(2), &json!(both)));
    assert!(call["budgets"].as_array().unwrap().contains(&json!("support-month")));
}

#[tokio::test]
async fn a_call_is_there_only_for_those_who_may_see_it() {
    let company = Company::new().await;
    record(&company);
    let own = company.call("ada", "GET", PATH, "").await.json();
    assert_eq!(own["attempts"].as_array().unwrap().len(), 2);
    assert_eq!(own["task"]["calls"], json!(null), "a task's other calls are not ada's to see");
    assert_eq!(
        company.call("grace", "GET", PATH, "").await.status,
        StatusCode::OK,
        "ada's manager"
    );
    assert_eq!(company.call("developer", "GET", PATH, "").await.code(), "not_found");
    assert_eq!(company.call("viewer", "GET", "/api/v1/calls/x", "").await.code(), "id_invalid");
    let none = "/api/v1/calls/00000000-0000-0000-0000-0000000000ff";
    assert_eq!(company.call("viewer", "GET", none, "").await.code(), "not_found");
}
