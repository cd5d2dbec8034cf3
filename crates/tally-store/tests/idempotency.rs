//! Replies kept for requests that are sent twice.
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

use std::time::Duration;

use support::{clock, memory_at};
use tally_store::{Begun, Kept, REPLY_BYTES_MAX, Ticket};

fn reply(body: Vec<u8>) -> Kept {
    Kept { status: 201, content_type: "application/json".to_owned(), body: Some(body) }
}

fn fresh(begun: Begun) -> Ticket {
    match begun {
        Begun::Fresh(ticket) => ticket,
        other => panic!("expected it to be fresh, got {other:?}"),
    }
}

#[tokio::test]
async fn a_reply_is_repeated_for_a_day() {
    let clock = clock();
    let kept = memory_at(clock.clone()).await.idempotency();
    let ticket = fresh(kept.begin("key", "request").await.unwrap());
    assert_eq!(kept.begin("key", "request").await.unwrap(), Begun::InProgress);
    assert_eq!(kept.begin("key", "other").await.unwrap(), Begun::Mismatch);
    let bytes = vec![0, 159, 146, 150, b'x'];
    assert!(kept.finish(&ticket, reply(bytes.clone())).await.unwrap());
    assert_eq!(kept.begin("key", "request").await.unwrap(), Begun::Done(reply(bytes)));
    assert_eq!(kept.begin("key", "other").await.unwrap(), Begun::Mismatch);
    clock.advance(Duration::from_secs(24 * 3_600));
    fresh(kept.begin("key", "other").await.unwrap());
}

#[tokio::test]
async fn what_failed_may_be_sent_again() {
    let kept = memory_at(clock()).await.idempotency();
    let ticket = fresh(kept.begin("key", "request").await.unwrap());
    kept.forget(&ticket).await.unwrap();
    fresh(kept.begin("key", "request").await.unwrap());
}

#[tokio::test]
async fn what_was_given_up_is_taken_over_and_its_late_end_is_ignored() {
    let clock = clock();
    let kept = memory_at(clock.clone()).await.idempotency();
    let slow = fresh(kept.begin("key", "request").await.unwrap());
    clock.advance(Duration::from_secs(119));
    assert_eq!(kept.begin("key", "request").await.unwrap(), Begun::InProgress);
    clock.advance(Duration::from_secs(1));
    let second = fresh(kept.begin("key", "request").await.unwrap());
    kept.forget(&slow).await.unwrap();
    kept.finish(&slow, reply(b"late".to_vec())).await.unwrap();
    assert_eq!(kept.begin("key", "request").await.unwrap(), Begun::InProgress);
    kept.finish(&second, reply(b"second".to_vec())).await.unwrap();
    let done = kept.begin("key", "request").await.unwrap();
    assert_eq!(done, Begun::Done(reply(b"second".to_vec())));
    // What was served is never taken over, however slowly it is asked for again.
    clock.advance(Duration::from_secs(600));
    assert_eq!(kept.begin("key", "request").await.unwrap(), done);
}

#[tokio::test]
async fn of_a_large_or_secret_reply_only_the_fact_is_kept() {
    let kept = memory_at(clock()).await.idempotency();
    for (key, body, is_kept) in [
        ("fits", Some(vec![b'x'; REPLY_BYTES_MAX]), true),
        ("large", Some(vec![b'x'; REPLY_BYTES_MAX + 1]), false),
        ("secret", None, false),
    ] {
        let ticket = fresh(kept.begin(key, "request").await.unwrap());
        let reply = Kept { body, ..reply(Vec::new()) };
        assert_eq!(kept.finish(&ticket, reply).await.unwrap(), is_kept, "{key}");
        let Begun::Done(found) = kept.begin(key, "request").await.unwrap() else {
            panic!("{key} was served");
        };
        assert_eq!((found.status, found.body.is_some()), (201, is_kept), "{key}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_at_once_one_is_served() {
    let store = memory_at(clock()).await;
    let tries: Vec<_> = (0..16)
        .map(|_| {
            let kept = store.idempotency();
            tokio::spawn(async move { kept.begin("key", "request").await.unwrap() })
        })
        .collect();
    let mut served = 0;
    for begun in tries {
        served += u32::from(matches!(begun.await.unwrap(), Begun::Fresh(_)));
    }
    assert_eq!(served, 1);
}
