//! Invitations, set-up, and what admins do to accounts.

use http::StatusCode;
use serde_json::{Value, json};
use tally_api::{OsSecrets, set_up_link};

use super::{OTHER, PASSWORD, browser::Browser, company};
use crate::support::Company;

async fn admin(company: &Company) -> Browser<'_> {
    let mut admin = Browser::new(company);
    assert_eq!(admin.sign_in("p-admin", PASSWORD).await.status, StatusCode::OK);
    admin
}

async fn invite(admin: &Browser<'_>, person: &str) -> Value {
    let made = admin.send("POST", "/api/v1/invitations", Some(json!({ "person": person }))).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    made.json()
}

fn token(link: &Value) -> String {
    link["link"].as_str().unwrap().strip_prefix("/join#token=").unwrap().to_owned()
}

#[tokio::test]
async fn an_invitation_lets_in_once() {
    let company = company().await;
    let admin = admin(&company).await;
    let made = invite(&admin, "grace").await;
    let token = token(&made);
    assert_eq!((token.len(), &made["expires"]), (32, &json!("2026-11-22T12:00:00Z")));
    let open = admin.send("GET", "/api/v1/invitations", None).await;
    assert!(!open.text.contains(&token));
    assert_eq!(open.json()["items"][0]["id"], made["id"]);
    assert_eq!(open.json()["items"][0]["created_by"], "Person/p-admin");

    let mut grace = Browser::new(&company);
    let path = "/api/v1/invitations/accept";
    let weak = grace.enter(path, json!({ "token": token, "password": "Grace-2026!!" })).await;
    assert_eq!(weak.code(), "password_weak");
    let joined = grace.enter(path, json!({ "token": token, "password": PASSWORD })).await;
    assert_eq!(joined.status, StatusCode::OK, "{}", joined.text);
    assert_eq!(grace.me["person"]["name"], "grace");
    for password in [PASSWORD, OTHER] {
        let mut thief = Browser::new(&company);
        let again = thief.enter(path, json!({ "token": token, "password": password })).await;
        assert_eq!((again.status, again.code()), (StatusCode::GONE, "link_invalid".into()));
        assert_eq!(thief.cookie, None);
    }
    assert_eq!(grace.send("GET", "/api/v1/me", None).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_newer_link_replaces_and_a_withdrawn_one_is_gone() {
    let company = company().await;
    let admin = admin(&company).await;
    let (first, second) = (invite(&admin, "grace").await, invite(&admin, "grace").await);
    let id = second["id"].as_str().unwrap();
    let path = format!("/api/v1/invitations/{id}");
    assert_eq!(admin.send("DELETE", &path, None).await.status, StatusCode::NO_CONTENT);
    assert_eq!(admin.send("DELETE", &path, None).await.code(), "not_found");
    for link in [&first, &second] {
        let body = json!({ "token": token(link), "password": PASSWORD });
        let reply = Browser::new(&company).enter("/api/v1/invitations/accept", body).await;
        assert_eq!(reply.code(), "link_invalid");
    }
    let nobody = json!({ "person": "graze" });
    let nobody = admin.send("POST", "/api/v1/invitations", Some(nobody)).await;
    assert_eq!((nobody.status, nobody.code()), (StatusCode::NOT_FOUND, "not_found".into()));
}

#[tokio::test]
async fn who_is_disabled_is_out_at_once() {
    let company = company().await;
    let admin = admin(&company).await;
    let mut ada = Browser::new(&company);
    ada.sign_in("ada", PASSWORD).await;
    let disable = "/api/v1/accounts/ada/disable";
    assert_eq!(ada.send("POST", disable, None).await.code(), "role_missing");
    assert_eq!(admin.send("POST", disable, None).await.status, StatusCode::NO_CONTENT);
    assert_eq!(ada.send("GET", "/api/v1/me", None).await.code(), "session_expired");
    let refused = ada.sign_in("ada", PASSWORD).await;
    assert_eq!(
        (refused.status, refused.code()),
        (StatusCode::FORBIDDEN, "account_disabled".into())
    );
    // Only to whoever knows the password.
    assert_eq!(ada.sign_in("ada", OTHER).await.code(), "credentials_invalid");
    let enable = "/api/v1/accounts/ada/enable";
    assert_eq!(admin.send("POST", enable, None).await.status, StatusCode::NO_CONTENT);
    assert_eq!(ada.sign_in("ada", PASSWORD).await.status, StatusCode::OK);
    let own = admin.send("POST", "/api/v1/accounts/p-admin/disable", None).await;
    assert_eq!((own.status, own.code()), (StatusCode::CONFLICT, "own_account".into()));
    let never = admin.send("POST", "/api/v1/accounts/grace/disable", None).await;
    assert_eq!((never.status, never.code()), (StatusCode::NOT_FOUND, "account_missing".into()));
}

#[tokio::test]
async fn admins_see_who_joined_and_sign_others_out() {
    let company = company().await;
    let admin = admin(&company).await;
    let mut ada = Browser::new(&company);
    ada.sign_in("ada", PASSWORD).await;
    let mut people = Vec::new();
    let mut after = String::new();
    loop {
        let path = format!("/api/v1/accounts?limit=3{after}");
        let page = admin.send("GET", &path, None).await.json();
        people.extend(page["items"].as_array().unwrap().clone());
        let Some(next) = page["next"].as_str() else { break };
        after = format!("&after={next}");
    }
    let of = |name: &str| people.iter().find(|line| line["person"] == name).unwrap();
    assert_eq!(people.len(), company.store.snapshot().people.len());
    assert_eq!(
        *of("ada"),
        json!({
            "person": "ada", "joined": "2026-11-15T12:00:00Z", "sessions": 1,
            "last_sign_in": "2026-11-15T12:00:00Z", "disabled": false,
        })
    );
    assert_eq!((&of("grace")["joined"], &of("grace")["sessions"]), (&Value::Null, &json!(0)));
    let out = admin.send("POST", "/api/v1/accounts/ada/sign-out", None).await;
    assert_eq!(out.status, StatusCode::NO_CONTENT);
    assert_eq!(ada.send("GET", "/api/v1/me", None).await.code(), "session_expired");
}

#[tokio::test]
async fn who_is_deleted_is_out_at_once() {
    let company = company().await;
    let admin = admin(&company).await;
    let person = json!({ "name": "guest", "spec": { "roles": ["viewer"] } });
    assert_eq!(admin.send("POST", "/api/v1/people", Some(person)).await.status, 201);
    let body = json!({ "token": token(&invite(&admin, "guest").await), "password": PASSWORD });
    let mut guest = Browser::new(&company);
    guest.enter("/api/v1/invitations/accept", body).await;
    assert_eq!(guest.send("GET", "/api/v1/me", None).await.status, StatusCode::OK);
    let deleted = admin.send("DELETE", "/api/v1/people/guest?version=1", None).await;
    assert_eq!(deleted.status, StatusCode::NO_CONTENT, "{}", deleted.text);
    assert_eq!(guest.send("GET", "/api/v1/me", None).await.code(), "session_expired");
    assert_eq!(guest.sign_in("guest", PASSWORD).await.code(), "credentials_invalid");
}

#[tokio::test]
async fn the_first_admin_comes_in_by_the_printed_link_and_nobody_after() {
    let company = Company::new().await;
    let mut root = Browser::new(&company);
    let state = root.send("GET", "/api/v1/sign-in", None).await.json();
    assert_eq!(state["needs_set_up"], true);
    let link = || async { set_up_link(&company.store, &OsSecrets).await.unwrap() };
    let (older, newer) = (link().await.unwrap(), link().await.unwrap());
    let body = |link: &str, name: &str| {
        let token = link.strip_prefix("/set-up#token=").unwrap();
        json!({
            "token": token, "name": name, "display_name": "Root", "email": "",
            "password": PASSWORD,
        })
    };
    let path = "/api/v1/set-up";
    let replaced = root.enter(path, body(&older, "root")).await;
    assert_eq!((replaced.status, replaced.code()), (StatusCode::GONE, "link_invalid".into()));
    assert!(replaced.json()["next_step"].as_str().unwrap().contains("restart Tally"));
    let set_up = root.enter(path, body(&newer, "root")).await;
    assert_eq!(set_up.status, StatusCode::OK, "{}", set_up.text);
    assert_eq!((&root.me["roles"], &root.me["sees"]["kind"]), (&json!(["admin"]), &json!("all")));
    assert_eq!(root.me["person"]["display_name"], "Root");
    let state = root.send("GET", "/api/v1/sign-in", None).await.json();
    assert_eq!(state["needs_set_up"], false);

    let again = Browser::new(&company).enter(path, body(&newer, "eve")).await;
    assert_eq!((again.status, again.code()), (StatusCode::CONFLICT, "set_up_done".into()));
    assert_eq!(link().await, None);
    invite(&root, "ada").await;
}

#[tokio::test]
async fn every_act_is_in_the_trail_and_no_secret() {
    let company = company().await;
    let admin = admin(&company).await;
    let token = token(&invite(&admin, "grace").await);
    let mut grace = Browser::new(&company);
    let body = json!({ "token": token, "password": PASSWORD });
    grace.enter("/api/v1/invitations/accept", body).await;
    let change = json!({ "current": PASSWORD, "new": OTHER });
    grace.send("POST", "/api/v1/me/password", Some(change)).await;
    grace.sign_in("grace", PASSWORD).await;
    grace.send("POST", "/api/v1/sign-out-everywhere", None).await;
    admin.send("POST", "/api/v1/accounts/grace/disable", None).await;
    admin.send("POST", "/api/v1/accounts/grace/enable", None).await;

    let trail = admin.send("GET", "/api/v1/audit?kind=Person&name=grace&order=asc", None).await;
    let acts: Vec<String> = trail.json()["items"]
        .as_array()
        .unwrap()
        .iter()
        .skip(1)
        .map(|entry| format!("{} {}", entry["actor"], entry["action"]).replace('"', ""))
        .collect();
    assert_eq!(
        acts,
        [
            "Person/p-admin invite",
            "Person/grace join",
            "Person/grace sign_in",
            "Person/grace change_password",
            "Person/grace sign_out_everywhere",
            "Person/p-admin disable",
            "Person/p-admin enable",
        ]
    );
    let session = grace.cookie.unwrap();
    let csrf_token = grace.me["csrf_token"].as_str().unwrap();
    for secret in [&token, &session["tally_session=".len()..], csrf_token, PASSWORD, "argon2"] {
        assert!(!trail.text.contains(secret), "{secret}");
    }
}
