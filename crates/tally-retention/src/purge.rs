//! One run: what is older than its period goes, in bounded batches.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;
use tally_store::AuditAction;
use tally_types::DataClass;
use tally_warehouse::{Forget, Warehouse};

use crate::{Keeper, RetentionError, keeper::ask_warehouse};

/// A run amends so many events at most; the next one goes on.
pub const EVENTS_PER_RUN_MAX: u64 = 200_000;
/// And deletes so many prompts at most.
const PROMPTS_PER_RUN_MAX: u64 = 200_000;
/// So many are one transaction.
const EVENTS_BATCH: usize = 2_000;
const PROMPTS_BATCH: u32 = 500;
/// Between two of them others write.
const PAUSE: Duration = Duration::from_millis(20);

/// What a run did, or would do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "RetentionRun")]
pub struct PurgeRun {
    /// Whether nothing was changed, only counted.
    pub dry_run: bool,
    /// By class of data.
    pub classes: Vec<ClassPurge>,
    /// Calls that named people who were erased, as a restored file does.
    pub erased_events: u64,
    /// Kept prompts of people who were erased.
    pub erased_prompts: u64,
    /// Whether there was more than one run does; the next one goes on.
    pub more: bool,
}

/// What a run did to one class of data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "RetentionRunClass")]
pub struct ClassPurge {
    /// The class.
    pub data_class: DataClass,
    /// Calls that no longer say who made them.
    pub events: u64,
    /// Prompts that were deleted.
    pub prompts: u64,
}

// === impl Keeper ===

impl Keeper {
    /// Forgets what is older than its period. Two runs never go on at once.
    ///
    /// # Errors
    /// When the store, the warehouse or the file of prompts fails; what was forgotten until
    /// then stays forgotten, and is written down by the run that ends well only.
    pub async fn run(
        &self,
        warehouse: &Arc<Warehouse>,
        actor: &str,
        dry_run: bool,
    ) -> Result<PurgeRun, RetentionError> {
        let _alone = self.running.lock().await;
        let (now, retention) = (self.clock.now(), self.retention());
        let mut run = PurgeRun { dry_run, ..PurgeRun::default() };
        self.sweep_erased(warehouse, &mut run).await?;
        let mut left = (EVENTS_PER_RUN_MAX, PROMPTS_PER_RUN_MAX);
        for class in DataClass::ALL {
            let periods = retention.of(*class);
            let events = match periods.personal_before(now) {
                None => 0,
                Some(before) => {
                    let which = Forget::Older { class: *class, before };
                    self.purge_events(warehouse, which, dry_run, left.0).await?
                }
            };
            let before = periods.prompts_before(now);
            let prompts = self.purge_prompts(*class, before, dry_run, left.1).await?;
            left = (left.0.saturating_sub(events), left.1.saturating_sub(prompts));
            run.classes.push(ClassPurge { data_class: *class, events, prompts });
        }
        run.more = left.0 == 0 || left.1 == 0;
        if !dry_run && run.did_something() {
            self.after(warehouse, &run, actor).await?;
        }
        Ok(run)
    }

    async fn after(
        &self,
        warehouse: &Arc<Warehouse>,
        run: &PurgeRun,
        actor: &str,
    ) -> Result<(), RetentionError> {
        let log = self.store.log();
        log.record(actor, AuditAction::PurgePersonalData, run.written_down()).await?;
        if run.prompts() > 0 {
            self.ask(tally_prompts::PromptStore::shrink).await?;
        }
        // Not for every run: it writes as much as is free in the file.
        if run.erased_events > 0
            && let Err(error) = ask_warehouse(warehouse, Warehouse::overwrite).await
        {
            tracing::warn!(%error, "the warehouse's free blocks are not written over");
        }
        Ok(())
    }

    /// Whoever was erased is forgotten again, as an older copy of a file may know them.
    async fn sweep_erased(
        &self,
        warehouse: &Arc<Warehouse>,
        run: &mut PurgeRun,
    ) -> Result<(), RetentionError> {
        let mut latest = BTreeMap::new();
        for erasure in self.store.log().erasures().await? {
            latest.insert(erasure.person, erasure.at);
        }
        for (person, before) in latest {
            // Of a newcomer with the same name only what was before them.
            let which = Forget::Of { person: person.clone(), keys: Vec::new(), before };
            let left = EVENTS_PER_RUN_MAX.saturating_sub(run.erased_events);
            run.erased_events += self.purge_events(warehouse, which, run.dry_run, left).await?;
            let dry_run = run.dry_run;
            run.erased_prompts += self
                .ask(move |prompts| match dry_run {
                    true => prompts.count_of(&person, before),
                    false => prompts.forget(&person, before),
                })
                .await?;
        }
        Ok(())
    }

    /// Amends events in batches; gives how many.
    pub(crate) async fn purge_events(
        &self,
        warehouse: &Arc<Warehouse>,
        which: Forget,
        dry_run: bool,
        most: u64,
    ) -> Result<u64, RetentionError> {
        if dry_run {
            let waiting = ask_warehouse(warehouse, move |warehouse| warehouse.waiting(&[which]));
            return Ok(waiting.await?.events);
        }
        let mut done = 0;
        while done < most {
            let left = usize::try_from(most - done).unwrap_or(EVENTS_BATCH);
            let (which, limit) = (which.clone(), left.min(EVENTS_BATCH));
            let batch = ask_warehouse(warehouse, move |warehouse| warehouse.forget(&which, limit));
            let batch = batch.await?;
            done += batch;
            if batch < limit as u64 {
                break;
            }
            tokio::time::sleep(PAUSE).await;
        }
        Ok(done)
    }

    async fn purge_prompts(
        &self,
        class: DataClass,
        before: Timestamp,
        dry_run: bool,
        most: u64,
    ) -> Result<u64, RetentionError> {
        if dry_run {
            return Ok(self.ask(move |prompts| prompts.stats(class, before)).await?.due);
        }
        let mut done = 0;
        while done < most {
            let batch =
                self.ask(move |prompts| prompts.purge(class, before, PROMPTS_BATCH)).await?;
            done += batch;
            if batch < u64::from(PROMPTS_BATCH) {
                break;
            }
            tokio::time::sleep(PAUSE).await;
        }
        Ok(done)
    }
}

// === impl PurgeRun ===

impl PurgeRun {
    /// Calls that no longer say who made them.
    pub fn events(&self) -> u64 {
        self.erased_events + self.classes.iter().map(|class| class.events).sum::<u64>()
    }

    /// Prompts that are gone.
    pub fn prompts(&self) -> u64 {
        self.erased_prompts + self.classes.iter().map(|class| class.prompts).sum::<u64>()
    }

    fn did_something(&self) -> bool {
        self.events() + self.prompts() > 0
    }

    /// For the audit log: counts, by class.
    fn written_down(&self) -> serde_json::Value {
        let classes: serde_json::Map<_, _> = self
            .classes
            .iter()
            .filter(|class| class.events + class.prompts > 0)
            .map(|class| {
                let counts = json!({ "events": class.events, "prompts": class.prompts });
                (class.data_class.to_string(), counts)
            })
            .collect();
        json!({
            "classes": classes,
            "erased": { "events": self.erased_events, "prompts": self.erased_prompts },
        })
    }
}
