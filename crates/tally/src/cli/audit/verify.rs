//! `tally audit verify`: offline, by whoever does not trust the operator.

use std::{
    io::{BufRead as _, Read as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, anyhow, bail};
use serde_json::json;
use tally_audit::{Checkpoint, InclusionProof, KeyTrust, PublicKey, Report, Trust, Verifier};

use super::open;
use crate::cli::output;

/// A proof of one entry is a few kilobytes; more is an entry of some size.
const PROOF_BYTES_MAX: u64 = 16 << 20;

/// Arguments of `tally audit verify`.
#[derive(Debug, clap::Args)]
pub(crate) struct VerifyArgs {
    /// An exported log, or the proof of one entry
    file: PathBuf,

    /// A checkpoint that was handed out earlier; may be given several times
    #[arg(long, value_name = "FILE")]
    checkpoint: Vec<PathBuf>,

    /// A public key of the log, or a file that holds some, one a line
    #[arg(long, value_name = "KEY")]
    public_key: Vec<String>,
}

/// Runs `tally audit verify`.
///
/// # Errors
/// What is wrong, and where.
pub(super) fn run(args: &VerifyArgs, as_json: bool) -> anyhow::Result<()> {
    let trust = trust(args)?;
    if let Some(proof) = proof(&args.file)? {
        return one_entry(&args.file, &proof, &trust);
    }
    let report = log(&args.file, trust).with_context(|| args.file.display().to_string())?;
    if as_json {
        return output::json(&json!({
            "origin": report.origin, "size": report.size, "root": report.root,
            "checkpoints": report.checkpoints, "earlier_checkpoints": report.earlier,
            "entries_with_erased_fields": report.erased, "key": report.key,
            "key_trusted": report.key_trust == KeyTrust::Given,
        }));
    }
    output::out(&render(&report))
}

fn render(report: &Report) -> String {
    let Report { origin, size, root, checkpoints, earlier, erased, key, key_trust } = report;
    let mut text = format!(
        "The log {origin} is whole: {size} entries, none changed, inserted, dropped or moved.\n\
         Root hash {root}; {checkpoints} checkpoints in the file, {earlier} earlier ones agree.\n"
    );
    if *erased > 0 {
        text += &format!("In {erased} entries something was erased; their proofs hold.\n");
    }
    text += &match key_trust {
        KeyTrust::Given => format!("Signed by {key}, which follows from what you trust."),
        KeyTrust::FirstUse => format!(
            "Signed by {key}.\nNothing that you had before vouches for that key: a log made anew would look the same.\n\
             Compare it with one that the operator gave you another way, or give `--checkpoint` or `--public-key`."
        ),
    };
    text
}

fn log(file: &Path, trust: Trust) -> anyhow::Result<Report> {
    let mut verifier = Verifier::new(trust);
    for (number, line) in (1_u64..).zip(open(file)?.lines()) {
        let line = line.map_err(|error| anyhow!("line {number} was changed: {error}"))?;
        verifier.read(&line)?;
    }
    Ok(verifier.finish()?)
}

/// The proof of one entry, if that is what the file holds.
fn proof(file: &Path) -> anyhow::Result<Option<InclusionProof>> {
    let mut text = Vec::new();
    open(file)?.take(PROOF_BYTES_MAX).read_until(b'\n', &mut text)?;
    Ok(serde_json::from_slice(&text).ok())
}

fn one_entry(file: &Path, proof: &InclusionProof, trust: &Trust) -> anyhow::Result<()> {
    let head = proof.verify(&trust.keys).with_context(|| file.display().to_string())?;
    for checkpoint in &trust.checkpoints {
        let earlier = checkpoint.head();
        if earlier.origin != head.origin {
            bail!(
                "{}: the proof is of the log {}, the checkpoint of {}",
                file.display(),
                head.origin,
                earlier.origin
            );
        }
        if earlier.size == head.size && earlier.root != head.root {
            bail!(
                "{}: the proof is of another log than the checkpoint of {} entries",
                file.display(),
                head.size
            );
        }
    }
    let vouched = if trust.keys.is_empty() {
        "\nNo `--public-key` was given: the checkpoint's signature was not verified."
    } else {
        ""
    };
    let sequence = proof.entry.sequence;
    output::out(&format!(
        "Entry {sequence} ({} {}, {}) is in the log {} of {} entries.{vouched}",
        proof.entry.action, proof.entry.kind, proof.entry.time, head.origin, head.size
    ))
}

fn trust(args: &VerifyArgs) -> anyhow::Result<Trust> {
    let mut trust = Trust::default();
    for path in &args.checkpoint {
        let place = || path.display().to_string();
        let text = std::fs::read_to_string(path).with_context(place)?;
        trust.checkpoints.push(Checkpoint::parse(&text).with_context(place)?);
    }
    for key in &args.public_key {
        match key.parse::<PublicKey>() {
            Ok(key) => trust.keys.push(key),
            Err(error) => {
                let text = std::fs::read_to_string(key)
                    .map_err(|_| anyhow!("`--public-key {key}`: {error}"))?;
                for line in text.lines().filter(|line| !line.trim().is_empty()) {
                    trust.keys.push(line.trim().parse().with_context(|| key.clone())?);
                }
            }
        }
    }
    Ok(trust)
}
