//! What is kept of a call.

use bytes::Bytes;
use jiff::Timestamp;
use tally_types::{CallId, DataClass, EventId, PersonName};

/// A longer prompt is not kept: 1 MiB.
pub const PROMPT_BYTES_MAX: usize = 1 << 20;
/// Nor is one with a longer reply: 1 MiB.
pub const REPLY_BYTES_MAX: usize = 1 << 20;

/// What one attempt of a call said, and was answered.
#[derive(Clone)]
pub struct Prompt {
    /// The attempt.
    pub event_id: EventId,
    /// Its call.
    pub call_id: CallId,
    /// When the attempt began.
    pub time: Timestamp,
    /// How sensitive it is; says how long it is kept.
    pub class: DataClass,
    /// Who called, so that it can be deleted with them.
    pub person: Option<PersonName>,
    /// The request's body as it left, redacted.
    pub request: Bytes,
    /// The reply's body as it came, with the placeholders of what was redacted.
    pub reply: Bytes,
}

/// What is known of a kept prompt without opening it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptPrompt {
    /// The attempt.
    pub event_id: EventId,
    /// Its call.
    pub call_id: CallId,
    /// When the attempt began.
    pub time: Timestamp,
    /// How sensitive it is.
    pub class: DataClass,
    /// How large request and reply are.
    pub bytes: u64,
}

/// What was said.
#[derive(Clone, PartialEq, Eq)]
pub struct Content {
    /// The request's body.
    pub request: Vec<u8>,
    /// The reply's body.
    pub reply: Vec<u8>,
}

// Neither shows what was said when it is printed.

impl std::fmt::Debug for Prompt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Prompt").field("event_id", &self.event_id).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Content").finish_non_exhaustive()
    }
}

// === impl Prompt ===

impl Prompt {
    /// How large request and reply are.
    pub fn bytes(&self) -> usize {
        self.request.len().saturating_add(self.reply.len())
    }

    /// Whether it is too large to be kept.
    pub fn is_too_large(&self) -> bool {
        self.request.len() > PROMPT_BYTES_MAX || self.reply.len() > REPLY_BYTES_MAX
    }
}
