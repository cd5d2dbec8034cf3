//! Chat completions in OpenAI's dialect, whole and streamed.

use super::request::Extras;
use crate::plan::{Choice, Finish, Part, PartKind};
use crate::reply::{Render, Reply, WireNumbers, push_json};
use crate::steps::Action;
use crate::usage::Usage;
use serde_json::{Value, json};
use std::io::Write;

pub(crate) struct ChatReply {
    reply: Reply,
    extras: Extras,
    /// The bytes before and after the `choices` of every chunk.
    head: Vec<u8>,
    tail: &'static [u8],
}

impl ChatReply {
    pub(crate) fn new(reply: Reply, extras: Extras) -> Self {
        let usage_told = extras.include_usage && reply.numbers != WireNumbers::Missing;
        let tail: &[u8] = if usage_told { b"],\"usage\":null}\n\n" } else { b"]}\n\n" };
        let mut head = Vec::with_capacity(256);
        head.extend_from_slice(b"data: {\"id\":");
        push_json(&mut head, &reply.id);
        let created = reply.created;
        let _ = write!(head, ",\"object\":\"chat.completion.chunk\",\"created\":{created}");
        head.extend_from_slice(b",\"model\":");
        push_json(&mut head, &reply.model);
        head.extend_from_slice(b",\"service_tier\":");
        push_json(&mut head, extras.service_tier);
        head.extend_from_slice(b",\"system_fingerprint\":");
        push_json(&mut head, &reply.fingerprint);
        head.extend_from_slice(b",\"choices\":[");
        Self { reply, extras, head, tail }
    }

    /// One chunk; `delta` writes the inside of its delta.
    fn chunk(
        &self,
        out: &mut Vec<u8>,
        choice: usize,
        finish: Option<&str>,
        delta: impl FnOnce(&mut Vec<u8>),
    ) {
        out.extend_from_slice(&self.head);
        let _ = write!(out, "{{\"index\":{choice},\"delta\":{{");
        delta(out);
        out.extend_from_slice(b"},\"logprobs\":null,\"finish_reason\":");
        match finish {
            Some(reason) => push_json(out, reason),
            None => out.extend_from_slice(b"null"),
        }
        out.push(b'}');
        out.extend_from_slice(self.tail);
    }

    fn part(&self, choice: usize, part: usize) -> Option<&Part> {
        self.reply.choices.get(choice)?.parts.get(part)
    }

    /// The position of a tool call among the tool calls of its choice.
    fn tool_index(&self, choice: usize, part: usize) -> usize {
        let parts = self.reply.choices.get(choice).map(|choice| choice.parts.iter());
        parts.into_iter().flatten().take(part).filter(|part| is_tool(part)).count()
    }

    fn delta(&self, out: &mut Vec<u8>, choice: usize, part: usize, text: &str) {
        if self.part(choice, part).is_some_and(is_tool) {
            let index = self.tool_index(choice, part);
            self.chunk(out, choice, None, |out| {
                let _ = write!(out, "\"tool_calls\":[{{\"index\":{index},\"function\":");
                out.extend_from_slice(b"{\"arguments\":");
                push_json(out, text);
                out.extend_from_slice(b"}}]");
            });
        } else {
            self.chunk(out, choice, None, |out| {
                out.extend_from_slice(b"\"content\":");
                push_json(out, text);
            });
        }
    }

    fn tool_start(&self, out: &mut Vec<u8>, choice: usize, part: usize) {
        let Some(PartKind::Tool { id, name }) = self.part(choice, part).map(|part| &part.kind)
        else {
            return;
        };
        let index = self.tool_index(choice, part);
        self.chunk(out, choice, None, |out| {
            let _ = write!(out, "\"tool_calls\":[{{\"index\":{index},\"id\":");
            push_json(out, id);
            out.extend_from_slice(b",\"type\":\"function\",\"function\":{\"name\":");
            push_json(out, name);
            out.extend_from_slice(b",\"arguments\":\"\"}}]");
        });
    }

    fn choice_start(&self, out: &mut Vec<u8>, choice: usize) {
        let parts = self.reply.choices.get(choice).map(|choice| choice.parts.as_slice());
        let only_tools = parts.is_some_and(|parts| parts.first().is_some_and(is_tool));
        self.chunk(out, choice, None, |out| {
            let content: &[u8] = if only_tools { b"null" } else { b"\"\"" };
            out.extend_from_slice(b"\"role\":\"assistant\",\"content\":");
            out.extend_from_slice(content);
            out.extend_from_slice(b",\"refusal\":null");
        });
    }

