//! Against a naive model: exact fractions in `i128`, straight from the list.

use std::collections::BTreeMap;

use proptest::{collection::vec, option, prelude::*, sample::select};
use tally_pricing::{Ceiling, Price, PriceUnit};
use tally_types::{
    PicoUsd, RatePerToken, ServiceTier, Tokens,
    spec::{PriceEntry, PriceModifier, RateSet},
};

use crate::support::{Call, catalog, entry};

const FACTS: [&str; 4] = ["speed:fast", "inference_geo:us", "speed:standard", "note:x"];

fn rates() -> impl Strategy<Value = Option<RatePerToken>> {
    option::weighted(0.8, (0_i64..50_000_000).prop_map(RatePerToken::from_pico))
}

fn sets() -> impl Strategy<Value = RateSet> {
    let tier = select(vec![ServiceTier::Standard, ServiceTier::Batch]);
    let above = select(vec![0, 0, 1_000, 5_000]);
    (tier, above, rates(), rates(), rates(), rates(), rates(), rates()).prop_map(
        |(service_tier, above_input_tokens, input, cache_read, w5m, w1h, output, reasoning)| {
            RateSet {
                service_tier,
                above_input_tokens,
                input,
                cache_read,
                cache_write_5m: w5m,
                cache_write_1h: w1h,
                output,
                reasoning,
            }
        },
    )
}

fn entries() -> impl Strategy<Value = PriceEntry> {
    let modifiers = vec((select(&FACTS[..]), 0_u32..400), 0..3);
    (vec(sets(), 1..6), modifiers, option::of(0_i64..1_000_000_000)).prop_map(
        |(mut rates, modifiers, fee)| {
            rates.sort_by_key(|set| (set.service_tier, set.above_input_tokens));
            rates.dedup_by_key(|set| (set.service_tier, set.above_input_tokens));
            let modifiers: BTreeMap<_, _> = modifiers.into_iter().collect();
            let mut entry = entry("m", rates);
            entry.per_request_usd = fee.map(PicoUsd::from_pico);
            entry.per_tool_usd.insert("web_search".to_owned(), PicoUsd::from_pico(10_000_000_000));
            entry.modifiers = modifiers
                .into_iter()
                .map(|(when, percent)| PriceModifier { when: when.to_owned(), percent })
                .collect();
            entry
        },
    )
}

fn calls() -> impl Strategy<Value = Call> {
    let count = || prop_oneof![Just(0_u64), 0_u64..4_000];
    let kinds = (count(), count(), count(), count(), count(), 0_u64..4_000);
    let tier = select(vec![ServiceTier::Standard, ServiceTier::Batch, ServiceTier::Flex]);
    (kinds, tier, vec(select(&FACTS[..]), 0..3), 0_u64..3).prop_map(
        |(kinds, tier, facts, searches)| {
            let (input_uncached, cache_read, cache_write_5m, cache_write_1h, output, reasoning) =
                kinds;
            let reasoning = reasoning.min(output);
            let tokens = Tokens {
                input_uncached,
                cache_read,
                cache_write_5m,
                cache_write_1h,
                output,
                reasoning,
            };
            let call = Call::new("acme", "m", tokens).tier(tier).tool("web_search", searches);
            facts.into_iter().fold(call, |call, fact| call.modified(fact))
        },
    )
}

/// One rate times the percentages, rounded half up.
fn modified(rate: RatePerToken, percents: &[u32]) -> i128 {
    let numerator = percents.iter().fold(i128::from(rate.pico()), |n, p| n * i128::from(*p));
    let denominator = 100_i128.pow(u32::try_from(percents.len()).unwrap());
    (2 * numerator + denominator).div_euclid(2 * denominator)
}

