//! Who has to approve, and what everybody who asks has to say.

use tally_types::{
    PersonName, Role,
    spec::{GrantNeed, GrantState, StageRole},
};

use super::{ApprovalError, Request, people::with_role};
use crate::Snapshot;

/// A person has at most so many requests of a kind that nobody decided on.
pub const PENDING_PER_PERSON_MAX: usize = 20;
const REASON_CHARACTERS_MAX: usize = 2_000;

/// A role that is to approve, and who has it.
pub(crate) struct Ask {
    pub(crate) role: StageRole,
    pub(crate) people: Vec<PersonName>,
}

/// The needs that these roles make when `by` asks.
///
/// # Errors
/// `Invalid` at `field` when nobody but who asks could approve.
pub(crate) fn needs_of<T: Request>(
    snapshot: &Snapshot,
    asks: impl IntoIterator<Item = Ask>,
    by: &PersonName,
    field: &'static str,
) -> Result<Vec<GrantNeed>, ApprovalError> {
    let mut needs: Vec<GrantNeed> = Vec::new();
    for Ask { role, people } in asks {
        let others: Vec<PersonName> = people.into_iter().filter(|name| name != by).collect();
        // Whoever is left out as they ask themselves has in effect agreed.
        let role = if others.is_empty() { T::LAST_ROLE } else { role };
        let people = fallen::<T>(snapshot, others, Some(by));
        if people.is_empty() {
            let message = format!(
                "nobody but you could approve this; give somebody the role {} first",
                T::LAST_ROLE
            );
            return Err(ApprovalError::invalid(field, message));
        }
        if !needs.iter().any(|need| need.role == role) {
            needs.push(GrantNeed { role, people });
        }
    }
    Ok(staffed(snapshot, needs, Some(by)))
}

/// Keeps one person from filling everybody's list.
///
/// # Errors
/// `Invalid` at `field`.
pub(crate) fn check_pending<T: Request>(
    snapshot: &Snapshot,
    by: &PersonName,
    field: &'static str,
) -> Result<(), ApprovalError> {
    let is_open =
        |asked: &&T| asked.requested_by() == Some(by) && asked.state() == GrantState::Pending;
    if T::all(snapshot).values().filter(is_open).count() < PENDING_PER_PERSON_MAX {
        return Ok(());
    }
    let message = format!(
        "{PENDING_PER_PERSON_MAX} of your requests wait for a decision; withdraw one first"
    );
    Err(ApprovalError::invalid(field, message))
}

/// A reason within its bounds.
pub(crate) fn reason(text: &str, field: &'static str) -> Result<String, ApprovalError> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > REASON_CHARACTERS_MAX {
        return Err(ApprovalError::invalid(field, "expected a reason of 1 to 2,000 characters"));
    }
    Ok(text.to_owned())
}

/// As one person fills one need, two needs of the same single person would never both be
/// filled: an admin may then fill the second.
pub(crate) fn staffed(
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

/// These people; when there are none those who decide in the last resort, role by role.
pub(crate) fn fallen<T: Request>(
    snapshot: &Snapshot,
    people: Vec<PersonName>,
    but: Option<&PersonName>,
) -> Vec<PersonName> {
    if !people.is_empty() {
        return people;
    }
    T::LAST_RESORT
        .iter()
        .map(|role| {
            let mut people = with_role(snapshot, *role);
            people.retain(|name| Some(name) != but);
            people
        })
        .find(|people| !people.is_empty())
        .unwrap_or_default()
}
