//! How a request is served with less: a shorter answer, less thinking, a smaller
//! context. What is done to a body is a list of splices; every other byte stays.
//!
//! Invariant: a request that its provider would have accepted is still one.

mod anthropic;
mod conversation;
mod knobs;
mod openai;
#[cfg(test)]
mod tests;

use tally_types::{RatePerToken, spec::ReasoningEffort};

use crate::protocol::Splice;

pub(crate) use anthropic::{
    has_images as anthropic_images, reduced as anthropic_reduced, with_less as anthropic_with_less,
};
pub(crate) use openai::{
    has_images as openai_images, reduced as openai_reduced, with_less as openai_with_less,
};

/// No answer is capped below this, whatever a budget says.
pub(crate) const OUTPUT_TOKENS_MIN: u64 = 1_024;

/// What an answer has to do with. Both at once, because they share a number:
/// Anthropic's thinking must leave room within the answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Less {
    /// The most output tokens; raised to [`OUTPUT_TOKENS_MIN`].
    pub(crate) output_tokens: Option<u64>,
    /// The most effort of reasoning.
    pub(crate) effort: Option<ReasoningEffort>,
}

/// The edits that serve an answer with less, and what they did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Lessened {
    /// Disjoint, in order.
    pub(crate) splices: Vec<Splice>,
    /// The cap now in force, if it is lower than the client's.
    pub(crate) output_tokens_max: Option<u64>,
    /// Whether the model will think less.
    pub(crate) reasoning: bool,
}

/// How small a context is to be, and what tells whether that is worth it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct ContextLimit {
    /// The prompt's tokens, system prompt and tools included.
    pub(crate) max_tokens: u64,
    /// As the estimator has learned it for the model.
    pub(crate) tokens_per_byte: f64,
    /// What the model's input costs; unknown, the cache is left out of account.
    pub(crate) rates: Option<InputRates>,
}

/// What a model's input costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct InputRates {
    pub(crate) uncached: RatePerToken,
    pub(crate) cache_read: RatePerToken,
}

/// A context that fits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Reduced {
    /// Disjoint, in order; none when the context fits as it is.
    pub(crate) splices: Vec<Splice>,
    pub(crate) turns_dropped: usize,
    /// Estimated.
    pub(crate) tokens_dropped: u64,
    /// Estimated, of what is left.
    pub(crate) tokens_left: u64,
}

/// Why a context is not made smaller.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CannotReduce {
    /// The provider holds the conversation; the request is its last step only.
    #[error("the conversation is kept by the provider (`previous_response_id`)")]
    Stateful,
    /// Embeddings, for one.
    #[error("the request is no conversation")]
    NoConversation,
    /// The messages do not have the form that the dialect documents.
    #[error("the conversation is not understood: expected {0}")]
    NotUnderstood(&'static str),
    /// Dropping turns would have the provider read again what it has cached.
    #[error("reading {kept} tokens anew costs more than {all} tokens of which most are cached")]
    CacheSavesMore { kept: u64, all: u64 },
    /// What must be kept does not fit.
    #[error(
        "the system prompt, the tools and the last turn alone are about {tokens} tokens, more than {max}"
    )]
    TooLarge { tokens: u64, max: u64 },
}

/// Splices from several sources in one order, or none if two touch the same bytes.
pub(crate) fn combined(sources: impl IntoIterator<Item = Splice>) -> Option<Vec<Splice>> {
    let mut splices: Vec<Splice> = sources.into_iter().collect();
    // Insertions at one place keep the order they were given in.
    splices.sort_by_key(|splice| (splice.range.start, splice.range.end));
    let is_disjoint = splices.is_sorted_by(|one, next| one.range.end <= next.range.start);
    is_disjoint.then_some(splices)
}
