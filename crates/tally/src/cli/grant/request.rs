//! `tally grant request`: so much more, until then.

use std::str::FromStr;

use serde::Deserialize;
use serde_json::{Value, json};
use tally_store::approvals::Request as _;
use tally_types::{
    BudgetName, BudgetUse, Environment, PicoUsdSum, Resource, Timestamp,
    spec::{BudgetLimit, GrantSpec},
};

use super::GRANTS;
use crate::cli::{
    approvals::{Until, show},
    client::Client,
    now, number, output,
};

/// Arguments of `tally grant request`.
#[derive(Debug, clap::Args)]
pub(crate) struct RequestArgs {
    /// The budget
    #[arg(long, value_name = "BUDGET")]
    budget: BudgetName,

    /// Whose, where each person, team or workload has their own
    #[arg(long, value_name = "NAME")]
    each: Option<String>,

    /// Of which environment, where that has a limit of its own
    #[arg(long, value_name = "ENVIRONMENT")]
    environment: Option<Environment>,

    /// How much more: 250usd, 2000000tokens or 100requests
    #[arg(long, value_name = "AMOUNT", allow_hyphen_values = true)]
    increase: Increase,

    /// Until when: +3d, +12h, or 2026-11-30T17:00Z
    #[arg(long, value_name = "WHEN")]
    until: Until,

    /// Why it is needed
    #[arg(long, value_name = "TEXT")]
    reason: String,

    /// Take it at once, where the budget allows that; it is flagged and reviewed
    #[arg(long)]
    emergency: bool,

    /// Only show who would have to approve, and what would bind next
    #[arg(long)]
    dry_run: bool,
}

/// So much more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Increase(BudgetLimit);

#[derive(Debug, Deserialize)]
struct Preview {
    grant: GrantSpec,
    r#use: Option<BudgetUse>,
    above: Option<BudgetUse>,
}

pub(super) async fn run(args: RequestArgs, client: &Client, json: bool) -> anyhow::Result<()> {
    let dry_run = args.dry_run;
    let body = args.body(now())?;
    if !dry_run {
        let grant: Resource = client.post(&GRANTS, &body).await?;
        return if json {
            output::json(&grant)
        } else {
            output::out(&show::standing::<GrantSpec>(&grant)?)
        };
    }
    let preview: Value = client.post_query(&GRANTS, &[("dry_run", "true")], &body).await?;
    if json {
        return output::json(&preview);
    }
    let preview: Preview = serde_json::from_value(preview)?;
    output::out(&text(&preview))
}

/// `250 USD`, `2,000,000 tokens`, `100 calls`.
fn amount(limit: BudgetLimit) -> String {
    match limit {
        BudgetLimit::Usd(usd) => format!("{usd} USD"),
        BudgetLimit::Tokens(count) => format!("{} tokens", number::count(i128::from(count))),
        BudgetLimit::Requests(count) => format!("{} calls", number::count(i128::from(count))),
    }
}

fn text(preview: &Preview) -> String {
    let Preview { grant, r#use, above } = preview;
    let mut text = format!(
        "would ask: {}\nuntil:     {}\napproved by: {}\n",
        grant.wanted(),
        grant.until,
        show::asked(&grant.needs)
    );
    for (what, one) in [("now", r#use), ("would bind next", above)] {
        if let Some(one) = one {
            text.push_str(&format!(
                "{what}: {}: {} of {} used\n",
                one.counter,
                amount(one.settled),
                amount(one.limit)
            ));
        }
    }
    text.push_str("nothing was stored; leave out `--dry-run` to ask");
    text
}

// === impl RequestArgs ===

impl RequestArgs {
    fn body(self, now: Timestamp) -> anyhow::Result<Value> {
        let Self { budget, each, environment, increase, until, reason, emergency, .. } = self;
        let until = until.at(now)?;
        let counter = tally_types::CounterId { budget, each, environment };
        Ok(json!({
            "counter": counter, "increase": increase.0, "until": until, "reason": reason,
            "emergency": emergency,
        }))
    }
}

// === impl Increase ===

impl FromStr for Increase {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || {
            format!("`{text}` is no amount; expected such as 250usd, 2000000tokens or 100requests")
        };
        let plain = text.trim().replace(['_', ','], "").to_ascii_lowercase();
        let at = plain.find(|c: char| c.is_ascii_alphabetic()).ok_or_else(expected)?;
        let (amount, unit) = plain.split_at(at);
        let amount = amount.trim();
        let count = || amount.parse::<u64>().map_err(|_| expected());
        let limit = match unit {
            "usd" => {
                let usd: PicoUsdSum =
                    serde_json::from_value(Value::from(amount)).map_err(|_| expected())?;
                BudgetLimit::Usd(usd)
            }
            "tokens" | "token" => BudgetLimit::Tokens(count()?),
            "requests" | "request" | "calls" => BudgetLimit::Requests(count()?),
            _ => return Err(expected()),
        };
        Ok(Self(limit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_a_unit() {
        let read = |text: &str| text.parse::<Increase>().map(|increase| json!(increase.0));
        assert_eq!(read("250usd").unwrap(), json!({ "usd": "250" }));
        assert_eq!(read("12.5 USD").unwrap(), json!({ "usd": "12.5" }));
        assert_eq!(read("2_000_000tokens").unwrap(), json!({ "tokens": 2_000_000 }));
        assert_eq!(read("100requests").unwrap(), json!({ "requests": 100 }));
        for wrong in ["250", "usd", "2.5tokens", "10eur", ""] {
            assert!(read(wrong).unwrap_err().contains("250usd"), "{wrong}");
        }
    }
}
