//! `tally exception`: rules waived for a time.

use serde_json::json;
use tally_types::{
    KeyName, Name, PersonName, TeamName, WorkloadName,
    spec::{ExceptionScope, ExceptionSpec},
};

use super::{
    approvals::{self, Said, Until},
    client::Client,
    connection::Connection,
    now,
};

/// Subcommands of `tally exception`.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum ExceptionCommand {
    /// Ask for a waiver of one rule, for at most 30 days
    Request(RequestArgs),
    /// Record the architecture review that a repeated exception needs before it is approved
    Review {
        /// The exception
        name: Name,

        /// What came of it
        #[arg(long, value_name = "TEXT")]
        note: String,
    },
    #[command(flatten)]
    Said(Said),
}

/// Arguments of `tally exception request`.
#[derive(Debug, clap::Args)]
pub(crate) struct RequestArgs {
    /// The rule, as policy/rule-id
    #[arg(long, value_name = "RULE", required_unless_present = "renews")]
    rule: Option<String>,

    /// For calls of this person
    #[arg(long)]
    person: Option<PersonName>,

    /// For calls of this team
    #[arg(long)]
    team: Option<TeamName>,

    /// For calls of this workload
    #[arg(long)]
    workload: Option<WorkloadName>,

    /// For calls with this key; `--key` is the key to ask with
    #[arg(long, value_name = "KEY_NAME")]
    for_key: Option<KeyName>,

    /// From when, by default at once: +3d, or 2026-11-30T17:00Z
    #[arg(long, value_name = "WHEN")]
    from: Option<Until>,

    /// Until when, at most 30 days later: +30d, or 2026-11-30T17:00Z
    #[arg(long, value_name = "WHEN")]
    until: Until,

    /// Why it is needed
    #[arg(long, value_name = "TEXT")]
    reason: String,

    /// The exception that it renews; rule and scope are then those of that one
    #[arg(long, value_name = "EXCEPTION")]
    renews: Option<Name>,

    /// Only show who would have to approve, and what it repeats
    #[arg(long)]
    dry_run: bool,
}

/// Runs `tally exception`.
///
/// # Errors
/// Tally refuses or cannot be reached.
pub(crate) async fn run(command: ExceptionCommand, connection: &Connection) -> anyhow::Result<()> {
    let client = Client::new(connection)?;
    let json = connection.json;
    match command {
        ExceptionCommand::Request(args) => request(args, &client, json).await,
        ExceptionCommand::Review { name, note } => {
            let body = json!({ "note": note });
            let verb = "architecture-review";
            approvals::post::<ExceptionSpec>(&client, &name, verb, &body, json).await
        }
        ExceptionCommand::Said(said) => approvals::run::<ExceptionSpec>(said, &client, json).await,
    }
}

async fn request(args: RequestArgs, client: &Client, json: bool) -> anyhow::Result<()> {
    let RequestArgs { rule, person, team, workload, for_key, from, until, reason, renews, dry_run } =
        args;
    let scope = ExceptionScope { person, team, workload, key: for_key };
    let scope = (scope != ExceptionScope::default()).then_some(scope);
    let from = from.map(|from| from.at(now())).transpose()?;
    let body = json!({
        "rule": rule, "scope": scope, "from": from, "until": until.at(now())?, "reason": reason,
        "renews": renews,
    });
    approvals::ask::<ExceptionSpec>(client, &body, dry_run, json).await
}
