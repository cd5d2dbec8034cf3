//! What holds for all sets of rules: their order means nothing, more rules are never milder,
//! and the index leaves out nothing.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{decide, rule, set, spec};

const THEN: &[&str] = &["allow", "deny", "review", "degrade", "register", "log"];
const WHEN: &[&str] = &[
    "true",
    r#"team == "a""#,
    r#"team in ["a", "b"] && registered"#,
    r#"data_class >= "confidential""#,
    r#"!(data_class in provider.data_classes)"#,
    r#"environment == "production" || images"#,
    r#"workload.tier == "frontier""#,
    "!images && token_estimate > 100",
];

/// Also of what is not known: a workload, a time.
const CONDITIONS: &[&str] = &[
    r#"workload.tier == "frontier""#,
    r#"workload.tier != "frontier" || team == "a""#,
    r#"team == "a" || workload.tier != "frontier""#,
    r#"team == "a" && workload.name == "w""#,
    r#"workload.name == "w" && team == "a""#,
    r#"!(workload.tier == "frontier") && images"#,
    r#"time.hour > 5 || images"#,
    r#"images && time.hour > 5"#,
    r#"!(data_class in provider.data_classes) || "admin" in roles"#,
    r#"token_estimate >= 100 && token_estimate < 150 || 10 > budget_stage"#,
    r#"registered && data_class > workload.data_class"#,
    r#"data_class in ["public", "restricted"] && !provider.zero_retention && provider.name == "p""#,
    r#"team.startsWith("a") || team.endsWith("b") || team.contains("z") || workload.name.contains("w")"#,
    r#"team.matches("^[ab]$") && !provider.name.matches("q")"#,
    r#"tier == "" || tier <= "standard""#,
    r#"true && !false && time.weekday != "monday""#,
];

fn rules() -> impl Strategy<Value = Vec<Value>> {
    let one = (0..WHEN.len(), 0..THEN.len() + 3, 0..5_usize);
    proptest::collection::vec(one, 0..12).prop_map(|all| {
        let build = |(at, (when, then, severity)): (usize, (usize, usize, usize))| {
            let then = match THEN.get(then) {
                Some(word) => json!(word),
                None if then == THEN.len() => json!({ "redact": ["email"] }),
                None if then == THEN.len() + 1 => json!({ "redact": ["secret", "phone"] }),
                None => json!({ "reroute": format!("p{}", at % 2) }),
            };
            let mut rule = rule(&format!("r{at}"), WHEN[when], then);
            if let Some(word) = ["low", "medium", "high", "severe"].get(severity) {
                rule["severity"] = (*word).into();
            }
            rule
        };
        all.into_iter().enumerate().map(build).collect()
    })
}

fn calls() -> impl Strategy<Value = Value> {
    let classes = ["public", "internal", "confidential", "restricted"];
    (0..3_usize, 0..4_usize, any::<bool>(), any::<bool>(), 0..200_u64).prop_map(
        move |(team, class, is_known, images, tokens)| {
            let workload = is_known.then(|| json!({ "name": "w", "tier": "frontier" }));
            let team = ["a", "b", "c"][team];
            json!({
                "team": team, "data_class": classes[class], "images": images,
                "workload": workload, "token_estimate": tokens,
                "environment": if is_known { "production" } else { "experimentation" },
                "provider": { "name": "p", "data_classes": ["public", "internal"] },
            })
        },
    )
}

fn of(rules: &[Value]) -> super::RuleSet {
    set(&[("p", spec(json!({ "rules": rules })))])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_order_of_rules_means_nothing(
        (rules, shuffled) in rules().prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle())),
        call in calls(),
    ) {
        let call = super::call(call);
        let mut one = decide(&of(&rules), &call, &[]);
        let mut other = decide(&of(&shuffled), &call, &[]);
        one.errors.sort_by(|a, b| a.rule.cmp(&b.rule));
        other.errors.sort_by(|a, b| a.rule.cmp(&b.rule));
        prop_assert_eq!(one, other);
    }

    #[test]
    fn one_rule_more_is_never_milder(rules in rules(), call in calls()) {
        let call = super::call(call);
        let mut before = decide(&of(&[]), &call, &[]);
        for count in 0..=rules.len() {
            let after = decide(&of(&rules[..count]), &call, &[]);
            prop_assert!(after.effect >= before.effect);
            prop_assert!(after.redact.is_superset(&before.redact));
            let strictest = after.matched.iter().map(|it| it.act.effect()).max();
            prop_assert_eq!(after.effect, strictest.unwrap_or(tally_types::spec::PolicyEffect::Allow));
            before = after;
        }
    }

    #[test]
    fn the_index_leaves_out_nothing(rules in rules(), call in calls()) {
        let call = super::call(call);
        let together = decide(&of(&rules), &call, &[]);
        let mut alone: Vec<_> = rules
            .iter()
            // Behind a disjunction no value can be looked up.
            .map(|rule| {
                let mut rule = rule.clone();
                rule["when"] = format!("({}) || false", rule["when"].as_str().unwrap()).into();
                rule
            })
            .flat_map(|rule| decide(&of(&[rule]), &call, &[]).matched)
            .map(|it| it.rule)
            .collect();
        alone.sort();
        let mut found: Vec<_> = together.matched.into_iter().map(|it| it.rule).collect();
        found.sort();
        prop_assert_eq!(found, alone);
    }

    #[test]
    fn what_needs_no_interpreter_means_the_same_to_it(when in 0..CONDITIONS.len(), call in calls()) {
        let call = super::call(call);
        let when = CONDITIONS[when];
        let by_cel = format!("({when}) ? true : false");
        let fast = decide(&of(&[rule("r", when, "log")]), &call, &[]);
        let slow = decide(&of(&[rule("r", &by_cel, "log")]), &call, &[]);
        prop_assert_eq!(fast.matched, slow.matched, "{}", when);
        prop_assert_eq!(fast.errors.len(), slow.errors.len(), "{}", when);
    }
}
