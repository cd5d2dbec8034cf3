//! Token counts by disjoint kinds, as a provider would bill them.

use serde::{Deserialize, Serialize};
use std::ops::AddAssign;

/// Tokens of one call by kind. The input kinds are disjoint; `reasoning` is a
/// part of `output`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Input tokens that neither came from a cache nor went into one.
    pub input_uncached: u64,
    /// Input tokens read from the prompt cache.
    pub cache_read: u64,
    /// Input tokens written to the cache for five minutes.
    pub cache_write_5m: u64,
    /// Input tokens written to the cache for one hour.
    pub cache_write_1h: u64,
    /// Output tokens, reasoning included.
    pub output: u64,
    /// The part of `output` spent on reasoning.
    pub reasoning: u64,
    /// Web searches that the provider ran, which it bills beside the tokens.
    #[serde(default)]
    pub web_search_requests: u64,
}

impl Usage {
    /// All input tokens, whatever their kind.
    #[must_use]
    pub fn input_total(&self) -> u64 {
        self.input_uncached + self.cache_read + self.cache_write_5m + self.cache_write_1h
    }

    /// Tokens written to the cache, for either time.
    #[must_use]
    pub fn cache_write(&self) -> u64 {
        self.cache_write_5m + self.cache_write_1h
    }
}

impl AddAssign for Usage {
    fn add_assign(&mut self, other: Self) {
        self.input_uncached += other.input_uncached;
        self.cache_read += other.cache_read;
        self.cache_write_5m += other.cache_write_5m;
        self.cache_write_1h += other.cache_write_1h;
        self.output += other.output;
        self.reasoning += other.reasoning;
        self.web_search_requests += other.web_search_requests;
    }
}
