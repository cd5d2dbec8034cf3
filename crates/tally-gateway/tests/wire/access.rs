//! Models and tiers that are used on request; workloads that are over.

use serde_json::{Value, json};

use crate::bed::{Bed, KEY, SUPPORT_KEY, chat, message};

async fn bed(patch: impl FnOnce(&mut Value)) -> Bed {
    Bed::with(patch, tally_gateway::Options::default()).await
}

async fn asked(bed: &Bed, path: &str, key: &str, body: &Value) -> (u16, Value) {
    let reply = bed.post(path, key, body).send().await.unwrap();
    (reply.status().as_u16(), reply.json().await.unwrap())
}

#[tokio::test]
async fn a_model_on_request_is_refused_with_the_next_step_until_access_is_given() {
    let on_request = |resources: &mut Value| {
        resources["models"]["gpt-4o-mini"]["access"] = json!("on_request");
    };
    let closed = bed(on_request).await;
    let (status, error) =
        asked(&closed, "/v1/chat/completions", KEY, &chat("gpt-4o-mini", "hi")).await;
    assert_eq!((status, &error["tally"]["code"]), (403, &json!("model_access_required")));
    let next = error["tally"]["next_step"].as_str().unwrap();
    assert!(next.contains("tally access request --model gpt-4o-mini"), "{next}");
    let (status, _) = asked(&closed, "/v1/chat/completions", KEY, &chat("gpt-5-mini", "hi")).await;
    assert_eq!(status, 200, "others stay open");

    let given =
        |until: &str| json!({ "ada": [{ "what": { "model": "gpt-4o-mini" }, "until": until }] });
    let open = bed(|resources| {
        on_request(resources);
        resources["access"] = given("2100-01-01T00:00:00Z");
    })
    .await;
    assert_eq!(asked(&open, "/v1/chat/completions", KEY, &chat("gpt-4o-mini", "hi")).await.0, 200);
    let over = bed(|resources| {
        on_request(resources);
        resources["access"] = given("2020-01-01T00:00:00Z");
    })
    .await;
    assert_eq!(asked(&over, "/v1/chat/completions", KEY, &chat("gpt-4o-mini", "hi")).await.0, 403);
}

#[tokio::test]
async fn a_tier_on_request_is_open_to_workloads_that_were_approved_for_it() {
    let tier = |resources: &mut Value| {
        resources["organization"] = json!({ "tiers_on_request": ["frontier"] });
    };
    let closed = bed(tier).await;
    let opus = message("claude-opus-4-8", "hi");
    let (status, error) = asked(&closed, "/v1/messages", KEY, &opus).await;
    assert_eq!((status, &error["tally"]["code"]), (403, &json!("model_access_required")));
    assert_eq!(asked(&closed, "/v1/messages", SUPPORT_KEY, &opus).await.0, 200);
    let given = bed(|resources| {
        tier(resources);
        resources["access"] =
            json!({ "ada": [{ "what": { "tier": "frontier" }, "until": "2100-01-01T00:00:00Z" }] });
    })
    .await;
    assert_eq!(asked(&given, "/v1/messages", KEY, &opus).await.0, 200);
}

#[tokio::test]
async fn calls_of_a_retired_workload_are_no_longer_its_own() {
    let bed = bed(|resources| resources["workloads"]["copilot"]["state"] = json!("retired")).await;
    let reply = asked(&bed, "/v1/chat/completions", SUPPORT_KEY, &chat("gpt-5-mini", "hi")).await;
    assert_eq!(reply.0, 200);
    let events = bed.events(1).await;
    let event = events.last().unwrap();
    assert_eq!(event.workload, None);
    assert_eq!(event.tags.get("tally.retired_workload").map(String::as_str), Some("copilot"));
    assert_eq!(event.environment, tally_types::Environment::Experimentation);
}
