//! Forgetting in time: the file of kept prompts, and the hourly purge.

use std::{path::Path, sync::Arc, time::Duration};

use anyhow::Context as _;
use tally_prompts::{PromptKey, PromptQueue, PromptStore};
use tally_types::Timestamp;

use crate::serve::Parts;

/// Holds the key that seals kept prompts, readable by its owner only.
const PROMPTS_KEY_FILE: &str = "prompts.key";
/// Holds kept prompts.
const PROMPTS_FILE: &str = "prompts.db";
const LOOK_EVERY: Duration = Duration::from_secs(30);
const PURGE_EVERY_S: i64 = 3_600;
const ACTOR: &str = "tally serve";

/// Opens what keeps prompts, and starts its writer, which ends with the process.
pub(crate) fn open_prompts(data: &Path) -> anyhow::Result<(Arc<PromptStore>, PromptQueue)> {
    let key = PromptKey::open(&data.join(PROMPTS_KEY_FILE))?;
    let path = data.join(PROMPTS_FILE);
    let store = PromptStore::open(&path, key).with_context(|| {
        format!("{}: restore it, or move it away to lose what was kept", path.display())
    })?;
    let store = Arc::new(store);
    let (queue, _) = tally_prompts::start(Arc::clone(&store))?;
    Ok((store, queue))
}

/// Purges once the warehouse is open, as a restored file may know who was erased, and then
/// once an hour; what fails is tried again at the next look.
pub(crate) async fn purge_in_time(parts: Parts) {
    let Some(keeper) = parts.retention.clone() else { return };
    let mut last: Option<Timestamp> = None;
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let now = parts.clock.now();
        if !is_due(last, now) {
            continue;
        }
        let Some(warehouse) = parts.warehouse.get() else { continue };
        match keeper.run(&warehouse, ACTOR, false).await {
            // The rest goes with the next look, not an hour later.
            Ok(run) if run.more => {}
            Ok(_) => last = Some(now),
            Err(error) => {
                tracing::warn!(%error, "personal data that is old enough is not purged yet");
            }
        }
    }
}

fn is_due(last: Option<Timestamp>, now: Timestamp) -> bool {
    last.is_none_or(|last| now.as_second().saturating_sub(last.as_second()) >= PURGE_EVERY_S)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_time_at_the_start_and_after_an_hour() {
        let time = |text: &str| text.parse::<Timestamp>().unwrap();
        let last = time("2026-11-01T10:00:00Z");
        assert!(is_due(None, last));
        assert!(!is_due(Some(last), time("2026-11-01T10:59:59Z")));
        assert!(is_due(Some(last), time("2026-11-01T11:00:00Z")));
    }
}
