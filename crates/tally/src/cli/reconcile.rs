//! `tally reconcile`: providers' bills against what was metered.

use std::path::PathBuf;

use anyhow::Context as _;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    client::Client,
    connection::Connection,
    output::shown,
    table::{Align, Table},
};

const PATH: [&str; 3] = ["api", "v1", "reconciliations"];

/// Subcommands of `tally reconcile`.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum ReconcileCommand {
    /// Hold a bill against what was metered, and keep it; the same bill again changes nothing
    Import(ImportArgs),
    /// Show the bills that were imported
    List {
        /// Only of this provider
        #[arg(long)]
        provider: Option<String>,
    },
    /// Show one with its differences and what was decided about them
    Show {
        /// Its id
        id: String,
    },
    /// Approve proposed adjustments; by a person other than who imported the bill
    Approve(ApproveArgs),
    /// Reject proposed adjustments; by a person other than who imported the bill
    Reject(RejectArgs),
    /// Post approved adjustments: statements have them from here on
    Post(NumbersArgs),
}

/// Arguments of `tally reconcile import`.
#[derive(Debug, clap::Args)]
pub(crate) struct ImportArgs {
    /// The bill: a provider's report as it came, or an invoice as CSV
    file: PathBuf,

    /// Who bills, as Tally names them
    #[arg(long)]
    provider: String,

    /// What the bill is written in
    #[arg(long, value_parser = ["anthropic-usage", "anthropic-cost", "openai-usage", "openai-costs", "csv"])]
    format: String,

    /// Only look: nothing is kept
    #[arg(long)]
    dry_run: bool,
}

/// Which adjustments of which bill.
#[derive(Debug, clap::Args)]
pub(crate) struct NumbersArgs {
    /// The bill's id
    id: String,

    /// The number of a difference; may be given several times; all of them when left out
    #[arg(long = "number", value_name = "N")]
    numbers: Vec<u32>,
}

/// Arguments of `tally reconcile approve`.
#[derive(Debug, clap::Args)]
pub(crate) struct ApproveArgs {
    #[command(flatten)]
    which: NumbersArgs,

