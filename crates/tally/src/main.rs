//! The binary: command line, configuration and wiring. Nothing depends on it.
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)
)]

mod audit;
mod cli;
mod clock;
mod config;
mod contain;
mod demo;
mod guide;
mod notify;
mod output;
mod recount;
mod resources;
mod retention;
mod secrets;
mod serve;
mod upkeep;
mod warehouse_link;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The meter, the budget office and the ledger for a company's AI tokens.
#[derive(Debug, Parser)]
#[command(name = "tally", version, propagate_version = true)]
struct Arguments {
    #[command(flatten)]
    connection: cli::Connection,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run Tally: the gateway, the journal, the warehouse and the API.
    Serve(serve::ServeArguments),
    /// Run Tally for a small company, with a simulated provider.
    Demo(demo::DemoArguments),
    #[command(flatten)]
    Client(cli::ClientCommand),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // The default is missing only when two libraries each bring one; ours is ring.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return output::fail(&error.into()),
    };
    let result = runtime.block_on(async {
        match arguments.command {
            Command::Serve(serve) => serve::run(serve, &arguments.connection).await,
            Command::Demo(demo) => demo::run(demo).await,
            Command::Client(command) => cli::run(command, arguments.connection).await,
        }
    });
    // Blocking tasks of a closed warehouse must not hold the process.
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => output::fail(&error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An option of the same name as one that every command has is a panic when it is read.
    #[test]
    fn no_command_hides_an_option_of_all() {
        fn look(command: &clap::Command, shared: &[String], path: &str) {
            for below in command.get_subcommands() {
                let path = format!("{path} {}", below.get_name());
                for argument in below.get_arguments() {
                    let id = argument.get_id().to_string();
                    assert!(!shared.contains(&id), "`{path}` has its own `{id}`");
                }
                look(below, shared, &path);
            }
        }
        let command = <Arguments as clap::CommandFactory>::command();
        let shared = command.get_arguments().filter(|it| it.is_global_set());
        let shared: Vec<String> = shared.map(|it| it.get_id().to_string()).collect();
        assert!(shared.contains(&"key".to_owned()));
        look(&command, &shared, "tally");
    }

    /// Options of a command must not hide those that every command has (`--to`, `--key`).
    #[test]
    fn every_command_keeps_the_connection() {
        for line in [
            "exception request --rule a/b --for-key laptop --until +3d --reason why",
            "access request --own-key --until +3d --reason why",
            "access request --key-for copilot --until +3d --reason why",
            "inventory register found --of-key laptop --set owner=ada",
            "inventory",
            "catalog baseline copilot --from 2026-10-01T00:00Z --until 2026-11-01T00:00Z",
            "catalog approve copilot --note fine",
            "governance agenda --month 2026-11",
            "rollout move cc-100 showback --override --reason why",
            "sprint target 2026-11 --workload copilot --measure spend_usd --reduce 20",
            "review decide 2026-Q4 --subject prices --text why --owner lin --due 2026-12-15",
            "template approve safe-summary 2 --note fine",
            "template render safe-summary --set text=x --for anthropic",
            "contribution offer c --kind mentoring --title t --text x --mentored ada",
            "export focus --period 2026-10 --version 1.4 --out f.parquet",
            "policy explain --person ada --for-key laptop --model gpt-5",
        ] {
            let line = format!("tally {line} --to http://tally.test --key secret");
            let parsed = Arguments::try_parse_from(line.split(' '));
            assert!(
                parsed.is_ok_and(|parsed| parsed.connection.to.as_str() == "http://tally.test/"),
                "{line}"
            );
        }
    }
}
