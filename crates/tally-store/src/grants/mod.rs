//! Grants: temporary increases of budgets, and the approvals that stages ask for.
//!
//! What they share with everything else that is approved stands in
//! [`approvals`](crate::approvals).

mod people;
mod request;
#[cfg(test)]
mod tests;
mod wording;

use std::collections::BTreeMap;

use tally_types::{
    Name, PersonName, Role, Timestamp,
    spec::{GrantAsk, GrantSpec, StageRole},
};

use crate::{
    AuditAction, Snapshot, Store,
    approvals::{ApprovalError, Approvals, Request, Step, clip, moment},
};

pub use people::concerns;
pub use request::{GRANT_DAYS_MAX, NewGrant, budget_of, request};

use wording::wanted;

pub(crate) use people::{About, behind};
pub(crate) use request::pass_stage;
pub(crate) use wording::{amount, counter_link, counter_name};

/// Hours without a decision where the budget is gone.
const ESCALATE_HOURS: u32 = 24;

// === impl Store ===

impl Store {
    /// The grants, and what can be done with them.
    pub fn grants(&self) -> Approvals<GrantSpec> {
        self.approvals()
    }
}

// === impl Request ===

impl Request for GrantSpec {
    type New = NewGrant;

    const WORD: &'static str = "grant";
    const PAGE: &'static str = "/approvals";
    const LAST_RESORT: &'static [Role] = &[Role::Finops, Role::Admin];
    const LAST_ROLE: StageRole = StageRole::Finops;
    const LAST_RESORT_WORDS: &'static str = "FinOps or an admin";
    const LAST_RESORT_MANY: &'static str = "FinOps and admins";

    fn all(snapshot: &Snapshot) -> &BTreeMap<Name, Self> {
        &snapshot.grants
    }

    fn request(
        snapshot: &Snapshot,
        by: &PersonName,
        new: NewGrant,
        now: Timestamp,
    ) -> Result<Self, ApprovalError> {
        request(snapshot, by, new, now)
    }

    /// The budget, the day, who or which stage.
    fn base_name(&self, snapshot: &Snapshot) -> String {
        let day = self.requested_at.to_zoned(snapshot.organization.zone()).date();
        let budget = clip(self.counter.budget.as_str(), 48);
        let last = match (&self.ask, &self.requested_by) {
            (GrantAsk::PassStage(at), _) => {
                let each = self.counter.each.as_deref().map(|each| format!("-{}", clip(each, 40)));
                format!("stage-{at}{}", each.unwrap_or_default())
            }
            (GrantAsk::Increase(_), Some(person)) => clip(person.as_str(), 40),
            (GrantAsk::Increase(_), None) => "tally".to_owned(),
        };
        format!("{budget}-{day}-{last}")
    }

    fn wanted(&self) -> String {
        wanted(self)
    }

    fn asked_for(&self, snapshot: &Snapshot) -> String {
        let counter = counter_name(&self.counter);
        let until = moment(snapshot, self.until);
        match self.ask {
            GrantAsk::Increase(more) if self.emergency => format!(
                "took {} more on {counter} until {until} in an emergency, before anybody approved it",
                amount(more)
            ),
            GrantAsk::Increase(more) => {
                format!("asked for {} more on {counter} until {until}", amount(more))
            }
            GrantAsk::PassStage(at) => {
                format!("{counter} reached {at} %: asked whether it may go on until {until}")
            }
        }
    }

    fn action(step: Step) -> AuditAction {
        match step {
            Step::Requested | Step::Emergency => AuditAction::RequestGrant,
            Step::Approved | Step::Granted => AuditAction::ApproveGrant,
            Step::Reviewed | Step::ArchitectureReviewed => AuditAction::ReviewGrant,
            Step::Denied => AuditAction::DenyGrant,
            Step::Revoked => AuditAction::RevokeGrant,
            Step::Withdrawn => AuditAction::WithdrawGrant,
            Step::Escalated => AuditAction::EscalateGrant,
            Step::Expired => AuditAction::ExpireGrant,
        }
    }

    fn owner(&self, snapshot: &Snapshot) -> Option<PersonName> {
        snapshot.budgets.get(self.counter.budget.as_str()).map(|budget| budget.owner.clone())
    }

    fn may_end(&self, snapshot: &Snapshot, by: &PersonName) -> bool {
        self.owner(snapshot).as_ref() == Some(by)
    }

    /// Nobody has to decide on more of a budget that is gone.
    fn is_void(&self, snapshot: &Snapshot) -> bool {
        !snapshot.budgets.contains_key(self.counter.budget.as_str())
    }

    fn escalate_hours(&self, snapshot: &Snapshot) -> u32 {
        let budget = snapshot.budgets.get(self.counter.budget.as_str());
        budget.map_or(ESCALATE_HOURS, |budget| budget.escalate_after_hours)
    }
}
