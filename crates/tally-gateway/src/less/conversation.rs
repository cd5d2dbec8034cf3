//! Which turns of a conversation can go, whatever its dialect.
//!
//! A turn begins with what a user says and ends before the user speaks again;
//! messages of a user that follow one another are one, as the APIs join them.
//! A tool's call and its result are always in one turn: where their ids say
//! otherwise, the turns between them are taken for one.

use std::{collections::HashMap, ops::Range};

use super::{CannotReduce, ContextLimit, Reduced};
use crate::{estimate::PromptSize, protocol::Splice};

/// OpenAI caches no prompt that is shorter.
const CACHED_TOKENS_MIN: u64 = 1_024;
/// From so many turns on, the ones before the last were sent before.
const CACHED_TURNS_MIN: usize = 3;

/// A conversation as its dialect's reader found it.
#[derive(Debug)]
pub(super) struct Conversation<'a> {
    pub(super) messages: Vec<Message<'a>>,
    pub(super) caching: Caching,
}

/// Whether the provider has read the beginning before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Caching {
    /// The client did not ask for it.
    No,
    /// The client asked for it.
    Asked,
    /// The provider does it unasked, from a certain length on.
    Automatic,
}

#[derive(Debug)]
pub(super) struct Message<'a> {
    /// Where it stands in the body.
    pub(super) range: Range<usize>,
    pub(super) speaker: Speaker,
    pub(super) keep: Keep,
    /// Ids of the tool calls in it.
    pub(super) calls: Vec<std::borrow::Cow<'a, str>>,
    /// Ids of the tool calls whose results are in it.
    pub(super) results: Vec<std::borrow::Cow<'a, str>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Speaker {
    /// Instructions, which are part of no turn.
    System,
    /// The user, in words.
    User,
    /// The user's message carries a tool's result: it goes on with a turn.
    UserWithResults,
    /// The model, or a tool whose result is a message of its own.
    Other,
}

/// What has to stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    Nothing,
    /// The message, which is legal anywhere.
    Message,
    /// The turn it is in, because it is legal only there.
    Turn,
}

#[derive(Debug, Clone)]
struct Turn {
    messages: Range<usize>,
    can_go: bool,
    size: PromptSize,
}

// === impl Conversation ===

