//! Sessions: how they begin and end.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    dead_code,
    missing_docs,
    unreachable_pub,
    reason = "tests"
)]

mod support;

use support::people::{DAY, acts, advance, company, joined, person, session, token};
use tally_store::{
    AccountError,
    accounts::{SESSION_IDLE_S, SESSION_LIFE_S, SESSIONS_PER_PERSON_MAX},
};

#[tokio::test]
async fn sessions_end_when_idle_and_after_their_life() {
    let (store, clock) = company().await;
    let accounts = store.accounts();
    let credential = joined(&store, "ada").await;
    let idle = u64::try_from(SESSION_IDLE_S).unwrap();
    accounts.sign_in("Person/ada", &credential, session(1)).await.unwrap();
    accounts.sign_in("Person/ada", &credential, session(2)).await.unwrap();
    advance(&clock, idle - 1);
    let used = accounts.session(&token("token 1")).await.unwrap().unwrap();
    assert_eq!(used.last_seen.to_string(), "2026-11-08T07:59:59Z");
    advance(&clock, 1);
    assert!(accounts.session(&token("token 1")).await.unwrap().is_some());
    assert_eq!(accounts.session(&token("token 2")).await.unwrap(), None);
    assert_eq!(accounts.sessions(&person("ada")).await.unwrap().len(), 1);

    let days = u64::try_from(SESSION_LIFE_S).unwrap() / DAY;
    for _ in 7..days - 1 {
        advance(&clock, DAY);
        assert!(accounts.session(&token("token 1")).await.unwrap().is_some());
    }
    advance(&clock, DAY);
    assert_eq!(accounts.session(&token("token 1")).await.unwrap(), None);
}

#[tokio::test]
async fn use_is_written_down_once_a_minute() {
    let (store, clock) = company().await;
    let accounts = store.accounts();
    let credential = joined(&store, "ada").await;
    let opened = accounts.sign_in("Person/ada", &credential, session(1)).await.unwrap();
    advance(&clock, 59);
    let soon = accounts.session(&token("token 1")).await.unwrap().unwrap();
    assert_eq!(soon, opened);
    advance(&clock, 1);
    let later = accounts.session(&token("token 1")).await.unwrap().unwrap();
    assert_eq!(later.last_seen.to_string(), "2026-11-01T08:01:00Z");
    assert_eq!(accounts.sessions(&person("ada")).await.unwrap(), [later]);
}

#[tokio::test]
async fn the_oldest_session_goes_when_there_are_too_many() {
    let (store, clock) = company().await;
    let accounts = store.accounts();
    let credential = joined(&store, "ada").await;
    for number in 0..=SESSIONS_PER_PERSON_MAX {
        accounts.sign_in("Person/ada", &credential, session(number)).await.unwrap();
        advance(&clock, 1);
    }
    assert_eq!(accounts.session(&token("token 0")).await.unwrap(), None);
    assert!(accounts.session(&token("token 1")).await.unwrap().is_some());
    let open = accounts.sessions(&person("ada")).await.unwrap();
    assert_eq!((open.len(), open[0].id.as_str()), (50, "s050"));
}

#[tokio::test]
async fn signing_out_ends_one_session_or_all() {
    let (store, _) = company().await;
    let accounts = store.accounts();
    let (ada, grace) = (joined(&store, "ada").await, joined(&store, "grace").await);
    for number in 1..=3 {
        accounts.sign_in("Person/ada", &ada, session(number)).await.unwrap();
    }
    accounts.sign_in("Person/grace", &grace, session(4)).await.unwrap();
    let others = accounts.end_session("Person/ada", &person("ada"), "s004").await.unwrap_err();
    assert!(matches!(others, AccountError::SessionUnknown));
    accounts.end_session("Person/ada", &person("ada"), "s002").await.unwrap();
    assert_eq!(accounts.session(&token("token 2")).await.unwrap(), None);
    assert_eq!(accounts.end_sessions("Person/ada", &person("ada")).await.unwrap(), 2);
    assert_eq!(accounts.session(&token("token 1")).await.unwrap(), None);
    assert!(accounts.session(&token("token 4")).await.unwrap().is_some());
    let acts = acts(&store).await;
    assert_eq!(
        acts[acts.len() - 2..],
        ["Person/ada sign_out ada", "Person/ada sign_out_everywhere ada"]
    );
}

#[tokio::test]
async fn another_password_ends_the_other_sessions() {
    let (store, _) = company().await;
    let accounts = store.accounts();
    let credential = joined(&store, "ada").await;
    for number in 1..=3 {
        accounts.sign_in("Person/ada", &credential, session(number)).await.unwrap();
    }
    accounts.change_password("Person/ada", &credential, "hash 2", Some("s002")).await.unwrap();
    let open = accounts.sessions(&person("ada")).await.unwrap();
    assert_eq!(open.iter().map(|session| session.id.as_str()).collect::<Vec<_>>(), ["s002"]);
    let stale =
        accounts.change_password("Person/ada", &credential, "hash 3", None).await.unwrap_err();
    assert!(matches!(stale, AccountError::PasswordChanged));
    let now = accounts.credential(&person("ada")).await.unwrap().unwrap();
    assert_eq!(now.password_hash, "hash 2");
}
