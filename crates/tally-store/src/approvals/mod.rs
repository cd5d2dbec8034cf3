//! What is asked for and has to be approved: grants, exceptions, access requests.
//!
//! Who approves, delegates, never oneself, escalation, the end, the minutes and what people
//! are told are the same for all; a [`Request`] says what is its own. The rules are functions
//! of a snapshot and a time (`decide`, `needs`); [`Approvals`] writes each step as one change
//! with its audit entry and what people are told of it.

mod decide;
mod error;
mod needs;
mod people;
mod request;
mod steps;
mod trail;
mod wording;

use std::marker::PhantomData;

use tally_types::{
    Name, PersonName, Resource, StageReached, Timestamp,
    spec::{ArchitectureReview, ExceptionSpec, GrantSpec},
};

use crate::{ResourceId, Snapshot, Store, StoreError, notices::Notice};

pub use decide::{Step, Verdict, is_party, may_decide};
pub use error::ApprovalError;
pub use needs::PENDING_PER_PERSON_MAX;
pub use request::Request;
pub use trail::Minute;

use decide::Next;
use steps::Written;

pub(crate) use needs::{Ask, check_pending, fallen, needs_of, reason, staffed};
pub(crate) use people::{has_role, with_role};
pub(crate) use steps::clip;
pub(crate) use wording::{moment, percent_encoded};

#[cfg(test)]
pub(crate) use decide::{decide, pass_time, revoke, withdraw};

/// What others change at the same moment is read again this often.
const ATTEMPTS: usize = 10;
/// A name is numbered up to this where it is taken.
const NUMBERS_MAX: u32 = 10_000;
/// Who acts when nobody does.
const TALLY: &str = "tally";

/// Everything of a kind that has to be approved; see [`Store::approvals`].
#[derive(Debug, Clone)]
pub struct Approvals<T> {
    store: Store,
    kind: PhantomData<fn() -> T>,
}

// === impl Store ===

impl Store {
    /// What was asked for of a kind, and what can be done with it.
    pub fn approvals<T: Request>(&self) -> Approvals<T> {
        Approvals { store: self.clone(), kind: PhantomData }
    }
}

// === impl Approvals ===

impl<T: Request> Approvals<T> {
    /// Asks: stored, and its approvers are told.
    ///
    /// # Errors
    /// `Invalid`, naming the field and what was expected.
    pub async fn request(
        &self,
        actor: &str,
        by: &PersonName,
        new: T::New,
    ) -> Result<Resource, ApprovalError> {
        let (snapshot, now) = (self.store.snapshot(), self.store.now());
        let asked = T::request(&snapshot, by, new, now)?;
        let step = if asked.is_emergency() { Step::Emergency } else { Step::Requested };
        self.create(actor, &snapshot, asked, step).await
    }

    /// One approver's yes or no. Said twice, or by two at once, it is said once.
    ///
    /// # Errors
    /// `NotFound`; `Own`, `NotYours`, `Decided`, `ReviewNeeded`, `Invalid` for a denial
    /// without a reason.
    pub async fn decide(
        &self,
        actor: &str,
        by: &PersonName,
        name: &Name,
        verdict: Verdict,
        reason: Option<&str>,
    ) -> Result<Resource, ApprovalError> {
        self.change(actor, name, reason, |snapshot, asked, now| {
            let next = decide::decide(snapshot, asked, by, verdict, reason, now)?;
            if next.is_some() && verdict == Verdict::Approve {
                asked.check_approval(snapshot, name)?;
            }
            Ok(next)
        })
        .await
    }

    /// Ends it before its time.
    ///
    /// # Errors
    /// `NotFound`, `NotYours`, `Decided`, `Invalid` without a reason.
    pub async fn revoke(
        &self,
        actor: &str,
        by: &PersonName,
        name: &Name,
        reason: &str,
    ) -> Result<Resource, ApprovalError> {
        self.change(actor, name, Some(reason), |snapshot, asked, now| {
            decide::revoke(snapshot, asked, by, reason, now)
        })
        .await
    }

    /// Takes one's own request back.
    ///
    /// # Errors
    /// `NotFound`, `NotYours`, `Decided`.
    pub async fn withdraw(
        &self,
        actor: &str,
        by: &PersonName,
        name: &Name,
    ) -> Result<Resource, ApprovalError> {
        self.change(actor, name, None, |_, asked, now| decide::withdraw(asked, by, now)).await
    }

    /// Escalates what nobody decided on and ends what is over; tells how many it were.
    ///
    /// # Errors
    /// `Backend`.
    pub async fn sweep(&self) -> Result<usize, StoreError> {
        let (snapshot, now) = (self.store.snapshot(), self.store.now());
        let due = T::all(&snapshot)
            .iter()
            .filter(|(_, asked)| decide::pass_time(&snapshot, *asked, now).is_some());
        let mut count = 0;
        for (name, _) in due {
            let changed = self
                .change(TALLY, name, None, |snapshot, asked, now| {
                    Ok(decide::pass_time(snapshot, asked, now))
                })
                .await;
            match changed {
                Ok(_) => count += 1,
                Err(ApprovalError::Store(error)) => return Err(error),
                Err(error) => tracing::warn!(%error, kind = %T::KIND, %name, "it is not ended"),
            }
        }
        Ok(count)
    }

