//! Numbers, the calls behind them, and prices.

use axum::body::Body;
use http::{Request, StatusCode};
use serde_json::json;

use crate::support::{Company, key};

const CALLS: &str = r#"{"measures":["calls"],"dimensions":["person"],"range":"today"}"#;

#[tokio::test]
async fn answers_as_json_and_as_csv() {
    let company = Company::new().await;
    company.record_calls();
    let answer = company.call("viewer", "POST", "/api/v1/query", CALLS).await.json();
    assert_eq!(answer["rows"], json!([["ada", 3], ["grace", 2]]));
    let csv = company.call("viewer", "POST", "/api/v1/query?format=csv", CALLS).await;
    assert_eq!(csv.headers["content-type"], "text/csv; charset=utf-8");
    assert_eq!(csv.text, "person,calls\r\nada,3\r\ngrace,2\r\n");
    let request = Request::post("/api/v1/query")
        .header("x-tally-key", key("viewer"))
        .header("accept", "text/csv;q=0.9, */*")
        .body(Body::from(CALLS))
        .unwrap();
    assert_eq!(company.send(request).await.text, csv.text);
}

#[tokio::test]
async fn developers_see_their_own_whatever_they_ask_for() {
    let company = Company::new().await;
    company.record_calls();
    let others = r#"{"measures":["calls"],"range":"today",
        "filters":[{"dimension":"person","op":"in","values":["grace","ada"]}]}"#;
    let answer = company.call("ada", "POST", "/api/v1/query", others).await.json();
    assert_eq!(answer["total"], json!([3]));
    let only_others = r#"{"measures":["calls"],"range":"today",
        "filters":[{"dimension":"person","op":"eq","values":["grace"]}]}"#;
    let answer = company.call("ada", "POST", "/api/v1/query", only_others).await.json();
    assert_eq!(answer["total"], json!([0]));
    let events = company.call("ada", "GET", "/api/v1/events", "").await.json();
    let items = events["items"].as_array().unwrap();
    assert!(items.len() == 3 && items.iter().all(|event| event["person"] == "ada"));
}

