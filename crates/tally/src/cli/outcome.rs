//! `tally outcome`: what came of a task.

use anyhow::anyhow;
use serde::{Deserialize, Serialize};
use tally_types::{PicoUsd, TaskResult, Timestamp, WorkloadName};

use super::{client::Client, connection::Connection, now, output};

const PICO_PER_BASIS_POINT: i64 = 100_000_000;
const BASIS_POINTS_MAX: i64 = 10_000;

/// Subcommands of `tally outcome`.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum OutcomeCommand {
    /// Report whether a task succeeded; a later report of the same task replaces it
    Report(ReportArgs),
}

/// Arguments of `tally outcome report`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct ReportArgs {
    /// The task, as its calls named it in `x-tally-task`
    #[arg(long, value_name = "TASK")]
    task: String,

    /// `succeeded` or `failed`
    #[arg(long, value_name = "RESULT")]
    result: TaskResult,

    /// The workload the task belongs to; none for a task of a person's own
    #[arg(long, value_name = "WORKLOAD")]
    workload: Option<WorkloadName>,

    /// Business value in US dollars
    #[arg(long, value_name = "USD")]
    value_usd: Option<PicoUsd>,

    /// Quality from 0 (useless) to 1 (perfect)
    #[arg(long, value_name = "QUALITY", value_parser = quality)]
    quality: Option<PicoUsd>,

    /// A human or a dearer model had to take over
    #[arg(long)]
    escalated: bool,

    /// Tickets that needed no human
    #[arg(long, value_name = "COUNT")]
    tickets_deflected: Option<u32>,

    /// Sales or sign-ups
    #[arg(long, value_name = "COUNT")]
    conversions: Option<u32>,

    /// Minutes of work saved
    #[arg(long, value_name = "MINUTES")]
    minutes_saved: Option<u32>,
}

/// The body of `POST /ingest/v1/outcomes`.
#[derive(Debug, PartialEq, Serialize)]
struct Report {
    time: Timestamp,
    /// Of a task's reports, the one with the highest revision counts.
    revision: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    workload: Option<WorkloadName>,
    task_id: String,
    result: TaskResult,
    escalated: bool,
    /// A decimal from 0 to 1; exact, as money is.
    #[serde(skip_serializing_if = "Option::is_none")]
    quality: Option<PicoUsd>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value_usd: Option<PicoUsd>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tickets_deflected: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    conversions: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    minutes_saved: Option<u32>,
}

/// What became of the report.
#[derive(Debug, Deserialize)]
struct Answer {
    #[serde(default)]
    rejected: Vec<Rejected>,
}

#[derive(Debug, Deserialize)]
struct Rejected {
    message: String,
}

/// A share, without floats.
fn quality(text: &str) -> Result<PicoUsd, String> {
    let share = text.parse::<PicoUsd>().ok().filter(|share| {
        let points = share.pico() / PICO_PER_BASIS_POINT;
        share.pico() % PICO_PER_BASIS_POINT == 0 && (0..=BASIS_POINTS_MAX).contains(&points)
    });
    share.ok_or_else(|| {
        format!("`{text}` is no quality; expected 0 to 1 with at most 4 decimals, such as 0.9")
    })
}

/// Runs `tally outcome`.
///
/// # Errors
/// Tally refuses or cannot be reached.
pub(crate) async fn run(command: OutcomeCommand, connection: &Connection) -> anyhow::Result<()> {
    let OutcomeCommand::Report(args) = command;
    let report = args.report(now())?;
    let client = Client::new(connection)?;
    let body: serde_json::Value = client.post(&["ingest", "v1", "outcomes"], &report).await?;
    let answer = Answer::deserialize(&body)?;
    if let Some(rejected) = answer.rejected.first() {
        return Err(anyhow!("the report was not taken: {}", rejected.message));
    }
    if connection.json {
        return output::json(&body);
    }
    let of = report.workload.map(|workload| format!(" of `{workload}`")).unwrap_or_default();
    output::out(&format!("task `{}`{of}: {} is recorded", report.task_id, report.result))
}

// === impl ReportArgs ===

impl ReportArgs {
    /// The report. Its revision is the second it was made in, so that the latest report of
    /// a task counts.
    fn report(self, now: Timestamp) -> anyhow::Result<Report> {
        anyhow::ensure!(!self.task.trim().is_empty(), "`--task` names no task");
        Ok(Report {
            time: now,
            revision: u32::try_from(now.as_second())?,
            workload: self.workload,
            task_id: self.task,
            result: self.result,
            escalated: self.escalated,
            quality: self.quality,
            value_usd: self.value_usd,
            tickets_deflected: self.tickets_deflected,
            conversions: self.conversions,
            minutes_saved: self.minutes_saved,
        })
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(clap::Parser)]
    struct Cli {
        #[command(flatten)]
        args: ReportArgs,
    }

    fn report(arguments: &str, now: &str) -> Report {
        let arguments = std::iter::once("report").chain(arguments.split_whitespace());
        Cli::try_parse_from(arguments).unwrap().args.report(now.parse().unwrap()).unwrap()
    }

    #[test]
    fn a_later_report_of_a_task_replaces_the_earlier() {
        let first = report("--task t-1 --workload bot --result failed", "2026-05-01T10:00:00Z");
        let second = report(
            "--task t-1 --workload bot --result succeeded --value-usd 12.50 --quality 0.9 --escalated",
            "2026-05-01T10:05:00Z",
        );
        assert!(second.revision > first.revision);
        insta::assert_json_snapshot!(second);
    }

    #[test]
    fn quality_is_a_share() {
        assert_eq!(quality("1").unwrap().to_string(), "1");
        assert_eq!(quality("0.1234").unwrap().to_string(), "0.1234");
        for bad in ["1.1", "1.0001", "-0.1", "-0.00001", "0.12345", "90%", ""] {
            assert!(quality(bad).is_err(), "{bad}");
        }
    }
}
