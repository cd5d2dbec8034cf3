//! Simulated prompt caching, per credential. Entries do not expire by the clock
//! (replies must depend on nothing but the requests); the oldest are forgotten
//! when there are too many.

use crate::random::ContentHash;
use crate::usage::Usage;
use parking_lot::Mutex;
use std::collections::HashSet;

/// How long a cache entry is paid for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ttl {
    FiveMinutes,
    OneHour,
}

/// A stretch of a prompt: its tokens, the digest of the whole prompt up to its
/// end, and whether the request marks that end for caching.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Segment {
    pub(crate) tokens: u64,
    pub(crate) prefix: ContentHash,
    pub(crate) breakpoint: Option<Ttl>,
}

/// Prompts shorter than this are never cached automatically.
pub(crate) const AUTOMATIC_MIN: u64 = 1_024;
/// Automatic caching counts in steps of this many tokens.
const AUTOMATIC_STEP: u64 = 128;
/// Two generations of this size are kept.
const GENERATION_MAX: usize = 1_000_000;

type Key = (u64, ContentHash);

#[derive(Debug, Default)]
pub(crate) struct PromptCache {
    generations: Mutex<Generations>,
}

#[derive(Debug, Default)]
struct Generations {
    young: HashSet<Key>,
    old: HashSet<Key>,
}

impl Generations {
    fn contains(&self, key: &Key) -> bool {
        self.young.contains(key) || self.old.contains(key)
    }

    fn insert(&mut self, key: Key) {
        if self.young.len() >= GENERATION_MAX {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key);
    }
}

impl PromptCache {
    /// Accounts a prompt whose request marks what to cache (Anthropic): what the
    /// longest known prefix holds is read, the rest up to the last mark is
    /// written, and what follows is neither.
    pub(crate) fn explicit(&self, credential: u64, segments: &[Segment]) -> Usage {
        let mut usage = Usage::default();
        let marked = segments.iter().rposition(|segment| segment.breakpoint.is_some());
        let cacheable = marked.map_or(0, |last| last + 1);
        let mut generations = self.generations.lock();
        let known = segments
            .iter()
            .take(cacheable)
            .rposition(|segment| generations.contains(&(credential, segment.prefix)))
            .map_or(0, |last| last + 1);
        let mut unwritten = 0;
        for (index, segment) in segments.iter().enumerate() {
            if index < known {
                usage.cache_read += segment.tokens;
            } else if index >= cacheable {
                usage.input_uncached += segment.tokens;
            } else {
                unwritten += segment.tokens;
                match segment.breakpoint {
                    Some(Ttl::FiveMinutes) => {
                        usage.cache_write_5m += std::mem::take(&mut unwritten)
                    }
                    Some(Ttl::OneHour) => usage.cache_write_1h += std::mem::take(&mut unwritten),
                    None => {}
                }
            }
            if segment.breakpoint.is_some() {
                generations.insert((credential, segment.prefix));
            }
        }
        usage
    }

    /// Accounts a prompt that the provider caches by itself (OpenAI): the longest
    /// known prefix of at least 1,024 tokens is read, in steps of 128.
    /// Remembered are the first segment's end (instructions shared by many
    /// prompts) and the whole prompt (a conversation that goes on).
    pub(crate) fn automatic(&self, credential: u64, segments: &[Segment]) -> Usage {
        let total: u64 = segments.iter().map(|segment| segment.tokens).sum();
        let mut generations = self.generations.lock();
        let mut before = 0;
        let mut known = 0;
        for segment in segments {
            before += segment.tokens;
            if before >= AUTOMATIC_MIN && generations.contains(&(credential, segment.prefix)) {
                known = before;
            }
        }
        let shared = segments.iter().find(|segment| segment.breakpoint.is_some());
        for segment in shared.into_iter().chain(segments.last()) {
            generations.insert((credential, segment.prefix));
        }
        let cache_read = known - known % AUTOMATIC_STEP;
        Usage { input_uncached: total - cache_read, cache_read, ..Usage::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(tokens: u64, prefix: u8, breakpoint: Option<Ttl>) -> Segment {
        Segment { tokens, prefix: [prefix; 16], breakpoint }
    }

    #[test]
    fn first_sight_writes_and_a_repeat_reads() {
        let cache = PromptCache::default();
        let prompt = [
            segment(100, 1, Some(Ttl::OneHour)),
            segment(50, 2, None),
            segment(30, 3, Some(Ttl::FiveMinutes)),
            segment(7, 4, None),
        ];
        let first = cache.explicit(1, &prompt);
        assert_eq!((first.cache_write_1h, first.cache_write_5m), (100, 80));
        assert_eq!((first.cache_read, first.input_uncached), (0, 7));
        let second = cache.explicit(1, &prompt);
        assert_eq!((second.cache_read, second.cache_write(), second.input_uncached), (180, 0, 7));
        let stranger = cache.explicit(2, &prompt);
        assert_eq!(stranger, first);
    }

    #[test]
    fn a_moved_mark_still_finds_the_shorter_prefix() {
        let cache = PromptCache::default();
        cache.explicit(1, &[segment(100, 1, Some(Ttl::FiveMinutes))]);
        let longer = [segment(100, 1, None), segment(40, 2, Some(Ttl::FiveMinutes))];
        let usage = cache.explicit(1, &longer);
        assert_eq!((usage.cache_read, usage.cache_write_5m), (100, 40));
    }

    #[test]
    fn automatic_caching_needs_length_and_counts_in_steps() {
        let cache = PromptCache::default();
        let short = [segment(1_000, 1, None)];
        cache.automatic(1, &short);
        assert_eq!(cache.automatic(1, &short).cache_read, 0);
        let long = [segment(1_500, 2, None), segment(20, 3, None)];
        assert_eq!(cache.automatic(1, &long).cache_read, 0);
        let repeat = cache.automatic(1, &long);
        assert_eq!((repeat.cache_read, repeat.input_uncached), (1_408, 112));
    }
}
