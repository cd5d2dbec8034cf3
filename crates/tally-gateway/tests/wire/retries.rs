//! Failures of the provider: repeated, routed around, or told; each metered once.

use serde_json::{Value, json};
use tally_gateway::Options;
use tally_types::{CallStatus, CountQuality, FallbackReason, PicoUsd};

use crate::bed::{Bed, KEY, SUPPORT_KEY, chat, message};

#[tokio::test]
async fn a_passing_failure_is_repeated_and_metered_once() {
    let bed = Bed::new().await;
    for (index, fault) in ["429", "500", "529", "html"].into_iter().enumerate() {
        let body = chat("gpt-5-mini", &format!("[[sim fault={fault} fail_times=2 retry_after=0]]"));
        let reply = bed.post("/v1/chat/completions", KEY, &body).send().await.unwrap();
        assert_eq!(reply.status(), 200, "{fault}");
        let events = bed.events(index + 1).await;
        let event = events.last().unwrap();
        assert_eq!((event.retries, event.status), (2, CallStatus::Ok));
    }
}

#[tokio::test]
async fn a_lasting_failure_is_passed_on_in_the_providers_words() {
    let bed = Bed::new().await;
    let body = message("claude-haiku-4-5", "[[sim fault=500]]");
    let reply = bed.post("/v1/messages", KEY, &body).send().await.unwrap();
    assert_eq!(reply.status(), 500);
    let answer: Value = reply.json().await.unwrap();
    assert_eq!((answer["type"].as_str(), answer.get("tally")), (Some("error"), None));
    let event = bed.events(1).await.remove(0);
    assert_eq!((event.status, event.retries), (CallStatus::Error, 2));
    assert_eq!(event.cost_list_usd, Some(PicoUsd::ZERO));
    assert_eq!(bed.served()["total"]["calls"], 3);
}

#[tokio::test]
async fn a_provider_that_wants_a_long_rest_is_not_asked_again() {
    let bed = Bed::new().await;
    let body = chat("gpt-5-mini", "[[sim fault=429 retry_after=120]]");
    let reply = bed.post("/v1/chat/completions", KEY, &body).send().await.unwrap();
    assert_eq!(reply.status(), 429);
    assert_eq!(reply.headers()["retry-after"], "120", "the client is told how long");
    bed.events(1).await;
    assert_eq!(bed.served()["total"]["calls"], 1);
}

#[tokio::test]
async fn a_web_page_instead_of_an_answer_is_told_in_the_dialect() {
    let bed = Bed::new().await;
    let body = message("claude-haiku-4-5", "[[sim fault=html]]");
    let reply = bed.post("/v1/messages", KEY, &body).send().await.unwrap();
    assert_eq!(reply.status(), 502);
    let answer: Value = reply.json().await.unwrap();
    assert_eq!(answer["error"]["type"], "api_error");
    let body = chat("gpt-5-mini", "[[sim fault=malformed]]");
    let reply = bed.post("/v1/chat/completions", KEY, &body).send().await.unwrap();
    assert_eq!(reply.status(), 502);
    let answer: Value = reply.json().await.unwrap();
    assert_eq!(answer["tally"]["code"], "upstream_malformed");
    let events = bed.events(2).await;
    assert_eq!(events[1].counts, CountQuality::Estimated, "it may have been billed");
    assert!(events[1].tokens.total() > 0);
}

#[tokio::test]
async fn a_provider_that_hangs_is_left_after_its_time() {
    let patch = |resources: &mut Value| {
        resources["providers"]["openai"]["timeouts"] = json!({ "first_byte_ms": 150 });
    };
    let bed = Bed::with(patch, Options::default()).await;
    let body = chat("gpt-5-mini", "[[sim fault=hang]]");
    let reply = bed.post("/v1/chat/completions", KEY, &body).send().await.unwrap();
    assert_eq!(reply.status(), 504);
    let answer: Value = reply.json().await.unwrap();
    assert_eq!(answer["error"]["code"], "upstream_timeout");
    let event = bed.events(1).await.remove(0);
    assert_eq!((event.status, event.counts), (CallStatus::Timeout, CountQuality::Estimated));
}

#[tokio::test]
async fn another_route_serves_when_the_first_cannot_be_reached() {
    let patch = |resources: &mut Value| {
        resources["providers"]["away"] = json!({
            "dialect": "openai", "base_url": "http://127.0.0.1:1/v1", "retries_max": 0, "prices": "openai",
        });
        resources["models"]["gpt-5-mini"] = json!({
            "tier": "economy", "routes": [{ "provider": "away" }, { "provider": "openai" }],
        });
    };
    let bed = Bed::with(patch, Options::default()).await;
    let reply =
        bed.post("/v1/chat/completions", KEY, &chat("gpt-5-mini", "hi")).send().await.unwrap();
    assert_eq!(reply.status(), 200);
    let event = bed.events(1).await.remove(0);
    assert_eq!(event.provider.unwrap().as_str(), "openai");
    assert_eq!((event.retries, event.fallback), (1, None), "the model is the one asked for");
}

#[tokio::test]
async fn a_workloads_declared_fallback_serves_when_its_model_is_down() {
    let patch = |resources: &mut Value| {
        resources["providers"]["away"] =
            json!({ "dialect": "anthropic", "base_url": "http://127.0.0.1:1", "retries_max": 0 });
        resources["models"]["claude-opus-4-8"]["provider"] = "away".into();
    };
    let bed = Bed::with(patch, Options::default()).await;
    let body = message("claude-opus-4-8", "hi");
    let reply = bed.post("/v1/messages", SUPPORT_KEY, &body).send().await.unwrap();
    assert_eq!(reply.status(), 200);
    assert_eq!(reply.headers()["x-tally-model"], "claude-haiku-4-5");
    assert_eq!(reply.headers()["x-tally-decision"], "fallback");
    let event = bed.events(1).await.remove(0);
    assert_eq!(event.fallback, Some(FallbackReason::Error));
    // Without a declared fallback the failure is told.
    let reply = bed.post("/v1/messages", KEY, &body).send().await.unwrap();
    assert_eq!(reply.status(), 502);
}

#[tokio::test]
async fn the_providers_refusal_of_tallys_key_is_not_the_clients_fault() {
    let patch = |resources: &mut Value| {
        resources["providers"]["openai"]["api_key"] = json!({ "env": "invalid-key" });
    };
    let bed = Bed::with(patch, Options::default()).await;
    let reply = bed.post("/v1/chat/completions", KEY, &chat("gpt-5", "hi")).send().await.unwrap();
    assert_eq!(reply.status(), 502);
    let answer: Value = reply.json().await.unwrap();
    assert_eq!(answer["error"]["code"], "upstream_refused_key");
    assert!(!answer.to_string().contains("invalid-key"));
}
