//! A person who is erased: their calls, their prompts, and calls that quote them.

use std::sync::Arc;

use tally_types::{KeyName, PersonName};
use tally_warehouse::{Forget, Warehouse};

use crate::{Keeper, RetentionError, keeper::ask_warehouse};

/// What an erasure did to calls and prompts, or would do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ErasedCalls {
    /// Calls that no longer say who made them.
    pub events: u64,
    /// Kept prompts that were deleted.
    pub prompts: u64,
    /// Whether the blocks of the warehouse's file in which they stood were written over; where
    /// a query still read them, erasing again does it.
    pub overwritten: bool,
}

// === impl Keeper ===

impl Keeper {
    /// Makes a person's calls forget them, and deletes their kept prompts; of others' calls,
    /// those fields go that quote one of the words. Before it, the calls under way have to
    /// be in the warehouse, and the person's keys revoked.
    ///
    /// # Errors
    /// When the warehouse or the file of prompts fails: it can be done again.
    pub async fn erase_calls(
        &self,
        warehouse: &Arc<Warehouse>,
        person: &PersonName,
        words: &[String],
        dry_run: bool,
    ) -> Result<ErasedCalls, RetentionError> {
        let _alone = self.running.lock().await;
        let before = self.clock.now();
        let keys = self.keys_of(person);
        let of = Forget::Of { person: person.clone(), keys, before };
        let quoting = words.iter().cloned().map(Forget::Quoting);
        let all: Vec<Forget> = std::iter::once(of).chain(quoting).collect();
        let mut done = ErasedCalls::default();
        if dry_run {
            // A call may match several, and is counted once.
            let waiting = ask_warehouse(warehouse, move |warehouse| warehouse.waiting(&all));
            done.events = waiting.await?.events;
        } else {
            for which in all {
                done.events += self.purge_events(warehouse, which, false, u64::MAX).await?;
            }
        }
        let person = person.clone();
        done.prompts = self
            .ask(move |prompts| match dry_run {
                true => prompts.count_of(&person, before),
                false => {
                    let deleted = prompts.forget(&person, before)?;
                    prompts.shrink()?;
                    Ok(deleted)
                }
            })
            .await?;
        if !dry_run {
            done.overwritten = self.overwrite(warehouse).await;
        }
        Ok(done)
    }

    /// The rollups first, so that they do not hold the rows of before.
    async fn overwrite(&self, warehouse: &Arc<Warehouse>) -> bool {
        let now = self.clock.now();
        let overwritten = ask_warehouse(warehouse, move |warehouse| {
            warehouse.compact(now)?;
            warehouse.overwrite()
        });
        match overwritten.await {
            Ok(_) => true,
            Err(error) => {
                tracing::warn!(%error, "the warehouse's free blocks are not written over");
                false
            }
        }
    }

    fn keys_of(&self, person: &PersonName) -> Vec<KeyName> {
        let snapshot = self.store.snapshot();
        let keys = snapshot.keys.iter().filter(|(_, key)| key.person.as_ref() == Some(person));
        keys.filter_map(|(name, _)| name.as_str().parse().ok()).collect()
    }
}
