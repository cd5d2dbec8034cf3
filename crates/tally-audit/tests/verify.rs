//! What the offline verifier finds, and that it finds nothing in a whole log.
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

use std::collections::BTreeMap;

use proptest::prelude::*;
use tally_audit::{
    Checkpoint, Finding, InclusionProof, KEY_ACTION, KeyTrust, LogEntry, PublicKey, Report, Seed,
    SigningKey, Trust, Verifier,
    export::{FORMAT, Header, Line, LogKey},
    tree::{Frontier, Step, append, append_needs},
};

const ORIGIN: &str = "tally.acme.test/audit";

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(ORIGIN, &[seed; 32]).unwrap()
}

fn entry(sequence: u64, action: &str, said: &[(&str, String)]) -> LogEntry {
    let fields: BTreeMap<String, String> = said
        .iter()
        .map(|(name, text)| ((*name).to_owned(), serde_json::to_string(text).unwrap()))
        .collect();
    LogEntry {
        sequence,
        time: "2026-11-22T10:00:00Z".to_owned(),
        action: action.to_owned(),
        kind: "Budget".to_owned(),
        version: 1,
        fields: Seed([u8::try_from(sequence % 251).unwrap(); 32]).open(fields),
    }
}

/// A log of so many entries, with a checkpoint after every tenth and one at the end; the
/// second key comes in at entry 15.
struct Log {
    entries: Vec<LogEntry>,
    keys: Vec<(SigningKey, u64)>,
}

impl Log {
    fn new(size: u64) -> Self {
        let (first, second) = (key(1), key(2));
        let entries = (1..=size)
            .map(|sequence| match sequence {
                1 => entry(1, KEY_ACTION, &[("after.key", first.public().to_string())]),
                15 => {
                    let note = first.endorse(second.public()).unwrap();
                    let said =
                        [("after.key", second.public().to_string()), ("after.endorsement", note)];
                    entry(15, KEY_ACTION, &said)
                }
                _ => {
                    let said =
                        [("actor", format!("Person/p{sequence}")), ("after.owner", "ada".into())];
                    entry(sequence, "update", &said)
                }
            })
            .collect();
        Self { entries, keys: vec![(first, 1), (second, 15)] }
    }

    fn lines(&self) -> Vec<String> {
        let size = self.entries.len() as u64;
        let keys = self.keys.iter().filter(|(_, since)| *since <= size);
        let keys = keys.map(|(key, since)| LogKey { key: key.public().to_string(), since: *since });
        let header =
            Header { format: FORMAT, origin: ORIGIN.to_owned(), size, keys: keys.collect() };
        let mut lines = vec![Line::Log(header).to_text()];
        let mut tree = Frontier::default();
        for entry in &self.entries {
            tree.push(entry.leaf());
            lines.push(Line::entry(entry.clone()).to_text());
            if tree.size() % 10 == 0 || tree.size() == size {
                lines.push(Line::Checkpoint(self.sign(&tree).to_string()).to_text());
            }
        }
        lines
    }

    fn sign(&self, tree: &Frontier) -> Checkpoint {
        let (key, _) = self.keys.iter().rev().find(|(_, since)| *since <= tree.size()).unwrap();
        key.sign(tree.size(), tree.root()).unwrap()
    }

    /// What was handed out when there were so many entries.
    fn checkpoint_at(&self, size: usize) -> Checkpoint {
        let mut tree = Frontier::default();
        self.entries.iter().take(size).for_each(|entry| tree.push(entry.leaf()));
        self.sign(&tree)
    }
}

fn verify<T: AsRef<str>>(lines: &[T], trust: Trust) -> Result<Report, Finding> {
    let mut verifier = Verifier::new(trust);
    for line in lines {
        verifier.read(line.as_ref())?;
    }
    verifier.finish()
}

fn earlier(log: &Log, size: usize) -> Trust {
    Trust { checkpoints: vec![log.checkpoint_at(size)], keys: Vec::new() }
}

