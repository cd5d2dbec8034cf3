//! The commands that talk to a running Tally through its API.
//!
//! Every command reads its answer whole, renders it to text by a pure function and
//! writes that text once, so that what a person sees can be tested without a server.

mod access;
mod apply;
mod approvals;
mod audit;
mod budget;
mod catalog;
mod client;
mod connection;
mod erase;
mod exception;
mod export;
mod get;
mod grant;
mod key;
mod number;
mod outcome;
mod output;
mod policy;
mod prices;
mod problem;
mod query;
mod reconcile;
mod retention;
mod rollout;
mod score;
mod sharing;
mod sim;
mod statement;
mod status;
mod table;
mod violation;

pub(crate) use connection::Connection;

use tally_types::{Clock as _, Timestamp};

/// The time, for arguments such as `--expires 30d`.
fn now() -> Timestamp {
    crate::clock::SystemClock::new().now()
}

/// A command that needs no files of the server, only its API.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum ClientCommand {
    /// Create and update resources from files, and prune what the files no longer hold
    Apply(apply::ApplyArgs),
    /// Show resources
    Get(get::GetArgs),
    /// Ask who used what, for which work, at what cost
    Query(query::QueryArgs),
    /// Make, list, rotate, revoke, suspend and reinstate keys
    #[command(subcommand)]
    Key(key::KeyCommand),
    /// Ask for more of a budget; approve, deny and follow such requests
    #[command(subcommand)]
    Grant(grant::GrantCommand),
    /// Ask for a waiver of a rule; approve, deny, review and follow such requests
    #[command(subcommand)]
    Exception(exception::ExceptionCommand),
    /// Ask for a key, a model or a tier; approve, deny and follow such requests
    #[command(subcommand)]
    Access(access::AccessCommand),
    /// See and keep the service catalog
    Catalog(catalog::CatalogArgs),
    /// See usage that no workload explains, and register it
    Inventory(catalog::InventoryArgs),
    /// See how far cost centers have come towards being charged, and take them on
    #[command(subcommand)]
    Rollout(rollout::RolloutCommand),
    /// See the month's reduction targets and where to look first; set and close them
    #[command(subcommand)]
    Sprint(rollout::SprintCommand),
    /// Hold the quarter's review of policies and prices
    #[command(subcommand)]
    Review(rollout::ReviewCommand),
    /// Find, use and write prompts that people share
    #[command(subcommand)]
    Template(sharing::TemplateCommand),
    /// Tell what a change saved, as Tally measures it
    #[command(subcommand)]
    Story(sharing::StoryCommand),
    /// Share failure cases, evaluations, guardrail patterns and mentoring
    #[command(subcommand)]
    Contribution(sharing::ContributionCommand),
    /// Prepare the monthly governance meeting
    #[command(subcommand)]
    Governance(catalog::GovernanceCommand),
    /// See the scoreboard, live in the terminal
    Top(score::TopArgs),
    /// See why a score is what it is, choose how you appear, read the formula
    #[command(subcommand)]
    Score(score::ScoreCommand),
    /// Look up and import prices
    #[command(subcommand)]
    Prices(prices::PricesCommand),
    /// See how budgets stand
    #[command(subcommand)]
    Budget(budget::BudgetCommand),
    /// See what cost centers pay, review and close months
    #[command(subcommand)]
    Statement(statement::StatementCommand),
    /// Try rate cards out
    #[command(subcommand)]
    RateCard(statement::RateCardCommand),
    /// See which calls met which rules, and say what was found
    #[command(subcommand)]
    Violation(violation::ViolationCommand),
    /// Check, test and explain policies; print the starter pack
    #[command(subcommand)]
    Policy(policy::PolicyCommand),
    /// Read the log of every change, prove it, verify an export of it
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// Write the books to files for other programs
    #[command(subcommand)]
    Export(export::ExportCommand),
    /// Hold providers' bills against what was metered, and settle the differences
    #[command(subcommand)]
    Reconcile(reconcile::ReconcileCommand),
    /// See how long personal data is kept, and purge what is older
    #[command(subcommand)]
    Retention(retention::RetentionCommand),
    /// Read a kept prompt
    #[command(subcommand)]
    Prompt(retention::PromptCommand),
    /// Erase personal data
    #[command(subcommand)]
    Erase(erase::EraseCommand),
    /// Say whether Tally is up and what state it is in
    Status,
    /// Report what came of a task
    #[command(subcommand)]
    Outcome(outcome::OutcomeCommand),
    /// Print the description of the API (OpenAPI 3.1)
    Openapi,
    /// Run a simulator of OpenAI and Anthropic to try Tally against
    Sim(sim::SimArgs),
}

/// Runs a command; what goes wrong is an error that says what to do next.
///
/// # Errors
/// Tally cannot be reached, refuses, or the arguments do not fit together.
pub(crate) async fn run(command: ClientCommand, connection: Connection) -> anyhow::Result<()> {
    match command {
        ClientCommand::Apply(args) => apply::run(args, &connection).await,
        ClientCommand::Get(args) => get::run(args, &connection).await,
        ClientCommand::Query(args) => query::run(args, &connection).await,
        ClientCommand::Key(command) => key::run(command, &connection).await,
        ClientCommand::Grant(command) => grant::run(command, &connection).await,
        ClientCommand::Exception(command) => exception::run(command, &connection).await,
        ClientCommand::Access(command) => access::run(command, &connection).await,
        ClientCommand::Catalog(args) => catalog::run(args, &connection).await,
        ClientCommand::Inventory(args) => catalog::run_inventory(args, &connection).await,
        ClientCommand::Governance(command) => catalog::run_governance(command, &connection).await,
        ClientCommand::Rollout(command) => rollout::run(command, &connection).await,
        ClientCommand::Sprint(command) => rollout::run_sprint(command, &connection).await,
        ClientCommand::Review(command) => rollout::run_review(command, &connection).await,
        ClientCommand::Top(args) => score::top(args, &connection).await,
        ClientCommand::Score(command) => score::run(command, &connection).await,
        ClientCommand::Template(command) => sharing::run(command, &connection).await,
        ClientCommand::Story(command) => sharing::run_story(command, &connection).await,
        ClientCommand::Contribution(command) => {
            sharing::run_contribution(command, &connection).await
        }
        ClientCommand::Prices(command) => prices::run(command, &connection).await,
        ClientCommand::Budget(command) => budget::run(command, &connection).await,
        ClientCommand::Statement(command) => statement::run(command, &connection).await,
        ClientCommand::RateCard(command) => statement::run_rate_card(command, &connection).await,
        ClientCommand::Violation(command) => violation::run(command, &connection).await,
        ClientCommand::Policy(command) => policy::run(command, &connection).await,
        ClientCommand::Audit(command) => audit::run(command, &connection).await,
        ClientCommand::Export(command) => export::run(command, &connection).await,
        ClientCommand::Reconcile(command) => reconcile::run(command, &connection).await,
        ClientCommand::Retention(command) => retention::run(command, &connection).await,
        ClientCommand::Prompt(command) => retention::run_prompt(command, &connection).await,
        ClientCommand::Erase(command) => erase::run(command, &connection).await,
        ClientCommand::Status => status::run(&connection).await,
        ClientCommand::Outcome(command) => outcome::run(command, &connection).await,
        ClientCommand::Openapi => output::json(&tally_api::openapi_document()),
        ClientCommand::Sim(args) => sim::run(args).await,
    }
}
