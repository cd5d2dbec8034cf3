//! What Tally must understand of each API dialect: enough to route, meter and
//! answer for it; every other byte passes untouched.
//!
//! The seam for further dialects (responses, Gemini, batches) is [`Protocol`].

mod anthropic;
mod openai_chat;
mod openai_embeddings;
mod openai_usage;

use std::{collections::BTreeMap, ops::Range};

use bytes::Bytes;
use serde_json::value::RawValue;
use tally_types::{Dialect, ServiceTier, Tokens};

use crate::{
    less::{CannotReduce, ContextLimit, Less, Lessened, Reduced},
    redaction::Zone,
    refusal::Refusal,
    words::words,
};

pub(crate) use anthropic::{AnthropicCountTokens, AnthropicMessages};
pub(crate) use openai_chat::OpenAiChat;
pub(crate) use openai_embeddings::OpenAiEmbeddings;

/// What was read from a request's body.
#[derive(Debug, Default)]
pub(crate) struct ParsedRequest {
    pub(crate) model: String,
    /// Where the model's name stands in the body, quotes included.
    pub(crate) model_span: Range<usize>,
    pub(crate) stream: bool,
    /// The most output tokens the client allows.
    pub(crate) output_tokens_max: Option<u64>,
    pub(crate) service_tier: ServiceTier,
    pub(crate) session: Option<String>,
    /// The caller's own key-value pairs, where the dialect has a place for them.
    pub(crate) metadata: BTreeMap<String, String>,
    /// Asks for usage in a stream whose client did not: a splice into the body.
    pub(crate) usage_splice: Option<Splice>,
    /// What a model must be able to do to serve it.
    pub(crate) needs: Needs,
    /// The provider holds the conversation (`previous_response_id`).
    pub(crate) is_stateful: bool,
    /// How many answers are asked for at once (`n`); the output cap holds for each.
    pub(crate) answers: u64,
}

/// What a request needs of a model.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Needs {
    /// It offers tools.
    pub(crate) tools: bool,
    /// It shows images, or files whose pages are read as images.
    pub(crate) images: bool,
    /// It asks for thinking.
    pub(crate) reasoning: bool,
}

/// Replaces a range of the body's bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Splice {
    pub(crate) range: Range<usize>,
    pub(crate) with: String,
}

/// What a reply says about its own cost.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Observed {
    /// Plausible token counts, if the provider reported any.
    pub(crate) tokens: Option<Tokens>,
    /// The provider reported counts that cannot be true.
    pub(crate) implausible: bool,
    pub(crate) model: Option<String>,
    pub(crate) response_id: Option<String>,
    pub(crate) service_tier: Option<ServiceTier>,
    pub(crate) modifiers: Vec<String>,
    pub(crate) tool_requests: BTreeMap<String, u64>,
    /// Why no price list can price it, such as audio tokens.
    pub(crate) unpriceable: Option<String>,
}

/// How much output passed by in a stream.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Streamed {
    /// UTF-8 bytes of text, reasoning and tool arguments.
    pub(crate) bytes: u64,
    /// Words of it, see [`words`].
    pub(crate) words: u64,
    /// Pieces they came in.
    pub(crate) pieces: u64,
    /// The part of `bytes` that was reasoning; providers that hide it send none.
    pub(crate) reasoning_bytes: u64,
}

// === impl Streamed ===

impl Streamed {
    /// One piece: the texts of one delta.
    pub(crate) fn add_piece<'a>(&mut self, texts: impl Iterator<Item = &'a str>) {
        let before = self.bytes;
        for text in texts {
            self.bytes += text.len() as u64;
            self.words += words(text);
        }
        self.pieces += u64::from(self.bytes > before);
    }
}

/// Reads usage on the side while a stream passes.
pub(crate) trait StreamMeter: Send {
    /// One event's `data`.
    fn data(&mut self, data: &[u8]);

    /// Whether the provider said that the stream is complete.
    fn complete(&self) -> bool;

    /// Whether the provider ended the stream with an error of its own.
    fn failed(&self) -> bool;

    /// What was observed so far.
    fn observed(&self) -> &Observed;

    /// Whether `observed().tokens` holds final counts rather than first ones.
    fn counts_are_final(&self) -> bool;

