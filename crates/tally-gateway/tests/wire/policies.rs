//! Policies through the gateway: refused in the client's dialect, moved, lessened, watched.

use serde_json::{Value, json};
use tally_types::{CallStatus, FallbackReason, PolicyDecision, Severity, UsageEvent};

use crate::bed::{Bed, KEY, SUPPORT_KEY, chat, message};

fn rule(id: &str, when: &str, then: impl Into<Value>) -> Value {
    json!({ "id": id, "when": when, "then": then.into(), "severity": "high", "says": format!("Because of {id}.") })
}

async fn bed(rules: Value) -> Bed {
    bed_with(rules, |_| {}).await
}

async fn bed_with(rules: Value, patch: impl FnOnce(&mut Value)) -> Bed {
    let patch = |resources: &mut Value| {
        resources["policies"] = json!({ "p": { "rules": rules } });
        resources["providers"]["openai"]["data_classes"] = json!(["public", "internal"]);
        resources["providers"]["anthropic"]["data_classes"] =
            json!(["public", "internal", "confidential", "restricted"]);
        resources["providers"]["anthropic"]["zero_retention"] = true.into();
        patch(resources);
    };
    Bed::with(patch, tally_gateway::Options::default()).await
}

fn header<'a>(reply: &'a reqwest::Response, name: &str) -> &'a str {
    reply.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

impl Bed {
    async fn say(&self, key: &str, body: &Value, headers: &[(&str, &str)]) -> reqwest::Response {
        let path = match body["max_tokens"] {
            Value::Null => "/v1/chat/completions",
            _ => "/v1/messages",
        };
        let asked = headers
            .iter()
            .fold(self.post(path, key, body), |asked, (name, value)| asked.header(*name, *value));
        asked.send().await.unwrap()
    }

    async fn last(&self, count: usize) -> UsageEvent {
        self.events(count).await.pop().unwrap()
    }
}

