//! Savings stories: told by who made the change, measured by Tally.

use tally_types::{
    Kind, Name, Resource, TeamName,
    spec::{StoryClaim, StoryResult, StorySpec},
};

use super::{Sharer, SharingError};
use crate::{
    AuditAction, Store, StoreError,
    records::{maybe_text, refused},
};

// === impl Store ===

impl Store {
    /// Keeps a story with what was measured of it.
    ///
    /// # Errors
    /// `AlreadyExists`; `Invalid` for a claim that nothing can be measured of.
    pub async fn tell_story(
        &self,
        actor: &str,
        name: Name,
        sharer: Sharer,
        team: Option<TeamName>,
        (claim, result): (StoryClaim, StoryResult),
    ) -> Result<Resource, StoreError> {
        let id = name.clone();
        self.change_record(actor, None, name, AuditAction::Create, move |before| {
            if before.is_some() {
                return Err(StoreError::AlreadyExists { kind: Kind::Story, name: id });
            }
            let (author, at) = (sharer.by, sharer.at);
            Ok(StorySpec { author, team, at, claim, result: Box::new(result), withdrawn: false })
        })
        .await
    }

    /// Keeps what was measured now.
    ///
    /// # Errors
    /// `Others` for who did not tell it; `Argument` for one that was taken back.
    pub async fn measure_story(
        &self,
        actor: &str,
        name: Name,
        sharer: Sharer,
        result: StoryResult,
    ) -> Result<Resource, SharingError> {
        self.change_story(actor, None, name, sharer, AuditAction::MeasureStory, move |spec| {
            *spec.result = result;
        })
        .await
    }

    /// Takes a story back; it stays on record.
    ///
    /// # Errors
    /// `Others` for who did not tell it; `Argument` for one that was taken back already.
    pub async fn withdraw_story(
        &self,
        actor: &str,
        name: Name,
        sharer: Sharer,
        reason: Option<String>,
    ) -> Result<Resource, SharingError> {
        let note = maybe_text(reason)?;
        self.change_story(actor, note, name, sharer, AuditAction::Withdraw, |spec| {
            spec.withdrawn = true;
        })
        .await
    }

    async fn change_story(
        &self,
        actor: &str,
        note: Option<String>,
        name: Name,
        sharer: Sharer,
        action: AuditAction,
        step: impl FnOnce(&mut StorySpec) + Send + 'static,
    ) -> Result<Resource, SharingError> {
        let Some(spec) = self.snapshot().stories.get(&name).cloned() else {
            return Err(self.is_missing(Kind::Story, &name).await);
        };
        sharer.must_be(&spec.author, "the story")?;
        let changed = self.change_record(actor, note, name, action, move |spec| {
            let Some(mut spec): Option<StorySpec> = spec else {
                return refused("the story is gone".to_owned());
            };
            if spec.withdrawn {
                return refused("the story was taken back; tell another one".to_owned());
            }
            step(&mut spec);
            Ok(spec)
        });
        Ok(changed.await?)
    }
}
