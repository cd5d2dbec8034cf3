//! `tally access`: keys, models and tiers, asked for.

use serde_json::json;
use tally_types::{
    ModelName, Name, Tier, WorkloadName,
    spec::{AccessAsk, AccessRequestSpec},
};

use super::{
    approvals::{self, Said, Until},
    client::Client,
    connection::Connection,
    now,
};

/// Subcommands of `tally access`.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum AccessCommand {
    /// Ask for a key, a model or a tier, for at most 180 days
    Request(RequestArgs),
    #[command(flatten)]
    Said(Said),
}

/// Arguments of `tally access request`.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("what").required(true).args(["own_key", "key_for", "model", "tier", "renews"]))]
pub(crate) struct RequestArgs {
    /// A key of your own; `--key` is the key to ask with
    #[arg(long)]
    own_key: bool,

    /// A key for this workload, which is not yours
    #[arg(long, value_name = "WORKLOAD")]
    key_for: Option<WorkloadName>,

    /// This model
    #[arg(long)]
    model: Option<ModelName>,

    /// Models of this tier: frontier, standard or economy
    #[arg(long)]
    tier: Option<Tier>,

    /// What this request of yours was for, again
    #[arg(long, value_name = "REQUEST")]
    renews: Option<Name>,

    /// Until when: +30d, or 2026-11-30T17:00Z
    #[arg(long, value_name = "WHEN")]
    until: Until,

    /// Why it is needed
    #[arg(long, value_name = "TEXT")]
    reason: String,

    /// Only show who would have to approve
    #[arg(long)]
    dry_run: bool,
}

/// Runs `tally access`.
///
/// # Errors
/// Tally refuses or cannot be reached.
pub(crate) async fn run(command: AccessCommand, connection: &Connection) -> anyhow::Result<()> {
    let client = Client::new(connection)?;
    let json = connection.json;
    match command {
        AccessCommand::Request(args) => request(args, &client, json).await,
        AccessCommand::Said(said) => approvals::run::<AccessRequestSpec>(said, &client, json).await,
    }
}

async fn request(args: RequestArgs, client: &Client, json: bool) -> anyhow::Result<()> {
    let RequestArgs { own_key, key_for, model, tier, renews, until, reason, dry_run } = args;
    let key = (own_key || key_for.is_some()).then_some(AccessAsk::Key { workload: key_for });
    let what = key.or(model.map(AccessAsk::Model)).or(tier.map(AccessAsk::Tier));
    let body = json!({
        "what": what, "until": until.at(now())?, "reason": reason, "renews": renews,
    });
    approvals::ask::<AccessRequestSpec>(client, &body, dry_run, json).await
}
