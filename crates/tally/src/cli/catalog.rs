//! `tally catalog`: workloads, what is missing of them, and how they do. `tally inventory`:
//! what no workload explains. `tally governance`: the month's meeting.

use serde_json::{Map, Value, json};
use tally_types::{KeyName, Name, PicoUsdSum, Resource, TeamName};

use super::{
    approvals::Until,
    client::Client,
    connection::Connection,
    now, number, output,
    table::{Align, Table},
};

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
        to: Until,

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

        /// The key of the row
        #[arg(long)]
        key: Option<KeyName>,

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
            let text = |catalog: &Value| catalog_text(catalog);
            return if connection.json {
                output::json(&catalog)
            } else {
                output::out(&text(&catalog))
            };
        }
        CatalogCommand::Approve(Named { name, note }) => (name, "approve", json!({ "note": note })),
        CatalogCommand::Retire(Named { name, note }) => (name, "retire", json!({ "note": note })),
        CatalogCommand::Baseline { name, from, to, note } => {
            let (from, to) = (from.at(now())?, to.at(now())?);
            (name, "baseline", json!({ "from": from, "to": to, "note": note }))
        }
    };
    let path = ["api", "v1", "workloads", name.as_str(), verb];
    let done: Resource = client.post(&path, &body).await?;
    if connection.json {
        return output::json(&done);
    }
    let text = |field: &str| show(done.spec.get(field));
    output::out(&match verb {
        "baseline" => format!(
            "`{}` is frozen: {} calls, {} tokens, ${}, ${} per successful task",
            done.name,
            text("calls"),
            text("tokens"),
            text("spend_usd"),
            text("cost_per_successful_task_usd")
        ),
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
            output::out(&inventory_text(&found))
        }
        InventoryCommand::Register { name, key, application, user_agent, fields } => {
            let spec: Map<String, Value> = fields.into_iter().collect();
            let body = json!({
                "name": name, "key": key, "application": application, "user_agent": user_agent,
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
                show(made.spec.get("owner"))
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
            output::out(&readiness_text(&found))
        }
    }
}

fn catalog_text(catalog: &Value) -> String {
    let mut table = Table::new([
        ("Workload", Align::Left),
        ("State", Align::Left),
        ("Owner", Align::Left),
        ("Tier", Align::Left),
        ("Funding", Align::Left),
        ("Spend, 30 d", Align::Right),
        ("Health", Align::Left),
        ("There", Align::Right),
        ("Missing", Align::Left),
    ]);
    for item in items(catalog) {
        let at = |pointer: &str| show(item.pointer(pointer));
        let state = at("/spec/state");
        let missing = item.pointer("/completeness/missing").and_then(Value::as_array);
        let mut missing: Vec<String> =
            missing.into_iter().flatten().map(|field| show(Some(field))).collect();
        if item.get("review_overdue") == Some(&Value::Bool(true)) {
            missing.push("(review overdue)".to_owned());
        }
        table.row([
            at("/name"),
            if state.is_empty() { "registered".to_owned() } else { state },
            at("/spec/owner"),
            at("/spec/tier"),
            at("/spec/funding"),
            money(item.pointer("/used/spend_usd")),
            at("/health"),
            format!("{} %", at("/completeness/percent")),
            missing.join(", "),
        ]);
    }
    let at = |pointer: &str| show(catalog.pointer(pointer));
    format!(
        "{}\n\n{} workloads, {} of them complete; {} % of what is asked for is there; {} that no workload explains",
        table.render(),
        at("/total/workloads"),
        at("/total/complete"),
        at("/total/percent"),
        money(catalog.pointer("/total/unexplained/spend_usd")),
    )
}

fn inventory_text(found: &Value) -> String {
    let mut table = Table::new([
        ("Key", Align::Left),
        ("Application", Align::Left),
        ("User agent", Align::Left),
        ("Models", Align::Left),
        ("Tokens, 30 d", Align::Right),
        ("Spend", Align::Right),
        ("Likely owner", Align::Left),
        ("Suggested name", Align::Left),
    ]);
    for item in items(found) {
        let at = |pointer: &str| show(item.pointer(pointer));
        let models = item.get("models").and_then(Value::as_array).into_iter().flatten();
        let models: Vec<String> = models.map(|model| show(model.get("model"))).collect();
        let tokens = item.get("tokens").and_then(Value::as_u64).unwrap_or(0);
        table.row([
            at("/key"),
            at("/application"),
            at("/user_agent"),
            models.join(", "),
            number::count(i128::from(tokens)),
            money(item.get("spend_usd")),
            at("/likely_owner"),
            at("/suggested_name"),
        ]);
    }
    let mut text = match items(found).next() {
        Some(_) => table.render(),
        None => "Every call of the last 30 days is explained by a workload.".to_owned(),
    };
    let tools: Vec<String> = found
        .get("tools")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .map(|tool| {
            let at = |field: &str| show(tool.get(field));
            format!("{} ({}, {})", at("name"), at("vendor"), at("owner"))
        })
        .collect();
    if !tools.is_empty() {
        text.push_str(&format!("\n\nWithout telemetry: {}", tools.join(", ")));
    }
    text
}

fn readiness_text(found: &Value) -> String {
    let mut table = Table::of_text(&["Team", "Item", "Met", "Found", "Next step"]);
    for team in items(found) {
        let lines = team.get("items").and_then(Value::as_array).into_iter().flatten();
        for line in lines {
            let at = |field: &str| show(line.get(field));
            let met = line.get("ok") == Some(&Value::Bool(true));
            table.row([
                show(team.get("team")),
                at("item").replace('_', " "),
                if met { "yes" } else { "no" }.to_owned(),
                at("detail"),
                at("next_step"),
            ]);
        }
    }
    table.render()
}

fn items(page: &Value) -> impl Iterator<Item = &Value> {
    page.get("items").and_then(Value::as_array).into_iter().flatten()
}

fn show(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

fn money(value: Option<&Value>) -> String {
    let usd = value.and_then(|usd| serde_json::from_value::<PicoUsdSum>(usd.clone()).ok());
    usd.map_or_else(String::new, |usd| format!("${}", number::money(usd, 2)))
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

    #[test]
    fn the_catalog_says_what_is_missing() {
        let catalog = json!({
            "items": [{
                "name": "copilot", "health": "ok", "review_overdue": true,
                "spec": { "owner": "ada", "tier": "frontier", "funding": "charged" },
                "used": { "spend_usd": "12.345" },
                "completeness": { "percent": 87, "missing": ["criticality"] },
            }],
            "total": { "workloads": 1, "complete": 0, "percent": 87,
                "unexplained": { "spend_usd": "3" } },
        });
        insta::assert_snapshot!(catalog_text(&catalog), @"");
    }

    #[test]
    fn the_inventory_says_whose_it_may_be() {
        let found = json!({
            "items": [{
                "key": "ada-laptop", "application": "curl\u{1b}[2J", "tokens": 120_000,
                "spend_usd": "4.2", "likely_owner": "ada", "suggested_name": "curl",
                "models": [{ "model": "gpt-5" }],
            }],
            "tools": [{ "name": "scribe", "vendor": "Scribe Inc.", "owner": "lin" }],
        });
        insta::assert_snapshot!(inventory_text(&found), @"");
        assert!(inventory_text(&json!({ "items": [] })).starts_with("Every call"));
    }
}
