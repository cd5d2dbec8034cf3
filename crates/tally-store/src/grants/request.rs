//! What may be asked for, and who has to approve it.

use jiff::{SignedDuration, Timestamp};
use tally_types::{
    CounterId, PersonName, StageReached, Window,
    spec::{BudgetLimit, BudgetSpec, Each, GrantAsk, GrantNeed, GrantSpec, GrantState, StageRole},
};

use super::people::{About, behind};
use crate::{
    Snapshot,
    approvals::{ApprovalError, Ask, check_pending, fallen, needs_of, reason, staffed},
    suggest,
};

/// A grant ends by itself after at most so many days.
pub const GRANT_DAYS_MAX: i64 = 90;

/// What a person asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewGrant {
    /// Which budget, of whom.
    pub counter: CounterId,
    /// So much more.
    pub increase: BudgetLimit,
    /// Until then.
    pub until: Timestamp,
    /// Why.
    pub reason: String,
    /// Whether it must not wait for an approver.
    pub emergency: bool,
}

/// The grant that a request would become.
///
/// # Errors
/// `Invalid`, naming the field and what was expected.
pub fn request(
    snapshot: &Snapshot,
    by: &PersonName,
    new: NewGrant,
    now: Timestamp,
) -> Result<GrantSpec, ApprovalError> {
    let budget = budget_of(snapshot, &new.counter)?;
    check_amount(budget, new.increase)?;
    check_time(new.until, now)?;
    let reason = reason(&new.reason, "reason")?;
    if new.emergency && !budget.emergency {
        let message = format!(
            "the budget `{}` allows no increase before somebody approves it; ask without it",
            new.counter.budget
        );
        return Err(ApprovalError::invalid("emergency", message));
    }
    check_pending::<GrantSpec>(snapshot, by, "counter")?;
    let needs = needs(snapshot, budget, &new.counter, by)?;
    let state = if new.emergency { GrantState::Approved } else { GrantState::Pending };
    Ok(GrantSpec {
        counter: new.counter,
        ask: GrantAsk::Increase(new.increase),
        until: new.until,
        reason,
        requested_by: Some(by.clone()),
        requested_at: now,
        emergency: new.emergency,
        needs,
        decisions: Vec::new(),
        escalated_at: None,
        state,
    })
}

/// The one approval that a stage opens; none when it asks nobody, or its window is over.
pub(crate) fn pass_stage(
    snapshot: &Snapshot,
    reached: &StageReached,
    now: Timestamp,
) -> Option<GrantSpec> {
    if reached.stage.approval.is_empty() || reached.exhausted_at.is_some() {
        return None;
    }
    let window = snapshot.budgets.get(reached.counter.budget.as_str()).map(|budget| budget.window);
    let until = match window {
        // A rolling window never ends: what was used falls out of it after its length.
        Some(Window::RollingHours(hours)) => {
            let length = SignedDuration::from_hours(i64::from(hours));
            reached.at.max(now).saturating_add(length).ok()?
        }
        _ => reached.window_end,
    };
    if until <= now {
        return None;
    }
    let about = About {
        counter: &reached.counter,
        person: reached.person.as_ref(),
        workload: reached.top_workload.as_ref().or(reached.workload.as_ref()),
    };
    let need = |role: &StageRole| GrantNeed {
        role: *role,
        people: fallen::<GrantSpec>(snapshot, behind(snapshot, *role, about), None),
    };
    Some(GrantSpec {
        counter: reached.counter.clone(),
        ask: GrantAsk::PassStage(reached.stage.at),
        until,
        reason: format!("{} reached {} % of its limit", reached.counter, reached.stage.at),
        requested_by: None,
        requested_at: now.max(reached.window_start),
        emergency: false,
        needs: staffed(snapshot, reached.stage.approval.iter().map(need).collect(), None),
        decisions: Vec::new(),
        escalated_at: None,
        state: GrantState::Pending,
    })
}

/// The budget of a counter that can exist.
///
/// # Errors
/// `Invalid`, naming the field and what was expected.
pub fn budget_of<'a>(
    snapshot: &'a Snapshot,
    counter: &CounterId,
) -> Result<&'a BudgetSpec, ApprovalError> {
    let Some(budget) = snapshot.budgets.get(counter.budget.as_str()) else {
        let names = snapshot.budgets.keys().map(|name| name.as_str());
        let meant = suggest::closest(counter.budget.as_str(), names);
        let meant = crate::error::meant(meant.as_deref());
        let message = format!("there is no budget `{}`{meant}", counter.budget);
        return Err(ApprovalError::invalid("counter.budget", message));
    };
    let known = |each: Each, name: &str| match each {
        Each::Person => snapshot.people.contains_key(name),
        Each::Team => snapshot.teams.contains_key(name),
        Each::Workload => snapshot.workloads.contains_key(name),
    };
    match (budget.scope.each, counter.each.as_deref()) {
        (Some(each), None) => {
            let message = format!("each {each} has their own `{}`; expected whose", counter.budget);
            return Err(ApprovalError::invalid("counter.each", message));
        }
        (Some(each), Some(name)) if !known(each, name) => {
            let message = format!("there is no {each} `{name}`");
            return Err(ApprovalError::invalid("counter.each", message));
        }
        (None, Some(_)) => {
            let message = format!("`{}` is one budget for all; expected none", counter.budget);
            return Err(ApprovalError::invalid("counter.each", message));
        }
        _ => {}
    }
    let environment = counter.environment.as_ref();
    if environment.is_some_and(|environment| !budget.environment_limits.contains_key(environment)) {
        let message = format!(
            "`{}` has no limit of its own for it; expected one of its `environment_limits`, or none",
            counter.budget
        );
        return Err(ApprovalError::invalid("counter.environment", message));
    }
    Ok(budget)
}

fn check_amount(budget: &BudgetSpec, increase: BudgetLimit) -> Result<(), ApprovalError> {
    let unit = budget.limit.unit();
    if increase.unit() != unit {
        let message = format!("the budget counts {unit}; expected an amount of {unit}");
        return Err(ApprovalError::invalid("increase", message));
    }
    if increase.amount() <= 0 {
        return Err(ApprovalError::invalid("increase", "expected more than zero"));
    }
    Ok(())
}

fn check_time(until: Timestamp, now: Timestamp) -> Result<(), ApprovalError> {
    if until <= now {
        let message = format!("{until} is in the past; expected a time to come");
        return Err(ApprovalError::invalid("until", message));
    }
    if until.duration_since(now) > SignedDuration::from_hours(24 * GRANT_DAYS_MAX) {
        let message = format!(
            "expected at most {GRANT_DAYS_MAX} days from now; what is needed for longer is another limit"
        );
        return Err(ApprovalError::invalid("until", message));
    }
    Ok(())
}

fn needs(
    snapshot: &Snapshot,
    budget: &BudgetSpec,
    counter: &CounterId,
    by: &PersonName,
) -> Result<Vec<GrantNeed>, ApprovalError> {
    let about = About { counter, person: Some(by), workload: None };
    let roles = match budget.approvers.as_slice() {
        [] => &[StageRole::Owner],
        roles => roles,
    };
    let asks = roles.iter().map(|role| Ask { role: *role, people: behind(snapshot, *role, about) });
    needs_of::<GrantSpec>(snapshot, asks, by, "counter")
}
