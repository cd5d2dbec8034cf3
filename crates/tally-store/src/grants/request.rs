//! What may be asked for, and who has to approve it.

use jiff::{SignedDuration, Timestamp};
use tally_types::{
    CounterId, PersonName, Role, StageReached, Window,
    spec::{BudgetLimit, BudgetSpec, Each, GrantAsk, GrantNeed, GrantSpec, GrantState, StageRole},
};

use super::{
    GrantError,
    people::{About, behind, with_role},
};
use crate::{Snapshot, suggest};

/// A grant ends by itself after at most so many days.
pub const GRANT_DAYS_MAX: i64 = 90;
/// A person has at most so many requests that nobody decided on.
pub const PENDING_PER_PERSON_MAX: usize = 20;
const REASON_CHARACTERS_MAX: usize = 2_000;

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
) -> Result<GrantSpec, GrantError> {
    let budget = budget_of(snapshot, &new.counter)?;
    check_amount(budget, new.increase)?;
    check_time(new.until, now)?;
    let reason = reason(&new.reason, "reason")?;
    if new.emergency && !budget.emergency {
        let message = format!(
            "the budget `{}` allows no increase before somebody approves it; ask without it",
            new.counter.budget
        );
        return Err(GrantError::invalid("emergency", message));
    }
    let is_open = |grant: &&GrantSpec| {
        grant.requested_by.as_ref() == Some(by) && grant.state == GrantState::Pending
    };
    if snapshot.grants.values().filter(is_open).count() >= PENDING_PER_PERSON_MAX {
        let message = format!(
            "{PENDING_PER_PERSON_MAX} of your requests wait for a decision; withdraw one first"
        );
        return Err(GrantError::invalid("counter", message));
    }
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
        people: fallen(snapshot, behind(snapshot, *role, about), None),
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

/// A reason within its bounds.
pub(crate) fn reason(text: &str, field: &'static str) -> Result<String, GrantError> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > REASON_CHARACTERS_MAX {
        return Err(GrantError::invalid(field, "expected a reason of 1 to 2,000 characters"));
    }
    Ok(text.to_owned())
}

/// The budget of a counter that can exist.
///
/// # Errors
/// `Invalid`, naming the field and what was expected.
pub fn budget_of<'a>(
    snapshot: &'a Snapshot,
    counter: &CounterId,
) -> Result<&'a BudgetSpec, GrantError> {
    let Some(budget) = snapshot.budgets.get(counter.budget.as_str()) else {
        let names = snapshot.budgets.keys().map(|name| name.as_str());
        let meant = suggest::closest(counter.budget.as_str(), names);
        let meant = crate::error::meant(meant.as_deref());
        let message = format!("there is no budget `{}`{meant}", counter.budget);
        return Err(GrantError::invalid("counter.budget", message));
    };
    let known = |each: Each, name: &str| match each {
        Each::Person => snapshot.people.contains_key(name),
        Each::Team => snapshot.teams.contains_key(name),
        Each::Workload => snapshot.workloads.contains_key(name),
    };
    match (budget.scope.each, counter.each.as_deref()) {
        (Some(each), None) => {
            let message = format!("each {each} has their own `{}`; expected whose", counter.budget);
            return Err(GrantError::invalid("counter.each", message));
        }
        (Some(each), Some(name)) if !known(each, name) => {
            let message = format!("there is no {each} `{name}`");
            return Err(GrantError::invalid("counter.each", message));
        }
        (None, Some(_)) => {
            let message = format!("`{}` is one budget for all; expected none", counter.budget);
            return Err(GrantError::invalid("counter.each", message));
        }
        _ => {}
    }
    let environment = counter.environment.as_ref();
    if environment.is_some_and(|environment| !budget.environment_limits.contains_key(environment)) {
        let message = format!(
            "`{}` has no limit of its own for it; expected one of its `environment_limits`, or none",
            counter.budget
        );
        return Err(GrantError::invalid("counter.environment", message));
    }
    Ok(budget)
}

fn check_amount(budget: &BudgetSpec, increase: BudgetLimit) -> Result<(), GrantError> {
    let unit = budget.limit.unit();
    if increase.unit() != unit {
        let message = format!("the budget counts {unit}; expected an amount of {unit}");
        return Err(GrantError::invalid("increase", message));
    }
    if increase.amount() <= 0 {
        return Err(GrantError::invalid("increase", "expected more than zero"));
    }
    Ok(())
}

fn check_time(until: Timestamp, now: Timestamp) -> Result<(), GrantError> {
    if until <= now {
        let message = format!("{until} is in the past; expected a time to come");
        return Err(GrantError::invalid("until", message));
    }
    if until.duration_since(now) > SignedDuration::from_hours(24 * GRANT_DAYS_MAX) {
        let message = format!(
            "expected at most {GRANT_DAYS_MAX} days from now; what is needed for longer is another limit"
        );
        return Err(GrantError::invalid("until", message));
    }
    Ok(())
}

fn needs(
    snapshot: &Snapshot,
    budget: &BudgetSpec,
    counter: &CounterId,
    by: &PersonName,
) -> Result<Vec<GrantNeed>, GrantError> {
    let about = About { counter, person: Some(by), workload: None };
    let roles = match budget.approvers.as_slice() {
        [] => &[StageRole::Owner],
        roles => roles,
    };
    let mut needs: Vec<GrantNeed> = Vec::new();
    for role in roles {
        let asked = behind(snapshot, *role, about);
        let others: Vec<PersonName> = asked.into_iter().filter(|name| name != by).collect();
        // Whoever is left out as they ask themselves has in effect agreed.
        let role = if others.is_empty() { StageRole::Finops } else { *role };
        let people = fallen(snapshot, others, Some(by));
        if people.is_empty() {
            let message = "nobody but you could approve this; give somebody the role finops first";
            return Err(GrantError::invalid("counter", message));
        }
        if !needs.iter().any(|need| need.role == role) {
            needs.push(GrantNeed { role, people });
        }
    }
    Ok(staffed(snapshot, needs, Some(by)))
}

/// As one person fills one need, two needs of the same single person would never both be
/// filled: an admin may then fill the second.
fn staffed(
    snapshot: &Snapshot,
    mut needs: Vec<GrantNeed>,
    but: Option<&PersonName>,
) -> Vec<GrantNeed> {
    let mut taken: Vec<PersonName> = Vec::new();
    let mut order: Vec<usize> = (0..needs.len()).collect();
    order.sort_by_key(|index| needs.get(*index).map_or(0, |need| need.people.len()));
    for index in order {
        let Some(need) = needs.get_mut(index) else { continue };
        if !need.people.iter().any(|name| !taken.contains(name)) {
            let admins = with_role(snapshot, Role::Admin);
            need.people.extend(
                admins.into_iter().filter(|name| !taken.contains(name) && Some(name) != but),
            );
        }
        let free = need.people.iter().find(|name| !taken.contains(name));
        taken.extend(free.cloned());
    }
    needs
}

/// These people; when there are none FinOps; when there are none admins.
fn fallen(
    snapshot: &Snapshot,
    people: Vec<PersonName>,
    but: Option<&PersonName>,
) -> Vec<PersonName> {
    if !people.is_empty() {
        return people;
    }
    [Role::Finops, Role::Admin]
        .into_iter()
        .map(|role| {
            let mut people = with_role(snapshot, role);
            people.retain(|name| Some(name) != but);
            people
        })
        .find(|people| !people.is_empty())
        .unwrap_or_default()
}