    fn close(&self, out: &mut Vec<u8>) {
        if self.extras.include_usage && self.reply.numbers != WireNumbers::Missing {
            out.extend_from_slice(&self.head);
            let usage = usage_json(&self.reply.usage, self.reply.numbers);
            let _ = write!(out, "],\"usage\":{usage}}}\n\n");
        }
        out.extend_from_slice(b"data: [DONE]\n\n");
    }
}

impl Render for ChatReply {
    fn event(&self, action: &Action, out: &mut Vec<u8>) {
        match action {
            Action::Open | Action::Ping | Action::PartStop { .. } => {}
            Action::ChoiceStart { choice } => self.choice_start(out, *choice),
            Action::PartStart { choice, part } => self.tool_start(out, *choice, *part),
            Action::Delta { choice, part, bytes } => {
                self.delta(out, *choice, *part, self.reply.text(*choice, *part, bytes));
            }
            Action::ChoiceEnd { choice } => {
                let finish = self.reply.choices.get(*choice).map(|choice| choice.finish);
                self.chunk(out, *choice, finish.map(finish_reason), |_| {});
            }
            Action::Close => self.close(out),
        }
    }

    fn error_event(&self, out: &mut Vec<u8>) {
        let error = json!({"error": {
            "message": "The server had an error while processing your request.",
            "type": "server_error", "param": null, "code": null,
        }});
        let _ = write!(out, "data: {error}\n\n");
    }

    fn whole(&self) -> Value {
        let choices = self.reply.choices.iter().enumerate();
        let mut whole = json!({
            "id": self.reply.id,
            "object": "chat.completion",
            "created": self.reply.created,
            "model": self.reply.model,
            "choices": choices.map(choice_json).collect::<Vec<_>>(),
        });
        if let Some(fields) = whole.as_object_mut() {
            if self.reply.numbers != WireNumbers::Missing {
                let usage = usage_json(&self.reply.usage, self.reply.numbers);
                fields.insert("usage".to_owned(), usage);
            }
            fields.insert("service_tier".to_owned(), json!(self.extras.service_tier));
            fields.insert("system_fingerprint".to_owned(), json!(self.reply.fingerprint));
        }
        whole
    }
}

fn is_tool(part: &Part) -> bool {
    matches!(part.kind, PartKind::Tool { .. })
}

fn finish_reason(finish: Finish) -> &'static str {
    match finish {
        Finish::Stop => "stop",
        Finish::Length => "length",
        Finish::ToolUse => "tool_calls",
    }
}

fn choice_json((index, choice): (usize, &Choice)) -> Value {
    let texts: Vec<&str> = choice
        .parts
        .iter()
        .filter(|part| part.kind == PartKind::Text)
        .map(|part| part.body.text.as_str())
        .collect();
    let calls: Vec<Value> = choice.parts.iter().filter_map(tool_call_json).collect();
    let content = if texts.is_empty() && !calls.is_empty() {
        Value::Null
    } else {
        Value::from(texts.concat())
    };
    let mut message =
        json!({"role": "assistant", "content": content, "refusal": null, "annotations": []});
    if let (false, Some(fields)) = (calls.is_empty(), message.as_object_mut()) {
        fields.insert("tool_calls".to_owned(), Value::Array(calls));
    }
    let finish = finish_reason(choice.finish);
    json!({"index": index, "message": message, "logprobs": null, "finish_reason": finish})
}

fn tool_call_json(part: &Part) -> Option<Value> {
    let PartKind::Tool { id, name } = &part.kind else { return None };
    let function = json!({"name": name, "arguments": part.body.text});
    Some(json!({"id": id, "type": "function", "function": function}))
}

/// Prompt tokens include cached ones, completion tokens include reasoning.
fn usage_json(usage: &Usage, numbers: WireNumbers) -> Value {
    let tell = |count| numbers.tell(count);
    json!({
        "prompt_tokens": tell(usage.input_total()),
        "completion_tokens": tell(usage.output),
        "total_tokens": tell(usage.input_total() + usage.output),
        "prompt_tokens_details": {"cached_tokens": tell(usage.cache_read), "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": tell(usage.reasoning),
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    })
}
