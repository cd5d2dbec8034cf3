//! The resources at start: the store and what is applied to it, or what it saved last.

use std::{
    io::Write,
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, bail};
use sha2::{Digest, Sha256};
use tally_api::SecretMaker;
use tally_policy::redact::RedactionKey;
use tally_store::{ApplyOptions, Snapshot, Store, documents};
use tally_types::{Clock, Kind, Name, Role};

use crate::output;

const ADMIN_KEY: &str = "admin";
/// Holds the first admin key, readable by its owner only.
pub(crate) const ADMIN_KEY_FILE: &str = "admin.key";
/// Holds what placeholders of redacted values follow from.
const REDACTION_KEY_FILE: &str = "redaction.key";
const PSEUDONYMS_KEY_FILE: &str = "pseudonyms.key";
/// Holds the resources as of their last change.
pub(crate) const SNAPSHOT_FILE: &str = "snapshot.json";

/// The store with its resources; or, when it cannot be opened, those it saved last.
pub(crate) async fn open_resources(
    data: &Path,
    clock: &Arc<dyn Clock>,
    apply: &[PathBuf],
) -> anyhow::Result<(Option<Store>, Arc<Snapshot>)> {
    let store = match open_store(data, clock).await {
        Ok(store) => store,
        Err(error) => {
            let Ok(saved) = Snapshot::load(&data.join(SNAPSHOT_FILE)) else { return Err(error) };
            tracing::error!(
                error = format!("{error:#}"),
                "serving calls by the saved snapshot; nothing can be changed until a restart opens the store"
            );
            return Ok((None, Arc::new(saved)));
        }
    };
    for file in apply {
        apply_file(&store, file).await?;
    }
    ensure_admin(&store, data).await?;
    let snapshot = store.snapshot();
    Ok((Some(store), snapshot))
}

async fn open_store(data: &Path, clock: &Arc<dyn Clock>) -> anyhow::Result<Store> {
    let path = data.join("store.db");
    let store = Store::open(&tally_store::sqlite_url(&path), Arc::clone(clock))
        .await
        .with_context(|| format!("the store in {}", path.display()))?;
    Ok(store)
}

async fn apply_file(store: &Store, file: &Path) -> anyhow::Result<()> {
    let Some(format) = documents::Format::from_path(file) else {
        bail!("{}: expected a file that ends in .yaml, .toml or .json", file.display());
    };
    let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let name = file.display().to_string();
    let parsed = documents::parse_documents(&name, &text, format).map_err(|errors| {
        let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
        anyhow::anyhow!("{} mistakes:\n  {}", lines.len(), lines.join("\n  "))
    })?;
    let set =
        file.file_stem().map_or_else(|| name.clone(), |stem| stem.to_string_lossy().into_owned());
    let options =
        ApplyOptions { set, note: Some("at start".to_owned()), ..ApplyOptions::default() };
    let report = store.apply("tally serve --apply", parsed, options).await?;
    for warning in &report.warnings {
        tracing::warn!(file = name, "{warning}");
    }
    Ok(())
}

/// Without a key that may change things nobody could begin.
async fn ensure_admin(store: &Store, data: &Path) -> anyhow::Result<()> {
    let is_admin = |snapshot: &Snapshot| {
        snapshot.keys.values().any(|key| key.roles.contains(&Role::Admin) && !key.revoked)
    };
    if is_admin(&store.snapshot()) {
        return Ok(());
    }
    let secret = tally_api::OsSecrets.secret();
    let spec = serde_json::json!({
        "roles": [Role::Admin],
        "secret": {
            "sha256": hex::encode(Sha256::digest(secret.as_bytes())),
            "prefix": secret.chars().take(10).collect::<String>(),
        },
    });
    let name: Name = ADMIN_KEY.parse()?;
    if store.get(Kind::Key, &name).await?.is_some() {
        bail!(
            "the key `{ADMIN_KEY}` exists but is revoked or has lost its role: no key is left that may change things"
        );
    }
    let path = data.join(ADMIN_KEY_FILE);
    write_private(&path, &format!("{secret}\n"))?;
    store.create("tally serve", Kind::Key, name, spec).await?;
    output::line(&format!("Admin key (shown once, kept in {}): {secret}", path.display()));
    Ok(())
}

/// The key that placeholders of redacted values follow from: made once, so that a
/// conversation keeps its placeholders over a restart.
pub(crate) fn redaction_key(data: &Path) -> anyhow::Result<RedactionKey> {
    Ok(RedactionKey::new(&kept_secret(&data.join(REDACTION_KEY_FILE))?))
}

/// What the pseudonyms of scoreboards follow from: whoever does not know it cannot tell whose
/// one is.
///
/// # Errors
/// The file can be neither read nor written.
pub(crate) fn scoreboards(data: &Path) -> anyhow::Result<tally_api::ScoreKeeper> {
    Ok(tally_api::ScoreKeeper::new(&kept_secret(&data.join(PSEUDONYMS_KEY_FILE))?))
}

/// Made at the first start, kept since.
fn kept_secret(path: &Path) -> anyhow::Result<Vec<u8>> {
    let kept = std::fs::read(path).ok().filter(|secret| !secret.is_empty());
    match kept {
        Some(secret) => Ok(secret),
        None => {
            let secret = tally_api::OsSecrets.secret();
            write_private(path, &secret)?;
            Ok(secret.into_bytes())
        }
    }
}

fn write_private(path: &Path, text: &str) -> anyhow::Result<()> {
    let mut file = std::fs::File::options()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .with_context(|| path.display().to_string())?;
    Ok(file.write_all(text.as_bytes())?)
}

/// Data is nobody else's to read.
pub(crate) fn make_private_folder(path: &Path) -> anyhow::Result<()> {
    let is_new = !path.exists();
    std::fs::create_dir_all(path).with_context(|| path.display().to_string())?;
    if is_new {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}
