//! Files of strangers: clear errors and skips, no panic.

use proptest::prelude::*;
use serde_json::json;
use tally_pricing::import::{ImportError, detect, litellm, models_dev, render};

use crate::imports::options;

fn skipped(fields: &str) -> String {
    let json = format!("{{\"m\": {{\"litellm_provider\": \"acme\", {fields}}}}}");
    let import = litellm(&json, &options(None)).unwrap();
    assert!(import.list.entries.is_empty(), "{fields}");
    import.skipped[0].reason.clone()
}

#[test]
fn what_is_no_json_object_is_an_error() {
    for json in ["", "nonsense", "[]", "1", "\"x\"", "{\"a\": ", "{\"a\": 1} trailing", "\u{0}"] {
        assert!(matches!(litellm(json, &options(None)), Err(ImportError::NotJson(_))), "{json}");
        assert!(matches!(models_dev(json, &options(None)), Err(ImportError::NotJson(_))), "{json}");
        assert_eq!(detect(json), None);
    }
}

#[test]
fn an_object_without_a_single_model_is_an_error() {
    for json in
        ["{}", "{\"a\": 1}", "{\"a\": {\"litellm_provider\": 1}}", "{\"a\": {\"models\": []}}"]
    {
        assert!(matches!(litellm(json, &options(None)), Err(ImportError::NotFormat(_))), "{json}");
        assert!(
            matches!(models_dev(json, &options(None)), Err(ImportError::NotFormat(_))),
            "{json}"
        );
    }
}

#[test]
fn wrong_prices_are_skipped_with_a_reason() {
    for (value, reason) in [
        ("-1e-06", "-1e-06 is negative"),
        ("\"1e-06\"", "expected a number, found \"1e-06\""),
        ("[1]", "expected a number, found [1]"),
        ("true", "expected a number, found true"),
        ("4.0000000000000003e-07", "USD per token is not a whole number of picodollars"),
        ("1e-400", "USD per token is not a whole number of picodollars"),
        ("1e400", "USD per token is not a whole number of picodollars"),
        ("99999999999999", "USD per token is not a whole number of picodollars"),
    ] {
        let found = skipped(&format!("\"input_cost_per_token\": {value}"));
        assert!(found.contains("`input_cost_per_token`") && found.contains(reason), "{found}");
    }
    let found = skipped("\"input_cost_per_token\": 1e-06, \"input_cost_per_token_flex\": \"free\"");
    assert!(found.contains("`input_cost_per_token_flex`: expected a number"), "{found}");
    let found =
        skipped("\"input_cost_per_token\": 1e-06, \"provider_specific_entry\": {\"us\": 1.005}");
    assert_eq!(found, "`us`: 1.005 is not a whole number of percent");
}

#[test]
fn null_is_absent_and_a_wrong_limit_is_no_limit() {
    let json = json!({"m": {
        "litellm_provider": "acme",
        "input_cost_per_token": 1,
        "output_cost_per_token": null,
        "mode": null,
        "search_context_cost_per_query": null,
        "provider_specific_entry": "odd",
        "max_input_tokens": "many",
        "max_output_tokens": -1,
    }});
    let import = litellm(&json.to_string(), &options(None)).unwrap();
    let entry = &import.list.entries[0];
    assert_eq!(entry.rates[0].input.unwrap().pico(), 1_000_000_000_000);
    assert_eq!(entry.rates[0].output, None);
    assert_eq!((entry.context_tokens_max, entry.output_tokens_max), (None, None));
}

#[test]
fn models_dev_wrong_shapes_are_skipped() {
    let json = json!({"acme": {"models": {
        "a": [],
        "b": {"cost": 1},
        "c": {"cost": {"input": "1"}},
        "d": {"cost": {"input": -1}},
        "e": {"cost": {"input": 1, "context_over_200k": 2}},
        "f": {"cost": {"input": 0.0000001}},
    }}, "odd": 1});
    let import = models_dev(&json.to_string(), &options(None)).unwrap();
    assert!(import.list.entries.is_empty());
    assert_eq!(import.skipped.len(), 6);
}

#[test]
fn names_of_any_text_survive() {
    let json = "{\"acme/\\u0000\\\"\\n\": {\"litellm_provider\": \"acme\", \"input_cost_per_token\": 1e-6}}";
    let import = litellm(json, &options(None)).unwrap();
    assert_eq!(import.list.entries[0].model, "\0\"\n");
    assert_eq!(render(&import.list).unwrap().lines().count(), 8, "one entry, one line");
}

#[test]
fn deep_nesting_is_no_stack_overflow() {
    let deep = format!("{}{}", "{\"a\":".repeat(200_000), "1") + &"}".repeat(200_000);
    for json in [deep.clone(), format!("{{\"m\": {{\"litellm_provider\": {deep}}}}}")] {
        assert!(litellm(&json, &options(None)).is_err());
        assert!(models_dev(&json, &options(None)).is_err());
        detect(&json);
    }
}

fn junk() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(|value| json!(value)),
        any::<i64>().prop_map(|value| json!(value)),
        any::<f64>().prop_map(|value| json!(value)),
        ".{0,8}".prop_map(|value| json!(value)),
    ];
    let name = proptest::sample::select(vec![
        "litellm_provider",
        "models",
        "cost",
        "input",
        "input_cost_per_token",
        "output_cost_per_token_above_9k_tokens_flex",
        "search_context_cost_per_query",
        "search_context_size_medium",
        "provider_specific_entry",
        "us",
        "mode",
        "limit",
    ]);
    leaf.prop_recursive(4, 32, 6, move |inner| {
        proptest::collection::vec((name.clone(), inner), 0..6)
            .prop_map(|fields| fields.into_iter().map(|(n, v)| (n.to_owned(), v)).collect())
    })
}

proptest! {
    #[test]
    fn junk_never_panics_and_never_prices_below_zero(value in junk()) {
        let json = json!({"m": value, "n": {"litellm_provider": "acme"}}).to_string();
        detect(&json);
        for import in [litellm(&json, &options(None)), models_dev(&json, &options(None))].into_iter().flatten() {
            for set in import.list.entries.iter().flat_map(|entry| &entry.rates) {
                prop_assert!([set.input, set.output].iter().flatten().all(|rate| rate.pico() >= 0));
            }
        }
    }
}