#[tokio::test]
async fn a_refused_call_names_the_rule_and_the_next_step_in_its_dialect_and_is_seen() {
    let bed = bed(json!([
        rule("no-opus", r#"model == "claude-opus-4-8""#, "deny"),
        rule("look", r#"model == "gpt-5""#, "review"),
        rule("known", r#"data_class >= "confidential""#, "register"),
    ]))
    .await;
    let denied = bed.say(KEY, &message("claude-opus-4-8", "hi"), &[]).await;
    assert_eq!(denied.status(), 403);
    assert_eq!(header(&denied, "x-tally-decision"), "deny; rule=p/no-opus");
    let body: Value = denied.json().await.unwrap();
    assert_eq!(body["error"]["type"], "permission_error");
    assert_eq!(body["tally"]["code"], "policy_denied");
    assert_eq!(body["tally"]["rule"], "p/no-opus");
    assert_eq!(body["tally"]["message"], "Because of no-opus.");
    assert!(
        body["tally"]["next_step"].as_str().unwrap().contains("/exceptions/new?rule=p/no-opus")
    );
    let event = bed.last(1).await;
    assert_eq!((event.status, event.http_status), (CallStatus::Refused, Some(403)));
    assert_eq!(event.error_code.as_deref(), Some("policy_denied"));
    assert_eq!(event.rules, ["p/no-opus"]);
    assert_eq!(event.policy_decision, Some(PolicyDecision::Deny));
    assert_eq!(event.policy_severity, Some(Severity::High));
    assert!(event.is_violation());

    let review = bed.say(KEY, &chat("gpt-5", "hi"), &[]).await;
    assert_eq!(review.status(), 403);
    let body: Value = review.json().await.unwrap();
    assert_eq!(body["error"]["code"], "policy_review");
    let next_step = body["tally"]["next_step"].as_str().unwrap();
    assert!(next_step.contains("/exceptions/new?rule=p/look&person=ada"), "{next_step}");

    let class = [("x-tally-data-class", "confidential")];
    let unknown = bed.say(KEY, &chat("gpt-5-mini", "hi"), &class).await;
    let body: Value = unknown.json().await.unwrap();
    assert_eq!(body["tally"]["code"], "workload_unregistered");
    assert_eq!(bed.say(SUPPORT_KEY, &chat("gpt-5-mini", "hi"), &class).await.status(), 200);
    assert_eq!(bed.events(4).await.len(), 4);
    // Counting tokens shows the prompt to the provider just as well.
    let body =
        json!({ "model": "claude-opus-4-8", "messages": [{ "role": "user", "content": "hi" }] });
    let counted = bed.post("/v1/messages/count_tokens", KEY, &body).send().await.unwrap();
    assert_eq!(counted.status(), 403);
}

#[tokio::test]
async fn a_call_is_moved_to_the_provider_that_a_rule_names() {
    let two_routes = |resources: &mut Value| {
        let mut vault = resources["providers"]["openai"].clone();
        vault["data_classes"] = json!(["restricted"]);
        vault["zero_retention"] = true.into();
        resources["providers"]["vault"] = vault;
        resources["models"]["gpt-5"] = json!({
            "routes": [{ "provider": "openai" }, { "provider": "vault" }], "tier": "frontier",
        });
        resources["models"]["vault-mini"] = json!({
            "routes": [{ "provider": "vault", "upstream_name": "gpt-5-mini" }], "tier": "economy",
        });
    };
    let rules =
        json!([rule("vault", r#"data_class == "restricted""#, json!({ "reroute": "vault" }))]);
    let bed = bed_with(rules, two_routes).await;
    let class = [("x-tally-data-class", "restricted")];
    let moved = bed.say(KEY, &chat("gpt-5", "hi"), &class).await;
    assert_eq!(moved.status(), 200);
    assert_eq!(header(&moved, "x-tally-decision"), "reroute; rule=p/vault");
    let event = bed.last(1).await;
    assert_eq!(event.provider.as_ref().unwrap().as_str(), "vault");
    assert_eq!(event.fallback, Some(FallbackReason::Policy));
    // Not served there: a model of the same tier that is.
    let other = bed.say(KEY, &chat("gpt-5-mini", "hi"), &class).await;
    assert_eq!((other.status().as_u16(), header(&other, "x-tally-model")), (200, "vault-mini"));
    // Already there: nothing was done.
    let there = bed.say(KEY, &chat("vault-mini", "hi"), &class).await;
    assert_eq!(header(&there, "x-tally-decision"), "allow");
    // An embedding of another model would be worth nothing.
    let body = json!({ "model": "text-embedding-3-small", "input": "a" });
    let asked = bed.post("/v1/embeddings", KEY, &body).header(class[0].0, class[0].1);
    let reply = asked.send().await.unwrap();
    assert_eq!(reply.status(), 403);
    let body: Value = reply.json().await.unwrap();
    assert_eq!(body["tally"]["rule"], "p/vault");
    assert!(body["tally"]["message"].as_str().unwrap().contains("serves nothing like"));
    // What the rule says nothing about stays where it was.
    let stays = bed.say(KEY, &chat("gpt-5", "hi"), &[]).await;
    assert_eq!(header(&stays, "x-tally-decision"), "allow");
    assert_eq!(bed.last(5).await.provider.unwrap().as_str(), "openai");
}

#[tokio::test]
async fn a_call_is_served_by_a_cheaper_model_where_a_rule_says_so() {
    let bed = bed(json!([
        rule("small", r#"tier == "frontier" && task_type == "classification""#, "degrade"),
        rule(
            "economy",
            r#"task_type == "translation""#,
            json!({ "degrade": { "tier": "economy" } })
        ),
    ]))
    .await;
    let small = [("x-tally-task-type", "classification")];
    let reply = bed.say(KEY, &chat("gpt-5", "hi"), &small).await;
    assert_eq!(header(&reply, "x-tally-model"), "gpt-5-mini");
    assert_eq!(header(&reply, "x-tally-decision"), "degrade; rule=p/small");
    assert_eq!(header(&reply, "x-tally-degraded"), "model");
    let event = bed.last(1).await;
    assert_eq!(event.fallback, Some(FallbackReason::Policy));
    assert!(event.is_violation());
    // Cheap enough already.
    let reply =
        bed.say(KEY, &chat("gpt-5-mini", "hi"), &[("x-tally-task-type", "translation")]).await;
    assert_eq!(header(&reply, "x-tally-decision"), "allow");
    assert!(!bed.last(2).await.is_violation());
}

#[tokio::test]
async fn a_way_that_a_rule_refuses_is_never_taken_not_even_as_a_fallback() {
    let cheap_elsewhere = |resources: &mut Value| {
        let mut loose = resources["providers"]["anthropic"].clone();
        loose["data_classes"] = json!(["public"]);
        resources["providers"]["loose"] = loose;
        // The first route and the fallback are not approved; the second route is.
        resources["models"]["claude-opus-4-8"] = json!({
            "routes": [{ "provider": "loose" }, { "provider": "anthropic" }],
            "tier": "frontier", "cheaper": "claude-haiku-4-5",
        });
        resources["models"]["claude-haiku-4-5"] = json!({ "provider": "loose", "tier": "economy" });
        resources["budgets"] = json!({ "tiny": {
            "owner": "grace", "scope": {}, "limit": { "usd": "0.000001" },
            "window": { "calendar": "year" }, "stages": [],
        } });
    };
    let rules = json!([rule("approved", "!(data_class in provider.data_classes)", "deny")]);
    let bed = bed_with(rules, cheap_elsewhere).await;
    // The budget asks for the cheaper model, which only the unapproved provider serves.
    let reply = bed.say(SUPPORT_KEY, &message("claude-opus-4-8", "hi"), &[]).await;
    assert_eq!(reply.status(), 200);
    assert_eq!(header(&reply, "x-tally-model"), "claude-opus-4-8");
    assert_eq!(bed.last(1).await.provider.unwrap().as_str(), "anthropic");
    let refused = bed.say(SUPPORT_KEY, &message("claude-haiku-4-5", "hi"), &[]).await;
    assert_eq!(refused.status(), 403);
}

#[tokio::test]
async fn redaction_logging_shadow_and_budgets_are_told_together() {
    let patch = |resources: &mut Value| {
        resources["policies"]["watching"] = json!({
            "shadow": true, "rules": [rule("all", "true", "deny")],
        });
        resources["policies"]["stage"] = json!({
            "rules": [rule("late", "budget_stage >= 100", "log")],
        });
        resources["budgets"] = json!({ "tiny": {
            "owner": "grace", "scope": {}, "limit": { "usd": "0.000001" },
            "window": { "calendar": "year" }, "stages": [],
        } });
    };
    let rules = json!([
        rule("mail", r#"provider.name == "openai""#, json!({ "redact": ["email"] })),
        rule("fine", "true", "allow"),
    ]);
    let bed = bed_with(rules, patch).await;
    let reply = bed.say(KEY, &chat("gpt-5", "hi"), &[]).await;
    assert_eq!(header(&reply, "x-tally-decision"), "redact; rule=p/mail, degrade; budget=tiny");
    let event = bed.last(1).await;
    assert_eq!(event.rules, ["p/mail", "p/fine"]);
    assert_eq!(event.shadow_rules, ["watching/all"]);
    assert_eq!(event.policy_decision, Some(PolicyDecision::Redact));
    assert!(!event.is_violation());
    // The budget is beyond 100 % by now.
    bed.say(KEY, &chat("gpt-5", "hi"), &[]).await;
    assert!(bed.last(2).await.rules.contains(&"stage/late".to_owned()));
}
