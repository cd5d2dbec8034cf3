//! The calls that are made: what a chat, a stream and a coding agent send.

use anyhow::Context;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, header};
use serde_json::{Value, json};

use super::client::Prepared;

/// About what a coding agent sends with every step.
const AGENT_BYTES: usize = 85_000;
const AGENT_TOOLS: usize = 16;
const SENTENCE: &str =
    "The function reads the file, checks each line against the schema and returns what it found. ";

/// What a call looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A short question, answered whole.
    Chat,
    /// A short question, answered as a stream that a model paces.
    Stream,
    /// A coding agent's step: a long prompt with tools, answered as a stream.
    Agent,
}

// === impl Kind ===

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Stream => "stream",
            Self::Agent => "agent, 85 KB",
        }
    }

    pub(crate) fn is_streamed(self) -> bool {
        self != Self::Chat
    }

    /// The call, made with this key.
    ///
    /// # Errors
    /// When the key cannot be a header.
    pub(crate) fn prepared(self, key: &str) -> anyhow::Result<Prepared> {
        let (path, body) = match self {
            Self::Chat => ("/v1/chat/completions", chat(false, "[[sim output_tokens=60]]")),
            Self::Stream => (
                "/v1/chat/completions",
                chat(true, "[[sim output_tokens=64 tokens_per_second=640]]"),
            ),
            Self::Agent => ("/v1/messages", agent()),
        };
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(header::USER_AGENT, HeaderValue::from_static("tally-bench/1.0"));
        headers.insert("x-tally-task", HeaderValue::from_static("bench"));
        if self == Self::Agent {
            headers.insert("anthropic-version", HeaderValue::from_static("2023-06-01"));
            headers.insert("x-api-key", HeaderValue::from_str(key)?);
        } else {
            let bearer = HeaderValue::from_str(&format!("Bearer {key}"));
            headers.insert(header::AUTHORIZATION, bearer.context("the key")?);
        }
        Ok(Prepared { path, headers, body: Bytes::from(body.to_string()) })
    }
}

fn chat(stream: bool, wish: &str) -> Value {
    json!({
        "model": "gpt-4.1-mini",
        "stream": stream,
        "max_tokens": 256,
        "messages": [
            {"role": "system", "content": "You answer customers' questions in two sentences."},
            {"role": "user", "content": format!("Where do I find the invoice of my last order? {wish}")},
        ],
    })
}

fn agent() -> Value {
    let tools: Vec<_> = (0..AGENT_TOOLS).map(tool).collect();
    let mut messages = vec![
        json!({"role": "user", "content": "Find out why the nightly import fails and repair it."}),
    ];
    let system = json!([{
        "type": "text",
        "text": SENTENCE.repeat(150),
        "cache_control": {"type": "ephemeral"},
    }]);
    let fixed = json!({"tools": tools, "system": system}).to_string().len();
    let mut size = fixed + 500;
    let mut number = 0;
    while size < AGENT_BYTES {
        let step = turn(number);
        size += step.iter().map(|message| message.to_string().len()).sum::<usize>();
        messages.extend(step);
        number += 1;
    }
    json!({
        "model": "claude-haiku-4-5",
        "max_tokens": 512,
        "stream": true,
        "system": system,
        "tools": tools,
        "messages": messages,
    })
}

fn tool(number: usize) -> Value {
    json!({
        "name": format!("tool_{number}"),
        "description": SENTENCE.repeat(8),
        "input_schema": {
            "type": "object",
            "properties": {
                "path": {"type": "string", "description": SENTENCE},
                "pattern": {"type": "string", "description": SENTENCE},
            },
            "required": ["path"],
        },
    })
}

/// The agent reads a file and is told what is in it.
fn turn(number: usize) -> [Value; 2] {
    let id = format!("toolu_{number:024}");
    let input = json!({"path": format!("src/import/part_{number}.rs")});
    let result = format!(
        "{}[[sim output_tokens=80]]",
        "    let record = parse(line)?; // \"quoted\" and\ttabbed\n".repeat(40)
    );
    [
        json!({"role": "assistant", "content": [
            {"type": "text", "text": SENTENCE.repeat(2)},
            {"type": "tool_use", "id": id, "name": "tool_1", "input": input},
        ]}),
        json!({"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": id, "content": result},
        ]}),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agents_step_is_as_long_as_it_says() {
        let call = Kind::Agent.prepared("sk-something").unwrap();
        assert!((83_000..91_000).contains(&call.body.len()), "{}", call.body.len());
        assert!(Kind::Chat.prepared("sk-something").unwrap().body.len() < 600);
    }
}
