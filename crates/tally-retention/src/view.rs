//! How it stands: periods, what waits, what was done.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use tally_store::{AuditAction, AuditFilter};
use tally_types::{DataClass, Timestamp};
use tally_warehouse::{Forget, Waiting, Warehouse};

use crate::{Keeper, RetentionError, keeper::ask_warehouse};

/// So many of the last runs are shown.
const RUNS: u32 = 10;

/// How it stands with what is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Retention")]
pub struct RetentionView {
    /// By class of data.
    pub classes: Vec<ClassView>,
    /// The last runs that purged something, newest first.
    pub runs: Vec<PastRun>,
}

/// How it stands with one class of data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "RetentionClass")]
pub struct ClassView {
    /// The class.
    pub data_class: DataClass,
    /// Days after which a call no longer says who made it; null: without end.
    pub personal_days: Option<u32>,
    /// Calls that the next run makes to forget who made them.
    pub events_due: u64,
    /// The time of the oldest of them.
    pub oldest_event_due: Option<Timestamp>,
    /// Days for which prompts are kept; 0: none.
    pub prompts_days: u32,
    /// Prompts that are kept.
    pub prompts_kept: u64,
    /// How large they and their replies are.
    pub prompts_bytes: u64,
    /// How many of them the next run deletes.
    pub prompts_due: u64,
    /// The time of the oldest prompt.
    pub oldest_prompt: Option<Timestamp>,
}

/// A run of before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "RetentionPastRun")]
pub struct PastRun {
    /// Its entry in the audit log.
    pub sequence: i64,
    /// When.
    pub at: Timestamp,
    /// Who began it.
    pub actor: String,
    /// Counts: `{"classes": {"internal": {"events", "prompts"}}, "erased": {"events", "prompts"}}`.
    pub purged: Value,
}

// === impl Keeper ===

impl Keeper {
    /// Periods, what waits for the next run, and the last runs.
    ///
    /// # Errors
    /// When the store, the warehouse or the file of prompts fails.
    pub async fn view(&self, warehouse: &Arc<Warehouse>) -> Result<RetentionView, RetentionError> {
        let (now, retention) = (self.clock.now(), self.retention());
        let mut classes = Vec::new();
        for class in DataClass::ALL.iter().copied() {
            let periods = retention.of(class);
            let waiting = match periods.personal_before(now) {
                None => Waiting::default(),
                Some(before) => {
                    let which = Forget::Older { class, before };
                    ask_warehouse(warehouse, move |warehouse| warehouse.waiting(&[which])).await?
                }
            };
            let before = periods.prompts_before(now);
            let prompts = self.ask(move |prompts| prompts.stats(class, before)).await?;
            classes.push(ClassView {
                data_class: class,
                personal_days: periods.personal_days,
                events_due: waiting.events,
                oldest_event_due: waiting.oldest,
                prompts_days: periods.prompts_days,
                prompts_kept: prompts.prompts,
                prompts_bytes: prompts.bytes,
                prompts_due: prompts.due,
                oldest_prompt: prompts.oldest,
            });
        }
        Ok(RetentionView { classes, runs: self.past_runs().await? })
    }

    async fn past_runs(&self) -> Result<Vec<PastRun>, RetentionError> {
        let filter = AuditFilter {
            before_sequence: Some(i64::MAX),
            limit: RUNS,
            action: Some(AuditAction::PurgePersonalData),
            ..AuditFilter::default()
        };
        let entries = self.store.audit(filter).await?.into_iter();
        let run = entries.map(|entry| PastRun {
            sequence: entry.sequence,
            at: entry.time,
            actor: entry.actor,
            purged: entry.after.unwrap_or_default(),
        });
        Ok(run.collect())
    }
}
