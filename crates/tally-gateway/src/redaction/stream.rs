//! A streamed reply with its values: text and tool calls' arguments come in pieces, and a
//! placeholder may be cut anywhere. Of each text less than one placeholder is held back,
//! until it goes on or ends; every other event passes as it came.

use std::{borrow::Cow, collections::BTreeMap};

use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};
use tally_policy::redact::{Escaping, Restorations, Restorer};
use tally_types::Dialect;

use super::{Zone, restored};
use crate::{
    json_bytes::spliced,
    protocol::{Splice, span},
};

/// A text that comes in pieces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Channel {
    /// The choice, or the block.
    index: u64,
    part: Part,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Reasoning,
    Text,
    Refusal,
    /// Arguments of the tool call with that number.
    Arguments(u64),
}

/// Puts values back into a stream.
pub(crate) struct StreamRestorer {
    dialect: Dialect,
    known: Restorations,
    texts: BTreeMap<Channel, Restorer>,
    /// What a chunk of this stream looks like, to tell what was held back.
    chunk: Option<Value>,
}

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(default)]
    index: u64,
    #[serde(default, borrow)]
    delta: Option<BlockDelta<'a>>,
}

#[derive(Deserialize)]
struct BlockDelta<'a> {
    #[serde(default, borrow)]
    text: Option<&'a RawValue>,
    #[serde(default, borrow)]
    partial_json: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Chunk<'a> {
    #[serde(default, borrow)]
    choices: Vec<Choice<'a>>,
}

#[derive(Deserialize)]
struct Choice<'a> {
    #[serde(default)]
    index: u64,
    #[serde(default, borrow)]
    delta: Option<ChoiceDelta<'a>>,
    #[serde(default, borrow)]
    finish_reason: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct ChoiceDelta<'a> {
    #[serde(default, borrow)]
    content: Option<&'a RawValue>,
    #[serde(default, borrow)]
    refusal: Option<&'a RawValue>,
    #[serde(default, borrow)]
    reasoning_content: Option<&'a RawValue>,
    #[serde(default, borrow)]
    tool_calls: Option<Vec<ToolCall<'a>>>,
}

#[derive(Deserialize)]
struct ToolCall<'a> {
    #[serde(default)]
    index: u64,
    #[serde(default, borrow)]
    function: Option<Function<'a>>,
}

#[derive(Deserialize)]
struct Function<'a> {
    #[serde(default, borrow)]
    arguments: Option<&'a RawValue>,
}

// === impl StreamRestorer ===

impl StreamRestorer {
    /// None where there is nothing to put back.
    pub(crate) fn new(dialect: Dialect, known: &Restorations) -> Option<Self> {
        (!known.is_empty()).then(|| Self {
            dialect,
            known: known.clone(),
            texts: BTreeMap::new(),
            chunk: None,
        })
    }