    /// Who answers for them; nobody (unallocated) when left out
    #[arg(long, value_name = "NAME")]
    cost_center: Option<String>,

    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

/// Arguments of `tally reconcile reject`.
#[derive(Debug, clap::Args)]
pub(crate) struct RejectArgs {
    #[command(flatten)]
    which: NumbersArgs,

    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

/// What the API answers, as far as it is shown.
#[derive(Debug, Deserialize)]
struct Imported {
    outcome: String,
    reconciliation: Reconciliation,
}

#[derive(Debug, Deserialize)]
struct Summary {
    id: String,
    provider: String,
    from: String,
    to: String,
    billed_usd: Option<String>,
    metered_usd: String,
    variances: u64,
    imported_by: String,
    approved: u64,
    posted: u64,
    rejected: u64,
}

#[derive(Debug, Deserialize)]
struct Listed {
    items: Vec<Summary>,
}

#[derive(Debug, Deserialize)]
struct Reconciliation {
    id: String,
    provider: String,
    from: String,
    to: String,
    billed_usd: Option<String>,
    metered_usd: String,
    imported_by: String,
    proposed_usd: String,
    approved_usd: String,
    rejected_usd: String,
    posted_usd: String,
    variances: Vec<Variance>,
}

#[derive(Debug, Deserialize)]
struct Variance {
    number: u32,
    kind: String,
    date: String,
    model: Option<String>,
    meter: Option<String>,
    billed_usd: Option<String>,
    metered_usd: Option<String>,
    proposed_usd: Option<String>,
    uncovered_usd: Option<String>,
    explanation: String,
    adjustment: Option<Adjustment>,
    stands_in: Vec<StandsIn>,
}

#[derive(Debug, Deserialize)]
struct Adjustment {
    state: String,
    cost_center: Option<String>,
    decided_by: String,
    reason: String,
}

#[derive(Debug, Deserialize)]
struct StandsIn {
    period: String,
    amount_usd: String,
    closed: bool,
}

/// Runs `tally reconcile`.
///
/// # Errors
/// The file cannot be read or is no bill; Tally refuses or cannot be reached.
pub(crate) async fn run(command: ReconcileCommand, connection: &Connection) -> anyhow::Result<()> {
    let client = Client::new(connection)?;
    let as_json = connection.json;
    match command {
        ReconcileCommand::Import(args) => {
            let path = args.file.display();
            let text = std::fs::read_to_string(&args.file).with_context(|| path.to_string())?;
            let body = json!({
                "provider": args.provider, "format": args.format, "text": text,
                "dry_run": args.dry_run,
            });
            shown(as_json, client.post(&PATH, &body).await?, |it: Imported| imported(&it))
        }
        ReconcileCommand::List { provider } => {
            let query: Vec<(&str, &str)> =
                provider.iter().map(|name| ("provider", name.as_str())).collect();
            shown(as_json, client.get(&PATH, &query).await?, |it: Listed| list(&it))
        }
        ReconcileCommand::Show { id } => {
            let [api, version, all] = PATH;
            let found: Value = client.get(&[api, version, all, &id], &[]).await?;
            shown(as_json, found, |it: Reconciliation| render(&it))
        }
        ReconcileCommand::Approve(ApproveArgs { which, cost_center, reason }) => {
            let body = json!({
                "numbers": which.numbers, "cost_center": cost_center, "reason": reason,
            });
            step(&client, as_json, (&which.id, "approve"), &body).await
        }
        ReconcileCommand::Reject(RejectArgs { which, reason }) => {
            let body = json!({ "numbers": which.numbers, "reason": reason });
            step(&client, as_json, (&which.id, "reject"), &body).await
        }
        ReconcileCommand::Post(which) => {
            let body = json!({ "numbers": which.numbers });
            step(&client, as_json, (&which.id, "post"), &body).await
        }
    }
}

async fn step(
    client: &Client,
    as_json: bool,
    (id, verb): (&str, &str),
    body: &Value,
) -> anyhow::Result<()> {
    let [api, version, all] = PATH;
    let done: Value = client.post(&[api, version, all, id, verb], body).await?;
    shown(as_json, done, |it: Reconciliation| render(&it))
}

fn imported(it: &Imported) -> String {
    let found = &it.reconciliation;
    let outcome = match it.outcome.as_str() {
        "known" => format!("This bill is {} already: nothing is changed.", found.id),
        "imported" => format!("Kept as {}.", found.id),
        _ => "Nothing is kept.".to_owned(),
    };
    format!("{outcome}\n{}", render(found))
}

fn list(found: &Listed) -> String {
    let columns = [
        ("id", Align::Left),
        ("provider", Align::Left),
        ("from", Align::Left),
        ("to", Align::Left),
        ("billed", Align::Right),
        ("metered", Align::Right),
        ("differences", Align::Right),
        ("approved", Align::Right),
        ("posted", Align::Right),
        ("rejected", Align::Right),
        ("imported by", Align::Left),
    ];
    if found.items.is_empty() {
        return "No bill was imported; `tally reconcile import <file>` imports one.".to_owned();
    }
    let mut table = Table::new(columns);
    for it in &found.items {
        table.row([
            it.id.clone(),
            it.provider.clone(),
            it.from.clone(),
            it.to.clone(),
            or_dash(it.billed_usd.as_deref()),
            it.metered_usd.clone(),
            it.variances.to_string(),
            it.approved.to_string(),
            it.posted.to_string(),
            it.rejected.to_string(),
            it.imported_by.clone(),
        ]);
    }
    table.render()
}

fn or_dash(text: Option<&str>) -> String {
    text.unwrap_or("–").to_owned()
}

fn render(found: &Reconciliation) -> String {
    let billed = found.billed_usd.as_deref().unwrap_or("unknown (the report has no costs)");
    let head = format!(
        "{} of {}, {} to {} (UTC), imported by {}: billed {billed}, metered {} USD at list price",
        found.id, found.provider, found.from, found.to, found.imported_by, found.metered_usd
    );
    if found.variances.is_empty() {
        return format!("{head}\nThe bill and what was metered are the same.");
    }
    let names = ["#", "date", "variance", "model", "meter"].map(|name| (name, Align::Left));
    let amounts = ["billed", "metered", "proposed", "uncovered"].map(|name| (name, Align::Right));
    let mut table = Table::new(names.into_iter().chain(amounts).chain([("state", Align::Left)]));
    for it in &found.variances {
        let or_all = |text: &Option<String>| text.clone().unwrap_or_else(|| "all".to_owned());
        table.row([
            it.number.to_string(),
            it.date.clone(),
            it.kind.replace('_', " "),
            or_all(&it.model),
            or_all(&it.meter),
            or_dash(it.billed_usd.as_deref()),
            or_dash(it.metered_usd.as_deref()),
            or_dash(it.proposed_usd.as_deref()),
            or_dash(it.uncovered_usd.as_deref()),
            state(it),
        ]);
    }
    let why: Vec<String> = found
        .variances
        .iter()
        .map(|it| format!("{} {}: {}{}", it.number, it.date, it.explanation, decided(it)))
        .collect();
    let [proposed, approved, rejected, posted] =
        [&found.proposed_usd, &found.approved_usd, &found.rejected_usd, &found.posted_usd];
    format!(
        "{head}\n\n{}\n\n{}\n\nAdjustments: proposed {proposed}, approved {approved}, rejected \
         {rejected}, in statements {posted} USD",
        table.render(),
        why.join("\n"),
    )
}

fn state(it: &Variance) -> String {
    match (&it.adjustment, &it.proposed_usd) {
        (Some(adjustment), _) => adjustment.state.clone(),
        (None, Some(_)) => "proposed".to_owned(),
        (None, None) => "–".to_owned(),
    }
}

/// Who said what, and where it stands.
fn decided(it: &Variance) -> String {
    let mut text = String::new();
    if let Some(Adjustment { state, cost_center, decided_by, reason }) = &it.adjustment {
        let whose = cost_center.as_deref().unwrap_or("nobody");
        let of = if state == "rejected" { String::new() } else { format!(" for {whose}") };
        text = format!("; {state}{of} by {decided_by}: {reason}");
    }
    for StandsIn { period, amount_usd, closed } in &it.stands_in {
        let closed = if *closed { ", closed" } else { "" };
        text = format!("{text}; {amount_usd} USD in {period}{closed}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_variance_is_shown_with_its_reason_and_what_became_of_it() {
        let found = serde_json::from_value(json!({
            "outcome": "known",
            "reconciliation": {
                "id": "5f0c8d2be1a94c37", "provider": "anthropic", "from": "2026-10-01",
                "to": "2026-10-31", "billed_usd": "3", "metered_usd": "1", "imported_by": "lin",
                "proposed_usd": "0", "approved_usd": "0", "rejected_usd": "0", "posted_usd": "2",
                "variances": [{
                    "number": 1, "kind": "missing_traffic", "date": "2026-10-07", "model": null,
                    "meter": null, "billed_usd": "2", "metered_usd": "0", "proposed_usd": "2",
                    "uncovered_usd": "1.5", "explanation": "nothing of this day was metered",
                    "adjustment": {
                        "state": "posted", "cost_center": "cc-100-support", "decided_by": "ada",
                        "reason": "the batch host",
                    },
                    "stands_in": [{ "period": "2026-10", "amount_usd": "1.5", "closed": false }],
                }],
            },
        }))
        .unwrap();
        let text = imported(&found);
        for said in [
            "already: nothing is changed",
            "missing traffic",
            "nothing of this day was metered; posted for cc-100-support by ada: the batch host",
            "1.5 USD in 2026-10",
        ] {
            assert!(text.contains(said), "{text}");
        }
    }
}
