//! Mistakes that metering is known for.

use tally_pricing::{Price, PriceCatalog};
use tally_types::{Tokens, spec::RateSet};

use crate::support::{Call, catalog, entry, now, rate, shipped};

#[test]
fn regression_15_cache_reads_priced_once() {
    // 10,000 prompt tokens, 9,000 of them read from a cache.
    let tokens = Tokens { input_uncached: 1_000, cache_read: 9_000, ..Tokens::default() };
    for (provider, model, expected) in [
        // 1,000 × 5 + 9,000 × 0.5; billed twice it would be 0.0545, for nothing 0.005.
        ("anthropic", "claude-opus-4-8", "0.0095"),
        // 1,000 × 1.25 + 9,000 × 0.125.
        ("openai", "gpt-5", "0.002375"),
        ("gemini", "gemini-2.5-pro", "0.002375"),
    ] {
        assert_eq!(Call::new(provider, model, tokens).usd(&shipped()), expected, "{model}");
    }
    // A list without a price for cache reads does not give them away.
    let silent = RateSet { input: rate("5"), output: rate("25"), ..RateSet::default() };
    let gap = Call::new("acme", "m", tokens).gap(&catalog(vec![entry("m", vec![silent])]));
    assert!(gap.contains("no price for cache_read tokens"), "{gap}");
}

#[test]
fn regression_16_reasoning_priced_once() {
    let tokens = Tokens { output: 1_000, reasoning: 600, ..Tokens::default() };
    // Without a rate of its own, reasoning is output: 1,000 × 10, not 1,600 × 10.
    assert_eq!(Call::new("openai", "gpt-5", tokens).usd(&shipped()), "0.01");
    // With one: 400 × 10 + 600 × 4.
    let set = RateSet { output: rate("10"), reasoning: rate("4"), ..RateSet::default() };
    let own = catalog(vec![entry("m", vec![set])]);
    assert_eq!(Call::new("acme", "m", tokens).usd(&own), "0.0064");
    // More reasoning than output is an absurd report; output bounds it.
    let absurd = Tokens { output: 1_000, reasoning: 5_000, ..Tokens::default() };
    assert_eq!(Call::new("acme", "m", absurd).usd(&own), "0.004");
}

#[test]
fn regression_06_unknown_price_is_never_zero() {
    let tokens = Tokens { input_uncached: 1, output: 1, ..Tokens::default() };
    let empty = PriceCatalog::default();
    assert!(matches!(Call::new("openai", "gpt-5", tokens).price(&empty), Price::Unknown { .. }));
    // Whatever the shipped list states of a model, no call with tokens is free of charge.
    let catalog = shipped();
    let mut models = 0;
    for found in catalog.entries(now()) {
        let (provider, model) = (found.entry.provider.clone(), found.entry.model.clone());
        let call = Call::new(provider.leak(), model.leak(), tokens);
        if let Price::Known { cost, .. } = call.price(&catalog) {
            assert!(cost.pico() > 0, "{} is free", call.model);
        }
        models += 1;
    }
    assert!(models > 100);
}
