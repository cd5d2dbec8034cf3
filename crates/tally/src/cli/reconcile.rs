//! `tally reconcile`: a provider's bill against what was metered.

use std::path::PathBuf;

use anyhow::Context as _;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    client::Client,
    connection::Connection,
    output,
    table::{Align, Table},
};

/// Arguments of `tally reconcile`.
#[derive(Debug, clap::Args)]
pub(crate) struct ReconcileArgs {
    /// The bill: a provider's report as it came, or an invoice as CSV
    file: PathBuf,

    /// Who bills, as Tally names them
    #[arg(long)]
    provider: String,

    /// What the bill is written in
    #[arg(long, value_parser = ["anthropic-usage", "anthropic-cost", "openai-usage", "openai-costs", "csv"])]
    format: String,
}

/// What the API answers, as far as it is shown.
#[derive(Debug, Deserialize)]
struct Reconciliation {
    first: String,
    last: String,
    billed_usd: Option<String>,
    metered_usd: String,
    variances: Vec<Variance>,
    adjustments: Vec<Value>,
}

#[derive(Debug, Deserialize)]
struct Variance {
    kind: String,
    date: String,
    model: Option<String>,
    meter: Option<String>,
    billed_usd: Option<String>,
    metered_usd: Option<String>,
    difference_usd: Option<String>,
    explanation: String,
}

/// Runs `tally reconcile`.
///
/// # Errors
/// The file cannot be read or is no bill; Tally refuses or cannot be reached.
pub(crate) async fn run(args: ReconcileArgs, connection: &Connection) -> anyhow::Result<()> {
    let path = args.file.display();
    let text = std::fs::read_to_string(&args.file).with_context(|| path.to_string())?;
    let body = json!({ "provider": args.provider, "format": args.format, "text": text });
    let client = Client::new(connection)?;
    let answer: Value = client.post(&["api", "v1", "reconciliations"], &body).await?;
    if connection.json {
        return output::json(&answer);
    }
    output::out(&render(&serde_json::from_value(answer)?))
}

fn render(found: &Reconciliation) -> String {
    let billed = found.billed_usd.as_deref().unwrap_or("unknown (the report has no costs)");
    let head = format!(
        "{} to {} (UTC): billed {billed}, metered {} USD at list price",
        found.first, found.last, found.metered_usd
    );
    if found.variances.is_empty() {
        return format!("{head}\nThe bill and what was metered are the same.");
    }
    let columns = ["date", "variance", "model", "meter", "billed", "metered", "difference"];
    let mut table = Table::new(columns.map(|name| {
        let is_amount = matches!(name, "billed" | "metered" | "difference");
        (name, if is_amount { Align::Right } else { Align::Left })
    }));
    for it in &found.variances {
        let or_all = |text: &Option<String>| text.clone().unwrap_or_else(|| "all".to_owned());
        let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| "–".to_owned());
        table.row([
            it.date.clone(),
            it.kind.replace('_', " "),
            or_all(&it.model),
            or_all(&it.meter),
            or_none(&it.billed_usd),
            or_none(&it.metered_usd),
            or_none(&it.difference_usd),
        ]);
    }
    let why: Vec<String> = found
        .variances
        .iter()
        .map(|it| format!("{} {}: {}", it.date, it.kind.replace('_', " "), it.explanation))
        .collect();
    format!(
        "{head}\n\n{}\n\n{}\n\n{} adjustments are proposed; `--json` shows them.",
        table.render(),
        why.join("\n"),
        found.adjustments.len()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_variance_is_shown_with_its_reason() {
        let found = serde_json::from_value(json!({
            "first": "2026-10-01", "last": "2026-10-31", "billed_usd": "3", "metered_usd": "1",
            "variances": [{
                "kind": "missing_traffic", "date": "2026-10-07", "model": null, "meter": null,
                "billed_usd": "2", "metered_usd": "0", "difference_usd": "2",
                "explanation": "nothing of this day was metered",
            }],
            "adjustments": [{}],
        }))
        .unwrap();
        let text = render(&found);
        for said in ["missing traffic", "nothing of this day", "1 adjustments", "2026-10-07"] {
            assert!(text.contains(said), "{text}");
        }
    }
}
