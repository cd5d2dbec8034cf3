use crate::harness::{Harness, KEY, chat, with};
use base64::Engine;
use serde_json::{Value, json};
use tally_sim::count_tokens;

const CHAT: &str = "/v1/chat/completions";

fn tools() -> Value {
    json!([{"type": "function", "function": {"name": "get_weather", "parameters": {
        "type": "object", "properties": {"city": {"type": "string"}}}}}])
}

#[tokio::test]
async fn a_whole_reply_counts_its_own_text() {
    let harness = Harness::start().await;
    let response = harness.send(CHAT, &chat("Hello there")).await;
    assert!(response.headers()["x-request-id"].to_str().unwrap().starts_with("req_"));
    for header in ["openai-processing-ms", "x-ratelimit-remaining-tokens", "content-length"] {
        assert!(response.headers().contains_key(header), "{header}");
    }
    let body: Value = response.json().await.unwrap();
    let choice = &body["choices"][0];
    assert_eq!(
        (&body["object"], &choice["finish_reason"]),
        (&json!("chat.completion"), &json!("stop"))
    );
    let usage = &body["usage"];
    let text = choice["message"]["content"].as_str().unwrap();
    assert_eq!(usage["completion_tokens"], count_tokens(text));
    assert_eq!(usage["prompt_tokens"], count_tokens("Hello there") + 6);
    assert_eq!(usage["completion_tokens_details"]["reasoning_tokens"], 0);
    assert_eq!(harness.last_call().response_id, body["id"]);
}

#[tokio::test]
async fn a_stream_tells_usage_only_when_asked() {
    let harness = Harness::start().await;
    let plain = harness.stream(CHAT, &with(chat("Hi"), json!({"stream": true}))).await;
    assert!(plain.done);
    assert!(plain.events.iter().all(|chunk| chunk.get("usage").is_none()));
    assert_eq!(plain.events[0]["choices"][0]["delta"]["role"], "assistant");

    let asked = json!({"stream": true, "stream_options": {"include_usage": true}});
    let told = harness.stream(CHAT, &with(chat("Hi"), asked)).await;
    let (last, ordinary) = told.events.split_last().unwrap();
    assert!(ordinary.iter().all(|chunk| chunk["usage"].is_null() && chunk.get("usage").is_some()));
    assert_eq!(last["choices"], json!([]));
    let deltas: Vec<&str> = ordinary
        .iter()
        .filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str())
        .collect();
    assert_eq!(last["usage"]["completion_tokens"], count_tokens(&deltas.concat()));
    assert!(deltas.len() > 5);
    assert_eq!(ordinary.last().unwrap()["choices"][0]["finish_reason"], "stop");
}

#[tokio::test]
async fn reasoning_is_hidden_and_part_of_the_completion() {
    let harness = Harness::start().await;
    let body = with(chat("Think"), json!({"model": "gpt-5", "n": 2, "service_tier": "flex"}));
    let reply = harness.json(CHAT, &body).await;
    let usage = &reply["usage"];
    let reasoning = usage["completion_tokens_details"]["reasoning_tokens"].as_u64().unwrap();
    let choices = reply["choices"].as_array().unwrap();
    let visible: u64 = choices
        .iter()
        .map(|choice| count_tokens(choice["message"]["content"].as_str().unwrap()))
        .sum();
    assert!(reasoning > 0 && choices.len() == 2);
    assert_eq!(usage["completion_tokens"], reasoning + visible);
    assert_eq!(reply["service_tier"], "flex");
}

#[tokio::test]
async fn limits_cut_the_output() {
    let harness = Harness::start().await;
    for field in ["max_tokens", "max_completion_tokens"] {
        let reply = harness.json(CHAT, &with(chat("Long"), json!({field: 7}))).await;
        assert_eq!(reply["usage"]["completion_tokens"], 7);
        assert_eq!(reply["choices"][0]["finish_reason"], "length");
    }
}

#[tokio::test]
async fn tools_are_called_whole_and_streamed_alike() {
    let harness = Harness::start().await;
    let asked = json!({"tools": tools(), "tool_choice": "required"});
    let whole = harness.json(CHAT, &with(chat("Weather?"), asked.clone())).await;
    assert_eq!(whole["choices"][0]["finish_reason"], "tool_calls");
    let call = &whole["choices"][0]["message"]["tool_calls"][0];
    assert!(call["id"].as_str().unwrap().starts_with("call_"));
    let arguments: Value =
        serde_json::from_str(call["function"]["arguments"].as_str().unwrap()).unwrap();
    assert!(arguments["city"].is_string());

    let streamed =
        harness.stream(CHAT, &with(with(chat("Weather?"), asked), json!({"stream": true}))).await;
    let pieces = streamed.events.iter().filter_map(|chunk| {
        let call = &chunk["choices"][0]["delta"]["tool_calls"][0];
        (call["index"] == 0).then(|| call["function"]["arguments"].as_str().unwrap())
    });
    let text: String = pieces.collect();
    assert!(serde_json::from_str::<Value>(&text).unwrap()["city"].is_string());
}

