//! Stages that are reached, and what people are told: once each.
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

use std::{sync::Arc, time::Duration};

use serde_json::json;
use support::{acme, clock, memory_at, name, set, trail, yaml};
use tally_store::{
    Store, StoreError,
    approvals::{ApprovalError, Verdict},
    grants::NewGrant,
    notices::{ATTEMPTS_MAX, Channel, Channels, DeliveryState, Outlet},
};
use tally_types::{Kind, ManualClock, PersonName, StageReached, Timestamp, spec::GrantState};

const HOUR: Duration = Duration::from_secs(3_600);

async fn company() -> (Store, Arc<ManualClock>) {
    let clock = clock();
    let store = memory_at(clock.clone()).await;
    let outlet =
        |channel, name: &str, only_named| Outlet { channel, name: name.to_owned(), only_named };
    store.set_channels(Channels {
        mail: true,
        outlets: vec![
            outlet(Channel::Webhook, "ops", false),
            outlet(Channel::Slack, "finance", true),
        ],
    });
    store.apply("setup", acme(), set("acme")).await.unwrap();
    (store, clock)
}

fn person(text: &str) -> PersonName {
    text.parse().unwrap()
}

fn reached(stage: serde_json::Value, round: u32) -> StageReached {
    serde_json::from_value(json!({
        "counter": { "budget": "support-month" },
        "window_start": "2026-10-31T23:00:00Z", "window_end": "2026-11-30T23:00:00Z",
        "stage": stage, "round": round, "limit": { "usd": "2000" }, "settled": { "usd": "1612.4" },
        "at": "2026-11-01T07:59:00Z", "person": "ada", "top_workload": "support-copilot",
    }))
    .unwrap()
}

async fn titles(store: &Store, who: &str) -> Vec<String> {
    let page = store.inbox().list(&person(who), false, 100, None).await.unwrap();
    page.items.into_iter().map(|one| one.title).collect()
}

async fn sent(store: &Store) -> Vec<String> {
    let page = store.deliveries().list(None, 500, None).await.unwrap();
    let channel = |channel: Channel| channel.as_str();
    let mut all: Vec<String> = page
        .items
        .iter()
        .map(|one| format!("{} {}: {}", channel(one.channel), one.to, one.title))
        .collect();
    all.sort();
    all
}

#[tokio::test]
async fn a_stage_is_kept_and_told_once() {
    let (store, _) = company().await;
    let events = store.stage_events();
    let first = reached(json!({ "at": 70, "notify": ["owner", "person", "webhook"] }), 0);
    assert!(events.keep(&first).await.unwrap());
    assert!(!events.keep(&first).await.unwrap());
    assert_eq!(titles(&store, "grace").await, ["support-month has reached 70 %"]);
    assert_eq!(titles(&store, "ada").await, ["support-month has reached 70 %"]);
    assert_eq!(
        sent(&store).await,
        [
            "email ada@acme.test: support-month has reached 70 %",
            "email grace@acme.test: support-month has reached 70 %",
            "slack finance: support-month has reached 70 %",
            "webhook ops: support-month has reached 70 %",
        ]
    );
    // A grant has re-armed it: that is another time.
    assert!(events.keep(&reached(json!({ "at": 70, "notify": ["owner"] }), 1)).await.unwrap());
    assert_eq!(titles(&store, "grace").await.len(), 2);
    // So is a warning ahead.
    let ahead =
        StageReached { exhausted_at: Some("2026-11-26T10:00:00Z".parse().unwrap()), ..first };
    assert!(events.keep(&ahead).await.unwrap());
    let newest = &titles(&store, "grace").await[0];
    assert_eq!(newest, "At this pace, support-month is used up on 26 Nov 2026 11:00 CET");
    let page = events.list(&"support-month".parse().unwrap(), None, 2, None).await.unwrap();
    assert_eq!((page.items.len(), page.items[0].reached.exhausted_at), (2, ahead.exhausted_at));
    let next = page.next.unwrap().parse().unwrap();
    let rest = events.list(&"support-month".parse().unwrap(), None, 2, Some(next)).await.unwrap();
    assert_eq!((rest.items.len(), rest.next), (1, None));
}

