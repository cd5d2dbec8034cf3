//! The file that holds the keys of the audit log: one a line, the newest last.

use std::{io::Write as _, os::unix::fs::OpenOptionsExt as _, path::PathBuf};

use anyhow::Context as _;
use tally_audit::SigningKey;
use tally_store::log::KeyKeeper;

/// Readable by its owner only; those before stay, as a key may be kept that the log
/// never came to introduce.
#[derive(Debug)]
pub(super) struct KeyFile {
    path: PathBuf,
}

// === impl KeyFile ===

impl KeyFile {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// The keys; none when there is no file yet.
    pub(super) fn read(&self) -> anyhow::Result<Vec<SigningKey>> {
        let text = match std::fs::read_to_string(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error).context(self.path.display().to_string()),
        };
        let lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
        lines
            .map(|(number, line)| {
                // The line itself is a secret: it is not repeated.
                SigningKey::from_secret_text(line).map_err(|_| {
                    let path = self.path.display();
                    anyhow::anyhow!(
                        "{path}:{number}: expected a key of the audit log, `PRIVATE+KEY+…`"
                    )
                })
            })
            .collect()
    }

    fn append(&self, key: &SigningKey) -> std::io::Result<()> {
        let mut file =
            std::fs::File::options().append(true).create(true).mode(0o600).open(&self.path)?;
        writeln!(file, "{}", key.to_secret_text())?;
        file.sync_all()
    }
}

impl KeyKeeper for KeyFile {
    fn keep(&self, key: &SigningKey) -> Result<(), String> {
        self.append(key).map_err(|error| format!("{}: {error}", self.path.display()))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn keys_are_kept_for_their_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let file = KeyFile::new(folder.path().join("audit.key"));
        assert!(file.read().unwrap().is_empty());
        for seed in [1, 2] {
            let key = SigningKey::from_seed("tally/test", &[seed; 32]).unwrap();
            file.keep(&key).unwrap();
            assert_eq!(file.read().unwrap().last().unwrap().public(), key.public());
        }
        assert_eq!(file.read().unwrap().len(), 2);
        let mode = std::fs::metadata(&file.path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        std::fs::write(&file.path, "PRIVATE+KEY+secret\n").unwrap();
        let said = file.read().unwrap_err().to_string();
        assert!(said.contains("audit.key:1") && !said.contains("secret"), "{said}");
    }
}
