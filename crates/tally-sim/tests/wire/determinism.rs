use crate::harness::{Harness, chat, message, with};
use serde_json::{Value, json};
use std::collections::HashSet;

const PATHS: [&str; 2] = ["/v1/chat/completions", "/v1/messages"];

fn body_for(path: &str, stream: bool) -> Value {
    let body = if path.ends_with("messages") { message("Same") } else { chat("Same") };
    with(body, json!({"stream": stream}))
}

async fn text(harness: &Harness, path: &str, key: &str, body: &Value) -> String {
    harness.post(path, key, body).send().await.unwrap().text().await.unwrap()
}

#[tokio::test]
async fn credentials_get_the_same_bytes_and_never_an_id_twice() {
    let harness = Harness::start().await;
    let other = Harness::start().await;
    for path in PATHS {
        for stream in [false, true] {
            let body = body_for(path, stream);
            let mut seen = HashSet::new();
            for _ in 0..3 {
                let direct = text(&harness, path, "sk-direct-1", &body).await;
                let relayed = text(&harness, path, "sk-relay-22", &body).await;
                assert_eq!(direct, relayed);
                assert_eq!(direct, text(&other, path, "sk-elsewhere", &body).await);
                let ids: Vec<_> = harness.calls().into_iter().rev().take(2).collect();
                assert_eq!(ids[0].request_id, ids[1].request_id);
                assert!(seen.insert((ids[0].response_id.clone(), ids[0].request_id.clone())));
            }
        }
    }
}

#[tokio::test]
async fn a_relay_may_ask_for_usage_and_reorder_fields() {
    let harness = Harness::start().await;
    let plain = with(chat("Same"), json!({"stream": true}));
    let asked = json!({
        "stream_options": {"include_usage": true}, "stream": true,
        "messages": plain["messages"], "model": plain["model"],
    });
    let direct = text(&harness, PATHS[0], "sk-direct-1", &plain).await;
    let relayed = text(&harness, PATHS[0], "sk-relay-22", &asked).await;
    let kept: Vec<String> = relayed
        .split("\n\n")
        .filter(|event| !event.contains("\"choices\":[],"))
        .map(|event| event.replace(",\"usage\":null", ""))
        .collect();
    assert_eq!(kept.join("\n\n"), direct);
}

#[tokio::test]
async fn the_seed_matters() {
    let options = tally_sim::SimOptions { seed: 2, ..tally_sim::SimOptions::default() };
    let (first, second) = (Harness::start().await, Harness::with(options).await);
    let body = body_for(PATHS[0], false);
    assert_ne!(
        text(&first, PATHS[0], "sk-direct-1", &body).await,
        text(&second, PATHS[0], "sk-direct-1", &body).await
    );
}
