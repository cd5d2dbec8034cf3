//! How what was asked for goes on: approved, denied, revoked, withdrawn, escalated, over.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use tally_types::{
    PersonName,
    spec::{GrantDecision, GrantNeed, GrantState, StageRole},
};

use super::{
    ApprovalError, Request,
    needs::reason,
    people::{askable, has_role, place},
};
use crate::Snapshot;

/// What an approver says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Yes.
    Approve,
    /// No.
    Deny,
}

/// What happened to what was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words say it")]
pub enum Step {
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
    /// Why it is asked for again was looked at; a decision is still to come.
    ArchitectureReviewed,
}

/// What was asked for after a step; none when it stands already.
pub(crate) type Next<T> = Result<Option<(T, Step)>, ApprovalError>;

/// A decision, as it would be written down.
struct Voice {
    role: StageRole,
    for_person: Option<PersonName>,
}

/// The needs that nobody has filled.
pub(crate) fn unfilled<T: Request>(asked: &T) -> Vec<&GrantNeed> {
    let mut said: Vec<StageRole> = asked
        .decisions()
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
    asked.needs().iter().filter(is_open).collect()
}

/// Whether somebody still has to say something: it is pending, or an emergency to review.
pub(crate) fn is_open<T: Request>(asked: &T, now: Timestamp) -> bool {
    let waits = match asked.state() {
        GrantState::Pending => true,
        GrantState::Approved => asked.is_emergency() && !unfilled(asked).is_empty(),
        _ => false,
    };
    waits && now < asked.until()
}

/// Whether a person may decide on it now.
pub fn may_decide<T: Request>(
    snapshot: &Snapshot,
    asked: &T,
    person: &PersonName,
    now: Timestamp,
) -> bool {
    is_open(asked, now) && voice(snapshot, asked, person).is_ok_and(|voice| voice.is_some())
}

/// Whether a person asked for a asked, was asked about it, or decided on it.
pub fn is_party<T: Request>(snapshot: &Snapshot, asked: &T, person: &PersonName) -> bool {
    asked.requested_by() == Some(person)
        || asked.decisions().iter().any(|decision| decision.by == *person)
        || asked.needs().iter().any(|need| place(snapshot, need, person).is_some())
}

/// Everyone who may fill one of the needs that are left.
pub(crate) fn may<T: Request>(snapshot: &Snapshot, asked: &T) -> Vec<PersonName> {
    let mut all: Vec<PersonName> =
        unfilled(asked).into_iter().flat_map(|need| askable(snapshot, need)).collect();
    all.retain(|name| Some(name) != asked.requested_by());
    all.sort();
    all.dedup();
    all
}

/// Yes or no by one person.
///
/// # Errors
/// `Own`, `NotYours`, `Decided` with who decided, `Invalid` for a denial without a reason.
pub(crate) fn decide<T: Request>(
    snapshot: &Snapshot,
    asked: &T,
    by: &PersonName,
    verdict: Verdict,
    why: Option<&str>,
    now: Timestamp,
) -> Next<T> {
    if !is_open(asked, now) {
        return match (asked.state(), verdict) {
            (GrantState::Approved, Verdict::Approve) | (GrantState::Denied, Verdict::Deny) => {
                Ok(None)
            }
            _ => Err(ApprovalError::Decided(standing(asked, now))),
        };
    }
    let earlier = asked.decisions().iter().find(|decision| decision.by == *by);
    if verdict == Verdict::Approve && earlier.is_some() {
        return Ok(None);
    }
    let voice = match earlier {
        // Whoever said yes may still say no, while it is open.
        Some(said) => Some(Voice { role: said.role, for_person: said.for_person.clone() }),
        None => voice(snapshot, asked, by)?,
    };
    let voice = voice.ok_or_else(|| not_yours(snapshot, asked))?;
    let reason = match (verdict, why.map(str::trim).filter(|why| !why.is_empty())) {
        (Verdict::Approve, None) => None,
        (_, why) => Some(reason(why.unwrap_or_default(), "reason")?),
    };
    let next = asked.decided(GrantDecision {
        by: by.clone(),
        role: voice.role,
        for_person: voice.for_person,
        approved: verdict == Verdict::Approve,
        reason,
        at: now,
    });
    Ok(Some(match verdict {
        Verdict::Deny => (next.in_state(GrantState::Denied), Step::Denied),
        Verdict::Approve if next.is_emergency() => (next, Step::Reviewed),
        Verdict::Approve if unfilled(&next).is_empty() => {
            (next.in_state(GrantState::Approved), Step::Granted)
        }
        Verdict::Approve => (next, Step::Approved),
    }))
}

