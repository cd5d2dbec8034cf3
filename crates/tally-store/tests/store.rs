//! Reading and changing single resources.
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

use serde_json::{Value, json};
use support::{acme, clock, memory, name, set, trail};
use tally_store::{
    AuditFilter, ListOptions, Snapshot, SnapshotError, Store, StoreError, sqlite_url,
};
use tally_types::Kind;

#[tokio::test]
async fn a_resource_lives_through_its_versions() {
    let store = memory().await;
    let spec = json!({ "display_name": "Ada" });
    let ada = store.create("root", Kind::Person, name("ada"), spec.clone()).await.unwrap();
    assert_eq!((ada.version, &ada.spec, &ada.status), (1, &spec, &Value::Null));
    let again = store.create("root", Kind::Person, name("ada"), spec.clone()).await.unwrap_err();
    insta::assert_snapshot!(again, @"Person `ada` exists already; expected a new name, or an update of its version");

    let same = store.update("root", Kind::Person, name("ada"), spec, 1).await.unwrap();
    assert_eq!(same, ada);
    let spec = json!({ "display_name": "Ada L." });
    let changed = store.update("root", Kind::Person, name("ada"), spec.clone(), 1).await.unwrap();
    assert_eq!((changed.version, &changed.spec), (2, &spec));
    let stale = store.update("root", Kind::Person, name("ada"), json!({}), 1).await.unwrap_err();
    insta::assert_snapshot!(stale, @"Person `ada` is at version 2, expected version 1; read it again");

    store.set_status(Kind::Person, &name("ada"), json!({ "seen": true })).await.unwrap();
    let seen = store.get(Kind::Person, &name("ada")).await.unwrap().unwrap();
    assert_eq!((seen.version, &seen.status["seen"]), (2, &Value::Bool(true)));

    assert_eq!(store.require(Kind::Person, &name("ada")).await.unwrap(), seen);
    let missing = store.require(Kind::Person, &name("adda")).await.unwrap_err();
    insta::assert_snapshot!(missing, @"there is no Person `adda`; did you mean `ada`?");
    let missing = store.delete("root", Kind::Person, name("adda"), None).await.unwrap_err();
    insta::assert_snapshot!(missing, @"there is no Person `adda`; did you mean `ada`?");
    assert!(store.set_status(Kind::Team, &name("ada"), json!({})).await.is_err());
    assert!(store.delete("root", Kind::Person, name("ada"), Some(1)).await.is_err());
    store.delete("root", Kind::Person, name("ada"), Some(2)).await.unwrap();
    assert_eq!(store.get(Kind::Person, &name("ada")).await.unwrap(), None);

    let actions: Vec<_> = trail(&store).await.iter().map(|entry| entry.action.as_str()).collect();
    assert_eq!(actions, ["create", "update", "delete"]);
    assert!(store.create(" ", Kind::Person, name("x"), json!({})).await.is_err());
}

#[tokio::test]
async fn what_others_refer_to_cannot_be_deleted() {
    let store = memory().await;
    store.apply("ada", acme(), set("acme")).await.unwrap();
    let error = store.delete("ada", Kind::Team, name("support"), None).await.unwrap_err();
    insta::assert_snapshot!(error);
    assert!(matches!(error, StoreError::InUse { .. }));
}