    /// Output that passed by.
    fn streamed(&self) -> Streamed;

    /// The data with what Tally asked for on its own behalf removed; `None` hides
    /// the whole event. Called only for streams that were asked to report usage.
    fn without_injected_usage<'a>(&self, data: &'a [u8]) -> Option<std::borrow::Cow<'a, [u8]>> {
        Some(std::borrow::Cow::Borrowed(data))
    }
}

/// One operation of one dialect.
pub(crate) trait Protocol: Send + Sync {
    fn dialect(&self) -> Dialect;

    /// The operation's name on usage events.
    fn operation(&self) -> &'static str;

    /// The path below the provider's base address.
    fn upstream_path(&self) -> &'static str;

    /// Whether a call costs anything; only then is it journaled.
    fn is_metered(&self) -> bool {
        true
    }

    /// Where text stands in a request.
    fn prompt_zone(&self) -> Zone;

    /// Where text stands in a whole reply.
    fn reply_zone(&self) -> Zone;

    /// Reads the request; unknown fields are none of its business.
    fn parse(&self, body: &Bytes) -> Result<ParsedRequest, Refusal>;

    /// Edits of the body by which the answer does with less; none where nothing is
    /// asked for that is more.
    fn with_less(&self, _body: &[u8], _less: &Less) -> Lessened {
        Lessened::default()
    }

    /// Edits of the body that drop the oldest turns of its conversation until it fits.
    fn reduce_context(&self, _body: &[u8], _limit: &ContextLimit) -> Result<Reduced, CannotReduce> {
        Err(CannotReduce::NoConversation)
    }

    /// Reads a whole reply; `None` when it is not JSON.
    fn observe(&self, body: &[u8]) -> Option<Observed>;

    /// A meter for one stream.
    fn stream_meter(&self) -> Box<dyn StreamMeter>;

    /// The dialect's event that tells a streaming client what went wrong.
    fn stream_error(&self, refusal: &Refusal) -> Bytes {
        crate::refusal::stream_error(self.dialect(), refusal)
    }
}

/// Where a borrowed raw value stands in the body it was read from.
pub(crate) fn span(body: &[u8], raw: &RawValue) -> Range<usize> {
    let start = (raw.get().as_ptr() as usize).saturating_sub(body.as_ptr() as usize);
    start..start.saturating_add(raw.get().len())
}

/// Reads a request's body as JSON, or says where it is not.
pub(crate) fn parse_json<'a, T: serde::Deserialize<'a>>(body: &'a [u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|error| {
        Refusal::bad_request(
            "invalid_json",
            format!("the request's body is not understood: {error}"),
        )
        .with_next_step("send a JSON object as the provider's API documents it")
    })
}

/// Reads the model's name out of its raw value.
pub(crate) fn model_name(raw: Option<&RawValue>) -> Result<String, Refusal> {
    let missing = || {
        Refusal::bad_request(
            "model_missing",
            "the request names no model: expected a string in `model`",
        )
    };
    let raw = raw.ok_or_else(missing)?;
    serde_json::from_str(raw.get()).map_err(|_| missing())
}

/// Whether a list is there and has anything in it.
pub(crate) fn has_items(raw: Option<&RawValue>) -> bool {
    let inside = raw.and_then(|raw| raw.get().strip_prefix('['));
    inside.is_some_and(|inside| !inside.trim_start().starts_with(']'))
}

/// The provider's word for a processing tier.
pub(crate) fn service_tier(word: &str) -> Option<ServiceTier> {
    match word {
        "standard" | "default" | "auto" | "standard_only" => Some(ServiceTier::Standard),
        "flex" => Some(ServiceTier::Flex),
        "priority" => Some(ServiceTier::Priority),
        "batch" => Some(ServiceTier::Batch),
        _ => None,
    }
}

// === impl Observed ===

impl Observed {
    /// Takes counts over if they can be true, and remembers if they cannot.
    pub(crate) fn take_counts(&mut self, tokens: Option<Tokens>) {
        match tokens.filter(Tokens::is_plausible) {
            Some(tokens) => self.tokens = Some(tokens),
            None => self.implausible = true,
        }
    }
}
