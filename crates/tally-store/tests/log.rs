//! The audit trail as a log that can be proven; on SQLite, and on PostgreSQL where one is
//! given.
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

use std::sync::{Arc, Mutex};

use serde_json::json;
use support::{memory, name, trail};
use tally_audit::{
    Checkpoint, Finding, KeyTrust, PublicKey, Report, SigningKey, Trust, Verifier,
    tree::{verify_consistency, verify_inclusion},
};
use tally_store::{AuditAction, Store, log::KeyKeeper};
use tally_types::{Kind, PersonName};

/// A folder for keys.
#[derive(Default)]
struct Drawer(Mutex<Vec<SigningKey>>);

impl KeyKeeper for Drawer {
    fn keep(&self, key: &SigningKey) -> Result<(), String> {
        self.0.lock().unwrap().push(key.clone());
        Ok(())
    }
}

impl Drawer {
    fn keys(&self) -> Vec<SigningKey> {
        self.0.lock().unwrap().clone()
    }
}

async fn signed(store: &Store) -> Arc<Drawer> {
    let drawer = Arc::new(Drawer::default());
    assert!(store.log().sign_with(Vec::new(), drawer.clone()).await.unwrap());
    drawer
}

/// So many changes.
async fn changes(store: &Store, count: usize) {
    let size = store.log().size().await.unwrap();
    for at in 0..count {
        let team = name(&format!("team-{size}-{at}"));
        let spec = json!({ "department": "d" });
        store.create("Person/root", Kind::Team, team, spec).await.unwrap();
    }
}

async fn export(store: &Store) -> String {
    let (mut text, mut export) = store.log().export().await.unwrap();
    while let Some(lines) = store.log().export_more(&mut export).await.unwrap() {
        text += &lines;
    }
    text
}

fn verify(text: &str, trust: Trust) -> Result<Report, Finding> {
    let mut verifier = Verifier::new(trust);
    text.lines().try_for_each(|line| verifier.read(line))?;
    verifier.finish()
}

fn checkpoint(note: &str) -> Checkpoint {
    Checkpoint::parse(note).unwrap()
}

fn trusting(note: &str) -> Trust {
    Trust { checkpoints: vec![checkpoint(note)], keys: Vec::new() }
}