    /// The event's data as the client is to see it, and what has to be told before it.
    pub(crate) fn pass<'a>(&mut self, data: &'a [u8]) -> (Vec<u8>, Cow<'a, [u8]>) {
        match self.dialect {
            Dialect::Anthropic => self.block_event(data),
            Dialect::OpenAi | Dialect::Gemini => self.chunk(data),
        }
    }

    /// What is held back when a stream ends, however it does.
    pub(crate) fn finish(&mut self) -> Vec<u8> {
        self.flush(|_| true)
    }

    fn block_event<'a>(&mut self, data: &'a [u8]) -> (Vec<u8>, Cow<'a, [u8]>) {
        let as_it_is = (Vec::new(), Cow::Borrowed(data));
        let Ok(event) = serde_json::from_slice::<Event<'_>>(data) else { return as_it_is };
        let index = event.index;
        match event.kind.as_ref() {
            "content_block_start" => {
                let whole = Bytes::copy_from_slice(data);
                (
                    Vec::new(),
                    Cow::Owned(restored(whole, Zone::AnthropicEvent, &self.known).to_vec()),
                )
            }
            "content_block_delta" => {
                let Some(delta) = &event.delta else { return as_it_is };
                let text = (Part::Text, delta.text, false);
                let arguments = (Part::Arguments(0), delta.partial_json, false);
                let pieces =
                    [text, arguments].map(|(part, raw, ends)| (Channel { index, part }, raw, ends));
                (Vec::new(), self.replaced(data, pieces))
            }
            "content_block_stop" => {
                (self.flush(|channel| channel.index == index), Cow::Borrowed(data))
            }
            "message_delta" | "message_stop" | "error" => (self.finish(), Cow::Borrowed(data)),
            _ => as_it_is,
        }
    }

    fn chunk<'a>(&mut self, data: &'a [u8]) -> (Vec<u8>, Cow<'a, [u8]>) {
        let Ok(chunk) = serde_json::from_slice::<Chunk<'_>>(data) else {
            // `[DONE]`, for one.
            return (self.finish(), Cow::Borrowed(data));
        };
        let mut pieces = Vec::new();
        let mut finished = Vec::new();
        for choice in &chunk.choices {
            let index = choice.index;
            let ends = choice.finish_reason.is_some_and(|raw| raw.get() != "null");
            if ends {
                finished.push(index);
            }
            let Some(delta) = &choice.delta else { continue };
            let calls = delta.tool_calls.iter().flatten().map(|call| {
                let arguments = call.function.as_ref().and_then(|function| function.arguments);
                (Part::Arguments(call.index), arguments)
            });
            let texts = [
                (Part::Reasoning, delta.reasoning_content),
                (Part::Text, delta.content),
                (Part::Refusal, delta.refusal),
            ];
            let all = texts.into_iter().chain(calls);
            pieces.extend(all.map(|(part, raw)| (Channel { index, part }, raw, ends)));
        }
        let shown = self.replaced(data, pieces);
        if self.texts.values().any(|text| text.held_bytes() > 0) {
            self.chunk = serde_json::from_slice(data).ok();
        }
        (self.flush(|channel| finished.contains(&channel.index)), shown)
    }

    /// The data with each piece as far as it is certain.
    fn replaced<'a, 'p>(
        &mut self,
        data: &'a [u8],
        pieces: impl IntoIterator<Item = (Channel, Option<&'p RawValue>, bool)>,
    ) -> Cow<'a, [u8]> {
        let mut splices = Vec::new();
        for (channel, raw, ends) in pieces {
            let Some(raw) = raw else { continue };
            let Ok(piece) = serde_json::from_str::<String>(raw.get()) else { continue };
            let restorer = self.texts.entry(channel).or_insert_with(|| {
                let escaping = match channel.part {
                    Part::Arguments(_) => Escaping::Json,
                    _ => Escaping::Plain,
                };
                Restorer::new(self.known.clone(), escaping)
            });
            let mut shown = restorer.push(&piece);
            if ends {
                shown.push_str(&restorer.finish());
            }
            if shown != piece {
                splices
                    .push(Splice { range: span(data, raw), with: Value::from(shown).to_string() });
            }
        }
        if splices.is_empty() {
            return Cow::Borrowed(data);
        }
        Cow::Owned(spliced(&Bytes::copy_from_slice(data), splices).to_vec())
    }

    /// Events that tell what is held back of some texts.
    fn flush(&mut self, of: impl Fn(&Channel) -> bool) -> Vec<u8> {
        let mut told = Vec::new();
        for (channel, text) in self.texts.iter_mut().filter(|(channel, _)| of(channel)) {
            let held = text.finish();
            if held.is_empty() {
                continue;
            }
            let event = match self.dialect {
                Dialect::Anthropic => block_delta(*channel, &held),
                Dialect::OpenAi | Dialect::Gemini => {
                    chunk_with(self.chunk.as_ref(), *channel, &held)
                }
            };
            told.extend_from_slice(event.as_bytes());
        }
        told
    }
}

fn block_delta(channel: Channel, held: &str) -> String {
    let delta = match channel.part {
        Part::Arguments(_) => json!({ "type": "input_json_delta", "partial_json": held }),
        _ => json!({ "type": "text_delta", "text": held }),
    };
    let data = json!({ "type": "content_block_delta", "index": channel.index, "delta": delta });
    format!("event: content_block_delta\ndata: {data}\n\n")
}

fn chunk_with(like: Option<&Value>, channel: Channel, held: &str) -> String {
    let delta = match channel.part {
        Part::Reasoning => json!({ "reasoning_content": held }),
        Part::Text => json!({ "content": held }),
        Part::Refusal => json!({ "refusal": held }),
        Part::Arguments(index) => {
            json!({ "tool_calls": [{ "index": index, "function": { "arguments": held } }] })
        }
    };
    let mut chunk = like.cloned().unwrap_or_else(|| json!({ "object": "chat.completion.chunk" }));
    if let Some(members) = chunk.as_object_mut() {
        members.shift_remove("usage");
        let choice = json!({ "index": channel.index, "delta": delta, "finish_reason": null });
        members.insert("choices".to_owned(), json!([choice]));
    }
    format!("data: {chunk}\n\n")
}
