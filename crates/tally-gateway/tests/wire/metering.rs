//! Tally's numbers are the provider's numbers.

use serde_json::{Value, json};
use tally_types::{CallStatus, CountQuality, DataClass, Environment, UsageEvent};

use crate::bed::{Bed, KEY, SUPPORT_KEY, chat, message, streamed};

fn assert_matches(events: &[UsageEvent], served: &Value) {
    let calls = served["calls"].as_array().unwrap();
    assert_eq!(events.len(), calls.len());
    for call in calls {
        let event = events
            .iter()
            .find(|event| event.provider_request_id.as_deref() == call["request_id"].as_str())
            .unwrap_or_else(|| panic!("no event for {call}"));
        let usage = &call["usage"];
        let tokens = event.tokens;
        for (kind, count) in [
            ("input_uncached", tokens.input_uncached),
            ("cache_read", tokens.cache_read),
            ("cache_write_5m", tokens.cache_write_5m),
            ("cache_write_1h", tokens.cache_write_1h),
            ("output", tokens.output),
            ("reasoning", tokens.reasoning),
        ] {
            assert_eq!(usage[kind].as_u64(), Some(count), "{kind} of {call}");
        }
        assert_eq!(event.counts, CountQuality::Reported);
        assert!(event.cost_list_usd.is_some(), "{:?}", event.unpriced_reason);
    }
}

#[tokio::test]
async fn whole_and_streamed_calls_of_both_dialects() {
    let bed = Bed::new().await;
    let long = "A sentence that is repeated to reach the cache. ".repeat(300);
    let cached = |ttl: &str| {
        let mut body = message("claude-opus-4-8", "and now?");
        let text = format!("Keep for {ttl}. {long}");
        body["system"] = json!([{ "type": "text", "text": text, "cache_control": { "type": "ephemeral", "ttl": ttl } }]);
        body
    };
    let bodies = [
        ("/v1/messages", message("claude-haiku-4-5", "hello")),
        ("/v1/messages", cached("5m")),
        ("/v1/messages", cached("5m")),
        ("/v1/messages", cached("1h")),
        ("/v1/chat/completions", chat("gpt-5", "hello")),
        ("/v1/chat/completions", chat("gpt-5-mini", &long)),
        ("/v1/chat/completions", chat("gpt-5-mini", &long)),
    ];
    let mut count = 0;
    for (path, body) in bodies {
        for body in [body.clone(), streamed(body)] {
            let reply = bed.post(path, KEY, &body).send().await.unwrap();
            assert_eq!(reply.status(), 200);
            assert!(reply.headers().contains_key("x-tally-request-id"));
            reply.bytes().await.unwrap();
            count += 1;
        }
    }
    let embedding = json!({ "model": "text-embedding-3-small", "input": ["one", "two"] });
    let reply = bed.post("/v1/embeddings", KEY, &embedding).send().await.unwrap();
    let cost = reply.headers()["x-tally-cost-usd"].to_str().unwrap().to_owned();
    count += 1;
    let events = bed.events(count).await;
    assert_matches(&events, &bed.served());
    assert_eq!(events.last().unwrap().cost_list_usd.unwrap().to_string(), cost);
    let has_all_kinds = |kind: fn(&UsageEvent) -> u64| events.iter().any(|event| kind(event) > 0);
    assert!(has_all_kinds(|event| event.tokens.cache_read));
    assert!(has_all_kinds(|event| event.tokens.cache_write_1h));
    assert!(has_all_kinds(|event| event.tokens.reasoning));
}

#[tokio::test]
async fn an_event_says_who_for_which_work_and_what() {
    let bed = Bed::new().await;
    let request = bed
        .post("/v1/messages?beta=true", SUPPORT_KEY, &message("claude-opus-4-8", "hello"))
        .header("user-agent", "claude-cli/2.1.197 (external, sdk-cli)")
        .header("x-claude-code-session-id", "s-1")
        .header("x-tally-task", "ticket-7")
        .header("x-tally-task-type", "reply")
        .header("x-tally-data-class", "public")
        .header("x-tally-environment", "experimentation")
        .header("x-tally-workload", "someone-elses")
        .header("x-tally-tags", "value=deflection, squad=blue");
    assert_eq!(request.send().await.unwrap().status(), 200);
    let event = bed.events(1).await.remove(0);
    assert_eq!(event.workload.as_ref().unwrap().as_str(), "copilot");
    assert_eq!(event.cost_center.as_ref().unwrap().as_str(), "cc-100");
    assert_eq!(event.team.as_ref().unwrap().as_str(), "support", "the workload owner's");
    assert_eq!(event.department.as_deref(), Some("care"));
    assert_eq!(event.environment, Environment::Production, "a header cannot change it");
    assert_eq!(event.data_class, DataClass::Confidential, "a header cannot lower it");
    assert_eq!(event.tags["tally.unbound_workload"], "someone-elses");
    assert_eq!(event.tags["tally.claimed_environment"], "experimentation");
    assert_eq!(
        (event.value_tag.as_deref(), event.tags["squad"].as_str()),
        (Some("deflection"), "blue")
    );
    assert_eq!(
        (event.task_id.as_deref(), event.task_type.as_deref()),
        (Some("ticket-7"), Some("reply"))
    );
    assert_eq!(
        (event.session.as_deref(), event.application.as_deref()),
        (Some("s-1"), Some("claude-cli"))
    );
    assert_eq!(event.model_family.as_deref(), Some("claude-opus"));
    assert!(event.latency_us.unwrap() >= event.first_token_us.unwrap());
    assert!(event.price_version.is_some());
}

