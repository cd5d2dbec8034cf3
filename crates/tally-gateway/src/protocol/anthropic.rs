//! `POST /v1/messages` and `POST /v1/messages/count_tokens`.

use std::borrow::Cow;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;
use tally_types::{Dialect, Tokens};

use super::{
    Needs, Observed, ParsedRequest, Protocol, StreamMeter, Streamed, has_items, model_name,
    parse_json, service_tier, span,
};
use crate::{
    less::{self, CannotReduce, ContextLimit, Less, Lessened, Reduced},
    redaction::Zone,
    refusal::Refusal,
};

pub(crate) struct AnthropicMessages;
pub(crate) struct AnthropicCountTokens;

#[derive(Deserialize)]
struct Request<'a> {
    #[serde(borrow)]
    model: Option<&'a RawValue>,
    #[serde(borrow)]
    messages: Option<&'a RawValue>,
    #[serde(default)]
    stream: Option<bool>,
    #[serde(default)]
    max_tokens: Option<u64>,
    #[serde(borrow)]
    metadata: Option<&'a RawValue>,
    #[serde(borrow)]
    tools: Option<&'a RawValue>,
    #[serde(borrow)]
    thinking: Option<&'a RawValue>,
    #[serde(borrow)]
    output_config: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Thinking<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Metadata {
    #[serde(default)]
    user_id: Option<String>,
}

#[derive(Deserialize)]
struct AgentUser {
    #[serde(default)]
    session_id: Option<String>,
}

#[derive(Deserialize)]
struct OutputConfig<'a> {
    #[serde(default, borrow)]
    effort: Option<&'a RawValue>,
}

/// A whole message, and the `message` of a stream's first event.
#[derive(Deserialize)]
struct Message<'a> {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    model: Option<String>,
    #[serde(borrow)]
    usage: Option<&'a RawValue>,
}

/// Every field is optional: in a stream, each report overwrites only what it has.
#[derive(Deserialize)]
struct Usage {
    input_tokens: Option<i64>,
    output_tokens: Option<i64>,
    cache_read_input_tokens: Option<i64>,
    cache_creation_input_tokens: Option<i64>,
    cache_creation: Option<CacheCreation>,
    output_tokens_details: Option<OutputDetails>,
    server_tool_use: Option<ServerToolUse>,
    service_tier: Option<String>,
    speed: Option<String>,
    inference_geo: Option<String>,
}

#[derive(Deserialize)]
struct CacheCreation {
    #[serde(default)]
    ephemeral_5m_input_tokens: Option<i64>,
    #[serde(default)]
    ephemeral_1h_input_tokens: Option<i64>,
}

#[derive(Deserialize)]
struct OutputDetails {
    #[serde(default)]
    reasoning_tokens: Option<i64>,
    #[serde(default)]
    thinking_tokens: Option<i64>,
}

#[derive(Deserialize)]
struct ServerToolUse {
    #[serde(default)]
    web_search_requests: Option<i64>,
}

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(default, borrow)]
    message: Option<Message<'a>>,
    #[serde(borrow)]
    usage: Option<&'a RawValue>,
    #[serde(default, borrow)]
    delta: Option<Delta<'a>>,
}

#[derive(Deserialize)]
struct Delta<'a> {
    #[serde(default, borrow)]
    text: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    thinking: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    partial_json: Option<Cow<'a, str>>,
}

#[derive(Default)]
struct MessagesMeter {
    observed: Observed,
    streamed: Streamed,
    stopped: bool,
    failed: bool,
    has_final_counts: bool,
}

// === impl AnthropicMessages ===

impl Protocol for AnthropicMessages {
    fn dialect(&self) -> Dialect {
        Dialect::Anthropic
    }

