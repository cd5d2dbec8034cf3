//! Bills are kept once, and what is decided about them needs two people.
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

use std::collections::BTreeSet;

use serde_json::json;
use support::{acme, memory, set};
use tally_store::{AuditFilter, NewReconciliation, Reconciliations, Ruling, Store, StoreError};
use tally_types::{Date, spec::AdjustmentSpec};

const LIN: (&str, &str) = ("Person/lin", "lin");
const ADA: (&str, &str) = ("Person/ada", "ada");

async fn store() -> Store {
    let store = memory().await;
    store.apply("setup", acme(), set("acme")).await.unwrap();
    store
}

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

/// A bill of October over an amount.
fn bill(billed: &str) -> NewReconciliation {
    NewReconciliation {
        provider: "anthropic".parse().unwrap(),
        days: (day("2026-10-01"), day("2026-10-31")),
        format: "csv".to_owned(),
        billed_usd: Some(billed.parse().unwrap()),
        metered_usd: "60".parse().unwrap(),
        variances: 1,
        bill: json!([{ "date": "2026-10-03", "cost_usd": billed }]),
        found: json!({ "variances": [] }),
    }
}

fn proposed(id: &str, number: u32, meter: Option<&str>) -> AdjustmentSpec {
    serde_json::from_value(json!({
        "reconciliation": id, "number": number, "provider": "anthropic", "date": "2026-10-03",
        "meter": meter, "variance": "missing_traffic", "amount_usd": "42", "state": "approved",
        "decided_by": "-", "decided_at": "2026-11-01T08:00:00Z", "reason": "-",
    }))
    .unwrap()
}

async fn entries(store: &Store) -> i64 {
    let newest = AuditFilter { before_sequence: Some(i64::MAX), limit: 1, ..Default::default() };
    store.audit(newest).await.unwrap().first().map_or(0, |entry| entry.sequence)
}

async fn approved(
    all: &Reconciliations,
    who: (&str, &str),
    spec: AdjustmentSpec,
) -> Result<Vec<tally_types::Resource>, StoreError> {
    let ruling = Ruling::Approve(Some("cc-100-support".parse().unwrap()));
    let id = spec.reconciliation.clone();
    all.rule(who, &id, vec![spec], ruling, "the batch host went around").await
}

#[tokio::test]
async fn a_bill_is_kept_once_and_the_first_import_stands() {
    let store = store().await;
    let all = store.reconciliations();
    let first = all.keep(LIN.0, LIN.1, bill("102")).await.unwrap();
    let audited = entries(&store).await;
    // More was metered meanwhile, and somebody else sends the same bill.
    let again = NewReconciliation { metered_usd: "90".parse().unwrap(), ..bill("102") };
    assert_eq!(all.keep(ADA.0, ADA.1, again).await.unwrap(), first);
    assert_eq!(entries(&store).await, audited, "nothing is changed, so nothing is audited");
    let other = all.keep(LIN.0, LIN.1, bill("103")).await.unwrap();
    assert_ne!(other.summary.id, first.summary.id);
    assert_eq!(entries(&store).await, audited + 1);

    let listed = all.list(None, 10).await.unwrap();
    assert_eq!(listed.len(), 2);
    assert!(listed.contains(&first.summary));
    assert_eq!(all.list(Some(&"openai".parse().unwrap()), 10).await.unwrap(), []);
    assert_eq!(all.get(&first.summary.id).await.unwrap(), Some(first));
    assert_eq!(all.get("nothing").await.unwrap(), None);
}

#[tokio::test]
async fn a_second_person_decides_and_what_is_posted_stays() {
    let store = store().await;
    let all = store.reconciliations();
    let id = all.keep(LIN.0, LIN.1, bill("102")).await.unwrap().summary.id;
    let said = |error: StoreError| error.to_string();
    let own = approved(&all, LIN, proposed(&id, 1, None)).await.map_err(said).unwrap_err();
    assert!(own.contains("expected a second person"), "{own}");
    let audited = entries(&store).await;
    let silent = all.rule(ADA, &id, vec![proposed(&id, 1, None)], Ruling::Reject, " ").await;
    assert!(silent.map_err(said).unwrap_err().contains("`reason`"));
    let nothing = all.post(ADA, &id, BTreeSet::new()).await.map_err(said).unwrap_err();
    assert!(nothing.contains("no adjustment is approved"), "{nothing}");

    approved(&all, ADA, proposed(&id, 1, None)).await.unwrap();
    approved(&all, ADA, proposed(&id, 1, None)).await.unwrap();
    assert_eq!(entries(&store).await, audited + 1, "said twice, it is one entry");
    // Another word is possible until it is posted.
    all.rule(ADA, &id, vec![proposed(&id, 1, None)], Ruling::Reject, "it is ours").await.unwrap();
    assert!(all.post(ADA, &id, BTreeSet::new()).await.is_err());
    approved(&all, ADA, proposed(&id, 1, None)).await.unwrap();
    let posted = all.post(ADA, &id, BTreeSet::from([1])).await.unwrap();
    assert_eq!(posted[0].spec["state"], "posted");
    assert_eq!(posted[0].spec["posted_by"], "ada");
    assert_eq!(entries(&store).await, audited + 4);
    let spec = &store.snapshot().adjustments[format!("{id}-1").as_str()];
    assert_eq!(spec.cost_center, Some("cc-100-support".parse().unwrap()));
    let late = all.rule(ADA, &id, vec![proposed(&id, 1, None)], Ruling::Reject, "no").await;
    assert!(late.map_err(said).unwrap_err().contains("what is posted stays"));
}

#[tokio::test]
async fn what_one_bill_settles_no_other_one_settles_again() {
    let store = store().await;
    let all = store.reconciliations();
    let first = all.keep(LIN.0, LIN.1, bill("102")).await.unwrap().summary.id;
    let second = all.keep(LIN.0, LIN.1, bill("103")).await.unwrap().summary.id;
    approved(&all, ADA, proposed(&first, 1, Some("output"))).await.unwrap();
    // The whole day has that meter in it.
    let twice = approved(&all, ADA, proposed(&second, 1, None)).await.unwrap_err().to_string();
    assert!(twice.contains("in the books twice"), "{twice}");
    approved(&all, ADA, proposed(&second, 2, Some("cache_read"))).await.unwrap();
    all.rule(ADA, &first, vec![proposed(&first, 1, Some("output"))], Ruling::Reject, "no")
        .await
        .unwrap();
    let known = Ruling::Approve(Some("cc-nowhere".parse().unwrap()));
    let error = all.rule(ADA, &second, vec![proposed(&second, 1, None)], known, "yes").await;
    assert!(matches!(error.unwrap_err(), StoreError::NotFound { .. }));
}