fn trusting(key: &SigningKey) -> Trust {
    Trust { checkpoints: Vec::new(), keys: vec![key.public().clone()] }
}

#[test]
fn a_whole_log_is_whole() {
    let log = Log::new(25);
    let lines = log.lines();
    let alone = verify(&lines, Trust::default()).unwrap();
    assert_eq!((alone.size, alone.checkpoints, alone.key_trust), (25, 3, KeyTrust::FirstUse));
    let known = verify(&lines, earlier(&log, 7)).unwrap();
    assert_eq!((known.earlier, known.key_trust), (1, KeyTrust::Given));
    // The second key follows from the first; the second alone is as good.
    for trusted in [key(1), key(2)] {
        assert_eq!(verify(&lines, trusting(&trusted)).unwrap().key_trust, KeyTrust::Given);
    }
}

#[test]
fn dropped_inserted_reordered_and_cut_off_entries_are_named() {
    let lines = Log::new(25).lines();
    let without = |at: usize| {
        let mut lines = lines.clone();
        lines.remove(at);
        lines
    };
    assert_eq!(
        verify(&without(5), Trust::default()),
        Err(Finding::Missing { line: 6, missing: 5, found: 6 })
    );
    let mut twice = lines.clone();
    twice.insert(6, lines[5].clone());
    let inserted = Finding::OutOfOrder { line: 7, expected: 6, found: 5 };
    assert_eq!(verify(&twice, Trust::default()), Err(inserted));
    let mut turned = lines.clone();
    turned.swap(5, 6);
    let moved = Finding::Missing { line: 6, missing: 5, found: 6 };
    assert_eq!(verify(&turned, Trust::default()), Err(moved));
    let cut = verify(&lines[..lines.len() - 3], Trust::default());
    assert!(matches!(cut, Err(Finding::Truncated { have: 23, wanted: 25, .. })), "{cut:?}");
    let unsigned = verify(&lines[..lines.len() - 1], Trust::default());
    assert_eq!(unsigned, Err(Finding::Unattested { attested: 20 }));
    assert!(verify::<&str>(&[], Trust::default()).is_err());
}

#[test]
fn an_entry_changed_with_its_hash_is_found_by_the_next_checkpoint() {
    let mut log = Log::new(25);
    let honest = log.lines();
    log.entries[4] = entry(5, "update", &[("actor", "Person/someone-else".into())]);
    let mut lines = honest.clone();
    lines[5] = Line::entry(log.entries[4].clone()).to_text();
    let found = verify(&lines, Trust::default()).unwrap_err();
    assert!(matches!(found, Finding::NotAttested { from: 1, to: 10, .. }), "{found}");
    // The operator signs it anew with the right key: only who has an earlier one can tell.
    assert!(verify(&log.lines(), trusting(&key(1))).is_ok());
    let found = verify(&log.lines(), earlier(&Log::new(25), 20)).unwrap_err();
    assert!(matches!(found, Finding::Rewritten { size: 20, .. }), "{found}");
    // One from before the change still fits.
    assert!(verify(&log.lines(), earlier(&Log::new(25), 4)).is_ok());
}

#[test]
fn a_log_cut_off_and_signed_anew_is_found_by_an_earlier_checkpoint() {
    let long = Log::new(25);
    let short = Log::new(20);
    assert!(verify(&short.lines(), trusting(&key(1))).is_ok());
    let found = verify(&short.lines(), earlier(&long, 25)).unwrap_err();
    assert!(matches!(found, Finding::Truncated { have: 20, wanted: 25, .. }), "{found}");
}

