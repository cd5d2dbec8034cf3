//! What a provider is told, and what a client hears back, where a policy redacts.

use std::sync::{Arc, Mutex};

use axum::{Router, body::Body, extract::State, http::Request, response::Response};
use serde_json::{Value, json};
use tally_gateway::Options;
use tally_types::CallStatus;

use crate::bed::{Bed, KEY, SUPPORT_KEY, chat, message, streamed};

const EMAIL: &str = "ada.byron@acme.test";
const PHONE: &str = "+49 30 12345678";
const IBAN: &str = "DE89 3704 0044 0532 0130 00";
const CARD: &str = "4111 1111 1111 1111";
const SECRET: &str = "ghp_16C7e42F292c6912E7710c838347Ae178B4a";
const VALUES: [&str; 5] = [EMAIL, PHONE, IBAN, CARD, SECRET];

/// Stands between the gateway and the simulator and keeps what was sent.
#[derive(Clone, Default)]
struct Tap {
    sim: Arc<Mutex<String>>,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Tap {
    async fn start(&self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(forward).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        address
    }

    fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }
}

async fn forward(State(tap): State<Tap>, request: Request<Body>) -> Response {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 24).await.unwrap();
    tap.heard.lock().unwrap().push(String::from_utf8(body.to_vec()).unwrap());
    let address = format!("{}{}", tap.sim.lock().unwrap(), head.uri);
    let mut headers = head.headers;
    headers.remove("host");
    let sent = reqwest::Client::new().post(address).headers(headers).body(body);
    let reply = sent.send().await.unwrap();
    let mut response = Response::new(Body::empty());
    *response.status_mut() = reply.status();
    *response.headers_mut() = reply.headers().clone();
    response.headers_mut().remove("transfer-encoding");
    *response.body_mut() = Body::from_stream(reply.bytes_stream());
    response
}

async fn bed(when: &str) -> (Bed, Tap) {
    let tap = Tap::default();
    let address = tap.start().await;
    let (sim, rule) = (Arc::clone(&tap.sim), when.to_owned());
    let patch = move |resources: &mut Value| {
        let direct = resources["providers"]["anthropic"]["base_url"].as_str().unwrap().to_owned();
        *sim.lock().unwrap() = direct;
        resources["providers"]["anthropic"]["base_url"] = address.clone().into();
        resources["providers"]["openai"]["base_url"] = format!("{address}/v1").into();
        let kinds =
            ["email", "phone", "iban", "credit_card", "national_id", "ip_address", "secret"];
        resources["policies"] = json!({ "privacy": { "rules": [{
            "id": "personal-data", "when": rule, "then": { "redact": kinds }, "says": "stays here",
        }] } });
    };
    (Bed::with(patch, Options::default()).await, tap)
}

fn holds_none(sent: &str) {
    for value in VALUES {
        assert!(!sent.contains(value), "{value} left: {sent}");
    }
}

async fn reply(bed: &Bed, path: &str, body: &Value) -> Value {
    let reply = bed.post(path, KEY, body).header("x-sim-echo", "last").send().await.unwrap();
    assert_eq!(reply.status(), 200, "{}", reply.text().await.unwrap());
    reply.json().await.unwrap()
}

/// The texts of a stream, joined, and the arguments of its tool calls.
async fn pieces(bed: &Bed, path: &str, body: &Value) -> (String, String) {
    let request = bed.post(path, KEY, &streamed(body.clone())).header("x-sim-echo", "last");
    let whole = request.send().await.unwrap().text().await.unwrap();
    let (mut text, mut arguments) = (String::new(), String::new());
    for data in whole.lines().filter_map(|line| line.strip_prefix("data: ")) {
        let Ok(event) = serde_json::from_str::<Value>(data) else { continue };
        text.push_str(event["delta"]["text"].as_str().unwrap_or_default());
        arguments.push_str(event["delta"]["partial_json"].as_str().unwrap_or_default());
        let delta = &event["choices"][0]["delta"];
        text.push_str(delta["content"].as_str().unwrap_or_default());
        let function = &delta["tool_calls"][0]["function"];
        arguments.push_str(function["arguments"].as_str().unwrap_or_default());
    }
    (text, arguments)
}

fn said() -> String {
    format!(
        "Write to {EMAIL} or {PHONE}, pay {IBAN} by {CARD}, with {SECRET}.\nThen {EMAIL} again."
    )
}

