//! How what several rules say becomes one decision.

use serde_json::{Value, json};
use tally_types::{Severity, spec::PolicyEffect};

use super::{
    super::{Ask, Standing, Waiver},
    binding, call, decide, decided, now, rule, set, spec,
};

fn severe(mut rule: Value, severity: &str) -> Value {
    rule["severity"] = severity.into();
    rule
}

#[test]
fn the_strictest_effect_decides_and_redactions_add_up() {
    let all = json!([
        severe(rule("allow", "true", "allow"), "severe"),
        rule("log", "true", "log"),
        rule("mail", "true", json!({ "redact": ["email", "phone"] })),
        rule("keys", "true", json!({ "redact": ["secret"] })),
        rule("less", "true", json!({ "degrade": { "tier": "standard" } })),
        rule("least", "true", json!({ "degrade": { "tier": "economy" } })),
        rule("move", "true", json!({ "reroute": "b" })),
        rule("look", "true", "review"),
        rule("no", "true", "deny"),
    ]);
    let mut rules = all.as_array().unwrap().clone();
    for expected in ["deny", "review", "reroute", "degrade", "degrade", "allow"] {
        let decision = decided(rules.clone().into(), json!({}));
        assert_eq!(decision.effect.as_str(), expected);
        assert_eq!(decision.matched.len(), rules.len());
        // Severity classifies and decides nothing.
        assert_eq!(decision.severity(), Some(Severity::Severe));
        let redacted: Vec<&str> = decision.redact.iter().map(String::as_str).collect();
        assert_eq!(redacted, ["email", "phone", "secret"]);
        rules.pop();
    }
    let decision = decided(all, json!({}));
    assert_eq!(binding(&decision), "p/no");
    assert_eq!(decision.degrade.unwrap().tier.unwrap().as_str(), "economy");
    assert_eq!(decision.reroute.unwrap().as_str(), "b");
}

#[test]
fn among_equals_the_more_severe_rule_is_named() {
    let rules = json!([
        severe(rule("a", "true", "deny"), "low"),
        severe(rule("b", "true", "deny"), "severe"),
        rule("c", "true", "deny"),
    ]);
    assert_eq!(binding(&decided(rules, json!({}))), "p/b");
}

#[test]
fn replies_are_restored_unless_a_rule_says_otherwise() {
    let mail = rule("mail", "true", json!({ "redact": ["email"] }));
    let mut keys = rule("keys", "true", json!({ "redact": ["secret"] }));
    keys["restore"] = false.into();
    assert!(decided(json!([mail]), json!({})).restore);
    assert!(!decided(json!([mail, keys]), json!({})).restore);
}

