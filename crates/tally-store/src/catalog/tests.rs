//! What the catalog says, without a store.

use serde_json::{Value, json};
use tally_types::{PicoUsdSum, spec::WorkloadSpec};

use super::{Seen, draft, inventory, month_of};
use crate::Snapshot;

fn snapshot() -> Snapshot {
    serde_json::from_value(json!({
        "people": { "ada": { "team": "support" }, "bob": {}, "grace": { "team": "support" } },
        "teams": { "support": { "cost_center": "cc-100" } },
        "models": {
            "opus": { "tier": "frontier" }, "haiku": { "tier": "economy" },
        },
        "keys": { "bot": { "person": "grace", "secret": { "env": "X" } } },
        "workloads": { "curl": workload(json!({})) },
    }))
    .unwrap()
}

fn workload(more: Value) -> Value {
    let mut spec = json!({
        "owner": "ada", "cost_center": "cc-100", "environment": "experimentation",
        "class": "exploration", "tier": "standard", "data_class": "internal",
    });
    spec.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    spec
}

fn missing(more: Value) -> (usize, Vec<String>) {
    let spec: WorkloadSpec = serde_json::from_value(workload(more)).unwrap();
    let found = spec.completeness();
    (found.percent, found.missing)
}

fn seen(key: &str, model: &str, person: Option<&str>, usd: i128) -> Seen {
    Seen {
        key: Some(key.to_owned()),
        application: Some("curl".to_owned()),
        user_agent: Some("curl/8".to_owned()),
        model: Some(model.to_owned()),
        person: person.map(str::to_owned),
        calls: 1,
        tokens: 10,
        spend_usd: PicoUsdSum::from_pico(usd),
    }
}

#[test]
fn what_is_asked_for_follows_the_environment_and_the_tier() {
    let all = ["purpose", "fallback", "criticality", "funding"];
    assert_eq!(missing(json!({})), (55, all.map(str::to_owned).to_vec()));
    let (_, production) = missing(json!({ "environment": "production", "tier": "frontier" }));
    assert_eq!(production[4..], ["budget_code", "slo", "tier_rationale"]);
    let whole = json!({
        "purpose": "p", "fallback": { "model": "cheaper" }, "criticality": "low",
        "funding": "charged",
    });
    assert_eq!(missing(whole), (100, Vec::new()));
    let (_, tool) = missing(json!({ "metered": false, "environment": "production" }));
    assert!(tool.contains(&"vendor".to_owned()) && !tool.contains(&"slo".to_owned()), "{tool:?}");
}

#[test]
fn a_frontier_tier_is_overdue_without_a_reason_or_after_its_day() {
    let overdue = |more: Value| {
        let spec: WorkloadSpec = serde_json::from_value(workload(more)).unwrap();
        spec.is_review_overdue("2026-11-15".parse().unwrap())
    };
    let until = |day: &str| json!({ "tier": "frontier", "tier_rationale": { "reason": "r", "review_by": day } });
    assert!(!overdue(json!({})));
    assert!(overdue(json!({ "tier": "frontier" })));
    assert!(!overdue(json!({ "tier": "frontier", "state": "retired" })));
    assert!(!overdue(until("2026-11-15")));
    assert!(overdue(until("2026-11-14")));
}

#[test]
fn the_inventory_is_grouped_and_says_whose_it_may_be() {
    let found = inventory(
        &snapshot(),
        vec![
            seen("a", "haiku", Some("bob"), 5),
            seen("a", "opus", Some("ada"), 7),
            seen("a", "haiku", Some("nobody-here"), 90),
            seen("bot", "haiku", None, 1),
        ],
    );
    let [first, second] = found.items.as_slice() else { panic!("{found:?}") };
    assert_eq!((first.calls, first.tokens, first.spend_usd.pico()), (3, 30, 102));
    assert_eq!(first.likely_owner.as_ref().unwrap().as_str(), "ada");
    let models: Vec<&str> = first.models.iter().map(|seen| seen.model.as_str()).collect();
    assert_eq!(models, ["haiku", "opus"]);
    assert_eq!(first.suggested_name, "curl-2", "the other is taken");
    assert_eq!(second.likely_owner.as_ref().unwrap().as_str(), "grace", "it is her key");
    let spec = draft(&snapshot(), first).unwrap();
    assert_eq!((spec.cost_center.as_str(), spec.tier.as_str()), ("cc-100", "frontier"));
}

#[test]
fn months_are_written_in_one_way() {
    let (first, next) = month_of("2026-12").unwrap();
    assert_eq!((first.to_string(), next.to_string()), ("2026-12-01".into(), "2027-01-01".into()));
    for wrong in ["2026", "2026-13", "26-11", "2026-1", "2026-11-01", ""] {
        assert!(month_of(wrong).is_none(), "{wrong}");
    }
}
