//! What callers, crashes and a failing warehouse may rely on.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, Mutex},
};

use tally_journal::{Intent, Journal, JournalError, Options, Recovery, Running, Sink, SinkError};
use tally_types::{
    CallId, CallStatus, CountQuality, EventId, NodeId, Record, Source, Timestamp, UsageEvent,
};
use uuid::Uuid;

fn event(id: u128) -> UsageEvent {
    let id = Uuid::from_u128(id);
    let mut event =
        UsageEvent::new(EventId(id), CallId(id), Timestamp::UNIX_EPOCH, Source::Gateway);
    event.tokens.input_uncached = 7;
    event
}

fn open(folder: &Path) -> (Running, Recovery) {
    open_with(Options::new(folder))
}

fn open_with(mut options: Options) -> (Running, Recovery) {
    options.ship_every = std::time::Duration::from_millis(1);
    Journal::open(options, NodeId(Uuid::from_u128(1))).unwrap()
}

/// What a `kill -9` would leave: the files as the page cache holds them now.
fn killed(folder: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for file in std::fs::read_dir(folder).unwrap() {
        let file = file.unwrap();
        if !file.file_name().to_string_lossy().ends_with("-shm") {
            std::fs::copy(file.path(), copy.path().join(file.file_name())).unwrap();
        }
    }
    copy
}

/// A warehouse that fails when told to, before or after it took the rows.
#[derive(Clone, Default)]
struct TestSink {
    held: Arc<Mutex<Held>>,
}

#[derive(Default)]
struct Held {
    last: BTreeMap<NodeId, u64>,
    rows: Vec<Record>,
    refuse_writes: u32,
    lose_answers: u32,
}

impl Sink for TestSink {
    fn last_sequence(&mut self, node: NodeId) -> Result<u64, SinkError> {
        Ok(self.held.lock().unwrap().last.get(&node).copied().unwrap_or(0))
    }

    fn write(&mut self, node: NodeId, rows: &[(u64, Record)]) -> Result<(), SinkError> {
        let mut held = self.held.lock().unwrap();
        if held.refuse_writes > 0 {
            held.refuse_writes -= 1;
            return Err("refused".into());
        }
        held.last.insert(node, rows.last().unwrap().0);
        held.rows.extend(rows.iter().map(|(_, record)| record.clone()));
        if held.lose_answers > 0 {
            held.lose_answers -= 1;
            return Err("the answer was lost".into());
        }
        Ok(())
    }
}

impl TestSink {
    fn usage(&self) -> Vec<UsageEvent> {
        let held = self.held.lock().unwrap();
        held.rows
            .iter()
            .map(|record| match record {
                Record::Usage(event) => (**event).clone(),
                Record::Outcome(_) => panic!("no outcome was written"),
            })
            .collect()
    }
}

/// Opens, ships everything and closes again.
fn ship_all(folder: &Path) -> (Vec<UsageEvent>, Recovery) {
    let (running, recovery) = open(folder);
    let sink = TestSink::default();
    let shipper = running.journal().shipper(sink.clone());
    let thread = std::thread::spawn(move || shipper.run());
    running.close();
    thread.join().unwrap();
    (sink.usage(), recovery)
}

async fn intent(journal: &Journal, id: u128) -> Intent {
    journal.open_intent(&event(id)).await.unwrap()
}

#[tokio::test]
async fn a_kill_settles_what_was_sent_and_forgets_what_was_not() {
    let folder = tempfile::tempdir().unwrap();
    let (running, _) = open(folder.path());
    let journal = running.journal();
    let _unsent = intent(&journal, 1).await;
    let sent = intent(&journal, 2).await;
    sent.sent_marker().mark().unwrap();
    let settled = intent(&journal, 3).await;
    settled.sent_marker().mark().unwrap();
    journal.settle(settled, event(3)).unwrap();
    let cancelled = intent(&journal, 4).await;
    cancelled.sent_marker().mark().unwrap();
    journal.cancel(cancelled);
    let _flush = intent(&journal, 5).await;

    let (events, recovery) = ship_all(killed(folder.path()).path());

    assert_eq!(recovery, Recovery { settled: 1, dropped: 2 });
    let seen: Vec<_> = events
        .iter()
        .map(|event| (event.event_id.0.as_u128(), event.status, event.counts))
        .collect();
    assert_eq!(
        seen,
        [
            (3, CallStatus::Ok, CountQuality::Estimated),
            (2, CallStatus::Interrupted, CountQuality::Estimated),
        ]
    );
    assert_eq!(events[1].tokens.input_uncached, 7, "the estimate is kept");
}

#[tokio::test]
async fn a_slot_used_again_does_not_inherit_the_mark() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = Options::new(folder.path());
    options.open_intents_max = 1;
    let (running, _) = open_with(options);
    let journal = running.journal();
    let first = intent(&journal, 1).await;
    first.sent_marker().mark().unwrap();
    journal.settle(first, event(1)).unwrap();
    let _second = loop {
        match journal.open_intent(&event(2)).await {
            Ok(intent) => break intent,
            Err(JournalError::Busy) => tokio::task::yield_now().await,
            Err(error) => panic!("{error}"),
        }
    };
    let (events, recovery) = ship_all(killed(folder.path()).path());
    assert_eq!(recovery, Recovery { settled: 0, dropped: 1 });
    assert_eq!(events.len(), 1);
}

