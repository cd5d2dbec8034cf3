//! Where checkpoints go, so that the operator alone cannot rewrite history.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use tally_store::{Store, log::KeptCheckpoint};

use crate::config::Audit;

/// Writes a checkpoint where the configuration says, and tells who wants to be told.
pub(super) async fn publish(
    store: &Store,
    config: &Audit,
    kept: &KeptCheckpoint,
) -> anyhow::Result<()> {
    if let Some(path) = target(config, kept.size) {
        replace(&path, &kept.note).context("`audit.publish_file`")?;
    }
    if config.publish_webhooks || !config.publish_people.is_empty() {
        let log = store.log();
        log.publish(kept, &config.publish_people, config.publish_webhooks).await?;
    }
    Ok(())
}

/// The newest in one file, or each in a file of its own where a folder is named.
fn target(config: &Audit, size: u64) -> Option<PathBuf> {
    let path = &config.publish_file;
    if path.as_os_str().is_empty() {
        return None;
    }
    let path =
        if path.is_dir() { path.join(format!("checkpoint-{size}.txt")) } else { path.clone() };
    Some(path)
}

/// Whoever reads it sees the one before or this one, never half of it.
pub(super) fn replace(path: &Path, text: &str) -> anyhow::Result<()> {
    let mut half = path.as_os_str().to_owned();
    half.push(".new");
    let half = PathBuf::from(half);
    let write = || {
        let mut file = std::fs::File::create(&half)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&half, path)
    };
    write().with_context(|| path.display().to_string())
}
