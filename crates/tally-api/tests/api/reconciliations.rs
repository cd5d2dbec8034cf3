//! Bills: kept once, decided about by a second person, posted into statements that balance.

use serde_json::{Value, json};
use tally_types::{CallId, EventId, NodeId, Record, Source, Timestamp, UsageEvent};
use uuid::Uuid;

use crate::support::{Company, Reply};

const ALL: &str = "/api/v1/reconciliations";
/// Three differences are planted: a day that nobody metered, another price of one meter, and a
/// model that nobody registered.
const BILL: &str = "date,model,meter,quantity,cost,currency\n\
    2026-10-02,claude-haiku-4-5,input_uncached,1000,0.001,USD\n\
    2026-10-02,claude-haiku-4-5,output,100,0.0005,USD\n\
    2026-10-03,claude-haiku-4-5,output,8400000,42.00,USD\n\
    2026-10-04,claude-haiku-4-5,input_uncached,1000,0.001,USD\n\
    2026-10-04,claude-haiku-4-5,output,100,5.00,USD\n\
    2026-10-04,claude-nova-1,output,10000,7.77,USD\n";

fn call(number: u64, time: &str) -> (u64, Record) {
    let id = Uuid::from_u128(u128::from(number));
    let time: Timestamp = time.parse().unwrap();
    let mut event = UsageEvent::new(EventId(id), CallId(id), time, Source::Gateway);
    event.cost_center = Some("cc-100-support".parse().unwrap());
    event.team = Some("support".parse().unwrap());
    event.operation = "messages".to_owned();
    event.provider = Some("anthropic".parse().unwrap());
    event.model_requested = "claude-haiku-4-5".to_owned();
    event.model_served = Some("claude-haiku-4-5".to_owned());
    event.tokens.input_uncached = 1_000;
    event.tokens.output = 100;
    let prices = tally_pricing::PriceCatalog::with_shipped([]).unwrap();
    prices.price_event("anthropic", &["claude-haiku-4-5"], &mut event);
    (number, Record::Usage(Box::new(event)))
}

async fn company() -> Company {
    let company = Company::new().await;
    let calls = [call(1, "2026-10-02T10:00:00Z"), call(2, "2026-10-04T10:00:00Z")];
    company.warehouse.write(NodeId(Uuid::from_u128(9)), &calls).unwrap();
    company
}

async fn import(company: &Company, role: &str, dry_run: bool) -> Reply {
    let bill = json!({
        "provider": "anthropic", "format": "csv", "text": BILL, "dry_run": dry_run,
    });
    company.call(role, "POST", ALL, &bill.to_string()).await
}

async fn get(company: &Company, role: &str, path: &str) -> Value {
    let reply = company.call(role, "GET", path, "").await;
    assert_eq!(reply.status, 200, "{path}: {}", reply.text);
    reply.json()
}

