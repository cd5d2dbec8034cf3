//! `tally rollout`: how far cost centers have come. `tally sprint`: the month's targets.
//! `tally review`: the quarter's decisions.

mod show;

use serde_json::{Value, json};
use tally_types::{
    Date, Exact, Name, PersonName, Timestamp,
    spec::{ReviewSubject, RolloutStage, TargetMeasure},
};

use super::{client::Client, connection::Connection, output};

/// Subcommands of `tally rollout`.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum RolloutCommand {
    /// Show how far each cost center has come, and which gates hold
    List,
    /// Show one cost center: its gates as they are measured, and how it came where it is
    Show {
        /// The cost center
        cost_center: Name,
    },
    /// Take a cost center to another stage
    Move {
        /// The cost center
        cost_center: Name,

        /// inventory, showback or chargeback
        stage: RolloutStage,

        /// Why; needed to go back, and to go on although gates do not hold
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,

        /// Go on although gates do not hold
        #[arg(long = "override")]
        overrides: bool,
    },
}

/// Subcommands of `tally sprint`.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum SprintCommand {
    /// Show where to look first, and how the targets stand
    Show {
        /// The month, such as 2026-11; by default the one that goes on
        month: Option<String>,
    },
    /// Set a reduction target; its baseline is measured
    Target(Box<TargetArgs>),
    /// Withdraw a target that no longer makes sense
    Withdraw {
        /// The month, such as 2026-11
        month: String,

        /// The target's number
        target: u32,

        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Close a sprint whose month is over: what became of its targets stands
    Close {
        /// The month, such as 2026-11
        month: String,

        /// What is to be remembered
        #[arg(long, value_name = "TEXT")]
        note: Option<String>,
    },
}

/// Arguments of `tally sprint target`.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("of").required(true))]
#[command(group = clap::ArgGroup::new("wanted").required(true))]
pub(crate) struct TargetArgs {
    /// The month, such as 2026-11
    month: String,

    /// For this cost center
    #[arg(long, group = "of", value_name = "NAME")]
    cost_center: Option<String>,

    /// For this team
    #[arg(long, group = "of", value_name = "NAME")]
    team: Option<String>,

    /// For this workload
    #[arg(long, group = "of", value_name = "NAME")]
    workload: Option<String>,

    /// spend_usd, unattributed_usd, cost_per_successful_task_usd, tokens_per_successful_task
    /// or uncached_percent
    #[arg(long)]
    measure: TargetMeasure,

    /// So much less than the baseline, in percent
    #[arg(long, group = "wanted", value_name = "PERCENT")]
    reduce: Option<Exact>,

    /// At most so much over the month
    #[arg(long, group = "wanted", value_name = "VALUE")]
    at_most: Option<Exact>,

    /// From when the baseline is measured; by default the month before
    #[arg(long, requires = "baseline_until", value_name = "WHEN")]
    baseline_from: Option<Timestamp>,

    /// Until when
    #[arg(long, requires = "baseline_from", value_name = "WHEN")]
    baseline_until: Option<Timestamp>,

    /// Who answers for it; by default who answers for what it is about
    #[arg(long, value_name = "PERSON")]
    owner: Option<PersonName>,

    /// How it is to be reached
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
}

/// Subcommands of `tally review`.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum ReviewCommand {
    /// Print what changed in a quarter and what was decided, as Markdown
    Show {
        /// The quarter, such as 2026-Q4; by default the one that goes on
        quarter: Option<String>,
    },
    /// Record a decision
    Decide {
        /// The quarter, such as 2026-Q4
        quarter: String,

        /// policies, prices, rate_cards, exceptions, budgets, rollout or other
        #[arg(long)]
        subject: ReviewSubject,

        /// What was decided
        #[arg(long, value_name = "TEXT")]
        text: String,

        /// What exactly it is about, such as the name of a policy
        #[arg(long, value_name = "TEXT")]
        about: Option<String>,

        /// Who does it
        #[arg(long, value_name = "PERSON")]
        owner: Option<PersonName>,

        /// Until when, such as 2026-12-15
        #[arg(long, value_name = "DAY")]
        due: Option<Date>,
    },
    /// Close a review: its decisions stand
    Close {
        /// The quarter, such as 2026-Q4
        quarter: String,

        /// Who was there; may be repeated
        #[arg(long = "with", value_name = "PERSON")]
        attendees: Vec<PersonName>,

        /// What else is to be remembered
        #[arg(long, value_name = "TEXT")]
        note: Option<String>,
    },
}

