//! `tally apply`: configuration as code.

pub(crate) mod files;
mod report;

use anyhow::anyhow;
use serde::Serialize;
use tally_store::{ApplyReport, documents::Document};

use super::{client::Client, connection::Connection, output};

/// Arguments of `tally apply`.
#[derive(Debug, clap::Args)]
pub(crate) struct ApplyArgs {
    /// A file, a folder (all its .yaml, .yml, .toml and .json files), or - for standard input
    #[arg(short, long = "file", value_name = "PATH", required = true)]
    files: Vec<String>,

    /// Show what would change and change nothing
    #[arg(long)]
    dry_run: bool,

    /// Delete what this file set created and the files no longer hold
    #[arg(long)]
    prune: bool,

    /// The name of the file set; by default that of the first file or folder
    #[arg(long, value_name = "NAME")]
    set: Option<String>,

    /// Why, for the audit log
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
}

/// The body of `POST /api/v1/apply`.
#[derive(Debug, Serialize)]
pub(crate) struct ApplyRequest<'a> {
    /// The file set that owns what is applied.
    pub set: &'a str,
    /// Delete what the set owns and the documents no longer hold.
    pub prune: bool,
    /// Report only.
    pub dry_run: bool,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<&'a str>,
    /// The resources.
    pub documents: &'a [Document],
}

/// Runs `tally apply`.
///
/// # Errors
/// The files hold mistakes (all are listed), or Tally refuses or cannot be reached.
pub(crate) async fn run(args: ApplyArgs, connection: &Connection) -> anyhow::Result<()> {
    let documents = files::read(&args.files)?;
    let set = args.set.clone().map_or_else(|| files::set_name(&args.files), Ok)?;
    if documents.is_empty() && !args.prune {
        return Err(anyhow!("there are no resources in {}", args.files.join(", ")));
    }
    let request = ApplyRequest {
        set: &set,
        prune: args.prune,
        dry_run: args.dry_run,
        note: args.note.as_deref(),
        documents: &documents,
    };
    let client = Client::new(connection)?;
    let report = send(&client, &request).await?;
    if connection.json {
        return output::json(&report);
    }
    output::out(&report::render(&report, args.dry_run, output::Paint::of_stdout()))
}

/// Applies documents.
///
/// # Errors
/// Tally refuses or cannot be reached.
pub(crate) async fn send(
    client: &Client,
    request: &ApplyRequest<'_>,
) -> anyhow::Result<ApplyReport> {
    client.post(&["api", "v1", "apply"], request).await
}

pub(crate) use report::render;
