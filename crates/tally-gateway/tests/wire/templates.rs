//! Templates that calls name in a header.

use serde_json::{Value, json};

use crate::bed::{Bed, KEY, chat, message, streamed};

const TEMPLATE: &str = "x-tally-template";
const REPLACED_BY: &str = "x-tally-template-replaced-by";

/// Versions in these states, of which the first is 1.
fn template(state: &str, replaced_by: Option<&str>, versions: &[&str]) -> Value {
    let version = |(number, state): (usize, &&str)| {
        json!({
            "number": number, "text": { "user": "What changed?" }, "by": "ada",
            "at": "2026-11-20T09:00:00Z", "review": { "state": state },
        })
    };
    json!({
        "about": { "title": "A template", "purpose": "Helps", "data_class": "internal" },
        "owner": "ada", "state": state, "replaced_by": replaced_by,
        "versions": (1..).zip(versions).map(version).collect::<Vec<_>>(),
    })
}

async fn bed() -> Bed {
    let patch = |resources: &mut Value| {
        resources["templates"] = json!({
            "small-change": template("active", None, &["approved", "approved", "draft"]),
            "idea": template("active", None, &["submitted"]),
            "old-change": template("retired", Some("small-change"), &["approved"]),
            "over": template("retired", None, &["approved"]),
        });
    };
    Bed::with(patch, tally_gateway::Options::default()).await
}

#[tokio::test]
async fn a_call_is_recorded_with_the_version_that_it_used() {
    let bed = bed().await;
    let expected = [
        ("small-change", "small-change@2"),
        ("small-change@1", "small-change@1"),
        ("small-change@3", "small-change@3"),
        // What is not known, or not approved yet, is kept as it was said.
        ("small-change@9", "small-change@9"),
        ("idea", "idea"),
        ("nobodys", "nobodys"),
        ("old-change", "old-change@1"),
    ];
    for (said, _) in expected {
        let body = chat("gpt-5-mini", "hi");
        let request = bed.post("/v1/chat/completions", KEY, &body).header(TEMPLATE, said);
        assert_eq!(request.send().await.unwrap().status(), 200, "{said}");
    }
    let recorded: Vec<String> = bed
        .events(expected.len())
        .await
        .into_iter()
        .map(|it| it.template.unwrap().0.to_string())
        .collect();
    assert_eq!(recorded, expected.map(|(_, recorded)| recorded.to_owned()));
}

#[tokio::test]
async fn whoever_names_a_retired_template_is_told_what_takes_its_place() {
    let bed = bed().await;
    let requests = [
        ("/v1/chat/completions", chat("gpt-5-mini", "hi")),
        ("/v1/chat/completions", streamed(chat("gpt-5-mini", "hi"))),
        ("/v1/messages", message("claude-haiku-4-5", "hi")),
        ("/v1/messages", streamed(message("claude-haiku-4-5", "hi"))),
    ];
    for (path, body) in &requests {
        for (said, expected) in [
            ("old-change", Some("small-change")),
            ("old-change@1", Some("small-change")),
            ("over", Some("none")),
            ("small-change", None),
            ("nobodys", None),
        ] {
            let request = bed.post(path, KEY, body).header(TEMPLATE, said);
            let reply = request.send().await.unwrap();
            assert_eq!(reply.status(), 200, "{path} {said}");
            let told = reply.headers().get(REPLACED_BY).map(|it| it.to_str().unwrap().to_owned());
            assert_eq!(told.as_deref(), expected, "{path} {said}");
            reply.bytes().await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_name_that_is_none_is_refused_in_the_dialect_and_sent_nowhere() {
    let bed = bed().await;
    for (path, body) in [
        ("/v1/chat/completions", chat("gpt-5-mini", "hi")),
        ("/v1/messages", message("claude-haiku-4-5", "hi")),
    ] {
        for bad in ["two words", "UPPER!", &"a".repeat(200)] {
            let reply = bed.post(path, KEY, &body).header(TEMPLATE, bad).send().await.unwrap();
            assert_eq!(reply.status(), 400, "{path} {bad}");
            let error: Value = reply.json().await.unwrap();
            assert_eq!(error["tally"]["code"], "header_invalid", "{error}");
            let message = error["error"]["message"].as_str().unwrap();
            assert!(message.contains("`x-tally-template`"), "{message}");
            assert!(
                error["tally"]["next_step"].as_str().is_some_and(|it| !it.is_empty()),
                "{error}"
            );
        }
    }
    assert_eq!(bed.served()["total"]["calls"], 0, "{}", bed.served());
}
