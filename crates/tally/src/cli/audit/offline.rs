//! What is made of an exported log without any Tally.

use std::{collections::BTreeMap, io::BufRead as _, path::Path};

use anyhow::{Context as _, bail};
use tally_audit::{
    Hash256, InclusionProof, LogEntry,
    export::Line,
    tree::{Step, append},
};

use super::open;

/// The whole tree of an exported log, and what else a proof is made of.
#[derive(Default)]
struct Read {
    hashes: BTreeMap<u64, Hash256>,
    size: u64,
    wanted: Option<LogEntry>,
    checkpoint: Option<String>,
}

/// Proves an entry against the last checkpoint of the file.
pub(super) fn prove(file: &Path, entry: u64) -> anyhow::Result<InclusionProof> {
    let read = read(file, entry)?;
    let Read { hashes, size, wanted: Some(wanted), checkpoint: Some(checkpoint) } = read else {
        bail!("{}: entry {entry} or a checkpoint after it is not in it", file.display());
    };
    let inclusion = Step::Inclusion { index: entry.saturating_sub(1), size }.compute(&hashes)?;
    Ok(InclusionProof { entry: wanted, inclusion, checkpoint })
}

/// The last checkpoint of the file.
pub(super) fn last_checkpoint(file: &Path) -> anyhow::Result<Option<String>> {
    Ok(read(file, 0)?.checkpoint)
}

fn read(file: &Path, wanted: u64) -> anyhow::Result<Read> {
    let mut read = Read::default();
    // The tree as it goes on; what is kept of it is the one of the last checkpoint.
    let (mut hashes, mut size) = (BTreeMap::new(), 0);
    for (number, text) in (1_u64..).zip(open(file)?.lines()) {
        let place = || format!("{}, line {number}", file.display());
        let line = Line::parse(&text.with_context(place)?).map_err(anyhow::Error::msg);
        match line.with_context(place)? {
            Line::Log(_) => {}
            Line::Entry(entry) => {
                let added = append(size, entry.leaf, &hashes).with_context(place)?;
                hashes.extend(added);
                size += 1;
                if entry.said.sequence == wanted {
                    read.wanted = Some(entry.said);
                }
            }
            Line::Checkpoint(note) => {
                read.checkpoint = Some(note);
                read.size = size;
            }
        }
    }
    // Hashes of entries after the last checkpoint do no harm: none of an earlier
    // tree's changes.
    read.hashes = hashes;
    Ok(read)
}
