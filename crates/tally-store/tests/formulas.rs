//! Formulas of the scoreboards: who plays by them keeps them.
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
use support::{memory, name, pruned, set, yaml};
use tally_store::{ApplyOptions, Store, StoreError};
use tally_types::{Date, Kind};

/// It is 1 November 2026, 8:00 UTC.
fn formula(from: &str) -> Value {
    json!({ "from": from, "reason": "What is shared counts more" })
}

async fn create(store: &Store, what: &str, from: &str) -> Result<(), StoreError> {
    store.create("ada", Kind::ScoringFormula, name(what), formula(from)).await.map(|_| ())
}

fn on(store: &Store, day: Date) -> String {
    store.snapshot().scoring_formula_on(day).0
}

#[tokio::test]
async fn each_formula_holds_until_the_next() {
    let store = memory().await;
    let days =
        [Date::constant(2026, 10, 1), Date::constant(2026, 12, 31), Date::constant(2027, 1, 1)];
    assert_eq!(days.map(|day| on(&store, day)), ["standard", "standard", "standard"]);
    create(&store, "first", "2026-11-01").await.unwrap();
    create(&store, "second", "2027-01-01").await.unwrap();
    assert_eq!(days.map(|day| on(&store, day)), ["standard", "first", "second"]);
    let second = store.snapshot().scoring_formula_on(days[2]).1;
    assert_eq!(second.reason, "What is shared counts more");
}

#[tokio::test]
async fn what_is_played_by_stays_as_it_is() {
    let store = memory().await;
    create(&store, "first", "2026-01-01").await.unwrap();
    let update =
        |what, from| store.update("ada", Kind::ScoringFormula, name(what), formula(from), 1);
    let error = update("first", "2027-01-01").await.unwrap_err();
    assert!(matches!(error, StoreError::Invalid(_)));
    insta::assert_snapshot!(error, @"ScoringFormula/first: from: it holds since 2026-01-01, and seasons are scored by it: expected another formula with a `from` after 2026-11-01");
    store.delete("ada", Kind::ScoringFormula, name("first"), None).await.unwrap_err();
    // Nor is there a way around it.
    let error = create(&store, "another", "2026-11-01").await.unwrap_err();
    insta::assert_snapshot!(error, @"ScoringFormula/another: from: expected a day after today, 2026-11-01: a season is scored by the rules it began with");
    create(&store, "second", "2026-11-02").await.unwrap();
    update("second", "2026-10-31").await.unwrap_err();
    update("second", "2026-12-01").await.unwrap();
    let error = create(&store, "third", "2026-12-01").await.unwrap_err();
    insta::assert_snapshot!(error, @"ScoringFormula/third: from: `second` begins on 2026-12-01 already");
    store.delete("ada", Kind::ScoringFormula, name("second"), None).await.unwrap();
}

#[tokio::test]
async fn a_file_keeps_to_that_too() {
    let of = |factor: &str| {
        yaml(&format!(
            "kind: ScoringFormula\nname: ours\nspec:\n  from: 2026-01-01\n  reason: The first one.\n  spam_factor: {factor}\n"
        ))
    };
    let store = memory().await;
    store.apply("ada", of("3"), pruned("rules")).await.unwrap();
    store.apply("ada", of("3"), pruned("rules")).await.unwrap();
    store.apply("ada", of("3"), set("other")).await.unwrap();
    store.apply("ada", of("4"), set("other")).await.unwrap_err();
    let dry = ApplyOptions { dry_run: true, ..set("other") };
    store.apply("ada", of("4"), dry).await.unwrap_err();
    store.apply("ada", Vec::new(), pruned("other")).await.unwrap_err();
    assert!(
        (store.snapshot().scoring_formula_on(Date::constant(2026, 2, 1)).1.spam_factor - 3.0).abs()
            < 1e-9
    );
}
