//! A small company, and what lets people in.

use std::{sync::Arc, time::Duration};

use serde_json::json;
use tally_store::{
    Store,
    accounts::{Credential, NewInvitation, NewSession, TokenHash},
};
use tally_types::{Kind, ManualClock, PersonName};

use super::{clock, memory_at, name, trail};

pub const DAY: u64 = 24 * 3_600;

pub async fn company() -> (Store, Arc<ManualClock>) {
    let clock = clock();
    let store = memory_at(clock.clone()).await;
    for person in ["ada", "grace"] {
        store.create("root", Kind::Person, name(person), json!({})).await.unwrap();
    }
    (store, clock)
}

pub fn person(text: &str) -> PersonName {
    PersonName(name(text))
}

pub fn token(text: &str) -> TokenHash {
    TokenHash::of(text)
}

pub fn session(number: u32) -> NewSession {
    NewSession {
        id: format!("s{number:03}"),
        token: token(&format!("token {number}")),
        csrf_token: format!("csrf {number}"),
        user_agent: "browser ".repeat(100),
    }
}

pub fn link(number: u32) -> NewInvitation {
    NewInvitation { id: format!("i{number:03}"), token: token(&format!("link {number}")) }
}

pub fn advance(clock: &ManualClock, seconds: u64) {
    clock.advance(Duration::from_secs(seconds));
}

pub async fn joined(store: &Store, who: &str) -> Credential {
    store.accounts().create("root", &person(who), "hash 1").await.unwrap();
    store.accounts().credential(&person(who)).await.unwrap().unwrap()
}

pub async fn acts(store: &Store) -> Vec<String> {
    let trail = trail(store).await;
    let sequences: Vec<i64> = trail.iter().map(|entry| entry.sequence).collect();
    assert_eq!(sequences, (1..=i64::try_from(trail.len()).unwrap()).collect::<Vec<_>>());
    trail.iter().map(|e| format!("{} {} {}", e.actor, e.action, e.name)).collect()
}
