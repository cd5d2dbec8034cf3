//! Repeatable measurements of Tally: latency added to a call, durable throughput,
//! the overview's queries, shipping. See `docs/performance.md`.
//!
//! Nothing here is a test: a figure depends on the machine and on what else runs
//! on it, so every report names the machine and how busy it was at the start.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a benchmark prints, reads real clocks and waits on real time"
)]

mod events;
mod journal;
mod latency;
mod machine;
mod overview;
mod report;
mod ship;
mod stats;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures Tally on this machine.
#[derive(Debug, Parser)]
#[command(name = "tally-bench", version)]
struct Arguments {
    /// Print the report as JSON.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    benchmark: Benchmark,
}

#[derive(Debug, Subcommand)]
enum Benchmark {
    /// Latency that Tally adds to a call, beside the same calls made directly.
    Latency(latency::Arguments),
    /// Records and calls per second that the journal keeps durably.
    Journal(journal::Arguments),
    /// The overview page's queries on many events.
    Overview(overview::Arguments),
    /// Events per second from the journal into the warehouse.
    Ship(ship::Arguments),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let machine = machine::describe();
    let report = match &arguments.benchmark {
        Benchmark::Latency(options) => latency::run(options),
        Benchmark::Journal(options) => journal::run(options),
        Benchmark::Overview(options) => overview::run(options),
        Benchmark::Ship(options) => ship::run(options),
    };
    match report {
        Ok(report) => {
            report.print(&machine, arguments.json);
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
