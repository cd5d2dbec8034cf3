//! How cost centers come to be charged: stages with measured gates, the month's sprint, the
//! quarter's review. What is measured is asked of the metrics layer by the caller; what it
//! means is decided here.

mod gates;
mod progress;
mod review;
mod sprint;
#[cfg(test)]
mod tests;
mod trouble;

use tally_types::{
    Kind, Name, PersonName, Resource, Timestamp,
    spec::{GateResult, RolloutGate, RolloutSpec, RolloutStage, RolloutStep},
};

use crate::{
    AuditAction, Store, StoreError,
    records::{maybe_text, refused},
};

pub use gates::{BillSeen, CostCenterUse};
pub use progress::{RolloutProgress, live_workloads, progress, teams_of};
pub use review::{
    NewDecision, QuarterlyReview, ReviewChange, ReviewMove, quarter_of, quarterly_review,
};
pub use sprint::{
    NewTarget, Sprint, TargetProgress, TargetVerdict, reached, scaled, target_progress,
};
pub use trouble::{
    Anomaly, DearTask, DearTaskReference, FailedCalls, Grown, Offenders, SpendOfDay, Unattributed,
    Uncached, WorkloadMonth, anomalies, offenders,
};

/// A cost center is to go to another stage.
#[derive(Debug, Clone)]
pub struct StageMove {
    /// Who decides.
    pub by: PersonName,
    /// When.
    pub at: Timestamp,
    /// Where to.
    pub to: RolloutStage,
    /// Why.
    pub reason: Option<String>,
    /// Whether it goes on although gates do not hold.
    pub overrides: bool,
    /// What was measured for the stage.
    pub gates: Vec<GateResult>,
}

/// Why a cost center stays where it is.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RolloutError {
    /// Nobody decides about their own cost center.
    #[error("you answer for `{0}`; somebody else of FinOps or an admin has to decide")]
    Own(Name),
    /// It is there already, or not yet where it could go from.
    #[error("{0}")]
    Order(String),
    /// A reason is missing.
    #[error("{0}; expected a reason")]
    Reason(&'static str),
    /// Gates do not hold.
    #[error("{} {} not hold", .0.len(), if .0.len() == 1 { "gate does" } else { "gates do" })]
    Gates(Vec<GateResult>),
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

// === impl Store ===

impl Store {
    /// Takes a cost center to another stage: one on when the gates hold or are overridden with
    /// a reason, or back, with a reason.
    ///
    /// # Errors
    /// `Own` for whoever answers for it, `Order`, `Reason`, `Gates` with those that do not hold
    /// (or that nothing stands in for), `NotFound` for a cost center that is not there.
    pub async fn move_stage(
        &self,
        actor: &str,
        cost_center: Name,
        wanted: StageMove,
    ) -> Result<Resource, RolloutError> {
        self.require(Kind::CostCenter, &cost_center).await?;
        let snapshot = self.snapshot();
        if snapshot.cost_centers.get(&cost_center).is_some_and(|spec| spec.owner == wanted.by) {
            return Err(RolloutError::Own(cost_center));
        }
        let from = stage_of(snapshot.rollouts.get(&cost_center));
        let step = decided(&cost_center, from, wanted)?;
        let action = match step.overridden {
            true => AuditAction::OverrideStage,
            false => AuditAction::MoveStage,
        };
        let note = step.reason.clone();
        let moved = self.change_record(actor, note, cost_center, action, move |spec| {
            if stage_of(spec.as_ref()) != from {
                return refused("somebody moved it meanwhile; look at it again".to_owned());
            }
            let mut steps = spec.map(|spec: RolloutSpec| spec.steps).unwrap_or_default();
            let stage = step.to;
            steps.push(step);
            Ok(RolloutSpec { stage, steps })
        });
        Ok(moved.await?)
    }
}

/// Where a cost center is that has a record, or none yet.
pub(crate) fn stage_of(spec: Option<&RolloutSpec>) -> RolloutStage {
    spec.map_or(RolloutStage::Inventory, |spec| spec.stage)
}

/// The step, if it may be taken.
fn decided(
    cost_center: &Name,
    from: RolloutStage,
    wanted: StageMove,
) -> Result<RolloutStep, RolloutError> {
    let StageMove { by, at, to, reason, overrides, gates } = wanted;
    let reason = maybe_text(reason)?;
    if to == from {
        return Err(RolloutError::Order(format!("`{cost_center}` is in stage {from} already")));
    }
    if to < from {
        if reason.is_none() {
            return Err(RolloutError::Reason("it goes back"));
        }
        let (overridden, gates) = (false, Vec::new());
        return Ok(RolloutStep { from, to, at, by, reason, overridden, gates });
    }
    if from.next() != Some(to) {
        let next = from.next().unwrap_or(to);
        let why = format!("`{cost_center}` is in stage {from}; expected {next} first");
        return Err(RolloutError::Order(why));
    }
    let open: Vec<GateResult> = gates.iter().filter(|gate| !gate.ok).cloned().collect();
    let fixed = open.iter().filter(|gate| gate.gate == RolloutGate::ChargebackModel);
    let fixed: Vec<GateResult> = fixed.cloned().collect();
    if !open.is_empty() && !overrides {
        return Err(RolloutError::Gates(open));
    }
    if !fixed.is_empty() {
        return Err(RolloutError::Gates(fixed));
    }
    let overridden = !open.is_empty();
    if overridden && reason.is_none() {
        return Err(RolloutError::Reason("it goes on although gates do not hold"));
    }
    Ok(RolloutStep { from, to, at, by, reason, overridden, gates })
}