#[tokio::test]
async fn references_of_single_resources_are_checked() {
    let store = memory().await;
    let spec = json!({ "manager": "nobody" });
    let error = store.create("ada", Kind::Team, name("t"), spec.clone()).await.unwrap_err();
    assert!(matches!(error, StoreError::Dangling(_)));
    store.create("ada", Kind::Team, name("t"), json!({})).await.unwrap();
    let error = store.update("ada", Kind::Team, name("t"), spec, 1).await.unwrap_err();
    insta::assert_snapshot!(error, @"Team/t: manager: Person `nobody` does not exist");
    store.create("ada", Kind::Organization, name("one"), json!({})).await.unwrap();
    let error = store.create("ada", Kind::Organization, name("two"), json!({})).await.unwrap_err();
    insta::assert_snapshot!(error, @"Organization/two: expected exactly one organization; there is `one` too");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_writers_on_one_version_exactly_one_wins() {
    let store = memory().await;
    store.create("root", Kind::Person, name("ada"), json!({})).await.unwrap();
    for round in 1..=10_i64 {
        let writers: Vec<_> = (0..8)
            .map(|writer| {
                let store = store.clone();
                tokio::spawn(async move {
                    let spec = json!({ "display_name": format!("{round}-{writer}") });
                    store.update("w", Kind::Person, name("ada"), spec, round).await
                })
            })
            .collect();
        let mut wins = 0;
        for writer in writers {
            match writer.await.unwrap() {
                Ok(resource) => {
                    assert_eq!(resource.version, round + 1);
                    wins += 1;
                }
                Err(StoreError::Conflict { expected, actual, .. }) => {
                    assert_eq!((expected, actual), (round, round + 1));
                }
                Err(other) => panic!("{other}"),
            }
        }
        assert_eq!(wins, 1);
    }
    assert_eq!(trail(&store).await.len(), 11);
}

#[tokio::test]
async fn two_processes_share_one_file() {
    let folder = tempfile::tempdir().unwrap();
    let url = sqlite_url(&folder.path().join("tally.db"));
    let one = Store::open(&url, clock()).await.unwrap();
    let two = Store::open(&url, clock()).await.unwrap();
    one.create("one", Kind::Person, name("ada"), json!({})).await.unwrap();
    assert!(two.refresh().await.unwrap());
    assert!(!two.refresh().await.unwrap());
    assert_eq!(*one.snapshot(), *two.snapshot());
    let spec = json!({ "manager": "ada" });
    two.create("two", Kind::Team, name("t"), spec).await.unwrap();
    // The first sees the second's change before it decides.
    let error = one.delete("one", Kind::Person, name("ada"), None).await.unwrap_err();
    assert!(matches!(error, StoreError::InUse { .. }));
    assert_eq!(one.snapshot().revision, 2);
}

#[tokio::test]
async fn lists_are_paged_and_filtered_by_prefix() {
    let store = memory().await;
    for person in ["b1", "a3", "a1", "B", "a2", "a10"] {
        store.create("root", Kind::Person, name(person), json!({})).await.unwrap();
    }
    let mut options = ListOptions { limit: 2, prefix: "a".to_owned(), after: None };
    let mut found = Vec::new();
    loop {
        let page = store.list(Kind::Person, options.clone()).await.unwrap();
        found.extend(page.items.into_iter().map(|item| item.name.to_string()));
        options.after = page.next;
        if options.after.is_none() {
            break;
        }
    }
    assert_eq!(found, ["a1", "a10", "a2", "a3"]);
    let all = store.list(Kind::Person, ListOptions::default()).await.unwrap();
    assert_eq!((all.items.len(), all.next), (6, None));
    assert_eq!(all.items[0].name.as_str(), "B");
    let none = store.list(Kind::Team, ListOptions::default()).await.unwrap();
    assert_eq!(none.items, []);
}

#[tokio::test]
async fn the_audit_trail_is_filtered_and_read_both_ways() {
    let store = memory().await;
    store.apply("ada", acme(), set("acme")).await.unwrap();
    let read = |filter: AuditFilter| {
        let store = store.clone();
        async move {
            let entries = store.audit(filter).await.unwrap();
            entries.into_iter().map(|entry| entry.sequence).collect::<Vec<_>>()
        }
    };
    let base = AuditFilter { limit: 3, ..AuditFilter::default() };
    assert_eq!(read(AuditFilter { after_sequence: 2, ..base.clone() }).await, [3, 4, 5]);
    let newest = AuditFilter { before_sequence: Some(i64::MAX), ..base.clone() };
    assert_eq!(read(newest).await, [20, 19, 18]);
    let of_kind = AuditFilter { kind: Some(Kind::Person), ..base.clone() };
    assert_eq!(read(of_kind).await, [12, 13, 14]);
    let of_name = AuditFilter { name: Some(name("openai")), ..base };
    assert_eq!(read(of_name).await, [3]);
}

#[tokio::test]
async fn reopening_keeps_everything() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a tally?.db");
    let url = sqlite_url(&path);
    let store = Store::open(&url, clock()).await.unwrap();
    store.apply("ada", acme(), set("acme")).await.unwrap();
    let (snapshot, entries) = (store.snapshot(), trail(&store).await);
    store.close().await;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let store = Store::open(&url, clock()).await.unwrap();
    assert_eq!(*store.snapshot(), *snapshot);
    assert_eq!(trail(&store).await, entries);
}

async fn sql(url: &str, statement: &'static str) {
    let pool = sqlx::AnyPool::connect(url).await.unwrap();
    sqlx::query(statement).execute(&pool).await.unwrap();
    pool.close().await;
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_rather_than_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let url = sqlite_url(&folder.path().join("tally.db"));
    let store = Store::open(&url, clock()).await.unwrap();
    store.create("root", Kind::Person, name("ada"), json!({})).await.unwrap();
    store.close().await;
    sql(&url, "update resource set spec = '{\"shoe_size\": 40}'").await;
    let error = Store::open(&url, clock()).await.unwrap_err();
    insta::assert_snapshot!(error);
    sql(&url, "insert into schema_version values (7, 'later')").await;
    let error = Store::open(&url, clock()).await.unwrap_err();
    insta::assert_snapshot!(error, @"the database has schema 7, expected at most 6; start the newer tally");
}

#[tokio::test]
async fn snapshots_survive_the_disk() {
    let store = memory().await;
    store.apply("ada", acme(), set("acme")).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("snapshot.json");
    Snapshot::default().save(&path).unwrap();
    store.snapshot().save(&path).unwrap();
    assert_eq!(Snapshot::load(&path).unwrap(), *store.snapshot());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no temporary file is left");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    std::fs::write(&path, "{\"revision\": 1,").unwrap();
    assert!(matches!(Snapshot::load(&path), Err(SnapshotError::Format { .. })));
    let missing = folder.path().join("none/snapshot.json");
    assert!(matches!(Snapshot::load(&missing), Err(SnapshotError::Io { .. })));
    assert!(matches!(Snapshot::default().save(&missing), Err(SnapshotError::Io { .. })));
}

#[tokio::test]
async fn a_change_finishes_when_its_caller_goes_away() {
    let store = memory().await;
    let mut watch = store.watch();
    let change = store.create("root", Kind::Person, name("ada"), json!({}));
    drop(tokio::time::timeout(std::time::Duration::ZERO, change).await);
    watch.changed().await.unwrap();
    assert_eq!(watch.borrow().people.len(), 1);
    assert_eq!(trail(&store).await.len(), 1);
}
