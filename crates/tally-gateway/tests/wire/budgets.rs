//! Budgets through the gateway: stages in order, less instead of nothing, ceilings that hold.

use std::time::Duration;

use futures::StreamExt as _;
use serde_json::{Value, json};
use tally_types::{BudgetState, CallStatus, CounterId, FallbackReason};

use crate::bed::{Bed, KEY, SUPPORT_KEY, chat, message, streamed};

fn budget(limit: &Value, scope: &Value, stages: &Value) -> Value {
    json!({
        "owner": "grace", "scope": scope, "limit": limit,
        "window": { "calendar": "year" }, "stages": stages,
    })
}

async fn bed(budgets: Value) -> Bed {
    Bed::with(|resources| resources["budgets"] = budgets, tally_gateway::Options::default()).await
}

fn counter(name: &str) -> CounterId {
    CounterId { budget: name.parse().unwrap(), each: None, environment: None }
}

fn header<'a>(reply: &'a reqwest::Response, name: &str) -> &'a str {
    reply.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

impl Bed {
    fn stands(&self, name: &str) -> tally_types::BudgetUse {
        self.gateway.budgets().use_of(&counter(name), self.clock.now()).unwrap()
    }

    async fn ask(&self, path: &str, key: &str, body: &Value) -> reqwest::Response {
        self.post(path, key, body).send().await.unwrap()
    }
}

#[tokio::test]
async fn on_the_way_from_0_to_120_percent_each_stage_comes_in_order_and_answers_go_on() {
    let limit = json!({ "usd": "0.02" });
    let bed =
        bed(json!({ "team": budget(&limit, &json!({ "team": "support" }), &json!([])) })).await;
    let mut told: Vec<u32> = Vec::new();
    let mut models: Vec<String> = Vec::new();
    for _ in 0..400 {
        let mut body = message("claude-opus-4-8", "Say something about budgets.");
        body["max_tokens"] = 32.into();
        let reply = bed.ask("/v1/messages", KEY, &body).await;
        assert_eq!(reply.status(), 200);
        let model = header(&reply, "x-tally-model").to_owned();
        if models.last() != Some(&model) {
            models.push(model);
        }
        let _ = reply.bytes().await.unwrap();
        // A reply may be here before its call is settled: the next one is to find nothing held.
        while bed.stands("team").reserved.amount() > 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        for reached in bed.gateway.budgets().reached() {
            if reached.exhausted_at.is_none() && !told.contains(&reached.stage.at) {
                told.push(reached.stage.at);
            }
        }
        if bed.stands("team").settled.amount() * 100 > bed.stands("team").limit.amount() * 120 {
            break;
        }
    }
    assert_eq!(told, [70, 80, 90, 100]);
    assert_eq!(models, ["claude-opus-4-8", "claude-haiku-4-5"]);
    let stands = bed.stands("team");
    assert_eq!(stands.state, BudgetState::Degraded);
    assert!(stands.overage.amount() > 0, "{stands:?}");
}

#[tokio::test]
async fn a_degraded_call_says_what_was_asked_for_what_was_served_and_why() {
    let limit = json!({ "usd": "0.000001" });
    let bed =
        bed(json!({ "team": budget(&limit, &json!({ "team": "support" }), &json!([])) })).await;
    let reply = bed.ask("/v1/chat/completions", KEY, &chat("gpt-5", "hello")).await;
    assert_eq!(reply.status(), 200);
    assert_eq!(header(&reply, "x-tally-model"), "gpt-5-mini");
    assert_eq!(header(&reply, "x-tally-decision"), "degrade; budget=team");
    assert_eq!(header(&reply, "x-tally-degraded"), "model");
    let event = bed.events(1).await.remove(0);
    assert_eq!(event.fallback, Some(FallbackReason::Budget));
    assert_eq!(event.model_requested, "gpt-5");
    assert_eq!(event.model_served.as_deref(), Some("gpt-5-mini"));
    assert_eq!(event.tags["tally.degraded"], "model");
    // Already on the cheapest model: served and flagged.
    let reply = bed.ask("/v1/chat/completions", KEY, &chat("gpt-5-mini", "hello")).await;
    assert_eq!(reply.status(), 200);
    assert_eq!(header(&reply, "x-tally-model"), "gpt-5-mini");
    assert_eq!(header(&reply, "x-tally-degraded"), "none: already the cheapest");
    // An embedding never changes its model.
    let body = json!({ "model": "text-embedding-3-small", "input": "a" });
    let reply = bed.ask("/v1/embeddings", KEY, &body).await;
    assert_eq!(reply.status(), 200);
    assert_eq!(header(&reply, "x-tally-model"), "text-embedding-3-small");
}

