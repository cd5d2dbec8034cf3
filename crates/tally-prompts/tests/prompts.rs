//! What a kept prompt is good for, and what it gives away.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::{os::unix::fs::PermissionsExt as _, path::Path, sync::Arc};

use bytes::Bytes;
use jiff::Timestamp;
use tally_prompts::{
    NotKept, PROMPT_BYTES_MAX, Prompt, PromptError, PromptKey, PromptStore, QUEUED_BYTES_MAX, start,
};
use tally_types::{CallId, DataClass, EventId};
use uuid::Uuid;

fn open(folder: &Path) -> PromptStore {
    let key = PromptKey::open(&folder.join("prompts.key")).unwrap();
    PromptStore::open(&folder.join("prompts.db"), key).unwrap()
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn prompt(number: u128, day: u8, said: &str) -> Prompt {
    Prompt {
        event_id: EventId(Uuid::from_u128(number)),
        call_id: CallId(Uuid::from_u128(1_000 + number / 2)),
        time: time(&format!("2026-11-{day:02}T12:00:00Z")),
        class: DataClass::Internal,
        person: (number % 2 == 1).then(|| "ada".parse().unwrap()),
        request: Bytes::from(said.to_owned()),
        reply: Bytes::from(format!("re: {said}")),
    }
}

/// Every byte in the folder.
fn files(folder: &Path) -> Vec<u8> {
    let files = std::fs::read_dir(folder).unwrap();
    files.flat_map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect()
}

#[test]
fn what_was_said_comes_back_and_stands_in_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    store.write(&[prompt(1, 3, "a very recognisable question"), prompt(2, 4, "")]).unwrap();
    let first = EventId(Uuid::from_u128(1));
    let said = store.read(first).unwrap().unwrap();
    assert_eq!(said.request, b"a very recognisable question");
    assert_eq!(said.reply, b"re: a very recognisable question");
    assert!(store.read(EventId(Uuid::from_u128(2))).unwrap().unwrap().request.is_empty());
    assert!(!format!("{said:?}{:?}", prompt(1, 3, "secret")).contains("secret"));
    // By the event, and by the call as its client knows it.
    assert_eq!(store.find(first.0).unwrap().unwrap().bytes, 60);
    let of_call = store.find(Uuid::from_u128(1_000)).unwrap().unwrap();
    assert_eq!(of_call.event_id, first);
    assert_eq!(store.find(Uuid::from_u128(99)).unwrap(), None);

    let bytes = files(folder.path());
    assert!(!bytes.windows(12).any(|window| window == b"recognisable"));
    for file in ["prompts.key", "prompts.db"] {
        let mode = std::fs::metadata(folder.path().join(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    // After a restart the same key opens it; another does not.
    drop(store);
    assert!(open(folder.path()).read(first).unwrap().is_some());
    std::fs::remove_file(folder.path().join("prompts.key")).unwrap();
    assert!(matches!(open(folder.path()).read(first), Err(PromptError::Sealed)));
    std::fs::write(folder.path().join("prompts.key"), "not a key").unwrap();
    let refused = PromptKey::open(&folder.path().join("prompts.key")).unwrap_err().to_string();
    assert!(refused.contains("expected 64 hexadecimal digits"), "{refused}");
}

#[test]
fn the_same_text_is_sealed_differently_each_time_and_belongs_to_its_event() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    store.write(&[prompt(1, 3, "same"), prompt(2, 3, "same")]).unwrap();
    drop(store);
    let connection = rusqlite::Connection::open(folder.path().join("prompts.db")).unwrap();
    let sealed = |number: u128| -> (Vec<u8>, Vec<u8>) {
        let sql = "SELECT nonce, sealed FROM prompt WHERE event_id = ?1";
        let id = Uuid::from_u128(number);
        connection.query_row(sql, [id], |row| Ok((row.get(0)?, row.get(1)?))).unwrap()
    };
    assert_ne!(sealed(1), sealed(2));
    let (nonce, text) = sealed(1);
    let sql = "UPDATE prompt SET nonce = ?1, sealed = ?2 WHERE event_id = ?3";
    connection.execute(sql, rusqlite::params![nonce, text, Uuid::from_u128(2)]).unwrap();
    drop(connection);
    let moved = open(folder.path()).read(EventId(Uuid::from_u128(2)));
    assert!(matches!(moved, Err(PromptError::Sealed)));
}

#[test]
fn prompts_go_by_age_and_by_person() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    let prompts: Vec<Prompt> =
        (1..=9_u8).map(|n| prompt(n.into(), n, &"x".repeat(50_000))).collect();
    store.write(&prompts).unwrap();
    store.shrink().unwrap();
    let full = std::fs::metadata(folder.path().join("prompts.db")).unwrap().len();

    let before = time("2026-11-05T00:00:00Z");
    let stats = store.stats(DataClass::Internal, before).unwrap();
    assert_eq!((stats.prompts, stats.due), (9, 4));
    assert_eq!(stats.oldest, Some(time("2026-11-01T12:00:00Z")));
    assert_eq!(store.purge(DataClass::Restricted, before, 100).unwrap(), 0, "another class");
    assert_eq!(store.purge(DataClass::Internal, before, 3).unwrap(), 3, "bounded");
    assert_eq!(store.purge(DataClass::Internal, before, 3).unwrap(), 1);
    assert!(store.read(EventId(Uuid::from_u128(4))).unwrap().is_none());
    let ada = "ada".parse().unwrap();
    let erased = time("2026-11-08T00:00:00Z");
    assert_eq!(store.count_of(&ada, erased).unwrap(), 2);
    assert_eq!(store.forget(&ada, erased).unwrap(), 2, "5 and 7, not 9: who came later");
    assert_eq!(store.stats(DataClass::Internal, before).unwrap().prompts, 3);
    store.shrink().unwrap();
    let small = std::fs::metadata(folder.path().join("prompts.db")).unwrap().len();
    assert!(small < full / 2, "{small} of {full} bytes");
}

#[test]
fn what_does_not_fit_is_not_kept_and_nobody_waits() {
    let folder = tempfile::tempdir().unwrap();
    let store = Arc::new(open(folder.path()));
    let (queue, writer) = start(Arc::clone(&store)).unwrap();
    queue.offer(prompt(1, 1, "fits")).unwrap();
    let large = "x".repeat(PROMPT_BYTES_MAX + 1);
    assert_eq!(queue.offer(prompt(2, 1, &large)), Err(NotKept::TooLarge));
    queue.flush();
    assert!(store.read(EventId(Uuid::from_u128(1))).unwrap().is_some());
    assert!(store.read(EventId(Uuid::from_u128(2))).unwrap().is_none());

    // While the file is busy, the queue fills up to its limit and refuses the rest at once.
    let busy = rusqlite::Connection::open(folder.path().join("prompts.db")).unwrap();
    busy.execute_batch("BEGIN IMMEDIATE").unwrap();
    let half = "x".repeat(PROMPT_BYTES_MAX / 2 - 8);
    let fits = QUEUED_BYTES_MAX / (PROMPT_BYTES_MAX - 16);
    let numbers = (10_u128..).take(4 + fits);
    let refused = numbers.filter(|n| queue.offer(prompt(*n, 2, &half)).is_err()).count();
    assert!(refused >= 3, "{refused} of {} were refused", fits + 4);
    busy.execute_batch("ROLLBACK").unwrap();
    drop(queue);
    writer.join();
    let kept = store.stats(DataClass::Internal, time("2026-11-01T00:00:00Z")).unwrap().prompts;
    assert_eq!(kept, (1 + 4 + fits - refused) as u64, "every other one is there");
}

#[test]
fn a_kept_prompt_takes_little_more_than_its_text() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    // A coding agent's turn and a question: 24 KB and 600 bytes.
    for (said, over) in [("x".repeat(12_000), 1_600), ("x".repeat(300), 700)] {
        let before = size(&store, folder.path());
        let prompts: Vec<Prompt> = (0..400_u128)
            .map(|n| {
                let mut one = prompt(n, 2, &said);
                one.event_id = EventId(Uuid::from_u128(said.len() as u128 * 1_000 + n));
                one
            })
            .collect();
        let text: u64 = prompts.iter().map(|prompt| prompt.bytes() as u64).sum();
        store.write(&prompts).unwrap();
        let each = (size(&store, folder.path()) - before) / 400;
        assert!(each < text / 400 + over, "{each} bytes for {}", text / 400);
    }
}

fn size(store: &PromptStore, folder: &Path) -> u64 {
    store.shrink().unwrap();
    std::fs::metadata(folder.join("prompts.db")).unwrap().len()
}
