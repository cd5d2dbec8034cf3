//! Accounts: who comes in, how long they stay, and what the audit trail says of it.
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

use serde_json::json;
use support::{
    clock, name,
    people::{DAY, acts, advance, company, joined, link, person, session, token},
    trail,
};
use tally_store::{AccountError, Store, StoreError, accounts::FirstAdmin, sqlite_url};
use tally_types::Kind;

#[tokio::test]
async fn an_invitation_lets_in_once_and_a_newer_one_replaces_it() {
    let (store, _) = company().await;
    let accounts = store.accounts();
    let ada = person("ada");
    accounts.invite("root", &ada, link(1)).await.unwrap();
    let made = accounts.invite("root", &ada, link(2)).await.unwrap();
    assert_eq!(made.expires.to_string(), "2026-11-08T08:00:00Z");
    let open = accounts.invitations(None, 0).await.unwrap();
    assert_eq!((open.items, open.next), (vec![made], None));
    assert_eq!(accounts.invited(&token("link 1")).await.unwrap(), None);
    assert_eq!(accounts.invited(&token("link 2")).await.unwrap(), Some(ada.clone()));

    let opened = accounts.accept(&token("link 2"), "hash 1", session(1)).await.unwrap();
    assert_eq!((opened.person, opened.csrf_token.as_str()), (ada.clone(), "csrf 1"));
    assert_eq!(opened.user_agent.chars().count(), 300);
    let found = accounts.session(&token("token 1")).await.unwrap().unwrap();
    assert_eq!(found.id, "s001");
    for used in ["link 1", "link 2", "link 3"] {
        let refused = accounts.accept(&token(used), "hash 2", session(2)).await.unwrap_err();
        assert!(matches!(refused, AccountError::InvitationUnknown), "{refused}");
    }
    let account = accounts.get(&ada).await.unwrap().unwrap();
    assert_eq!((account.disabled, account.last_sign_in), (None, Some(account.joined)));
    assert_eq!(
        acts(&store).await[2..],
        ["root invite ada", "root invite ada", "Person/ada join ada", "Person/ada sign_in ada"]
    );
}

#[tokio::test]
async fn invitations_expire_and_can_be_withdrawn() {
    let (store, clock) = company().await;
    let accounts = store.accounts();
    accounts.invite("root", &person("ada"), link(1)).await.unwrap();
    accounts.invite("root", &person("grace"), link(2)).await.unwrap();
    let first = accounts.invitations(None, 1).await.unwrap();
    assert_eq!((first.items[0].id.as_str(), first.next.as_deref()), ("i001", Some("i001")));
    let second = accounts.invitations(first.next.as_deref(), 1).await.unwrap();
    assert_eq!((second.items[0].id.as_str(), second.next), ("i002", None));

    accounts.withdraw_invitation("root", "i002").await.unwrap();
    let again = accounts.withdraw_invitation("root", "i002").await.unwrap_err();
    assert!(matches!(again, AccountError::InvitationUnknown));
    advance(&clock, 7 * DAY);
    for gone in ["link 1", "link 2"] {
        assert_eq!(accounts.invited(&token(gone)).await.unwrap(), None);
        assert!(accounts.accept(&token(gone), "hash", session(1)).await.is_err());
    }
    assert!(accounts.invitations(None, 0).await.unwrap().items.is_empty());
    let nobody = accounts.invite("root", &person("graze"), link(3)).await.unwrap_err();
    assert_eq!(nobody.to_string(), "there is no Person `graze`; did you mean `grace`?");
}

#[tokio::test]
async fn a_link_for_someone_who_joined_chooses_another_password_and_ends_sessions() {
    let (store, _) = company().await;
    let accounts = store.accounts();
    let credential = joined(&store, "ada").await;
    accounts.sign_in("Person/ada", &credential, session(1)).await.unwrap();
    accounts.invite("root", &person("ada"), link(1)).await.unwrap();
    accounts.accept(&token("link 1"), "hash 2", session(2)).await.unwrap();
    assert_eq!(accounts.session(&token("token 1")).await.unwrap(), None);
    assert!(accounts.session(&token("token 2")).await.unwrap().is_some());
    let stale = accounts.sign_in("Person/ada", &credential, session(3)).await.unwrap_err();
    assert!(matches!(stale, AccountError::PasswordChanged));
    let acts = acts(&store).await;
    assert_eq!(acts[acts.len() - 2..], ["Person/ada reset_password ada", "Person/ada sign_in ada"]);
}

