//! Latency that Tally adds to a call: the same calls, made directly to a
//! simulated provider and through Tally in front of it, in blocks that alternate
//! within one run, so that whatever else the machine does hits both alike.

mod calls;
mod children;
mod client;
mod load;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::Context;
use serde_json::Value;

use self::{
    calls::Kind,
    children::{Children, DIRECT_KEY, TALLY_KEY},
    client::{Prepared, Sample, Target},
    load::Outcome,
};
use crate::{
    machine::Usage,
    report::{Report, Table},
    stats::{Sorted, ms, ms_more, rounded},
};

const LATENCIES: &[&str] = &[
    "call",
    "rate/s",
    "path",
    "answered/s",
    "errors",
    "first p50",
    "first p90",
    "first p99",
    "whole p50",
    "whole p90",
    "whole p99",
    "whole max",
];
const USES: &[&str] = &[
    "call",
    "rate/s",
    "calls",
    "tally CPU s",
    "tally CPU µs/call",
    "tally RSS MiB",
    "tally peak MiB",
    "sim CPU µs/call",
    "late p50 ms",
    "late p99 ms",
];
/// Between blocks, so that what one left to do does not fall into the next.
const PAUSE: Duration = Duration::from_millis(750);
const WARM_UP: Duration = Duration::from_secs(1);

/// How to measure latency.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The program to measure.
    #[arg(long, default_value = "target/release/tally")]
    tally: PathBuf,
    /// A folder on the disk that the journal is to write to.
    #[arg(long, default_value = "target/bench")]
    folder: PathBuf,
    /// Calls per second that are not streamed; each a case of its own.
    #[arg(long, value_delimiter = ',', default_value = "100,500,1000")]
    rates: Vec<u32>,
    /// Streamed calls per second.
    #[arg(long, value_delimiter = ',', default_value = "100")]
    stream_rates: Vec<u32>,
    /// A coding agent's calls per second.
    #[arg(long, value_delimiter = ',', default_value = "50")]
    agent_rates: Vec<u32>,
    /// Pairs of blocks (direct, through) per case.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=100))]
    pairs: u64,
    /// Seconds per pair.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(2..=600))]
    pair_seconds: u64,
    /// How long the simulated provider thinks, in milliseconds.
    #[arg(long, default_value_t = 5)]
    provider_ms: u64,
    /// Sets a variable for `tally serve`, such as `TALLY_JOURNAL_SHIP_MS=5000`; repeatable.
    #[arg(long, value_name = "NAME=VALUE", value_parser = setting)]
    set: Vec<(String, String)>,
    /// Threads of the client.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=64))]
    client_threads: u16,
}

/// One kind of call at one rate.
struct Case {
    kind: Kind,
    rate: u32,
    pairs: u64,
    block: Duration,
}

/// A way to the provider.
struct Way {
    target: Arc<Target>,
    call: Arc<Prepared>,
}

/// What a case found.
#[derive(Default)]
struct Found {
    direct: Outcome,
    through: Outcome,
    /// Calls through Tally that are answered but not part of the measurement.
    warm_up: u64,
    tally_cpu: Duration,
    sim_cpu: Duration,
    tally: Usage,
}

/// Runs every case against the same two programs.
///
/// # Errors
/// When a program cannot be started, or nothing was answered.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<Report> {
    std::fs::create_dir_all(&arguments.folder)?;
    let tally = absolute(&arguments.tally)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(usize::from(arguments.client_threads))
        .enable_all()
        .build()?;
    let set: Vec<_> = arguments.set.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let mut report = Report::new("latency")
        .setting("pairs", arguments.pairs)
        .setting("pair_seconds", arguments.pair_seconds)
        .setting("provider_ms", arguments.provider_ms)
        .setting("client_threads", arguments.client_threads)
        .setting("set", set.join(" "));
    let mut latencies = Table::new("milliseconds from when a call was due", LATENCIES);
    let mut uses = Table::new("what it took", USES);
    let (found, metered) = runtime.block_on(measure_all(arguments, &tally))?;
    for (case, found) in &found {
        add_latencies(&mut latencies, case, found);
        uses.row(uses_row(case, found));
        for (way, outcome) in [("direct", &found.direct), ("through", &found.through)] {
            for (error, count) in &outcome.errors {
                report.note(format!("{} {way}: {count} × {error}", case.kind.name()));
            }
        }
    }
    report.table(latencies);
    report.table(uses);
    report.note(metered);
    report.note(
        "added: the difference of the two quantiles; client, simulator and Tally share the cores",
    );
    report.note(
        "late: how much later than due the generator sent; part of every latency, on both ways",
    );
    report.note("RSS includes the warehouse, which runs in the process");
    Ok(report)
}

/// What each case found, and a sentence on whether Tally metered every call.
async fn measure_all(
    arguments: &Arguments,
    tally: &Path,
) -> anyhow::Result<(Vec<(Case, Found)>, String)> {
    let children =
        Children::start(tally, &arguments.folder, arguments.provider_ms, &arguments.set).await?;
    let direct = Arc::new(Target::new(children.simulator.address));
    let through = Arc::new(Target::new(children.tally.address));
    let mut all = Vec::new();
    let mut answered = 0;
    for case in cases(arguments) {
        let way = |target: &Arc<Target>, key| {
            let call = Arc::new(case.kind.prepared(key)?);
            anyhow::Ok(Way { target: Arc::clone(target), call })
        };
        let ways = [way(&direct, DIRECT_KEY)?, way(&through, TALLY_KEY)?];
        let found = measure(&case, &children, &ways).await?;
        let is_answered = !found.direct.samples.is_empty() && !found.through.samples.is_empty();
        let errors = || format!("{:?} {:?}", found.direct.errors, found.through.errors);
        anyhow::ensure!(is_answered, "{}: nothing was answered: {}", case.kind.name(), errors());
        answered += u64::try_from(found.through.samples.len())? + found.warm_up;
        all.push((case, found));
    }
    let metered = children.metered(answered).await.context("Tally's own count of calls")?;
    Ok((all, format!("Tally answered {answered} calls and counts {metered} in its warehouse")))
}