#[tokio::test]
async fn long_prompts_are_cached_by_themselves() {
    let harness = Harness::start().await;
    let system = "the budget of each team is settled after every call ".repeat(150);
    let ask = |text: &str| {
        json!({"model": "gpt-4.1", "messages": [
            {"role": "system", "content": system}, {"role": "user", "content": text}]})
    };
    let first = harness.json(CHAT, &ask("one")).await;
    assert_eq!(first["usage"]["prompt_tokens_details"]["cached_tokens"], 0);
    let second = harness.json(CHAT, &ask("two")).await;
    let cached = second["usage"]["prompt_tokens_details"]["cached_tokens"].as_u64().unwrap();
    assert!(cached >= 1_024 && cached % 128 == 0);
    assert_eq!(first["usage"]["prompt_tokens"], second["usage"]["prompt_tokens"]);
    let usage = harness.last_call().usage;
    assert_eq!(
        (usage.cache_read, usage.input_total()),
        (cached, second["usage"]["prompt_tokens"].as_u64().unwrap())
    );
}

#[tokio::test]
async fn images_count() {
    let harness = Harness::start().await;
    let ask = |url: String| {
        json!({"model": "gpt-4.1", "messages": [{"role": "user", "content": [
            {"type": "text", "text": "What is this?"},
            {"type": "image_url", "image_url": {"url": url}}]}]})
    };
    let small =
        harness.json(CHAT, &ask(format!("data:image/png;base64,{}", "A".repeat(400)))).await;
    let large =
        harness.json(CHAT, &ask(format!("data:image/png;base64,{}", "A".repeat(400_000)))).await;
    let tokens = |reply: &Value| reply["usage"]["prompt_tokens"].as_u64().unwrap();
    assert!(tokens(&small) > 80 && tokens(&large) > tokens(&small) + 300);
}

#[tokio::test]
async fn embeddings_come_in_both_encodings() {
    let harness = Harness::start().await;
    let ask = |format: &str| {
        json!({"model": "text-embedding-3-small", "input": ["one", "two"],
            "dimensions": 8, "encoding_format": format})
    };
    let floats = harness.json("/v1/embeddings", &ask("float")).await;
    let packed = harness.json("/v1/embeddings", &ask("base64")).await;
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(packed["data"][1]["embedding"].as_str().unwrap())
        .unwrap();
    let unpacked: Vec<f32> =
        bytes.chunks(4).map(|four| f32::from_le_bytes(four.try_into().unwrap())).collect();
    let listed: Vec<f32> = serde_json::from_value(floats["data"][1]["embedding"].clone()).unwrap();
    assert_eq!(unpacked, listed);
    assert_ne!(floats["data"][0], floats["data"][1]);
    assert_eq!(floats["usage"], json!({"prompt_tokens": 2, "total_tokens": 2}));
    let default = json!({"model": "text-embedding-3-small", "input": [1, 2, 3]});
    let default = harness.json("/v1/embeddings", &default).await;
    assert_eq!(default["data"][0]["embedding"].as_array().unwrap().len(), 1_536);
    assert_eq!(default["usage"]["prompt_tokens"], 3);
}

#[tokio::test]
async fn mistakes_are_answered_in_the_dialect() {
    let harness = Harness::start().await;
    let url = format!("{}{CHAT}", harness.running.url());
    let keyless = harness.client.post(&url).json(&chat("x")).send().await.unwrap();
    assert_eq!(keyless.status(), 401);
    let bad = harness.post(CHAT, "sk-invalid", &chat("x")).send().await.unwrap();
    assert_eq!(bad.status(), 401);
    assert_eq!(bad.json::<Value>().await.unwrap()["error"]["code"], "invalid_api_key");
    let broken = harness.client.post(&url).bearer_auth(KEY).body("{").send().await.unwrap();
    assert_eq!(broken.status(), 400);
    for (body, status, code) in [
        (json!({"messages": []}), 400, json!("missing_required_parameter")),
        (json!({"model": "m"}), 400, json!("missing_required_parameter")),
        (with(chat("x"), json!({"max_tokens": -1})), 400, json!("invalid_value")),
        (with(chat("x"), json!({"model": "nope-1"})), 404, json!("model_not_found")),
    ] {
        let response = harness.send(CHAT, &body).await;
        assert_eq!(response.status(), status);
        let error = response.json::<Value>().await.unwrap()["error"].clone();
        assert_eq!(error["code"], code);
        assert!(error["message"].is_string() && error.get("param").is_some());
    }
    let rejected = tally_sim::Outcome::Rejected;
    assert!(harness.calls().iter().all(|call| call.outcome == rejected));
    assert_eq!(harness.calls().len(), 7);
}

#[tokio::test]
async fn models_are_listed_and_found() {
    let harness = Harness::start().await;
    let get = |path: &str| {
        harness.client.get(format!("{}{path}", harness.running.url())).bearer_auth(KEY)
    };
    let list: Value = get("/v1/models").send().await.unwrap().json().await.unwrap();
    assert_eq!(list["object"], "list");
    let own = get("/v1/models").header("anthropic-version", "2023-06-01");
    let own: Value = own.send().await.unwrap().json().await.unwrap();
    assert_eq!((&own["has_more"], &own["data"][0]["type"]), (&json!(false), &json!("model")));
    assert_eq!(get("/v1/models/any-model").send().await.unwrap().status(), 200);
    assert_eq!(get("/v1/models/nope-1").send().await.unwrap().status(), 404);
    assert_eq!(get("/v1/elsewhere").send().await.unwrap().status(), 404);
    let probe = harness.client.head(harness.running.url()).send().await.unwrap();
    assert_eq!(probe.status(), 200);
}