#[tokio::test]
async fn an_approval_stage_opens_one_grant_that_needs_both_roles() {
    let (store, clock) = company().await;
    let stage = reached(json!({ "at": 80, "approval": ["workload_owner", "finops"] }), 0);
    // Told by two at once, as two processes would.
    let events = store.stage_events();
    let (one, two) = tokio::join!(events.keep(&stage), events.keep(&stage));
    assert!(one.unwrap() ^ two.unwrap());
    let snapshot = store.snapshot();
    let names: Vec<_> = snapshot.grants.keys().cloned().collect();
    assert_eq!(names, [name("support-month-2026-11-01-stage-80")]);
    let grant = &snapshot.grants[&names[0]];
    assert_eq!(grant.until, stage.window_end);
    assert!(grant.requested_by.is_none() && grant.state == GrantState::Pending);
    for who in ["grace", "lin"] {
        assert_eq!(titles(&store, who).await, ["To approve: support-month going on past 80 %"]);
    }
    let grants = store.grants();
    let said = |by: &'static str, verdict, why| {
        let (grants, name, by) = (grants.clone(), names[0].clone(), person(by));
        async move { grants.decide(&format!("Person/{by}"), &by, &name, verdict, why).await }
    };
    // Two approvals at once: both count.
    let (grace, lin) = tokio::join!(
        said("grace", Verdict::Approve, None),
        said("lin", Verdict::Approve, Some("fine"))
    );
    let (grace, lin) = (grace.unwrap(), lin.unwrap());
    assert_eq!(grace.version.max(lin.version), 3);
    assert_eq!(store.snapshot().grants[&names[0]].state, GrantState::Approved);
    // Said twice it is said once; the other way round it is too late.
    assert_eq!(said("lin", Verdict::Approve, None).await.unwrap().version, 3);
    let late = said("lin", Verdict::Deny, Some("no")).await.unwrap_err();
    assert!(matches!(late, ApprovalError::Decided(_)), "{late}");
    let acts: Vec<_> = trail(&store).await.iter().map(|entry| entry.action.as_str()).collect();
    assert_eq!(acts[acts.len() - 3..], ["request_grant", "approve_grant", "approve_grant"]);
    let minutes = grants.trail(&names[0]).await.unwrap();
    assert_eq!(minutes[0].by, "tally");
    assert_eq!(
        minutes[0].what,
        "support-month reached 80 %: asked whether it may go on until 1 Dec 2026 00:00 CET"
    );
    assert_eq!(minutes[1].what, "told grace (workload owner), lin (finops)");
    assert!(minutes.last().unwrap().what.ends_with("it holds until 1 Dec 2026 00:00 CET"));
    // The window ends, and with it the grant.
    clock.advance(HOUR * 24 * 31);
    assert_eq!(grants.sweep().await.unwrap(), 1);
    assert_eq!(grants.sweep().await.unwrap(), 0);
    assert_eq!(store.snapshot().grants[&names[0]].state, GrantState::Expired);
    // What is reached late, in a window that is over, asks nobody.
    let late = StageReached { round: 5, ..stage };
    assert!(store.stage_events().keep(&late).await.unwrap());
    assert_eq!(store.snapshot().grants.len(), 1);
}

