//! `tally audit`: the log of every change; what proves it, and whether an export of it
//! is whole.

mod export;
mod list;
mod offline;
mod verify;

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::{client::Client, connection::Connection, output};

/// Subcommands of `tally audit`.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum AuditCommand {
    /// Show changes, newest first
    List(list::ListArgs),
    /// Write the whole log to a file that anybody can verify
    Export(export::ExportArgs),
    /// Say whether an exported log, or the proof of one entry, is whole; asks no Tally
    Verify(verify::VerifyArgs),
    /// Prove one entry to someone who does not get the others
    Prove(export::ProveArgs),
    /// Sign what the log is now, or take the last checkpoint out of an exported log
    Checkpoint(export::CheckpointArgs),
    /// List the keys that sign the log
    Keys,
    /// Sign with a new key from now on, which the one before introduces
    RotateKey,
}

/// Runs `tally audit`.
///
/// # Errors
/// Tally refuses or cannot be reached; a file is not what it should be, or not whole.
pub(crate) async fn run(command: AuditCommand, connection: &Connection) -> anyhow::Result<()> {
    match command {
        AuditCommand::List(args) => list::run(args, connection).await,
        AuditCommand::Export(args) => export::export(args, connection).await,
        AuditCommand::Verify(args) => verify::run(&args, connection.json),
        AuditCommand::Prove(args) => export::prove(args, connection).await,
        AuditCommand::Checkpoint(args) => export::checkpoint(args, connection).await,
        AuditCommand::Keys => keys(connection).await,
        AuditCommand::RotateKey => rotate(connection).await,
    }
}

/// A key, as the API lists it.
#[derive(Debug, serde::Deserialize)]
struct Key {
    key: String,
    since: u64,
}

async fn keys(connection: &Connection) -> anyhow::Result<()> {
    let client = Client::new(connection)?;
    let body: serde_json::Value = client.get(&["api", "v1", "audit", "keys"], &[]).await?;
    if connection.json {
        return output::json(&body);
    }
    let keys: Vec<Key> = serde_json::from_value(body.get("keys").cloned().unwrap_or_default())?;
    let lines: Vec<String> =
        keys.iter().map(|key| format!("{}  since entry {}", key.key, key.since)).collect();
    output::out(&lines.join("\n"))
}

async fn rotate(connection: &Connection) -> anyhow::Result<()> {
    let client = Client::new(connection)?;
    let key: Key = client.post(&["api", "v1", "audit", "keys"], &serde_json::json!({})).await?;
    output::out(&format!("Signing since entry {} with\n{}", key.since, key.key))
}

/// Writes to a file, or to standard output without one.
fn write(out: Option<&PathBuf>, text: &str) -> anyhow::Result<()> {
    match out {
        Some(path) => std::fs::write(path, text).with_context(|| path.display().to_string()),
        None => output::out(text),
    }
}

fn open(path: &Path) -> anyhow::Result<std::io::BufReader<std::fs::File>> {
    let file = std::fs::File::open(path).with_context(|| path.display().to_string())?;
    Ok(std::io::BufReader::new(file))
}
