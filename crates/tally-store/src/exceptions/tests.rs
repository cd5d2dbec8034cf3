//! The rules, without a store.

use serde_json::{Value, json};
use tally_types::{
    Name, PersonName, Timestamp,
    spec::{Approvable as _, ArchitectureReview, ExceptionSpec, GrantState},
};

use super::{NewException, repeats};
use crate::{
    Snapshot,
    approvals::{ApprovalError, Request, Step, Verdict, decide, may_decide, pass_time},
};

fn snapshot() -> Snapshot {
    serde_json::from_value(json!({
        "people": {
            "ada": { "team": "support", "roles": ["developer"] },
            "root": { "roles": ["admin"] },
            "sam": { "roles": ["security"] },
            "sue": { "roles": ["security"], "delegate": "root" },
            "wanda": { "roles": ["developer"] },
        },
        "teams": { "support": {} },
        "workloads": { "copilot": {
            "owner": "wanda", "cost_center": "cc", "environment": "experimentation",
            "class": "exploration", "tier": "standard", "data_class": "internal",
        } },
        "policies": { "data-classes": { "rules": [
            { "id": "restricted", "when": "true", "then": "deny", "says": "No." },
        ] } },
    }))
    .unwrap()
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

fn new(scope: Value) -> NewException {
    NewException {
        rule: Some("data-classes/restricted".to_owned()),
        scope: Some(serde_json::from_value(scope).unwrap()),
        reason: "The audit needs it".to_owned(),
        from: None,
        until: days(30),
        renews: None,
    }
}

fn ask(snapshot: &Snapshot, by: &str, new: NewException) -> Result<ExceptionSpec, ApprovalError> {
    ExceptionSpec::request(snapshot, &person(by), new, now())
}

fn asks(asked: &ExceptionSpec) -> Vec<String> {
    let names = |people: &[PersonName]| {
        people.iter().map(ToString::to_string).collect::<Vec<_>>().join("|")
    };
    asked.needs.iter().map(|need| format!("{}: {}", need.role, names(&need.people))).collect()
}

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

#[test]
fn security_approves_and_so_does_the_owner_of_the_workload() {
    let of = |by: &str, scope: Value| asks(&ask(&snapshot(), by, new(scope)).unwrap());
    assert_eq!(of("ada", json!({ "person": "ada" })), ["security: sam|sue"]);
    assert_eq!(
        of("ada", json!({ "workload": "copilot" })),
        ["security: sam|sue", "workload_owner: wanda"]
    );
    // An owner who asks has agreed; security that asks leaves it to the others.
    assert_eq!(of("wanda", json!({ "workload": "copilot" })), ["security: sam|sue"]);
    assert_eq!(of("sam", json!({ "team": "support" })), ["security: sue"]);
    let mut few = snapshot();
    few.people.remove("sue");
    let asked = ask(&few, "sam", new(json!({ "team": "support" }))).unwrap();
    assert_eq!(asks(&asked), ["security: root"]);
    assert!(may_decide(&few, &asked, &person("root"), now()));
    assert!(!may_decide(&few, &asked, &person("sam"), now()));
}

#[test]
fn what_cannot_be_waived_is_refused_with_the_field() {
    let refused = |change: &dyn Fn(&mut NewException)| {
        let mut new = new(json!({ "person": "ada" }));
        change(&mut new);
        ask(&snapshot(), "ada", new).unwrap_err().to_string()
    };
    let told = [
        refused(&|new| new.rule = None),
        refused(&|new| new.rule = Some("data-classes/restrictd".to_owned())),
        refused(&|new| new.scope = None),
        refused(&|new| new.scope = Some(serde_json::from_value(json!({ "key": "k" })).unwrap())),
        refused(&|new| new.until = days(31)),
        refused(&|new| new.until = now()),
        refused(&|new| new.from = Some(days(-1))),
        refused(&|new| new.from = Some(days(31))),
        refused(&|new| new.reason = " ".to_owned()),
        refused(&|new| new.renews = Some(name("nothing"))),
    ];
    insta::assert_snapshot!(told.join("\n"), @r"
    `rule`: expected `policy/rule-id`
    `rule`: no policy has the rule `data-classes/restrictd`; did you mean `data-classes/restricted`?; expected `policy/rule-id`
    `scope`: expected at least one of `person`, `team`, `workload`, `key`
    `scope.key`: there is no key `k`
    `until`: expected at most 30 days; what is needed for longer is another rule
    `until`: expected a time after it begins
    `from`: 2026-10-31T09:00:00Z is in the past; leave it out to begin at once
    `from`: expected a beginning within 30 days
    `reason`: expected a reason of 1 to 2,000 characters
    `renews`: there is no exception `nothing`
    ");
}

#[test]
fn of_two_for_the_same_rule_the_later_needs_an_architecture_review() {
    let mut snapshot = snapshot();
    let first = ask(&snapshot, "ada", new(json!({ "person": "ada" }))).unwrap();
    let mut second = ask(&snapshot, "ada", new(json!({ "team": "support" }))).unwrap();
    second.requested_at = days(1);
    snapshot.exceptions.insert(name("first"), first.clone());
    snapshot.exceptions.insert(name("second"), second.clone());
    let check = |snapshot: &Snapshot, which: &str| {
        let asked = snapshot.exceptions.get(which).unwrap();
        asked.check_approval(snapshot, &name(which))
    };
    assert!(check(&snapshot, "first").is_ok());
    let told = check(&snapshot, "second").unwrap_err().to_string();
    assert!(told.contains("repeats `first`"), "{told}");
    // One that was denied never held; one that held and is over did.
    let mut other = snapshot.clone();
    other.exceptions.insert(name("first"), first.in_state(GrantState::Denied));
    assert!(check(&other, "second").is_ok());
    other.exceptions.insert(name("first"), first.in_state(GrantState::Expired));
    assert!(check(&other, "second").is_ok(), "it ended undecided");
    other.exceptions.insert(name("first"), first.in_state(GrantState::Revoked));
    assert!(check(&other, "second").is_err());
    second.architecture_review =
        Some(ArchitectureReview { by: person("sam"), at: now(), note: "Fine".to_owned() });
    snapshot.exceptions.insert(name("second"), second);
    assert!(check(&snapshot, "second").is_ok());
}

#[test]
fn a_renewal_is_counted_and_keeps_rule_and_scope() {
    let mut snapshot = snapshot();
    let first = ask(&snapshot, "ada", new(json!({ "person": "ada" }))).unwrap();
    snapshot.exceptions.insert(name("first"), first.clone());
    let renewal = || NewException {
        rule: None,
        scope: None,
        renews: Some(name("first")),
        ..new(json!({ "person": "ada" }))
    };
    let early = ask(&snapshot, "ada", renewal()).unwrap_err().to_string();
    assert!(early.contains("only one that held"), "{early}");
    snapshot.exceptions.insert(name("first"), first.in_state(GrantState::Expired));
    let again = ask(&snapshot, "ada", renewal()).unwrap();
    assert_eq!((again.renewals, again.rule.as_str()), (1, "data-classes/restricted"));
    assert_eq!(again.scope, first.scope);
    assert_eq!(repeats(&snapshot, &name("again"), &again), Some(&name("first")));
    let other = NewException { renews: Some(name("first")), ..new(json!({ "person": "wanda" })) };
    assert!(ask(&snapshot, "ada", other).unwrap_err().to_string().contains("for others"));
}

#[test]
fn it_ends_by_itself_and_with_its_rule() {
    let mut snapshot = snapshot();
    let asked = ask(&snapshot, "ada", new(json!({ "person": "ada" }))).unwrap();
    let yes = decide(&snapshot, &asked, &person("sam"), Verdict::Approve, None, days(1));
    let (held, step) = yes.unwrap().unwrap();
    assert_eq!((held.state, step), (GrantState::Approved, Step::Granted));
    assert!(pass_time(&snapshot, &held, days(29)).is_none());
    let (over, _) = pass_time(&snapshot, &held, days(30)).unwrap();
    assert_eq!(over.state, GrantState::Expired);
    let (waits, step) = pass_time(&snapshot, &asked, days(2)).unwrap();
    assert_eq!((waits.state, step), (GrantState::Pending, Step::Escalated));
    snapshot.policies.clear();
    assert!(pass_time(&snapshot, &asked, days(0)).is_some(), "nothing is left to decide on");
    assert!(pass_time(&snapshot, &held, days(2)).is_none());
}
