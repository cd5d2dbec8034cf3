//! How a grant goes on: approved, denied, revoked, withdrawn, escalated, over.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use tally_types::{
    PersonName, Role,
    spec::{GrantDecision, GrantNeed, GrantSpec, GrantState, StageRole},
};

use super::{
    GrantError,
    people::{askable, has_role, place},
    request::reason,
};
use crate::Snapshot;

/// Hours without a decision where the budget is gone.
const ESCALATE_HOURS: u32 = 24;
/// Who may decide once nobody else did, and who may end any grant.
const LAST_RESORT: &[Role] = &[Role::Finops, Role::Admin];

/// What an approver says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Yes.
    Approve,
    /// No.
    Deny,
}

/// What happened to a grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// It was asked for.
    Requested,
    /// It holds before anybody approved it.
    Emergency,
    /// One of several approvers said yes.
    Approved,
    /// The last one said yes: it holds.
    Granted,
    /// An emergency was looked at and found right.
    Reviewed,
    Denied,
    Revoked,
    Withdrawn,
    Escalated,
    Expired,
}

/// A grant after a step; none when it stands already.
pub(crate) type Next = Result<Option<(GrantSpec, Step)>, GrantError>;

/// A decision, as it would be written down.
struct Voice {
    role: StageRole,
    for_person: Option<PersonName>,
}

/// The needs that nobody has filled.
pub(crate) fn unfilled(grant: &GrantSpec) -> Vec<&GrantNeed> {
    let mut said: Vec<StageRole> = grant
        .decisions
        .iter()
        .filter(|decision| decision.approved)
        .map(|decision| decision.role)
        .collect();
    let is_open = |need: &&GrantNeed| match said.iter().position(|role| *role == need.role) {
        Some(index) => {
            said.swap_remove(index);
            false
        }
        None => true,
    };
    grant.needs.iter().filter(is_open).collect()
}

/// Whether somebody still has to say something: it is pending, or an emergency to review.
pub(crate) fn is_open(grant: &GrantSpec, now: Timestamp) -> bool {
    let waits = match grant.state {
        GrantState::Pending => true,
        GrantState::Approved => grant.emergency && !unfilled(grant).is_empty(),
        _ => false,
    };
    waits && now < grant.until
}

/// Whether a person may decide on a grant now.
pub fn may_decide(
    snapshot: &Snapshot,
    grant: &GrantSpec,
    person: &PersonName,
    now: Timestamp,
) -> bool {
    is_open(grant, now) && voice(snapshot, grant, person).is_ok_and(|voice| voice.is_some())
}

/// Whether a person asked for a grant, was asked about it, or decided on it.
pub fn is_party(snapshot: &Snapshot, grant: &GrantSpec, person: &PersonName) -> bool {
    grant.requested_by.as_ref() == Some(person)
        || grant.decisions.iter().any(|decision| decision.by == *person)
        || grant.needs.iter().any(|need| place(snapshot, need, person).is_some())
}

/// Everyone who may fill one of the needs that are left.
pub(crate) fn may(snapshot: &Snapshot, grant: &GrantSpec) -> Vec<PersonName> {
    let mut all: Vec<PersonName> =
        unfilled(grant).into_iter().flat_map(|need| askable(snapshot, need)).collect();
    all.retain(|name| Some(name) != grant.requested_by.as_ref());
    all.sort();
    all.dedup();
    all
}

/// Yes or no by one person.
///
/// # Errors
/// `Own`, `NotYours`, `Decided` with who decided, `Invalid` for a denial without a reason.
pub(crate) fn decide(
    snapshot: &Snapshot,
    grant: &GrantSpec,
    by: &PersonName,
    verdict: Verdict,
    why: Option<&str>,
    now: Timestamp,
) -> Next {
    if !is_open(grant, now) {
        return match (grant.state, verdict) {
            (GrantState::Approved, Verdict::Approve) | (GrantState::Denied, Verdict::Deny) => {
                Ok(None)
            }
            _ => Err(GrantError::Decided(standing(grant, now))),
        };
    }
    let earlier = grant.decisions.iter().find(|decision| decision.by == *by);
    if verdict == Verdict::Approve && earlier.is_some() {
        return Ok(None);
    }
    let voice = match earlier {
        // Whoever said yes may still say no, while it is open.
        Some(said) => Some(Voice { role: said.role, for_person: said.for_person.clone() }),
        None => voice(snapshot, grant, by)?,
    };
    let voice = voice.ok_or_else(|| GrantError::NotYours { may: may(snapshot, grant) })?;
    let reason = match (verdict, why.map(str::trim).filter(|why| !why.is_empty())) {
        (Verdict::Approve, None) => None,
        (_, why) => Some(reason(why.unwrap_or_default(), "reason")?),
    };
    let mut next = grant.clone();
    next.decisions.push(GrantDecision {
        by: by.clone(),
        role: voice.role,
        for_person: voice.for_person,
        approved: verdict == Verdict::Approve,
        reason,
        at: now,
    });
    let step = match verdict {
        Verdict::Deny => {
            next.state = GrantState::Denied;
            Step::Denied
        }
        Verdict::Approve if next.emergency => Step::Reviewed,
        Verdict::Approve if unfilled(&next).is_empty() => {
            next.state = GrantState::Approved;
            Step::Granted
        }
        Verdict::Approve => Step::Approved,
    };
    Ok(Some((next, step)))
}

