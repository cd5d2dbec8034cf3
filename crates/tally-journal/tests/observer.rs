//! Who observes the journal counts each row once: in order, across restarts and shipments.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "a test")]

use std::{
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use tally_journal::{Counters, Journal, Observer, Options, Running, Sink, SinkError};
use tally_types::{CallId, EventId, NodeId, Record, Source, Timestamp, UsageEvent};
use uuid::Uuid;

#[derive(Default)]
struct Seen {
    restored: Mutex<Counters>,
    rows: Mutex<Vec<(u64, u128)>>,
    skipped: Mutex<Vec<u64>>,
    vanished: Mutex<Vec<u128>>,
}

impl Observer for Seen {
    fn restore(&self, kept: Counters) {
        *self.restored.lock().unwrap() = kept;
    }

    fn committed(&self, sequence: u64, record: &Record) {
        self.rows.lock().unwrap().push((sequence, record.id().0.as_u128()));
    }

    fn skipped(&self, sequence: u64) {
        self.skipped.lock().unwrap().push(sequence);
    }

    fn vanished(&self, event_id: EventId) {
        self.vanished.lock().unwrap().push(event_id.0.as_u128());
    }
}

impl Seen {
    fn ids(&self) -> Vec<u128> {
        self.rows.lock().unwrap().iter().map(|(_, id)| *id).collect()
    }

    fn last(&self) -> u64 {
        self.rows.lock().unwrap().last().map_or(0, |(sequence, _)| *sequence)
    }
}

struct Swallow(u64);

impl Sink for Swallow {
    fn last_sequence(&mut self, _: NodeId) -> Result<u64, SinkError> {
        Ok(self.0)
    }

    fn write(&mut self, _: NodeId, rows: &[(u64, Record)]) -> Result<(), SinkError> {
        self.0 = rows.last().map_or(self.0, |(sequence, _)| *sequence);
        Ok(())
    }
}

fn open(folder: &Path) -> (Running, Arc<Seen>) {
    let options = Options { ship_every: Duration::from_millis(5), ..Options::new(folder) };
    let seen = Arc::new(Seen::default());
    let observer: Arc<dyn Observer> = Arc::clone(&seen) as Arc<dyn Observer>;
    let node = NodeId(Uuid::from_u128(1));
    let (running, _) = Journal::open_observed(options, node, Some(observer)).unwrap();
    (running, seen)
}

fn event(id: u128) -> UsageEvent {
    let id = Uuid::from_u128(id);
    UsageEvent::new(EventId(id), CallId(id), Timestamp::UNIX_EPOCH, Source::Import)
}

fn record(id: u128) -> Record {
    Record::Usage(Box::new(event(id)))
}

#[tokio::test]
async fn each_row_is_told_once_in_order_and_again_from_what_was_kept() {
    let folder = tempfile::tempdir().unwrap();
    let (running, seen) = open(folder.path());
    let journal = running.journal();
    let intent = journal.open_intent(&event(1)).await.unwrap();
    let unsent = journal.open_intent(&event(2)).await.unwrap();
    journal.settle(intent, event(1)).unwrap();
    journal.cancel(unsent);
    journal.append(&[record(3), record(4)]).await.unwrap();
    assert_eq!(seen.ids(), [1, 3, 4]);
    assert_eq!(*seen.vanished.lock().unwrap(), [2]);

    let states = vec![("a".to_owned(), "three".to_owned())];
    journal.keep_counters(Counters { sequence: seen.last(), states }).await.unwrap();
    journal.append(&[record(5)]).await.unwrap();
    running.close();

    let (running, seen) = open(folder.path());
    assert_eq!(seen.restored.lock().unwrap().states, [("a".to_owned(), "three".to_owned())]);
    assert_eq!(seen.ids(), [5], "what came after the counters comes again, nothing else");
    running.close();
}

#[tokio::test]
async fn regression_20_an_event_sent_again_is_counted_once_even_after_it_was_shipped() {
    let folder = tempfile::tempdir().unwrap();
    let (running, seen) = open(folder.path());
    let journal = running.journal();
    let shipper = journal.shipper(Swallow(0));
    let shipper = std::thread::spawn(move || shipper.run());
    journal.append(&[record(7)]).await.unwrap();
    journal.shipped().await;
    let states = Vec::new();
    journal.keep_counters(Counters { sequence: seen.last(), states }).await.unwrap();
    journal.append(&[record(7), record(8)]).await.unwrap();
    assert_eq!(seen.ids(), [7, 8]);
    assert_eq!(seen.skipped.lock().unwrap().len(), 1);
    running.close();
    shipper.join().unwrap();
}

#[tokio::test]
async fn shipped_rows_wait_until_they_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    let (running, _) = open(folder.path());
    let journal = running.journal();
    let shipper = journal.shipper(Swallow(0));
    let shipper = std::thread::spawn(move || shipper.run());
    journal.append(&[record(1), record(2)]).await.unwrap();
    journal.shipped().await;
    running.close();
    shipper.join().unwrap();

    let (running, seen) = open(folder.path());
    assert_eq!(seen.ids(), [1, 2], "nobody kept counters: the rows are still there");
    let states = Vec::new();
    let counted = Counters { sequence: seen.last(), states };
    let journal = running.journal();
    let shipper = journal.shipper(Swallow(2));
    let shipper = std::thread::spawn(move || shipper.run());
    journal.keep_counters(counted).await.unwrap();
    running.close();
    shipper.join().unwrap();
    let (running, seen) = open(folder.path());
    assert!(seen.ids().is_empty());
    running.close();
}
