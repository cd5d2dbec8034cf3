//! The rules, without a store.

use serde_json::json;
use tally_types::{
    PersonName, Timestamp,
    spec::{BudgetLimit, GrantSpec, GrantState, StageRole},
};

use super::{NewGrant, request};
use crate::{
    Snapshot,
    approvals::{self as decide, ApprovalError, Step, Verdict, may_decide},
};

fn snapshot() -> Snapshot {
    let budget = |more: serde_json::Value| {
        let mut spec = json!({
            "owner": "olga", "scope": {}, "limit": { "usd": "2000" },
            "window": { "calendar": "month" },
        });
        spec.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        spec
    };
    serde_json::from_value(json!({
        "people": {
            "ada": { "display_name": "Ada", "team": "support", "roles": ["developer"] },
            "bob": { "roles": ["developer"] },
            "grace": { "team": "support", "roles": ["manager"], "delegate": "bob" },
            "lin": { "roles": ["finops"] },
            "max": { "roles": ["finops"] },
            "olga": { "roles": ["developer"], "delegate": "ada" },
            "root": { "roles": ["admin"] },
            "sam": { "roles": ["security"] },
            "wanda": { "roles": ["developer"] },
        },
        "teams": { "support": { "manager": "grace" } },
        "workloads": { "copilot": {
            "purpose": "p", "owner": "wanda", "cost_center": "cc", "environment": "experimentation",
            "class": "exploration", "tier": "standard", "data_class": "internal",
        } },
        "budgets": {
            "plain": budget(json!({})),
            "both": budget(json!({ "approvers": ["owner", "finops"], "emergency": true })),
            "each": budget(json!({ "scope": { "each": "person" }, "approvers": ["manager"] })),
            "work": budget(json!({ "scope": { "workload": "copilot" }, "approvers": ["workload_owner", "security"] })),
        },
    }))
    .unwrap()
}

fn now() -> Timestamp {
    "2026-11-20T09:12:00Z".parse().unwrap()
}

fn later(hours: i64) -> Timestamp {
    now() + jiff::SignedDuration::from_hours(hours)
}

fn person(name: &str) -> PersonName {
    name.parse().unwrap()
}

fn asked(counter: serde_json::Value) -> NewGrant {
    NewGrant {
        counter: serde_json::from_value(counter).unwrap(),
        increase: serde_json::from_value(json!({ "usd": "250" })).unwrap(),
        until: later(48),
        reason: "Replies to the recall".to_owned(),
        emergency: false,
    }
}

fn grant(budget: &str, by: &str) -> GrantSpec {
    request(&snapshot(), &person(by), asked(json!({ "budget": budget })), now()).unwrap()
}

fn asks(grant: &GrantSpec) -> Vec<String> {
    let names = |people: &[PersonName]| {
        people.iter().map(ToString::to_string).collect::<Vec<_>>().join("|")
    };
    grant.needs.iter().map(|need| format!("{}: {}", need.role, names(&need.people))).collect()
}

fn say(
    grant: &GrantSpec,
    by: &str,
    verdict: Verdict,
    why: Option<&str>,
) -> Result<Option<(GrantSpec, Step)>, ApprovalError> {
    decide::decide(&snapshot(), grant, &person(by), verdict, why, later(1))
}

fn yes(grant: &GrantSpec, by: &str) -> GrantSpec {
    say(grant, by, Verdict::Approve, None).unwrap().unwrap().0
}

fn refused(grant: &GrantSpec, by: &str) -> String {
    say(grant, by, Verdict::Approve, None).unwrap_err().to_string()
}

#[test]
fn the_approvers_are_those_of_the_budget() {
    assert_eq!(asks(&grant("plain", "wanda")), ["owner: olga"]);
    assert_eq!(asks(&grant("both", "ada")), ["owner: olga", "finops: lin|max"]);
    assert_eq!(asks(&grant("work", "ada")), ["workload_owner: wanda", "security: sam"]);
    let each = asked(json!({ "budget": "each", "each": "ada" }));
    let each = request(&snapshot(), &person("ada"), each, now()).unwrap();
    assert_eq!(asks(&each), ["manager: grace"]);
}

#[test]
fn who_would_approve_their_own_leaves_it_to_finops_then_to_admins() {
    assert_eq!(asks(&grant("plain", "olga")), ["finops: lin|max"]);
    // An owner who asks has agreed: FinOps is left.
    assert_eq!(asks(&grant("both", "olga")), ["finops: lin|max"]);
    let mut lonely = snapshot();
    for name in ["lin", "max"] {
        lonely.people.remove(name);
    }
    let asked = || asked(json!({ "budget": "plain" }));
    let grant = request(&lonely, &person("olga"), asked(), now()).unwrap();
    assert_eq!(asks(&grant), ["finops: root"]);
    assert!(may_decide(&lonely, &grant, &person("root"), now()));
    lonely.people.remove("root");
    let nobody = request(&lonely, &person("olga"), asked(), now()).unwrap_err().to_string();
    assert!(nobody.contains("nobody but you"), "{nobody}");
}

