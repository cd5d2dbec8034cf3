//! Tells where to look; writes what scripts need.

use std::{io::Write, net::SocketAddr, os::unix::fs::OpenOptionsExt, path::Path};

use anyhow::Context;

use super::{
    company::{PERSONAS, secret_of_person, secret_of_workload},
    live::Traffic,
};
use crate::{output, resources::ADMIN_KEY_FILE};

const ENV_FILE: &str = "demo.env";
/// So many people's and workloads' keys stand in the file: enough for scripts.
const KEYS_SHOWN: usize = 5;

/// Prints where everything is and how to sign in.
pub(crate) fn announce(traffic: &Traffic, sim: SocketAddr, folder: &Path, password: &str) {
    let Traffic { tally, company, .. } = traffic;
    let (url, folder) = (tally.url(), folder.display());
    output::line("");
    output::line(&format!("Tally's demo company listens on {url}"));
    output::line(&format!(
        "  {} people in {} teams with {} workloads; providers are simulated on http://{sim}",
        company.people.len(),
        company.teams.len(),
        company.workloads.len()
    ));
    output::line(&format!("  keys: {folder}/{ADMIN_KEY_FILE} and {folder}/{ENV_FILE}"));
    output::line(&format!("  ask it: tally query teams --to {url} --data {folder}"));
    output::line("");
    output::line(&format!("Sign in on {url} (the password is new at every start)"));
    output::line(&format!("  {:<16} {:<11} {:<16} {}", "name", "role", "", "password"));
    for (login, role) in PERSONAS {
        let person = company.people.iter().find(|person| person.name.as_str() == *login);
        let display = person.map_or("", |person| person.display_name.as_str());
        output::line(&format!("  {login:<16} {:<11} {display:<16} {password}", role.as_str()));
    }
    output::line("");
}

/// Writes `demo.env`, readable by its owner only.
///
/// # Errors
/// When the file cannot be written.
pub(crate) fn write_env(traffic: &Traffic, sim: SocketAddr, folder: &Path) -> anyhow::Result<()> {
    let file = folder.join(ENV_FILE);
    try_write_env(&file, traffic, sim).with_context(|| file.display().to_string())
}

fn try_write_env(file: &Path, traffic: &Traffic, sim: SocketAddr) -> std::io::Result<()> {
    let mut env =
        std::fs::File::options().write(true).create(true).truncate(true).mode(0o600).open(file)?;
    let Traffic { tally, company, keys, .. } = traffic;
    writeln!(env, "TALLY_TO={}\nTALLY_SIM=http://{sim}", tally.url())?;
    let people = company.people.iter().take(KEYS_SHOWN).map(secret_of_person);
    let workloads = company.workloads.iter().filter_map(secret_of_workload).take(KEYS_SHOWN);
    for name in people.chain(workloads) {
        if let Some(secret) = keys.get(&name) {
            writeln!(env, "{name}={secret}")?;
        }
    }
    Ok(())
}