fn cases(arguments: &Arguments) -> Vec<Case> {
    let block = Duration::from_millis(arguments.pair_seconds * 500);
    let of = |kind: Kind, rates: &[u32]| {
        rates
            .iter()
            .map(|rate| Case { kind, rate: *rate, pairs: arguments.pairs, block })
            .collect::<Vec<_>>()
    };
    let mut all = of(Kind::Chat, &arguments.rates);
    all.extend(of(Kind::Stream, &arguments.stream_rates));
    all.extend(of(Kind::Agent, &arguments.agent_rates));
    all
}

async fn measure(case: &Case, children: &Children, ways: &[Way; 2]) -> anyhow::Result<Found> {
    let [direct, through] = ways;
    let mut found = Found::default();
    let warm_up = || load::arrivals(case.rate, WARM_UP, u64::MAX);
    block(direct, warm_up()).await?;
    found.warm_up = u64::try_from(block(through, warm_up()).await?.samples.len())?;
    for pair in 0..case.pairs {
        // Both blocks of a pair have the same arrivals; which comes first alternates.
        let arrivals = || load::arrivals(case.rate, case.block, pair);
        if pair % 2 == 0 {
            found.direct.extend(block(direct, arrivals()).await?);
        }
        let before = (children.tally.usage()?, children.simulator.usage()?);
        found.through.extend(block(through, arrivals()).await?);
        let after = (children.tally.usage()?, children.simulator.usage()?);
        found.tally_cpu += after.0.cpu.saturating_sub(before.0.cpu);
        found.sim_cpu += after.1.cpu.saturating_sub(before.1.cpu);
        found.tally = after.0;
        if pair % 2 == 1 {
            found.direct.extend(block(direct, arrivals()).await?);
        }
    }
    Ok(found)
}

async fn block(way: &Way, arrivals: Vec<Duration>) -> anyhow::Result<Outcome> {
    let outcome = load::run(&way.target, &way.call, arrivals).await?;
    tokio::time::sleep(PAUSE).await;
    Ok(outcome)
}

fn add_latencies(table: &mut Table, case: &Case, found: &Found) {
    let first = |outcome: &Outcome| sorted(outcome, |sample| sample.first);
    let whole = |outcome: &Outcome| sorted(outcome, |sample| sample.whole);
    let (direct, through) = (&found.direct, &found.through);
    for (path, outcome) in [("direct", direct), ("through Tally", through)] {
        let (first, whole) = (first(outcome), whole(outcome));
        let mut row = vec![
            case.kind.name().into(),
            case.rate.into(),
            path.into(),
            rounded(outcome.samples.len() as f64 / outcome.took.as_secs_f64(), 1).into(),
            outcome.errors().into(),
        ];
        row.extend([500, 900, 990].map(|quantile| {
            if case.kind.is_streamed() { ms(first.quantile(quantile)) } else { Value::Null }
        }));
        row.extend([500, 900, 990, 1_000].map(|quantile| ms(whole.quantile(quantile))));
        table.row(row);
    }
    let mut row =
        vec![case.kind.name().into(), case.rate.into(), "added".into(), Value::Null, Value::Null];
    let (firsts, wholes) = ((first(through), first(direct)), (whole(through), whole(direct)));
    row.extend([500, 900, 990].map(|quantile| match case.kind.is_streamed() {
        true => ms_more(firsts.0.quantile(quantile), firsts.1.quantile(quantile)),
        false => Value::Null,
    }));
    row.extend(
        [500, 900, 990, 1_000]
            .map(|quantile| ms_more(wholes.0.quantile(quantile), wholes.1.quantile(quantile))),
    );
    table.row(row);
}

fn uses_row(case: &Case, found: &Found) -> Vec<Value> {
    let calls = found.through.samples.len();
    let per_call = |cpu: Duration| rounded(cpu.as_secs_f64() * 1e6 / calls.max(1) as f64, 0);
    let lateness: Sorted =
        found.direct.lateness.iter().chain(&found.through.lateness).copied().collect();
    vec![
        case.kind.name().into(),
        case.rate.into(),
        calls.into(),
        rounded(found.tally_cpu.as_secs_f64(), 2).into(),
        per_call(found.tally_cpu).into(),
        (found.tally.rss >> 20).into(),
        (found.tally.rss_peak >> 20).into(),
        per_call(found.sim_cpu).into(),
        ms(lateness.median()),
        ms(lateness.quantile(990)),
    ]
}

fn sorted(outcome: &Outcome, of: impl Fn(&Sample) -> Duration) -> Sorted {
    outcome.samples.iter().map(of).collect()
}

fn setting(text: &str) -> Result<(String, String), String> {
    let expected = || format!("expected NAME=VALUE, got `{text}`");
    let (name, value) = text.split_once('=').ok_or_else(expected)?;
    Ok((name.to_owned(), value.to_owned()))
}

/// Children run in a folder of their own, so the program's path must not be relative.
fn absolute(path: &Path) -> anyhow::Result<PathBuf> {
    let next_step = "build it with `cargo build --release -p tally`, or name it with `--tally`";
    std::fs::canonicalize(path).with_context(|| format!("{}: {next_step}", path.display()))
}