fn naive(entry: &PriceEntry, call: &Call) -> Option<i128> {
    let mut percents = Vec::new();
    let mut facts = call.modifiers.clone();
    facts.sort();
    facts.dedup();
    for fact in &facts {
        match entry.modifiers.iter().find(|modifier| modifier.when == *fact) {
            Some(modifier) => percents.push(modifier.percent),
            None if fact == "speed:standard" || fact == "note:x" => {}
            None => return None,
        }
    }
    let input = call.tokens.input();
    let of_tier = || entry.rates.iter().filter(|set| set.service_tier == call.tier);
    let base = of_tier().find(|set| set.above_input_tokens == 0).cloned();
    let step = of_tier()
        .filter(|set| set.above_input_tokens == 0 || set.above_input_tokens < input)
        .max_by_key(|set| set.above_input_tokens)?;
    let base = base.unwrap_or_default();
    let reasoning_rate = match (step.reasoning, step.output) {
        (Some(rate), _) => Some(rate),
        (None, Some(_)) => None,
        (None, None) => base.reasoning,
    };
    let apart = if reasoning_rate.is_some() { call.tokens.reasoning } else { 0 };
    let parts = [
        (call.tokens.input_uncached, step.input.or(base.input)),
        (call.tokens.cache_read, step.cache_read.or(base.cache_read)),
        (call.tokens.cache_write_5m, step.cache_write_5m.or(base.cache_write_5m)),
        (call.tokens.cache_write_1h, step.cache_write_1h.or(base.cache_write_1h)),
        (call.tokens.output - apart, step.output.or(base.output)),
        (apart, reasoning_rate),
    ];
    let mut cost = i128::from(entry.per_request_usd.map_or(0, PicoUsd::pico));
    for (tool, count) in &call.tools {
        cost += i128::from(entry.per_tool_usd[tool].pico()) * i128::from(*count);
    }
    for (count, rate) in parts.into_iter().filter(|(count, _)| *count > 0) {
        cost += i128::from(count) * modified(rate?, &percents);
    }
    Some(cost)
}

proptest! {
    #[test]
    fn the_price_is_that_of_the_naive_model(entry in entries(), call in calls()) {
        let expected = naive(&entry, &call);
        match call.price(&catalog(vec![entry])) {
            Price::Known { cost, .. } => prop_assert_eq!(Some(i128::from(cost.pico())), expected),
            Price::Unknown { reason } => prop_assert_eq!(None, expected, "{}", reason),
        }
    }

    #[test]
    fn the_lines_of_a_price_add_up_to_it(entry in entries(), call in calls()) {
        let catalog = catalog(vec![entry]);
        let mut event = call.event();
        catalog.price_event(call.provider, &[call.model], &mut event);
        let breakdown = catalog.explain_event(call.provider, &[call.model], &event);
        let Some(cost) = event.cost_list_usd else {
            prop_assert_eq!(breakdown, None, "what has no price has no lines");
            return Ok(());
        };
        let breakdown = breakdown.unwrap();
        let lines: i64 = breakdown.lines.iter().map(|line| line.cost_usd.pico()).sum();
        prop_assert_eq!(lines, cost.pico());
        let tokens = breakdown.lines.iter().filter(|line| line.unit == PriceUnit::MillionTokens);
        let counted: u64 = tokens.map(|line| line.quantity).sum();
        prop_assert!(counted == call.tokens.total() || counted == 0, "every token is on one line");
        event.price_version = Some("another".to_owned());
        let same = catalog.explain_event(call.provider, &[call.model], &event);
        prop_assert_eq!(same, Some(breakdown), "a newer list that asks the same is as good");
        event.cost_list_usd = cost.pico().checked_add(1).map(PicoUsd::from_pico);
        prop_assert_eq!(catalog.explain_event(call.provider, &[call.model], &event), None);
    }

    #[test]
    fn no_call_costs_more_than_its_bound(
        entry in entries(), call in calls(), more_input in 0_u64..2_000, more_output in 0_u64..10,
    ) {
        let catalog = catalog(vec![entry]);
        let call = Call { tools: BTreeMap::new(), ..call };
        let bound = catalog.bound(&Ceiling {
            provider: call.provider,
            model: call.model,
            at: call.at,
            input_tokens: call.tokens.input() + more_input,
            output_tokens: call.tokens.output + more_output,
            service_tier: call.tier,
            modifiers: &call.modifiers,
        });
        if let (Some(bound), Price::Known { cost, .. }) = (bound, call.price(&catalog)) {
            prop_assert!(cost <= bound, "{cost} > {bound}");
        }
    }

    #[test]
    fn a_call_split_below_every_step_costs_the_same(entry in entries(), tokens in 1_u64..400) {
        let call = |count| Call::new("acme", "m", Tokens { input_uncached: count, ..Tokens::default() });
        let entry = PriceEntry { per_request_usd: None, ..entry };
        let catalog = catalog(vec![entry]);
        if let (Price::Known { cost: whole, .. }, Price::Known { cost: one, .. }) =
            (call(tokens).price(&catalog), call(1).price(&catalog))
        {
            prop_assert_eq!(whole.pico(), one.pico() * i64::try_from(tokens).unwrap());
        }
    }
}
