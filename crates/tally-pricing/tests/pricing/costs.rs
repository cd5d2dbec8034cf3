//! Costs computed by hand from the shipped list.

use tally_types::{ServiceTier, Tokens};

use crate::support::{Call, shipped};

#[test]
fn claude_opus_4_8_with_every_kind_of_cache() {
    let tokens = Tokens {
        input_uncached: 1_000,
        cache_read: 80_000,
        cache_write_5m: 2_000,
        cache_write_1h: 3_000,
        output: 500,
        reasoning: 300,
    };
    let call = Call::new("anthropic", "claude-opus-4-8", tokens);
    // 1,000 × 5 + 80,000 × 0.5 + 2,000 × 6.25 + 3,000 × 10 + 500 × 25 USD per million:
    // 0.005 + 0.04 + 0.0125 + 0.03 + 0.0125.
    assert_eq!(call.usd(&shipped()), "0.1");
    // Fast doubles each rate; the US add ten percent; both 220 percent.
    assert_eq!(call.clone().modified("speed:fast").usd(&shipped()), "0.2");
    assert_eq!(call.clone().modified("inference_geo:us").usd(&shipped()), "0.11");
    let both = call.clone().modified("speed:fast").modified("inference_geo:us");
    assert_eq!(both.usd(&shipped()), "0.22");
    // A search costs 0.01, whatever the speed.
    assert_eq!(both.tool("web_search", 3).usd(&shipped()), "0.25");
    let neutral = call.modified("speed:standard").modified("inference_geo:global");
    assert_eq!(neutral.usd(&shipped()), "0.1");
}

#[test]
fn claude_opus_4_8_in_a_batch() {
    let tokens = Tokens {
        input_uncached: 1_000,
        cache_read: 80_000,
        cache_write_5m: 2_000,
        output: 500,
        ..Tokens::default()
    };
    let call = Call::new("anthropic", "claude-opus-4-8", tokens).tier(ServiceTier::Batch);
    // 1,000 × 2.5 + 80,000 × 0.25 + 2,000 × 3.125 + 500 × 12.5 USD per million:
    // 0.0025 + 0.02 + 0.00625 + 0.00625.
    assert_eq!(call.usd(&shipped()), "0.035");
}

#[test]
fn gpt_5_by_tier_with_cache_and_reasoning() {
    let tokens = Tokens {
        input_uncached: 1_000,
        cache_read: 4_000,
        output: 2_000,
        reasoning: 1_536,
        ..Tokens::default()
    };
    let call = Call::new("openai", "gpt-5", tokens);
    // 1,000 × 1.25 + 4,000 × 0.125 + 2,000 × 10: reasoning is a part of output.
    assert_eq!(call.usd(&shipped()), "0.02175");
    // Half of everything.
    assert_eq!(call.clone().tier(ServiceTier::Flex).usd(&shipped()), "0.010875");
    assert_eq!(call.clone().tier(ServiceTier::Batch).usd(&shipped()), "0.010875");
    // Twice everything.
    assert_eq!(call.tier(ServiceTier::Priority).usd(&shipped()), "0.0435");
}

#[test]
fn gpt_5_5_above_272k_of_input() {
    let below =
        Tokens { input_uncached: 2_000, cache_read: 270_000, output: 1_000, ..Tokens::default() };
    let above = Tokens { input_uncached: 2_001, ..below };
    // 2,000 × 5 + 270,000 × 0.5 + 1,000 × 30: exactly 272,000 exceed nothing.
    assert_eq!(Call::new("openai", "gpt-5.5", below).usd(&shipped()), "0.175");
    // 2,001 × 10 + 270,000 × 1 + 1,000 × 45: one more, and all of the call is dearer.
    assert_eq!(Call::new("openai", "gpt-5.5", above).usd(&shipped()), "0.33501");
    // 2,001 × 5 + 270,000 × 0.5 + 1,000 × 22.5.
    let batch = Call::new("openai", "gpt-5.5", above).tier(ServiceTier::Batch);
    assert_eq!(batch.usd(&shipped()), "0.167505");
}

#[test]
fn gemini_2_5_pro_above_200k_of_input() {
    let tokens = Tokens {
        input_uncached: 100_000,
        cache_read: 150_000,
        output: 4_000,
        reasoning: 3_000,
        ..Tokens::default()
    };
    let call = Call::new("gemini", "gemini-2.5-pro", tokens);
    // 100,000 × 2.5 + 150,000 × 0.25 + 4,000 × 15.
    assert_eq!(call.usd(&shipped()), "0.3475");
    // 100,000 × 4.5 + 150,000 × 0.45 + 4,000 × 27.
    assert_eq!(call.clone().tier(ServiceTier::Priority).usd(&shipped()), "0.6255");
    // Two searches at 0.035.
    assert_eq!(call.tool("web_search", 2).usd(&shipped()), "0.4175");
}

#[test]
fn text_embedding_3_small() {
    let tokens = Tokens { input_uncached: 7, ..Tokens::default() };
    let call = Call::new("openai", "text-embedding-3-small", tokens);
    assert_eq!(call.usd(&shipped()), "0.00000014");
    assert_eq!(call.tier(ServiceTier::Batch).usd(&shipped()), "0.00000007");
}

#[test]
fn gpt_6_luna_prices_its_long_lived_cache_writes() {
    let tokens = Tokens { cache_write_5m: 1_000, cache_write_1h: 1_000, ..Tokens::default() };
    // 1,000 × 0.125 + 1,000 × 0.25.
    assert_eq!(Call::new("openai", "gpt-6-luna", tokens).usd(&shipped()), "0.000375");
}
