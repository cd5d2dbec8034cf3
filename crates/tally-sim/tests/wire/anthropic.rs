use crate::harness::{Harness, Streamed, message, sum, with};
use serde_json::{Value, json};
use tally_sim::count_tokens;

const MESSAGES: &str = "/v1/messages";
const INPUT: [&str; 3] = ["input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"];

/// All the text of the deltas of one kind.
fn deltas(streamed: &Streamed, field: &str) -> String {
    streamed.events.iter().filter_map(|event| event["delta"][field].as_str()).collect()
}

#[tokio::test]
async fn a_whole_message_counts_its_own_text() {
    let harness = Harness::start().await;
    let response = harness.send("/v1/messages?beta=true", &message("Hello")).await;
    assert!(response.headers()["request-id"].to_str().unwrap().starts_with("req_"));
    let reset = response.headers()["anthropic-ratelimit-tokens-reset"].to_str().unwrap();
    assert!(reset.starts_with("2026-") && reset.ends_with('Z'), "{reset}");
    let body: Value = response.json().await.unwrap();
    assert!(body["id"].as_str().unwrap().starts_with("msg_01"));
    let text = body["content"][0]["text"].as_str().unwrap();
    assert_eq!(body["usage"]["output_tokens"], count_tokens(text));
    assert_eq!(body["usage"]["input_tokens"], count_tokens("Hello") + 4);
    assert_eq!(body["usage"]["service_tier"], "standard");
    assert_eq!(body["stop_reason"], "end_turn");
}

#[tokio::test]
async fn a_stream_has_every_event_in_order() {
    let harness = Harness::start().await;
    let asked = json!({"stream": true, "thinking": {"type": "enabled", "budget_tokens": 500}});
    let streamed = harness.stream(MESSAGES, &with(message("Hi"), asked)).await;
    let mut names = streamed.names.clone();
    names.dedup();
    assert_eq!(
        names,
        [
            "message_start",
            "content_block_start",
            "ping",
            "content_block_delta",
            "content_block_stop",
            "content_block_start",
            "content_block_delta",
            "content_block_stop",
            "message_delta",
            "message_stop",
        ]
    );
    assert!(
        streamed.names.iter().zip(&streamed.events).all(|(name, event)| event["type"] == **name)
    );
    let start = &streamed.events[0]["message"];
    assert_eq!((&start["usage"]["output_tokens"], &start["content"]), (&json!(1), &json!([])));
    let output =
        count_tokens(&deltas(&streamed, "thinking")) + count_tokens(&deltas(&streamed, "text"));
    let end = &streamed.events[streamed.events.len() - 2];
    assert_eq!(end["usage"]["output_tokens"], output);
    let thought = count_tokens(&deltas(&streamed, "thinking"));
    assert_eq!(end["usage"]["output_tokens_details"]["thinking_tokens"], thought);
    assert!(!deltas(&streamed, "signature").is_empty());
    let call = harness.last_call();
    assert_eq!((call.usage.output, call.output_tokens_streamed), (output, output));
    assert_eq!(call.usage.reasoning, thought);
}

#[tokio::test]
async fn marked_prefixes_are_written_then_read() {
    let harness = Harness::start().await;
    let mark = json!({"type": "ephemeral"});
    let body = with(
        message("And now?"),
        json!({
            "system": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral", "ttl": "1h"}}],
            "messages": [
                {"role": "user", "content": [{"type": "text", "text": "A long story", "cache_control": mark}]},
                {"role": "assistant", "content": "Yes."},
                {"role": "user", "content": "And now?"},
            ],
        }),
    );
    let first = harness.json(MESSAGES, &body).await["usage"].clone();
    let split = &first["cache_creation"];
    assert!(split["ephemeral_1h_input_tokens"].as_u64().unwrap() > 0);
    assert!(split["ephemeral_5m_input_tokens"].as_u64().unwrap() > 0);
    assert_eq!(
        first["cache_creation_input_tokens"],
        sum(split, &["ephemeral_1h_input_tokens", "ephemeral_5m_input_tokens"])
    );
    let second = harness.json(MESSAGES, &body).await["usage"].clone();
    assert_eq!(second["cache_read_input_tokens"], first["cache_creation_input_tokens"]);
    assert_eq!(second["cache_creation_input_tokens"], 0);
    assert_eq!(sum(&first, &INPUT), sum(&second, &INPUT));
    assert_eq!(harness.last_call().usage.input_total(), sum(&second, &INPUT));
}

