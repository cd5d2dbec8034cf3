//! `tally budget`: how budgets stand.

use serde::Deserialize;
use tally_types::{BudgetUse, Timestamp, spec::BudgetLimit};

use super::{
    client::Client,
    connection::Connection,
    number, output,
    table::{Align, Table},
};

/// Bars are so wide.
const BAR_CHARACTERS: i128 = 20;

/// `tally budget …`
#[derive(Debug, clap::Subcommand)]
pub(crate) enum BudgetCommand {
    /// Every budget: used, reserved, limit, stage, where it goes at its pace
    List(ListArgs),
    /// One budget, with its stages and when they were reached
    Show(ShowArgs),
}

/// Which budgets.
#[derive(Debug, clap::Args)]
pub(crate) struct ListArgs {
    /// Only those that my calls count against
    #[arg(long)]
    mine: bool,
    /// Only this budget's counters
    #[arg(long, conflicts_with = "mine")]
    budget: Option<String>,
    /// Only those that stand like this: ok, notified, approval, degraded, denied
    #[arg(long, conflicts_with = "mine")]
    state: Option<String>,
}

/// Which counter.
#[derive(Debug, clap::Args)]
pub(crate) struct ShowArgs {
    /// The budget
    name: String,
    /// Whose, where the budget is one of its own for `each` of something
    #[arg(long)]
    each: Option<String>,
    /// Of which environment, where that has a limit of its own
    #[arg(long)]
    environment: Option<String>,
}

#[derive(Deserialize)]
struct Page {
    items: Vec<BudgetUse>,
    next: Option<String>,
}

/// Runs `tally budget …`.
///
/// # Errors
/// Tally refuses or cannot be reached.
pub(crate) async fn run(command: BudgetCommand, connection: &Connection) -> anyhow::Result<()> {
    let client = Client::new(connection)?;
    match command {
        BudgetCommand::List(args) => {
            let uses = all(&client, &args).await?;
            if connection.json {
                return output::json(&uses);
            }
            output::out(&list(&uses, super::now()))
        }
        BudgetCommand::Show(args) => {
            let query = [("each", args.each), ("environment", args.environment)];
            let query = given(&query);
            let path = ["api", "v1", "budgets", &args.name, "use"];
            let found: BudgetUse = client.get(&path, &query).await?;
            if connection.json {
                return output::json(&found);
            }
            output::out(&show(&found, super::now()))
        }
    }
}

async fn all(client: &Client, args: &ListArgs) -> anyhow::Result<Vec<BudgetUse>> {
    if args.mine {
        return Ok(client.get::<Page>(&["api", "v1", "me", "budgets"], &[]).await?.items);
    }
    let mut uses = Vec::new();
    let mut after = None;
    loop {
        let query = [
            ("budget", args.budget.clone()),
            ("state", args.state.clone()),
            ("after", after),
            ("limit", Some("2000".to_owned())),
        ];
        let query = given(&query);
        let page: Page = client.get(&["api", "v1", "budget-use"], &query).await?;
        uses.extend(page.items);
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(uses),
        }
    }
}

