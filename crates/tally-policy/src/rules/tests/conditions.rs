//! What conditions may say, and how mistakes in them are found.

use serde_json::json;

use super::{super::check, call, decided, rule, set, spec};

fn holds(when: &str, of: serde_json::Value) -> bool {
    let decision = decided(json!([rule("r", when, "log")]), of);
    assert!(decision.errors.is_empty(), "{when}: {:?}", decision.errors);
    !decision.matched.is_empty()
}

#[test]
fn conditions_read_what_is_known_of_a_call() {
    let of = json!({
        "person": "ada", "team": "support", "department": "care", "roles": ["developer"],
        "workload": { "name": "copilot", "tier": "standard", "data_class": "confidential" },
        "environment": "production", "task_type": "drafting", "data_class": "confidential",
        "model": "gpt-5", "tier": "frontier",
        "provider": { "name": "openai", "dialect": "openai", "data_classes": ["internal"] },
        "token_estimate": 1200, "budget_stage": 80,
        "time": { "hour": 23, "weekday": "saturday", "date": "2026-11-21" },
        "key": "ada-laptop", "application": "claude-cli", "operation": "chat", "tools": true,
    });
    for when in [
        r#"person == "ada" && team == "support""#,
        r#"department in ["care", "sales"]"#,
        r#""developer" in roles"#,
        r#"roles.exists(role, role == "developer")"#,
        r#"!roles.all(role, role == "admin")"#,
        r#"workload != null && workload.name == "copilot""#,
        r#"has(workload.tier) && workload.tier == "standard""#,
        r#"environment == "production" && registered"#,
        r#"data_class >= "confidential" && "internal" < data_class"#,
        r#"!(data_class in provider.data_classes)"#,
        r#"tier > workload.tier && data_class <= workload.data_class"#,
        "!provider.zero_retention",
        "size(provider.data_classes) == 1",
        "token_estimate * 2 > 2000 || budget_stage > 90",
        r#"time.hour >= 22 || time.hour < 6"#,
        r#"time.weekday in ["saturday", "sunday"] && time.date < "2026-12-01""#,
        r#"application.startsWith("claude") && key.matches("^ada-.*$")"#,
        r#"tools && !images && operation == "chat""#,
        r#"(person == "ada" ? token_estimate > 1000 : false)"#,
    ] {
        assert!(holds(when, of.clone()), "{when}");
    }
    for when in [
        r#"data_class > "confidential""#,
        r#"tier < "frontier""#,
        r#"team == "sales""#,
        "workload == null",
        r#"images || "admin" in roles"#,
    ] {
        assert!(!holds(when, of.clone()), "{when}");
    }
}

#[test]
fn a_call_without_a_workload_has_none() {
    for when in ["workload == null", "!registered", "person == \"\""] {
        assert!(holds(when, json!({})), "{when}");
    }
    assert!(!holds("registered && workload.tier == \"frontier\"", json!({})));
}

#[test]
fn mistakes_are_found_where_they_stand() {
    for (when, offset, message) in [
        (
            "data_clas == \"internal\"",
            0,
            "there is no variable `data_clas`; did you mean `data_class`?",
        ),
        (
            "registered && provider.zero_retentoin",
            23,
            "there is no field `zero_retentoin`; did you mean `zero_retention`?",
        ),
        (
            "data_class == \"secret\"",
            14,
            "it is never `secret`; there is `public`, `internal`, `confidential`, `restricted`",
        ),
        (
            "environment in [\"prodction\"]",
            16,
            "it is never `prodction`; did you mean `production`?",
        ),
        ("\"secrity\" in roles", 0, "it is never `secrity`; did you mean `security`?"),
        ("token_estimate", 0, "expected a condition, which is true or false"),
        ("team && registered", 0, "expected something that is true or false here"),
        ("token_estimate == \"much\"", 15, "these two are of different kinds and never equal"),
        ("team > \"a\"", 5, "these have no order; numbers, dates, tiers and data classes do"),
        (
            "startWith(team, \"a\")",
            9,
            "there is no function `startWith`; did you mean `startsWith`?",
        ),
        ("team.matches(\"(\")", 13, "not a regular expression: error: unclosed group"),
        ("person ==", 9, "not a CEL expression: mismatched input the end"),
        ("team == \"a\" &&\n  person == )", 27, "not a CEL expression: mismatched input ')'"),
    ] {
        let spec = spec(json!({ "rules": [rule("r", when, "deny")] }));
        let found = check(&spec);
        assert_eq!(found.len(), 1, "{when}: {found:?}");
        assert_eq!(found[0].field, "rules[0].when");
        assert_eq!((found[0].offset, found[0].message.as_str()), (Some(offset), message), "{when}");
    }
}

#[test]
fn kinds_patterns_and_tests_are_checked() {
    let broken = spec(json!({
        "rules": [rule("r", "true", json!({ "redact": ["emial", "employee"] }))],
        "patterns": [{ "name": "badge", "regex": "[" }, { "name": "phone", "regex": "x" }],
    }));
    let found: Vec<_> = check(&broken).into_iter().map(|it| (it.field, it.message)).collect();
    assert_eq!(found[0].0, "rules[0].then.redact[0]");
    assert!(found[0].1.ends_with("did you mean `email`?"), "{found:?}");
    assert_eq!(found[1].0, "rules[0].then.redact[1]");
    assert_eq!(found[2].0, "patterns[0].regex");
    assert_eq!(found[3].0, "patterns[1].name");

    let wrong = spec(json!({
        "rules": [rule("r", r#"team == "a""#, "deny")],
        "tests": [
            { "name": "fine", "call": { "team": "a" }, "expect": { "effect": "deny", "rule": "r" } },
            { "name": "not so", "call": { "team": "b" }, "expect": { "effect": "deny" } },
        ],
    }));
    let found = check(&wrong);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].field, "tests[1]");
    assert_eq!(found[0].message, "the test `not so` fails: expected deny, found allow by no rule");
}

#[test]
fn what_cannot_be_evaluated_protects() {
    // No provider is known: what asks for it cannot be evaluated.
    let when = "provider.zero_retention";
    for (then, effect) in
        [(json!("deny"), "deny"), (json!("review"), "review"), (json!("log"), "allow")]
    {
        let decision = decided(json!([rule("r", when, then)]), json!({}));
        assert_eq!(decision.effect.as_str(), effect);
        assert_eq!(decision.errors.len(), 1);
    }
    let redacts = decided(json!([rule("r", when, json!({ "redact": ["email"] }))]), json!({}));
    assert!(redacts.redact.contains("email"));
    // A condition that cannot even be read came by some other way than an apply.
    let rules = set(&[("p", spec(json!({ "rules": [rule("r", "no_such == 1", "deny")] })))]);
    assert_eq!(rules.problems().count(), 1);
    let decision = super::decide(&rules, &call(json!({})), &[]);
    assert_eq!(decision.effect.as_str(), "deny");
}

#[test]
fn the_starter_pack_is_right() {
    for file in super::super::STARTER {
        assert!(file.text.lines().count() < 60, "{} is short", file.name);
    }
}
