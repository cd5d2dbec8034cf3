//! Every refusal is clear, in the client's dialect, and costs nothing.

use serde_json::{Value, json};
use tally_gateway::Options;
use tally_types::{CallStatus, PicoUsd};

use crate::bed::{Bed, EXPIRED_KEY, KEY, REVOKED_KEY, chat, message};

async fn refused(request: reqwest::RequestBuilder) -> (u16, Value) {
    let reply = request.send().await.unwrap();
    (reply.status().as_u16(), reply.json().await.unwrap())
}

#[tokio::test]
async fn keys_that_open_nothing() {
    let bed = Bed::new().await;
    for (key, code) in [
        ("tally_nobody_0123456789abcdefgh", "key_unknown"),
        (REVOKED_KEY, "key_revoked"),
        (EXPIRED_KEY, "key_expired"),
        ("sk-1234", "key_unknown"),
    ] {
        let (status, body) =
            refused(bed.post("/v1/chat/completions", key, &chat("gpt-5", "hi"))).await;
        assert_eq!((status, body["error"]["code"].as_str()), (401, Some(code)));
        assert_eq!(body["error"]["type"], "authentication_error");
        assert!(!body.to_string().contains(key), "a secret is never repeated");
        let (status, body) =
            refused(bed.post("/v1/messages", key, &message("claude-opus-4-8", "hi"))).await;
        assert_eq!((status, body["type"].as_str()), (401, Some("error")));
        assert_eq!(body["error"]["type"], "authentication_error");
    }
    let keyless = bed.http.get(format!("http://{}/v1/models", bed.address)).send().await.unwrap();
    assert_eq!(keyless.status(), 401);
    assert_eq!(bed.served()["total"]["calls"], 0);
}

#[tokio::test]
async fn an_unknown_model_is_named_with_what_is_close() {
    let bed = Bed::new().await;
    let (status, body) = refused(bed.post("/v1/chat/completions", KEY, &chat("gpt-7", "hi"))).await;
    assert_eq!((status, body["error"]["code"].as_str()), (404, Some("model_not_found")));
    assert!(body["tally"]["next_step"].as_str().unwrap().contains("gpt-5"));
    let (status, body) = refused(bed.post("/v1/messages", KEY, &message("gpt-5", "hi"))).await;
    assert_eq!((status, body["tally"]["code"].as_str()), (400, Some("dialect_mismatch")));
    let events = bed.events(2).await;
    for event in events {
        assert_eq!(event.status, CallStatus::Refused);
        assert_eq!(event.cost_list_usd, Some(PicoUsd::ZERO));
        assert_eq!(event.person.unwrap().as_str(), "ada");
    }
}

#[tokio::test]
async fn malformed_bodies_and_headers() {
    let bed = Bed::new().await;
    let raw = |path: &str, body: &'static [u8]| {
        bed.http.post(format!("http://{}{path}", bed.address)).bearer_auth(KEY).body(body)
    };
    for body in
        [&b"{"[..], b"", b"\xff\xfe", b"[1]", b"{\"model\":\"gpt-5\",\"messages\":\"\xff\"}"]
    {
        let (status, answer) = refused(raw("/v1/chat/completions", body)).await;
        assert_eq!((status, answer["tally"]["code"].as_str()), (400, Some("invalid_json")));
        let (status, answer) = refused(raw("/v1/messages", body)).await;
        assert_eq!(
            (status, answer["error"]["type"].as_str()),
            (400, Some("invalid_request_error"))
        );
    }
    for (header, value) in [
        ("x-tally-data-class", "secret"),
        ("x-tally-tags", "novalue"),
        ("x-tally-environment", "prod"),
        ("x-tally-template", "not a name"),
        ("x-tally-task", &"x".repeat(300)),
    ] {
        let request =
            bed.post("/v1/chat/completions", KEY, &chat("gpt-5", "hi")).header(header, value);
        let (status, answer) = refused(request).await;
        assert_eq!((status, answer["tally"]["code"].as_str()), (400, Some("header_invalid")));
        assert!(answer["tally"]["message"].as_str().unwrap().contains(header));
    }
}

