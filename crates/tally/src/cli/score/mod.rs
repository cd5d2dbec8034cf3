//! `tally top`: a scoreboard. `tally score`: why a score is what it is, one's own choice, the
//! formula.

mod show;
mod top;

use serde_json::{Value, json};
use tally_types::spec::ShownAs;

use super::{client::Client, connection::Connection, output};

pub(crate) use top::{TopArgs, top};

const CHOICE: [&str; 4] = ["api", "v1", "me", "scoreboard-choice"];

/// Subcommands of `tally score`.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum ScoreCommand {
    /// Take a score apart: its parts, what counted and what did not, what would help most
    Explain(ExplainArgs),
    /// Say how you appear on boards of people
    Choose {
        /// named, pseudonym or hidden; without it, shows how you appear now
        shown: Option<ShownAs>,

        /// With `pseudonym`: which; without it the first that is free
        #[arg(long, value_name = "TEXT")]
        pseudonym: Option<String>,
    },
    /// Show the formula that scores are computed by, and those before and after it
    Formula,
}

/// Arguments of `tally score explain`.
#[derive(Debug, clap::Args)]
pub(crate) struct ExplainArgs {
    /// Somebody else, where you may see them; by default yourself
    #[arg(long, value_name = "PERSON", conflicts_with = "team")]
    person: Option<String>,

    /// A team
    #[arg(long, value_name = "TEAM")]
    team: Option<String>,

    /// A season such as 2026-11 or 2026-Q4; by default the one that goes on
    #[arg(long, value_name = "SEASON")]
    season: Option<String>,
}

/// Runs `tally score`.
///
/// # Errors
/// Tally refuses or cannot be reached.
pub(crate) async fn run(command: ScoreCommand, connection: &Connection) -> anyhow::Result<()> {
    let client = Client::new(connection)?;
    match command {
        ScoreCommand::Explain(args) => {
            let found: Value =
                client.get(&["api", "v1", "scoreboards", "explain"], &args.query()).await?;
            output::shown(connection.json, found, |found: Value| show::explained(&found))
        }
        ScoreCommand::Choose { shown: None, .. } => {
            let found: Value = client.get(&CHOICE, &[]).await?;
            output::shown(connection.json, found, |found: Value| show::choice(&found))
        }
        ScoreCommand::Choose { shown: Some(shown), pseudonym } => {
            let pseudonym = match (shown, pseudonym) {
                (ShownAs::Pseudonym, None) => {
                    let found: Value = client.get(&CHOICE, &[]).await?;
                    found.pointer("/proposals/0").and_then(Value::as_str).map(str::to_owned)
                }
                (_, pseudonym) => pseudonym,
            };
            let body = json!({ "shown": shown, "pseudonym": pseudonym });
            let found: Value = client.put(&CHOICE, &body).await?;
            output::shown(connection.json, found, |found: Value| show::choice(&found))
        }
        ScoreCommand::Formula => {
            let found: Value = client.get(&["api", "v1", "scoreboards"], &[]).await?;
            let formulas = found.get("formulas").cloned().unwrap_or_default();
            output::shown(connection.json, formulas, |formulas: Vec<Value>| {
                show::formulas(&formulas)
            })
        }
    }
}

// === impl ExplainArgs ===

impl ExplainArgs {
    fn query(&self) -> Vec<(&'static str, &str)> {
        let of = if self.team.is_some() { "teams" } else { "people" };
        let mut query = vec![("of", of)];
        let name = self.team.as_deref().or(self.person.as_deref());
        query.extend(name.map(|name| ("name", name)));
        query.extend(self.season.as_deref().map(|season| ("season", season)));
        query
    }
}
