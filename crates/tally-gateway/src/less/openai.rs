//! OpenAI's chat completions, and everything compatible with them.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    CannotReduce, ContextLimit, Less, Lessened, Reduced,
    conversation::{Caching, Conversation, Keep, Message, Speaker},
    knobs::{Edits, cap, lower_effort, number},
};
use crate::{json_bytes::present, protocol::span};

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    messages: Vec<&'a RawValue>,
    #[serde(default, borrow)]
    previous_response_id: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct RawMessage<'a> {
    #[serde(borrow)]
    role: Cow<'a, str>,
    #[serde(default, borrow)]
    tool_calls: Option<Vec<ToolCall<'a>>>,
    #[serde(default, borrow)]
    tool_call_id: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct ToolCall<'a> {
    #[serde(default, borrow)]
    id: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Shown<'a> {
    #[serde(default, borrow)]
    content: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Part<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Knobs<'a> {
    #[serde(default, borrow, deserialize_with = "present")]
    max_tokens: Option<&'a RawValue>,
    #[serde(default, borrow, deserialize_with = "present")]
    max_completion_tokens: Option<&'a RawValue>,
    #[serde(default, borrow)]
    reasoning_effort: Option<&'a RawValue>,
    #[serde(default, borrow)]
    reasoning: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Reasoning<'a> {
    #[serde(default, borrow)]
    effort: Option<&'a RawValue>,
}

/// Caps the answer, by the name the client used, and lowers the effort it asked for.
///
/// Where it asked for none nothing is added: not every model takes the question.
pub(crate) fn with_less(body: &[u8], less: &Less) -> Lessened {
    let Ok(knobs) = serde_json::from_slice::<Knobs<'_>>(body) else { return Lessened::default() };
    let mut edits = Edits::of(body);
    let caps = [knobs.max_completion_tokens, knobs.max_tokens];
    let asked = caps.into_iter().find_map(number);
    let output_tokens_max =
        less.output_tokens.map(cap).filter(|cap| asked.is_none_or(|asked| *cap < asked));
    if let Some(cap) = output_tokens_max {
        let mut is_named = false;
        for raw in caps.into_iter().flatten() {
            // A `null` beside a number stays; alone it is the name the client used.
            if number(Some(raw)).map_or(asked.is_none() && !is_named, |asked| cap < asked) {
                edits.replace(raw, cap);
            }
            is_named = true;
        }
        if !is_named {
            edits.insert("max_completion_tokens", cap);
        }
    }
    let reasoning: Option<Reasoning<'_>> =
        knobs.reasoning.and_then(|raw| serde_json::from_str(raw.get()).ok());
    let efforts = [knobs.reasoning_effort, reasoning.and_then(|reasoning| reasoning.effort)];
    let mut is_lowered = false;
    for effort in efforts {
        let word = less.effort.and_then(|most| lower_effort(effort, most));
        if let (Some(raw), Some(word)) = (effort, word) {
            edits.replace(raw, word);
            is_lowered = true;
        }
    }
    Lessened { splices: edits.finish(), output_tokens_max, reasoning: is_lowered }
}

/// Makes the context smaller.
pub(crate) fn reduced(body: &[u8], limit: &ContextLimit) -> Result<Reduced, CannotReduce> {
    let read: Body<'_> = serde_json::from_slice(body)
        .map_err(|_| CannotReduce::NotUnderstood("an array in `messages`"))?;
    if read.previous_response_id.is_some() {
        return Err(CannotReduce::Stateful);
    }
    let messages: Option<Vec<Message<'_>>> =
        read.messages.iter().map(|raw| message(body, raw)).collect();
    let messages = messages
        .ok_or(CannotReduce::NotUnderstood("messages with `role`, and ids of tool calls"))?;
    Conversation { messages, caching: Caching::Automatic }.reduced(body, limit)
}

fn message<'a>(body: &[u8], raw: &'a RawValue) -> Option<Message<'a>> {
    let read: RawMessage<'a> = serde_json::from_str(raw.get()).ok()?;
    let (speaker, keep) = match read.role.as_ref() {
        "system" | "developer" => (Speaker::System, Keep::Message),
        "user" => (Speaker::User, Keep::Nothing),
        _ => (Speaker::Other, Keep::Nothing),
    };
    let calls = read.tool_calls.unwrap_or_default();
    Some(Message {
        range: span(body, raw),
        speaker,
        keep,
        calls: calls.into_iter().filter_map(|call| call.id).collect(),
        results: read.tool_call_id.into_iter().collect(),
    })
}

/// Whether the messages show images, or files, whose pages are read as images.
pub(crate) fn has_images(messages: &RawValue) -> bool {
    let needles: [&[u8]; 2] = [b"\"image_url\"", b"\"file\""];
    let text = messages.get();
    // In a string, quotes are escaped: without a needle there is nothing to look at.
    if needles.iter().all(|needle| memchr::memmem::find(text.as_bytes(), needle).is_none()) {
        return false;
    }
    let Ok(messages) = serde_json::from_str::<Vec<Shown<'_>>>(text) else { return true };
    let contents = messages.iter().filter_map(|message| message.content);
    contents.filter(|raw| raw.get().starts_with('[')).any(|raw| {
        let parts: Vec<Part<'_>> = serde_json::from_str(raw.get()).unwrap_or_default();
        parts.iter().any(|part| matches!(part.kind.as_ref(), "image_url" | "file"))
    })
}
