//! Where secrets are read from: the environment and files, and what the demo made up.

use std::collections::BTreeMap;

use tally_gateway::Secrets;
use tally_types::spec::SecretSource;

const FILE_BYTES_MAX: u64 = 64 << 10;

/// Reads the environment and files; made-up values come first.
#[derive(Default)]
pub(crate) struct MachineSecrets {
    made_up: BTreeMap<String, String>,
}

// === impl MachineSecrets ===

impl MachineSecrets {
    /// Variables that the demo sets without touching the environment.
    pub(crate) fn with_made_up(made_up: BTreeMap<String, String>) -> Self {
        Self { made_up }
    }
}

impl Secrets for MachineSecrets {
    fn read(&self, source: &SecretSource) -> Result<String, String> {
        match source {
            SecretSource::Env(name) => self
                .made_up
                .get(name)
                .cloned()
                .or_else(|| std::env::var(name).ok())
                .filter(|secret| !secret.trim().is_empty())
                .map(|secret| secret.trim().to_owned())
                .ok_or_else(|| {
                    format!(
                        "{name} is not set in the environment of `tally serve`; set it and restart"
                    )
                }),
            SecretSource::File(path) => read_file(path),
        }
    }
}

fn read_file(path: &str) -> Result<String, String> {
    let told = |error: std::io::Error| format!("the file {path} cannot be read: {error}");
    if std::fs::metadata(path).map_err(told)?.len() > FILE_BYTES_MAX {
        return Err(format!("the file {path} is too large to hold a secret"));
    }
    std::fs::read_to_string(path).map(|secret| secret.trim().to_owned()).map_err(told)
}