    /// The minutes.
    ///
    /// # Errors
    /// `NotFound`, `Backend`.
    pub async fn trail(&self, name: &Name) -> Result<Vec<Minute>, StoreError> {
        self.store.require(T::KIND, name).await?;
        trail::read::<T>(&self.store, name).await
    }

    async fn create(
        &self,
        actor: &str,
        snapshot: &Snapshot,
        asked: T,
        step: Step,
    ) -> Result<Resource, ApprovalError> {
        let base = asked.base_name(snapshot);
        let mut number = 1;
        loop {
            let name = steps::numbered(&base, number)?;
            let note = Some(asked.reason().to_owned());
            let written = Written::new(snapshot, &name, &asked, step, None, note)?;
            match self.store.write_step(actor, written, None).await {
                Err(StoreError::AlreadyExists { .. }) if number < NUMBERS_MAX => number += 1,
                other => return Ok(other?),
            }
        }
    }

    /// Changes the newest version, or leaves it when it stands already.
    async fn change(
        &self,
        actor: &str,
        name: &Name,
        note: Option<&str>,
        next: impl Fn(&Snapshot, &T, Timestamp) -> Next<T>,
    ) -> Result<Resource, ApprovalError> {
        let mut attempt = 1;
        loop {
            let resource = self.store.require(T::KIND, name).await?;
            let (snapshot, now) = (self.store.snapshot(), self.store.now());
            let asked: T = typed(&resource)?;
            let Some((after, step)) = next(&snapshot, &asked, now)? else {
                return Ok(resource);
            };
            let note = note.map(str::trim).filter(|note| !note.is_empty()).map(str::to_owned);
            let version = Some(resource.version);
            let written = Written::new(&snapshot, name, &after, step, version, note)?;
            match self.store.write_step(actor, written, None).await {
                Err(StoreError::Conflict { .. }) if attempt < ATTEMPTS => attempt += 1,
                other => return Ok(other?),
            }
        }
    }
}

impl Approvals<GrantSpec> {
    /// Opens the approval of a stage together with the record that it was reached.
    pub(crate) async fn open_stage(
        &self,
        snapshot: &Snapshot,
        grant: GrantSpec,
        reached: StageReached,
        notices: Vec<Notice>,
    ) -> Result<(), StoreError> {
        let base = grant.base_name(snapshot);
        let mut number = 1;
        loop {
            let name = steps::numbered(&base, number)?;
            let written = Written::new(snapshot, &name, &grant, Step::Requested, None, None)?;
            let stage = Some((reached.clone(), notices.clone()));
            match self.store.write_step(TALLY, written, stage).await {
                Err(StoreError::AlreadyExists { .. }) if number < NUMBERS_MAX => number += 1,
                other => return other.map(|_| ()),
            }
        }
    }
}

impl Approvals<ExceptionSpec> {
    /// Records that an architect looked at why an exception is asked for again.
    ///
    /// # Errors
    /// `NotFound`; `Own` and `NotYours` for whoever asked and for those without the role;
    /// `Decided`; `Invalid` without a note.
    pub async fn architecture_review(
        &self,
        actor: &str,
        by: &PersonName,
        name: &Name,
        note: &str,
    ) -> Result<Resource, ApprovalError> {
        self.change(actor, name, Some(note), |snapshot, asked, now| {
            if asked.requested_by == *by {
                let may = decide::may(snapshot, asked);
                return Err(ApprovalError::Own { may, or: ExceptionSpec::LAST_RESORT_WORDS });
            }
            if !has_role(snapshot, by, ExceptionSpec::LAST_RESORT) {
                return Err(decide::not_yours(snapshot, asked));
            }
            if !decide::is_open(asked, now) {
                return Err(ApprovalError::Decided(decide::standing(asked, now)));
            }
            let note = reason(note, "note")?;
            let review = ArchitectureReview { by: by.clone(), at: now, note };
            let next = ExceptionSpec { architecture_review: Some(review), ..asked.clone() };
            Ok(Some((next, Step::ArchitectureReviewed)))
        })
        .await
    }
}

fn typed<T: Request>(resource: &Resource) -> Result<T, StoreError> {
    T::deserialize(&resource.spec).map_err(|error| {
        let id = ResourceId::new(resource.kind, resource.name.clone());
        StoreError::Backend(format!("{id}: {error}"))
    })
}

// === impl Step ===

impl Step {
    /// Every step; of those that are written with the same action, the plainest first.
    pub(crate) const ALL: &[Self] = &[
        Self::Requested,
        Self::Approved,
        Self::Reviewed,
        Self::Denied,
        Self::Revoked,
        Self::Withdrawn,
        Self::Escalated,
        Self::Expired,
        Self::ArchitectureReviewed,
        Self::Emergency,
        Self::Granted,
    ];

    /// The last word of the topic that programs are told.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Emergency => "emergency",
            Self::Approved => "approved_by_one",
            Self::Granted => "approved",
            Self::Reviewed => "reviewed",
            Self::Denied => "denied",
            Self::Revoked => "revoked",
            Self::Withdrawn => "withdrawn",
            Self::Escalated => "escalated",
            Self::Expired => "expired",
            Self::ArchitectureReviewed => "architecture_reviewed",
        }
    }
}