    fn operation(&self) -> &'static str {
        "messages"
    }

    fn upstream_path(&self) -> &'static str {
        "/v1/messages"
    }

    fn prompt_zone(&self) -> Zone {
        Zone::AnthropicRequest
    }

    fn reply_zone(&self) -> Zone {
        Zone::AnthropicReply
    }

    fn parse(&self, body: &Bytes) -> Result<ParsedRequest, Refusal> {
        let request: Request<'_> = parse_json(body)?;
        let model = model_name(request.model)?;
        if request.messages.is_none() {
            return Err(Refusal::bad_request("messages_missing", "the request has no `messages`"));
        }
        Ok(ParsedRequest {
            model_span: request.model.map(|raw| span(body, raw)).unwrap_or_default(),
            model,
            stream: request.stream.unwrap_or(false),
            output_tokens_max: request.max_tokens,
            session: request.metadata.and_then(agent_session),
            needs: Needs {
                tools: has_items(request.tools),
                images: request.messages.is_some_and(less::anthropic_images),
                reasoning: request.thinking.is_some_and(thinks)
                    || request.output_config.is_some_and(has_effort),
            },
            answers: 1,
            ..ParsedRequest::default()
        })
    }

    fn with_less(&self, body: &[u8], less: &Less) -> Lessened {
        less::anthropic_with_less(body, less)
    }

    fn reduce_context(&self, body: &[u8], limit: &ContextLimit) -> Result<Reduced, CannotReduce> {
        less::anthropic_reduced(body, limit)
    }

    fn observe(&self, body: &[u8]) -> Option<Observed> {
        let message: Message<'_> = serde_json::from_slice(body).ok()?;
        let mut observed = Observed::default();
        take_message(&mut observed, &message);
        Some(observed)
    }

    fn stream_meter(&self) -> Box<dyn StreamMeter> {
        Box::new(MessagesMeter::default())
    }
}

// === impl AnthropicCountTokens ===

impl Protocol for AnthropicCountTokens {
    fn dialect(&self) -> Dialect {
        Dialect::Anthropic
    }

    fn operation(&self) -> &'static str {
        "count_tokens"
    }

    fn upstream_path(&self) -> &'static str {
        "/v1/messages/count_tokens"
    }

    fn is_metered(&self) -> bool {
        false
    }

    fn prompt_zone(&self) -> Zone {
        Zone::AnthropicRequest
    }

    fn reply_zone(&self) -> Zone {
        Zone::Skip
    }

    fn parse(&self, body: &Bytes) -> Result<ParsedRequest, Refusal> {
        AnthropicMessages.parse(body)
    }

    fn observe(&self, _body: &[u8]) -> Option<Observed> {
        Some(Observed::default())
    }

    fn stream_meter(&self) -> Box<dyn StreamMeter> {
        AnthropicMessages.stream_meter()
    }
}

fn thinks(thinking: &RawValue) -> bool {
    let read: Option<Thinking<'_>> = serde_json::from_str(thinking.get()).ok();
    read.is_some_and(|thinking| matches!(thinking.kind.as_ref(), "enabled" | "adaptive"))
}

/// Models that do not think refuse the word.
fn has_effort(config: &RawValue) -> bool {
    let read: Option<OutputConfig<'_>> = serde_json::from_str(config.get()).ok();
    read.is_some_and(|config| config.effort.is_some())
}

/// Coding agents put a JSON object into `metadata.user_id`.
fn agent_session(metadata: &RawValue) -> Option<String> {
    let metadata: Metadata = serde_json::from_str(metadata.get()).ok()?;
    let user: AgentUser = serde_json::from_str(&metadata.user_id?).ok()?;
    user.session_id
}

fn take_message(observed: &mut Observed, message: &Message<'_>) {
    observed.response_id.clone_from(&message.id);
    observed.model.clone_from(&message.model);
    if let Some(usage) = message.usage {
        take_usage(observed, usage);
    }
}