fn kinds(found: &Value) -> Vec<&str> {
    let variances = found["variances"].as_array().unwrap().iter();
    variances.map(|it| it["kind"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn three_planted_differences_are_kept_once_and_shown_as_they_were_found() {
    let company = company().await;
    let looked = import(&company, "finops", true).await.json();
    assert_eq!(looked["outcome"], "compared");
    assert_eq!(get(&company, "finops", ALL).await["items"], json!([]), "nothing is kept");

    let first = import(&company, "finops", false).await.json();
    assert_eq!(first["outcome"], "imported");
    let found = &first["reconciliation"];
    assert_eq!(kinds(found), ["missing_traffic", "price_change", "unknown_model"]);
    assert_eq!(found["proposed_usd"], "54.7695");
    assert_eq!(kinds(&looked["reconciliation"]), kinds(found));
    let days = found["days"].as_array().unwrap();
    assert_eq!(days.len(), 3);
    assert_eq!((&days[1]["billed_usd"], &days[1]["metered_usd"]), (&json!("42"), &json!("0")));

    // Somebody else sends it again, after more was metered.
    company
        .warehouse
        .write(NodeId(Uuid::from_u128(9)), &[call(3, "2026-10-03T10:00:00Z")])
        .unwrap();
    let again = import(&company, "admin", false).await.json();
    assert_eq!(again["outcome"], "known");
    let again = &again["reconciliation"];
    assert_eq!(again["imported_by"], "p-finops");
    assert_eq!(kinds(again), kinds(found));
    assert_eq!(again["variances"][0]["proposed_usd"], "42");
    // The call covers a hundred of its 8.4 million tokens.
    assert_eq!(again["variances"][0]["uncovered_usd"], "41.9995");
    let listed = get(&company, "auditor", ALL).await;
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&listed["items"][0]["variances"], &listed["items"][0]["posted"]),
        (&json!(3), &json!(0))
    );
    let id = found["id"].as_str().unwrap();
    let of_auditor = get(&company, "auditor", &format!("{ALL}/{id}")).await;
    assert_eq!(of_auditor["not_decidable"], "FinOps and admins decide.");
    assert_eq!(company.call("auditor", "GET", &format!("{ALL}/none"), "").await.status, 404);
    assert_eq!(company.call("manager", "GET", ALL, "").await.status, 403);
}

#[tokio::test]
async fn a_second_person_approves_and_the_posted_amount_balances_everywhere() {
    let company = company().await;
    let found = import(&company, "finops", false).await.json()["reconciliation"].clone();
    let id = found["id"].as_str().unwrap();
    let step = async |role: &str, verb: &str, body: Value| {
        company.call(role, "POST", &format!("{ALL}/{id}/{verb}"), &body.to_string()).await
    };
    let approval = json!({
        "numbers": [1], "cost_center": "cc-100-support", "reason": "the batch host",
    });
    let own = step("finops", "approve", approval.clone()).await;
    assert_eq!((own.status.as_u16(), own.code()), (403, "own_import".to_owned()));
    assert_eq!(step("auditor", "approve", approval.clone()).await.status, 403);
    let nothing = step("admin", "approve", json!({ "numbers": [9], "reason": "?" })).await;
    assert_eq!(
        (nothing.status.as_u16(), nothing.code()),
        (409, "reconciliation_refused".to_owned())
    );
    assert_eq!(step("admin", "post", json!({})).await.code(), "reconciliation_refused");

    let approved = step("admin", "approve", approval).await.json();
    assert_eq!((&approved["approved_usd"], &approved["posted_usd"]), (&json!("42"), &json!("0")));
    let unknown = json!({ "numbers": [3], "reason": "a trial that nobody asked for" });
    assert_eq!(step("admin", "approve", unknown).await.json()["approved_usd"], "49.77");
    let rejected = json!({ "reason": "the provider takes it back" });
    let rejected = step("admin", "reject", rejected).await.json();
    assert_eq!(rejected["rejected_usd"], "4.9995", "what is left undecided");
    let before = get(&company, "finops", "/api/v1/statements?period=2026-10").await;
    let posted = step("finops", "post", json!({})).await.json();
    assert_eq!((&posted["approved_usd"], &posted["posted_usd"]), (&json!("0"), &json!("49.77")));
    let stands = &posted["variances"][0]["stands_in"];
    assert_eq!(*stands, json!([{ "period": "2026-10", "amount_usd": "42", "closed": false }]));

    let after = get(&company, "finops", "/api/v1/statements?period=2026-10").await;
    let charged = |all: &Value, at: usize| all["items"][at]["totals"]["amount_usd"].clone();
    assert_eq!((charged(&before, 0), charged(&after, 0)), (json!("0.003"), json!("42.003")));
    let nobody = after["items"].as_array().unwrap().last().unwrap();
    assert_eq!(nobody["totals"]["unallocated_usd"], "7.77");
    let statement = get(&company, "finops", "/api/v1/statements/2026-10:cc-100-support").await;
    let line = statement["lines"].as_array().unwrap().iter().find(|it| it["line"] == "adjustment");
    let line = line.unwrap();
    assert_eq!((&line["aggregate"], &line["amount_usd"]), (&json!(true), &json!("42")));
    assert_eq!(line["adjustment"], format!("{id}-1"));
    let csv = "/api/v1/statements/2026-10:cc-100-support?format=csv";
    let csv = company.call("finops", "GET", csv, "").await.text;
    assert!(csv.contains(&format!("{id}-1,true")), "{csv}");
    for version in ["1.2", "1.4"] {
        let focus = format!("/api/v1/exports/focus?period=2026-10&version={version}");
        let focus = company.call("finops", "GET", &focus, "").await.text;
        assert_eq!(billed(&focus), "49.77", "calls of experiments are paid centrally: {focus}");
        assert!(focus.contains("tally/Aggregate"), "{focus}");
    }

    company.clock.advance(std::time::Duration::from_secs(3_600));
    let closed = company.call("finops", "POST", "/api/v1/periods/2026-10/close", "").await;
    assert_eq!(closed.status, 200, "{}", closed.text);
    let sealed = get(&company, "finops", &format!("{ALL}/{id}")).await;
    assert_eq!(sealed["variances"][0]["stands_in"][0]["closed"], true);
    let verified = get(&company, "auditor", "/api/v1/periods/2026-10/verify").await;
    assert_eq!(verified["differences"], json!([]));
    let undone = step("admin", "reject", json!({ "numbers": [1], "reason": "no" })).await;
    assert_eq!(undone.status, 409, "what is posted stays");
}

/// What the rows of a file bill: what is charged and unallocated.
fn billed(focus: &str) -> String {
    let mut reader = csv::Reader::from_reader(focus.as_bytes());
    let place = reader.headers().unwrap().iter().position(|name| name == "BilledCost").unwrap();
    let pico = |text: &str| text.parse::<tally_types::PicoUsdSum>().unwrap().pico();
    let sum = reader.records().map(|row| pico(&row.unwrap()[place])).sum();
    tally_types::PicoUsdSum::from_pico(sum).to_string()
}

#[tokio::test]
async fn what_is_no_bill_is_refused_and_nothing_is_kept() {
    let company = company().await;
    for (provider, text, said) in [
        ("anthropic", "date,model\n", "expected `date,model,meter,quantity,cost,currency`"),
        (
            "anthropic",
            "date,model,meter,quantity,cost,currency\n2026-10-02,m,output,1,1.5,EUR\n",
            "expected USD",
        ),
        ("acme-ai", BILL, "there is no provider `acme-ai`"),
        (
            "anthropic",
            "date,model,meter,quantity,cost,currency\n2026-01-02,m,output,1,1,USD\n2026-10-02,m,output,1,1,USD\n",
            "at most 100 days",
        ),
    ] {
        let body = json!({ "provider": provider, "format": "csv", "text": text });
        let reply = company.call("finops", "POST", ALL, &body.to_string()).await;
        assert_eq!((reply.status.as_u16(), reply.code()), (422, "bill_invalid".to_owned()));
        assert!(reply.text.contains(said), "{}", reply.text);
    }
    assert_eq!(get(&company, "finops", ALL).await["items"], json!([]));
}
