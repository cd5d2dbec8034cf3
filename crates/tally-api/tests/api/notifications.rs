//! Inboxes, and what is sent out of the house.

use serde_json::{Value, json};
use tally_store::notices::{Channel, Channels, Outlet};

use crate::support::Company;

/// Two grants asked for by ada; grace is told of both.
async fn told() -> Company {
    let company = Company::new().await;
    let outlet = Outlet { channel: Channel::Webhook, name: "ops".to_owned(), only_named: false };
    company.store.set_channels(Channels { mail: true, outlets: vec![outlet] });
    for reason in ["one", "two"] {
        let body = json!({
            "counter": { "budget": "support-month" }, "increase": { "usd": "250" },
            "until": "2026-11-30T17:00:00Z", "reason": reason,
        });
        let made = company.call("ada", "POST", "/api/v1/grants", &body.to_string()).await;
        assert_eq!(made.status, 201, "{}", made.text);
    }
    company
}

async fn get(company: &Company, role: &str, path: &str) -> Value {
    company.call(role, "GET", path, "").await.json()
}

#[tokio::test]
async fn everyone_has_an_inbox_of_their_own() {
    let company = told().await;
    let page = get(&company, "grace", "/api/v1/notifications?limit=1").await;
    assert_eq!((page["items"].as_array().unwrap().len(), &page["unread"]), (1, &json!(2)));
    let first = &page["items"][0];
    assert_eq!(first["title"], "Ada asks for 250 USD more on support-month");
    assert_eq!(first["link"], "/approvals/support-month-2026-11-15-ada-2");
    let next = page["next"].as_str().unwrap();
    let rest = get(&company, "grace", &format!("/api/v1/notifications?after={next}")).await;
    assert_eq!(rest["items"][0]["link"], "/approvals/support-month-2026-11-15-ada");
    assert_eq!(get(&company, "ada", "/api/v1/notifications").await["items"], json!([]));

    let path = "/api/v1/notifications/read";
    let these = json!({ "ids": [first["id"]] }).to_string();
    // Of somebody else's nothing changes.
    assert_eq!(company.call("ada", "POST", path, &these).await.status, 204);
    assert_eq!(get(&company, "grace", "/api/v1/notifications").await["unread"], 2);
    assert_eq!(company.call("grace", "POST", path, &these).await.status, 204);
    let left = get(&company, "grace", "/api/v1/notifications?unread=true").await;
    assert_eq!((left["items"].as_array().unwrap().len(), &left["unread"]), (1, &json!(1)));
    assert_eq!(company.call("grace", "POST", path, r#"{"all":true}"#).await.status, 204);
    assert_eq!(get(&company, "grace", "/api/v1/notifications").await["unread"], 0);
    for wrong in ["{}", r#"{"ids":["1"],"all":true}"#, r#"{"ids":["x"]}"#] {
        assert_eq!(company.call("grace", "POST", path, wrong).await.code(), "argument_invalid");
    }
    let robot = company.call("robot", "GET", "/api/v1/notifications", "").await;
    assert_eq!(robot.code(), "person_needed");
}

#[tokio::test]
async fn what_was_sent_is_visible_and_can_be_sent_again() {
    let company = told().await;
    let page = get(&company, "auditor", "/api/v1/deliveries").await;
    let items = page["items"].as_array().unwrap();
    let whom: Vec<_> = items.iter().map(|one| one["to"].as_str().unwrap()).collect();
    assert_eq!(whom, ["ops", "grace@acme.test", "ops", "grace@acme.test"]);
    assert!(items.iter().all(|one| one["state"] == "waiting"));
    let id: i64 = items[0]["id"].as_str().unwrap().parse().unwrap();
    company.store.deliveries().failed(id, "answered 410", true).await.unwrap();
    let failed = get(&company, "finops", "/api/v1/deliveries?state=failed").await;
    assert_eq!(failed["items"][0]["last_error"], "answered 410");
    let path = format!("/api/v1/deliveries/{id}/retry");
    assert_eq!(company.call("auditor", "POST", &path, "").await.code(), "role_missing");
    let again = company.call("finops", "POST", &path, "").await.json();
    assert_eq!((&again["state"], &again["attempts"]), (&json!("waiting"), &json!(0)));
    let nothing = company.call("finops", "POST", "/api/v1/deliveries/4711/retry", "").await;
    assert_eq!(nothing.code(), "not_found");
}
