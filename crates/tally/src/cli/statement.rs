//! `tally statement` and `tally rate-card`: what cost centers pay, month by month.

mod months;

use std::path::PathBuf;

use anyhow::{Context as _, anyhow};
use serde::Deserialize;
use serde_json::{Value, json};
use tally_ledger::{Preview, Statement, StatementHead, StatementState, Verified, print};
use tally_types::{CostCenterName, Kind, PicoUsdSum};

use super::{
    apply::files,
    client::Client,
    connection::Connection,
    number,
    output::{self, shown},
    table::{Align, Table},
};

/// Subcommands of `tally statement`.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum StatementCommand {
    /// Show the statements of a month
    List {
        /// The month, such as 2026-10; by default the one that goes on
        #[arg(long, value_name = "MONTH")]
        period: Option<String>,
    },
    /// Show months: how far each has come, and what was sealed
    Months {
        /// Only what is about this cost center
        #[arg(long, value_name = "NAME")]
        cost_center: Option<CostCenterName>,
    },
    /// Show one statement with its lines
    Show(ShowArgs),
    /// Open a month for review; owners are told
    Review {
        /// The month, such as 2026-10
        period: String,
    },
    /// Close a month for good: seal its statements
    Close {
        /// The month, such as 2026-10
        period: String,
    },
    /// Hold a closed month against its seal
    Verify {
        /// The month, such as 2026-10
        period: String,
    },
    /// Comment on a statement, or dispute it
    Comment(CommentArgs),
    /// Answer a comment or a dispute
    Answer(SaidArgs),
    /// Settle a dispute
    Settle(SaidArgs),
}

/// Arguments of `tally statement show`.
#[derive(Debug, clap::Args)]
pub(crate) struct ShowArgs {
    /// The month, such as 2026-10
    period: String,

    /// The cost center; `-` is what none answers for
    cost_center: String,

    /// Instead of a table: csv (its rows), markdown or html (a page to print)
    #[arg(long, value_parser = ["csv", "markdown", "html"])]
    format: Option<String>,
}

/// Arguments of `tally statement comment`.
#[derive(Debug, clap::Args)]
pub(crate) struct CommentArgs {
    /// The month, such as 2026-10
    period: String,

    /// About whose statement
    cost_center: CostCenterName,

    /// What
    #[arg(long, value_name = "TEXT")]
    text: String,

    /// Something is not right: FinOps has to settle it before the month is closed
    #[arg(long)]
    dispute: bool,
}

/// Arguments of `tally statement answer` and `settle`.
#[derive(Debug, clap::Args)]
pub(crate) struct SaidArgs {
    /// The month, such as 2026-10
    period: String,

    /// The comment's number
    comment: u32,

    /// What is said to it
    #[arg(long, value_name = "TEXT")]
    text: Option<String>,
}

/// Subcommands of `tally rate-card`.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum RateCardCommand {
    /// Show what a rate card in a file would have made of a month; nothing is stored
    Preview {
        /// The file, as for `tally apply`
        #[arg(short, long, value_name = "FILE")]
        file: PathBuf,

        /// The month, such as 2026-10; by default the last one that is over
        #[arg(long, value_name = "MONTH")]
        period: Option<String>,
    },
}

#[derive(Deserialize)]
struct Statements {
    period: String,
    state: StatementState,
    not_closable: Option<String>,
    items: Vec<StatementHead>,
}

