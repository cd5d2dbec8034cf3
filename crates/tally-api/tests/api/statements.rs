//! Statements: who sees which, how they are reviewed, closed, and held against their seals.

use serde_json::{Value, json};
use tally_types::{
    CallId, Environment, EventId, NodeId, PersonName, Record, Source, Timestamp, UsageEvent,
};
use uuid::Uuid;

use crate::support::Company;

/// Calls of October at a known price: two for support, one for innovation, one for nobody.
fn october(company: &Company) {
    let calls = [
        (1, "2026-10-02T10:00:00Z", Some("cc-100-support"), Environment::Production),
        (2, "2026-10-03T10:00:00Z", Some("cc-100-support"), Environment::Experimentation),
        (3, "2026-10-04T10:00:00Z", Some("cc-900-innovation"), Environment::Production),
        (4, "2026-10-05T10:00:00Z", None, Environment::Production),
    ];
    let batch = calls.map(|(number, time, center, environment)| {
        (u64::try_from(number).unwrap(), call(number, time, center, environment))
    });
    company.warehouse.write(NodeId(Uuid::from_u128(9)), &batch).unwrap();
}

fn call(number: u128, time: &str, center: Option<&str>, environment: Environment) -> Record {
    let id = Uuid::from_u128(number);
    let time: Timestamp = time.parse().unwrap();
    let mut event = UsageEvent::new(EventId(id), CallId(id), time, Source::Gateway);
    event.person = Some("ada".parse::<PersonName>().unwrap());
    event.team = Some("support".parse().unwrap());
    event.cost_center = center.map(|name| name.parse().unwrap());
    event.environment = environment;
    event.operation = "messages".to_owned();
    event.provider = Some("anthropic".parse().unwrap());
    event.model_requested = "claude-haiku-4-5".to_owned();
    event.model_served = Some("claude-haiku-4-5".to_owned());
    event.tokens.input_uncached = 1_000;
    event.tokens.output = 100;
    let prices = tally_pricing::PriceCatalog::with_shipped([]).unwrap();
    prices.price_event("anthropic", &["claude-haiku-4-5"], &mut event);
    assert!(event.cost_list_usd.is_some());
    Record::Usage(Box::new(event))
}

async fn get(company: &Company, role: &str, path: &str) -> Value {
    let reply = company.call(role, "GET", path, "").await;
    assert_eq!(reply.status, 200, "{path}: {}", reply.text);
    reply.json()
}