#[tokio::test]
async fn calls_are_paged_and_found_by_id() {
    let company = Company::new().await;
    company.record_calls();
    let mut ids = Vec::new();
    let mut after = String::new();
    loop {
        let path = format!("/api/v1/events?range=today&limit=2{after}");
        let page = company.call("viewer", "GET", &path, "").await.json();
        let items = page["items"].as_array().unwrap().clone();
        ids.extend(items.iter().map(|event| event["event_id"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        after = format!("&after={next}");
    }
    assert_eq!(ids.len(), 5);
    let one = company.call("viewer", "GET", &format!("/api/v1/events/{}", ids[0]), "").await;
    assert_eq!(one.json()["event_id"], json!(ids[0]));
    let filters = r#"[{"dimension":"person","op":"eq","values":["grace"]}]"#;
    let filters: String = filters.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let path = format!(
        "/api/v1/events?from=2026-11-15T00:00:00Z&to=2026-11-16T00:00:00Z&filters={filters}"
    );
    let few = company.call("viewer", "GET", &path, "").await.json();
    assert_eq!(few["items"].as_array().unwrap().len(), 2);
    let none = "/api/v1/events/99999999-0000-0000-0000-000000000000";
    assert_eq!(company.call("viewer", "GET", none, "").await.code(), "not_found");
}

#[tokio::test]
async fn wrong_questions_are_explained() {
    let company = Company::new().await;
    let unknown = r#"{"measures":["spend"],"range":"today"}"#;
    let reply = company.call("viewer", "POST", "/api/v1/query", unknown).await;
    assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY);
    insta::assert_json_snapshot!("unknown_measure", reply.json());
    let cut = company.call("viewer", "POST", "/api/v1/query", "{\"measures\":\n[").await;
    assert_eq!(cut.status, StatusCode::BAD_REQUEST);
    insta::assert_json_snapshot!("cut_off", cut.json());
    let nothing =
        company.call("viewer", "POST", "/api/v1/query", r#"{"measures":[],"range":"today"}"#).await;
    assert_eq!(nothing.code(), "query_invalid");
    for path in [
        "range=never",
        "from=2026-11-15T00:00:00Z",
        "after=x",
        "limit=0",
        "filters=x",
        "colour=red",
    ] {
        let reply = company.call("viewer", "GET", &format!("/api/v1/events?{path}"), "").await;
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (StatusCode::BAD_REQUEST, "query_invalid")
        );
    }
}

#[tokio::test]
async fn without_the_warehouse_the_answer_says_so() {
    let company = Company::new().await;
    company.slot.empty();
    let reply = company.call("viewer", "POST", "/api/v1/query", CALLS).await;
    assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE);
    insta::assert_json_snapshot!(reply.json());
    assert_eq!(company.call("viewer", "GET", "/api/v1/teams", "").await.status, StatusCode::OK);
}

#[tokio::test]
async fn the_catalog_lists_what_can_be_asked() {
    let company = Company::new().await;
    let catalog = company.call("viewer", "GET", "/api/v1/query/catalog", "").await.json();
    assert_eq!(catalog["measures"][0]["name"], "spend_usd");
    assert_eq!(catalog["measures"][0]["unit"], "usd");
    assert_eq!(catalog["dimensions"][0]["label"], "Person");
    assert!(catalog["ranges"].as_array().unwrap().contains(&json!("last_7_days")));
}

#[tokio::test]
async fn prices_that_hold_now() {
    let company = Company::new().await;
    let path = "/api/v1/prices?provider=anthropic&model=claude-opus&limit=1";
    let page = company.call("finops", "GET", path, "").await.json();
    let price = &page["items"][0];
    assert_eq!(price["provider"], "anthropic");
    assert!(price["version"].as_str().unwrap().contains('@'));
    assert!(price["rates"][0]["input"].is_string());
    assert_eq!(page["next"], json!("1"));
    let none = company.call("finops", "GET", "/api/v1/prices?provider=nobody", "").await.json();
    assert_eq!(none, json!({ "items": [], "next": null }));
}

#[tokio::test]
async fn managers_see_their_teams_and_developers_themselves() {
    let company = Company::new().await;
    company.record_calls();
    // ada and grace are in the team support, which grace manages; the calls name no team
    // but one: what is not known to be the team's is not shown.
    let by_person = r#"{"measures":["calls"],"dimensions":["person"],"range":"today","order":[{"by":"person"}]}"#;
    let rows = |reply: serde_json::Value| reply["rows"].clone();
    let seen = company.call("grace", "POST", "/api/v1/query", by_person).await;
    assert_eq!(rows(seen.json()), json!([["ada", 1]]), "{}", seen.text);
    let own = company.call("ada", "POST", "/api/v1/query", by_person).await;
    assert_eq!(rows(own.json()), json!([["ada", 3]]));
    let all = company.call("viewer", "POST", "/api/v1/query", by_person).await;
    assert_eq!(rows(all.json()), json!([["ada", 3], ["grace", 2]]));
    // A filter cannot widen what is seen.
    let wider = r#"{"measures":["calls"],"range":"today",
        "filters":[{"dimension":"team","op":"in","values":["support","unattributed","search"]}]}"#;
    let reply = company.call("grace", "POST", "/api/v1/query", wider).await;
    assert_eq!(rows(reply.json()), json!([[1]]));

    let events = company.call("grace", "GET", "/api/v1/events?range=today", "").await.json();
    assert_eq!(events["items"].as_array().unwrap().len(), 1);
    for (role, id, status) in [
        ("grace", 1, StatusCode::OK),
        ("grace", 4, StatusCode::NOT_FOUND),
        ("ada", 1, StatusCode::OK),
        ("ada", 4, StatusCode::NOT_FOUND),
        ("viewer", 4, StatusCode::OK),
    ] {
        let path = format!("/api/v1/events/00000000-0000-0000-0000-00000000000{id}");
        assert_eq!(company.call(role, "GET", &path, "").await.status, status, "{role} {path}");
    }
}

#[tokio::test]
async fn the_calls_behind_a_number_as_a_table() {
    let company = Company::new().await;
    company.record_calls();
    let path = "/api/v1/events?range=today&limit=2&format=csv";
    let csv = company.call("viewer", "GET", path, "").await;
    assert_eq!(csv.headers["content-type"], "text/csv; charset=utf-8");
    assert_eq!(csv.headers["x-tally-truncated"], "true");
    let lines: Vec<_> = csv.text.lines().collect();
    assert_eq!(lines.len(), 3);
    assert!(lines[0].starts_with("time,"), "{}", lines[0]);
    assert!(lines[1].contains("ada") && lines[1].contains("0.001"), "{}", lines[1]);
}