/// Runs `tally statement`.
///
/// # Errors
/// Tally refuses or cannot be reached.
pub(crate) async fn run(command: StatementCommand, connection: &Connection) -> anyhow::Result<()> {
    let client = Client::new(connection)?;
    let json = connection.json;
    match command {
        StatementCommand::List { period } => {
            let query: Vec<_> = period.iter().map(|it| ("period", it.as_str())).collect();
            let found: Value = client.get(&["api", "v1", "statements"], &query).await?;
            shown(json, found, |found| list(&found))
        }
        StatementCommand::Months { cost_center } => {
            let query: Vec<_> =
                cost_center.iter().map(|it| ("cost_center", it.0.as_str())).collect();
            let found: Value = client.get(&["api", "v1", "statement-months"], &query).await?;
            shown(json, found, |found| months::render(&found))
        }
        StatementCommand::Show(args) => show(args, &client, json).await,
        StatementCommand::Verify { period } => {
            let path = ["api", "v1", "periods", &period, "verify"];
            let found: Value = client.get(&path, &[]).await?;
            let verified: Verified = serde_json::from_value(found.clone())?;
            let fits = verified.differences.is_empty();
            shown(json, found, |_: Value| verification(&verified))?;
            // A script must not go on after a seal that does not fit.
            fits.then_some(()).ok_or_else(|| anyhow!("{period} is not what was sealed"))
        }
        StatementCommand::Review { period } => {
            step(&client, json, &period, "review", &Value::Null).await
        }
        StatementCommand::Close { period } => {
            step(&client, json, &period, "close", &Value::Null).await
        }
        StatementCommand::Comment(args) => {
            let kind = if args.dispute { "dispute" } else { "comment" };
            let body = json!({ "cost_center": args.cost_center, "kind": kind, "text": args.text });
            step(&client, json, &args.period, "comments", &body).await
        }
        StatementCommand::Answer(args) => {
            let text = args.text.context("expected `--text` with the answer")?;
            let body = json!({ "comment": args.comment, "text": text });
            step(&client, json, &args.period, "answer", &body).await
        }
        StatementCommand::Settle(args) => {
            let body = json!({ "comment": args.comment, "text": args.text });
            step(&client, json, &args.period, "settle", &body).await
        }
    }
}

/// Runs `tally rate-card`.
///
/// # Errors
/// The file holds no rate card, or Tally refuses or cannot be reached.
pub(crate) async fn run_rate_card(
    command: RateCardCommand,
    connection: &Connection,
) -> anyhow::Result<()> {
    let RateCardCommand::Preview { file, period } = command;
    let documents = files::read_all(&[file.display().to_string()])?;
    let mut cards = documents.iter().filter(|document| document.kind == Kind::RateCard);
    let (Some(card), None) = (cards.next(), cards.next()) else {
        return Err(anyhow!("expected one resource of `kind: RateCard` in {}", file.display()));
    };
    let client = Client::new(connection)?;
    let body = json!({ "spec": card.spec, "period": period });
    let path = ["api", "v1", "rate-cards", "preview"];
    let found: Value = client.post(&path, &body).await?;
    shown(connection.json, found, |found| preview(&found))
}

async fn show(args: ShowArgs, client: &Client, json: bool) -> anyhow::Result<()> {
    let name = format!("{}:{}", args.period, args.cost_center);
    let path = ["api", "v1", "statements", name.as_str()];
    if let Some(format) = &args.format {
        return output::out(&client.text(&path, &[("format", format)]).await?);
    }
    let found: Value = client.get(&path, &[]).await?;
    shown(json, found, |found| statement(&found))
}

async fn step(
    client: &Client,
    json: bool,
    period: &str,
    verb: &str,
    body: &Value,
) -> anyhow::Result<()> {
    let done: Value = client.post(&["api", "v1", "periods", period, verb], body).await?;
    let state = done.pointer("/spec/state").and_then(Value::as_str).unwrap_or_default().to_owned();
    let seals = done.pointer("/spec/seal/statements").and_then(Value::as_array).map(Vec::len);
    shown(json, done, |_: Value| match seals {
        Some(count) => format!("{period} is closed; {count} statements are sealed"),
        None => format!("{period}: {state}"),
    })
}

const MONEY: [&str; 5] = ["list", "difference", "charged", "central", "unallocated"];

fn money(amounts: [PicoUsdSum; 5]) -> impl Iterator<Item = String> {
    amounts.into_iter().map(|amount| number::money(amount, 2))
}

