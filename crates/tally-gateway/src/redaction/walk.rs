//! Where text stands in the bodies of each dialect: one pass over the JSON.
//!
//! Everything beneath messages is taken for text unless it is known not to be: a kind of
//! block that nobody here has heard of is searched, too. Left alone are what the model is
//! told about tools, names and ids, and thinking, whose signature covers every byte of it.

use std::ops::Range;

/// What is refused rather than passed on unsearched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unreadable {
    /// The walk lost its way, or a string holds half a character.
    #[error("expected JSON of whole characters")]
    Malformed,
    /// A text came as the numbers of its tokens.
    #[error("expected text, found numbers of tokens")]
    Tokens,
    /// Deeper than anything anybody sends.
    #[error("expected JSON that is nested at most {DEPTH_MAX} deep")]
    TooDeep,
}

/// What a part of a body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Zone {
    /// No text for the model.
    Skip,
    /// Anthropic's messages.
    AnthropicRequest,
    AnthropicReply,
    AnthropicEvent,
    /// OpenAI's chat.
    OpenAiRequest,
    OpenAiReply,
    /// OpenAI's embeddings.
    EmbeddingsRequest,
    Messages,
    Message,
    /// Text, or blocks with text.
    Content,
    Block,
    /// What a block shows: text here.
    TextSource,
    ToolCalls,
    ToolCall,
    Function,
    /// JSON in a string, or plainly.
    Arguments,
    /// Text, whatever is beneath, names of members included.
    Value,
    /// What is embedded: text, or tokens, which nobody can search.
    Embedded,
    Choices,
    Choice,
}

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    /// The inside of a string.
    Text,
    /// The inside of a string that holds JSON.
    Json,
    /// A number of many digits.
    Number,
}

const DEPTH_MAX: usize = 128;
/// Shorter numbers tell nothing.
const NUMBER_BYTES_MIN: usize = 8;

struct Walker<'a, 's> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    depth: usize,
    sink: &'s mut dyn FnMut(What, &'a str, Range<usize>) -> Result<(), Unreadable>,
}

/// Shows every text of a body to `sink`, with the name of its member, in order.
pub(super) fn walk<'a>(
    text: &'a str,
    zone: Zone,
    sink: &mut dyn FnMut(What, &'a str, Range<usize>) -> Result<(), Unreadable>,
) -> Result<(), Unreadable> {
    let mut walker = Walker { text, bytes: text.as_bytes(), at: 0, depth: 0, sink };
    walker.value(zone, "")?;
    walker.space();
    if walker.at < text.len() {
        return Err(Unreadable::Malformed);
    }
    Ok(())
}

// === impl Zone ===

impl Zone {
    /// The zone of an array's items.
    fn item(self) -> Self {
        match self {
            Self::Messages => Self::Message,
            Self::Content | Self::Block => Self::Block,
            Self::ToolCalls => Self::ToolCall,
            Self::Choices => Self::Choice,
            Self::Value | Self::Arguments => Self::Value,
            Self::Embedded => Self::Embedded,
            _ => Self::Skip,
        }
    }

    /// The zone of an object's member.
    fn member(self, name: &str) -> Self {
        match self {
            Self::AnthropicRequest => match name {
                "system" => Self::Content,
                "messages" => Self::Messages,
                "metadata" | "stop_sequences" => Self::Value,
                _ => Self::Skip,
            },
            Self::OpenAiRequest => match name {
                "messages" => Self::Messages,
                "prediction" => Self::Block,
                "input" | "instructions" | "prompt" => Self::Content,
                "metadata" | "user" | "safety_identifier" | "prompt_cache_key" | "stop" => {
                    Self::Value
                }
                _ => Self::Skip,
            },
            Self::EmbeddingsRequest => match name {
                "input" => Self::Embedded,
                "user" => Self::Value,
                _ => Self::Skip,
            },
            Self::AnthropicReply if name == "content" => Self::Content,
            Self::AnthropicEvent if name == "content_block" => Self::Block,
            Self::OpenAiReply if name == "choices" => Self::Choices,
            Self::Choice => match name {
                "message" | "delta" => Self::Message,
                "text" => Self::Content,
                _ => Self::Skip,
            },
            Self::Message => message_member(name),
            Self::Content | Self::Block => block_member(name),
            Self::TextSource => match name {
                "data" => Self::Value,
                "content" => Self::Content,
                _ => Self::Skip,
            },
            Self::ToolCall if matches!(name, "function" | "custom") => Self::Function,
            Self::Function => match name {
                "arguments" => Self::Arguments,
                "input" => Self::Value,
                _ => Self::Skip,
            },
            Self::Value | Self::Arguments => Self::Value,
            _ => Self::Skip,
        }
    }
}

fn message_member(name: &str) -> Zone {
    match name {
        "content" | "refusal" | "reasoning_content" => Zone::Content,
        "tool_calls" => Zone::ToolCalls,
        "function_call" => Zone::Function,
        "role" | "name" | "id" | "type" | "tool_call_id" | "audio" | "cache_control"
        | "reasoning_details" | "thinking" | "signature" => Zone::Skip,
        _ => Zone::Value,
    }
}

