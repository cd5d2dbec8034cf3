//! The audit log's part of a running Tally: the key that signs it, checkpoints in time,
//! where they are published, the decisions of the gateway, and erasures that a restored
//! backup has to be told of.

mod decisions;
mod keys;
mod published;

use std::{path::Path, sync::Arc, time::Duration};

use anyhow::Context as _;
use tally_store::Store;
use tally_types::{Clock, PersonName, Timestamp};

pub(crate) use decisions::Decisions;
use keys::KeyFile;
use published::publish;

use crate::config::Audit;

/// Holds the keys that sign checkpoints, readable by its owner only.
pub(crate) const AUDIT_KEY_FILE: &str = "audit.key";
/// Holds who was erased; kept beside the store, so that a restored store hears of it.
pub(crate) const ERASURES_FILE: &str = "erasures.json";
const LOOK_EVERY: Duration = Duration::from_secs(5);
const ACTOR: &str = "tally serve";

/// What keeps the log.
pub(crate) struct LogKeeper {
    store: Store,
    clock: Arc<dyn Clock>,
    config: Audit,
    decisions: Arc<Decisions>,
    data: std::path::PathBuf,
}

/// Gives the log its key and its first checkpoint, and erases again whom a restored store
/// remembers.
pub(crate) async fn open_log(store: &Store, data: &Path) -> anyhow::Result<()> {
    let file = KeyFile::new(data.join(AUDIT_KEY_FILE));
    let kept = file.read()?;
    let had = !store.log().keys().await?.is_empty();
    let is_new =
        store.log().sign_with(kept, Arc::new(file)).await.context("the audit log's key")?;
    if is_new && had {
        tracing::warn!(
            "the key that signed the audit log is gone; a new one signs now, which nothing vouches for"
        );
    }
    for person in erased_elsewhere(store, data).await? {
        store.log().erase_person(ACTOR, &person, "erased before the store was restored").await?;
        tracing::warn!(person = person.as_str(), "erased again: the store was restored");
    }
    // From the first start on there is something to hold the log against.
    if store.log().latest().await?.is_none() {
        store.log().checkpoint().await?;
    }
    Ok(())
}

/// Whom the list beside the store says to be erased, and the store does not.
async fn erased_elsewhere(store: &Store, data: &Path) -> anyhow::Result<Vec<PersonName>> {
    let mut people = read_erasures(data)?;
    let known = store.log().erasures().await?;
    people.retain(|person| !known.iter().any(|one| one.person == *person));
    let mut there = Vec::new();
    for person in people {
        match store.get(tally_types::Kind::Person, &person.0).await? {
            Some(_) => there.push(person),
            None => tracing::info!(person = person.as_str(), "erased, and not in this store"),
        }
    }
    Ok(there)
}

fn read_erasures(data: &Path) -> anyhow::Result<Vec<PersonName>> {
    let path = data.join(ERASURES_FILE);
    match std::fs::read_to_string(&path) {
        Ok(text) => serde_json::from_str(&text).with_context(|| path.display().to_string()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error).with_context(|| path.display().to_string()),
    }
}

// === impl LogKeeper ===

impl LogKeeper {
    pub(crate) fn new(
        store: Store,
        clock: Arc<dyn Clock>,
        config: Audit,
        decisions: Arc<Decisions>,
        data: &Path,
    ) -> Self {
        Self { store, clock, config, decisions, data: data.to_owned() }
    }

    /// Looks every few seconds; what fails is tried again at the next look.
    pub(crate) async fn keep(&self) {
        let mut signed = self.clock.now();
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            if let Err(error) = self.look(&mut signed).await {
                tracing::warn!(error = format!("{error:#}"), "the audit log is not kept up");
            }
        }
    }

    /// Writes down what is still to be written down, and signs it.
    pub(crate) async fn finish(&self) {
        if let Err(error) = self.sign().await {
            tracing::warn!(error = format!("{error:#}"), "the audit log's end is not signed");
        }
    }

    async fn look(&self, signed: &mut Timestamp) -> anyhow::Result<()> {
        self.decisions.write_down(&self.store).await?;
        self.keep_erasures().await?;
        let log = self.store.log();
        let attested = log.latest().await?.map_or(0, |kept| kept.size);
        let fresh = log.size().await?.saturating_sub(attested);
        let now = self.clock.now();
        let waited = now.as_second().saturating_sub(signed.as_second());
        let is_time = waited >= i64::from(self.config.checkpoint_s);
        if fresh > 0 && (is_time || fresh >= u64::from(self.config.checkpoint_entries)) {
            self.sign().await?;
            *signed = now;
        }
        Ok(())
    }

    async fn sign(&self) -> anyhow::Result<()> {
        self.decisions.write_down(&self.store).await?;
        let before = self.store.log().latest().await?;
        let kept = self.store.log().checkpoint().await?;
        if before.as_ref() != Some(&kept) {
            publish(&self.store, &self.config, &kept).await?;
        }
        Ok(())
    }

    /// Who was ever erased, also in a store that was replaced since.
    async fn keep_erasures(&self) -> anyhow::Result<()> {
        let mut people = read_erasures(&self.data)?;
        let count = people.len();
        for one in self.store.log().erasures().await? {
            if !people.contains(&one.person) {
                people.push(one.person);
            }
        }
        if people.len() > count {
            published::replace(&self.data.join(ERASURES_FILE), &serde_json::to_string(&people)?)?;
        }
        Ok(())
    }
}
