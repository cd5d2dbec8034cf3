//! Anthropic's messages.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    CannotReduce, ContextLimit, Less, Lessened, Reduced,
    conversation::{Caching, Conversation, Keep, Message, Speaker},
    knobs::{Edits, cap, has_member, lower_effort, number, thinking_tokens},
};
use crate::{json_bytes::present, protocol::span};

/// The least that thinking may be given.
const THINKING_TOKENS_MIN: u64 = 1_024;

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    messages: Vec<&'a RawValue>,
    #[serde(default, borrow)]
    cache_control: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct RawMessage<'a> {
    #[serde(borrow)]
    role: Cow<'a, str>,
    #[serde(default, borrow)]
    content: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Block<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(default, borrow)]
    id: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    tool_use_id: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    content: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Knobs<'a> {
    #[serde(default, borrow, deserialize_with = "present")]
    max_tokens: Option<&'a RawValue>,
    #[serde(default, borrow)]
    thinking: Option<&'a RawValue>,
    #[serde(default, borrow)]
    output_config: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Thinking<'a> {
    #[serde(default, borrow)]
    budget_tokens: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct OutputConfig<'a> {
    #[serde(default, borrow)]
    effort: Option<&'a RawValue>,
}

/// Caps the answer, and lowers the budget of thinking within it.
///
/// Thinking is never switched off: edits of the context and blocks of earlier
/// thinking may depend on it.
pub(crate) fn with_less(body: &[u8], less: &Less) -> Lessened {
    let Ok(knobs) = serde_json::from_slice::<Knobs<'_>>(body) else { return Lessened::default() };
    let mut edits = Edits::of(body);
    let asked = number(knobs.max_tokens);
    let thinking: Option<Thinking<'_>> =
        knobs.thinking.and_then(|raw| serde_json::from_str(raw.get()).ok());
    let thinking = thinking.and_then(|thinking| thinking.budget_tokens);
    let budget = number(thinking);
    // With interleaved thinking, the budget spans several answers and may be larger
    // than one: then it sets no bounds to the cap.
    let is_within = |budget: &u64| asked.is_none_or(|asked| *budget < asked);
    let budget_within = budget.filter(is_within);
    let floor = budget_within.map_or(0, |_| THINKING_TOKENS_MIN + 1);
    let output_tokens_max = less
        .output_tokens
        .map(|tokens| cap(tokens).max(floor))
        .filter(|cap| asked.is_none_or(|asked| *cap < asked));
    if let Some(cap) = output_tokens_max {
        match knobs.max_tokens {
            Some(raw) => edits.replace(raw, cap),
            None => edits.insert("max_tokens", cap),
        }
    }
    let mut reasoning = false;
    if let (Some(raw), Some(budget)) = (thinking, budget) {
        let by_effort = less.effort.map_or(u64::MAX, thinking_tokens);
        let by_cap = output_tokens_max.filter(|_| budget_within.is_some());
        let most = by_effort.min(by_cap.map_or(u64::MAX, |cap| cap.saturating_sub(1)));
        if most < budget {
            edits.replace(raw, most.max(THINKING_TOKENS_MIN));
            reasoning = true;
        }
    }
    let config: Option<OutputConfig<'_>> =
        knobs.output_config.and_then(|raw| serde_json::from_str(raw.get()).ok());
    let effort = config.and_then(|config| config.effort);
    let word = less.effort.and_then(|most| lower_effort(effort, most));
    if let (Some(raw), Some(word)) = (effort, word) {
        edits.replace(raw, word);
        reasoning = true;
    }
    Lessened { splices: edits.finish(), output_tokens_max, reasoning }
}

/// Makes the context smaller.
pub(crate) fn reduced(body: &[u8], limit: &ContextLimit) -> Result<Reduced, CannotReduce> {
    let read: Body<'_> = serde_json::from_slice(body)
        .map_err(|_| CannotReduce::NotUnderstood("an array in `messages`"))?;
    let messages: Option<Vec<Message<'_>>> =
        read.messages.iter().map(|raw| message(body, raw)).collect();
    let messages = messages.ok_or(CannotReduce::NotUnderstood(
        "messages with `role` and `content` of text or blocks",
    ))?;
    let asks = |raw: &&RawValue| has_member(raw.get(), "\"cache_control\"");
    let is_asked = read.cache_control.is_some() || read.messages.iter().any(asks);
    let caching = if is_asked { Caching::Asked } else { Caching::No };
    Conversation { messages, caching }.reduced(body, limit)
}

fn message<'a>(body: &[u8], raw: &'a RawValue) -> Option<Message<'a>> {
    let read: RawMessage<'a> = serde_json::from_str(raw.get()).ok()?;
    let blocks = blocks(read.content)?;
    let has_results = blocks.iter().any(|block| block.kind == "tool_result");
    let speaker = match read.role.as_ref() {
        "user" if has_results => Speaker::UserWithResults,
        "user" => Speaker::User,
        "system" => Speaker::System,
        _ => Speaker::Other,
    };
    // Instructions in mid-conversation are legal only right after what a user says,
    // and a compaction stands for everything before it.
    let is_bound = read.role == "system" || blocks.iter().any(|block| block.kind == "compaction");
    let mut message = Message {
        range: span(body, raw),
        speaker,
        keep: if is_bound { Keep::Turn } else { Keep::Nothing },
        calls: Vec::new(),
        results: Vec::new(),
    };
    for block in blocks {
        message.calls.extend(block.id.filter(|_| block.kind == "tool_use"));
        message.results.extend(block.tool_use_id.filter(|_| block.kind == "tool_result"));
    }
    Some(message)
}

/// The blocks of a content; text alone has none.
fn blocks(content: Option<&RawValue>) -> Option<Vec<Block<'_>>> {
    match content.filter(|raw| raw.get().starts_with('[')) {
        Some(raw) => serde_json::from_str(raw.get()).ok(),
        None => Some(Vec::new()),
    }
}

/// Whether the messages show images, or documents, whose pages are read as images.
pub(crate) fn has_images(messages: &RawValue) -> bool {
    let needles: [&[u8]; 2] = [b"\"image\"", b"\"document\""];
    let text = messages.get();
    // In a string, quotes are escaped: without a needle there is nothing to look at.
    if needles.iter().all(|needle| memchr::memmem::find(text.as_bytes(), needle).is_none()) {
        return false;
    }
    let Ok(messages) = serde_json::from_str::<Vec<RawMessage<'_>>>(text) else { return true };
    messages.iter().any(|message| shows_images(message.content))
}

fn shows_images(content: Option<&RawValue>) -> bool {
    blocks(content).unwrap_or_default().iter().any(|block| match block.kind.as_ref() {
        "image" | "document" => true,
        "tool_result" => shows_images(block.content),
        _ => false,
    })
}
