//! What users of other gateways suffered from.

use http::StatusCode;
use serde_json::json;

use super::{browser::Browser, company};
use crate::support::Company;

/// 28: default passwords and keys that everyone knows.
#[tokio::test]
async fn regression_28_nothing_opens_a_fresh_install() {
    let company = Company::new().await;
    let mut browser = Browser::new(&company);
    for name in ["admin", "root", "p-admin", "tally", "ada"] {
        for password in ["", "admin", "password", "tally", "changeme", "sk-1234"] {
            company.clock.advance(std::time::Duration::from_secs(60));
            let reply = browser.sign_in(name, password).await;
            assert_eq!(reply.code(), "credentials_invalid", "{name} {password}");
        }
    }
    for token in ["", "set-up", "token", "0", "tally"] {
        let body = json!({ "token": token, "name": "eve", "password": super::PASSWORD });
        assert_eq!(browser.enter("/api/v1/set-up", body).await.code(), "link_invalid");
        let body = json!({ "token": token, "password": super::PASSWORD });
        assert_eq!(browser.enter("/api/v1/invitations/accept", body).await.code(), "link_invalid");
    }
    for key in ["sk-1234", "admin", "tally", "tally_admin", "changeme"] {
        let reply = company.call_with(key, "GET", "/api/v1/me", "").await;
        assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(browser.cookie, None);
}

/// 29: pages and data that answer whoever asks.
#[tokio::test]
async fn regression_29_no_data_without_signing_in() {
    let company = company().await;
    let document = tally_api::openapi_document();
    let stranger = Browser::new(&company);
    let mut forged = Browser::new(&company);
    forged.cookie = Some("tally_session=made-up".to_owned());
    let mut asked = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let is_open = operation["security"] == json!([]);
            if is_open {
                continue;
            }
            let path =
                path.replace("{name}", "ada").replace("{id}", "1").replace("{person}", "ada");
            let path = path.replace("{call_id}", "1");
            for browser in [&stranger, &forged] {
                let reply = browser.send(&method.to_uppercase(), &path, Some(json!({}))).await;
                assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "{method} {path}");
                assert!(["key_missing", "session_expired"].contains(&reply.code().as_str()));
            }
            asked += 1;
        }
    }
    assert!(asked > 50, "{asked}");
    let open: Vec<&str> = document["paths"]
        .as_object()
        .unwrap()
        .values()
        .flat_map(|methods| methods.as_object().unwrap().values())
        .filter(|operation| operation["security"] == json!([]))
        .map(|operation| operation["operationId"].as_str().unwrap())
        .collect();
    assert_eq!(open, ["healthz", "readyz", "getSignIn", "signIn", "setUp", "acceptInvitation"]);
}

/// 27: the admin's own budget is spent, and with it the way to raise it.
#[tokio::test]
async fn regression_27_a_spent_budget_locks_no_admin_out() {
    let company = company().await;
    company.record_calls();
    let spent = json!({ "name": "nothing-left", "spec": {
        "owner": "p-admin", "scope": { "organization": "acme" },
        "limit": { "usd": "0.000001" }, "window": { "calendar": "day" },
        "stages": [{ "at": 100, "deny": true }],
    } });
    let made = company.call("admin", "POST", "/api/v1/budgets", &spent.to_string()).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    let mut admin = Browser::new(&company);
    assert_eq!(admin.sign_in("p-admin", super::PASSWORD).await.status, StatusCode::OK);
    let question = json!({ "measures": ["spend_usd"], "range": "today" });
    let seen = admin.send("POST", "/api/v1/query", Some(question)).await.json();
    assert_eq!(seen["total"], json!(["0.005"]), "more than the limit");
    let path = "/api/v1/budgets/nothing-left";
    let mut raised = spent["spec"].clone();
    raised["limit"]["usd"] = json!("1000");
    let change = json!({ "version": 1, "spec": raised });
    assert_eq!(admin.send("PUT", path, Some(change)).await.status, StatusCode::OK);
}
