//! One step of a grant, as it is written: the resource, its audit entry, the notices.

use tally_types::{
    Kind, Name, Resource, StageReached,
    spec::{GrantAsk, GrantSpec},
};

use super::{Step, wording};
use crate::{
    AuditAction, ResourceId, Snapshot, Store, StoreError, database,
    notices::{self, Notice},
    state::Entry,
    store::{authorship, checked, planned},
};

/// A grant as it is to be written.
pub(crate) struct Written {
    name: Name,
    grant: GrantSpec,
    action: AuditAction,
    /// The version it is based on; none for a new one.
    expected: Option<i64>,
    notices: Vec<Notice>,
    note: Option<String>,
}

// === impl Written ===

impl Written {
    pub(crate) fn new(
        snapshot: &Snapshot,
        name: &Name,
        grant: GrantSpec,
        step: Step,
        expected: Option<i64>,
        note: Option<String>,
    ) -> Self {
        let version = expected.unwrap_or(0) + 1;
        let notices = wording::notices(snapshot, name, &grant, step, version);
        Self { name: name.clone(), grant, action: step.action(), expected, notices, note }
    }
}

// === impl Step ===

impl Step {
    const fn action(self) -> AuditAction {
        match self {
            Self::Requested | Self::Emergency => AuditAction::RequestGrant,
            Self::Approved | Self::Granted => AuditAction::ApproveGrant,
            Self::Reviewed => AuditAction::ReviewGrant,
            Self::Denied => AuditAction::DenyGrant,
            Self::Revoked => AuditAction::RevokeGrant,
            Self::Withdrawn => AuditAction::WithdrawGrant,
            Self::Escalated => AuditAction::EscalateGrant,
            Self::Expired => AuditAction::ExpireGrant,
        }
    }
}

// === impl Store ===

impl Store {
    /// Writes a step to its end, even when the caller goes away. With a stage that was
    /// reached, both are written, or neither as the stage was written before.
    pub(crate) async fn write_grant(
        &self,
        actor: &str,
        written: Written,
        stage: Option<(StageReached, Vec<Notice>)>,
    ) -> Result<Resource, StoreError> {
        let (store, actor) = (self.clone(), actor.to_owned());
        tokio::spawn(async move { store.write_grant_here(&actor, written, stage).await })
            .await
            .map_err(|error| StoreError::Backend(format!("the change was interrupted: {error}")))?
    }

    async fn write_grant_here(
        &self,
        actor: &str,
        written: Written,
        stage: Option<(StageReached, Vec<Notice>)>,
    ) -> Result<Resource, StoreError> {
        let Written { name, grant, action, expected, mut notices, note } = written;
        let by = authorship(actor, note)?;
        let id = ResourceId::new(Kind::Grant, name);
        let mut change = self.begin_change().await?;
        let before = change.state().entries.get(&id).map(|entry| entry.version);
        check_version(&id, expected, before)?;
        let spec = serde_json::to_value(&grant).map_err(database::backend)?;
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
        resource.ok_or_else(|| database::backend("a changed grant is gone"))
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

/// What a grant is called: the budget, the day, who or which stage.
pub(crate) fn name_of(grant: &GrantSpec, snapshot: &Snapshot) -> String {
    let day = grant.requested_at.to_zoned(snapshot.organization.zone()).date();
    let clip = |text: &str, most: usize| text.chars().take(most).collect::<String>();
    let budget = clip(grant.counter.budget.as_str(), 48);
    let last = match (&grant.ask, &grant.requested_by) {
        (GrantAsk::PassStage(at), _) => {
            let each = grant.counter.each.as_deref().map(|each| format!("-{}", clip(each, 40)));
            format!("stage-{at}{}", each.unwrap_or_default())
        }
        (GrantAsk::Increase(_), Some(person)) => clip(person.as_str(), 40),
        (GrantAsk::Increase(_), None) => "tally".to_owned(),
    };
    format!("{budget}-{day}-{last}")
}

/// The name, or with a number behind it where that is taken.
pub(crate) fn numbered(base: &str, number: u32) -> Result<Name, StoreError> {
    let text = if number == 1 { base.to_owned() } else { format!("{base}-{number}") };
    text.parse().map_err(database::backend)
}