#[tokio::test]
async fn every_entry_is_in_the_exported_log() {
    let store = memory().await;
    changes(&store, 3).await;
    let drawer = signed(&store).await;
    changes(&store, 5).await;
    let early = store.log().checkpoint().await.unwrap();
    changes(&store, 30).await;
    let text = export(&store).await;
    let report = verify(&text, trusting(&early.note)).unwrap();
    assert_eq!((report.size, report.earlier), (39, 1));
    assert_eq!((report.checkpoints, report.key_trust), (2, KeyTrust::Given));
    assert_eq!(report.size, trail(&store).await.len() as u64);
    assert_eq!(report.key, drawer.keys()[0].public().to_string());
    // What it says is there to be read.
    assert!(text.contains(r#""value":"\"Person/root\"""#), "{text}");
}

#[tokio::test]
async fn proofs_hold_against_checkpoints_of_any_size() {
    let store = memory().await;
    signed(&store).await;
    let mut heads = vec![checkpoint(&store.log().checkpoint().await.unwrap().note)];
    for count in [1, 2, 5, 9] {
        changes(&store, count).await;
        heads.push(checkpoint(&store.log().checkpoint().await.unwrap().note));
    }
    let log = store.log();
    for (at, old) in heads.iter().enumerate() {
        for new in &heads[at..] {
            let (old, new) = (old.head(), new.head());
            let proof = log.consistency(old.size, new.size).await.unwrap();
            verify_consistency(&proof, (old.size, old.root), (new.size, new.root)).unwrap();
        }
    }
    let last = heads.last().unwrap().head().clone();
    let key: PublicKey = log.keys().await.unwrap()[0].key.parse().unwrap();
    for sequence in 1..=last.size {
        let proof = log.prove(sequence, None).await.unwrap();
        assert_eq!(proof.verify(std::slice::from_ref(&key)).unwrap(), last);
        let hashes = log.inclusion(sequence, last.size).await.unwrap();
        let leaf = proof.entry.leaf();
        verify_inclusion(&hashes, sequence - 1, leaf, last.size, last.root).unwrap();
    }
    for wrong in [0, last.size + 1] {
        assert!(log.inclusion(wrong, last.size).await.is_err());
    }
    assert!(log.consistency(3, last.size + 1).await.is_err());
    assert!(log.prove(last.size + 1, None).await.is_err());
}

#[tokio::test]
async fn an_entry_changed_in_the_database_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let url = tally_store::sqlite_url(&folder.path().join("store.db"));
    let store = Store::open(&url, support::clock()).await.unwrap();
    signed(&store).await;
    changes(&store, 6).await;
    let early = store.log().checkpoint().await.unwrap().note;
    let mut other = <sqlx::AnyConnection as sqlx::Connection>::connect(&url).await.unwrap();
    sqlx::query("update audit set actor = 'Person/nobody' where sequence = 4")
        .execute(&mut other)
        .await
        .unwrap();
    let found = verify(&export(&store).await, trusting(&early)).unwrap_err();
    assert!(matches!(found, Finding::NotAttested { .. } | Finding::Rewritten { .. }), "{found}");
    assert!(found.to_string().contains("entries 1 to 7"), "{found}");
}

#[tokio::test]
async fn keys_turn_and_the_log_says_so() {
    let store = memory().await;
    let drawer = signed(&store).await;
    changes(&store, 3).await;
    let before = store.log().checkpoint().await.unwrap();
    let turned = store.log().rotate_key("Person/root").await.unwrap();
    assert_eq!(turned.since, 5);
    changes(&store, 3).await;
    let first = drawer.keys()[0].public().clone();
    for trust in [trusting(&before.note), Trust { keys: vec![first], checkpoints: Vec::new() }] {
        let report = verify(&export(&store).await, trust).unwrap();
        assert_eq!((report.key, report.key_trust), (turned.key.clone(), KeyTrust::Given));
    }
    // After a start the newest one signs; it is not introduced again.
    let log = store.log();
    assert!(!log.sign_with(drawer.keys(), drawer.clone()).await.unwrap());
    assert_eq!(log.keys().await.unwrap().len(), 2);
    // A lost key is told apart from a turned one.
    assert!(log.sign_with(Vec::new(), drawer.clone()).await.unwrap());
    let found = verify(&export(&store).await, trusting(&before.note)).unwrap_err();
    assert!(matches!(found, Finding::Key { .. }), "{found}");
}

#[tokio::test]
async fn without_a_key_nothing_is_signed_and_the_trail_goes_on() {
    let store = memory().await;
    changes(&store, 2).await;
    let refused = store.log().checkpoint().await.unwrap_err().to_string();
    assert!(refused.contains("`tally serve` makes one"), "{refused}");
    assert_eq!(store.log().latest().await.unwrap(), None);
}

#[tokio::test]
async fn an_erased_person_is_gone_from_the_log_and_every_proof_holds() {
    let store = memory().await;
    signed(&store).await;
    let ada =
        json!({ "display_name": "Ada Lovelace", "email": "ada@acme.test", "roles": ["developer"] });
    store.create("Person/root", Kind::Person, name("ada"), ada).await.unwrap();
    let key = json!({ "person": "ada",
        "secret": { "sha256": "0".repeat(64), "prefix": "tally_0123" } });
    store.create("Person/root", Kind::Key, name("ada-laptop"), key).await.unwrap();
    let what = json!({ "why": "a note by Ada Lovelace <ada@acme.test>", "rows": 12 });
    store.log().record("Person/ada", AuditAction::Export, what).await.unwrap();
    let early = store.log().checkpoint().await.unwrap();
    let before = export(&store).await;
    assert!(before.contains("Ada Lovelace") && before.contains("ada@acme.test"));

    let ada = PersonName(name("ada"));
    let done =
        store.log().erase_person("Person/root", &ada, "asked by ada@acme.test").await.unwrap();
    assert_eq!((done.entries, done.keys), (4, 1));
    let after = export(&store).await;
    let shown = format!("{:?}{:?}{after}", trail(&store).await, store.snapshot());
    assert!(!shown.contains("Lovelace") && !shown.contains("ada@acme.test"), "{shown}");
    assert!(after.contains(r#"\"rows\""#) || after.contains("after.rows"), "the rest stays");
    let report = verify(&after, trusting(&early.note)).unwrap();
    assert_eq!((report.erased, report.earlier), (4, 1));
    // Erased things stay erased, and the list says who.
    store.log().erase_person("Person/root", &ada, "again, after a restore").await.unwrap();
    verify(&export(&store).await, trusting(&early.note)).unwrap();
    let people: Vec<String> =
        store.log().erasures().await.unwrap().iter().map(|one| one.person.to_string()).collect();
    assert_eq!(people, ["ada", "ada"]);
    let nobody = PersonName(name("nobody"));
    assert!(store.log().erase_person("Person/root", &nobody, "why").await.is_err());
    assert!(store.log().erase_person("Person/root", &ada, " ").await.is_err());
}

#[tokio::test]
async fn the_trail_of_an_older_tally_becomes_a_log() {
    let folder = tempfile::tempdir().unwrap();
    let url = tally_store::sqlite_url(&folder.path().join("store.db"));
    let store = Store::open(&url, support::clock()).await.unwrap();
    changes(&store, 25).await;
    store.close().await;
    // As it was before the log.
    let mut other = <sqlx::AnyConnection as sqlx::Connection>::connect(&url).await.unwrap();
    let since = ["audit_hash", "audit_opening", "audit_key", "audit_checkpoint", "erasure"];
    for table in since.into_iter().chain(["violation_acknowledgement", "reconciliation"]) {
        let sql = format!("drop table {table}");
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut other).await.unwrap();
    }
    sqlx::query("delete from schema_version where version >= 4").execute(&mut other).await.unwrap();
    sqlx::Connection::close(other).await.unwrap();
    let store = Store::open(&url, support::clock()).await.unwrap();
    signed(&store).await;
    assert_eq!(verify(&export(&store).await, Trust::default()).unwrap().size, 26);
}
