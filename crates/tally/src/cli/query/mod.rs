//! `tally query`: who used what, for which work, at what cost.

mod answer;
mod catalog;
mod condition;
mod question;
mod range;
mod render;

use tally_types::TimeZone;
use tally_warehouse::{
    query::{Compare, Dimension, Grain, Measure, OrderBy},
    to_csv,
};

use self::{
    answer::Answer,
    condition::Condition,
    question::Question,
    range::{Last, Moment},
};
pub(crate) use range::seconds;

use super::{client::Client, connection::Connection, get, now, output};

const EXAMPLES: &str = "Examples:
  tally query                                   calls, tokens and spend by model, last 24 hours
  tally query teams --last 7d                   which teams drive usage
  tally query latency --where workload=support-copilot --grain hour
  tally query -m spend_usd --by team,model --last this_month --compare previous_period
  tally query people --where 'team=unattributed' --csv > people.csv
  tally query --list                            every measure and dimension

Conditions: dim=value, dim!=value, dim~prefix; several values are separated by commas
(team=support,sales); `unattributed` stands for what is not known.";

/// Arguments of `tally query`.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct QueryArgs {
    /// A question with its own measures and dimensions; options below override them
    #[arg(value_enum, value_name = "QUESTION")]
    question: Option<Question>,

    /// What to compute; repeat it or separate by commas
    #[arg(long = "measure", short = 'm', value_name = "MEASURE", value_delimiter = ',')]
    measures: Vec<Measure>,

    /// What to split by; repeat it or separate by commas
    #[arg(long = "by", short = 'b', value_name = "DIMENSION", value_delimiter = ',')]
    by: Vec<Dimension>,

    /// Which calls to count; all conditions must hold
    #[arg(long = "where", short = 'w', value_name = "CONDITION")]
    conditions: Vec<Condition>,

    /// The time up to now, such as 24h, 7d, 6w, or a name such as `today`, `last_month` [default: 24h]
    #[arg(long, value_name = "RANGE", conflicts_with_all = ["from", "until"])]
    last: Option<Last>,

    /// From this time, inclusive: RFC 3339, or a day or time in the organisation's zone
    #[arg(long, value_name = "TIME")]
    from: Option<Moment>,

    /// To this time, exclusive; now by default
    #[arg(long = "to-time", value_name = "TIME", requires = "from")]
    until: Option<Moment>,

    /// In steps of time: quarter_hour, hour, day, week, month, quarter, year
    #[arg(long, value_name = "STEP", value_parser = question::word::<Grain>)]
    grain: Option<Grain>,

    /// Beside another time: `previous_period`, `previous_week`, `previous_month`, `previous_year`
    #[arg(long, value_name = "PERIOD", value_parser = question::word::<Compare>)]
    compare: Option<Compare>,

    /// The order of rows: a measure (largest first), dimension or `time`; `:asc` or `:desc` turns it
    #[arg(long, value_name = "COLUMN", value_delimiter = ',', value_parser = question::order)]
    order: Vec<OrderBy>,

    /// How many rows at most
    #[arg(long, value_name = "ROWS")]
    limit: Option<usize>,

    /// Print CSV with exact values
    #[arg(long, conflicts_with_all = ["json", "list"])]
    csv: bool,

    /// Show every measure and dimension, with units
    #[arg(long)]
    list: bool,
}

/// Runs `tally query`.
///
/// # Errors
/// The arguments are no query, or Tally refuses or cannot be reached.
pub(crate) async fn run(args: QueryArgs, connection: &Connection) -> anyhow::Result<()> {
    let client = Client::new(connection)?;
    if args.list {
        return catalog::run(&client, connection.json).await;
    }
    let zone = zone(&args, &client).await?;
    let query = args.to_query(now(), &zone)?;
    let body: serde_json::Value = client.post(&["api", "v1", "query"], &query).await?;
    if connection.json {
        return output::json(&body);
    }
    let result = serde_json::from_value::<Answer>(body)?.into_result()?;
    if args.csv {
        if result.truncated {
            let (shown, all) = (result.rows.len(), result.groups);
            output::note(&format!("warning: {shown} of {all} rows; `--limit` gives more"));
        }
        return output::out(&to_csv(&result));
    }
    output::out(&render::table(&result, &query, client.address()))
}

/// The organisation's zone, asked for only when an argument is in local time.
async fn zone(args: &QueryArgs, client: &Client) -> anyhow::Result<TimeZone> {
    let is_local = |moment: &Option<Moment>| moment.is_some_and(Moment::is_local);
    if !is_local(&args.from) && !is_local(&args.until) {
        return Ok(TimeZone::UTC);
    }
    get::organization_zone(client).await
}