#[tokio::test]
async fn a_prompt_of_20_mb_passes_and_one_above_the_limit_is_told() {
    let bed = Bed::new().await;
    let large = chat("gpt-5-mini", &"word ".repeat(4 << 20));
    let reply = bed.post("/v1/chat/completions", KEY, &large).send().await.unwrap();
    assert_eq!(reply.status(), 200);
    bed.events(1).await;
    let small = Bed::with(|_| {}, Options { request_bytes_max: 2_000, ..Options::default() }).await;
    let (status, body) =
        refused(small.post("/v1/messages", KEY, &message("claude-opus-4-8", &"x".repeat(3_000))))
            .await;
    assert_eq!((status, body["error"]["type"].as_str()), (413, Some("request_too_large")));
}

#[tokio::test]
async fn models_are_listed_in_each_dialects_shape() {
    let bed = Bed::new().await;
    let get = |path: &str| bed.http.get(format!("http://{}{path}", bed.address)).bearer_auth(KEY);
    let openai: Value = get("/v1/models").send().await.unwrap().json().await.unwrap();
    let ids: Vec<_> = openai["data"].as_array().unwrap().iter().map(|model| &model["id"]).collect();
    assert_eq!(
        ids,
        ["gpt-4o-mini", "gpt-5", "gpt-5-mini", "house-model", "text-embedding-3-small"]
    );
    let anthropic = get("/v1/models").header("anthropic-version", "2023-06-01");
    let anthropic: Value = anthropic.send().await.unwrap().json().await.unwrap();
    assert_eq!(anthropic["data"][0]["type"], "model");
    assert_eq!(anthropic["first_id"], "claude-haiku-4-5");
    assert_eq!(get("/v1/models/gpt-5").send().await.unwrap().status(), 200);
    assert_eq!(get("/v1/models/nope").send().await.unwrap().status(), 404);
}

#[tokio::test]
async fn a_journal_that_cannot_write_refuses_instead_of_serving_unmetered() {
    let bed = Bed::new().await;
    // Every slot taken: nothing more may be sent.
    let mut held = Vec::new();
    let id = tally_types::EventId(uuid::Uuid::from_u128(1 << 100));
    let call = tally_types::CallId(id.0);
    let mut estimate = tally_types::UsageEvent::new(
        id,
        call,
        tally_types::Timestamp::UNIX_EPOCH,
        tally_types::Source::Gateway,
    );
    for index in 0_u128.. {
        estimate.event_id = tally_types::EventId(uuid::Uuid::from_u128((1 << 100) + index));
        match bed.journal.open_intent(&estimate).await {
            Ok(intent) => held.push(intent),
            Err(_) => break,
        }
    }
    let (status, body) =
        refused(bed.post("/v1/messages", KEY, &message("claude-opus-4-8", "hi"))).await;
    assert_eq!((status, body["tally"]["code"].as_str()), (503, Some("too_many_calls")));
    assert_eq!(bed.served()["total"]["calls"], 0, "nothing was sent");
    drop(held);
}

#[tokio::test]
async fn counting_tokens_is_free_and_leaves_no_event() {
    let bed = Bed::new().await;
    let body =
        json!({ "model": "claude-opus-4-8", "messages": [{ "role": "user", "content": "hi" }] });
    let reply = bed.post("/v1/messages/count_tokens", KEY, &body).send().await.unwrap();
    assert_eq!(reply.status(), 200);
    let counted: Value = reply.json().await.unwrap();
    assert!(counted["input_tokens"].as_u64().unwrap() > 0);
    bed.events(0).await;
}

#[tokio::test]
async fn a_path_that_is_not_served_is_told_in_the_dialect() {
    let bed = Bed::new().await;
    let (status, body) =
        refused(bed.post("/v1/responses", KEY, &json!({ "model": "gpt-5" }))).await;
    assert_eq!((status, body["tally"]["code"].as_str()), (404, Some("path_unsupported")));
    let keyless = bed.http.post(format!("http://{}/v1/responses", bed.address));
    assert_eq!(refused(keyless).await.0, 401);
}