#[tokio::test]
async fn a_workload_may_let_its_clients_be_refused_rather_than_degraded() {
    let patch = |resources: &mut Value| {
        resources["workloads"]["copilot"]["degrade_opt_out"] = true.into();
        resources["budgets"] = json!({
            "all": budget(&json!({ "usd": "0.000001" }), &json!({}), &json!([])),
        });
    };
    let bed = Bed::with(patch, tally_gateway::Options::default()).await;
    let never = |key| {
        bed.post("/v1/messages", key, &message("claude-opus-4-8", "hi"))
            .header("x-tally-degrade", "never")
    };
    let reply = never(SUPPORT_KEY).send().await.unwrap();
    assert_eq!(reply.status(), 429);
    assert_eq!(header(&reply, "x-should-retry"), "false");
    let body: Value = reply.json().await.unwrap();
    assert_eq!(body["tally"]["code"], "degrade_refused");
    assert_eq!(body["tally"]["budget"], "all");
    assert!(body["tally"]["next_step"].as_str().unwrap().contains("tally grant request"));
    // Where no workload allows it, the wish changes nothing.
    let reply = never(KEY).send().await.unwrap();
    assert_eq!(reply.status(), 200);
    assert_eq!(header(&reply, "x-tally-model"), "claude-haiku-4-5");
}

#[tokio::test]
async fn a_smaller_context_keeps_the_last_turn_and_says_so() {
    let stages = json!([{ "at": 1, "degrade": { "max_context_tokens": 1_024 } }]);
    let limit = json!({ "tokens": 1_000 });
    let bed = bed(json!({ "all": budget(&limit, &json!({}), &stages) })).await;
    let long = "word ".repeat(3_000);
    let body = json!({
        "model": "gpt-5", "messages": [
            { "role": "system", "content": "You are terse." },
            { "role": "user", "content": long }, { "role": "assistant", "content": "Yes." },
            { "role": "user", "content": "And now?" },
        ],
    });
    let reply = bed.ask("/v1/chat/completions", KEY, &body).await;
    assert_eq!(reply.status(), 200);
    assert_eq!(header(&reply, "x-tally-degraded"), "context");
    let event = bed.events(1).await.remove(0);
    assert!(event.tokens.input_uncached < 200, "{:?}", event.tokens);
    // What must be kept does not fit: refused, with the next step.
    let body = json!({ "model": "gpt-5", "messages": [{ "role": "user", "content": long }] });
    let reply = bed.ask("/v1/chat/completions", KEY, &body).await;
    assert_eq!(reply.status(), 429);
    let body: Value = reply.json().await.unwrap();
    assert!(body["tally"]["next_step"].as_str().unwrap().contains("send less"), "{body}");
}

#[tokio::test]
async fn regression_01_and_12_parallel_calls_cannot_pass_a_ceiling_and_use_it_up() {
    let stages = json!([{ "at": 100, "deny": true }]);
    let limit = json!({ "usd": "2" });
    let bed = bed(json!({ "cap": budget(&limit, &json!({}), &stages) })).await;
    let bed = &bed;
    let calls = (0..256).map(|number| async move {
        let mut refused = 0;
        for turn in 0..400 {
            let mut body = message("claude-opus-4-8", &format!("client {number}, turn {turn}"));
            body["max_tokens"] = 512.into();
            let body = if number % 2 == 0 { streamed(body) } else { body };
            let reply = bed.ask("/v1/messages", KEY, &body).await;
            match reply.status().as_u16() {
                200 => drop(reply.bytes().await.unwrap()),
                429 => {
                    assert_eq!(header(&reply, "x-tally-decision"), "deny; budget=cap");
                    assert!(header(&reply, "retry-after").parse::<u64>().unwrap() > 60);
                    refused += 1;
                    if refused == 3 {
                        break;
                    }
                }
                other => panic!("{other}"),
            }
        }
    });
    futures::stream::iter(calls).buffer_unordered(256).collect::<Vec<()>>().await;
    let mut stands = bed.stands("cap");
    for _ in 0..2_000 {
        if stands.reserved.amount() == 0 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        stands = bed.stands("cap");
    }
    let (settled, limit) = (stands.settled.amount(), stands.limit.amount());
    assert_eq!(stands.reserved.amount(), 0);
    assert!(settled <= limit, "{settled} of {limit}");
    assert!(settled * 100 >= limit * 95, "{settled} of {limit}");
}

