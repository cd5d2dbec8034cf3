//! A severe rule suspends the key at once: from the very next call, across a crash, until
//! someone gives it back.

use serde_json::{Value, json};
use tally_gateway::Options;
use tally_types::{CallStatus, Timestamp};

use crate::bed::{Bed, KEY, SUPPORT_KEY, chat, message};

fn policies(then: &str, shadow: bool) -> Value {
    let when = r#"data_class == "restricted""#;
    let no = json!({
        "id": "no", "when": when, "then": then, "severity": "severe", "contain": "suspend_key",
        "says": "Restricted data never leaves.",
    });
    json!({ "p": { "rules": [no], "shadow": shadow } })
}

async fn bed(then: &str, shadow: bool) -> Bed {
    Bed::with(|resources| resources["policies"] = policies(then, shadow), Options::default()).await
}

/// A reply's status and body.
async fn say(bed: &Bed, key: &str, path: &str, body: &Value, class: &str) -> (u16, Value) {
    let asked = bed.post(path, key, body).header("x-tally-data-class", class);
    let reply = asked.send().await.unwrap();
    (reply.status().as_u16(), reply.json().await.unwrap())
}

async fn chatted(bed: &Bed, key: &str, class: &str) -> (u16, Value) {
    say(bed, key, "/v1/chat/completions", &chat("gpt-5-mini", "hi"), class).await
}

fn code(reply: &(u16, Value)) -> (u16, &str) {
    (reply.0, reply.1["tally"]["code"].as_str().unwrap_or_default())
}

#[tokio::test]
async fn the_first_call_is_refused_by_the_rule_and_the_next_by_the_suspension() {
    let bed = bed("deny", false).await;
    assert_eq!(chatted(&bed, KEY, "internal").await.0, 200);
    let first = chatted(&bed, KEY, "restricted").await;
    assert_eq!(code(&first), (403, "policy_denied"));
    // Whatever it is now, in either dialect.
    let next = chatted(&bed, KEY, "public").await;
    assert_eq!(code(&next), (403, "key_suspended"));
    assert_eq!(next.1["error"]["type"], "permission_error");
    assert_eq!(next.1["tally"]["rule"], "p/no");
    let sentence = next.1["tally"]["message"].as_str().unwrap();
    assert!(sentence.contains("Restricted data never leaves."), "{sentence}");
    let way_back = next.1["tally"]["next_step"].as_str().unwrap();
    assert!(way_back.contains("/keys?q=ada-laptop") && way_back.contains("security"), "{way_back}");
    let body = message("claude-haiku-4-5", "hi");
    let other = say(&bed, KEY, "/v1/messages", &body, "public").await;
    assert_eq!(code(&other), (403, "key_suspended"));
    assert_eq!(other.1["type"], "error");
    let models = bed.http.get(format!("http://{}/v1/models", bed.address));
    let models = models.bearer_auth(KEY).send().await.unwrap();
    assert_eq!(models.status(), 403);
    // It is that key's affair only.
    assert_eq!(chatted(&bed, SUPPORT_KEY, "internal").await.0, 200);

    let events = bed.events(5).await;
    let refused = &events[1];
    assert_eq!(refused.contained_by(), Some("p/no"));
    let after: Vec<_> = events[2..4].iter().map(|event| event.error_code.as_deref()).collect();
    assert_eq!(after, [Some("key_suspended"); 2]);
    // What a suspended key tries is seen, and is no further violation.
    assert!(events[2..4].iter().all(|event| event.status == CallStatus::Refused));
    assert!(events[2..4].iter().all(|event| !event.is_violation()));
    let [(key, why)] = &bed.gateway.contained().waiting()[..] else { panic!("one key") };
    assert_eq!((key.as_str(), why.event), ("ada-laptop", Some(refused.event_id)));
}

#[tokio::test]
async fn a_rule_that_only_records_contains_as_well_and_a_shadow_rule_never() {
    let bed_that_logs = bed("log", false).await;
    assert_eq!(chatted(&bed_that_logs, KEY, "restricted").await.0, 200);
    assert_eq!(code(&chatted(&bed_that_logs, KEY, "public").await), (403, "key_suspended"));
    let watching = bed("deny", true).await;
    for _ in 0..2 {
        assert_eq!(chatted(&watching, KEY, "restricted").await.0, 200);
    }
    // A client that claims the tag suspends nobody, not even itself.
    let tags = [("x-tally-tags", "tally.contained=p/no"), ("x-tally-data-class", "restricted")];
    let asked = watching.post("/v1/chat/completions", KEY, &chat("gpt-5-mini", "hi"));
    let asked = tags.iter().fold(asked, |asked, (name, value)| asked.header(*name, *value));
    assert_eq!(asked.send().await.unwrap().status(), 200);
    assert!(watching.events(3).await.iter().all(|event| event.contained_by().is_none()));
    assert!(watching.gateway.contained().waiting().is_empty());
}

#[tokio::test]
async fn it_outlives_a_crash_and_ends_when_it_is_given_back() {
    let first = bed("deny", false).await;
    assert_eq!(code(&chatted(&first, KEY, "restricted").await), (403, "policy_denied"));
    let event = first.events(1).await.remove(0);
    let rules = |resources: &mut Value| resources["policies"] = policies("deny", false);
    // From the rows of the journal.
    let second = first.killed_and_started(rules).await;
    assert_eq!(code(&chatted(&second, KEY, "public").await), (403, "key_suspended"));
    // From what the journal keeps, once the rows may be gone.
    second.events(2).await;
    second.gateway.keep_budgets(0).await.unwrap();
    let third = second.killed_and_started(rules).await;
    let next = chatted(&third, KEY, "public").await;
    assert_eq!(code(&next), (403, "key_suspended"));
    assert_eq!(next.1["tally"]["rule"], "p/no");

    // The store has taken it over: now the resources say so, here as on every node.
    let why = json!({ "at": event.time, "by": "tally gateway", "reason": "Restricted data never leaves.", "rule": "p/no", "event": event.event_id });
    third.change(|resources| {
        rules(resources);
        resources["keys"]["ada-laptop"]["suspended"] = why.clone();
    });
    assert!(third.gateway.contained().waiting().is_empty());
    assert_eq!(code(&chatted(&third, KEY, "public").await), (403, "key_suspended"));
    // Given back: it passes, and the old call, told again, does not suspend it again.
    let given_back = |resources: &mut Value| {
        rules(resources);
        resources["keys"]["ada-laptop"]["reinstated"] =
            json!({ "at": Timestamp::now(), "by": "Person/grace", "note": "A test" });
    };
    third.change(given_back);
    assert_eq!(chatted(&third, KEY, "public").await.0, 200);
    let fourth = second.killed_and_started(given_back).await;
    assert_eq!(chatted(&fourth, KEY, "public").await.0, 200);
    assert!(fourth.gateway.contained().waiting().is_empty());
    // What it does from now on does.
    assert_eq!(code(&chatted(&fourth, KEY, "restricted").await), (403, "policy_denied"));
    assert_eq!(code(&chatted(&fourth, KEY, "public").await), (403, "key_suspended"));
}
