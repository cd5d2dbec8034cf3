//! `tally demo`: Tally and a simulated provider in one process, for a small company.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use anyhow::Context;
use tally_api::SecretMaker;
use tally_sim::SimOptions;
use tokio::net::TcpListener;

use crate::{
    config::Config,
    output,
    secrets::MachineSecrets,
    serve::{Server, start_log, stop_signal},
};

/// The company, whose providers stand at the simulator's usual address.
const COMPANY: &str = include_str!("../demo/company.yaml");
const COMPANY_SIM_ADDRESS: &str = "127.0.0.1:9090";

/// How to run the demo.
#[derive(Debug, clap::Args)]
pub(crate) struct DemoArguments {
    /// Where Tally listens.
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: std::net::SocketAddr,
    /// Where the simulated provider listens.
    #[arg(long, default_value = COMPANY_SIM_ADDRESS)]
    sim_listen: std::net::SocketAddr,
    /// The folder that holds the demo's data.
    #[arg(long = "demo-data", default_value = "./tally-data/demo")]
    folder: PathBuf,
    #[command(flatten)]
    sim: SimOptions,
}

/// Runs until a signal.
pub(crate) async fn run(arguments: DemoArguments) -> anyhow::Result<()> {
    let mut config = Config { listen: arguments.listen, ..Config::default() };
    config.data.clone_from(&arguments.folder);
    config.log.filter = "warn".to_owned();
    start_log(&config)?;
    std::fs::create_dir_all(&config.data)?;

    let sim = TcpListener::bind(arguments.sim_listen)
        .await
        .with_context(|| format!("cannot listen on {}", arguments.sim_listen))?;
    let sim_address = sim.local_addr()?;
    let simulator = tokio::spawn(tally_sim::serve(sim, arguments.sim, std::future::pending()));

    let company = config.data.join("company.yaml");
    std::fs::write(&company, COMPANY.replace(COMPANY_SIM_ADDRESS, &sim_address.to_string()))?;
    let keys = made_up_keys();
    let secrets = MachineSecrets::with_made_up(keys.clone());
    let server = Server::start(config, Arc::new(secrets), &[company]).await?;
    announce(&server, &keys, sim_address, &arguments.folder)?;
    let result = server.serve_until(stop_signal()).await;
    simulator.abort();
    result
}

/// New at every start: nothing of the demo opens anything later.
fn made_up_keys() -> BTreeMap<String, String> {
    let virtual_keys = ["TALLY_KEY_ADA", "TALLY_KEY_SUPPORT", "TALLY_KEY_LIN", "TALLY_KEY_SEARCH"];
    let provider_keys = ["ANTHROPIC_API_KEY", "OPENAI_API_KEY"];
    virtual_keys
        .into_iter()
        .chain(provider_keys)
        .map(|name| (name.to_owned(), tally_api::OsSecrets.secret()))
        .collect()
}

/// Tells where to look; writes what scripts need into `demo.env`.
fn announce(
    server: &Server,
    keys: &BTreeMap<String, String>,
    sim_address: std::net::SocketAddr,
    folder: &std::path::Path,
) -> anyhow::Result<()> {
    use std::{io::Write, os::unix::fs::OpenOptionsExt};
    let address = server.address()?;
    let file = folder.join("demo.env");
    let mut env =
        std::fs::File::options().write(true).create(true).truncate(true).mode(0o600).open(&file)?;
    writeln!(env, "TALLY_TO=http://{address}\nTALLY_SIM=http://{sim_address}")?;
    for (name, secret) in keys.iter().filter(|(name, _)| name.starts_with("TALLY_KEY_")) {
        writeln!(env, "{name}={secret}")?;
    }
    output::line(&format!("Tally's demo company answers on http://{address}"));
    output::line(&format!("  its provider is simulated on http://{sim_address}"));
    output::line(&format!("  its people's keys are in {}", file.display()));
    output::line(&format!(
        "  see who uses what: tally query teams --to http://{address} --data {}",
        folder.display()
    ));
    Ok(())
}