/// The parameters that have a value.
fn given<'a>(query: &'a [(&'a str, Option<String>)]) -> Vec<(&'a str, &'a str)> {
    query.iter().filter_map(|(name, value)| Some((*name, value.as_deref()?))).collect()
}

fn list(uses: &[BudgetUse], now: Timestamp) -> String {
    if uses.is_empty() {
        return "no budget counts here yet; `tally apply -f budgets.yaml` adds budgets, and one for\n\
                `each` of something begins with its first call"
            .to_owned();
    }
    let mut uses: Vec<&BudgetUse> = uses.iter().collect();
    uses.sort_by_key(|it| std::cmp::Reverse((it.state, permille(it))));
    let mut table = Table::new([
        ("Budget", Align::Left),
        ("Used", Align::Right),
        ("Reserved", Align::Right),
        ("Limit", Align::Right),
        ("", Align::Left),
        ("%", Align::Right),
        ("State", Align::Left),
        ("At this pace", Align::Left),
    ]);
    for it in uses {
        table.row([
            it.counter.to_string(),
            amount(it.settled),
            amount(it.reserved),
            amount(it.limit),
            bar(it),
            percent(it),
            it.state.to_string(),
            pace(it, now),
        ]);
    }
    table.render()
}

fn show(it: &BudgetUse, now: Timestamp) -> String {
    let mut facts = Table::of_text(&["Fact", "Value"]);
    facts.row(["budget".to_owned(), it.counter.to_string()]);
    facts.row(["state".to_owned(), it.state.to_string()]);
    facts.row(["used".to_owned(), format!("{} {} {} %", amount(it.settled), bar(it), percent(it))]);
    facts.row(["reserved".to_owned(), amount(it.reserved)]);
    facts.row(["limit".to_owned(), amount(it.limit)]);
    let parts = [("declared", Some(it.limit_declared)), ("carried over", Some(it.carried))];
    let rest =
        [("granted", Some(it.granted)), ("overage", Some(it.overage)), ("ceiling", it.ceiling)];
    for (name, part) in parts.into_iter().chain(rest) {
        if let Some(part) = part.filter(|part| part.amount() != 0) {
            facts.row([name.to_owned(), amount(part)]);
        }
    }
    facts.row(["window".to_owned(), format!("{} to {}", it.window_start, it.window_end)]);
    facts.row(["at this pace".to_owned(), pace(it, now)]);
    let mut stages =
        Table::new([("At", Align::Right), ("Then", Align::Left), ("Reached", Align::Left)]);
    for stage in &it.stages {
        let approved = match (stage.reached_at, stage.approved) {
            (Some(at), Some(true)) => format!("{at}, approved"),
            (Some(at), Some(false)) => format!("{at}, denied"),
            (Some(at), None) if !stage.stage.approval.is_empty() => format!("{at}, waits"),
            (Some(at), None) => at.to_string(),
            (None, _) => "–".to_owned(),
        };
        stages.row([format!("{} %", stage.stage.at), then(&stage.stage), approved]);
    }
    format!("{}\n\n{}", facts.render(), stages.render())
}

fn then(stage: &tally_types::spec::BudgetStage) -> String {
    let words = |roles: &[tally_types::spec::StageRole]| {
        roles.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    };
    match &stage.degrade {
        _ if stage.deny => "deny".to_owned(),
        Some(degrade) => match &degrade.to {
            Some(to) => format!("degrade to {to}"),
            None => "degrade".to_owned(),
        },
        None if stage.approval.is_empty() => format!("tell {}", words(&stage.notify)),
        None => format!("approval of {}", words(&stage.approval)),
    }
}

fn pace(it: &BudgetUse, now: Timestamp) -> String {
    match (it.exhausted_at, it.projected) {
        (Some(at), _) if at <= now => "used up".to_owned(),
        (Some(at), _) => format!("used up {}", at.strftime("%a %Y-%m-%d %H:%MZ")),
        (None, Some(projected)) => format!("{} at the end", amount(projected)),
        (None, None) => "–".to_owned(),
    }
}

fn permille(it: &BudgetUse) -> i128 {
    it.settled.amount().saturating_mul(1_000) / it.limit.amount().max(1)
}

fn percent(it: &BudgetUse) -> String {
    let permille = permille(it);
    format!("{}.{}", permille / 10, permille % 10)
}

/// Used, then reserved, of the limit.
fn bar(it: &BudgetUse) -> String {
    let limit = it.limit.amount().max(1);
    let cells =
        |amount: i128| (amount.saturating_mul(BAR_CHARACTERS) / limit).clamp(0, BAR_CHARACTERS);
    let used = cells(it.settled.amount());
    let held = cells(it.settled.amount() + it.reserved.amount()) - used;
    (0..BAR_CHARACTERS)
        .map(|cell| {
            if cell < used {
                '█'
            } else if cell < used + held {
                '▒'
            } else {
                '·'
            }
        })
        .collect()
}

fn amount(amount: BudgetLimit) -> String {
    match amount {
        BudgetLimit::Usd(usd) => {
            format!("${}", number::money(usd, number::money_decimals([usd].into_iter())))
        }
        BudgetLimit::Tokens(count) => format!("{} tokens", number::count(count.into())),
        BudgetLimit::Requests(count) => format!("{} calls", number::count(count.into())),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn budget_use() -> BudgetUse {
        serde_json::from_value(json!({
            "counter": { "budget": "support-month" },
            "window_start": "2026-11-01T00:00:00Z", "window_end": "2026-12-01T00:00:00Z",
            "limit": { "usd": "2250" }, "limit_declared": { "usd": "2000" },
            "carried": { "usd": "0" }, "granted": { "usd": "250" },
            "settled": { "usd": "1812.5" }, "reserved": { "usd": "120" },
            "overage": { "usd": "0" }, "projected": { "usd": "2718.75" },
            "exhausted_at": "2026-11-24T20:00:00Z", "state": "approval", "stage": 80,
            "stages": [
                { "stage": { "at": 70, "notify": ["owner"] }, "reached_at": "2026-11-15T08:00:00Z" },
                { "stage": { "at": 80, "approval": ["workload_owner", "finops"] },
                  "reached_at": "2026-11-19T12:00:00Z" },
                { "stage": { "at": 100, "degrade": { "to": "cheaper" } } },
            ],
        }))
        .unwrap()
    }

    #[test]
    fn a_list_says_how_each_stands_and_where_it_goes() {
        let now = "2026-11-20T10:00:00Z".parse().unwrap();
        insta::assert_snapshot!(list(&[budget_use()], now));
        assert!(list(&[], now).contains("tally apply"));
    }

    #[test]
    fn one_is_shown_with_its_stages() {
        insta::assert_snapshot!(show(&budget_use(), "2026-11-20T10:00:00Z".parse().unwrap()));
    }
}
