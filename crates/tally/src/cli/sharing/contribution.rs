//! `tally contribution`.

use serde_json::{Value, json};
use tally_types::{Name, PersonName, spec::ContributionKind};

use super::{show, step};
use crate::cli::{client::Client, connection::Connection, output};

/// Subcommands of `tally contribution`.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum ContributionCommand {
    /// List contributions
    List,
    /// Offer one; it counts once somebody else confirms it
    Offer {
        /// Its name
        contribution: Name,

        /// failure_case, evaluation, guardrail_pattern or mentoring
        #[arg(long)]
        kind: ContributionKind,

        /// What it is called
        #[arg(long, value_name = "TEXT")]
        title: String,

        /// What others can learn from it
        #[arg(long, value_name = "TEXT")]
        text: String,

        /// Who was mentored
        #[arg(long, value_name = "PERSON")]
        mentored: Option<PersonName>,
    },
    /// Confirm one that helped
    Confirm {
        /// The contribution
        contribution: Name,

        /// What is to be said
        #[arg(long, value_name = "TEXT")]
        note: Option<String>,
    },
    /// Decline one that did not
    Decline {
        /// The contribution
        contribution: Name,

        /// What is to be said
        #[arg(long, value_name = "TEXT")]
        note: Option<String>,
    },
}

/// Runs `tally contribution`.
///
/// # Errors
/// Tally refuses or cannot be reached.
pub(crate) async fn run_contribution(
    command: ContributionCommand,
    connection: &Connection,
) -> anyhow::Result<()> {
    let client = Client::new(connection)?;
    let all = ["api", "v1", "contributions"];
    let (name, done): (Name, Value) = match command {
        ContributionCommand::List => {
            let found: Vec<Value> = client.list(&all, &[]).await?;
            return output::shown(connection.json, json!({ "items": found }), |found: Value| {
                show::contributions(&found)
            });
        }
        ContributionCommand::Offer { contribution, kind, title, text, mentored } => {
            let shared =
                json!({ "kind": kind, "title": title, "text": text, "mentored": mentored });
            let body = json!({ "name": contribution, "shared": shared });
            (contribution, client.post(&all, &body).await?)
        }
        ContributionCommand::Confirm { contribution, note } => {
            let body = json!({ "confirms": true, "note": note });
            let done = step(&client, "contributions", &contribution, "decide", &body).await?;
            (contribution, done)
        }
        ContributionCommand::Decline { contribution, note } => {
            let body = json!({ "confirms": false, "note": note });
            let done = step(&client, "contributions", &contribution, "decide", &body).await?;
            (contribution, done)
        }
    };
    output::shown(connection.json, done, |done: Value| {
        format!("{name} is {}", show::text(&done, "/spec/state"))
    })
}
