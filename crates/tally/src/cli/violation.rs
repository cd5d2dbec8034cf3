//! `tally violation`: calls that rules refused, moved or lessened, and who looked at them.

use serde::Deserialize;
use serde_json::{Value, json};
use tally_types::{EventId, Severity, UsageEvent};

use super::{client::Client, connection::Connection, output, table::Table};

/// Subcommands of `tally violation`.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum ViolationCommand {
    /// Show violations, newest first
    List(ListArgs),
    /// Say that a violation was looked at; the first word stands
    Acknowledge {
        /// The id of its event, as `tally violation list` shows it
        event: EventId,

        /// What was found
        #[arg(long, value_name = "TEXT")]
        note: String,
    },
}

/// Arguments of `tally violation list`.
#[derive(Debug, clap::Args)]
pub(crate) struct ListArgs {
    /// Only of this severity: low, medium, high or severe
    #[arg(long)]
    severity: Option<Severity>,

    /// Only those that this rule decided, as policy/rule-id
    #[arg(long, value_name = "RULE")]
    rule: Option<String>,

    /// Only those that somebody has looked at (true), or nobody (false)
    #[arg(long, value_name = "BOOL")]
    acknowledged: Option<bool>,

    /// A named range, by default last_30_days
    #[arg(long, value_name = "RANGE")]
    range: Option<String>,

    /// How many at most
    #[arg(long, value_name = "VIOLATIONS", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=500))]
    limit: u32,
}

/// A violation, as far as it is shown.
#[derive(Debug, Deserialize)]
struct Violation {
    decision: Option<String>,
    severity: Option<String>,
    rule: Option<String>,
    acknowledged: Option<Acknowledgement>,
    contained: Option<Containing>,
    event: UsageEvent,
}

#[derive(Debug, Deserialize)]
struct Acknowledgement {
    by: String,
    note: String,
}

#[derive(Debug, Deserialize)]
struct Containing {
    key: String,
    suspended: bool,
}

#[derive(Debug, Deserialize)]
struct Violations {
    items: Vec<Violation>,
}

/// Runs `tally violation`.
///
/// # Errors
/// Tally refuses or cannot be reached.
pub(crate) async fn run(command: ViolationCommand, connection: &Connection) -> anyhow::Result<()> {
    let client = Client::new(connection)?;
    match command {
        ViolationCommand::List(args) => {
            let (path, limit) = (["api", "v1", "violations"], args.limit.to_string());
            let found: Value = client.get(&path, &args.query(&limit)).await?;
            if connection.json {
                return output::json(&found);
            }
            let found: Violations = serde_json::from_value(found)?;
            output::out(&render(&found.items))
        }
        ViolationCommand::Acknowledge { event, note } => {
            let id = event.to_string();
            let path = ["api", "v1", "violations", id.as_str(), "acknowledge"];
            let answer: Value = client.post(&path, &json!({ "note": note })).await?;
            if connection.json {
                return output::json(&answer);
            }
            let Acknowledgement { by, note } = serde_json::from_value(answer)?;
            output::out(&format!("violation {id} was looked at by {by}: {note}"))
        }
    }
}

// === impl ListArgs ===

impl ListArgs {
    fn query<'a>(&'a self, limit: &'a str) -> Vec<(&'static str, &'a str)> {
        let flag = |is: bool| if is { "true" } else { "false" };
        let mut query = vec![("limit", limit)];
        query.extend(self.severity.map(|severity| ("severity", severity.as_str())));
        query.extend(self.rule.as_deref().map(|rule| ("rule", rule)));
        query.extend(self.acknowledged.map(|is| ("acknowledged", flag(is))));
        query.extend(self.range.as_deref().map(|range| ("range", range)));
        query
    }
}

fn render(violations: &[Violation]) -> String {
    if violations.is_empty() {
        return "No violations match.".to_owned();
    }
    let mut table = Table::of_text(&[
        "Time (UTC)",
        "Severity",
        "Decision",
        "Rule",
        "Who",
        "Key",
        "Acknowledged",
        "Event",
    ]);
    for one in violations {
        let event = &one.event;
        let who = event.person.as_ref().map(ToString::to_string);
        let who = who.or_else(|| event.workload.as_ref().map(ToString::to_string));
        let said = one.acknowledged.as_ref().map(|said| format!("{}: {}", said.by, said.note));
        let key = one.contained.as_ref().map(|it| {
            let state = if it.suspended { "suspended" } else { "was suspended" };
            format!("{} ({state})", it.key)
        });
        let key = key.or_else(|| event.key.as_ref().map(ToString::to_string));
        table.row([
            event.time.strftime("%Y-%m-%d %H:%M:%S").to_string(),
            one.severity.clone().unwrap_or_default(),
            one.decision.clone().unwrap_or_default(),
            one.rule.clone().unwrap_or_default(),
            who.unwrap_or_default(),
            key.unwrap_or_default(),
            said.unwrap_or_default(),
            event.event_id.to_string(),
        ]);
    }
    table.render()
}

#[cfg(test)]
mod tests {
    use tally_types::{CallId, Source, Timestamp};

    use super::*;

    #[test]
    fn who_met_which_rule_and_who_looked() {
        let id = "00000000-0000-0000-0000-000000000007";
        let (event_id, call_id): (EventId, CallId) = (id.parse().unwrap(), id.parse().unwrap());
        let time: Timestamp = "2026-05-01T10:00:00Z".parse().unwrap();
        let mut event = UsageEvent::new(event_id, call_id, time, Source::Gateway);
        event.person = Some("ada".parse().unwrap());
        event.key = Some("ada-laptop".parse().unwrap());
        let open = json!({
            "decision": "deny", "severity": "severe", "rule": "p/no", "event": event,
            "acknowledged": null, "contained": { "key": "ada-laptop", "suspended": true },
        });
        let mut seen = open.clone();
        seen["contained"] = Value::Null;
        seen["acknowledged"] = json!({ "by": "grace", "note": "A test" });
        let all: Violations = serde_json::from_value(json!({ "items": [open, seen] })).unwrap();
        insta::assert_snapshot!(render(&all.items));
        assert_eq!(render(&[]), "No violations match.");
    }
}