#[tokio::test]
async fn what_leaves_holds_no_value_and_what_comes_back_is_whole() {
    let (bed, tap) = bed("true").await;
    let text = said();
    let anthropic = reply(&bed, "/v1/messages", &message("claude-haiku-4-5", &text)).await;
    assert_eq!(anthropic["content"][0]["text"], text);
    let openai = reply(&bed, "/v1/chat/completions", &chat("gpt-4o-mini", &text)).await;
    assert_eq!(openai["choices"][0]["message"]["content"], text);
    for (path, body) in [
        ("/v1/messages", message("claude-haiku-4-5", &text)),
        ("/v1/chat/completions", chat("gpt-4o-mini", &text)),
    ] {
        assert_eq!(pieces(&bed, path, &body).await.0, text, "{path}, streamed");
    }
    let heard = tap.heard();
    assert_eq!(heard.len(), 4);
    heard.iter().for_each(|sent| holds_none(sent));
    for event in bed.events(4).await {
        let counts: Vec<_> = event.redactions.iter().map(|(k, n)| (k.as_str(), *n)).collect();
        let expected = [("credit_card", 1), ("email", 2), ("iban", 1), ("phone", 1), ("secret", 1)];
        assert_eq!(counts, expected, "kinds and counts, nothing else");
        assert!(event.tokens.input_uncached > 0);
    }
}

#[tokio::test]
async fn a_conversation_with_tools_keeps_its_placeholders_and_comes_back_whole() {
    let (bed, tap) = bed("true").await;
    let schema = json!({ "type": "object", "properties": { "to": { "type": "string" } } });
    let mut body = message("claude-opus-4-8", &format!("{} [[sim tool=1]]", said()));
    body["system"] = json!([{ "type": "text", "text": format!("Support is {EMAIL}") }]);
    body["tools"] = json!([{ "name": "mail", "input_schema": schema }]);
    let (_, arguments) = pieces(&bed, "/v1/messages", &body).await;
    let calls: Vec<Value> =
        serde_json::Deserializer::from_str(&arguments).into_iter().map(Result::unwrap).collect();
    assert!(calls[0]["to"].as_str().unwrap().contains(&said()), "{arguments}");
    let messages = body["messages"].as_array_mut().unwrap();
    messages.push(json!({ "role": "assistant", "content": [
        { "type": "tool_use", "id": "toolu_1", "name": "mail", "input": calls[0] },
    ] }));
    let result = format!("sent to {EMAIL} and {CARD}");
    messages.push(json!({ "role": "user", "content": [
        { "type": "tool_result", "tool_use_id": "toolu_1", "content": [{ "type": "text", "text": result }] },
    ] }));
    body["tools"] = json!([]);
    assert_eq!(pieces(&bed, "/v1/messages", &body).await.0, result);
    let heard = tap.heard();
    heard.iter().for_each(|sent| holds_none(sent));
    let first: Value = serde_json::from_str(&heard[0]).unwrap();
    let second: Value = serde_json::from_str(&heard[1]).unwrap();
    assert_eq!(first["system"], second["system"], "the same value has the same placeholder");
    assert_eq!(first["messages"][0], second["messages"][0]);
    let placeholder = first["system"][0]["text"].as_str().unwrap().split_once("is ").unwrap().1;
    let told = second["messages"][2]["content"][0]["content"][0]["text"].as_str().unwrap();
    assert!(placeholder.starts_with("[EMAIL_") && told.contains(placeholder), "{told}");
}

#[tokio::test]
async fn arguments_in_a_string_are_searched_and_come_back_whole() {
    let (bed, tap) = bed("true").await;
    let schema = json!({ "type": "object", "properties": { "to": { "type": "string" } } });
    let tools =
        json!([{ "type": "function", "function": { "name": "mail", "parameters": schema } }]);
    let arguments = json!({ "to": EMAIL, "card": 4_111_111_111_111_111_u64 }).to_string();
    let mut body = chat("gpt-4o-mini", "hello");
    let messages = body["messages"].as_array_mut().unwrap();
    messages.push(json!({ "role": "assistant", "content": null, "tool_calls": [
        { "id": "call_1", "type": "function", "function": { "name": "mail", "arguments": arguments } },
    ] }));
    messages.push(json!({ "role": "tool", "tool_call_id": "call_1", "content": format!("{{\"ok\":\"{EMAIL}\"}}") }));
    messages.push(json!({ "role": "user", "content": [{ "type": "text", "text": format!("\"{SECRET}\" \\ {EMAIL} [[sim tool=1]]") }] }));
    body["tools"] = tools;
    let (_, said) = pieces(&bed, "/v1/chat/completions", &body).await;
    let said: Value =
        serde_json::Deserializer::from_str(&said).into_iter().next().unwrap().unwrap();
    assert_eq!(said["to"], format!("\"{SECRET}\" \\ {EMAIL} "), "escaped as JSON wants it");
    let whole = reply(&bed, "/v1/chat/completions", &body).await;
    let call = &whole["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"];
    assert!(call.as_str().unwrap().contains(EMAIL), "{call}");
    let sent: Value = serde_json::from_str(&tap.heard()[0]).unwrap();
    holds_none(&sent.to_string());
    assert!(!sent.to_string().contains("4111111111111111"));
    let arguments = sent["messages"][1]["tool_calls"][0]["function"]["arguments"].as_str().unwrap();
    let arguments: Value = serde_json::from_str(arguments).expect("still JSON");
    assert!(arguments["card"].as_str().unwrap().starts_with("[CREDIT_CARD_"));
}