#[tokio::test]
async fn who_is_disabled_stays_out_until_enabled() {
    let (store, _) = company().await;
    let accounts = store.accounts();
    let ada = person("ada");
    assert!(matches!(accounts.disable("root", &ada).await, Err(AccountError::NoAccount(_))));
    let credential = joined(&store, "ada").await;
    accounts.sign_in("Person/ada", &credential, session(1)).await.unwrap();
    accounts.invite("root", &ada, link(1)).await.unwrap();
    for _ in 0..2 {
        accounts.disable("root", &ada).await.unwrap();
    }
    assert_eq!(accounts.session(&token("token 1")).await.unwrap(), None);
    let refusals = [
        accounts.sign_in("Person/ada", &credential, session(2)).await.unwrap_err(),
        accounts.accept(&token("link 1"), "hash 2", session(2)).await.unwrap_err(),
        accounts.invite("root", &ada, link(2)).await.unwrap_err(),
    ];
    for refused in refusals {
        assert!(matches!(refused, AccountError::Disabled(_)), "{refused}");
    }
    // A refused acceptance changed nothing: the link still works once she is back.
    for _ in 0..2 {
        accounts.enable("root", &ada).await.unwrap();
    }
    accounts.sign_in("Person/ada", &credential, session(3)).await.unwrap();
    accounts.accept(&token("link 1"), "hash 2", session(4)).await.unwrap();
    let acts = acts(&store).await;
    assert_eq!(acts[5..=6], ["root disable ada", "root enable ada"]);
}

#[tokio::test]
async fn deleting_a_person_ends_their_account() {
    let (store, _) = company().await;
    let accounts = store.accounts();
    let credential = joined(&store, "ada").await;
    accounts.sign_in("Person/ada", &credential, session(1)).await.unwrap();
    accounts.invite("root", &person("ada"), link(1)).await.unwrap();
    store.delete("root", Kind::Person, name("ada"), None).await.unwrap();
    store.create("root", Kind::Person, name("ada"), json!({})).await.unwrap();
    assert_eq!(accounts.get(&person("ada")).await.unwrap(), None);
    assert_eq!(accounts.session(&token("token 1")).await.unwrap(), None);
    assert_eq!(accounts.invited(&token("link 1")).await.unwrap(), None);
    let gone = accounts.sign_in("Person/ada", &credential, session(2)).await.unwrap_err();
    assert!(matches!(gone, AccountError::PasswordChanged));
}

#[tokio::test]
async fn the_set_up_link_makes_the_first_admin_and_no_second() {
    let (store, clock) = company().await;
    let accounts = store.accounts();
    let admin = |who| FirstAdmin {
        person: person(who),
        display_name: Some("Root".to_owned()),
        email: None,
    };
    assert!(!accounts.is_set_up().await.unwrap());
    accounts.offer_set_up(link(1)).await.unwrap();
    accounts.offer_set_up(link(2)).await.unwrap();
    assert!(!accounts.is_set_up_offered(&token("link 1")).await.unwrap());
    assert!(accounts.is_set_up_offered(&token("link 2")).await.unwrap());
    // It is no invitation, and an invitation is not it.
    assert!(accounts.accept(&token("link 2"), "hash", session(1)).await.is_err());
    assert!(accounts.invitations(None, 0).await.unwrap().items.is_empty());
    accounts.invite("root", &person("ada"), link(3)).await.unwrap();
    for wrong in ["link 1", "link 3"] {
        let hash = "h".to_owned();
        let refused = accounts.set_up(&token(wrong), admin("eve"), hash, session(1)).await;
        assert!(matches!(refused, Err(AccountError::InvitationUnknown)));
    }
    let invalid = FirstAdmin { email: Some("nowhere".to_owned()), ..admin("root") };
    let refused = accounts.set_up(&token("link 2"), invalid, "h".to_owned(), session(1)).await;
    assert!(matches!(refused, Err(AccountError::Store(StoreError::Invalid(_)))), "{refused:?}");

    advance(&clock, 1);
    let hash = "hash".to_owned();
    let opened = accounts.set_up(&token("link 2"), admin("root"), hash, session(1)).await;
    assert_eq!(opened.unwrap().person, person("root"));
    assert!(accounts.is_set_up().await.unwrap());
    let root = &store.snapshot().people[&name("root")];
    assert_eq!(root.display_name.as_deref(), Some("Root"));
    let again = accounts.set_up(&token("link 2"), admin("eve"), "h".to_owned(), session(2)).await;
    assert!(matches!(again, Err(AccountError::SetUpDone)), "{again:?}");
    let offer = accounts.offer_set_up(link(4)).await;
    assert!(matches!(offer, Err(AccountError::SetUpDone)));
    let acts = acts(&store).await;
    assert_eq!(
        acts[acts.len() - 3..],
        ["set-up link create root", "Person/root set_up root", "Person/root sign_in root"]
    );
}