#[tokio::test]
async fn a_conversation_reads_what_its_last_turn_wrote() {
    let harness = Harness::start().await;
    let mark = json!({"type": "ephemeral"});
    let turn = |marked: bool| {
        let text = json!({"type": "text", "text": "The question"});
        let block = if marked { with(text, json!({"cache_control": mark})) } else { text };
        json!({"role": "user", "content": [block]})
    };
    let first = with(message(""), json!({"messages": [turn(true)]}));
    let first = harness.json(MESSAGES, &first).await["usage"].clone();
    let longer = json!({"messages": [
        // The mark has moved on, and plain text stands for its block.
        {"role": "user", "content": "The question"},
        {"role": "assistant", "content": "The answer"},
        turn(true),
    ]});
    let second = harness.json(MESSAGES, &with(message(""), longer)).await["usage"].clone();
    assert_eq!(second["cache_read_input_tokens"], first["cache_creation_input_tokens"]);
    assert!(second["cache_creation_input_tokens"].as_u64().unwrap() > 0);
}

#[tokio::test]
async fn tools_are_used_and_streamed_as_json() {
    let harness = Harness::start().await;
    let asked = json!({
        "tools": [{"name": "read_file", "input_schema": {"type": "object", "properties": {
            "path": {"type": "string"}, "lines": {"type": "integer"}}}}],
        "tool_choice": {"type": "tool", "name": "read_file"},
    });
    let whole = harness.json(MESSAGES, &with(message("Read it"), asked.clone())).await;
    assert_eq!(whole["stop_reason"], "tool_use");
    let block = whole["content"].as_array().unwrap().last().unwrap();
    assert!(block["id"].as_str().unwrap().starts_with("toolu_"));
    assert!(block["input"]["path"].is_string());

    let body = with(with(message("Read it"), asked), json!({"stream": true}));
    let streamed = harness.stream(MESSAGES, &body).await;
    let input = deltas(&streamed, "partial_json");
    assert!(serde_json::from_str::<Value>(&input).unwrap()["lines"].is_u64());
    let end = &streamed.events[streamed.events.len() - 2];
    let text = count_tokens(&deltas(&streamed, "text"));
    let named = count_tokens("read_file");
    assert_eq!(end["usage"]["output_tokens"], text + named + count_tokens(&input));
}

#[tokio::test]
async fn the_providers_own_searches_are_told_and_recorded() {
    let harness = Harness::start().await;
    let asked = json!({"tools": [{"type": "web_search_20250305", "name": "web_search"}]});
    let usage = harness.json(MESSAGES, &with(message("News?"), asked)).await["usage"].clone();
    let searches = usage["server_tool_use"]["web_search_requests"].as_u64().unwrap();
    assert!((1..=2).contains(&searches));
    assert_eq!(harness.last_call().usage.web_search_requests, searches);
}

#[tokio::test]
async fn counting_agrees_with_billing_and_is_free() {
    let harness = Harness::start().await;
    let picture = json!([{"type": "image", "source": {
        "type": "base64", "media_type": "image/png", "data": "A".repeat(40_000)}}]);
    let body = with(
        message(""),
        json!({
        "system": "Be brief.", "messages": [{"role": "user", "content": picture}]}),
    );
    let counted = harness.json("/v1/messages/count_tokens", &body).await;
    assert_eq!(harness.last_call().usage, tally_sim::Usage::default());
    let billed = harness.json(MESSAGES, &body).await;
    assert_eq!(counted["input_tokens"], billed["usage"]["input_tokens"]);
    assert!(counted["input_tokens"].as_u64().unwrap() > 100);
}

#[tokio::test]
async fn mistakes_are_answered_in_the_dialect() {
    let harness = Harness::start().await;
    for (body, status, kind) in [
        (
            json!({"model": "m", "messages": [{"role": "user", "content": "x"}]}),
            400,
            "invalid_request_error",
        ),
        (json!({"max_tokens": 5, "model": "m"}), 400, "invalid_request_error"),
        (with(message("x"), json!({"model": "nope-1"})), 404, "not_found_error"),
        (
            with(message("x"), json!({"thinking": {"type": "enabled"}})),
            400,
            "invalid_request_error",
        ),
    ] {
        let response = harness.send(MESSAGES, &body).await;
        assert_eq!(response.status(), status);
        let header = response.headers()["request-id"].to_str().unwrap().to_owned();
        let error: Value = response.json().await.unwrap();
        assert_eq!((&error["type"], &error["error"]["type"]), (&json!("error"), &json!(kind)));
        assert_eq!(error["request_id"], header);
    }
    let keyless = harness.post(MESSAGES, "short", &message("x")).send().await.unwrap();
    assert_eq!(keyless.status(), 401);
    let error: Value = keyless.json().await.unwrap();
    assert_eq!(error["error"]["type"], "authentication_error");
}