#[tokio::test]
async fn regression_06_a_model_without_a_price_is_flagged_not_free() {
    let bed = Bed::new().await;
    let reply =
        bed.post("/v1/chat/completions", KEY, &chat("house-model", "hi")).send().await.unwrap();
    assert_eq!(reply.status(), 200);
    assert!(!reply.headers().contains_key("x-tally-cost-usd"));
    let event = bed.events(1).await.remove(0);
    assert_eq!(event.cost_list_usd, None);
    assert!(event.unpriced_reason.is_some());
    assert!(event.tokens.total() > 0);
}

#[tokio::test]
async fn numbers_that_cannot_be_true_and_missing_ones_are_estimated() {
    let bed = Bed::new().await;
    let faults = ["negative_usage", "absurd_usage", "no_usage"];
    for fault in faults {
        let text = format!("[[sim fault={fault} output_tokens=50]]");
        for body in [chat("gpt-5-mini", &text), streamed(chat("gpt-5-mini", &text))] {
            let reply = bed.post("/v1/chat/completions", KEY, &body).send().await.unwrap();
            assert_eq!(reply.status(), 200);
            reply.bytes().await.unwrap();
        }
        let reply = bed.post("/v1/messages", KEY, &streamed(message("claude-haiku-4-5", &text)));
        reply.send().await.unwrap().bytes().await.unwrap();
    }
    for event in bed.events(9).await {
        assert_eq!(event.counts, CountQuality::Estimated, "{event:#?}");
        assert!(event.tokens.output > 0 && event.tokens.output < 5_000, "{event:#?}");
        assert_eq!(event.status, CallStatus::Ok);
    }
}

#[tokio::test]
async fn a_body_that_comes_compressed_unasked_is_read_and_passed_on() {
    let bed = Bed::new().await;
    let body = message("claude-haiku-4-5", "[[sim fault=gzip]]");
    let reply = bed.post("/v1/messages", KEY, &body).send().await.unwrap();
    assert!(!reply.headers().contains_key("content-encoding"));
    let answer: Value = reply.json().await.unwrap();
    assert_eq!(answer["type"], "message");
    let stream = bed.post("/v1/messages", KEY, &streamed(body)).send().await.unwrap();
    assert!(stream.text().await.unwrap().contains("message_stop"));
    assert_matches(&bed.events(2).await, &bed.served());
}

#[tokio::test]
async fn an_alias_is_spelled_as_the_provider_knows_it() {
    let bed = Bed::new().await;
    let reply = bed.post("/v1/chat/completions", KEY, &chat("best", "hi")).send().await.unwrap();
    assert_eq!(reply.headers()["x-tally-model"], "gpt-5");
    let event = bed.events(1).await.remove(0);
    assert_eq!(
        (event.model_requested.as_str(), event.model_served.as_deref()),
        ("best", Some("gpt-5"))
    );
    assert_eq!(bed.served()["calls"][0]["model"], "gpt-5");
}

#[tokio::test]
async fn a_subscription_keeps_its_own_credentials() {
    let bed = Bed::new().await;
    let request = bed
        .http
        .post(format!("http://{}/v1/messages", bed.address))
        .header("x-tally-key", KEY)
        .header("anthropic-version", "2023-06-01")
        .bearer_auth("sk-ant-oat-subscription-wxyz")
        .json(&message("claude-haiku-4-5", "hi"));
    assert_eq!(request.send().await.unwrap().status(), 200);
    let event = bed.events(1).await.remove(0);
    assert!(event.subscription);
    assert!(event.cost_list_usd.is_some(), "metered at list price");
    assert_eq!(bed.served()["calls"][0]["credential"], "wxyz");
}
