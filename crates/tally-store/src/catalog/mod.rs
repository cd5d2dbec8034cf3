//! The service catalog: what is known of workloads, what is not explained yet, and what a
//! governance meeting talks about. All of it is computed from a snapshot and from numbers of
//! the metrics layer that the caller asks for.

mod agenda;
mod entry;
mod inventory;
mod readiness;
#[cfg(test)]
mod tests;

use jiff::civil::Date;
use tally_types::{
    Kind, Name, PersonName, Resource, Spec,
    spec::{BaselineSpec, TierRationale, WorkloadSpec, WorkloadState},
};

use crate::{
    AuditAction, ResourceId, Store, StoreError,
    approvals::{ApprovalError, clip},
    database, rules,
    state::{Entry, Plan, State},
    store::checked,
};

pub(crate) use agenda::markdown_line;
pub use agenda::{
    Agenda, AgendaException, AgendaReview, AgendaViolations, MonthViolations, PolicyChange, agenda,
    month_of,
};
pub use entry::{Catalog, CatalogEntry, CatalogTotal, Health, Used, catalog};
pub use inventory::{Inventory, ModelSeen, Seen, Tool, Unexplained, draft, inventory};
pub use readiness::{ReadinessItem, TeamReadiness, TeamUse, readiness};

/// A baseline is numbered up to this where its name is taken.
const NUMBERS_MAX: u32 = 1_000;

// === impl Store ===

impl Store {
    /// Approves a workload, or ends it. What stands already is left as it is.
    ///
    /// # Errors
    /// `NotFound`; `Own` for the owner who approves, `Decided` for one that is over, `Invalid`
    /// with the fields that an approved one needs.
    pub async fn move_workload(
        &self,
        actor: &str,
        by: &PersonName,
        name: &Name,
        to: WorkloadState,
        note: Option<String>,
    ) -> Result<Resource, ApprovalError> {
        let snapshot = self.snapshot();
        let current = snapshot.workloads.get(name);
        if to == WorkloadState::Approved && current.is_some_and(|spec| spec.owner == *by) {
            return Err(ApprovalError::Own { may: Vec::new(), or: "FinOps, security or an admin" });
        }
        if to != WorkloadState::Retired
            && current.is_some_and(|spec| spec.state == WorkloadState::Retired)
        {
            return Err(ApprovalError::Decided(format!("`{name}` is retired")));
        }
        let action = match to {
            WorkloadState::Retired => AuditAction::Retire,
            _ => AuditAction::Approve,
        };
        let id = ResourceId::new(Kind::Workload, name.clone());
        let moved = self.change_one(actor, note, id, move |state, id| {
            let before = state.entries.get(id).ok_or_else(|| state.not_found(id))?;
            if matches!(&before.typed, Spec::Workload(spec) if spec.state == to) {
                return Ok(Plan::on(state));
            }
            let mut spec = before.spec.clone();
            if let Some(fields) = spec.as_object_mut() {
                fields.insert("state".to_owned(), to.as_str().into());
            }
            let mut plan = Plan::on(state);
            edit(&mut plan, id, action, before, spec)?;
            checked_plan(plan)
        });
        Ok(moved.await?)
    }

    /// Notes that the choice of a workload's tier was looked at, and until when it holds; what
    /// is not said again is kept.
    ///
    /// # Errors
    /// `NotFound`; `Decided` for one that is over, `Invalid` for a day that is over, and where
    /// nobody ever said why.
    pub async fn review_tier(
        &self,
        actor: &str,
        name: &Name,
        reason: Option<String>,
        review_by: Date,
        note: Option<String>,
    ) -> Result<Resource, ApprovalError> {
        let snapshot = self.snapshot();
        let current = snapshot.workloads.get(name);
        if current.is_some_and(|spec| spec.state == WorkloadState::Retired) {
            return Err(ApprovalError::Decided(format!("`{name}` is retired")));
        }
        let known = current.and_then(|spec| spec.tier_rationale.as_ref()).map(|it| &it.reason);
        let Some(reason) = reason.or_else(|| known.cloned()) else {
            let message = "nobody said yet why a cheaper tier does not do; expected some text";
            return Err(ApprovalError::invalid("reason", message));
        };
        let rationale = serde_json::to_value(TierRationale { reason, review_by });
        let rationale = rationale.map_err(database::backend)?;
        let id = ResourceId::new(Kind::Workload, name.clone());
        let kept = self.change_one(actor, note, id, move |state, id| {
            let before = state.entries.get(id).ok_or_else(|| state.not_found(id))?;
            let mut spec = before.spec.clone();
            if let Some(fields) = spec.as_object_mut() {
                fields.insert("tier_rationale".to_owned(), rationale);
            }
            let mut plan = Plan::on(state);
            edit(&mut plan, id, AuditAction::Update, before, spec)?;
            checked_plan(plan)
        });
        Ok(kept.await?)
    }