#[tokio::test]
async fn escapes_and_other_places_do_not_hide_a_value() {
    let (bed, tap) = bed("true").await;
    let body = r#"{"model":"text-embedding-3-small","input":["ada.byron\u0040acme.test","+49\u002030 12345678"],"user":"ada.byron@acme.test"}"#;
    let request = bed.http.post(format!("http://{}/v1/embeddings", bed.address));
    let sent = request.header("authorization", format!("Bearer {KEY}")).body(body);
    assert_eq!(sent.send().await.unwrap().status(), 200);
    let count = json!({ "model": "claude-haiku-4-5", "system": EMAIL, "messages": [{ "role": "user", "content": [
        { "type": "document", "title": EMAIL, "source": { "type": "text", "media_type": "text/plain", "data": CARD } },
        { "type": "something_new", "words": [IBAN] },
    ] }] });
    let counted = bed.post("/v1/messages/count_tokens", KEY, &count).send().await.unwrap();
    assert_eq!(counted.status(), 200);
    let heard = tap.heard();
    heard.iter().for_each(|sent| holds_none(sent));
    assert!(!heard[0].contains("u0040") && heard[0].contains("[PHONE_"), "{}", heard[0]);
    assert_eq!(bed.events(1).await[0].redactions["email"], 2);
}

#[tokio::test]
async fn what_cannot_be_searched_is_refused_without_being_repeated() {
    let (bed, tap) = bed("true").await;
    let tokens = json!({ "model": "text-embedding-3-small", "input": [1, 2, 3] });
    let half = r#"{"model":"gpt-4o-mini","messages":[{"role":"user","content":"secret \ud83d"}]}"#;
    let post = |path: &str, body: String| {
        let request = bed.http.post(format!("http://{}{path}", bed.address));
        request.header("authorization", format!("Bearer {KEY}")).body(body).send()
    };
    for reply in [
        post("/v1/embeddings", tokens.to_string()).await.unwrap(),
        post("/v1/chat/completions", half.to_owned()).await.unwrap(),
    ] {
        assert_eq!(reply.status(), 400);
        let error: Value = reply.json().await.unwrap();
        assert_eq!(error["tally"]["code"], "redaction_unreadable");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
    assert_eq!(tap.heard(), Vec::<String>::new(), "nothing left");
    for event in bed.events(2).await {
        assert_eq!(event.status, CallStatus::Refused);
    }
}

#[tokio::test]
async fn where_nothing_is_to_be_redacted_every_byte_passes() {
    let (bed, tap) = bed(r#"data_class in ["confidential", "restricted"]"#).await;
    let body = format!(
        r#"{{ "model" : "claude-haiku-4-5","max_tokens":50, "messages":[{{"role":"user","content":"{EMAIL} \u00e9"}}]}}"#
    );
    let send = |key: &str, body: &str| {
        let request = bed.http.post(format!("http://{}/v1/messages", bed.address));
        request
            .header("x-api-key", key)
            .header("anthropic-version", "2023-06-01")
            .body(body.to_owned())
            .send()
    };
    assert_eq!(send(KEY, &body).await.unwrap().status(), 200, "internal");
    assert_eq!(send(SUPPORT_KEY, &body).await.unwrap().status(), 200, "confidential");
    let plain = body.replace(EMAIL, "nobody");
    assert_eq!(send(SUPPORT_KEY, &plain).await.unwrap().status(), 200);
    let heard = tap.heard();
    assert_eq!(heard[0], body);
    assert!(!heard[1].contains(EMAIL));
    let (front, back) = body.split_once(EMAIL).unwrap();
    assert!(
        heard[1].starts_with(front) && heard[1].ends_with(back),
        "only the value: {}",
        heard[1]
    );
    assert_eq!(heard[2], plain);
    bed.events(3).await;
}

#[tokio::test]
async fn a_stream_that_breaks_tells_what_it_held_back() {
    let (bed, _tap) = bed("true").await;
    let text = format!("{EMAIL} [[sim echo=last fault=cut cut_at=3]]");
    let body = streamed(message("claude-haiku-4-5", &text));
    let seen = bed.post("/v1/messages", KEY, &body).send().await.unwrap().text().await.unwrap();
    assert!(seen.contains("upstream_stream_cut"), "{seen}");
    assert!(!seen.contains(EMAIL), "half a placeholder is none");
    assert_eq!(bed.events(1).await[0].status, CallStatus::Cut);
}
