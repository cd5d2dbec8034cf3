//! `tally retention` and `tally prompt`: how long personal data is kept, and reading what is.

use serde::Deserialize;
use serde_json::json;
use tally_types::{EventId, Timestamp};

use super::{
    client::Client,
    connection::Connection,
    number, output,
    table::{Align, Table, printable},
};

/// `tally retention …`
#[derive(Debug, clap::Subcommand)]
pub(crate) enum RetentionCommand {
    /// By class of data: the periods, what waits for the next run, the last runs
    Show,
    /// Purge now what is older than its period; else it happens once an hour
    Run(RunArgs),
}

/// Arguments of `tally retention run`.
#[derive(Debug, clap::Args)]
pub(crate) struct RunArgs {
    /// Only count what would be purged
    #[arg(long)]
    dry_run: bool,
}

/// `tally prompt …`
#[derive(Debug, clap::Subcommand)]
pub(crate) enum PromptCommand {
    /// Show a kept prompt and its reply; who reads it, and why, is written into the audit log
    Show(ShowArgs),
}

/// Arguments of `tally prompt show`.
#[derive(Debug, clap::Args)]
pub(crate) struct ShowArgs {
    /// The event, or the call as its client got it in `x-tally-request-id`
    event: EventId,

    /// Why, in at least 10 characters; it stands in the audit log
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

#[derive(Deserialize)]
struct Standing {
    classes: Vec<Class>,
    runs: Vec<Past>,
}

#[derive(Deserialize)]
struct Class {
    data_class: String,
    personal_days: Option<u32>,
    events_due: u64,
    oldest_event_due: Option<Timestamp>,
    prompts_days: u32,
    prompts_kept: u64,
    prompts_due: u64,
    oldest_prompt: Option<Timestamp>,
}

#[derive(Deserialize)]
struct Past {
    at: Timestamp,
    actor: String,
    sequence: i64,
}

#[derive(Deserialize)]
struct Run {
    classes: Vec<Purged>,
    erased_events: u64,
    erased_prompts: u64,
    more: bool,
}

#[derive(Deserialize)]
struct Purged {
    data_class: String,
    events: u64,
    prompts: u64,
}

#[derive(Deserialize)]
struct Read {
    prompt: Kept,
    request: String,
    reply: String,
}

#[derive(Deserialize)]
struct Kept {
    event_id: EventId,
    time: Timestamp,
    data_class: String,
    purged_at: Timestamp,
}

/// Runs `tally retention …`.
///
/// # Errors
/// Tally refuses or cannot be reached.
pub(crate) async fn run(command: RetentionCommand, connection: &Connection) -> anyhow::Result<()> {
    let client = Client::new(connection)?;
    match command {
        RetentionCommand::Show => {
            let body: serde_json::Value = client.get(&["api", "v1", "retention"], &[]).await?;
            if connection.json {
                return output::json(&body);
            }
            output::out(&standing(&serde_json::from_value(body)?))
        }
        RetentionCommand::Run(args) => {
            let body = json!({ "dry_run": args.dry_run });
            let path = ["api", "v1", "retention", "run"];
            let body: serde_json::Value = client.post(&path, &body).await?;
            if connection.json {
                return output::json(&body);
            }
            output::out(&purged(&serde_json::from_value(body)?, args.dry_run))
        }
    }
}

/// Runs `tally prompt …`.
///
/// # Errors
/// Tally refuses or cannot be reached.
pub(crate) async fn run_prompt(
    command: PromptCommand,
    connection: &Connection,
) -> anyhow::Result<()> {
    let PromptCommand::Show(args) = command;
    let client = Client::new(connection)?;
    let event = args.event.to_string();
    let path = ["api", "v1", "events", &event, "prompt"];
    let body: serde_json::Value = client.post(&path, &json!({ "reason": args.reason })).await?;
    if connection.json {
        return output::json(&body);
    }
    output::out(&read(&serde_json::from_value(body)?))
}

fn standing(standing: &Standing) -> String {
    let mut table = Table::new([
        ("data class", Align::Left),
        ("caller known for", Align::Left),
        ("calls due", Align::Right),
        ("the oldest", Align::Left),
        ("prompts kept for", Align::Left),
        ("prompts", Align::Right),
        ("due", Align::Right),
        ("the oldest", Align::Left),
    ]);
    for class in &standing.classes {
        table.row([
            class.data_class.clone(),
            class.personal_days.map_or_else(|| "ever".to_owned(), days),
            number::count(class.events_due.into()),
            day(class.oldest_event_due),
            if class.prompts_days == 0 { "not kept".to_owned() } else { days(class.prompts_days) },
            number::count(class.prompts_kept.into()),
            number::count(class.prompts_due.into()),
            day(class.oldest_prompt),
        ]);
    }
    let mut text = table.render();
    text.push('\n');
    match standing.runs.first() {
        None => text.push_str("\nNothing was purged yet.\n"),
        Some(last) => text.push_str(&format!(
            "\nPurged last at {} by {} (entry {} of the audit log).\n",
            last.at,
            printable(&last.actor),
            last.sequence
        )),
    }
    text
}

fn days(days: u32) -> String {
    if days == 1 { "1 day".to_owned() } else { format!("{days} days") }
}

fn day(time: Option<Timestamp>) -> String {
    time.map_or_else(|| "-".to_owned(), |time| time.strftime("%Y-%m-%d").to_string())
}

fn purged(run: &Run, dry_run: bool) -> String {
    let mut table = Table::new([
        ("data class", Align::Left),
        ("calls", Align::Right),
        ("prompts", Align::Right),
    ]);
    for class in &run.classes {
        let counts = [class.events, class.prompts].map(|count| number::count(count.into()));
        table.row([vec![class.data_class.clone()], counts.to_vec()].concat());
    }
    if run.erased_events + run.erased_prompts > 0 {
        let counts = [run.erased_events, run.erased_prompts];
        let counts = counts.map(|count| number::count(count.into()));
        table.row([vec!["of erased people".to_owned()], counts.to_vec()].concat());
    }
    let told = match (dry_run, run.more) {
        (true, _) => "Nothing was changed: this is what a run would purge.",
        (false, true) => "There is more: the next run goes on, or run it again.",
        (false, false) => "Nothing older is left.",
    };
    format!("{}\n\n{told}\n", table.render())
}

/// What was said may hold anything, also what would steer a terminal.
fn read(read: &Read) -> String {
    let Kept { event_id, time, data_class, purged_at } = &read.prompt;
    let lines =
        |text: &str| -> String { text.lines().map(printable).collect::<Vec<_>>().join("\n") };
    format!(
        "Event {event_id} of {time}, {data_class}; deleted at {purged_at}.\nThat you read it is in \
         the audit log.\n\n--- prompt, as it left ---\n{}\n\n--- reply, as it came ---\n{}\n",
        lines(&read.request),
        lines(&read.reply)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_and_what_waits_stand_in_a_table() {
        let body = json!({
            "classes": [
                { "data_class": "public", "personal_days": null, "events_due": 0,
                  "oldest_event_due": null, "prompts_days": 0, "prompts_kept": 0, "prompts_due": 0,
                  "oldest_prompt": null },
                { "data_class": "internal", "personal_days": 30, "events_due": 12345,
                  "oldest_event_due": "2026-01-05T10:00:00Z", "prompts_days": 1, "prompts_kept": 7,
                  "prompts_due": 2, "oldest_prompt": "2026-10-30T10:00:00Z" },
            ],
            "runs": [{ "at": "2026-11-01T10:00:00Z", "actor": "tally serve", "sequence": 9,
                "purged": {} }],
        });
        let text = standing(&serde_json::from_value(body).unwrap());
        for part in ["ever", "not kept", "30 days", "1 day", "12,345", "2026-01-05", "entry 9"] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }

    #[test]
    fn what_was_said_cannot_steer_the_terminal() {
        let body = json!({
            "prompt": { "event_id": "0190a5c4-0000-7000-8000-000000000001",
                "time": "2026-11-01T10:00:00Z", "data_class": "internal",
                "purged_at": "2026-11-08T10:00:00Z" },
            "request": "one\n\u{1b}[2Jtwo", "reply": "three",
        });
        let text = read(&serde_json::from_value(body).unwrap());
        assert!(!text.contains('\u{1b}') && text.contains("two") && text.contains("three"));
    }
}
