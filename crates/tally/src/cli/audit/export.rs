//! Taking the log, a proof or a checkpoint out of a running Tally, or a proof or a
//! checkpoint out of an exported log.

use std::path::PathBuf;

use anyhow::{Context as _, anyhow};
use serde::Deserialize;
use tally_audit::InclusionProof;

use super::{offline, write};
use crate::cli::{client::Client, connection::Connection, output};

/// Arguments of `tally audit export`.
#[derive(Debug, clap::Args)]
pub(crate) struct ExportArgs {
    /// Where to write it
    #[arg(long, value_name = "FILE", default_value = "tally-audit.ndjson")]
    out: PathBuf,
}

/// Arguments of `tally audit prove`.
#[derive(Debug, clap::Args)]
pub(crate) struct ProveArgs {
    /// An exported log; without it the running Tally is asked
    file: Option<PathBuf>,

    /// The number of the entry
    #[arg(long, value_name = "NUMBER")]
    entry: u64,

    /// Where to write the proof; by default to standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Arguments of `tally audit checkpoint`.
#[derive(Debug, clap::Args)]
pub(crate) struct CheckpointArgs {
    /// An exported log; without it the running Tally signs one now
    file: Option<PathBuf>,

    /// Where to write it; by default to standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Signed {
    checkpoint: String,
}

/// Runs `tally audit export`.
pub(super) async fn export(args: ExportArgs, connection: &Connection) -> anyhow::Result<()> {
    let client = Client::new(connection)?;
    let path = args.out.display();
    let file = std::fs::File::create(&args.out).with_context(|| path.to_string())?;
    let bytes = client.download(&["api", "v1", "audit", "export"], &[], file).await?;
    output::out(&format!(
        "Wrote the audit log to {path} ({bytes} bytes).\nAnybody can verify it: tally audit verify {path} --checkpoint EARLIER"
    ))
}

/// Runs `tally audit prove`.
pub(super) async fn prove(args: ProveArgs, connection: &Connection) -> anyhow::Result<()> {
    let proof: InclusionProof = match &args.file {
        Some(file) => offline::prove(file, args.entry)?,
        None => {
            let entry = args.entry.to_string();
            let client = Client::new(connection)?;
            client.get(&["api", "v1", "audit", "proof"], &[("entry", &entry)]).await?
        }
    };
    write(args.out.as_ref(), &(serde_json::to_string(&proof)? + "\n"))
}

/// Runs `tally audit checkpoint`.
pub(super) async fn checkpoint(
    args: CheckpointArgs,
    connection: &Connection,
) -> anyhow::Result<()> {
    let note = match &args.file {
        Some(file) => offline::last_checkpoint(file)?
            .ok_or_else(|| anyhow!("{}: no checkpoint is in it", file.display()))?,
        None => {
            let client = Client::new(connection)?;
            let path = ["api", "v1", "audit", "checkpoints"];
            let signed: Signed = client.post(&path, &serde_json::json!({})).await?;
            signed.checkpoint
        }
    };
    write(args.out.as_ref(), &note)
}