#[tokio::test]
async fn what_nobody_decides_is_escalated_and_ends_undecided() {
    let (store, clock) = company().await;
    let new = NewGrant {
        counter: serde_json::from_value(json!({ "budget": "support-month" })).unwrap(),
        increase: serde_json::from_value(json!({ "usd": "250" })).unwrap(),
        until: "2026-11-04T08:00:00Z".parse::<Timestamp>().unwrap(),
        reason: "Replies to the recall".to_owned(),
        emergency: false,
    };
    let grants = store.grants();
    let made = grants.request("Person/ada via Key/k", &person("ada"), new.clone()).await.unwrap();
    assert_eq!(made.name, name("support-month-2026-11-01-ada"));
    let second = grants.request("Person/ada", &person("ada"), new).await.unwrap();
    assert_eq!(second.name, name("support-month-2026-11-01-ada-2"));
    grants.withdraw("Person/ada", &person("ada"), &second.name).await.unwrap();
    clock.advance(HOUR * 24);
    assert_eq!(grants.sweep().await.unwrap(), 1);
    assert_eq!(
        titles(&store, "lin").await,
        ["Nobody has decided yet: 250 USD more on support-month"]
    );
    clock.advance(HOUR * 48);
    assert_eq!(grants.sweep().await.unwrap(), 1);
    assert_eq!(titles(&store, "ada").await, ["Over: 250 USD more on support-month"]);
    let minutes: Vec<String> = grants
        .trail(&made.name)
        .await
        .unwrap()
        .into_iter()
        .map(|line| format!("{} {}", line.by, line.what))
        .collect();
    insta::assert_snapshot!(minutes.join("\n"), @r"
    ada asked for 250 USD more on support-month until 4 Nov 2026 09:00 CET
    tally told grace (owner)
    tally nobody decided in time: FinOps and admins may decide now, too
    tally it ended undecided
    ");
}

#[tokio::test]
async fn a_delivery_is_tried_until_it_is_taken_or_given_up() {
    let (store, clock) = company().await;
    let stage = reached(json!({ "at": 70, "notify": ["owner"] }), 0);
    store.stage_events().keep(&stage).await.unwrap();
    let outbox = store.deliveries();
    let due = |channel, name| {
        let outbox = outbox.clone();
        async move { outbox.due(channel, name, 10).await.unwrap() }
    };
    assert!(due(Channel::Slack, "finance").await.is_empty(), "only what names it");
    let mail = due(Channel::Email, "").await;
    assert_eq!((mail.len(), mail[0].to.as_str()), (1, "grace@acme.test"));
    outbox.delivered(mail[0].id).await.unwrap();
    assert!(due(Channel::Email, "").await.is_empty());
    let id = due(Channel::Webhook, "ops").await[0].id;
    for attempt in 1..=ATTEMPTS_MAX {
        assert_eq!(due(Channel::Webhook, "ops").await.len(), 1, "attempt {attempt}");
        outbox.failed(id, "503", false).await.unwrap();
        assert!(due(Channel::Webhook, "ops").await.is_empty(), "it waits after {attempt}");
        clock.advance(HOUR);
    }
    let failed = outbox.list(Some(DeliveryState::Failed), 10, None).await.unwrap().items;
    assert_eq!((failed.len(), failed[0].attempts), (1, ATTEMPTS_MAX));
    assert_eq!(failed[0].last_error.as_deref(), Some("503"));
    let again = outbox.retry(id).await.unwrap().unwrap();
    assert_eq!((again.state, again.attempts), (DeliveryState::Waiting, 0));
    outbox.delivered(id).await.unwrap();
    assert_eq!(outbox.retry(id).await.unwrap().unwrap().state, DeliveryState::Delivered);
    assert!(outbox.retry(4_711).await.unwrap().is_none());
    clock.advance(HOUR * 24 * 40);
    outbox.tidy().await.unwrap();
    assert!(sent(&store).await.is_empty());
}

#[tokio::test]
async fn people_read_their_own_and_nobody_elses() {
    let (store, _) = company().await;
    let events = store.stage_events();
    for at in [70, 75, 90] {
        let stage = reached(json!({ "at": at, "notify": ["owner", "person"] }), 0);
        events.keep(&stage).await.unwrap();
    }
    let inbox = store.inbox();
    let page = inbox.list(&person("ada"), true, 2, None).await.unwrap();
    assert_eq!((page.items.len(), page.unread), (2, 3));
    let next = page.next.unwrap().parse().unwrap();
    assert_eq!(inbox.list(&person("ada"), true, 2, Some(next)).await.unwrap().items.len(), 1);
    let id = page.items[0].id.parse().unwrap();
    inbox.read(&person("grace"), Some(&[id])).await.unwrap();
    assert_eq!(inbox.list(&person("ada"), true, 9, None).await.unwrap().unread, 3);
    inbox.read(&person("ada"), Some(&[id])).await.unwrap();
    assert_eq!(inbox.list(&person("ada"), true, 9, None).await.unwrap().unread, 2);
    inbox.read(&person("ada"), None).await.unwrap();
    assert_eq!(inbox.list(&person("ada"), false, 9, None).await.unwrap().unread, 0);
    assert_eq!(inbox.list(&person("grace"), true, 9, None).await.unwrap().unread, 3);
}

#[tokio::test]
async fn a_grant_is_no_document() {
    let (store, _) = company().await;
    let document = yaml(
        "kind: Grant\nname: g\nspec: { counter: { budget: support-month }, ask: { pass_stage: 80 }, \
         until: 2026-12-01T00:00:00Z, reason: r, requested_at: 2026-11-01T00:00:00Z, needs: [], state: approved }\n",
    );
    let refused = store.apply("root", document, set("s")).await.unwrap_err();
    assert!(matches!(refused, StoreError::Invalid(_)));
    assert!(refused.to_string().contains("`tally grant request`"), "{refused}");
    assert!(store.list(Kind::Grant, Default::default()).await.unwrap().items.is_empty());
}
