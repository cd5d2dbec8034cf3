//! `tally grant`: temporary increases of budgets, and approvals.

mod request;
mod show;

use serde_json::{Value, json};
use tally_types::{Kind, Name, Resource, spec::GrantState};

use super::{client::Client, connection::Connection, now, output};

/// Subcommands of `tally grant`.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum GrantCommand {
    /// Ask for more of a budget, for a time
    Request(request::RequestArgs),
    /// Approve a grant that waits for you, or for whom you are the delegate of
    Approve(SayArgs),
    /// Deny a grant; a reason is needed
    Deny(SayArgs),
    /// End a grant before its time; a reason is needed
    Revoke(SayArgs),
    /// Take your own request back
    Withdraw {
        /// The grant
        name: Name,
    },
    /// Show grants
    List(ListArgs),
    /// Show a grant and its minutes
    Show {
        /// The grant
        name: Name,
    },
}

/// What is said to a grant.
#[derive(Debug, clap::Args)]
pub(crate) struct SayArgs {
    /// The grant
    name: Name,

    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

/// Arguments of `tally grant list`.
#[derive(Debug, clap::Args)]
pub(crate) struct ListArgs {
    /// Only those that you may decide on now
    #[arg(long)]
    to_decide: bool,

    /// Only those that you asked for
    #[arg(long)]
    mine: bool,

    /// Only in this state: pending, approved, denied, revoked, withdrawn or expired
    #[arg(long, value_name = "STATE")]
    state: Option<GrantState>,
}

/// Runs `tally grant`.
///
/// # Errors
/// Tally refuses or cannot be reached.
pub(crate) async fn run(command: GrantCommand, connection: &Connection) -> anyhow::Result<()> {
    let client = Client::new(connection)?;
    let json = connection.json;
    match command {
        GrantCommand::Request(args) => request::run(args, &client, json).await,
        GrantCommand::Approve(args) => say(&client, "approve", args, json).await,
        GrantCommand::Deny(args) => say(&client, "deny", args, json).await,
        GrantCommand::Revoke(args) => say(&client, "revoke", args, json).await,
        GrantCommand::Withdraw { name } => {
            say(&client, "withdraw", SayArgs { name, reason: None }, json).await
        }
        GrantCommand::List(args) => list(&client, &args, json).await,
        GrantCommand::Show { name } => show(&client, &name, json).await,
    }
}

const GRANTS: [&str; 3] = ["api", "v1", Kind::Grant.plural()];

async fn say(client: &Client, verb: &str, args: SayArgs, json: bool) -> anyhow::Result<()> {
    let path = [&GRANTS, [args.name.as_str(), verb].as_slice()].concat();
    let body = args.reason.map_or_else(|| json!({}), |reason| json!({ "reason": reason }));
    let grant: Resource = client.post(&path, &body).await?;
    if json {
        return output::json(&grant);
    }
    output::out(&show::standing(&grant)?)
}

async fn list(client: &Client, args: &ListArgs, json: bool) -> anyhow::Result<()> {
    let mut query = Vec::new();
    query.extend(args.to_decide.then_some(("to_decide", "true")));
    query.extend(args.mine.then_some(("mine", "true")));
    query.extend(args.state.map(|state| ("state", state.as_str())));
    let grants: Vec<Resource> = client.list(&GRANTS, &query).await?;
    if json {
        return output::json(&grants);
    }
    output::out(&show::table(&grants, now())?)
}

async fn show(client: &Client, name: &Name, json: bool) -> anyhow::Result<()> {
    let path = [&GRANTS, [name.as_str()].as_slice()].concat();
    let grant: Resource = client.get(&path, &[]).await?;
    let path = [&GRANTS, [name.as_str(), "trail"].as_slice()].concat();
    let trail: Value = client.get(&path, &[]).await?;
    if json {
        return output::json(&json!({ "grant": grant, "trail": trail.get("items") }));
    }
    output::out(&show::minutes(&grant, &trail)?)
}
