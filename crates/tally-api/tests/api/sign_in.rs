//! Coming in: what opens the door, what does not, and what ends a session.

mod abuse;
mod accounts;
pub mod browser;
mod regressions;

use http::StatusCode;
use serde_json::{Value, json};

use crate::support::Company;
use browser::Browser;

pub const PASSWORD: &str = "four words make a sentence";
pub const OTHER: &str = "these five words make another";

/// A company where `ada` (developer) and `p-admin` (admin) have an account.
pub async fn company() -> Company {
    let company = Company::new().await;
    for person in ["ada", "p-admin"] {
        let person = person.parse().unwrap();
        tally_api::create_account(&company.store, "test", &person, PASSWORD).await.unwrap();
    }
    company
}

#[tokio::test]
async fn a_person_signs_in_works_and_signs_out() {
    let company = company().await;
    let mut ada = Browser::new(&company);
    let opened = ada.send("GET", "/api/v1/sign-in", None).await;
    assert_eq!(
        opened.json(),
        json!({ "methods": [{ "kind": "password" }], "needs_set_up": false })
    );
    assert_eq!(ada.send("GET", "/api/v1/me", None).await.code(), "key_missing");

    let reply = ada.sign_in("ada", PASSWORD).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
    let cookie = reply.headers["set-cookie"].to_str().unwrap().to_owned();
    let attributes = "; Path=/; HttpOnly; SameSite=Strict; Max-Age=2592000";
    assert!(cookie.starts_with("tally_session=") && cookie.ends_with(attributes), "{cookie}");
    let me = reply.json();
    assert_eq!((&me["person"]["name"], &me["key"]), (&json!("ada"), &Value::Null));
    assert_eq!(ada.send("GET", "/api/v1/me", None).await.json(), me);

    let sessions = ada.send("GET", "/api/v1/me/sessions", None).await.json();
    assert_eq!(sessions["items"].as_array().unwrap().len(), 1);
    assert_eq!(sessions["items"][0]["id"], me["session"]["id"]);
    assert_eq!(sessions["items"][0]["current"], true);
    assert_eq!(sessions["items"][0]["user_agent"], "a browser");

    let left = ada.send("POST", "/api/v1/sign-out", None).await;
    assert_eq!(left.status, StatusCode::NO_CONTENT);
    assert!(left.headers["set-cookie"].to_str().unwrap().contains("Max-Age=0"));
    let ended = ada.send("GET", "/api/v1/me", None).await;
    assert_eq!((ended.status, ended.code()), (StatusCode::UNAUTHORIZED, "session_expired".into()));
}

#[tokio::test]
async fn an_email_will_do_for_a_name_unless_two_have_it() {
    let company = company().await;
    let spec = json!({ "email": "Root@acme.test", "roles": ["admin"] });
    let changed = json!({ "version": 1, "spec": spec }).to_string();
    let reply = company.call("admin", "PUT", "/api/v1/people/p-admin", &changed).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
    let mut browser = Browser::new(&company);
    assert_eq!(browser.sign_in("root@acme.test ", PASSWORD).await.status, StatusCode::OK);
    let twin = json!({ "name": "twin", "spec": { "email": "root@acme.test" } }).to_string();
    assert_eq!(company.call("admin", "POST", "/api/v1/people", &twin).await.status, 201);
    assert_eq!(browser.sign_in("root@acme.test", PASSWORD).await.code(), "credentials_invalid");
}

#[tokio::test]
async fn a_wrong_name_and_a_wrong_password_are_refused_alike() {
    let company = company().await;
    let mut browser = Browser::new(&company);
    let wrong_password = browser.sign_in("ada", OTHER).await;
    assert_eq!(wrong_password.status, StatusCode::UNAUTHORIZED);
    // Who never joined, and who does not exist.
    for name in ["grace", "nobody", "", "ada'; drop table account; --"] {
        let reply = browser.sign_in(name, PASSWORD).await;
        assert_eq!(reply.status, wrong_password.status);
        assert_eq!(reply.json(), wrong_password.json(), "{name}");
        assert!(!reply.headers.contains_key("set-cookie"));
    }
}

