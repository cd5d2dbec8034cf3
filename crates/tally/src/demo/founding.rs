//! What a demo's folder was made with, so that a restart finds the same company and
//! never makes its history twice.

use std::path::Path;

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};
use tally_types::Timestamp;

const FILE: &str = "history.json";

/// What decides the company and its history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Founding {
    pub(crate) seed: u64,
    pub(crate) people: u32,
    pub(crate) days: u32,
    /// The end of the history: the first start.
    pub(crate) until: Timestamp,
    /// How many rows the history has, once all of them are in the warehouse.
    pub(crate) rows: Option<u64>,
}

// === impl Founding ===

impl Founding {
    pub(crate) fn new(seed: u64, people: u32, days: u32, until: Timestamp) -> Self {
        Self { seed, people, days, until, rows: None }
    }

    /// What the folder was made with; a new folder is made with what is wanted.
    ///
    /// # Errors
    /// When the folder holds another company, or cannot be read or written.
    pub(crate) fn load_or(folder: &Path, wanted: Self) -> anyhow::Result<Self> {
        let path = folder.join(FILE);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                wanted.save(folder)?;
                return Ok(wanted);
            }
            Err(error) => return Err(error).with_context(|| path.display().to_string()),
        };
        let found: Self =
            serde_json::from_str(&text).with_context(|| path.display().to_string())?;
        if (found.seed, found.people) != (wanted.seed, wanted.people) {
            bail!(
                "{} holds the company of `--seed {} --people {}`; start it with these, or choose another `--demo-data`",
                folder.display(),
                found.seed,
                found.people
            );
        }
        Ok(found)
    }

    /// Written beside and moved into place, so that a crash leaves the old or the new.
    ///
    /// # Errors
    /// When the file system refuses.
    pub(crate) fn save(&self, folder: &Path) -> anyhow::Result<()> {
        let path = folder.join(FILE);
        let beside = folder.join(format!("{FILE}.new"));
        std::fs::write(&beside, serde_json::to_string_pretty(self)?)
            .and_then(|()| std::fs::rename(&beside, &path))
            .with_context(|| path.display().to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_keeps_its_company() {
        let folder = tempfile::tempdir().unwrap();
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let first = Founding::new(7, 40, 30, at("2026-11-20T10:00:00Z"));
        assert_eq!(Founding::load_or(folder.path(), first).unwrap(), first);
        let made = Founding { rows: Some(12), ..first };
        made.save(folder.path()).unwrap();
        let later = Founding::new(7, 40, 90, at("2026-12-20T10:00:00Z"));
        assert_eq!(Founding::load_or(folder.path(), later).unwrap(), made);
        let other = Founding::new(8, 40, 30, at("2026-11-20T10:00:00Z"));
        let told = Founding::load_or(folder.path(), other).unwrap_err().to_string();
        assert!(told.contains("--seed 7 --people 40"), "{told}");
    }
}