#[tokio::test]
async fn a_month_goes_from_draft_to_its_seal() {
    let company = Company::new().await;
    october(&company);
    let drafted = get(&company, "finops", "/api/v1/statements?period=2026-10").await;
    assert_eq!(drafted["state"], "draft");
    let names: Vec<&Value> =
        drafted["items"].as_array().unwrap().iter().map(|item| &item["name"]).collect();
    assert_eq!(names, ["2026-10:cc-100-support", "2026-10:cc-900-innovation", "2026-10:-"]);
    // 1,000 × $1 and 100 × $5 a million tokens: $0.0015 a call.
    let totals = &drafted["items"][0]["totals"];
    assert_eq!((&totals["list_usd"], &totals["charged_usd"]), (&json!("0.003"), &json!("0.0015")));
    assert_eq!(drafted["items"][2]["totals"]["unallocated_usd"], "0.0015");

    let step = async |role: &str, verb: &str, body: Value| {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        company.call(role, "POST", &format!("/api/v1/periods/2026-10/{verb}"), &body).await
    };
    let dispute = json!({ "cost_center": "cc-100-support", "kind": "dispute", "text": "not ours" });
    let early = step("grace", "comments", dispute.clone()).await;
    assert_eq!((early.status.as_u16(), early.code()), (409, "period_refused".to_owned()));
    assert_eq!(step("finops", "review", Value::Null).await.status, 200);
    // Grace owns support, not innovation.
    assert_eq!(step("grace", "comments", dispute).await.status, 200);
    let foreign = json!({ "cost_center": "cc-900-innovation", "kind": "comment", "text": "?" });
    assert_eq!(step("grace", "comments", foreign).await.code(), "not_own");
    let refused = step("finops", "close", Value::Null).await;
    assert_eq!((refused.status.as_u16(), refused.code()), (409, "period_refused".to_owned()));
    let answer = json!({ "comment": 1, "text": "Its key is yours" });
    assert_eq!(step("finops", "answer", answer).await.status, 200);
    assert_eq!(step("finops", "settle", json!({ "comment": 1 })).await.status, 200);
    let closed = step("finops", "close", Value::Null).await.json();
    assert_eq!(closed["spec"]["state"], "closed");
    assert_eq!(closed["spec"]["seal"]["statements"].as_array().unwrap().len(), 3);
    let verified = get(&company, "auditor", "/api/v1/periods/2026-10/verify").await;
    assert_eq!(verified["differences"], json!([]));

    // A late call changes November, not October.
    let late = call(5, "2026-10-20T10:00:00Z", Some("cc-100-support"), Environment::Production);
    company.warehouse.write(NodeId(Uuid::from_u128(9)), &[(9, late)]).unwrap();
    let after = get(&company, "finops", "/api/v1/statements?period=2026-10").await;
    assert_eq!(after["items"][0]["totals"], *totals);
    let next = get(&company, "finops", "/api/v1/statements/2026-11:cc-100-support").await;
    assert_eq!(next["totals"]["corrections_usd"], "0.0015");
    assert_eq!(next["lines"][0]["corrects"], "2026-10");
    let verified = get(&company, "auditor", "/api/v1/periods/2026-10/verify").await;
    assert_eq!(verified["differences"], json!([]));

    // The owner was told, with what it comes to.
    let inbox = get(&company, "grace", "/api/v1/notifications").await;
    let titles = inbox["items"].to_string();
    assert!(titles.contains("is open for review") && titles.contains("is closed"), "{titles}");
}

#[tokio::test]
async fn owners_see_their_own_and_managers_their_teams() {
    let company = Company::new().await;
    october(&company);
    let own = get(&company, "grace", "/api/v1/statements?period=2026-10").await;
    assert_eq!(own["items"].as_array().unwrap().len(), 1);
    assert_eq!(own["items"][0]["cost_center"], "cc-100-support");
    for (role, name) in [
        ("grace", "cc-900-innovation"),
        ("grace", "-"),
        ("ada", "cc-100-support"),
        ("finops", "gone"),
    ] {
        let path = format!("/api/v1/statements/2026-10:{name}");
        assert_eq!(company.call(role, "GET", &path, "").await.status, 404, "{role} {name}");
    }
    let shown = get(&company, "grace", "/api/v1/showback?period=2026-10").await;
    assert_eq!(shown["items"][0]["team"], "support");
    assert_eq!(shown["items"][0]["totals"]["calls"], 4);
    let nothing = get(&company, "ada", "/api/v1/showback?period=2026-10").await;
    assert_eq!(nothing["items"], json!([]));
}

#[tokio::test]
async fn a_statement_is_a_table_and_a_page() {
    let company = Company::new().await;
    october(&company);
    let path = "/api/v1/statements/2026-10:cc-100-support";
    let csv = company.call("finops", "GET", &format!("{path}?format=csv"), "").await;
    assert_eq!(
        csv.text.lines().count(),
        5,
        "a row for input and output of each call: {}",
        csv.text
    );
    let page = company.call("finops", "GET", &format!("{path}?format=html"), "").await;
    assert!(page.text.starts_with("<!doctype html>"), "{}", page.text);
    let paper = company.call("finops", "GET", &format!("{path}?format=markdown"), "").await;
    assert!(paper.text.contains("- State: draft"), "{}", paper.text);
}