fn block_member(name: &str) -> Zone {
    match name {
        "text" | "content" | "title" | "context" | "refusal" => Zone::Content,
        "type" | "id" | "tool_use_id" | "tool_call_id" | "name" | "server_name" | "signature"
        | "thinking" | "data" | "cache_control" | "media_type" | "file_id"
        | "encrypted_content" | "encrypted_index" | "source" | "image_url" | "input_audio"
        | "file" => Zone::Skip,
        _ => Zone::Value,
    }
}

// === impl Walker ===

impl<'a> Walker<'a, '_> {
    fn value(&mut self, zone: Zone, name: &'a str) -> Result<(), Unreadable> {
        self.space();
        match self.bytes.get(self.at) {
            Some(b'"') => {
                let range = self.string()?;
                match zone {
                    Zone::Content | Zone::Value | Zone::Embedded => {
                        (self.sink)(What::Text, name, range)
                    }
                    Zone::Arguments => (self.sink)(What::Json, name, range),
                    _ => Ok(()),
                }
            }
            Some(b'{') => self.nested(|walker| walker.object(zone)),
            Some(b'[') => self.nested(|walker| walker.array(zone, name)),
            Some(_) => self.scalar(zone, name),
            None => Err(Unreadable::Malformed),
        }
    }

    fn nested(
        &mut self,
        inside: impl FnOnce(&mut Self) -> Result<(), Unreadable>,
    ) -> Result<(), Unreadable> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(Unreadable::TooDeep);
        }
        inside(self)?;
        self.depth -= 1;
        Ok(())
    }

    fn object(&mut self, zone: Zone) -> Result<(), Unreadable> {
        self.at += 1;
        if self.ends(b'}') {
            return Ok(());
        }
        loop {
            self.space();
            let key = self.string()?;
            let name = self.text.get(key.clone()).unwrap_or_default();
            self.expect(b':')?;
            self.space();
            if matches!(zone, Zone::Value | Zone::Arguments) {
                (self.sink)(What::Text, "", key)?;
            }
            let mut inner = zone.member(name);
            let is_block = matches!(zone, Zone::Block | Zone::Content);
            if is_block && name == "source" && self.source_is_text() {
                inner = Zone::TextSource;
            }
            self.value(inner, name)?;
            if self.ends(b'}') {
                break;
            }
            self.expect(b',')?;
        }
        Ok(())
    }

    fn array(&mut self, zone: Zone, name: &'a str) -> Result<(), Unreadable> {
        self.at += 1;
        if self.ends(b']') {
            return Ok(());
        }
        loop {
            // In a list, what its name says holds for each.
            self.value(zone.item(), name)?;
            if self.ends(b']') {
                return Ok(());
            }
            self.expect(b',')?;
        }
    }

    fn scalar(&mut self, zone: Zone, name: &'a str) -> Result<(), Unreadable> {
        let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
        let length = self.bytes.iter().skip(self.at).take_while(|byte| is_part(byte)).count();
        let range = self.at..self.at + length;
        let word = self.bytes.get(range.clone()).unwrap_or_default();
        self.at = range.end;
        let is_number = word.iter().all(u8::is_ascii_digit);
        match zone {
            _ if word.is_empty() => Err(Unreadable::Malformed),
            Zone::Embedded => Err(Unreadable::Tokens),
            Zone::Value if is_number && length >= NUMBER_BYTES_MIN => {
                (self.sink)(What::Number, name, range)
            }
            _ => Ok(()),
        }
    }

    /// Reads a string; gives back its inside.
    fn string(&mut self) -> Result<Range<usize>, Unreadable> {
        self.expect(b'"')?;
        let start = self.at;
        loop {
            let rest = self.bytes.get(self.at..).unwrap_or_default();
            let found = memchr::memchr2(b'"', b'\\', rest).ok_or(Unreadable::Malformed)?;
            self.at += found;
            if self.bytes.get(self.at) == Some(&b'"') {
                self.at += 1;
                return Ok(start..self.at - 1);
            }
            self.at += 2;
        }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Whether a source, which begins here, holds text rather than bytes or an address.
    fn source_is_text(&self) -> bool {
        #[derive(serde::Deserialize)]
        struct Source<'a> {
            #[serde(rename = "type", borrow)]
            kind: std::borrow::Cow<'a, str>,
        }
        let mut values = serde_json::Deserializer::from_str(self.rest()).into_iter::<Source<'_>>();
        matches!(values.next(), Some(Ok(source)) if matches!(source.kind.as_ref(), "text" | "content"))
    }

    fn space(&mut self) {
        while self.bytes.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
    }

    fn expect(&mut self, byte: u8) -> Result<(), Unreadable> {
        self.space();
        if self.bytes.get(self.at) != Some(&byte) {
            return Err(Unreadable::Malformed);
        }
        self.at += 1;
        Ok(())
    }

    fn ends(&mut self, byte: u8) -> bool {
        self.space();
        let is_end = self.bytes.get(self.at) == Some(&byte);
        self.at += usize::from(is_end);
        is_end
    }
}