impl Conversation<'_> {
    /// Drops the oldest turns until the prompt fits.
    pub(super) fn reduced(
        &self,
        body: &[u8],
        limit: &ContextLimit,
    ) -> Result<Reduced, CannotReduce> {
        let all = PromptSize::of(body);
        let all_tokens = all.tokens(limit.tokens_per_byte);
        if all_tokens <= limit.max_tokens {
            return Ok(Reduced { tokens_left: all_tokens, ..Reduced::default() });
        }
        let turns = self.turns(body);
        let mut left = all;
        let mut dropped = Vec::new();
        for turn in turns.iter().filter(|turn| turn.can_go) {
            if left.tokens(limit.tokens_per_byte) <= limit.max_tokens {
                break;
            }
            left = left.without(turn.size);
            dropped.push(turn);
        }
        let tokens_left = left.tokens(limit.tokens_per_byte);
        if tokens_left > limit.max_tokens {
            return Err(CannotReduce::TooLarge { tokens: tokens_left, max: limit.max_tokens });
        }
        if self.is_cached(all_tokens, turns.len()) && costs_more(limit, tokens_left, all_tokens) {
            return Err(CannotReduce::CacheSavesMore { kept: tokens_left, all: all_tokens });
        }
        let gone = dropped.iter().flat_map(|turn| turn.messages.clone());
        Ok(Reduced {
            splices: self.without(gone.filter(|index| self.can_go(*index))),
            turns_dropped: dropped.len(),
            tokens_dropped: all_tokens.saturating_sub(tokens_left),
            tokens_left,
        })
    }

    fn is_cached(&self, tokens: u64, turns: usize) -> bool {
        match self.caching {
            Caching::No => false,
            Caching::Asked => true,
            Caching::Automatic => tokens > CACHED_TOKENS_MIN && turns >= CACHED_TURNS_MIN,
        }
    }

    fn can_go(&self, index: usize) -> bool {
        self.messages.get(index).is_some_and(|message| message.keep == Keep::Nothing)
    }

    /// The bytes of a message, up to where the next one begins.
    fn extent(&self, index: usize) -> Option<Range<usize>> {
        let message = self.messages.get(index)?;
        let next = self.messages.get(index + 1);
        Some(message.range.start..next.map_or(message.range.end, |next| next.range.start))
    }

    /// Turns with anything in them that could go, the oldest first, and the last.
    fn turns(&self, body: &[u8]) -> Vec<Turn> {
        let mut turns: Vec<Turn> = self
            .turn_ranges()
            .into_iter()
            .filter(|messages| messages.clone().any(|index| self.can_go(index)))
            .map(|messages| self.turn(body, messages))
            .collect();
        if let Some(last) = turns.last_mut() {
            last.can_go = false;
        }
        turns
    }

    fn turn(&self, body: &[u8], messages: Range<usize>) -> Turn {
        let in_turn = self.messages.get(messages.clone()).unwrap_or_default();
        let mut size = PromptSize::default();
        for extent in
            messages.clone().filter(|index| self.can_go(*index)).filter_map(|at| self.extent(at))
        {
            size = size.with(PromptSize::of(body.get(extent).unwrap_or_default()));
        }
        let can_go = in_turn.iter().all(|message| message.keep != Keep::Turn);
        Turn { messages, can_go, size }
    }

    fn turn_ranges(&self) -> Vec<Range<usize>> {
        let mut starts = vec![0];
        let mut previous = None;
        for (index, message) in self.messages.iter().enumerate() {
            if message.speaker == Speaker::System {
                continue;
            }
            let follows_user = matches!(previous, Some(Speaker::User | Speaker::UserWithResults));
            if message.speaker == Speaker::User && !follows_user && index > 0 {
                starts.push(index);
            }
            previous = Some(message.speaker);
        }
        self.keep_pairs(&mut starts);
        let ends = starts.iter().skip(1).copied().chain([self.messages.len()]);
        starts.iter().copied().zip(ends).map(|(start, end)| start..end).collect()
    }

    /// Removes the starts that lie between a tool's call and its result.
    fn keep_pairs(&self, starts: &mut Vec<usize>) {
        let mut called_at: HashMap<&str, usize> = HashMap::new();
        // For each message, the earliest one that it must stay together with.
        let mut earliest: Vec<usize> = (0..self.messages.len()).collect();
        for (index, message) in self.messages.iter().enumerate() {
            for id in &message.results {
                if let (Some(call), Some(place)) =
                    (called_at.get(id.as_ref()), earliest.get_mut(index))
                {
                    *place = (*place).min(*call);
                }
            }
            called_at.extend(message.calls.iter().map(|id| (id.as_ref(), index)));
        }
        let mut needed = usize::MAX;
        for (index, place) in earliest.iter_mut().enumerate().rev() {
            needed = needed.min(*place);
            // From `index` on, everything can stand for itself.
            *place = usize::from(needed >= index);
        }
        starts.retain(|start| *start == 0 || earliest.get(*start) == Some(&1));
    }

    /// Removes messages, each with the comma after it: the last one always stays.
    fn without(&self, gone: impl Iterator<Item = usize>) -> Vec<Splice> {
        let mut splices: Vec<Splice> = Vec::new();
        for range in gone.filter_map(|index| self.extent(index)) {
            match splices.last_mut() {
                Some(last) if last.range.end == range.start => last.range.end = range.end,
                _ => splices.push(Splice { range, with: String::new() }),
            }
        }
        splices
    }
}

/// What is kept is read anew, as its beginning is not what was cached.
fn costs_more(limit: &ContextLimit, kept: u64, all: u64) -> bool {
    limit.rates.is_some_and(|rates| {
        let anew = i128::from(kept) * i128::from(rates.uncached.pico());
        let cached = i128::from(all) * i128::from(rates.cache_read.pico());
        anew >= cached
    })
}