fn list(found: &Statements) -> String {
    let columns = [("cost center", Align::Left), ("chargeback", Align::Left)];
    let numbers = ["calls"].into_iter().chain(MONEY).map(|name| (name, Align::Right));
    let more = [("to pay", Align::Right), ("disputes", Align::Right)];
    let mut table = Table::new(columns.into_iter().chain(numbers).chain(more));
    let mut sums = [PicoUsdSum::default(); 5];
    let mut calls = 0;
    for head in &found.items {
        let totals = &head.totals;
        let amounts = [
            totals.list_usd,
            totals.rate_difference_usd,
            totals.charged_usd,
            totals.subsidised_usd,
            totals.unallocated_usd,
        ];
        calls += totals.calls;
        for (sum, amount) in sums.iter_mut().zip(amounts) {
            *sum = *sum + amount;
        }
        let name = head.cost_center.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string);
        let cells = [name, head.chargeback.clone().unwrap_or_default(), count(totals.calls)];
        let billed = format!("{} {}", head.billed.charged, head.billed.currency);
        table.row(
            cells.into_iter().chain(money(amounts)).chain([billed, head.open_disputes.to_string()]),
        );
    }
    let total = ["total".to_owned(), String::new(), count(calls)];
    table.total(total.into_iter().chain(money(sums)).chain([String::new(), String::new()]));
    let next = found.not_closable.as_ref().map(|why| format!("\nnot to be closed now: {why}"));
    format!(
        "{} ({}), amounts in US dollars\n{}{}",
        found.period,
        state(found.state),
        table.render(),
        next.unwrap_or_default()
    )
}

fn statement(found: &Statement) -> String {
    let head = &found.head;
    let name = head.cost_center.as_ref().map_or("no cost center", CostCenterName::as_str);
    let mut text = format!(
        "Statement {} of {name} ({}), amounts in US dollars\nto pay: {} {}; rate card: {}\n",
        head.period,
        state(head.state),
        head.billed.charged,
        head.billed.currency,
        head.rate_card.as_deref().unwrap_or("none, list price"),
    );
    let numbers = ["calls", "list", "amount", "charged", "central", "unallocated"];
    let numbers = numbers.map(|name| (name, Align::Right));
    let mut table = Table::new([("what", Align::Left)].into_iter().chain(numbers));
    for line in &found.lines {
        let list = line.list_usd.map_or_else(|| "unknown".to_owned(), |it| number::money(it, 2));
        let amounts = [
            line.amount_usd,
            line.payment.charged_usd,
            line.payment.subsidised_usd,
            line.payment.unallocated_usd,
        ];
        let amounts = amounts.map(|amount| number::money(amount, 2));
        table.row([print::title(line), count(line.calls), list].into_iter().chain(amounts));
    }
    text += &table.render();
    for sentence in found.advice.iter().chain(&found.notes) {
        text += &format!("\n- {sentence}");
    }
    for comment in &found.comments {
        let words = [comment.kind.as_str(), comment.state.as_str()].join(", ");
        text += &format!("\n{} ({words}) {}: {}", comment.number, comment.by, comment.text);
        for reply in &comment.replies {
            text += &format!("\n    {}: {}", reply.by, reply.text);
        }
    }
    text
}

fn verification(verified: &Verified) -> String {
    if verified.differences.is_empty() {
        let count = verified.statements;
        return format!("{}: {count} statements and their postings are as sealed", verified.period);
    }
    format!("{}: NOT as sealed\n- {}", verified.period, verified.differences.join("\n- "))
}

fn preview(found: &Preview) -> String {
    let numbers = ["list", "amount now", "amount then", "charged now", "charged then"];
    let numbers = numbers.map(|name| (name, Align::Right));
    let mut table = Table::new([("cost center", Align::Left)].into_iter().chain(numbers));
    let cells = |name: String, effect: &tally_ledger::CardEffect| {
        let amounts = [
            effect.list_usd,
            effect.amount_before_usd,
            effect.amount_after_usd,
            effect.charged_before_usd,
            effect.charged_after_usd,
        ];
        [name].into_iter().chain(money(amounts)).collect::<Vec<_>>()
    };
    for effect in &found.effects {
        let name = effect.cost_center.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string);
        table.row(cells(name, effect));
    }
    table.total(cells("total".to_owned(), &found.total));
    format!("{}, amounts in US dollars\n{}", found.period, table.render())
}

const fn state(state: StatementState) -> &'static str {
    match state {
        StatementState::Draft => "draft",
        StatementState::Review => "open for review",
        StatementState::Closed => "closed",
    }
}

fn count(value: u64) -> String {
    number::count(i128::from(value))
}
