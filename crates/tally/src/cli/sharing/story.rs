//! `tally story`.

use std::path::PathBuf;

use serde_json::{Value, json};
use tally_types::{Name, spec::StoryVerdict};

use super::{read, show, step};
use crate::cli::{client::Client, connection::Connection, output};

/// Subcommands of `tally story`.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum StoryCommand {
    /// List savings stories, the newest first
    List {
        /// Only those that are confirmed, unclear or refuted
        #[arg(long)]
        verdict: Option<StoryVerdict>,
    },
    /// Show a story with what was measured
    Show {
        /// The story
        story: Name,
    },
    /// Measure what would become of a story, and keep nothing
    Preview {
        /// A YAML file with `title`, `changed`, `subject`, `comparison`, `before`, `after`
        #[arg(long, short, value_name = "FILE")]
        file: PathBuf,
    },
    /// Tell a story; what is measured is kept with it
    Tell {
        /// Its name
        story: Name,

        /// A YAML file, as for `preview`
        #[arg(long, short, value_name = "FILE")]
        file: PathBuf,
    },
    /// Measure a story again
    Measure {
        /// The story
        story: Name,
    },
    /// Take a story back; it stays on record
    Withdraw {
        /// The story
        story: Name,

        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
}

/// Runs `tally story`.
///
/// # Errors
/// Tally refuses or cannot be reached, or a file cannot be read.
pub(crate) async fn run_story(
    command: StoryCommand,
    connection: &Connection,
) -> anyhow::Result<()> {
    let client = Client::new(connection)?;
    let stories = ["api", "v1", "stories"];
    let found = match command {
        StoryCommand::List { verdict } => {
            let query: Vec<_> =
                verdict.iter().map(|verdict| ("verdict", verdict.as_str())).collect();
            let found: Value = client.get(&["api", "v1", "story-wall"], &query).await?;
            return output::shown(connection.json, found, |found: Value| show::wall(&found));
        }
        StoryCommand::Preview { file } => {
            let claim: Value = read(&file)?;
            let result: Value = client.post(&["api", "v1", "story-preview"], &claim).await?;
            return output::shown(connection.json, result, |found: Value| show::result(&found));
        }
        StoryCommand::Show { story } => {
            let [api, v1, kinds] = stories;
            client.get(&[api, v1, kinds, story.as_str()], &[]).await?
        }
        StoryCommand::Tell { story, file } => {
            let claim: Value = read(&file)?;
            client.post(&stories, &json!({ "name": story, "claim": claim })).await?
        }
        StoryCommand::Measure { story } => {
            step(&client, "stories", &story, "measure", &json!({})).await?
        }
        StoryCommand::Withdraw { story, reason } => {
            step(&client, "stories", &story, "withdraw", &json!({ "reason": reason })).await?
        }
    };
    output::shown(connection.json, found, |found: Value| show::story(&found))
}
