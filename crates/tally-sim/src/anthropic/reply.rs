//! Messages in Anthropic's dialect, whole and streamed.

use crate::plan::{Choice, Finish, Part, PartKind};
use crate::reply::{Render, Reply, WireNumbers, push_json};
use crate::steps::Action;
use serde_json::{Value, json};
use std::io::Write;

pub(crate) struct MessageReply {
    reply: Reply,
}

impl MessageReply {
    pub(crate) fn new(reply: Reply) -> Self {
        Self { reply }
    }

    fn choice(&self) -> Option<&Choice> {
        self.reply.choices.first()
    }

    fn part(&self, part: usize) -> Option<&Part> {
        self.choice()?.parts.get(part)
    }

    /// The usage block of a message, whole or at a stream's start, when hardly
    /// any output is counted yet.
    fn usage_json(&self, ended: bool) -> Value {
        let usage = &self.reply.usage;
        let tell = |count| self.reply.numbers.tell(count);
        let output = if ended { usage.output } else { usage.output.min(1) };
        json!({
            "input_tokens": tell(usage.input_uncached),
            "cache_creation_input_tokens": tell(usage.cache_write()),
            "cache_read_input_tokens": tell(usage.cache_read),
            "cache_creation": {
                "ephemeral_5m_input_tokens": tell(usage.cache_write_5m),
                "ephemeral_1h_input_tokens": tell(usage.cache_write_1h),
            },
            "output_tokens": tell(output),
            "output_tokens_details": if ended { self.output_details() } else { Value::Null },
            "server_tool_use": if ended { self.server_tool_use() } else { Value::Null },
            "service_tier": "standard",
        })
    }

    /// The cumulative usage at the end of a stream.
    fn delta_usage_json(&self) -> Value {
        let usage = &self.reply.usage;
        let tell = |count| self.reply.numbers.tell(count);
        json!({
            "input_tokens": tell(usage.input_uncached),
            "cache_creation_input_tokens": tell(usage.cache_write()),
            "cache_read_input_tokens": tell(usage.cache_read),
            "output_tokens": tell(usage.output),
            "output_tokens_details": self.output_details(),
            "server_tool_use": self.server_tool_use(),
        })
    }

    /// Thinking told apart; it stays a part of the output.
    fn output_details(&self) -> Value {
        match self.reply.usage.reasoning {
            0 => Value::Null,
            thinking => json!({"thinking_tokens": self.reply.numbers.tell(thinking)}),
        }
    }

    fn server_tool_use(&self) -> Value {
        match self.reply.usage.web_search_requests {
            0 => Value::Null,
            requests => json!({"web_search_requests": requests, "web_fetch_requests": 0}),
        }
    }

    /// The message's envelope, with its usage when usage is told at all.
    fn envelope(&self, content: Vec<Value>, stop_reason: Option<&str>) -> Value {
        let mut message = json!({
            "id": self.reply.id,
            "type": "message",
            "role": "assistant",
            "model": self.reply.model,
            "content": content,
            "stop_reason": stop_reason,
            "stop_sequence": null,
        });
        if let Some(fields) = message.as_object_mut()
            && self.reply.numbers != WireNumbers::Missing
        {
            fields.insert("usage".to_owned(), self.usage_json(stop_reason.is_some()));
        }
        message
    }