/// Overwrites each field that is present; a stream's reports are cumulative.
fn take_usage(observed: &mut Observed, raw: &RawValue) {
    let Ok(usage) = serde_json::from_str::<Usage>(raw.get()) else {
        observed.implausible = true;
        return;
    };
    observed.take_counts(usage.over(observed.tokens.unwrap_or_default()));
    if let Some(word) = &usage.service_tier {
        observed.service_tier = service_tier(word);
    }
    let modifiers = [("speed", &usage.speed), ("inference_geo", &usage.inference_geo)];
    for (name, value) in modifiers {
        if let Some(value) = value.as_ref().filter(|value| !value.is_empty()) {
            observed.modifiers.retain(|known| !known.starts_with(name));
            observed.modifiers.push(format!("{name}:{value}"));
        }
    }
    if let Some(tools) = &usage.server_tool_use {
        // Fetching pages costs nothing beyond its tokens; searching has a fee per use.
        match u64::try_from(tools.web_search_requests.unwrap_or(0)) {
            Ok(0) => {}
            Ok(count) => drop(observed.tool_requests.insert("web_search".to_owned(), count)),
            Err(_) => observed.implausible = true,
        }
    }
}

// === impl Usage ===

impl Usage {
    fn over(&self, earlier: Tokens) -> Option<Tokens> {
        let mut tokens = earlier;
        let set = |place: &mut u64, value: Option<i64>| -> Option<()> {
            if let Some(value) = value {
                *place = u64::try_from(value).ok()?;
            }
            Some(())
        };
        set(&mut tokens.input_uncached, self.input_tokens)?;
        set(&mut tokens.cache_read, self.cache_read_input_tokens)?;
        set(&mut tokens.output, self.output_tokens)?;
        match &self.cache_creation {
            // The split, where it exists, replaces the flat number.
            Some(split) => {
                set(&mut tokens.cache_write_5m, split.ephemeral_5m_input_tokens)?;
                set(&mut tokens.cache_write_1h, split.ephemeral_1h_input_tokens)?;
            }
            // The flat number covers both: what an earlier split put at one hour is in it.
            None => {
                if let Some(flat) = self.cache_creation_input_tokens {
                    let flat = u64::try_from(flat).ok()?;
                    tokens.cache_write_5m = flat.checked_sub(tokens.cache_write_1h)?;
                }
            }
        }
        if let Some(details) = &self.output_tokens_details {
            set(&mut tokens.reasoning, details.reasoning_tokens.or(details.thinking_tokens))?;
        }
        Some(tokens)
    }
}

// === impl MessagesMeter ===

impl StreamMeter for MessagesMeter {
    fn data(&mut self, data: &[u8]) {
        let Ok(event) = serde_json::from_slice::<Event<'_>>(data) else { return };
        match event.kind.as_ref() {
            "message_start" => {
                if let Some(message) = &event.message {
                    take_message(&mut self.observed, message);
                }
            }
            "message_delta" => {
                if let Some(usage) = event.usage {
                    take_usage(&mut self.observed, usage);
                    self.has_final_counts = true;
                }
            }
            "content_block_delta" => {
                self.streamed.add_piece(event.delta.iter().flat_map(Delta::texts));
                let thinking = event.delta.and_then(|delta| delta.thinking);
                self.streamed.reasoning_bytes += thinking.map_or(0, |text| text.len() as u64);
            }
            "message_stop" => self.stopped = true,
            "error" => self.failed = true,
            _ => {}
        }
    }

    fn complete(&self) -> bool {
        self.stopped
    }

    fn failed(&self) -> bool {
        self.failed
    }

    fn observed(&self) -> &Observed {
        &self.observed
    }

    fn counts_are_final(&self) -> bool {
        self.has_final_counts && self.observed.tokens.is_some() && !self.observed.implausible
    }

    fn streamed(&self) -> Streamed {
        self.streamed
    }
}

impl Delta<'_> {
    fn texts(&self) -> impl Iterator<Item = &str> {
        let texts = [&self.text, &self.thinking, &self.partial_json];
        texts.into_iter().flatten().map(AsRef::as_ref)
    }
}

#[cfg(test)]
#[path = "anthropic_tests.rs"]
mod tests;