#[tokio::test]
async fn regression_05_a_dropped_intent_does_not_leak() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = Options::new(folder.path());
    options.open_intents_max = 2;
    let (running, _) = open_with(options);
    let journal = running.journal();
    for id in 0..100 {
        let dropped = loop {
            match journal.open_intent(&event(id)).await {
                Ok(intent) => break intent,
                Err(JournalError::Busy) => tokio::task::yield_now().await,
                Err(error) => panic!("{error}"),
            }
        };
        if id % 2 == 0 {
            dropped.sent_marker().mark().unwrap();
        }
    }
    running.close();
    let (events, recovery) = ship_all(folder.path());
    assert_eq!(recovery, Recovery::default(), "nothing was left open");
    assert_eq!(events.len(), 50, "what was sent is settled at its estimate");
}

#[tokio::test]
async fn regression_18_a_restart_drops_no_queue() {
    let folder = tempfile::tempdir().unwrap();
    let (running, _) = open(folder.path());
    let journal = running.journal();
    for id in 0..500 {
        let intent = intent(&journal, id).await;
        intent.sent_marker().mark().unwrap();
        journal.settle(intent, event(id)).unwrap();
    }
    running.close();
    let (events, _) = ship_all(folder.path());
    assert_eq!(events.len(), 500);
}

#[tokio::test]
async fn regression_19_a_failed_warehouse_commit_loses_nothing_and_repeats_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (running, _) = open(folder.path());
    let journal = running.journal();
    let sink = TestSink::default();
    {
        let mut held = sink.held.lock().unwrap();
        held.refuse_writes = 3;
        held.lose_answers = 2;
    }
    let shipper = journal.shipper(sink.clone());
    let thread = std::thread::spawn(move || shipper.run());
    for id in 0..300 {
        journal.append(&[Record::Usage(Box::new(event(id)))]).await.unwrap();
    }
    journal.shipped().await;
    running.close();
    thread.join().unwrap();
    let mut ids: Vec<_> = sink.usage().iter().map(|event| event.event_id.0.as_u128()).collect();
    ids.sort_unstable();
    assert_eq!(ids, (0..300).collect::<Vec<_>>());
}

#[tokio::test]
async fn regression_20_the_same_record_again_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (running, _) = open(folder.path());
    let journal = running.journal();
    let record = Record::Usage(Box::new(event(1)));
    let first = journal.append(&[record.clone(), record.clone()]).await.unwrap();
    let second = journal.append(&[record]).await.unwrap();
    // What was not written has nothing to be shipped: nobody waits for it.
    let shipper = journal.shipper(TestSink::default());
    let thread = std::thread::spawn(move || shipper.run());
    tokio::time::timeout(std::time::Duration::from_secs(20), journal.shipped()).await.unwrap();
    let stats = journal.stats();
    assert_eq!(stats.last_sequence, stats.shipped_sequence);
    assert_eq!((first.accepted, first.duplicates), (1, 1));
    assert_eq!((second.accepted, second.duplicates), (0, 1));
    running.close();
    thread.join().unwrap();
}

#[tokio::test]
async fn regression_22_every_queue_has_a_limit_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = Options::new(folder.path());
    options.open_intents_max = 3;
    let (running, _) = open_with(options);
    let journal = running.journal();
    let _held = [intent(&journal, 1).await, intent(&journal, 2).await, intent(&journal, 3).await];
    let refused = journal.open_intent(&event(4)).await.unwrap_err();
    assert!(matches!(refused, JournalError::Busy), "{refused}");
    assert_eq!(journal.stats().open_intents, 3);
    drop(running);
}

#[tokio::test]
async fn a_full_journal_refuses_calls_but_settles_those_under_way() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = Options::new(folder.path());
    options.bytes_max = 400 << 10;
    let (running, _) = open_with(options);
    let journal = running.journal();
    let mut under_way = Vec::new();
    for id in 0..50 {
        under_way.push(intent(&journal, id).await);
    }
    let mut id = 1_000;
    let refused = loop {
        id += 1;
        if let Err(error) = journal.append(&[Record::Usage(Box::new(event(id)))]).await {
            break error;
        }
    };
    assert!(matches!(refused, JournalError::Full), "{refused}");
    let kept = id - 1_001;
    assert!(matches!(journal.open_intent(&event(1)).await, Err(JournalError::Full)));
    for (id, intent) in under_way.into_iter().enumerate() {
        intent.sent_marker().mark().unwrap();
        journal.settle(intent, event(id as u128)).unwrap();
    }
    running.close();
    let (events, recovery) = ship_all(folder.path());
    assert_eq!(recovery, Recovery::default());
    assert_eq!(events.len() as u128, kept + 50);
}

#[tokio::test]
async fn the_journal_works_again_once_the_warehouse_made_room() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = Options::new(folder.path());
    options.bytes_max = 400 << 10;
    let (running, _) = open_with(options);
    let journal = running.journal();
    let mut id = 0;
    while journal.append(&[Record::Usage(Box::new(event(id)))]).await.is_ok() {
        id += 1;
    }
    let shipper = journal.shipper(TestSink::default());
    let thread = std::thread::spawn(move || shipper.run());
    let mut tries = 0;
    while journal.open_intent(&event(1_000_000)).await.is_err() {
        tries += 1;
        assert!(tries < 500, "room was made but not noticed");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    running.close();
    thread.join().unwrap();
}

#[test]
fn one_process_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let (_running, _) = open(folder.path());
    let second = Journal::open(Options::new(folder.path()), NodeId(Uuid::from_u128(2)));
    assert!(matches!(second, Err(JournalError::Locked(_))));
}

#[test]
fn a_journal_of_a_newer_version_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    open(folder.path()).0.close();
    let connection = rusqlite::Connection::open(folder.path().join("journal.db")).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    drop(connection);
    let refused = Journal::open(Options::new(folder.path()), NodeId(Uuid::from_u128(2)));
    assert!(matches!(refused, Err(JournalError::Newer(_, 99, _))));
}
