//! What is left of requests served with less: single cases, and any conversation.

mod answers;
mod contexts;
mod needs;
mod properties;

use bytes::Bytes;
use serde_json::Value;

use super::*;
use crate::{
    json_bytes::spliced,
    protocol::{AnthropicMessages, OpenAiChat, Protocol},
};

/// The body after its edits, which are checked to be in order and disjoint.
fn edited(body: &str, splices: Vec<Splice>) -> String {
    assert_eq!(combined(splices.clone()), Some(splices.clone()), "{body}");
    let bytes = spliced(&Bytes::copy_from_slice(body.as_bytes()), splices);
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// A quarter of a token per byte, prices left out of account.
fn at_most(max_tokens: u64) -> ContextLimit {
    ContextLimit { max_tokens, tokens_per_byte: 0.25, rates: None }
}

fn at_prices(max_tokens: u64, uncached: i64, cache_read: i64) -> ContextLimit {
    let rate = RatePerToken::from_pico;
    let rates = InputRates { uncached: rate(uncached), cache_read: rate(cache_read) };
    ContextLimit { rates: Some(rates), ..at_most(max_tokens) }
}
