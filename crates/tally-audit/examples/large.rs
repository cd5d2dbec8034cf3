//! Writes an exported log of so many entries, and verifies one, to see how long it takes:
//! `cargo run -p tally-audit --example large -- 100000 > log.ndjson`, then
//! `time cargo run -p tally-audit --example large -- verify < log.ndjson`.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, Write as _},
};

use tally_audit::{
    KEY_ACTION, LogEntry, Seed, SigningKey, Trust, Verifier,
    export::{FORMAT, Header, Line, LogKey},
    tree::Frontier,
};

const ORIGIN: &str = "tally.example/large";
const CHECKPOINT_EVERY: u64 = 1_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    if std::env::args().nth(1).as_deref() == Some("verify") {
        return verify();
    }
    let size: u64 = std::env::args().nth(1).unwrap_or_else(|| "100000".to_owned()).parse()?;
    let key = SigningKey::from_seed(ORIGIN, &[7; 32])?;
    let public = key.public().to_string();
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let keys = vec![LogKey { key: public.clone(), since: 1 }];
    let header = Header { format: FORMAT, origin: ORIGIN.to_owned(), size, keys };
    writeln!(out, "{}", Line::Log(header).to_text())?;
    let mut tree = Frontier::default();
    for sequence in 1..=size {
        let entry = entry(sequence, &public);
        tree.push(entry.leaf());
        writeln!(out, "{}", Line::entry(entry).to_text())?;
        if sequence % CHECKPOINT_EVERY == 0 || sequence == size {
            let note = key.sign(sequence, tree.root())?.to_string();
            writeln!(out, "{}", Line::Checkpoint(note).to_text())?;
        }
    }
    Ok(())
}

fn verify() -> Result<(), Box<dyn std::error::Error>> {
    let mut verifier = Verifier::new(Trust::default());
    for line in std::io::stdin().lock().lines() {
        verifier.read(&line?)?;
    }
    writeln!(std::io::stdout(), "{:?}", verifier.finish()?)?;
    Ok(())
}

fn entry(sequence: u64, public: &str) -> LogEntry {
    let action = if sequence == 1 { KEY_ACTION } else { "update" };
    let fields: BTreeMap<String, String> = [
        ("actor", "\"Person/grace via Key/grace-laptop\"".to_owned()),
        ("name", format!("\"budget-{sequence}\"")),
        ("before.limit", "{\"usd\":\"2000\"}".to_owned()),
        ("after.limit", "{\"usd\":\"2500\"}".to_owned()),
        ("after.owner", "\"grace\"".to_owned()),
        ("after.key", format!("\"{public}\"")),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    let mut seed = [0; 32];
    for (byte, part) in seed.iter_mut().zip(sequence.to_be_bytes()) {
        *byte = part;
    }
    LogEntry {
        sequence,
        time: "2026-11-22T10:00:00Z".to_owned(),
        action: action.to_owned(),
        kind: "Budget".to_owned(),
        version: 2,
        fields: Seed(seed).open(fields),
    }
}