#[tokio::test]
async fn regression_05_no_reservation_outlives_its_call() {
    let stages = json!([{ "at": 100, "deny": true }]);
    let bed = bed(json!({ "cap": budget(&json!({ "usd": "5" }), &json!({}), &stages) })).await;
    // A client that hangs up, a provider that fails, one that refuses the request.
    let mut body = streamed(message("claude-opus-4-8", "hang up"));
    body["max_tokens"] = 4_000.into();
    let reply = bed.ask("/v1/messages", KEY, &body).await;
    drop(reply);
    for status in ["500", "html"] {
        let body = message("claude-opus-4-8", &format!("[[sim fault={status}]]"));
        drop(bed.ask("/v1/messages", KEY, &body).await);
    }
    for _ in 0..1_000 {
        if bed.stands("cap").reserved.amount() == 0 && bed.journal.stats().open_intents == 0 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("{:?}", bed.stands("cap"));
}

#[tokio::test]
async fn regression_06_a_model_without_a_price_is_refused_under_a_budget_of_money() {
    let bed = bed(json!({ "all": budget(&json!({ "usd": "5" }), &json!({}), &json!([])) })).await;
    let reply = bed.ask("/v1/chat/completions", KEY, &chat("house-model", "hello")).await;
    assert_eq!(reply.status(), 429);
    let body: Value = reply.json().await.unwrap();
    assert_eq!(body["tally"]["code"], "budget_price_unknown");
    assert!(body["error"]["message"].as_str().unwrap().contains("house-model"), "{body}");
    let event = bed.events(1).await.remove(0);
    assert_eq!(event.status, CallStatus::Refused);
}

#[tokio::test]
async fn regression_10_every_route_counts() {
    let stages = json!([{ "at": 100, "deny": true }]);
    let bed = bed(json!({ "calls": budget(&json!({ "requests": 3 }), &json!({}), &stages) })).await;
    let embed = json!({ "model": "text-embedding-3-small", "input": "a" });
    let calls = [
        ("/v1/messages", message("claude-haiku-4-5", "one")),
        ("/v1/chat/completions", streamed(chat("gpt-5-mini", "two"))),
        ("/v1/embeddings", embed),
    ];
    for (path, body) in &calls {
        let reply = bed.ask(path, KEY, body).await;
        assert_eq!(reply.status(), 200, "{path}");
        let _ = reply.bytes().await.unwrap();
    }
    for (path, body) in &calls {
        assert_eq!(bed.ask(path, KEY, body).await.status(), 429, "{path}");
    }
}

#[tokio::test]
async fn an_answer_is_capped_only_under_a_ceiling_and_says_so() {
    let stages = json!([{ "at": 100, "deny": true }]);
    let limit = json!({ "tokens": 3_000 });
    let bed = bed(json!({ "cap": budget(&limit, &json!({}), &stages) })).await;
    let reply = bed.ask("/v1/chat/completions", KEY, &chat("gpt-5-mini", "hello")).await;
    assert_eq!(reply.status(), 200);
    assert_eq!(header(&reply, "x-tally-degraded"), "output");
    let _ = reply.bytes().await.unwrap();
    let stands = bed.stands("cap");
    assert!(stands.settled.amount() + stands.reserved.amount() <= 3_000, "{stands:?}");
}

#[tokio::test]
async fn rate_limits_answer_in_the_dialect_with_the_time_to_wait() {
    let patch = |resources: &mut Value| {
        resources["keys"]["ada-laptop"]["rate_limit"] = json!({ "requests_per_minute": 2 });
    };
    let bed = Bed::with(patch, tally_gateway::Options::default()).await;
    for _ in 0..2 {
        let reply = bed.ask("/v1/messages", KEY, &message("claude-haiku-4-5", "hi")).await;
        assert_eq!(reply.status(), 200);
    }
    let reply = bed.ask("/v1/messages", KEY, &message("claude-haiku-4-5", "hi")).await;
    assert_eq!(reply.status(), 429);
    let wait: u64 = header(&reply, "retry-after").parse().unwrap();
    assert!((1..=30).contains(&wait), "{wait}");
    let body: Value = reply.json().await.unwrap();
    assert_eq!(body["error"]["type"], "rate_limit_error");
    assert_eq!(body["tally"]["code"], "rate_limited");
    // Another key is not held back.
    let reply = bed.ask("/v1/messages", SUPPORT_KEY, &message("claude-haiku-4-5", "hi")).await;
    assert_eq!(reply.status(), 200);
}