/// Ends what holds, before its time.
///
/// # Errors
/// `NotYours`, `Decided` when it does not hold, `Invalid` without a reason.
pub(crate) fn revoke<T: Request>(
    snapshot: &Snapshot,
    asked: &T,
    by: &PersonName,
    why: &str,
    now: Timestamp,
) -> Next<T> {
    match asked.state() {
        GrantState::Approved if now < asked.until() => {}
        GrantState::Revoked => return Ok(None),
        _ => return Err(ApprovalError::Decided(standing(asked, now))),
    }
    let may = has_role(snapshot, by, T::LAST_RESORT)
        || asked.may_end(snapshot, by)
        || is_party(snapshot, asked, by);
    if !may {
        return Err(not_yours(snapshot, asked));
    }
    reason(why, "reason")?;
    Ok(Some((asked.in_state(GrantState::Revoked), Step::Revoked)))
}

/// Takes a request back.
///
/// # Errors
/// `NotYours` for everyone but who asked, `Decided` when somebody decided.
pub(crate) fn withdraw<T: Request>(asked: &T, by: &PersonName, now: Timestamp) -> Next<T> {
    if asked.requested_by() != Some(by) {
        let may = asked.requested_by().cloned().into_iter().collect();
        return Err(ApprovalError::NotYours { may, or: T::LAST_RESORT_WORDS });
    }
    match asked.state() {
        GrantState::Withdrawn => Ok(None),
        GrantState::Pending if now < asked.until() => {
            Ok(Some((asked.in_state(GrantState::Withdrawn), Step::Withdrawn)))
        }
        _ => Err(ApprovalError::Decided(standing(asked, now))),
    }
}

/// What time alone does to it.
pub(crate) fn pass_time<T: Request>(
    snapshot: &Snapshot,
    asked: &T,
    now: Timestamp,
) -> Option<(T, Step)> {
    if !matches!(asked.state(), GrantState::Pending | GrantState::Approved) {
        return None;
    }
    if now >= asked.until() || asked.is_void(snapshot) {
        return Some((asked.in_state(GrantState::Expired), Step::Expired));
    }
    let hours = i64::from(asked.escalate_hours(snapshot));
    let due = asked.requested_at().saturating_add(SignedDuration::from_hours(hours));
    let is_due = asked.state() == GrantState::Pending
        && asked.escalated_at().is_none()
        && due.is_ok_and(|due| now >= due);
    is_due.then(|| (asked.escalated(now), Step::Escalated))
}

/// As whom a person may speak; none when it is not theirs to decide.
fn voice<T: Request>(
    snapshot: &Snapshot,
    asked: &T,
    person: &PersonName,
) -> Result<Option<Voice>, ApprovalError> {
    if asked.requested_by() == Some(person) {
        return Err(ApprovalError::Own { may: may(snapshot, asked), or: T::LAST_RESORT_WORDS });
    }
    // One person fills one need, and a delegate is no second voice of theirs.
    let heard: BTreeSet<&PersonName> = asked
        .decisions()
        .iter()
        .flat_map(|decision| [Some(&decision.by), decision.for_person.as_ref()])
        .flatten()
        .collect();
    if heard.contains(person) {
        return Ok(None);
    }
    let mut needs = unfilled(asked);
    // The need that fewest others could fill comes first, so that they can fill the rest.
    needs.sort_by_key(|need| need.people.len());
    let own = needs.iter().find_map(|need| {
        let for_person = place(snapshot, need, person)?;
        let is_free = for_person.as_ref().is_none_or(|name| !heard.contains(name));
        is_free.then_some(Voice { role: need.role, for_person })
    });
    let may_step_in = asked.escalated_at().is_some() && has_role(snapshot, person, T::LAST_RESORT);
    Ok(own.or_else(|| {
        let need = needs.first().filter(|_| may_step_in)?;
        Some(Voice { role: need.role, for_person: None })
    }))
}

/// It is somebody else's to decide.
pub(crate) fn not_yours<T: Request>(snapshot: &Snapshot, asked: &T) -> ApprovalError {
    ApprovalError::NotYours { may: may(snapshot, asked), or: T::LAST_RESORT_WORDS }
}

/// What became of it, and by whom.
pub(crate) fn standing<T: Request>(asked: &T, now: Timestamp) -> String {
    let last = asked.decisions().last();
    let by = |verb: &str| match last {
        Some(said) => format!("{} {verb} it on {}", said.by, day(said.at)),
        None => format!("it was {verb}"),
    };
    match asked.state() {
        GrantState::Approved if now < asked.until() => by("approved"),
        GrantState::Denied => by("denied"),
        GrantState::Revoked => "it was revoked".to_owned(),
        GrantState::Withdrawn => "whoever asked for it took it back".to_owned(),
        GrantState::Pending | GrantState::Approved | GrantState::Expired => {
            format!("its time was over on {}", day(asked.until()))
        }
    }
}

fn day(time: Timestamp) -> String {
    time.strftime("%-d %b %Y %H:%M UTC").to_string()
}