#[tokio::test]
async fn a_rate_card_is_tried_on_the_last_month() {
    let company = Company::new().await;
    october(&company);
    let body = json!({ "spec": { "from": "2027-01-01", "markup_percent": "10" } });
    let reply =
        company.call("finops", "POST", "/api/v1/rate-cards/preview", &body.to_string()).await;
    let preview = reply.json();
    assert_eq!(preview["period"], "2026-10");
    assert_eq!(preview["total"]["amount_before_usd"], "0.006");
    // Charged is rounded to cents by the card; the amount with it.
    assert_eq!(preview["effects"][1]["amount_after_usd"], "0.00165");
    let wrong = json!({ "spec": { "from": "2027-01-02" } }).to_string();
    let reply = company.call("finops", "POST", "/api/v1/rate-cards/preview", &wrong).await;
    assert_eq!((reply.status.as_u16(), reply.code()), (422, "spec_invalid".to_owned()));
}

#[tokio::test]
async fn months_say_how_far_they_have_come_and_owners_see_their_share() {
    let company = Company::new().await;
    october(&company);
    let months = "/api/v1/statement-months";
    let all = get(&company, "finops", months).await;
    let periods: Vec<&Value> =
        all["items"].as_array().unwrap().iter().map(|item| &item["period"]).collect();
    assert_eq!(periods, ["2026-11", "2026-10"]);
    let (this, last) = (&all["items"][0], &all["items"][1]);
    assert_eq!((&this["is_over"], &last["is_over"]), (&json!(false), &json!(true)));
    assert!(this["not_closable"].as_str().unwrap().contains("not over"), "{this}");
    assert_eq!((&last["state"], &last["not_closable"]), (&json!("draft"), &Value::Null));
    assert_eq!((&last["metered_usd"], &last["calls"]), (&json!("0.006"), &json!(4)));
    assert_eq!(last["sealed"], Value::Null);

    for verb in ["review", "close"] {
        let path = format!("/api/v1/periods/2026-10/{verb}");
        assert_eq!(company.call("finops", "POST", &path, "").await.status, 200);
    }
    let closed = get(&company, "auditor", months).await["items"][1].clone();
    assert_eq!(
        (&closed["state"], &closed["sealed"]["list_usd"]),
        (&json!("closed"), &json!("0.006"))
    );
    assert_eq!(closed["sealed"]["statements"], 3);
    let own = get(&company, "grace", months).await["items"][1].clone();
    assert_eq!(
        (&own["metered_usd"], &own["sealed"]["list_usd"]),
        (&json!("0.003"), &json!("0.003"))
    );
    assert_eq!(own["sealed"]["statements"], 1);
    let foreign = format!("{months}?cost_center=cc-900-innovation");
    assert_eq!(company.call("grace", "GET", &foreign, "").await.status, 404);
    let innovation = get(&company, "finops", &foreign).await;
    assert_eq!(innovation["items"][1]["calls"], 1);
    let me = get(&company, "grace", "/api/v1/me").await;
    assert_eq!(me["cost_centers"], json!(["cc-100-support"]));
}

#[tokio::test]
async fn another_chargeback_model_is_tried_before_it_holds() {
    let company = Company::new().await;
    october(&company);
    let path = "/api/v1/cost-centers/cc-100-support/preview";
    let body = json!({ "chargeback": { "model": "showback", "from": "2027-01-01" } }).to_string();
    let preview = company.call("finops", "POST", path, &body).await.json();
    assert_eq!(preview["period"], "2026-10");
    let charged = |of: &str| preview[of]["charged_usd"].clone();
    assert_eq!((charged("before"), charged("after")), (json!("0.0015"), json!("0")));
    assert_eq!(preview["after"]["subsidised_usd"], "0.003");
    let kept = get(&company, "finops", "/api/v1/cost-centers/cc-100-support").await;
    assert_ne!(kept["spec"]["chargeback"]["model"], "showback");

    let refused = company.call("finops", "POST", &path.replace("support", "gone"), &body).await;
    assert_eq!(refused.status, 404);
    let wrong = json!({ "chargeback": { "model": "hybrid", "quota_usd": "-1" } }).to_string();
    let refused = company.call("finops", "POST", path, &wrong).await;
    assert_eq!((refused.status.as_u16(), refused.code()), (422, "spec_invalid".to_owned()));
    assert_eq!(company.call("grace", "POST", path, &body).await.status, 403);
}
