//! What deciding costs: 200 rules, of which 20 can apply to a call.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use serde_json::{Value, json};
use tally_policy::rules::{Ask, PolicyCall, RuleSet};
use tally_types::{Timestamp, spec::PolicySpec};

/// Conditions as people write them; each asks for its team and for something else.
const CONDITIONS: [&str; 5] = [
    r#"data_class == "restricted" && !provider.zero_retention"#,
    r#"!(data_class in provider.data_classes)"#,
    r#"tier == "frontier" && token_estimate > 100000"#,
    r#""admin" in roles || application.startsWith("curl")"#,
    r#"registered && tier > workload.tier && environment == "production""#,
];

fn rules() -> PolicySpec {
    let rule = |at: usize| -> Value {
        // Ten teams with 20 rules each.
        let when = format!("team == \"team-{}\" && ({})", at / 20, CONDITIONS[at % 5]);
        json!({ "id": format!("r{at}"), "when": when, "then": "deny", "severity": "high", "says": "No." })
    };
    let rules: Vec<Value> = (0..200).map(rule).collect();
    serde_json::from_value(json!({ "rules": rules })).expect("a policy")
}

fn call(class: &str) -> PolicyCall {
    serde_json::from_value(json!({
        "person": "ada", "team": "team-3", "department": "care", "roles": ["developer"],
        "workload": { "name": "copilot", "tier": "standard", "data_class": "confidential" },
        "environment": "production", "data_class": class, "model": "gpt-5", "tier": "standard",
        "provider": { "name": "openai", "data_classes": ["public", "internal", "restricted"] },
        "token_estimate": 1200, "key": "copilot-prod", "application": "OpenAI/Python",
    }))
    .expect("a call")
}

fn decide(criterion: &mut Criterion) {
    let spec = rules();
    let set = RuleSet::compile([("p", &spec)]);
    let now = Timestamp::UNIX_EPOCH;
    for (name, class, matching) in [
        ("20 of 200 rules, none holds", "internal", 0),
        ("20 of 200 rules, 4 hold", "restricted", 4),
    ] {
        let call = call(class);
        let ask = Ask { call: &call, waivers: &[], now };
        assert_eq!(set.decide(ask).matched.len(), matching);
        assert_eq!(set.explain(ask).rules.len(), 20);
        criterion
            .bench_function(name, |bencher| bencher.iter(|| black_box(set.decide(black_box(ask)))));
    }
}

criterion_group!(policy, decide);
criterion_main!(policy);