#[test]
fn another_log_of_another_key_is_found_by_a_key_or_a_checkpoint() {
    let honest = Log::new(12);
    let mut forged = Log::new(12);
    forged.keys[0].0 = key(9);
    let said = [("after.key", key(9).public().to_string())];
    forged.entries[0] = entry(1, KEY_ACTION, &said);
    assert!(verify(&forged.lines(), Trust::default()).is_ok(), "alone nobody can tell");
    let by_key = verify(&forged.lines(), trusting(&key(1)));
    assert!(matches!(by_key, Err(Finding::Untrusted { .. })), "{by_key:?}");
    let by_checkpoint = verify(&forged.lines(), earlier(&honest, 10));
    assert!(matches!(by_checkpoint, Err(Finding::Rewritten { .. })), "{by_checkpoint:?}");
}

#[test]
fn a_key_that_the_one_before_did_not_sign_is_found() {
    let mut log = Log::new(25);
    let said = [("after.key", key(3).public().to_string())];
    log.entries[14] = entry(15, KEY_ACTION, &said);
    log.keys[1].0 = key(3);
    let found = verify(&log.lines(), trusting(&key(1))).unwrap_err();
    assert!(matches!(found, Finding::Key { .. }), "{found}");
    let both =
        Trust { keys: vec![key(1).public().clone(), key(3).public().clone()], ..Trust::default() };
    assert!(verify(&log.lines(), both).is_ok(), "who has it from elsewhere may trust it");
}

#[test]
fn erased_fields_keep_every_proof() {
    let mut log = Log::new(25);
    let before = log.checkpoint_at(25);
    let actor = log.entries[5].fields.get_mut("actor").unwrap();
    *actor = actor.erased();
    assert!(!log.lines().join("").contains("p6\\\""));
    let trust = Trust { checkpoints: vec![before], keys: Vec::new() };
    let report = verify(&log.lines(), trust).unwrap();
    assert_eq!((report.erased, report.earlier), (1, 1));
}

#[test]
fn one_entry_can_be_proven_without_the_others() {
    let log = Log::new(25);
    let mut stored = BTreeMap::new();
    for (index, entry) in (0..).zip(&log.entries) {
        let known = append_needs(index).into_iter().map(|at| (at, stored[&at])).collect();
        stored.extend(append(index, entry.leaf(), &known).unwrap());
    }
    let inclusion = Step::Inclusion { index: 6, size: 25 }.compute(&stored).unwrap();
    let checkpoint = log.checkpoint_at(25).to_string();
    let proof = InclusionProof { entry: log.entries[6].clone(), inclusion, checkpoint };
    let keys: [PublicKey; 2] = [key(1).public().clone(), key(2).public().clone()];
    assert_eq!(proof.verify(&keys).unwrap().size, 25);
    assert!(proof.verify(&keys[..1]).is_err(), "the second key signed it");
    let other = InclusionProof { entry: log.entries[7].clone(), ..proof.clone() };
    assert!(other.verify(&keys).is_err());
}

#[test]
fn keys_are_read_as_they_were_written_and_never_shown() {
    let one = key(7);
    let text = one.to_secret_text();
    assert_eq!(SigningKey::from_secret_text(&format!("{text}\n")).unwrap().public(), one.public());
    assert!(SigningKey::from_secret_text(&text.replace("KEY+tally", "KEY+other")).is_err());
    assert!(SigningKey::from_secret_text("PRIVATE+KEY+x").is_err());
    assert!(!format!("{one:?}").contains(text.rsplit('+').next().unwrap()));
    assert!(SigningKey::from_seed("no spaces", &[0; 32]).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Whatever is changed at one place of the file is found, without any earlier checkpoint.
    #[test]
    fn one_changed_byte_is_found(at in any::<prop::sample::Index>(), to in any::<u8>()) {
        let text = Log::new(25).lines().join("\n");
        let mut bytes = text.clone().into_bytes();
        let place = at.index(bytes.len());
        prop_assume!(bytes[place] != to);
        bytes[place] = to;
        // What is no UTF-8 is found when the file is read.
        if let Ok(changed) = String::from_utf8(bytes) {
            let lines: Vec<&str> = changed.split('\n').collect();
            let trust = trusting(&key(1));
            prop_assert!(verify(&lines, trust).is_err(), "byte {place}: {changed}");
        }
    }
}
