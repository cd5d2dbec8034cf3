//! Calls that were refused or served less, on their way from the journal into the audit
//! log: counted here, and written down as one entry every few seconds, so that a flood of
//! them slows neither the gateway nor the log.

use std::{collections::BTreeMap, sync::Mutex};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tally_store::{AuditAction, Store, StoreError, log::DECISION_IDS_MAX};
use tally_types::{CallStatus, PolicyDecision, Record, Timestamp, UsageEvent};

const ACTOR: &str = "tally gateway";
/// Further reasons of one batch are counted together.
const REASONS_MAX: usize = 100;

/// The batch that is being filled.
#[derive(Debug, Default)]
pub(crate) struct Decisions {
    batch: Mutex<Batch>,
}

#[derive(Debug, Default, Clone)]
struct Batch {
    refused: BTreeMap<String, u64>,
    degraded: BTreeMap<String, u64>,
    count: u64,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
    ids: Vec<String>,
    digest: Sha256,
}

// === impl Decisions ===

impl Decisions {
    /// Takes what was decided of rows that the warehouse has.
    pub(crate) fn take(&self, rows: &[(u64, Record)]) {
        let Ok(mut batch) = self.batch.lock() else { return };
        for (_, record) in rows {
            if let Record::Usage(event) = record {
                batch.take(event);
            }
        }
    }

    /// Writes the batch down, if it holds something.
    ///
    /// # Errors
    /// The store's; then the batch goes on to be filled.
    pub(crate) async fn write_down(&self, store: &Store) -> Result<(), StoreError> {
        let batch = match self.batch.lock() {
            Ok(mut batch) if batch.count > 0 => std::mem::take(&mut *batch),
            _ => return Ok(()),
        };
        let said = batch.said();
        let written = store.log().record(ACTOR, AuditAction::Decisions, said).await;
        if written.is_err() {
            self.put_back(batch);
        }
        written
    }

    /// Joins a batch that was not written with what came since.
    fn put_back(&self, mut old: Batch) {
        let Ok(mut batch) = self.batch.lock() else { return };
        let new = std::mem::take(&mut *batch);
        for (reason, count) in new.refused {
            *old.refused.entry(reason).or_default() += count;
        }
        for (reason, count) in new.degraded {
            *old.degraded.entry(reason).or_default() += count;
        }
        old.count += new.count;
        old.first = old.first.or(new.first);
        old.last = new.last.or(old.last);
        // The digest of what came since stands for it: its ids are hashed already.
        old.digest.update(new.digest.finalize());
        old.ids.extend(new.ids);
        old.ids.truncate(DECISION_IDS_MAX);
        *batch = old;
    }
}

// === impl Batch ===

impl Batch {
    fn take(&mut self, event: &UsageEvent) {
        // The rule that decided says more than the code of the refusal.
        let rule = event.rules.first().filter(|_| event.policy_decision.is_some_and(is_told));
        let rule = rule.map(String::as_str);
        let (reasons, reason) = if event.status == CallStatus::Refused {
            (&mut self.refused, rule.or(event.error_code.as_deref()).unwrap_or("unknown"))
        } else if rule.is_some() || event.tags.contains_key("tally.degraded") {
            (&mut self.degraded, rule.or(event.model_served.as_deref()).unwrap_or("unknown"))
        } else {
            return;
        };
        let is_known = reasons.contains_key(reason) || reasons.len() < REASONS_MAX;
        let reason = if is_known { reason } else { "others" };
        *reasons.entry(reason.to_owned()).or_default() += 1;
        self.count += 1;
        self.first = self.first.or(Some(event.time));
        self.last = Some(event.time);
        let id = event.event_id.to_string();
        self.digest.update(format!("{id}\n"));
        if self.ids.len() < DECISION_IDS_MAX {
            self.ids.push(id);
        }
    }

    fn said(&self) -> Value {
        json!({
            "count": self.count,
            "refused": self.refused,
            "degraded": self.degraded,
            "first": self.first,
            "last": self.last,
            "events": self.ids,
            "events_sha256": hex::encode(self.digest.clone().finalize()),
        })
    }
}

/// Whether what a policy did is a decision that the log holds: it denied or lessened.
fn is_told(decision: PolicyDecision) -> bool {
    decision >= PolicyDecision::Degrade
}

#[cfg(test)]
mod tests {
    use tally_types::{CallId, EventId, Source};
    use uuid::Uuid;

    use super::*;

    fn row(number: u128, change: impl Fn(&mut UsageEvent)) -> (u64, Record) {
        let id = Uuid::from_u128(number);
        let time = "2026-11-22T10:00:00Z".parse().unwrap();
        let mut event = UsageEvent::new(EventId(id), CallId(id), time, Source::Gateway);
        change(&mut event);
        (1, Record::Usage(Box::new(event)))
    }

    #[test]
    fn a_flood_becomes_one_small_entry_that_counts_all_of_it() {
        let decisions = Decisions::default();
        let refused = |event: &mut UsageEvent| {
            event.status = CallStatus::Refused;
            event.error_code = Some("budget_exhausted".to_owned());
        };
        let mut rows: Vec<_> = (0..5_000).map(|number| row(number, refused)).collect();
        rows.push(row(9_999, |event| {
            event.tags.insert("tally.degraded".to_owned(), "model".to_owned());
            event.model_served = Some("gpt-5-mini".to_owned());
        }));
        rows.push(row(10_000, |_| ()));
        rows.push(row(10_001, |event| {
            event.status = CallStatus::Refused;
            event.error_code = Some("policy_denied".to_owned());
            event.policy_decision = Some(PolicyDecision::Deny);
            event.rules = vec!["data-classes/no".to_owned()];
        }));
        decisions.take(&rows);
        let batch = decisions.batch.lock().unwrap().clone();
        let said = batch.said();
        assert_eq!(said["count"], 5_002, "{said}");
        assert_eq!(said["refused"]["budget_exhausted"], 5_000);
        assert_eq!(said["degraded"]["gpt-5-mini"], 1);
        assert_eq!(said["refused"]["data-classes/no"], 1);
        assert_eq!(said["events"].as_array().unwrap().len(), DECISION_IDS_MAX);
        assert!(said.to_string().len() < 8_000);
        // What could not be written is not lost.
        let old = std::mem::take(&mut *decisions.batch.lock().unwrap());
        decisions.take(&rows);
        decisions.put_back(old);
        assert_eq!(decisions.batch.lock().unwrap().count, 10_004);
    }
}