#[test]
fn only_registered_calls_pass_a_register_rule() {
    let rules = json!([rule("known", r#"data_class >= "confidential""#, "register")]);
    let refused = decided(rules.clone(), json!({ "data_class": "restricted" }));
    assert_eq!((refused.effect, binding(&refused)), (PolicyEffect::Deny, "p/known"));
    let known = json!({ "data_class": "restricted", "workload": { "name": "copilot" } });
    assert_eq!(decided(rules, known).effect, PolicyEffect::Allow);
}

#[test]
fn a_policy_in_shadow_mode_decides_and_does_not_act() {
    let rules = json!([rule("no", "true", "deny")]);
    let shadow = set(&[("p", spec(json!({ "rules": rules, "shadow": true })))]);
    let decision = decide(&shadow, &call(json!({ "team": "a" })), &[]);
    assert_eq!(decision.effect, PolicyEffect::Allow);
    assert_eq!(&*decision.shadow[0].rule, "p/no");
    // A pilot: its teams are watched, the others know nothing of the policy.
    let pilot = set(&[("p", spec(json!({ "rules": rules, "shadow": { "teams": ["a"] } })))]);
    assert_eq!(decide(&pilot, &call(json!({ "team": "a" })), &[]).shadow.len(), 1);
    let elsewhere = decide(&pilot, &call(json!({ "team": "b" })), &[]);
    assert!(elsewhere.shadow.is_empty() && elsewhere.matched.is_empty());
}

#[test]
fn a_part_of_the_company_may_say_otherwise_and_the_rest_is_inherited() {
    let rules = set(&[(
        "p",
        spec(json!({
            "rules": [severe(rule("no", "true", "deny"), "high"), rule("look", "true", "review")],
            "overrides": [
                { "for": { "department": "lab" }, "rules": [{ "id": "no", "then": "log", "says": "The lab may." }] },
                { "for": { "team": "a" }, "rules": [{ "id": "look", "off": true }, { "id": "no", "severity": "low" }] },
                { "for": { "role": "security" }, "rules": [{ "id": "no", "then": "review" }] },
            ],
        })),
    )]);
    assert_eq!(binding(&decide(&rules, &call(json!({})), &[])), "p/no");
    let lab = decide(&rules, &call(json!({ "department": "lab" })), &[]);
    assert_eq!((lab.effect, binding(&lab)), (PolicyEffect::Review, "p/look"));
    let team = call(json!({ "department": "lab", "team": "a" }));
    let decision = decide(&rules, &team, &[]);
    assert_eq!(decision.effect, PolicyEffect::Allow);
    assert_eq!(decision.severity(), Some(Severity::Low));
    let explanation = rules.explain(Ask { call: &team, waivers: &[], now: now() });
    let no = explanation.rules.iter().find(|it| it.rule == "p/no").unwrap();
    let fields: Vec<_> = no
        .overridden
        .iter()
        .map(|it| (it.field.as_str(), it.inherited.as_str(), it.value.as_str()))
        .collect();
    assert_eq!(
        fields,
        [("then", "deny", "log"), ("severity", "high", "low"), ("says", "says no", "The lab may.")]
    );
    let look = explanation.rules.iter().find(|it| it.rule == "p/look").unwrap();
    assert_eq!(look.standing, Standing::NotInForce);
    assert_eq!(look.overridden[0].by, "team a");
    let security = decide(&rules, &call(json!({ "roles": ["security"] })), &[]);
    assert_eq!(security.effect, PolicyEffect::Review);
}

fn waiver() -> Waiver {
    Waiver {
        exception: "ada-november".to_owned(),
        rule: "p/look".to_owned(),
        person: Some("ada".to_owned()),
        team: None,
        workload: None,
        key: None,
        from: "2026-11-01T00:00:00Z".parse().unwrap(),
        until: "2026-12-01T00:00:00Z".parse().unwrap(),
    }
}

#[test]
fn an_exception_waives_its_rule_for_whom_and_as_long_as_it_says() {
    let rules = set(&[(
        "p",
        spec(json!({ "rules": [rule("look", "true", "review"), rule("note", "true", "log")] })),
    )]);
    let ada = call(json!({ "person": "ada", "team": "support" }));
    let decision = decide(&rules, &ada, &[waiver()]);
    assert_eq!(decision.effect, PolicyEffect::Allow);
    assert_eq!(decision.waived[0].exception, "ada-november");
    assert_eq!(decision.matched.len(), 1);
    let refused = |waiver: Waiver, call: &tally_types::spec::PolicyCall| {
        decide(&rules, call, &[waiver]).effect == PolicyEffect::Review
    };
    let grace = call(json!({ "person": "grace" }));
    assert!(refused(waiver(), &grace));
    assert!(refused(Waiver { until: now(), ..waiver() }, &ada), "it ends");
    assert!(refused(Waiver { from: waiver().until, ..waiver() }, &ada), "it has not begun");
    assert!(refused(Waiver { rule: "q/look".to_owned(), ..waiver() }, &ada));
    let team = Some("sales".to_owned());
    assert!(refused(Waiver { team, ..waiver() }, &ada), "everything it names has to hold");
    assert!(refused(Waiver { person: None, ..waiver() }, &ada), "it names nobody");
}

#[test]
fn an_explanation_names_every_rule_that_could_hold() {
    let rules = set(&[(
        "p",
        spec(json!({ "rules": [
            severe(rule("no", r#"team == "a" && provider.zero_retention"#, "deny"), "severe"),
            rule("mail", "true", json!({ "redact": ["email"] })),
            rule("other", r#"team == "b""#, "deny"),
            rule("silent", "images", "deny"),
        ] })),
    )]);
    let explanation =
        rules.explain(Ask { call: &call(json!({ "team": "a" })), waivers: &[], now: now() });
    assert_eq!(explanation.rule.as_deref(), Some("p/no"));
    assert_eq!(explanation.says.as_deref(), Some("says no"));
    assert_eq!(explanation.redact, ["email"]);
    let lines: Vec<_> = explanation
        .rules
        .iter()
        .map(|it| (it.rule.as_str(), it.standing, it.decides, it.error.is_some()))
        .collect();
    assert_eq!(
        lines,
        [("p/no", Standing::Acts, true, true), ("p/mail", Standing::Acts, false, false)]
    );
    // A rule of another team and one about images cannot hold.
    assert_eq!(explanation.others, 2);
    let json = serde_json::to_string(&explanation).unwrap();
    assert_eq!(serde_json::from_str::<super::super::Explanation>(&json).unwrap(), explanation);
}

#[test]
fn a_severe_rule_may_contain() {
    let mut no = severe(rule("no", "true", "deny"), "severe");
    no["contain"] = "suspend_key".into();
    assert_eq!(decided(json!([no.clone()]), json!({})).contain.as_deref(), Some("p/no"));
    // Watching, or made milder for a part of the company, it contains nobody.
    let contain = |policy: Value, team: &str| {
        decide(&set(&[("p", spec(policy))]), &call(json!({ "team": team })), &[]).contain
    };
    assert_eq!(contain(json!({ "shadow": true, "rules": [no] }), ""), None);
    let milder = json!({ "id": "no", "severity": "high" });
    let milder = json!([{ "for": { "team": "research" }, "rules": [milder] }]);
    let policy = json!({ "rules": [no], "overrides": milder });
    assert_eq!(contain(policy.clone(), "support").as_deref(), Some("p/no"));
    assert_eq!(contain(policy, "research"), None);
}