#[tokio::test]
async fn set_up_makes_someone_who_exists_an_admin_and_its_link_expires() {
    let (store, clock) = company().await;
    let accounts = store.accounts();
    let spec = json!({ "display_name": "Ada", "roles": ["finops"] });
    store.update("root", Kind::Person, name("ada"), spec, 1).await.unwrap();
    accounts.offer_set_up(link(1)).await.unwrap();
    advance(&clock, DAY);
    let ada = || FirstAdmin { person: person("ada"), display_name: None, email: None };
    let late = accounts.set_up(&token("link 1"), ada(), "h".to_owned(), session(1)).await;
    assert!(matches!(late, Err(AccountError::InvitationUnknown)));
    accounts.offer_set_up(link(2)).await.unwrap();
    accounts.set_up(&token("link 2"), ada(), "hash".to_owned(), session(1)).await.unwrap();
    let stored = store.require(Kind::Person, &name("ada")).await.unwrap();
    let spec = json!({ "display_name": "Ada", "roles": ["finops", "admin"] });
    assert_eq!((stored.version, stored.spec), (3, spec));
}

#[tokio::test]
async fn people_are_listed_whether_they_joined_or_not() {
    let (store, _) = company().await;
    let accounts = store.accounts();
    let credential = joined(&store, "grace").await;
    accounts.sign_in("Person/grace", &credential, session(1)).await.unwrap();
    assert!(matches!(
        accounts.create("root", &person("grace"), "other").await,
        Err(AccountError::HasAccount(_))
    ));
    let first = accounts.list(None, 1).await.unwrap();
    assert_eq!((first.items[0].account.as_ref(), first.items[0].sessions), (None, 0));
    let second = accounts.list(first.next.as_ref(), 1).await.unwrap();
    assert_eq!((second.items[0].person.as_str(), second.items[0].sessions), ("grace", 1));
    assert!(second.items[0].account.as_ref().unwrap().last_sign_in.is_some());
    assert_eq!(second.next, None);
}

#[tokio::test]
async fn no_secret_reaches_the_trail_or_a_debug_print() {
    let (store, _) = company().await;
    let accounts = store.accounts();
    accounts.invite("root", &person("ada"), link(1)).await.unwrap();
    let opened = accounts.accept(&token("link 1"), "hash-of-a", session(1)).await.unwrap();
    let credential = accounts.credential(&person("ada")).await.unwrap().unwrap();
    accounts.change_password("Person/ada", &credential, "hash-of-b", None).await.unwrap();
    let shown = format!("{opened:?} {credential:?} {:?} {:?}", session(2), trail(&store).await);
    let hash = format!("{:?}", token("link 1"));
    let hash = hash.trim_start_matches("TokenHash(\"").trim_end_matches("\")");
    assert_eq!(hash.len(), 64);
    for secret in ["hash-of", "csrf 1", "csrf 2", hash] {
        assert!(!shown.contains(secret), "{secret} is in {shown}");
    }
}

#[tokio::test]
async fn acts_on_accounts_leave_the_snapshot_and_other_changes_alone() {
    let (store, _) = company().await;
    let follower = store.watch();
    let before = store.snapshot().revision;
    let credential = joined(&store, "ada").await;
    store.accounts().sign_in("Person/ada", &credential, session(1)).await.unwrap();
    assert!(!follower.has_changed().unwrap());
    assert_eq!(store.snapshot().revision, before);
    assert!(!store.refresh().await.unwrap());
    store.create("root", Kind::Person, name("linus"), json!({})).await.unwrap();
    assert_eq!(store.snapshot().revision, before + 3);
}

/// What the version before this one wrote.
#[tokio::test]
async fn a_database_without_accounts_gains_them() {
    use sqlx::Connection as _;

    let folder = tempfile::tempdir().unwrap();
    let url = sqlite_url(&folder.path().join("store.db"));
    let store = Store::open(&url, clock()).await.unwrap();
    store.create("root", Kind::Person, name("ada"), json!({})).await.unwrap();
    store.close().await;
    let mut connection = sqlx::AnyConnection::connect(&url).await.unwrap();
    let back = "drop table account; drop table invitation; drop table session; \
                drop table idempotency; drop table stage_event; drop table notification; \
                drop table delivery; drop table audit_hash; drop table audit_opening; \
                drop table audit_key; drop table audit_checkpoint; drop table erasure; \
                drop table violation_acknowledgement; drop table reconciliation; \
                delete from schema_version where version > 1";
    sqlx::raw_sql(back).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();

    let store = Store::open(&url, clock()).await.unwrap();
    assert!(store.snapshot().people.contains_key(&name("ada")));
    let credential = joined(&store, "ada").await;
    store.accounts().sign_in("Person/ada", &credential, session(1)).await.unwrap();
    assert!(store.accounts().session(&token("token 1")).await.unwrap().is_some());
}
