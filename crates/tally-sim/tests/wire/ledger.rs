use crate::harness::{Harness, chat, message, with};
use futures::StreamExt;
use serde_json::{Value, json};
use std::time::Duration;
use tally_sim::Outcome;

/// Reads some of a slow stream and hangs up.
async fn hang_up_early(harness: &Harness, path: &str, body: &Value) -> usize {
    let mut stream = harness.send(path, body).await.bytes_stream();
    let mut read = 0;
    while read < 4_000 {
        read += stream.next().await.unwrap().unwrap().len();
    }
    read
}

#[tokio::test]
async fn a_client_that_hangs_up_is_billed_what_was_streamed() {
    let harness = Harness::start().await;
    let text = "[[sim output_tokens=2000 tokens_per_second=400]] marker:gone-1";
    for (path, body) in [("/v1/chat/completions", chat(text)), ("/v1/messages", message(text))] {
        let body = with(body, json!({"stream": true, "max_tokens": 5000}));
        hang_up_early(&harness, path, &body).await;
        let call = harness.settled().await;
        assert_eq!(call.outcome, Outcome::AbortedByClient);
        assert_eq!((call.marker.as_deref(), call.status), (Some("gone-1"), Some(200)));
        assert_eq!(call.output_tokens_planned, 2_000);
        assert!((5..1_000).contains(&call.output_tokens_streamed), "{call:?}");
        assert_eq!(call.usage.output, call.output_tokens_streamed);
        assert!(call.usage.input_uncached > 0);
    }
}

#[tokio::test]
async fn a_call_is_known_while_it_waits() {
    let harness = Harness::start().await;
    let request =
        harness.post("/v1/messages", "sk-test-0001", &message("[[sim latency_ms=60000]]"));
    let waiting = tokio::spawn(request.send());
    while harness.calls().is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let call = harness.last_call();
    assert_eq!((call.outcome, call.status), (Outcome::InFlight, None));
    assert_eq!(call.credential, "0001");
    waiting.abort();
    assert_eq!(harness.settled().await.outcome, Outcome::AbortedByClient);
}

#[tokio::test]
async fn totals_equal_the_sum_of_the_calls() {
    let harness = Harness::start().await;
    for number in 0..20 {
        let text = format!("call {number}");
        harness.json("/v1/chat/completions", &chat(&text)).await;
        harness.stream("/v1/messages", &with(message(&text), json!({"stream": true}))).await;
    }
    let url = format!("{}/sim/served", harness.running.url());
    let served: Value = harness.client.get(&url).send().await.unwrap().json().await.unwrap();
    let calls = served["calls"].as_array().unwrap();
    assert_eq!(calls.len(), 40);
    for kind in ["input_uncached", "output", "reasoning", "cache_read"] {
        let sum: u64 = calls.iter().map(|call| call["usage"][kind].as_u64().unwrap()).sum();
        assert_eq!(served["total"][kind], sum);
        let by_model: u64 =
            served["totals"].as_object().unwrap().values().map(|m| m[kind].as_u64().unwrap()).sum();
        assert_eq!(by_model, sum);
    }
    assert_eq!(
        (&served["total"]["complete"], &served["total"]["in_flight"]),
        (&json!(40), &json!(0))
    );

    let newer = format!("{url}?since=38");
    let newer: Value = harness.client.get(newer).send().await.unwrap().json().await.unwrap();
    assert_eq!(newer["calls"].as_array().unwrap().len(), 2);
    let brief = format!("{url}?totals_only=true");
    let brief: Value = harness.client.get(brief).send().await.unwrap().json().await.unwrap();
    assert_eq!((&brief["calls"], &brief["total"]["calls"]), (&json!([]), &json!(40)));
    harness.client.delete(&url).send().await.unwrap();
    assert!(harness.calls().is_empty());
}

#[tokio::test]
async fn pacing_and_latency_are_kept() {
    let harness = Harness::start().await;
    let text = "[[sim output_tokens=50 tokens_per_second=250 latency_ms=100]]";
    for stream in [false, true] {
        let body = with(chat(text), json!({"stream": stream}));
        let reply = async { harness.send("/v1/chat/completions", &body).await.text().await };
        // 100 ms and 50 tokens at 250 a second make 300 ms.
        let early = tokio::time::timeout(Duration::from_millis(290), reply).await;
        assert!(early.is_err(), "streamed: {stream}");
    }
}

#[tokio::test]
async fn a_stopped_simulator_drops_its_connections() {
    let harness = Harness::start().await;
    let request = harness.post("/v1/messages", "sk-test-0001", &message("[[sim fault=hang]]"));
    let waiting = tokio::spawn(request.send());
    while harness.calls().is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    drop(harness);
    assert!(waiting.await.unwrap().is_err());
}
