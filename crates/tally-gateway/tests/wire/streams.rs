//! Streams that end early, for whatever reason.

use std::time::Duration;

use futures::StreamExt;
use serde_json::{Value, json};
use tally_gateway::Options;
use tally_types::{CallStatus, CountQuality};

use crate::bed::{Bed, KEY, chat, message, streamed};

async fn text(bed: &Bed, path: &str, body: &Value) -> String {
    bed.post(path, KEY, body).send().await.unwrap().text().await.unwrap()
}

#[tokio::test]
async fn a_cut_stream_ends_with_an_error_in_the_dialect_and_is_metered() {
    let bed = Bed::new().await;
    for fault in ["cut", "truncated_sse"] {
        let prompt = format!("[[sim fault={fault} output_tokens=200 cut_at=80]]");
        let body = streamed(message("claude-haiku-4-5", &prompt));
        let anthropic = text(&bed, "/v1/messages", &body).await;
        assert!(anthropic.contains("\n\nevent: error\n"), "an event of its own: {anthropic}");
        let openai =
            text(&bed, "/v1/chat/completions", &streamed(chat("gpt-4o-mini", &prompt))).await;
        assert!(openai.contains("upstream_stream_cut"), "{openai}");
        assert!(!openai.contains("\"usage\""), "what Tally asked for stays hidden");
    }
    for event in bed.events(4).await {
        assert_eq!((event.status, event.counts), (CallStatus::Cut, CountQuality::Estimated));
        assert!(event.tokens.output > 10, "{event:#?}");
        assert!(event.cost_list_usd.is_some());
    }
}

#[tokio::test]
async fn a_stream_that_stops_is_left_after_its_time() {
    let patch = |resources: &mut Value| {
        resources["providers"]["anthropic"]["timeouts"] = json!({ "idle_ms": 150 });
    };
    let bed = Bed::with(patch, Options::default()).await;
    let body = streamed(message("claude-haiku-4-5", "[[sim fault=hang_mid output_tokens=100]]"));
    let seen = text(&bed, "/v1/messages", &body).await;
    assert!(seen.contains("upstream_stream_idle"), "{seen}");
    assert_eq!(bed.events(1).await[0].status, CallStatus::Timeout);
}

#[tokio::test]
async fn an_error_inside_a_stream_passes_as_it_is() {
    let bed = Bed::new().await;
    let body = streamed(message("claude-haiku-4-5", "[[sim fault=error_mid output_tokens=100]]"));
    let seen = text(&bed, "/v1/messages", &body).await;
    assert_eq!(seen.matches("event: error").count(), 1, "{seen}");
    assert_eq!(bed.events(1).await[0].status, CallStatus::Error);
}

#[tokio::test]
async fn usage_is_shown_to_those_who_asked_and_hidden_from_others() {
    let bed = Bed::new().await;
    let silent = text(&bed, "/v1/chat/completions", &streamed(chat("gpt-5-mini", "hello"))).await;
    assert!(!silent.contains("\"usage\"") && silent.contains("[DONE]"), "{silent}");
    let mut asking = streamed(chat("gpt-5-mini", "hello again"));
    asking["stream_options"] = json!({ "include_usage": true });
    let told = text(&bed, "/v1/chat/completions", &asking).await;
    assert!(told.contains("\"usage\":null") && told.contains("prompt_tokens"), "{told}");
    for event in bed.events(2).await {
        assert_eq!(event.counts, CountQuality::Reported);
        assert!(event.streamed && event.first_token_us.is_some());
    }
}

#[tokio::test]
async fn regression_13_a_client_that_hangs_up_is_metered_for_what_it_was_sent() {
    let bed = Bed::new().await;
    for index in 0..40 {
        let body = streamed(message("claude-haiku-4-5", &format!("warm up {index}")));
        text(&bed, "/v1/messages", &body).await;
    }
    bed.events(40).await;
    let mut cut = Vec::new();
    for index in 0..30_usize {
        let prompt = format!("{index} [[sim output_tokens=300 tokens_per_second=120]]");
        let body = streamed(message("claude-haiku-4-5", &prompt));
        let mut stream = bed.post("/v1/messages", KEY, &body).send().await.unwrap().bytes_stream();
        cut.push(tokio::spawn(async move {
            for _ in 0..(10 + index) {
                stream.next().await;
            }
        }));
    }
    for client in cut {
        client.await.unwrap();
    }
    let events = bed.events(70).await;
    let mut estimated = 0;
    for event in &events[40..] {
        assert_eq!((event.status, event.counts), (CallStatus::Aborted, CountQuality::Estimated));
        estimated += event.tokens.output;
    }
    let mut served = Value::Null;
    for _ in 0..200 {
        served = bed.served();
        if served["total"]["in_flight"] == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let calls = &served["calls"].as_array().unwrap()[40..];
    let streamed: u64 =
        calls.iter().map(|call| call["output_tokens_streamed"].as_u64().unwrap()).sum();
    assert!(
        calls.iter().all(|call| call["outcome"] == "aborted_by_client"),
        "upstream was cancelled"
    );
    let off = estimated.abs_diff(streamed);
    assert!(off * 50 <= streamed || off <= 60, "{estimated} metered, {streamed} streamed");
}

#[tokio::test]
async fn a_whole_reply_nobody_waits_for_is_settled_at_its_estimate() {
    let bed = Bed::new().await;
    let body = message("claude-haiku-4-5", "[[sim latency_ms=5000]]");
    let request = bed.post("/v1/messages", KEY, &body).timeout(Duration::from_millis(300));
    assert!(request.send().await.unwrap_err().is_timeout());
    let event = bed.events(1).await.remove(0);
    assert_eq!((event.status, event.counts), (CallStatus::Aborted, CountQuality::Estimated));
    assert!(event.tokens.input_uncached > 0);
}
