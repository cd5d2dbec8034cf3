//! `tally prices`: what models cost, and where that is known from.

mod entry;
mod import;
mod list;

use super::{client::Client, connection::Connection, output};

/// Subcommands of `tally prices`.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum PricesCommand {
    /// Show the prices in force, one line per model
    List(list::ListArgs),
    /// Show everything known about the price of a model
    Show(list::ShowArgs),
    /// Import a public price list
    Import(import::ImportArgs),
}

/// Runs `tally prices`.
///
/// # Errors
/// Tally refuses or cannot be reached, or a file is no price list.
pub(crate) async fn run(command: PricesCommand, connection: &Connection) -> anyhow::Result<()> {
    match command {
        PricesCommand::List(args) => list::list(args, connection).await,
        PricesCommand::Show(args) => list::show(args, connection).await,
        PricesCommand::Import(args) => import::run(args, connection).await,
    }
}
