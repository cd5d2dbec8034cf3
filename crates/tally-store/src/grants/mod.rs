//! Grants: temporary increases of budgets, and the approvals that stages ask for.
//!
//! The rules are functions of a snapshot and a time (`request`, `decide`); [`Grants`]
//! writes each step as one change with its audit entry and what people are told of it.

mod decide;
mod error;
mod people;
mod request;
mod steps;
#[cfg(test)]
mod tests;
mod trail;
mod wording;

use tally_types::{Kind, Name, PersonName, Resource, StageReached, Timestamp, spec::GrantSpec};

use crate::{ResourceId, Snapshot, Store, StoreError, notices::Notice};

pub use decide::{Verdict, is_party, may_decide};
pub use error::GrantError;
pub use people::concerns;
pub use request::{GRANT_DAYS_MAX, NewGrant, PENDING_PER_PERSON_MAX, budget_of, request};
pub use trail::Minute;

use decide::{Next, Step};
use steps::Written;

pub(crate) use people::{About, behind};
pub(crate) use request::pass_stage;
pub(crate) use wording::{amount, counter_link, counter_name, moment};

/// A grant that others change at the same moment is read again this often.
const ATTEMPTS: usize = 10;
/// A name is numbered up to this where it is taken.
const NUMBERS_MAX: u32 = 10_000;
/// Who acts when nobody does.
const TALLY: &str = "tally";

/// The grants; see [`Store::grants`].
#[derive(Debug, Clone)]
pub struct Grants {
    store: Store,
}

// === impl Store ===

impl Store {
    /// The grants, and what can be done with them.
    pub fn grants(&self) -> Grants {
        Grants { store: self.clone() }
    }
}

// === impl Grants ===

impl Grants {
    /// Asks for more: stored, and its approvers are told.
    ///
    /// # Errors
    /// `Invalid`, naming the field and what was expected.
    pub async fn request(
        &self,
        actor: &str,
        by: &PersonName,
        new: NewGrant,
    ) -> Result<Resource, GrantError> {
        let (snapshot, now) = (self.store.snapshot(), self.store.now());
        let grant = request(&snapshot, by, new, now)?;
        let step = if grant.emergency { Step::Emergency } else { Step::Requested };
        let base = steps::name_of(&grant, &snapshot);
        self.create(actor, &snapshot, &base, grant, step).await
    }

    /// One approver's yes or no. Said twice, or by two at once, it is said once.
    ///
    /// # Errors
    /// `NotFound`; `Own`, `NotYours`, `Decided`, `Invalid` for a denial without a reason.
    pub async fn decide(
        &self,
        actor: &str,
        by: &PersonName,
        name: &Name,
        verdict: Verdict,
        reason: Option<&str>,
    ) -> Result<Resource, GrantError> {
        self.change(actor, name, reason, |snapshot, grant, now| {
            decide::decide(snapshot, grant, by, verdict, reason, now)
        })
        .await
    }

    /// Ends a grant before its time.
    ///
    /// # Errors
    /// `NotFound`, `NotYours`, `Decided`, `Invalid` without a reason.
    pub async fn revoke(
        &self,
        actor: &str,
        by: &PersonName,
        name: &Name,
        reason: &str,
    ) -> Result<Resource, GrantError> {
        self.change(actor, name, Some(reason), |snapshot, grant, now| {
            decide::revoke(snapshot, grant, by, reason, now)
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
    ) -> Result<Resource, GrantError> {
        self.change(actor, name, None, |_, grant, now| decide::withdraw(grant, by, now)).await
    }

    /// Escalates what nobody decided on and ends what is over; tells how many it were.
    ///
    /// # Errors
    /// `Backend`.
    pub async fn sweep(&self) -> Result<usize, StoreError> {
        let (snapshot, now) = (self.store.snapshot(), self.store.now());
        let due = snapshot.grants.iter().filter(|(_, grant)| {
            // Most grants are over; only these two states have time to pass.
            decide::pass_time(&snapshot, grant, now).is_some()
        });
        let mut count = 0;
        for (name, _) in due {
            let changed = self
                .change(TALLY, name, None, |snapshot, grant, now| {
                    Ok(decide::pass_time(snapshot, grant, now))
                })
                .await;
            match changed {
                Ok(_) => count += 1,
                Err(GrantError::Store(error)) => return Err(error),
                Err(error) => tracing::warn!(%error, grant = %name, "a grant is not ended"),
            }
        }
        Ok(count)
    }

    /// The minutes of a grant.
    ///
    /// # Errors
    /// `NotFound`, `Backend`.
    pub async fn trail(&self, name: &Name) -> Result<Vec<Minute>, StoreError> {
        self.store.require(Kind::Grant, name).await?;
        trail::read(&self.store, name).await
    }

    /// Opens the approval of a stage together with the record that it was reached.
    pub(crate) async fn open_stage(
        &self,
        snapshot: &Snapshot,
        grant: GrantSpec,
        reached: StageReached,
        notices: Vec<Notice>,
    ) -> Result<(), StoreError> {
        let base = steps::name_of(&grant, snapshot);
        let mut number = 1;
        loop {
            let name = steps::numbered(&base, number)?;
            let grant = grant.clone();
            let written = Written::new(snapshot, &name, grant, Step::Requested, None, None);
            let stage = Some((reached.clone(), notices.clone()));
            match self.store.write_grant(TALLY, written, stage).await {
                Err(StoreError::AlreadyExists { .. }) if number < NUMBERS_MAX => number += 1,
                other => return other.map(|_| ()),
            }
        }
    }

    async fn create(
        &self,
        actor: &str,
        snapshot: &Snapshot,
        base: &str,
        grant: GrantSpec,
        step: Step,
    ) -> Result<Resource, GrantError> {
        let mut number = 1;
        loop {
            let name = steps::numbered(base, number)?;
            let note = Some(grant.reason.clone());
            let written = Written::new(snapshot, &name, grant.clone(), step, None, note);
            match self.store.write_grant(actor, written, None).await {
                Err(StoreError::AlreadyExists { .. }) if number < NUMBERS_MAX => number += 1,
                other => return Ok(other?),
            }
        }
    }

    /// Changes the newest version of a grant, or leaves it when it stands already.
    async fn change(
        &self,
        actor: &str,
        name: &Name,
        note: Option<&str>,
        next: impl Fn(&Snapshot, &GrantSpec, Timestamp) -> Next,
    ) -> Result<Resource, GrantError> {
        let mut attempt = 1;
        loop {
            let resource = self.store.require(Kind::Grant, name).await?;
            let (snapshot, now) = (self.store.snapshot(), self.store.now());
            let grant = typed(&resource)?;
            let Some((after, step)) = next(&snapshot, &grant, now)? else {
                return Ok(resource);
            };
            let note = note.map(str::trim).filter(|note| !note.is_empty()).map(str::to_owned);
            let version = Some(resource.version);
            let written = Written::new(&snapshot, name, after, step, version, note);
            match self.store.write_grant(actor, written, None).await {
                Err(StoreError::Conflict { .. }) if attempt < ATTEMPTS => attempt += 1,
                other => return Ok(other?),
            }
        }
    }
}

fn typed(resource: &Resource) -> Result<GrantSpec, StoreError> {
    serde_json::from_value(resource.spec.clone()).map_err(|error| {
        let id = ResourceId::new(resource.kind, resource.name.clone());
        StoreError::Backend(format!("{id}: {error}"))
    })
}
