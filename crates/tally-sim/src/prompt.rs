//! A request's input in neither dialect's words.

use crate::cache::{Segment, Ttl};
use crate::canon::{first_half, hash_value};
use crate::error::ApiError;
use crate::plan::Wish;
use crate::tokens::count_tokens;
use crate::tools::ToolChoice;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// A stretch of the prompt, borrowed from the request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Item<'a> {
    pub(crate) role: &'a str,
    pub(crate) content: Content<'a>,
    pub(crate) tokens: u64,
    pub(crate) breakpoint: Option<Ttl>,
}

/// Plain text has one digest however it is wrapped: clients turn a string into
/// a text block when they mark it for caching.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Content<'a> {
    Text(&'a str),
    Json(&'a Value),
}

/// How the provider decides what to cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Caching {
    Explicit,
    Automatic,
}

/// What a chat request asks for.
#[derive(Debug, Clone)]
pub(crate) struct Prompt<'a> {
    pub(crate) model: &'a str,
    pub(crate) stream: bool,
    pub(crate) items: Vec<Item<'a>>,
    pub(crate) caching: Caching,
    /// The provider searches the web by itself.
    pub(crate) web_search: bool,
    pub(crate) last_text: String,
    pub(crate) wish: Wish<'a>,
}

impl Prompt<'_> {
    /// A test may force a tool call, or forbid it, when tools are offered.
    pub(crate) fn apply_tool_knob(&mut self, tool: Option<bool>) {
        match tool {
            Some(false) => self.wish.tool_choice = ToolChoice::Never,
            Some(true) if !self.wish.tools.is_empty() => self.wish.tool_choice = ToolChoice::Any,
            _ => {}
        }
    }

    pub(crate) fn input_tokens(&self) -> u64 {
        self.items.iter().map(|item| item.tokens).sum()
    }

    /// The items with the digests of their prefixes, for the prompt cache.
    pub(crate) fn segments(&self) -> Vec<Segment> {
        let mut hasher = Sha256::new();
        hasher.update(self.model.as_bytes());
        let digest_up_to = |item: &Item<'_>| {
            hasher.update([0]);
            hasher.update(item.role.as_bytes());
            match item.content {
                Content::Text(text) => {
                    hasher.update(text.len().to_le_bytes());
                    hasher.update(text.as_bytes());
                }
                Content::Json(value) => hash_value(&mut hasher, value, &["cache_control"]),
            }
            first_half(hasher.clone())
        };
        let prefixes: Vec<_> = self.items.iter().map(digest_up_to).collect();
        let pairs = self.items.iter().zip(prefixes);
        pairs
            .map(|(item, prefix)| Segment {
                tokens: item.tokens,
                prefix,
                breakpoint: item.breakpoint,
            })
            .collect()
    }
}

/// The tokens of a value's JSON text.
pub(crate) fn json_tokens(value: &Value) -> u64 {
    count_tokens(&value.to_string())
}

/// The tokens of inline data such as an image, given its base64 length.
pub(crate) fn data_tokens(base64_len: usize) -> u64 {
    const BYTES_PER_TOKEN: u64 = 750;
    const MOST: u64 = 20_000;
    let bytes = u64::try_from(base64_len).unwrap_or(u64::MAX) / 4 * 3;
    85 + (bytes / BYTES_PER_TOKEN).min(MOST)
}

/// The tokens of an image that is given by its address only.
pub(crate) const LINKED_IMAGE_TOKENS: u64 = 765;

/// The model that a request names.
pub(crate) fn model_of(body: &Map<String, Value>) -> Result<&str, ApiError> {
    match body.get("model") {
        None | Some(Value::Null) => Err(ApiError::missing("model")),
        Some(Value::String(model)) if model.starts_with("nope-") => {
            Err(ApiError::ModelNotFound(model.clone()))
        }
        Some(Value::String(model)) if !model.is_empty() && model.len() <= 256 => Ok(model),
        Some(_) => Err(ApiError::invalid("model", "must be a non-empty string")),
    }
}

/// The messages that a request carries, at least one.
pub(crate) fn messages_of(body: &Map<String, Value>) -> Result<&[Value], ApiError> {
    match body.get("messages") {
        None | Some(Value::Null) => Err(ApiError::missing("messages")),
        Some(Value::Array(messages)) if messages.is_empty() => {
            Err(ApiError::invalid("messages", "at least one message is required"))
        }
        Some(Value::Array(messages)) if messages.iter().all(Value::is_object) => Ok(messages),
        Some(_) => Err(ApiError::invalid("messages", "must be an array of messages")),
    }
}

/// A positive number of tokens, if the field is there.
pub(crate) fn limit_of(
    body: &Map<String, Value>,
    field: &'static str,
) -> Result<Option<u64>, ApiError> {
    match body.get(field) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => match value.as_u64() {
            Some(limit) if limit > 0 => Ok(Some(limit)),
            _ => Err(ApiError::invalid(field, "must be a positive integer")),
        },
    }
}

/// The text of the last user message, in which directives and markers are found.
pub(crate) fn last_user_text(messages: &[Value]) -> String {
    let is_user = |message: &&Value| message.get("role").and_then(Value::as_str) == Some("user");
    match messages.iter().rev().find(is_user).and_then(|message| message.get("content")) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(parts)) => {
            let texts = parts.iter().filter_map(|part| part.get("text")?.as_str());
            texts.collect::<Vec<_>>().join("\n")
        }
        _ => String::new(),
    }
}

/// Every text of the last message: what the user says, or what a tool gave back.
pub(crate) fn last_message_text(body: &Map<String, Value>) -> String {
    let last = body.get("messages").and_then(Value::as_array).and_then(|messages| messages.last());
    let mut texts = Vec::new();
    if let Some(content) = last.and_then(|message| message.get("content")) {
        collect_texts(content, &mut texts);
    }
    texts.join("\n")
}

fn collect_texts<'a>(content: &'a Value, texts: &mut Vec<&'a str>) {
    match content {
        Value::String(text) => texts.push(text),
        Value::Array(parts) => parts.iter().for_each(|part| collect_texts(part, texts)),
        Value::Object(part) => {
            let inner = ["text", "content"].iter().filter_map(|name| part.get(*name));
            inner.for_each(|content| collect_texts(content, texts));
        }
        _ => {}
    }
}

/// True when the text asks for a tool in so many words.
pub(crate) fn mentions_tool(text: &str) -> bool {
    memchr::memmem::find(text.as_bytes(), b"tool").is_some()
}
