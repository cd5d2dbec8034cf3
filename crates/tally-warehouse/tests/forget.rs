//! Who made a call is forgotten; what it cost is not.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod common;

use common::{event, node, now, options, query, rows};
use tally_types::{DataClass, Record, UsageEvent};
use tally_warehouse::{Forget, Warehouse};

const DAY: &str = "2026-02-10T09:00:00Z";

fn spoken(number: u64, time: &str, person: &str, class: DataClass) -> UsageEvent {
    let mut event = event(number, time);
    event.person = person.parse().ok();
    event.key = format!("{person}-laptop").parse().ok();
    event.team = "support".parse().ok();
    event.cost_center = "cc-100".parse().ok();
    event.user_agent = Some(format!("agent of {person} Quillfeather/1.2"));
    event.session = Some(format!("session-{person}-quillfeather"));
    event.task_id = Some(format!("letter to {person} Quillfeather"));
    event.tags.insert("author".to_owned(), format!("{person} Quillfeather"));
    event.data_class = class;
    event
}

fn service(number: u64, time: &str) -> UsageEvent {
    let mut event = event(number, time);
    event.key = "copilot-prod".parse().ok();
    event.workload = "copilot".parse().ok();
    event.cost_center = "cc-100".parse().ok();
    event.task_id = Some("ticket-7".to_owned());
    event
}

fn fill(warehouse: &Warehouse, events: Vec<UsageEvent>) {
    let rows: Vec<(u64, Record)> = (1..)
        .zip(events)
        .map(|(sequence, event)| (sequence, Record::Usage(Box::new(event))))
        .collect();
    warehouse.write(node(1), &rows).unwrap();
}

/// Calls and cost by a dimension; rollups and events must agree.
fn by(warehouse: &Warehouse, dimension: &str) -> String {
    let query = query("calls spend_usd spend_internal_usd", dimension, "last_90_days");
    let fast = warehouse.query(&query, now()).unwrap();
    let slow = warehouse.query_events_only(&query, now()).unwrap();
    assert_eq!(rows(&fast), rows(&slow), "rollups and events differ");
    rows(&fast).join("\n")
}

#[test]
fn old_calls_forget_who_made_them_and_cost_the_same() {
    let warehouse = common::berlin();
    let old = spoken(1, DAY, "ada", DataClass::Internal);
    let kept = spoken(2, DAY, "bert", DataClass::Public);
    let young = spoken(3, "2026-03-20T09:00:00Z", "ada", DataClass::Internal);
    let served = service(4, DAY);
    let ids = [old.event_id, kept.event_id, young.event_id, served.event_id];
    fill(&warehouse, vec![old.clone(), kept.clone(), young.clone(), served.clone()]);
    warehouse.compact(now()).unwrap();
    let before = by(&warehouse, "cost_center");
    assert!(by(&warehouse, "person").contains("ada"));

    let which = Forget::Older {
        class: DataClass::Internal,
        before: "2026-03-01T00:00:00Z".parse().unwrap(),
    };
    let waiting = warehouse.waiting(std::slice::from_ref(&which)).unwrap();
    assert_eq!((waiting.events, waiting.oldest), (1, DAY.parse().ok()));
    assert_eq!(warehouse.forget(&which, 10).unwrap(), 1);
    assert_eq!(warehouse.forget(&which, 10).unwrap(), 0, "it is done once");
    assert_eq!(warehouse.waiting(std::slice::from_ref(&which)).unwrap().events, 0);

    let [forgotten, other, new, same] = ids.map(|id| warehouse.event(id).unwrap().unwrap());
    let expected = UsageEvent {
        revision: 1,
        person: None,
        key: None,
        user_agent: None,
        session: None,
        task_id: None,
        tags: std::collections::BTreeMap::new(),
        ..old.clone()
    };
    assert_eq!(forgotten, expected, "nothing else changed");
    assert_eq!((other, new, same), (kept, young, served), "nor did any other call");
    for step in ["before the rollups are built", "after"] {
        assert_eq!(by(&warehouse, "cost_center"), before, "{step}");
        assert_eq!(by(&warehouse, "person").matches("ada").count(), 1, "{step}");
        warehouse.compact(now()).unwrap();
    }
    // What was shipped before comes again with its old revision: it stays forgotten.
    warehouse.write(node(2), &[(1, Record::Usage(Box::new(old)))]).unwrap();
    assert_eq!(warehouse.event(ids[0]).unwrap().unwrap().person, None);
}

#[test]
fn a_batch_is_bounded_and_begins_with_the_oldest() {
    let warehouse = common::berlin();
    let events = (1..=7).map(|number| {
        spoken(number, &format!("2026-02-{:02}T09:00:00Z", 20 - number), "ada", DataClass::Public)
    });
    let events: Vec<UsageEvent> = events.collect();
    let oldest = events[6].event_id;
    fill(&warehouse, events);
    let which = Forget::Older { class: DataClass::Public, before: now() };
    assert_eq!(warehouse.forget(&which, 3).unwrap(), 3);
    assert_eq!(warehouse.event(oldest).unwrap().unwrap().person, None);
    assert_eq!(warehouse.waiting(std::slice::from_ref(&which)).unwrap().events, 4);
    assert_eq!(warehouse.forget(&which, 3).unwrap() + warehouse.forget(&which, 3).unwrap(), 4);
}

#[test]
fn nothing_in_the_file_names_who_was_erased() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("warehouse.duckdb");
    let warehouse = Warehouse::open(&path, &options("Europe/Berlin")).unwrap();
    let mut events: Vec<UsageEvent> = (1..=60)
        .map(|number| {
            let person = if number % 3 == 0 { "adaquillon" } else { "bert" };
            let day = 1 + number % 2;
            spoken(number, &format!("2026-02-{day:02}T09:00:00Z"), person, DataClass::Internal)
        })
        .collect();
    // Someone else's call quotes her.
    let mut quoting = service(61, "2026-02-02T09:00:00Z");
    quoting.tags.insert("for".to_owned(), "Adaquillon Quillfeather".to_owned());
    events.push(quoting);
    fill(&warehouse, events);
    warehouse.compact(now()).unwrap();
    warehouse.checkpoint().unwrap();
    let holds = |word: &str| {
        let files = std::fs::read_dir(folder.path()).unwrap();
        files
            .filter(|file| contains(&std::fs::read(file.as_ref().unwrap().path()).unwrap(), word))
            .count()
    };
    assert!(holds("adaquillon") > 0 && holds("Adaquillon Quillfeather") > 0, "the test can tell");

    let of = Forget::Of {
        person: "adaquillon".parse().unwrap(),
        keys: vec!["adaquillon-laptop".parse().unwrap()],
        before: now(),
    };
    assert_eq!(warehouse.forget(&of, 1_000).unwrap(), 20);
    let quoted = Forget::Quoting("Adaquillon Quillfeather".to_owned());
    assert_eq!(warehouse.forget(&quoted, 1_000).unwrap(), 1);
    warehouse.compact(now()).unwrap();
    assert!(warehouse.overwrite().unwrap() > 0);
    for word in ["adaquillon", "Adaquillon Quillfeather"] {
        assert_eq!(holds(word), 0, "{word}");
    }
    assert!(by(&warehouse, "person").contains("bert"), "others are as they were");
}

fn contains(bytes: &[u8], word: &str) -> bool {
    let text = String::from_utf8_lossy(bytes);
    text.contains(word)
}