#[test]
fn what_cannot_be_granted_is_refused_with_the_field() {
    let ask = |change: &dyn Fn(&mut NewGrant)| {
        let mut new = asked(json!({ "budget": "plain" }));
        change(&mut new);
        request(&snapshot(), &person("ada"), new, now()).unwrap_err().to_string()
    };
    let usd = |text: &str| serde_json::from_value::<BudgetLimit>(json!({ "usd": text })).unwrap();
    let told = [
        ask(&|new| new.increase = usd("0")),
        ask(&|new| new.increase = usd("-5")),
        ask(&|new| new.increase = BudgetLimit::Tokens(5)),
        ask(&|new| new.until = now()),
        ask(&|new| new.until = later(24 * 90 + 1)),
        ask(&|new| new.reason = " \n".to_owned()),
        ask(&|new| new.reason = "x".repeat(2_001)),
        ask(&|new| new.emergency = true),
        ask(&|new| new.counter = asked(json!({ "budget": "plan" })).counter),
        ask(&|new| new.counter = asked(json!({ "budget": "plain", "each": "ada" })).counter),
        ask(&|new| new.counter = asked(json!({ "budget": "each" })).counter),
        ask(&|new| new.counter = asked(json!({ "budget": "each", "each": "ghost" })).counter),
        ask(&|new| {
            new.counter = asked(json!({ "budget": "plain", "environment": "production" })).counter;
        }),
    ];
    insta::assert_snapshot!(told.join("\n"), @r"
    `increase`: expected more than zero
    `increase`: expected more than zero
    `increase`: the budget counts usd; expected an amount of usd
    `until`: 2026-11-20T09:12:00Z is in the past; expected a time to come
    `until`: expected at most 90 days from now; what is needed for longer is another limit
    `reason`: expected a reason of 1 to 2,000 characters
    `reason`: expected a reason of 1 to 2,000 characters
    `emergency`: the budget `plain` allows no increase before somebody approves it; ask without it
    `counter.budget`: there is no budget `plan`; did you mean `plain`?
    `counter.each`: `plain` is one budget for all; expected none
    `counter.each`: each person has their own `each`; expected whose
    `counter.each`: there is no person `ghost`
    `counter.environment`: `plain` has no limit of its own for it; expected one of its `environment_limits`, or none
    ");
}

#[test]
fn both_roles_are_needed_and_one_person_fills_one() {
    let asked = grant("both", "ada");
    let one = yes(&asked, "lin");
    assert_eq!((one.state, one.decisions[0].role), (GrantState::Pending, StageRole::Finops));
    // The second person of the same role fills nothing more.
    assert!(refused(&one, "max").contains("olga"), "{}", refused(&one, "max"));
    // Said again it is as it was.
    assert!(say(&one, "lin", Verdict::Approve, None).unwrap().is_none());
    let both = yes(&one, "olga");
    assert_eq!(both.state, GrantState::Approved);

    // Whoever has both roles fills the one that fewest others could.
    let mut double = snapshot();
    let roles = vec![tally_types::Role::Finops];
    double.people.get_mut("olga").unwrap().roles = roles;
    let asked =
        request(&double, &person("ada"), self::asked(json!({ "budget": "both" })), now()).unwrap();
    let olga = person("olga");
    let next = decide::decide(&double, &asked, &olga, Verdict::Approve, None, now());
    let (next, step) = next.unwrap().unwrap();
    assert_eq!((next.decisions[0].role, step), (StageRole::Owner, Step::Approved));
    let again = decide::decide(&double, &next, &olga, Verdict::Approve, None, now());
    assert!(again.unwrap().is_none());
}

#[test]
fn where_one_person_has_both_roles_alone_an_admin_may_fill_the_second() {
    let mut few = snapshot();
    few.people.remove("max");
    few.budgets.get_mut("both").unwrap().owner = "lin".parse().unwrap();
    let asked =
        request(&few, &person("ada"), self::asked(json!({ "budget": "both" })), now()).unwrap();
    assert_eq!(asks(&asked), ["owner: lin", "finops: lin|root"]);
    let yes = |grant: &GrantSpec, by: &str| {
        decide::decide(&few, grant, &person(by), Verdict::Approve, None, now()).unwrap().unwrap().0
    };
    let half = yes(&asked, "lin");
    assert_eq!(half.decisions[0].role, StageRole::Owner);
    assert_eq!(yes(&half, "root").state, GrantState::Approved);
}

#[test]
fn nobody_decides_on_their_own_and_no_delegate_does_it_for_them() {
    // Ada is the delegate of olga, the owner.
    let own = grant("plain", "ada");
    let told = refused(&own, "ada");
    assert!(told.starts_with("you asked for this yourself") && told.ends_with("olga"), "{told}");
    assert!(!may_decide(&snapshot(), &own, &person("ada"), now()));
    // For wanda she may.
    let wandas = grant("plain", "wanda");
    let done = yes(&wandas, "ada");
    assert_eq!(done.state, GrantState::Approved);
    assert_eq!(done.decisions[0].for_person, Some(person("olga")));
    assert!(refused(&wandas, "bob").contains("olga"));
    // A delegate and who they speak for are one voice.
    let both = yes(&grant("both", "wanda"), "ada");
    assert!(say(&both, "olga", Verdict::Approve, None).is_err());
}

#[test]
fn one_denial_denies_and_needs_a_reason() {
    let half = yes(&grant("both", "ada"), "lin");
    let bare = say(&half, "olga", Verdict::Deny, Some("  ")).unwrap_err();
    assert!(matches!(bare, ApprovalError::Invalid { field: "reason", .. }), "{bare}");
    let (denied, _) = say(&half, "olga", Verdict::Deny, Some("no")).unwrap().unwrap();
    assert_eq!(denied.state, GrantState::Denied);
    assert!(say(&denied, "lin", Verdict::Deny, Some("x")).unwrap().is_none());
    let told = refused(&denied, "max");
    assert_eq!(told, "olga denied it on 20 Nov 2026 10:12 UTC");
    // Whoever approved may think better of it while others have not decided.
    let (denied, _) = say(&half, "lin", Verdict::Deny, Some("no")).unwrap().unwrap();
    assert_eq!(denied.state, GrantState::Denied);
}

#[test]
fn time_escalates_and_ends() {
    let asked = grant("plain", "wanda");
    let pass = |grant: &GrantSpec, at| decide::pass_time(&snapshot(), grant, at);
    assert!(pass(&asked, later(23)).is_none());
    assert!(refused(&asked, "lin").contains("olga"));
    let (escalated, step) = pass(&asked, later(24)).unwrap();
    assert_eq!((escalated.escalated_at, step), (Some(later(24)), Step::Escalated));
    assert!(pass(&escalated, later(25)).is_none());
    for name in ["lin", "root", "olga"] {
        assert_eq!(yes(&escalated, name).state, GrantState::Approved, "{name}");
    }
    assert!(refused(&escalated, "bob").contains("olga"));
    let (over, step) = pass(&escalated, later(48)).unwrap();
    assert_eq!((over.state, step), (GrantState::Expired, Step::Expired));
    assert!(pass(&over, later(49)).is_none());
    let late =
        decide::decide(&snapshot(), &escalated, &person("olga"), Verdict::Approve, None, later(48));
    assert!(late.unwrap_err().to_string().starts_with("its time was over"));
}

#[test]
fn an_emergency_holds_at_once_and_is_reviewed() {
    let mut new = asked(json!({ "budget": "both" }));
    new.emergency = true;
    let taken = request(&snapshot(), &person("ada"), new, now()).unwrap();
    assert_eq!((taken.state, taken.emergency), (GrantState::Approved, true));
    assert!(!may_decide(&snapshot(), &taken, &person("ada"), now()));
    assert!(may_decide(&snapshot(), &taken, &person("olga"), now()));
    let (reviewed, step) = say(&taken, "olga", Verdict::Approve, None).unwrap().unwrap();
    assert_eq!((reviewed.state, step), (GrantState::Approved, Step::Reviewed));
    assert!(!may_decide(&snapshot(), &reviewed, &person("olga"), now()));
    assert!(may_decide(&snapshot(), &reviewed, &person("lin"), now()));
    let (ended, _) = say(&reviewed, "lin", Verdict::Deny, Some("no such thing")).unwrap().unwrap();
    assert_eq!(ended.state, GrantState::Denied);
}

#[test]
fn ended_early_by_those_it_concerns() {
    let held = yes(&grant("plain", "wanda"), "olga");
    let revoke = |by: &str, why| decide::revoke(&snapshot(), &held, &person(by), why, later(2));
    for by in ["olga", "lin", "root", "wanda", "ada"] {
        assert_eq!(revoke(by, "enough").unwrap().unwrap().0.state, GrantState::Revoked, "{by}");
    }
    assert!(revoke("bob", "enough").is_err());
    assert!(revoke("olga", "").is_err());
    let asked = grant("plain", "wanda");
    let early = decide::revoke(&snapshot(), &asked, &person("olga"), "x", later(2));
    assert!(early.is_err());
    let withdraw = |grant: &GrantSpec, by: &str| decide::withdraw(grant, &person(by), later(2));
    assert_eq!(withdraw(&asked, "wanda").unwrap().unwrap().0.state, GrantState::Withdrawn);
    assert!(withdraw(&asked, "olga").is_err());
    let told = withdraw(&held, "wanda").unwrap_err().to_string();
    assert!(told.starts_with("olga approved it"), "{told}");
}
