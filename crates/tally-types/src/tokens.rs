//! Tokens by disjoint kinds, whatever convention the provider reports in.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Token counts of one call. The kinds are disjoint; only `reasoning` is a part
/// of another kind (`output`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Tokens {
    /// Prompt tokens that no cache served.
    #[serde(skip_serializing_if = "is_zero")]
    pub input_uncached: u64,
    /// Prompt tokens read from a cache.
    #[serde(skip_serializing_if = "is_zero")]
    pub cache_read: u64,
    /// Prompt tokens written to a cache that lives five minutes (or as long as the provider says).
    #[serde(skip_serializing_if = "is_zero")]
    pub cache_write_5m: u64,
    /// Prompt tokens written to a cache that lives one hour or longer.
    #[serde(skip_serializing_if = "is_zero")]
    pub cache_write_1h: u64,
    /// Everything the model wrote, reasoning included.
    #[serde(skip_serializing_if = "is_zero")]
    pub output: u64,
    /// The part of `output` that was reasoning.
    #[serde(skip_serializing_if = "is_zero")]
    pub reasoning: u64,
}

/// One kind of token.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum TokenKind {
    /// See [`Tokens::input_uncached`].
    InputUncached,
    /// See [`Tokens::cache_read`].
    CacheRead,
    /// See [`Tokens::cache_write_5m`].
    #[serde(rename = "cache_write_5m")]
    CacheWrite5m,
    /// See [`Tokens::cache_write_1h`].
    #[serde(rename = "cache_write_1h")]
    CacheWrite1h,
    /// See [`Tokens::output`].
    Output,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature serde asks for")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

// === impl Tokens ===

impl Tokens {
    /// The largest count per kind that is taken for true; anything above is an
    /// absurd report (no context window comes near it).
    pub const PLAUSIBLE_MAX: u64 = 1_000_000_000;

    /// All prompt tokens, cached or not; what context steps of a price look at.
    pub fn input(&self) -> u64 {
        self.input_uncached
            .saturating_add(self.cache_read)
            .saturating_add(self.cache_write_5m)
            .saturating_add(self.cache_write_1h)
    }

    /// All tokens of the call.
    pub fn total(&self) -> u64 {
        self.input().saturating_add(self.output)
    }

    /// What token budgets count by default: everything but cache reads.
    pub fn budgeted(&self) -> u64 {
        self.total().saturating_sub(self.cache_read)
    }

    /// Whether every kind is within [`Self::PLAUSIBLE_MAX`] and reasoning within output.
    pub fn is_plausible(&self) -> bool {
        let kinds = [
            self.input_uncached,
            self.cache_read,
            self.cache_write_5m,
            self.cache_write_1h,
            self.output,
        ];
        kinds.iter().all(|count| *count <= Self::PLAUSIBLE_MAX) && self.reasoning <= self.output
    }

    /// The count of one kind.
    pub fn of(&self, kind: TokenKind) -> u64 {
        match kind {
            TokenKind::InputUncached => self.input_uncached,
            TokenKind::CacheRead => self.cache_read,
            TokenKind::CacheWrite5m => self.cache_write_5m,
            TokenKind::CacheWrite1h => self.cache_write_1h,
            TokenKind::Output => self.output,
        }
    }
}

impl TokenKind {
    /// Every kind, in the order they are shown.
    pub const ALL: [Self; 5] = [
        Self::InputUncached,
        Self::CacheRead,
        Self::CacheWrite5m,
        Self::CacheWrite1h,
        Self::Output,
    ];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_disjoint_and_reasoning_is_not_counted_twice() {
        let tokens = Tokens {
            input_uncached: 1,
            cache_read: 10,
            cache_write_5m: 100,
            cache_write_1h: 1_000,
            output: 10_000,
            reasoning: 9_000,
        };
        assert_eq!(tokens.total(), 11_111);
        assert_eq!(tokens.budgeted(), 11_101);
        let by_kind: u64 = TokenKind::ALL.iter().map(|kind| tokens.of(*kind)).sum();
        assert_eq!(by_kind, tokens.total());
    }

    #[test]
    fn absurd_counts_are_implausible() {
        let absurd = Tokens { output: 2_000_000_000, ..Tokens::default() };
        assert!(!absurd.is_plausible());
        let more_reasoning_than_output = Tokens { reasoning: 1, ..Tokens::default() };
        assert!(!more_reasoning_than_output.is_plausible());
    }
}
