//! The rules, without a store.

use serde_json::{Value, json};
use tally_types::{PersonName, Timestamp, spec::AccessRequestSpec};

use super::NewAccess;
use crate::{
    Snapshot,
    approvals::{ApprovalError, Request},
};

fn snapshot(more: Value) -> Snapshot {
    let mut all = json!({
        "people": {
            "ada": { "team": "support", "roles": ["developer"] },
            "grace": { "team": "support", "roles": ["manager"] },
            "lin": { "roles": ["finops"] },
            "wanda": { "roles": ["developer"] },
        },
        "teams": { "support": { "manager": "grace" } },
        "models": {
            "opus": { "tier": "frontier" },
            "haiku": { "tier": "economy", "access": "on_request" },
            "sonnet": { "tier": "standard" },
        },
        "organization": { "tiers_on_request": ["frontier"] },
        "workloads": {
            "copilot": { "owner": "wanda", "cost_center": "cc", "environment": "experimentation",
                "class": "exploration", "tier": "standard", "data_class": "internal" },
            "research": { "owner": "wanda", "cost_center": "cc", "environment": "experimentation",
                "class": "exploration", "tier": "frontier", "data_class": "internal" },
        },
    });
    all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    serde_json::from_value(all).unwrap()
}

fn now() -> Timestamp {
    "2026-11-01T09:00:00Z".parse().unwrap()
}

fn days(count: i64) -> Timestamp {
    now() + jiff::SignedDuration::from_hours(24 * count)
}

fn person(name: &str) -> PersonName {
    name.parse().unwrap()
}

fn ask(by: &str, what: Value, until: Timestamp) -> Result<AccessRequestSpec, ApprovalError> {
    let what = Some(serde_json::from_value(what).unwrap());
    let new = NewAccess { what, reason: "For the pilot".to_owned(), until, renews: None };
    AccessRequestSpec::request(&snapshot(json!({})), &person(by), new, now())
}

#[test]
fn each_is_approved_by_its_role() {
    let asks = |by: &str, what: Value| {
        let asked = ask(by, what, days(30)).unwrap();
        let one = |need: &tally_types::spec::GrantNeed| format!("{}: {:?}", need.role, need.people);
        asked.needs.iter().map(one).collect::<Vec<_>>().join(", ")
    };
    let told = [
        asks("ada", json!({ "key": {} })),
        asks("ada", json!({ "key": { "workload": "copilot" } })),
        asks("ada", json!({ "model": "haiku" })),
        asks("ada", json!({ "model": "opus" })),
        asks("ada", json!({ "tier": "frontier" })),
        asks("ada", json!({ "tier": "standard" })),
        asks("grace", json!({ "tier": "standard" })),
        asks("wanda", json!({ "key": {} })),
    ];
    insta::assert_snapshot!(told.join("\n"), @r#"
    manager: [PersonName(Name("grace"))]
    workload_owner: [PersonName(Name("wanda"))], manager: [PersonName(Name("grace"))]
    manager: [PersonName(Name("grace"))]
    finops: [PersonName(Name("lin"))]
    finops: [PersonName(Name("lin"))]
    manager: [PersonName(Name("grace"))]
    finops: [PersonName(Name("lin"))]
    finops: [PersonName(Name("lin"))]
    "#);
}

#[test]
fn what_cannot_be_given_is_refused_with_the_field() {
    let told = [
        ask("ada", json!({ "model": "opsu" }), days(1)).unwrap_err().to_string(),
        ask("ada", json!({ "key": { "workload": "x" } }), days(1)).unwrap_err().to_string(),
        ask("ada", json!({ "tier": "frontier" }), days(181)).unwrap_err().to_string(),
        ask("ada", json!({ "tier": "frontier" }), now()).unwrap_err().to_string(),
    ];
    insta::assert_snapshot!(told.join("\n"), @r"
    `what.model`: there is no model `opsu`; did you mean `opus`?
    `what.key.workload`: there is no workload `x`
    `until`: expected at most 180 days from now; it can be renewed
    `until`: 2026-11-01T09:00:00Z is in the past; expected a time to come
    ");
}

#[test]
fn access_opens_what_is_on_request_until_it_ends() {
    let given = |who: &str, what: Value| {
        snapshot(json!({ "access": { who: [{ "what": what, "until": days(7) }] } }))
    };
    let may = |snapshot: &Snapshot, model: &str, who: &str, workload: &str, at| {
        let workload = workload.parse().ok();
        snapshot.may_use_model(&model.parse().unwrap(), Some(&person(who)), workload.as_ref(), at)
    };
    let none = snapshot(json!({}));
    assert!(may(&none, "sonnet", "ada", "", now()), "open");
    assert!(may(&none, "unknown", "ada", "", now()), "told elsewhere");
    assert!(!may(&none, "opus", "ada", "", now()), "its tier is on request");
    assert!(!may(&none, "opus", "ada", "copilot", now()));
    assert!(may(&none, "opus", "ada", "research", now()), "approved for the tier");
    assert!(!may(&none, "haiku", "ada", "research", now()), "the model itself is on request");

    let tier = given("ada", json!({ "tier": "frontier" }));
    assert!(may(&tier, "opus", "ada", "", now()));
    assert!(!may(&tier, "opus", "grace", "", now()));
    assert!(!may(&tier, "opus", "ada", "", days(7)), "it ends without being swept");
    assert!(!may(&tier, "haiku", "ada", "", now()));
    // Calls of a workload have the access of its owner.
    let owner = given("wanda", json!({ "model": "haiku" }));
    assert!(may(&owner, "haiku", "ada", "copilot", now()));
    assert!(!may(&owner, "haiku", "ada", "", now()));

    let key = given("ada", json!({ "key": { "workload": "copilot" } }));
    let copilot = "copilot".parse().ok();
    assert_eq!(key.may_make_key(&person("ada"), copilot.as_ref(), now()), Some(days(7)));
    assert_eq!(key.may_make_key(&person("ada"), None, now()), None);
    assert_eq!(key.may_make_key(&person("ada"), copilot.as_ref(), days(8)), None);
}
