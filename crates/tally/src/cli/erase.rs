//! `tally erase`: personal data.

use serde::Deserialize;
use serde_json::json;
use tally_types::PersonName;

use super::{client::Client, connection::Connection, output};

/// Subcommands of `tally erase`.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum EraseCommand {
    /// Erase who a person is: display name, mail address, account, sessions, inbox; their
    /// keys are revoked, their name stays as an opaque id
    Person(PersonArgs),
}

/// Arguments of `tally erase person`.
#[derive(Debug, clap::Args)]
pub(crate) struct PersonArgs {
    /// The person
    name: PersonName,

    /// Why; it stands in the audit log
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

#[derive(Debug, Deserialize)]
struct Erased {
    entries: u64,
    keys: u64,
}

/// Runs `tally erase`.
///
/// # Errors
/// Tally refuses or cannot be reached.
pub(crate) async fn run(command: EraseCommand, connection: &Connection) -> anyhow::Result<()> {
    let EraseCommand::Person(args) = command;
    let client = Client::new(connection)?;
    let path = ["api", "v1", "people", args.name.as_str(), "erase"];
    let body: serde_json::Value = client.post(&path, &json!({ "reason": args.reason })).await?;
    if connection.json {
        return output::json(&body);
    }
    let Erased { entries, keys } = serde_json::from_value(body)?;
    output::out(&format!(
        "Erased {}: in {entries} entries of the audit log, whose proofs stay valid; {keys} keys revoked.",
        args.name
    ))
}