    fn stop_reason(&self) -> &'static str {
        match self.choice().map(|choice| choice.finish) {
            Some(Finish::Length) => "max_tokens",
            Some(Finish::ToolUse) => "tool_use",
            Some(Finish::Stop) | None => "end_turn",
        }
    }

    fn message_start(&self, out: &mut Vec<u8>) {
        let message = self.envelope(Vec::new(), None);
        push_event(out, "message_start", &json!({"type": "message_start", "message": message}));
    }

    fn block_start(&self, out: &mut Vec<u8>, index: usize) {
        let Some(part) = self.part(index) else { return };
        let block = match &part.kind {
            PartKind::Thinking { .. } => {
                json!({"type": "thinking", "thinking": "", "signature": ""})
            }
            PartKind::Text => json!({"type": "text", "text": ""}),
            PartKind::Tool { id, name } => {
                json!({"type": "tool_use", "id": id, "name": name, "input": {}})
            }
        };
        let event = json!({"type": "content_block_start", "index": index, "content_block": block});
        push_event(out, "content_block_start", &event);
    }

    fn block_delta(&self, out: &mut Vec<u8>, index: usize, text: &str) {
        let (kind, field) = match self.part(index).map(|part| &part.kind) {
            Some(PartKind::Thinking { .. }) => ("thinking_delta", "thinking"),
            Some(PartKind::Tool { .. }) => ("input_json_delta", "partial_json"),
            Some(PartKind::Text) | None => ("text_delta", "text"),
        };
        push_delta(out, index, kind, field, text);
    }

    fn block_stop(&self, out: &mut Vec<u8>, index: usize) {
        if let Some(PartKind::Thinking { signature }) = self.part(index).map(|part| &part.kind) {
            push_delta(out, index, "signature_delta", "signature", signature);
        }
        let event = json!({"type": "content_block_stop", "index": index});
        push_event(out, "content_block_stop", &event);
    }

    fn close(&self, out: &mut Vec<u8>) {
        let mut event = json!({
            "type": "message_delta",
            "delta": {"stop_reason": self.stop_reason(), "stop_sequence": null},
        });
        if let Some(fields) = event.as_object_mut()
            && self.reply.numbers != WireNumbers::Missing
        {
            fields.insert("usage".to_owned(), self.delta_usage_json());
        }
        push_event(out, "message_delta", &event);
        push_event(out, "message_stop", &json!({"type": "message_stop"}));
    }
}

impl Render for MessageReply {
    fn event(&self, action: &Action, out: &mut Vec<u8>) {
        match action {
            Action::Open => self.message_start(out),
            Action::Ping => push_event(out, "ping", &json!({"type": "ping"})),
            Action::PartStart { part, .. } => self.block_start(out, *part),
            Action::Delta { choice, part, bytes } => {
                self.block_delta(out, *part, self.reply.text(*choice, *part, bytes));
            }
            Action::PartStop { part, .. } => self.block_stop(out, *part),
            Action::ChoiceStart { .. } | Action::ChoiceEnd { .. } => {}
            Action::Close => self.close(out),
        }
    }

    fn error_event(&self, out: &mut Vec<u8>) {
        let error = json!({"type": "overloaded_error", "message": "Overloaded"});
        push_event(out, "error", &json!({"type": "error", "error": error}));
    }

    fn whole(&self) -> Value {
        let parts = self.choice().map(|choice| choice.parts.iter());
        let content = parts.into_iter().flatten().map(block_json).collect();
        self.envelope(content, Some(self.stop_reason()))
    }
}

/// A finished block. Arguments that a limit cut off become an empty object, as
/// the provider cannot put half an object into JSON.
fn block_json(part: &Part) -> Value {
    let text = &part.body.text;
    match &part.kind {
        PartKind::Thinking { signature } => {
            json!({"type": "thinking", "thinking": text, "signature": signature})
        }
        PartKind::Text => json!({"type": "text", "text": text}),
        PartKind::Tool { id, name } => {
            let input = serde_json::from_str(text).unwrap_or_else(|_| json!({}));
            json!({"type": "tool_use", "id": id, "name": name, "input": input})
        }
    }
}

fn push_event(out: &mut Vec<u8>, name: &str, data: &Value) {
    let _ = write!(out, "event: {name}\ndata: {data}\n\n");
}

/// Deltas are most of a stream, so they are written without building a value.
fn push_delta(out: &mut Vec<u8>, index: usize, kind: &str, field: &str, text: &str) {
    let _ = write!(
        out,
        "event: content_block_delta\ndata: {{\"type\":\"content_block_delta\",\"index\":{index},\
         \"delta\":{{\"type\":\"{kind}\",\"{field}\":"
    );
    push_json(out, text);
    out.extend_from_slice(b"}}\n\n");
}