/// Runs `tally rollout`.
///
/// # Errors
/// Tally refuses or cannot be reached.
pub(crate) async fn run(command: RolloutCommand, connection: &Connection) -> anyhow::Result<()> {
    let client = Client::new(connection)?;
    let path = ["api", "v1", "rollout", "stages"];
    match command {
        RolloutCommand::List => {
            let found: Value = client.get(&path, &[]).await?;
            output::shown(connection.json, found, |found: Value| show::rollouts(&found))
        }
        RolloutCommand::Show { cost_center } => {
            let query = [("cost_center", cost_center.as_str())];
            let found: Value = client.get(&path, &query).await?;
            anyhow::ensure!(
                found.pointer("/items/0").is_some(),
                "there is no cost center `{cost_center}` for you to see; `tally rollout list` names them"
            );
            output::shown(connection.json, found, |found: Value| show::rollout(&found))
        }
        RolloutCommand::Move { cost_center, stage, reason, overrides } => {
            let body = json!({ "to": stage, "reason": reason, "override": overrides });
            let path = ["api", "v1", "rollouts", cost_center.as_str(), "move"];
            let moved: Value = client.post(&path, &body).await?;
            output::shown(connection.json, moved, |moved: Value| {
                let overridden = moved.pointer("/spec/steps").and_then(Value::as_array);
                let overridden = overridden.and_then(|steps| steps.last()?.get("overridden"));
                match overridden {
                    Some(Value::Bool(true)) => {
                        format!("{cost_center} is in stage {stage}, although gates do not hold")
                    }
                    _ => format!("{cost_center} is in stage {stage}"),
                }
            })
        }
    }
}

/// Runs `tally sprint`.
///
/// # Errors
/// Tally refuses or cannot be reached.
pub(crate) async fn run_sprint(
    command: SprintCommand,
    connection: &Connection,
) -> anyhow::Result<()> {
    let client = Client::new(connection)?;
    let (month, verb, body) = match command {
        SprintCommand::Show { month } => {
            let query: Vec<_> = month.iter().map(|month| ("month", month.as_str())).collect();
            let path = ["api", "v1", "rollout", "sprint"];
            let found: Value = client.get(&path, &query).await?;
            return output::shown(connection.json, found, |found: Value| show::sprint(&found));
        }
        SprintCommand::Target(args) => {
            let month = args.month.clone();
            (month, "targets", target(&args))
        }
        SprintCommand::Withdraw { month, target, reason } => {
            (month, "withdraw", json!({ "target": target, "reason": reason }))
        }
        SprintCommand::Close { month, note } => (month, "close", json!({ "note": note })),
    };
    let done: Value = client.post(&["api", "v1", "sprints", &month, verb], &body).await?;
    output::shown(connection.json, done, |done: Value| show::after(&month, verb, &done))
}

fn target(args: &TargetArgs) -> Value {
    let baseline = args.baseline_from.zip(args.baseline_until);
    json!({
        "scope": {
            "cost_center": args.cost_center, "team": args.team, "workload": args.workload,
        },
        "measure": args.measure, "reduce_percent": args.reduce, "target": args.at_most,
        "baseline": baseline.map(|(from, to)| json!({ "from": from, "to": to })),
        "owner": args.owner, "note": args.note,
    })
}

/// Runs `tally review`.
///
/// # Errors
/// Tally refuses or cannot be reached.
pub(crate) async fn run_review(
    command: ReviewCommand,
    connection: &Connection,
) -> anyhow::Result<()> {
    let client = Client::new(connection)?;
    let (quarter, verb, body) = match command {
        ReviewCommand::Show { quarter } => {
            let path = ["api", "v1", "rollout", "review"];
            let mut query: Vec<(&str, &str)> = Vec::new();
            query.extend(quarter.as_deref().map(|quarter| ("quarter", quarter)));
            if connection.json {
                return output::json(&client.get::<Value>(&path, &query).await?);
            }
            query.push(("format", "markdown"));
            return output::out(&client.text(&path, &query).await?);
        }
        ReviewCommand::Decide { quarter, subject, text, about, owner, due } => {
            let body = json!({
                "subject": subject, "text": text, "about": about, "owner": owner, "due": due,
            });
            (quarter, "decisions", body)
        }
        ReviewCommand::Close { quarter, attendees, note } => {
            (quarter, "close", json!({ "attendees": attendees, "note": note }))
        }
    };
    let path = ["api", "v1", "quarterly-reviews", quarter.as_str(), verb];
    let done: Value = client.post(&path, &body).await?;
    output::shown(connection.json, done, |done: Value| {
        let decisions =
            done.pointer("/spec/decisions").and_then(Value::as_array).map_or(0, Vec::len);
        match verb {
            "close" => format!("the review of {quarter} is closed, with {decisions} decisions"),
            _ => format!("recorded as decision {decisions} of {quarter}"),
        }
    })
}
