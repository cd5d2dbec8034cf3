//! What the tests share.

pub mod people;

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use sqlx::Connection;
use tally_store::{
    ApplyOptions, AuditEntry, AuditFilter, Store,
    documents::{Document, Format, parse_documents},
};
use tally_types::{ManualClock, Name};

pub const ACME: &str = include_str!("../acme.yaml");

pub fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::new("2026-11-01T08:00:00Z".parse().unwrap()))
}

/// An empty store: in memory, or with `TALLY_TEST_POSTGRES=postgres://…` in a schema of
/// its own there, so that one set of tests holds both backends to the same behaviour.
pub async fn memory() -> Store {
    memory_at(clock()).await
}

/// The same, at the time of a clock.
pub async fn memory_at(clock: Arc<ManualClock>) -> Store {
    let Ok(url) = std::env::var("TALLY_TEST_POSTGRES") else {
        return Store::open("sqlite::memory:", clock).await.unwrap();
    };
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let schema = format!("t{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    sqlx::any::install_default_drivers();
    let mut connection = sqlx::AnyConnection::connect(&url).await.unwrap();
    let create = format!("drop schema if exists {schema} cascade; create schema {schema}");
    sqlx::raw_sql(sqlx::AssertSqlSafe(create)).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    Store::open(&format!("{url}?options=-c%20search_path%3D{schema}"), clock).await.unwrap()
}

pub fn yaml(text: &str) -> Vec<Document> {
    parse_documents("test.yaml", text, Format::Yaml).unwrap()
}

pub fn acme() -> Vec<Document> {
    parse_documents("acme.yaml", ACME, Format::Yaml).unwrap()
}

pub fn set(name: &str) -> ApplyOptions {
    ApplyOptions { set: name.to_owned(), ..ApplyOptions::default() }
}

pub fn pruned(name: &str) -> ApplyOptions {
    ApplyOptions { prune: true, ..set(name) }
}

pub fn name(text: &str) -> Name {
    text.parse().unwrap()
}

pub async fn trail(store: &Store) -> Vec<AuditEntry> {
    store.audit(AuditFilter { limit: 1_000, ..AuditFilter::default() }).await.unwrap()
}