/// Ends a grant that holds, before its time.
///
/// # Errors
/// `NotYours`, `Decided` when it does not hold, `Invalid` without a reason.
pub(crate) fn revoke(
    snapshot: &Snapshot,
    grant: &GrantSpec,
    by: &PersonName,
    why: &str,
    now: Timestamp,
) -> Next {
    match grant.state {
        GrantState::Approved if now < grant.until => {}
        GrantState::Revoked => return Ok(None),
        _ => return Err(GrantError::Decided(standing(grant, now))),
    }
    let budget = snapshot.budgets.get(grant.counter.budget.as_str());
    let may = has_role(snapshot, by, LAST_RESORT)
        || budget.is_some_and(|budget| budget.owner == *by)
        || is_party(snapshot, grant, by);
    if !may {
        return Err(GrantError::NotYours { may: self::may(snapshot, grant) });
    }
    reason(why, "reason")?;
    let next = GrantSpec { state: GrantState::Revoked, ..grant.clone() };
    Ok(Some((next, Step::Revoked)))
}

/// Takes a request back.
///
/// # Errors
/// `NotYours` for everyone but who asked, `Decided` when somebody decided.
pub(crate) fn withdraw(grant: &GrantSpec, by: &PersonName, now: Timestamp) -> Next {
    if grant.requested_by.as_ref() != Some(by) {
        return Err(GrantError::NotYours { may: grant.requested_by.iter().cloned().collect() });
    }
    match grant.state {
        GrantState::Withdrawn => Ok(None),
        GrantState::Pending if now < grant.until => {
            let next = GrantSpec { state: GrantState::Withdrawn, ..grant.clone() };
            Ok(Some((next, Step::Withdrawn)))
        }
        _ => Err(GrantError::Decided(standing(grant, now))),
    }
}

/// What time alone does to a grant.
pub(crate) fn pass_time(
    snapshot: &Snapshot,
    grant: &GrantSpec,
    now: Timestamp,
) -> Option<(GrantSpec, Step)> {
    if !matches!(grant.state, GrantState::Pending | GrantState::Approved) {
        return None;
    }
    let budget = snapshot.budgets.get(grant.counter.budget.as_str());
    // Nobody has to decide on more of a budget that is gone.
    if now >= grant.until || budget.is_none() {
        return Some((GrantSpec { state: GrantState::Expired, ..grant.clone() }, Step::Expired));
    }
    let hours = budget.map_or(ESCALATE_HOURS, |budget| budget.escalate_after_hours);
    let due = grant.requested_at.saturating_add(SignedDuration::from_hours(i64::from(hours)));
    let is_due = grant.state == GrantState::Pending
        && grant.escalated_at.is_none()
        && due.is_ok_and(|due| now >= due);
    is_due.then(|| (GrantSpec { escalated_at: Some(now), ..grant.clone() }, Step::Escalated))
}

/// As whom a person may speak; none when it is not theirs to decide.
fn voice(
    snapshot: &Snapshot,
    grant: &GrantSpec,
    person: &PersonName,
) -> Result<Option<Voice>, GrantError> {
    if grant.requested_by.as_ref() == Some(person) {
        return Err(GrantError::Own { may: may(snapshot, grant) });
    }
    // One person fills one need, and a delegate is no second voice of theirs.
    let heard: BTreeSet<&PersonName> = grant
        .decisions
        .iter()
        .flat_map(|decision| [Some(&decision.by), decision.for_person.as_ref()])
        .flatten()
        .collect();
    if heard.contains(person) {
        return Ok(None);
    }
    let mut needs = unfilled(grant);
    // The need that fewest others could fill comes first, so that they can fill the rest.
    needs.sort_by_key(|need| need.people.len());
    let own = needs.iter().find_map(|need| {
        let for_person = place(snapshot, need, person)?;
        let is_free = for_person.as_ref().is_none_or(|name| !heard.contains(name));
        is_free.then_some(Voice { role: need.role, for_person })
    });
    let may_step_in = grant.escalated_at.is_some() && has_role(snapshot, person, LAST_RESORT);
    Ok(own.or_else(|| {
        let need = needs.first().filter(|_| may_step_in)?;
        Some(Voice { role: need.role, for_person: None })
    }))
}

/// What became of a grant, and by whom.
fn standing(grant: &GrantSpec, now: Timestamp) -> String {
    let last = grant.decisions.last();
    let by = |verb: &str| match last {
        Some(said) => format!("{} {verb} it on {}", said.by, day(said.at)),
        None => format!("it was {verb}"),
    };
    match grant.state {
        GrantState::Approved if now < grant.until => by("approved"),
        GrantState::Denied => by("denied"),
        GrantState::Revoked => "it was revoked".to_owned(),
        GrantState::Withdrawn => "whoever asked for it took it back".to_owned(),
        GrantState::Pending | GrantState::Approved | GrantState::Expired => {
            format!("its time was over on {}", day(grant.until))
        }
    }
}

fn day(time: Timestamp) -> String {
    time.strftime("%-d %b %Y %H:%M UTC").to_string()
}