    /// Enters a workload and binds a key to it, both or neither.
    ///
    /// # Errors
    /// `AlreadyExists`, `NotFound` for the key, `Invalid`, `Dangling`.
    pub async fn register_workload(
        &self,
        actor: &str,
        name: Name,
        spec: &WorkloadSpec,
        key: Option<Name>,
        note: Option<String>,
    ) -> Result<Resource, StoreError> {
        let spec = serde_json::to_value(spec).map_err(database::backend)?;
        let id = ResourceId::new(Kind::Workload, name);
        self.change_one(actor, note, id, move |state, id| {
            if state.entries.contains_key(id) {
                let ResourceId { kind, name } = id.clone();
                return Err(StoreError::AlreadyExists { kind, name });
            }
            let mut plan = Plan::on(state);
            let typed = checked(id, &spec)?;
            let entry = Entry { version: 1, applied_by: None, spec, typed };
            plan.edit(id, AuditAction::Create, Some(entry));
            if let Some(key) = key {
                bind(&mut plan, state, key, &id.name)?;
            }
            checked_plan(plan)
        })
        .await
    }

    /// Freezes what a workload used.
    ///
    /// # Errors
    /// `NotFound` for the workload, `Invalid`.
    pub async fn freeze_baseline(
        &self,
        actor: &str,
        baseline: &BaselineSpec,
    ) -> Result<Resource, StoreError> {
        self.require(Kind::Workload, &baseline.workload.0).await?;
        let day = baseline.signed_at.to_zoned(self.snapshot().organization.zone()).date();
        let base = format!("{}-{day}", clip(baseline.workload.as_str(), 100));
        let spec = serde_json::to_value(baseline).map_err(database::backend)?;
        let mut number = 1;
        loop {
            let name = if number == 1 { base.clone() } else { format!("{base}-{number}") };
            let name = name.parse().map_err(database::backend)?;
            match self.create(actor, Kind::Baseline, name, spec.clone()).await {
                Err(StoreError::AlreadyExists { .. }) if number < NUMBERS_MAX => number += 1,
                other => return other,
            }
        }
    }
}

/// The workload that a key stands for, where it stands for none yet; else one that a header
/// may name.
fn bind(plan: &mut Plan, state: &State, key: Name, workload: &Name) -> Result<(), StoreError> {
    let id = ResourceId::new(Kind::Key, key);
    let before = state.entries.get(&id).ok_or_else(|| state.not_found(&id))?;
    let mut spec = before.spec.clone();
    if let Some(fields) = spec.as_object_mut() {
        if fields.get("workload").is_none_or(serde_json::Value::is_null) {
            fields.insert("workload".to_owned(), workload.as_str().into());
        } else {
            let more = fields.entry("workloads").or_insert_with(|| serde_json::json!([]));
            if let Some(more) = more.as_array_mut() {
                more.push(workload.as_str().into());
            }
        }
    }
    edit(plan, &id, AuditAction::Update, before, spec)
}

fn edit(
    plan: &mut Plan,
    id: &ResourceId,
    action: AuditAction,
    before: &Entry,
    spec: serde_json::Value,
) -> Result<(), StoreError> {
    plan.edit(id, action, Some(before.followed_by(id, spec)?));
    Ok(())
}

fn checked_plan(plan: Plan) -> Result<Plan, StoreError> {
    rules::check(&plan, &rules::Origins::new())?;
    Ok(plan)
}
