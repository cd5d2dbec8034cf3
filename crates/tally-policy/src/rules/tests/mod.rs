//! Rules as their authors see them.

mod conditions;
mod decisions;
mod properties;

use serde_json::{Value, json};
use tally_types::{
    Timestamp,
    spec::{PolicyCall, PolicySpec},
};

use super::{Ask, Decision, RuleSet, Waiver};

fn spec(value: Value) -> PolicySpec {
    serde_json::from_value(value).unwrap()
}

fn call(value: Value) -> PolicyCall {
    serde_json::from_value(value).unwrap()
}

fn rule(id: &str, when: &str, then: impl Into<Value>) -> Value {
    json!({ "id": id, "when": when, "then": then.into(), "says": format!("says {id}") })
}

fn set(policies: &[(&str, PolicySpec)]) -> RuleSet {
    RuleSet::compile(policies.iter().map(|(name, spec)| (*name, spec)))
}

fn now() -> Timestamp {
    "2026-11-22T12:00:00Z".parse().unwrap()
}

fn decide(rules: &RuleSet, call: &PolicyCall, waivers: &[Waiver]) -> Decision {
    rules.decide(Ask { call, waivers, now: now() })
}

/// One policy `p` with these rules, asked about one call.
fn decided(rules: Value, of: Value) -> Decision {
    decide(&set(&[("p", spec(json!({ "rules": rules })))]), &call(of), &[])
}

fn binding(decision: &Decision) -> &str {
    decision.binding.as_ref().map_or("", |it| &*it.rule)
}
