//! `tally erase`: personal data.

use serde::Deserialize;
use serde_json::json;
use tally_types::PersonName;

use super::{client::Client, connection::Connection, output};

/// Subcommands of `tally erase`.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum EraseCommand {
    /// Erase who a person is: display name, mail address, account, sessions, inbox, kept
    /// prompts; their calls no longer name them, their keys are revoked, their name stays as
    /// an opaque id
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

    /// Only count what would be touched
    #[arg(long)]
    dry_run: bool,
}

#[derive(Debug, Deserialize)]
struct Erased {
    entries: u64,
    keys: u64,
    resources: u64,
    notices: u64,
    events: Option<u64>,
    prompts: u64,
    overwritten: bool,
}

/// Runs `tally erase`.
///
/// # Errors
/// Tally refuses or cannot be reached.
pub(crate) async fn run(command: EraseCommand, connection: &Connection) -> anyhow::Result<()> {
    let EraseCommand::Person(args) = command;
    let client = Client::new(connection)?;
    let path = ["api", "v1", "people", args.name.as_str(), "erase"];
    let body = json!({ "reason": args.reason, "dry_run": args.dry_run });
    let body: serde_json::Value = client.post(&path, &body).await?;
    if connection.json {
        return output::json(&body);
    }
    let erased = serde_json::from_value(body)?;
    output::out(&told(&args.name, args.dry_run, &erased))
}

fn told(name: &PersonName, dry_run: bool, erased: &Erased) -> String {
    let begin = if dry_run { "Would erase" } else { "Erased" };
    let Erased { entries, keys, resources, notices, prompts, .. } = erased;
    let calls = match erased.events {
        Some(events) => format!("{events} calls that name or quote them"),
        None => "their calls (the warehouse is not open: the next hourly run does it)".to_owned(),
    };
    let mut text = format!(
        "{begin} {name}:\n  {entries} entries of the audit log, whose proofs stay valid\n  \
         {keys} keys revoked\n  {resources} requests and workloads that quote them\n  {notices} \
         notices and kept replies that quote them\n  {calls}\n  {prompts} kept prompts\n"
    );
    if !dry_run && !erased.overwritten {
        text.push_str(
            "Free space of the files may still hold some of it, as something was reading them: \
             run it again.\n",
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_done_is_told_line_by_line() {
        let ada = "ada".parse().unwrap();
        let mut erased = Erased {
            entries: 4,
            keys: 1,
            resources: 2,
            notices: 3,
            events: Some(120),
            prompts: 5,
            overwritten: true,
        };
        let done = told(&ada, false, &erased);
        assert!(done.starts_with("Erased ada:") && done.contains("120 calls"), "{done}");
        assert!(!done.contains("run it again"), "{done}");
        assert!(told(&ada, true, &erased).starts_with("Would erase ada:"));
        (erased.events, erased.overwritten) = (None, false);
        let done = told(&ada, false, &erased);
        assert!(done.contains("next hourly run") && done.contains("run it again"), "{done}");
    }
}
