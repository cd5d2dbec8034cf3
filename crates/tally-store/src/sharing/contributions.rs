//! Failure cases, evaluations, guardrail patterns, mentoring: offered by one, confirmed by another.

use tally_types::{
    Kind, Name, Resource,
    spec::{ContributionSpec, ContributionState, ContributionText},
};

use super::{Sharer, SharingError};
use crate::{
    AuditAction, Store, StoreError,
    records::{maybe_text, refused},
};

// === impl Store ===

impl Store {
    /// Offers a contribution.
    ///
    /// # Errors
    /// `AlreadyExists`; `NotFound` for who was mentored; `Invalid` for one that says nothing.
    pub async fn offer_contribution(
        &self,
        actor: &str,
        name: Name,
        sharer: Sharer,
        shared: ContributionText,
    ) -> Result<Resource, StoreError> {
        if let Some(mentored) = &shared.mentored {
            self.require(Kind::Person, &mentored.0).await?;
        }
        let id = name.clone();
        self.change_record(actor, None, name, AuditAction::Create, move |before| {
            if before.is_some() {
                return Err(StoreError::AlreadyExists { kind: Kind::Contribution, name: id });
            }
            Ok(ContributionSpec {
                author: sharer.by,
                at: sharer.at,
                shared,
                state: ContributionState::Offered,
                decided_by: None,
                decided_at: None,
                note: None,
            })
        })
        .await
    }

    /// Confirms or declines a contribution: of mentoring who was mentored does, else anybody but its
    /// author.
    ///
    /// # Errors
    /// `Own` for its author; `Others` for mentoring of somebody else; `Argument` for one that was
    /// decided about.
    pub async fn decide_contribution(
        &self,
        actor: &str,
        name: Name,
        sharer: Sharer,
        confirms: bool,
        note: Option<String>,
    ) -> Result<Resource, SharingError> {
        let Some(spec) = self.snapshot().contributions.get(&name).cloned() else {
            return Err(self.is_missing(Kind::Contribution, &name).await);
        };
        sharer.must_not_be(&spec.author, "the contribution")?;
        if spec.shared.mentored.as_ref().is_some_and(|mentored| *mentored != sharer.by) {
            let why = "only who was mentored knows whether it helped";
            return Err(SharingError::Others(why.to_owned()));
        }
        let note = maybe_text(note)?;
        let action = if confirms { AuditAction::Approve } else { AuditAction::Deny };
        let changed = self.change_record(actor, note.clone(), name, action, move |spec| {
            let Some(mut spec): Option<ContributionSpec> = spec else {
                return refused("the contribution is gone".to_owned());
            };
            if spec.state != ContributionState::Offered {
                return refused(format!("it is {} already", spec.state));
            }
            spec.state =
                if confirms { ContributionState::Confirmed } else { ContributionState::Declined };
            (spec.decided_by, spec.decided_at) = (Some(sharer.by), Some(sharer.at));
            spec.note = note;
            Ok(spec)
        });
        Ok(changed.await?)
    }
}
