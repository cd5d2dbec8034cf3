use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};
use std::time::Duration;
use tally_sim::{CallRecord, RunningSim, SimOptions};

pub(crate) const KEY: &str = "sk-test-0001";

pub(crate) struct Harness {
    pub(crate) running: RunningSim,
    pub(crate) client: reqwest::Client,
}

/// A stream as its client saw it.
pub(crate) struct Streamed {
    pub(crate) events: Vec<Value>,
    /// The names of events that have one.
    pub(crate) names: Vec<String>,
    pub(crate) done: bool,
}

impl Harness {
    pub(crate) async fn start() -> Self {
        Self::with(SimOptions::default()).await
    }

    pub(crate) async fn with(options: SimOptions) -> Self {
        // Every test installs the provider; all but the first find it there.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let running = RunningSim::start(&options).await.unwrap();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { running, client }
    }

    pub(crate) fn post(&self, path: &str, key: &str, body: &Value) -> RequestBuilder {
        let url = format!("{}{path}", self.running.url());
        let request = self.client.post(url).json(body);
        if path.starts_with("/v1/messages") {
            request.header("x-api-key", key).header("anthropic-version", "2023-06-01")
        } else {
            request.bearer_auth(key)
        }
    }

    pub(crate) async fn send(&self, path: &str, body: &Value) -> Response {
        self.post(path, KEY, body).send().await.unwrap()
    }

    pub(crate) async fn json(&self, path: &str, body: &Value) -> Value {
        let response = self.send(path, body).await;
        assert_eq!(response.status(), 200);
        response.json().await.unwrap()
    }

    pub(crate) async fn stream(&self, path: &str, body: &Value) -> Streamed {
        let response = self.send(path, body).await;
        assert_eq!(response.status(), 200);
        assert!(response.headers()["content-type"].to_str().unwrap().starts_with("text/event"));
        parse_sse(&response.text().await.unwrap())
    }

    pub(crate) fn calls(&self) -> Vec<CallRecord> {
        self.running.sim.served(tally_sim::ServedQuery::default()).calls
    }

    pub(crate) fn last_call(&self) -> CallRecord {
        self.calls().pop().unwrap()
    }

    /// The last call, once it is settled.
    pub(crate) async fn settled(&self) -> CallRecord {
        for _ in 0..500 {
            let call = self.last_call();
            if call.outcome != tally_sim::Outcome::InFlight {
                return call;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the call is still in flight: {:?}", self.last_call());
    }
}

pub(crate) fn parse_sse(text: &str) -> Streamed {
    let mut streamed = Streamed { events: Vec::new(), names: Vec::new(), done: false };
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("event: ") {
            streamed.names.push(name.to_owned());
        } else if line == "data: [DONE]" {
            streamed.done = true;
        } else if let Some(data) = line.strip_prefix("data: ") {
            streamed.events.push(serde_json::from_str(data).unwrap());
        }
    }
    streamed
}

pub(crate) fn chat(text: &str) -> Value {
    json!({"model": "gpt-4.1", "messages": [{"role": "user", "content": text}]})
}

pub(crate) fn message(text: &str) -> Value {
    json!({
        "model": "claude-sonnet-4-5", "max_tokens": 1000,
        "messages": [{"role": "user", "content": text}],
    })
}

/// The same request with more fields.
pub(crate) fn with(mut body: Value, fields: Value) -> Value {
    let more = fields.as_object().unwrap().clone();
    body.as_object_mut().unwrap().extend(more);
    body
}

pub(crate) fn sum(usage: &Value, fields: &[&str]) -> u64 {
    fields.iter().map(|field| usage[field].as_u64().unwrap()).sum()
}
