//! Tells where to look; writes what scripts need.

use std::{
    collections::BTreeMap, io::Write, net::SocketAddr, os::unix::fs::OpenOptionsExt, path::Path,
};

use anyhow::Context;

use super::company::{Company, secret_of_person, secret_of_workload};
use crate::output;

const ENV_FILE: &str = "demo.env";
/// So many people's and workloads' keys stand in the file: enough for scripts.
const KEYS_SHOWN: usize = 5;

/// Prints where everything is and writes `demo.env`, readable by its owner only.
///
/// # Errors
/// When the file cannot be written.
pub(crate) fn announce(
    tally: &SocketAddr,
    sim: SocketAddr,
    company: &Company,
    keys: &BTreeMap<String, String>,
    folder: &Path,
) -> anyhow::Result<()> {
    let file = folder.join(ENV_FILE);
    write_env(&file, tally, sim, company, keys).with_context(|| file.display().to_string())?;
    output::line(&format!("Tally's demo company answers on http://{tally}"));
    output::line(&format!(
        "  {} people in {} teams, {} workloads",
        company.people.len(),
        company.teams.len(),
        company.workloads.len()
    ));
    output::line(&format!("  its providers are simulated on http://{sim}"));
    output::line(&format!("  keys of some people and workloads are in {}", file.display()));
    output::line(&format!(
        "  see who uses what: tally query teams --to http://{tally} --data {}",
        folder.display()
    ));
    Ok(())
}

fn write_env(
    file: &Path,
    tally: &SocketAddr,
    sim: SocketAddr,
    company: &Company,
    keys: &BTreeMap<String, String>,
) -> std::io::Result<()> {
    let mut env =
        std::fs::File::options().write(true).create(true).truncate(true).mode(0o600).open(file)?;
    writeln!(env, "TALLY_TO=http://{tally}\nTALLY_SIM=http://{sim}")?;
    let people = company.people.iter().take(KEYS_SHOWN).map(secret_of_person);
    let workloads = company.workloads.iter().filter_map(secret_of_workload).take(KEYS_SHOWN);
    for name in people.chain(workloads) {
        if let Some(secret) = keys.get(&name) {
            writeln!(env, "{name}={secret}")?;
        }
    }
    Ok(())
}
