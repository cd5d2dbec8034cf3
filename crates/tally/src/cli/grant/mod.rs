//! `tally grant`: temporary increases of budgets, and approvals.

mod request;

use tally_types::{Kind, spec::GrantSpec};

use super::{
    approvals::{self, Said},
    client::Client,
    connection::Connection,
};

/// Subcommands of `tally grant`.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum GrantCommand {
    /// Ask for more of a budget, for a time
    Request(request::RequestArgs),
    #[command(flatten)]
    Said(Said),
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
        GrantCommand::Said(said) => approvals::run::<GrantSpec>(said, &client, json).await,
    }
}

const GRANTS: [&str; 3] = ["api", "v1", Kind::Grant.plural()];
