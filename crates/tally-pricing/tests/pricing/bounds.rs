//! The most a call may cost.

use tally_pricing::Ceiling;
use tally_types::{ServiceTier, spec::RateSet};

use crate::support::{catalog, entry, now, rate, shipped, usd};

fn worst(
    provider: &str,
    model: &str,
    input: u64,
    output: u64,
    tier: ServiceTier,
) -> Option<String> {
    shipped().worst_case(provider, model, now(), input, output, tier).map(|cost| cost.to_string())
}

#[test]
fn the_dearest_input_kind_and_output_count() {
    let standard = ServiceTier::Standard;
    // 1,000 × 10 (a cache write of an hour) + 1,000 × 25.
    let opus = worst("anthropic", "claude-opus-4-8", 1_000, 1_000, standard);
    assert_eq!(opus.as_deref(), Some("0.035"));
    // 272,000 × 5 + 1 × 30; one more input token, and all costs twice and half again.
    let below = worst("openai", "gpt-5.5", 272_000, 1, standard);
    assert_eq!(below.as_deref(), Some("1.36003"));
    let above = worst("openai", "gpt-5.5", 272_001, 1, standard);
    assert_eq!(above.as_deref(), Some("2.720055"));
    let embedding = worst("openai", "text-embedding-3-small", 100, 0, standard);
    assert_eq!(embedding.as_deref(), Some("0.000002"));
}

#[test]
fn what_is_not_known_has_no_bound() {
    assert_eq!(worst("openai", "gpt-0", 1, 1, ServiceTier::Standard), None);
    assert_eq!(worst("anthropic", "claude-opus-4-8", 1, 1, ServiceTier::Flex), None);
    assert_eq!(worst("openai", "gpt-5", u64::MAX, u64::MAX, ServiceTier::Standard), None);
    let no_output = RateSet { input: rate("1"), ..RateSet::default() };
    let catalog = catalog(vec![entry("m", vec![no_output])]);
    assert_eq!(catalog.worst_case("acme", "m", now(), 1, 1, ServiceTier::Standard), None);
    assert!(catalog.worst_case("acme", "m", now(), 1, 0, ServiceTier::Standard).is_some());
}

#[test]
fn a_step_that_is_cheaper_does_not_lower_the_bound() {
    let sets = vec![
        RateSet { input: rate("9"), output: rate("9"), ..RateSet::default() },
        RateSet {
            above_input_tokens: 100,
            input: rate("1"),
            output: rate("1"),
            ..RateSet::default()
        },
    ];
    let mut odd = entry("m", sets);
    odd.per_request_usd = Some(usd("1"));
    let bound = catalog(vec![odd]).worst_case("acme", "m", now(), 101, 0, ServiceTier::Standard);
    assert_eq!(bound, Some(usd("1.000909")));
}

#[test]
fn modifiers_asked_for_count() {
    let fast = ["speed:fast".to_owned()];
    let ceiling = Ceiling {
        provider: "anthropic",
        model: "claude-opus-4-8",
        at: now(),
        input_tokens: 1_000,
        output_tokens: 1_000,
        service_tier: ServiceTier::Standard,
        modifiers: &fast,
    };
    assert_eq!(shipped().bound(&ceiling), Some(usd("0.07")));
    let unheard = ["speed:warp".to_owned()];
    assert_eq!(shipped().bound(&Ceiling { modifiers: &unheard, ..ceiling }), None);
}

#[test]
fn a_model_priced_by_the_request_costs_the_fee() {
    let mut by_request = entry("m", Vec::new());
    by_request.per_request_usd = Some(usd("0.005"));
    let bound = catalog(vec![by_request]).worst_case(
        "acme",
        "m",
        now(),
        9_999,
        9_999,
        ServiceTier::Standard,
    );
    assert_eq!(bound, Some(usd("0.005")));
}