#[tokio::test]
async fn sessions_that_expired_or_were_made_up_open_nothing() {
    let company = company().await;
    let mut ada = Browser::new(&company);
    ada.sign_in("ada", PASSWORD).await;
    let real = ada.cookie.clone().unwrap();
    let token = real.strip_prefix("tally_session=").unwrap().to_owned();
    let id = ada.me["session"]["id"].as_str().unwrap().to_owned();
    let hash = hex(&token);
    let long = "x".repeat(10_000);
    for forged in [&token[1..], &token.to_lowercase(), &id, &hash, "' or 1=1 --", "x", &long] {
        ada.cookie = Some(format!("tally_session={forged}"));
        let reply = ada.send("GET", "/api/v1/me", None).await;
        assert_eq!(reply.code(), "session_expired", "{forged}");
    }
    ada.cookie = Some(real);
    assert_eq!(ada.send("GET", "/api/v1/me", None).await.status, StatusCode::OK);
    company.clock.advance(std::time::Duration::from_secs(7 * 24 * 3_600));
    assert_eq!(ada.send("GET", "/api/v1/me", None).await.code(), "session_expired");
}

fn hex(token: &str) -> String {
    use sha2::{Digest as _, Sha256};

    Sha256::digest(token.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn another_password_ends_my_other_sessions() {
    let company = company().await;
    let (mut here, mut there) = (Browser::new(&company), Browser::new(&company));
    here.sign_in("ada", PASSWORD).await;
    there.sign_in("ada", PASSWORD).await;
    let change = |current: &str, new: &str| Some(json!({ "current": current, "new": new }));
    let path = "/api/v1/me/password";
    let wrong = here.send("POST", path, change(OTHER, OTHER)).await;
    assert_eq!((wrong.status.as_u16(), wrong.code()), (422, "password_wrong".into()));
    assert_eq!(wrong.json()["errors"][0]["field"], "current");
    let weak = here.send("POST", path, change(PASSWORD, "short")).await;
    assert_eq!((weak.status.as_u16(), weak.code()), (422, "password_weak".into()));
    assert_eq!(weak.json()["errors"][0]["field"], "new");
    assert_eq!(there.send("GET", "/api/v1/me", None).await.status, StatusCode::OK);

    let changed = here.send("POST", path, change(PASSWORD, OTHER)).await;
    assert_eq!(changed.status, StatusCode::NO_CONTENT, "{}", changed.text);
    assert_eq!(here.send("GET", "/api/v1/me", None).await.status, StatusCode::OK);
    assert_eq!(there.send("GET", "/api/v1/me", None).await.code(), "session_expired");
    assert_eq!(there.sign_in("ada", PASSWORD).await.code(), "credentials_invalid");
    assert_eq!(there.sign_in("ada", OTHER).await.status, StatusCode::OK);
}

#[tokio::test]
async fn my_sessions_end_one_by_one_or_all_at_once() {
    let company = company().await;
    let mut browsers = Vec::new();
    for _ in 0..3 {
        let mut browser = Browser::new(&company);
        browser.sign_in("ada", PASSWORD).await;
        browsers.push(browser);
    }
    let mut admin = Browser::new(&company);
    admin.sign_in("p-admin", PASSWORD).await;
    let id = |browser: &Browser| browser.me["session"]["id"].as_str().unwrap().to_owned();
    let foreign = format!("/api/v1/me/sessions/{}", id(&admin));
    assert_eq!(browsers[0].send("DELETE", &foreign, None).await.code(), "not_found");
    let path = format!("/api/v1/me/sessions/{}", id(&browsers[1]));
    assert_eq!(browsers[0].send("DELETE", &path, None).await.status, StatusCode::NO_CONTENT);
    assert_eq!(browsers[1].send("GET", "/api/v1/me", None).await.code(), "session_expired");
    let everywhere = browsers[0].send("POST", "/api/v1/sign-out-everywhere", None).await;
    assert_eq!(everywhere.status, StatusCode::NO_CONTENT);
    for browser in [&browsers[0], &browsers[2]] {
        assert_eq!(browser.send("GET", "/api/v1/me", None).await.code(), "session_expired");
    }
    assert_eq!(admin.send("GET", "/api/v1/me", None).await.status, StatusCode::OK);
}
