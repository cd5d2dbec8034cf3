//! `tally catalog`: workloads, what is missing of them, and how they do. `tally inventory`:
//! what no workload explains. `tally governance`: the month's meeting.

pub(super) mod show;

use serde_json::{Map, Value, json};
use tally_types::{KeyName, Name, Resource, TeamName};

use super::{approvals::Until, client::Client, connection::Connection, now, output};

/// Arguments of `tally catalog`.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct CatalogArgs {
    #[command(subcommand)]
    command: Option<CatalogCommand>,
}

/// Subcommands of `tally catalog`.
#[derive(Debug, clap::Subcommand)]
enum CatalogCommand {
    /// Show every workload with what is missing of it, its spend and its health
    List,
    /// Approve a workload; its owner cannot
    Approve(Named),
    /// Retire a workload: its calls are no longer counted as its own
    Retire(Named),
    /// Sign off what a workload used, to hold later savings against
    Baseline {
        /// The workload
        name: Name,

        /// From when: 2026-10-01T00:00Z
        #[arg(long, value_name = "WHEN")]
        from: Until,

        /// Until when: 2026-11-01T00:00Z
        #[arg(long, value_name = "WHEN")]
        until: Until,

        /// In your words
        #[arg(long, value_name = "TEXT")]
        note: Option<String>,
    },
}

/// A workload, and why.
#[derive(Debug, clap::Args)]
struct Named {
    /// The workload
    name: Name,

    /// For the audit trail
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
}

/// Arguments of `tally inventory`.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct InventoryArgs {
    #[command(subcommand)]
    command: Option<InventoryCommand>,
}

/// Subcommands of `tally inventory`.
#[derive(Debug, clap::Subcommand)]
enum InventoryCommand {
    /// Show usage that no workload explains, and tools without telemetry
    List,
    /// Make a workload of a row, and bind its key
    Register {
        /// What the workload is called
        name: Name,

        /// The key of the row; `--key` is the key to ask with
        #[arg(long, value_name = "KEY_NAME")]
        of_key: Option<KeyName>,

        /// The application of the row
        #[arg(long)]
        application: Option<String>,

        /// The user agent of the row
        #[arg(long)]
        user_agent: Option<String>,

        /// A field of the workload, such as owner=ada or metered=false; may be repeated
        #[arg(long = "set", value_name = "FIELD=VALUE", value_parser = field)]
        fields: Vec<(String, Value)>,
    },
}

/// Subcommands of `tally governance`.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum GovernanceCommand {
    /// Print the agenda of a month's meeting, as Markdown
    Agenda {
        /// The month, such as 2026-11; by default the current one
        #[arg(long)]
        month: Option<String>,
    },
    /// Show how ready teams are to be charged
    Readiness {
        /// Only this team
        #[arg(long)]
        team: Option<TeamName>,
    },
}

/// Runs `tally catalog`.
///
/// # Errors
/// Tally refuses or cannot be reached.
pub(crate) async fn run(args: CatalogArgs, connection: &Connection) -> anyhow::Result<()> {
    let client = Client::new(connection)?;
    let (name, verb, body) = match args.command.unwrap_or(CatalogCommand::List) {
        CatalogCommand::List => {
            let catalog: Value = client.get(&["api", "v1", "catalog"], &[]).await?;
            return if connection.json {
                output::json(&catalog)
            } else {
                output::out(&show::catalog(&catalog))
            };
        }
        CatalogCommand::Approve(Named { name, note }) => (name, "approve", json!({ "note": note })),
        CatalogCommand::Retire(Named { name, note }) => (name, "retire", json!({ "note": note })),
        CatalogCommand::Baseline { name, from, until, note } => {
            let (from, to) = (from.at(now())?, until.at(now())?);
            (name, "baseline", json!({ "from": from, "to": to, "note": note }))
        }
    };
    let path = ["api", "v1", "workloads", name.as_str(), verb];
    let done: Resource = client.post(&path, &body).await?;
    if connection.json {
        return output::json(&done);
    }
    let text = |field: &str| show::value(done.spec.get(field));
    output::out(&match verb {
        "baseline" => {
            let per_task = match text("cost_per_successful_task_usd").as_str() {
                "" => "no task with a known outcome".to_owned(),
                usd => format!("${usd} per successful task"),
            };
            let (calls, tokens, spend) = (text("calls"), text("tokens"), text("spend_usd"));
            let name = &done.name;
            format!("`{name}` is frozen: {calls} calls, {tokens} tokens, ${spend}, {per_task}")
        }
        _ => format!("`{}` is {}", done.name, text("state")),
    })
}

/// Runs `tally inventory`.
///
/// # Errors
/// Tally refuses or cannot be reached.
pub(crate) async fn run_inventory(
    args: InventoryArgs,
    connection: &Connection,
) -> anyhow::Result<()> {
    let client = Client::new(connection)?;
    match args.command.unwrap_or(InventoryCommand::List) {
        InventoryCommand::List => {
            let found: Value = client.get(&["api", "v1", "inventory"], &[]).await?;
            if connection.json {
                return output::json(&found);
            }
            output::out(&show::inventory(&found))
        }
        InventoryCommand::Register { name, of_key, application, user_agent, fields } => {
            let spec: Map<String, Value> = fields.into_iter().collect();
            let body = json!({
                "name": name, "key": of_key, "application": application, "user_agent": user_agent,
                "spec": spec,
            });
            let path = ["api", "v1", "inventory", "register"];
            let made: Resource = client.post(&path, &body).await?;
            if connection.json {
                return output::json(&made);
            }
            output::out(&format!(
                "`{}` is in the catalog, owned by {}; `tally catalog` tells what is missing",
                made.name,
                show::value(made.spec.get("owner"))
            ))
        }
    }
}

/// Runs `tally governance`.
///
/// # Errors
/// Tally refuses or cannot be reached.
pub(crate) async fn run_governance(
    command: GovernanceCommand,
    connection: &Connection,
) -> anyhow::Result<()> {
    let client = Client::new(connection)?;
    match command {
        GovernanceCommand::Agenda { month } => {
            let path = ["api", "v1", "governance", "agenda"];
            let mut query = Vec::new();
            query.extend(month.as_deref().map(|month| ("month", month)));
            if connection.json {
                return output::json(&client.get::<Value>(&path, &query).await?);
            }
            query.push(("format", "markdown"));
            output::out(&client.text(&path, &query).await?)
        }
        GovernanceCommand::Readiness { team } => {
            let query: Vec<(&str, &str)> =
                team.iter().map(|team| ("team", team.as_str())).collect();
            let found: Value = client.get(&["api", "v1", "readiness"], &query).await?;
            if connection.json {
                return output::json(&found);
            }
            output::out(&show::readiness(&found))
        }
    }
}

/// `owner=ada`, `metered=false`.
fn field(text: &str) -> Result<(String, Value), String> {
    let (name, value) = text
        .split_once('=')
        .filter(|(name, _)| !name.is_empty())
        .ok_or_else(|| format!("`{text}` is no field; expected such as owner=ada"))?;
    // What is no JSON is text.
    let value = serde_json::from_str(value).unwrap_or_else(|_| Value::from(value));
    Ok((name.to_owned(), value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_text_unless_they_are_json() {
        assert_eq!(field("owner=ada").unwrap(), ("owner".to_owned(), json!("ada")));
        assert_eq!(field("metered=false").unwrap().1, json!(false));
        assert_eq!(field("fallback={\"model\":\"x=y\"}").unwrap().1, json!({ "model": "x=y" }));
        assert!(field("owner").unwrap_err().contains("owner=ada"));
    }
}
