//! What goes on beside the calls: following changes of the resources, compaction, and
//! keeping what was learned.

use std::{sync::Arc, time::Duration};

use tally_gateway::{DataPlane, Secrets};
use tally_store::{Snapshot, Store};

use crate::{recount::recount, resources::SNAPSHOT_FILE, serve::Parts};

/// Holds what was learned about models' tokens.
pub(crate) const CALIBRATION_FILE: &str = "calibration.json";
const KEEP_BUDGETS_EVERY: Duration = Duration::from_secs(1);
const COMPACT_EVERY: Duration = Duration::from_secs(60);

pub(crate) fn build_plane(
    snapshot: Arc<Snapshot>,
    secrets: &dyn Secrets,
) -> anyhow::Result<DataPlane> {
    DataPlane::build(snapshot, secrets).map_err(|error| anyhow::anyhow!(error))
}

/// Swaps the data plane whenever a resource changes, and keeps the snapshot on disk.
pub(crate) async fn follow_changes(parts: Parts, store: Store) {
    let mut changes = store.watch();
    let mut zone = store.snapshot().organization.clone();
    loop {
        let snapshot = Arc::clone(&changes.borrow_and_update());
        match build_plane(Arc::clone(&snapshot), parts.secrets.as_ref()) {
            Ok(plane) => {
                for problem in plane.problems() {
                    tracing::warn!("not usable: {problem}");
                }
                parts.gateway.replace_plane(plane);
            }
            Err(error) => {
                tracing::error!(%error, "the change is not in force: calls go on with what was before")
            }
        }
        let path = parts.data.join(SNAPSHOT_FILE);
        let saved = Arc::clone(&snapshot);
        let save = tokio::task::spawn_blocking(move || saved.save(&path)).await;
        if let Ok(Err(error)) = save {
            tracing::warn!(%error, "the snapshot is not saved");
        }
        if zone != snapshot.organization && follow_zone(&parts, &snapshot).await {
            zone = snapshot.organization.clone();
        }
        if changes.changed().await.is_err() {
            return;
        }
    }
}

/// Days are precomputed in the organisation's zone; another zone means other days.
async fn follow_zone(parts: &Parts, snapshot: &Snapshot) -> bool {
    let Some(warehouse) = parts.warehouse.get() else { return false };
    let organization = snapshot.organization.clone();
    let rebuilt = tokio::task::spawn_blocking(move || {
        warehouse.set_time_zone(organization.zone(), organization.week_starts)
    });
    match rebuilt.await {
        Ok(Ok(())) => true,
        Ok(Err(error)) => {
            tracing::error!(%error, "the days of the new time zone are not computed yet");
            false
        }
        Err(_) => false,
    }
}

/// Moves the budgets on, and keeps what they have counted.
pub(crate) async fn keep_budgets(parts: Parts) {
    let mut kept = 0;
    loop {
        tokio::time::sleep(KEEP_BUDGETS_EVERY).await;
        recount(&parts).await;
        match parts.gateway.keep_budgets(kept).await {
            Ok(sequence) => kept = sequence,
            Err(error) => tracing::warn!(%error, "the budgets' counters are not kept; tried again"),
        }
    }
}

/// Compacts rollups, keeps what was learned.
pub(crate) async fn keep_house(parts: Parts) {
    loop {
        tokio::time::sleep(COMPACT_EVERY).await;
        save_calibration(&parts);
        let Some(warehouse) = parts.warehouse.get() else { continue };
        let now = parts.clock.now();
        let compacted = tokio::task::spawn_blocking(move || warehouse.compact(now)).await;
        if let Ok(Err(error)) = compacted {
            tracing::warn!(%error, "rollups are not compacted; answers stay right, but slower");
        }
    }
}

pub(crate) fn save_calibration(parts: &Parts) {
    let path = parts.data.join(CALIBRATION_FILE);
    if let Err(error) = std::fs::write(&path, parts.gateway.estimator().to_json()) {
        tracing::warn!(%error, file = %path.display(), "what was learned about tokens is not saved");
    }
}

/// Computes the standings of scoreboards whenever something new is known.
pub(crate) async fn keep_standings(parts: Parts, store: Store) {
    parts.scores.keep(store, parts.warehouse, parts.live, parts.clock).await;
}
