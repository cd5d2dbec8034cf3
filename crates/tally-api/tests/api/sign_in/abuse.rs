//! Other sites, guessers, and nonsense.

use std::time::Duration;

use http::StatusCode;
use serde_json::json;

use super::{OTHER, PASSWORD, browser::Browser, company};

#[tokio::test]
async fn a_change_by_cookie_needs_the_sessions_own_token() {
    let company = company().await;
    let (mut ada, mut admin) = (Browser::new(&company), Browser::new(&company));
    ada.sign_in("ada", PASSWORD).await;
    admin.sign_in("p-admin", PASSWORD).await;
    let others = admin.me["csrf_token"].as_str().unwrap();
    let own = ada.me["csrf_token"].as_str().unwrap();
    for (token, expected) in [(None, 403), (Some(""), 403), (Some(others), 403), (Some(own), 204)] {
        let reply = ada.send_with(token, "POST", "/api/v1/sign-out-everywhere", None).await;
        assert_eq!(reply.status.as_u16(), expected, "{}", reply.text);
        if expected == 403 {
            assert_eq!(reply.code(), "csrf_missing");
        }
    }
    let spec = json!({ "name": "x", "spec": {} });
    for (method, path) in [("POST", "/api/v1/teams"), ("DELETE", "/api/v1/teams/x?version=1")] {
        let reply = admin.send_with(None, method, path, Some(spec.clone())).await;
        assert_eq!(reply.code(), "csrf_missing");
    }
    assert_eq!(admin.send_with(None, "GET", "/api/v1/me", None).await.status, StatusCode::OK);
}

#[tokio::test]
async fn other_sites_change_nothing_and_sign_nobody_in() {
    let company = company().await;
    for (header, value) in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "https://evil.test"),
        ("origin", "null"),
    ] {
        let mut ada = Browser::new(&company);
        ada.header("host", "tally.acme.test");
        ada.sign_in("ada", PASSWORD).await;
        ada.header(header, value);
        let change = ada.send("POST", "/api/v1/sign-out", None).await;
        assert_eq!((change.status, change.code()), (StatusCode::FORBIDDEN, "cross_site".into()));
        assert_eq!(ada.send("GET", "/api/v1/me", None).await.status, StatusCode::OK);
        for path in ["/api/v1/sign-in", "/api/v1/set-up", "/api/v1/invitations/accept"] {
            assert_eq!(ada.send("POST", path, Some(json!({}))).await.code(), "cross_site");
        }
    }
    let mut ada = Browser::new(&company);
    ada.header("host", "tally.acme.test");
    ada.header("origin", "https://tally.acme.test");
    let reply = ada.sign_in("ada", PASSWORD).await;
    assert!(reply.headers["set-cookie"].to_str().unwrap().ends_with("; Secure"));
    assert_eq!(ada.send("POST", "/api/v1/sign-out", None).await.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn guessing_is_slowed_down_and_the_owner_is_not_locked_out() {
    let company = company().await;
    let mut guesser = Browser::new(&company);
    for number in 0..5 {
        let reply = guesser.sign_in("ada", &format!("guess number {number}")).await;
        assert_eq!(reply.code(), "credentials_invalid");
    }
    // The right password is no exception, or it could be guessed all the same.
    for password in [OTHER, PASSWORD] {
        let reply = guesser.sign_in("ADA", password).await;
        assert_eq!(reply.status, StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(reply.code(), "too_many_attempts");
        assert_eq!(reply.headers["retry-after"], "1");
    }
    assert_eq!(guesser.sign_in("p-admin", PASSWORD).await.status, StatusCode::OK);
    company.clock.advance(Duration::from_secs(1));
    assert_eq!(guesser.sign_in("ada", PASSWORD).await.status, StatusCode::OK);
    // Forgiven.
    assert_eq!(guesser.sign_in("ada", OTHER).await.code(), "credentials_invalid");
}

#[tokio::test]
async fn a_guesser_elsewhere_does_not_slow_the_owner_down() {
    let company = company().await;
    let (mut guesser, mut owner) = (Browser::new(&company), Browser::new(&company));
    guesser.address = Some("192.0.2.1:4000".parse().unwrap());
    owner.address = Some("192.0.2.2:4000".parse().unwrap());
    for _ in 0..5 {
        assert_eq!(guesser.sign_in("ada", OTHER).await.code(), "credentials_invalid");
    }
    guesser.address = Some("192.0.2.1:4001".parse().unwrap());
    assert_eq!(guesser.sign_in("ada", PASSWORD).await.code(), "too_many_attempts");
    assert_eq!(owner.sign_in("ada", PASSWORD).await.status, StatusCode::OK);
}

#[tokio::test]
async fn an_open_browser_is_no_place_to_guess_the_password() {
    let company = company().await;
    let mut ada = Browser::new(&company);
    ada.sign_in("ada", PASSWORD).await;
    let guess = || Some(json!({ "current": OTHER, "new": OTHER }));
    for _ in 0..5 {
        assert_eq!(ada.send("POST", "/api/v1/me/password", guess()).await.code(), "password_wrong");
    }
    let reply = ada.send("POST", "/api/v1/me/password", guess()).await;
    assert_eq!(reply.code(), "too_many_attempts");
}

#[tokio::test]
async fn nonsense_is_refused_with_what_was_expected() {
    let company = company().await;
    let ada = Browser::new(&company);
    for (body, code) in [
        (json!({}), "shape_invalid"),
        (json!({ "name": "ada", "password": PASSWORD, "admin": true }), "shape_invalid"),
        (json!({ "name": "ada", "password": null }), "shape_invalid"),
        (json!({ "name": "ada", "password": "x".repeat(20_000) }), "body_too_large"),
    ] {
        let reply = ada.send("POST", "/api/v1/sign-in", Some(body)).await;
        assert_eq!(reply.code(), code, "{}", reply.text);
        assert!(!reply.text.contains(PASSWORD));
    }
    let name = json!({ "token": "x", "name": "Ada Lovelace", "password": PASSWORD });
    let reply = ada.send("POST", "/api/v1/set-up", Some(name)).await;
    assert_eq!(
        (reply.code().as_str(), &reply.json()["errors"][0]["field"]),
        ("shape_invalid", &json!("name"))
    );
    let long = json!({ "name": "ada", "password": "x".repeat(300) });
    assert_eq!(ada.send("POST", "/api/v1/sign-in", Some(long)).await.code(), "credentials_invalid");
}
