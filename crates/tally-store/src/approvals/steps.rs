//! One step of what was asked for, as it is written: the resource, its audit entry, the notices.

use serde_json::Value;
use tally_types::{Name, Resource, StageReached};

use super::{Request, Step, wording};
use crate::{
    AuditAction, ResourceId, Snapshot, Store, StoreError, database,
    notices::{self, Notice},
    state::Entry,
    store::{authorship, checked, planned},
};

/// What was asked for, as it is to be written.
pub(crate) struct Written {
    id: ResourceId,
    spec: Value,
    action: AuditAction,
    /// The version it is based on; none for a new one.
    expected: Option<i64>,
    notices: Vec<Notice>,
    note: Option<String>,
}

// === impl Written ===

impl Written {
    pub(crate) fn new<T: Request>(
        snapshot: &Snapshot,
        name: &Name,
        asked: &T,
        step: Step,
        expected: Option<i64>,
        note: Option<String>,
    ) -> Result<Self, StoreError> {
        let version = expected.unwrap_or(0) + 1;
        let notices = wording::notices(snapshot, name, asked, step, version);
        let spec = serde_json::to_value(asked).map_err(database::backend)?;
        let id = ResourceId::new(T::KIND, name.clone());
        Ok(Self { id, spec, action: T::action(step), expected, notices, note })
    }
}

// === impl Store ===

impl Store {
    /// Writes a step to its end, even when the caller goes away. With a stage that was
    /// reached, both are written, or neither as the stage was written before.
    pub(crate) async fn write_step(
        &self,
        actor: &str,
        written: Written,
        stage: Option<(StageReached, Vec<Notice>)>,
    ) -> Result<Resource, StoreError> {
        let (store, actor) = (self.clone(), actor.to_owned());
        tokio::spawn(async move { store.write_step_here(&actor, written, stage).await })
            .await
            .map_err(|error| StoreError::Backend(format!("the change was interrupted: {error}")))?
    }

    async fn write_step_here(
        &self,
        actor: &str,
        written: Written,
        stage: Option<(StageReached, Vec<Notice>)>,
    ) -> Result<Resource, StoreError> {
        let Written { id, spec, action, expected, mut notices, note } = written;
        let by = authorship(actor, note)?;
        let mut change = self.begin_change().await?;
        let before = change.state().entries.get(&id).map(|entry| entry.version);
        check_version(&id, expected, before)?;
        let typed = checked(&id, &spec)?;
        let version = before.unwrap_or(0) + 1;
        let entry = Entry { version, applied_by: None, spec, typed };
        let plan = planned(change.state(), &id, action, entry)?;
        change.write(plan, &by).await?;
        if let Some((reached, told)) = stage {
            notices.extend(told);
            notices::keep_stage(change.connection(), &reached, Some(&id.name)).await?;
        }
        notices::publish(&mut change, self.channels(), &notices).await?;
        let resource = database::read(change.connection(), &id).await?;
        change.commit().await?;
        resource.ok_or_else(|| database::backend("a changed resource is gone"))
    }
}

fn check_version(
    id: &ResourceId,
    expected: Option<i64>,
    before: Option<i64>,
) -> Result<(), StoreError> {
    let ResourceId { kind, name } = id.clone();
    match (expected, before) {
        (None, Some(_)) => Err(StoreError::AlreadyExists { kind, name }),
        (Some(_), None) => Err(StoreError::NotFound { kind, name, suggestion: None }),
        (Some(expected), Some(actual)) if expected != actual => {
            Err(StoreError::Conflict { kind, name, expected, actual })
        }
        _ => Ok(()),
    }
}

/// At most so many characters of a text.
pub(crate) fn clip(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}

/// The name, or with a number behind it where that is taken.
pub(crate) fn numbered(base: &str, number: u32) -> Result<Name, StoreError> {
    let text = if number == 1 { base.to_owned() } else { format!("{base}-{number}") };
    text.parse().map_err(database::backend)
}
