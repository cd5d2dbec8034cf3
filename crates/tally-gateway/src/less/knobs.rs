//! The numbers and words by which clients say how long to answer and how much to think.

use serde_json::value::RawValue;
use tally_types::spec::ReasoningEffort;

use super::OUTPUT_TOKENS_MIN;
use crate::protocol::{Splice, span};

/// Edits of one body, as they come together.
pub(super) struct Edits<'a> {
    body: &'a [u8],
    splices: Vec<Splice>,
}

// === impl Edits ===

impl<'a> Edits<'a> {
    pub(super) fn of(body: &'a [u8]) -> Self {
        Self { body, splices: Vec::new() }
    }

    pub(super) fn replace(&mut self, value: &RawValue, with: impl ToString) {
        self.splices.push(Splice { range: span(self.body, value), with: with.to_string() });
    }

    /// Adds a member to the body, which has others.
    pub(super) fn insert(&mut self, name: &str, value: u64) {
        if let Some(brace) = memchr::memchr(b'{', self.body) {
            let with = format!("\"{name}\":{value},");
            self.splices.push(Splice { range: brace + 1..brace + 1, with });
        }
    }

    pub(super) fn finish(mut self) -> Vec<Splice> {
        self.splices.sort_by_key(|splice| splice.range.start);
        self.splices
    }
}

/// The cap to send: as asked for, but never so low that no answer fits.
pub(super) fn cap(asked: u64) -> u64 {
    asked.max(OUTPUT_TOKENS_MIN)
}

/// A number that is there, and not `null`.
pub(super) fn number(raw: Option<&RawValue>) -> Option<u64> {
    serde_json::from_str(raw?.get()).ok()
}

/// The word to send instead, if the client's asks for more than that.
///
/// `minimal` is sent as `low`: not every model that thinks knows the former, and a
/// word that is unknown is an error.
pub(super) fn lower_effort(raw: Option<&RawValue>, most: ReasoningEffort) -> Option<&'static str> {
    let word: String = serde_json::from_str(raw?.get()).ok()?;
    let (rank, with) = match most {
        ReasoningEffort::Minimal | ReasoningEffort::Low => (2, "\"low\""),
        ReasoningEffort::Medium => (3, "\"medium\""),
        ReasoningEffort::High => (4, "\"high\""),
    };
    (rank_of(&word)? > rank).then_some(with)
}

fn rank_of(word: &str) -> Option<u8> {
    let words = ["none", "minimal", "low", "medium", "high", "xhigh", "max"];
    words.iter().zip(0..).find_map(|(known, rank)| (*known == word).then_some(rank))
}

/// Tokens of thinking that an effort stands for, as Google's and others' compatible
/// APIs translate it. 1,024 is the least that Anthropic takes.
pub(super) const fn thinking_tokens(effort: ReasoningEffort) -> u64 {
    match effort {
        ReasoningEffort::Minimal | ReasoningEffort::Low => 1_024,
        ReasoningEffort::Medium => 8_192,
        ReasoningEffort::High => 24_576,
    }
}

/// Whether a member of that name, and not `null`, may stand in this JSON text.
///
/// In a string, the quotes around a name are escaped, so the needle with its quotes
/// is not found there.
pub(super) fn has_member(json: &str, quoted_name: &str) -> bool {
    memchr::memmem::find_iter(json.as_bytes(), quoted_name).any(|at| {
        let rest = json.get(at + quoted_name.len()..).unwrap_or_default().trim_start();
        rest.strip_prefix(':').is_some_and(|value| !value.trim_start().starts_with("null"))
    })
}
