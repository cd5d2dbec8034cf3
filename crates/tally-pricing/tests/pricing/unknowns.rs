//! Each gap is flagged with its reason; none is zero.

use tally_pricing::Price;
use tally_types::{
    ServiceTier, Tokens,
    spec::{PriceModifier, RateSet},
};

use crate::support::{Call, catalog, entry, rate, shipped, usd};

const INPUT: Tokens = Tokens {
    input_uncached: 10,
    cache_read: 0,
    cache_write_5m: 0,
    cache_write_1h: 0,
    output: 0,
    reasoning: 0,
};

fn acme(tokens: Tokens) -> Call {
    Call::new("acme", "m", tokens)
}

#[test]
fn who_and_what_no_list_has() {
    let gap = Call::new("nobody", "gpt-5", INPUT).gap(&shipped());
    assert_eq!(gap, "`gpt-5` of `nobody`: no price list has the model");
    let gap = Call::new("openai", "gpt-5-turbo-max", INPUT).gap(&shipped());
    assert_eq!(gap, "`gpt-5-turbo-max` of `openai`: no price list has the model");
}

#[test]
fn a_day_on_which_no_price_holds() {
    let mut dated = entry("m", vec![RateSet { input: rate("1"), ..RateSet::default() }]);
    dated.from = Some("2027-01-01".parse().unwrap());
    let gap = acme(INPUT).gap(&catalog(vec![dated]));
    assert_eq!(gap, "`m` of `acme`: no price of it holds on 2026-11-20");
}

#[test]
fn a_service_tier_without_rates_is_not_the_standard_tier() {
    let standard = RateSet { input: rate("1"), ..RateSet::default() };
    let catalog = catalog(vec![entry("m", vec![standard])]);
    assert_eq!(acme(INPUT).usd(&catalog), "0.00001");
    for tier in [ServiceTier::Batch, ServiceTier::Flex, ServiceTier::Priority] {
        let gap = acme(INPUT).tier(tier).gap(&catalog);
        assert_eq!(
            gap,
            format!("`m` of `acme` (test@2026-01-01): no price at service tier `{tier}`")
        );
    }
}

#[test]
fn a_tier_known_only_above_a_step() {
    let step = RateSet { above_input_tokens: 100, input: rate("1"), ..RateSet::default() };
    let gap = acme(INPUT).gap(&catalog(vec![entry("m", vec![step])]));
    assert!(gap.ends_with("no price at service tier `standard` for 10 input tokens"), "{gap}");
}

#[test]
fn each_kind_of_token_without_a_rate() {
    let none = catalog(vec![entry("m", vec![RateSet::default()])]);
    let kinds = [
        ("input_uncached", INPUT),
        ("cache_read", Tokens { cache_read: 1, ..Tokens::default() }),
        ("cache_write_5m", Tokens { cache_write_5m: 1, ..Tokens::default() }),
        ("cache_write_1h", Tokens { cache_write_1h: 1, ..Tokens::default() }),
        ("output", Tokens { output: 1, ..Tokens::default() }),
    ];
    for (kind, tokens) in kinds {
        let gap = acme(tokens).gap(&none);
        assert!(
            gap.ends_with(&format!("no price for {kind} tokens at service tier `standard`")),
            "{gap}"
        );
    }
    assert_eq!(acme(Tokens::default()).usd(&none), "0", "no tokens cost nothing");
}

#[test]
fn a_tool_without_a_fee() {
    let call = Call::new("anthropic", "claude-opus-4-8", INPUT);
    let gap = call.clone().tool("teleport", 1).gap(&shipped());
    assert!(gap.ends_with("no fee for the tool `teleport`"), "{gap}");
    assert_eq!(call.tool("teleport", 0).usd(&shipped()), "0.00005", "not used, not missed");
}

#[test]
fn a_modifier_without_a_factor() {
    let call = Call::new("openai", "gpt-5", INPUT);
    let gap = call.clone().modified("speed:fast").gap(&shipped());
    assert!(gap.ends_with("no price for `speed:fast`"), "{gap}");
    let gap = call.modified("inference_geo:mars").gap(&shipped());
    assert!(gap.ends_with("no price for `inference_geo:mars`"), "{gap}");
}

#[test]
fn a_cost_that_cannot_be_kept() {
    let huge = Tokens { input_uncached: u64::MAX, output: u64::MAX, ..Tokens::default() };
    let gap = Call::new("openai", "gpt-4", huge).gap(&shipped());
    assert!(gap.ends_with("the cost is larger than can be kept"), "{gap}");

    let set = RateSet { input: rate("9000000000000"), ..RateSet::default() };
    let mut dear = entry("m", vec![set]);
    dear.modifiers =
        (0..6).map(|n| PriceModifier { when: format!("speed:{n}"), percent: u32::MAX }).collect();
    let call = (0..6).fold(acme(INPUT), |call, n| call.modified(&format!("speed:{n}")));
    let gap = call.gap(&catalog(vec![dear]));
    assert!(gap.ends_with("the cost is larger than can be kept"), "{gap}");
}

#[test]
fn negative_fees_are_no_fees() {
    let mut strange = entry("m", vec![RateSet { input: rate("1"), ..RateSet::default() }]);
    strange.per_tool_usd.insert("web_search".to_owned(), usd("-1"));
    let gap = acme(INPUT).tool("web_search", 1).gap(&catalog(vec![strange.clone()]));
    assert!(gap.ends_with("no fee for the tool `web_search`"), "{gap}");
    strange.per_request_usd = Some(usd("-1"));
    let gap = acme(INPUT).gap(&catalog(vec![strange]));
    assert!(gap.ends_with("the fee per request is negative"), "{gap}");
}

#[test]
fn a_model_priced_by_the_request() {
    let mut by_request = entry("m", Vec::new());
    by_request.per_request_usd = Some(usd("0.005"));
    let by_request = catalog(vec![by_request]);
    assert_eq!(acme(INPUT).usd(&by_request), "0.005");
    let batch = acme(INPUT).tier(ServiceTier::Batch).price(&by_request);
    assert!(matches!(batch, Price::Unknown { .. }));
}

#[test]
fn a_fee_per_request_comes_on_top_of_rates() {
    let mut both = entry("m", vec![RateSet { input: rate("1"), ..RateSet::default() }]);
    both.per_request_usd = Some(usd("0.005"));
    assert_eq!(acme(INPUT).usd(&catalog(vec![both])), "0.00501");
}
