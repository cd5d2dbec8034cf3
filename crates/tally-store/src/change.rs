//! A change under way: what it is planned on, its transaction and its audit entries.

use std::sync::Arc;

use serde_json::Value;
use sqlx::{Any, AnyConnection, Transaction};
use tally_types::{Kind, PersonName, Timestamp};
use tokio::sync::{MutexGuard, watch};

use crate::{
    AuditAction, AuditEntry, ResourceId, Snapshot, StoreError, accounts,
    database::{self, Database},
    log, notices,
    state::{Authorship, Plan, State},
};

/// Holds every other writer off until it is committed, or dropped to undo it.
pub(crate) struct Change<'a> {
    state: MutexGuard<'a, State>,
    snapshots: &'a watch::Sender<Arc<Snapshot>>,
    tx: Transaction<'static, Any>,
    now: Timestamp,
    was_stale: bool,
    /// The sequence of the last audit entry, those of this change included.
    revision: i64,
    /// The resources after it, when it changes some.
    next: Option<State>,
}

/// What was done to the account of a person.
pub(crate) struct AccountAct<'a> {
    pub(crate) actor: &'a str,
    pub(crate) action: AuditAction,
    pub(crate) person: &'a PersonName,
    pub(crate) before: Option<Value>,
    pub(crate) after: Option<Value>,
}

// === impl Change ===

impl<'a> Change<'a> {
    pub(crate) async fn begin(
        database: &Database,
        mut state: MutexGuard<'a, State>,
        snapshots: &'a watch::Sender<Arc<Snapshot>>,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let mut tx = database.begin().await?;
        let revision = database::lock_revision(&mut tx).await?;
        let was_stale = revision != state.revision;
        if was_stale {
            // Another process wrote since; plan on what is there now.
            *state = State::load(&mut tx, revision).await?;
            snapshots.send_replace(Arc::new(state.snapshot()));
        }
        Ok(Self { state, snapshots, tx, now, was_stale, revision, next: None })
    }

    /// Whether another process had written since this one looked.
    pub(crate) fn was_stale(&self) -> bool {
        self.was_stale
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.now
    }

    pub(crate) fn state(&self) -> &State {
        self.next.as_ref().unwrap_or(&self.state)
    }

    pub(crate) fn connection(&mut self) -> &mut AnyConnection {
        &mut self.tx
    }

    /// Writes changes of resources, planned on [`state`](Self::state); at most once, and
    /// before any [`audit`](Self::audit), as the plan counts its entries from there.
    pub(crate) async fn write(&mut self, plan: Plan, by: &Authorship) -> Result<(), StoreError> {
        debug_assert!(self.next.is_none() && self.revision == self.state.revision);
        plan.write(&mut self.tx, by, self.now).await?;
        let gone = plan.edits.iter().filter(|edit| edit.after.is_none());
        for edit in gone.filter(|edit| edit.id.kind == Kind::Person) {
            accounts::forget(&mut self.tx, &edit.id.name).await?;
            notices::forget(&mut self.tx, &edit.id.name).await?;
        }
        self.revision = plan.next.revision;
        self.next = Some(plan.next);
        Ok(())
    }

    /// Writes the audit entry of something done to an account.
    pub(crate) async fn audit(&mut self, act: AccountAct<'_>) -> Result<(), StoreError> {
        let AccountAct { actor, action, person, before, after } = act;
        let id = ResourceId::new(Kind::Person, person.0.clone());
        self.record(actor, action, id, (before, after), None).await?;
        Ok(())
    }

    /// Writes the audit entry of something that changes no resource; gives its sequence.
    pub(crate) async fn record(
        &mut self,
        actor: &str,
        action: AuditAction,
        id: ResourceId,
        (before, after): (Option<Value>, Option<Value>),
        note: Option<String>,
    ) -> Result<i64, StoreError> {
        let version = self.state().entries.get(&id).map_or(0, |entry| entry.version);
        self.revision += 1;
        let entry = AuditEntry {
            sequence: self.revision,
            time: self.now,
            actor: actor.to_owned(),
            action,
            kind: id.kind,
            name: id.name,
            version,
            before,
            after,
            note,
        };
        log::write(&mut self.tx, &entry).await?;
        Ok(self.revision)
    }

    /// What an act is of that is about no resource: the organization, or `tally` while
    /// there is none.
    pub(crate) fn whole(&self) -> Result<ResourceId, StoreError> {
        let named = self.state().of_kind(Kind::Organization).next().map(|(name, _)| name.clone());
        let name = match named {
            Some(name) => name,
            None => "tally".parse().map_err(database::backend)?,
        };
        Ok(ResourceId::new(Kind::Organization, name))
    }

    /// The sequence of the last audit entry, those of this change included.
    pub(crate) fn revision(&self) -> i64 {
        self.revision
    }

    /// Leaves everything as it was.
    pub(crate) async fn undo(self) -> Result<(), StoreError> {
        Ok(self.tx.rollback().await?)
    }

    /// Accounts are not in the snapshot, so a change of nothing else publishes none.
    pub(crate) async fn commit(mut self) -> Result<(), StoreError> {
        if self.revision == self.state.revision {
            self.tx.commit().await?;
            return Ok(());
        }
        database::set_revision(&mut self.tx, self.revision).await?;
        self.tx.commit().await?;
        if let Some(next) = self.next {
            *self.state = next;
            self.state.revision = self.revision;
            self.snapshots.send_replace(Arc::new(self.state.snapshot()));
        }
        self.state.revision = self.revision;
        Ok(())
    }
}
