//! Templates: written, looked at by somebody else, used, replaced.

use tally_types::{
    Kind, Name, Resource, TeamName, TemplateName,
    spec::{
        TemplateAbout, TemplateEvaluation, TemplateSpec, TemplateState, TemplateText,
        TemplateVersion, VersionReview, VersionState,
    },
};

use super::{Sharer, SharingError};
use crate::{
    AuditAction, Snapshot, Store, StoreError,
    records::{maybe_text, refused, text},
};

/// Leaves room for `@` and a number in the name of a version.
const NAME_BYTES_MAX: usize = 100;
const VERSIONS_MAX: usize = 500;
const EVALUATIONS_MAX: usize = 1_000;

/// A template that is to be made.
#[derive(Debug, Clone)]
pub struct NewTemplate {
    /// What it is for.
    pub about: TemplateAbout,
    /// Its first version.
    pub text: TemplateText,
    /// The team of whoever makes it.
    pub team: Option<TeamName>,
    /// Whether it comes with Tally, and is approved as it is.
    pub shipped: bool,
}

/// Another version of a template, with what it is for where that changes, too.
#[derive(Debug, Clone)]
pub struct NewVersion {
    /// What it says.
    pub text: TemplateText,
    /// What the template is for from here on.
    pub about: Option<TemplateAbout>,
}

/// What somebody else says of a version.
#[derive(Debug, Clone)]
pub struct Ruling {
    /// Which.
    pub version: u32,
    /// Whether it may be used; else its author works on.
    pub approves: bool,
    /// What is said.
    pub note: Option<String>,
}

/// What a header names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolvedTemplate {
    /// With the version, where there is one.
    pub name: TemplateName,
    /// Whether it is over.
    pub is_retired: bool,
    /// What takes its place.
    pub replaced_by: Option<TemplateName>,
}

// === impl Snapshot ===

impl Snapshot {
    /// What `name` or `name@3` stands for, if it is known: the current version where none is named.
    pub fn template(&self, said: &TemplateName) -> Option<ResolvedTemplate> {
        let (name, number) = match said.as_str().split_once('@') {
            Some((name, number)) => (name, Some(number.parse::<u32>().ok()?)),
            None => (said.as_str(), None),
        };
        let spec = self.templates.get(name)?;
        let version = match number {
            Some(number) => Some(spec.version(number)?),
            None => spec.current(),
        };
        let full = version.and_then(|version| format!("{name}@{}", version.number).parse().ok());
        Some(ResolvedTemplate {
            name: full.unwrap_or_else(|| said.clone()),
            is_retired: spec.state == TemplateState::Retired,
            replaced_by: spec.replaced_by.clone(),
        })
    }
}

// === impl Store ===

impl Store {
    /// Makes a template with its first version, a draft.
    ///
    /// # Errors
    /// `AlreadyExists`; `Argument` for a name with `@`; `Invalid` for a text whose variables do not fit.
    pub async fn new_template(
        &self,
        actor: &str,
        name: Name,
        sharer: Sharer,
        new: NewTemplate,
    ) -> Result<Resource, StoreError> {
        if name.as_str().contains('@') || name.as_str().len() > NAME_BYTES_MAX {
            let why =
                format!("expected a name without `@`, of {NAME_BYTES_MAX} characters at most");
            return refused(why);
        }
        let id = name.clone();
        self.change_record(actor, None, name, AuditAction::Create, move |before| {
            if before.is_some() {
                return Err(StoreError::AlreadyExists { kind: Kind::Template, name: id });
            }
            let mut version = draft(1, new.text, &sharer)?;
            if new.shipped {
                version.review.state = VersionState::Approved;
                version.review.note = Some("Shipped with Tally".to_owned());
            }
            Ok(TemplateSpec {
                about: new.about,
                owner: sharer.by,
                team: new.team,
                state: TemplateState::Active,
                versions: vec![version],
                evaluations: Vec::new(),
                replaced_by: None,
                shipped: new.shipped,
            })
        })
        .await
    }

    /// Adds a version, a draft.
    ///
    /// # Errors
    /// `Others` for who does not own the template; `Argument` for one that is over.
    pub async fn add_template_version(
        &self,
        actor: &str,
        name: Name,
        sharer: Sharer,
        new: NewVersion,
    ) -> Result<Resource, SharingError> {
        let spec = self.template_spec(&name).await?;
        sharer.must_be(&spec.owner, "the template")?;
        self.change_template(actor, None, name, AuditAction::Update, move |spec| {
            if spec.versions.len() >= VERSIONS_MAX {
                return refused(format!("a template has {VERSIONS_MAX} versions at most"));
            }
            let number = spec.versions.last().map_or(1, |last| last.number.saturating_add(1));
            let version = draft(number, new.text, &sharer)?;
            spec.versions.push(version);
            if let Some(about) = new.about {
                spec.about = about;
            }
            Ok(())
        })
        .await
    }

    /// Asks somebody else to look at a version.
    ///
    /// # Errors
    /// `Others` for who does not own the template; `Argument` for a version that is no draft.
    pub async fn submit_template_version(
        &self,
        actor: &str,
        name: Name,
        sharer: Sharer,
        number: u32,
    ) -> Result<Resource, SharingError> {
        let spec = self.template_spec(&name).await?;
        sharer.must_be(&spec.owner, "the template")?;
        self.change_template(actor, None, name, AuditAction::SubmitVersion, move |spec| {
            let version = version_in(spec, number, VersionState::Draft)?;
            version.review.state = VersionState::Submitted;
            Ok(())
        })
        .await
    }

    /// Approves a version, or gives it back.
    ///
    /// # Errors
    /// `Own` for who owns the template or wrote the version; `Argument` for one nobody submitted, and
    /// for one given back without a word.
    pub async fn rule_on_template_version(
        &self,
        actor: &str,
        name: Name,
        sharer: Sharer,
        ruling: Ruling,
    ) -> Result<Resource, SharingError> {
        let spec = self.template_spec(&name).await?;
        sharer.must_not_be(&spec.owner, "the template")?;
        if let Some(version) = spec.version(ruling.version) {
            sharer.must_not_be(&version.by, "the version")?;
        }
        let note = maybe_text(ruling.note)?;
        if !ruling.approves && note.is_none() {
            return Ok(refused("say what is missing in `note`".to_owned())?);
        }
        let action = if ruling.approves { AuditAction::Approve } else { AuditAction::Deny };
        self.change_template(actor, note.clone(), name, action, move |spec| {
            let version = version_in(spec, ruling.version, VersionState::Submitted)?;
            let state = if ruling.approves { VersionState::Approved } else { VersionState::Draft };
            let (by, at) = (Some(sharer.by), Some(sharer.at));
            version.review = VersionReview { state, by, at, note };
            Ok(())
        })
        .await
    }

    /// Keeps what somebody found when they tried a version.
    ///
    /// # Errors
    /// `Argument` for a version that is not there, or without a text.
    pub async fn evaluate_template(
        &self,
        actor: &str,
        name: Name,
        sharer: Sharer,
        number: u32,
        said: String,
    ) -> Result<Resource, SharingError> {
        let said = text(said)?;
        self.change_template(actor, None, name, AuditAction::EvaluateTemplate, move |spec| {
            if spec.version(number).is_none() {
                return refused(format!("there is no version {number}"));
            }
            if spec.evaluations.len() >= EVALUATIONS_MAX {
                return refused(format!("a template has {EVALUATIONS_MAX} evaluations at most"));
            }
            let (by, at) = (sharer.by, sharer.at);
            spec.evaluations.push(TemplateEvaluation { version: number, text: said, by, at });
            Ok(())
        })
        .await
    }

    /// Ends a template; another one may take its place.
    ///
    /// # Errors
    /// `Others` for who does not own it; `NotFound` for what is to replace it; `Argument` for one that
    /// is over, or that is to be replaced by itself.
    pub async fn retire_template(
        &self,
        actor: &str,
        name: Name,
        sharer: Sharer,
        replaced_by: Option<TemplateName>,
        reason: Option<String>,
    ) -> Result<Resource, SharingError> {
        let spec = self.template_spec(&name).await?;
        sharer.must_be(&spec.owner, "the template")?;
        if let Some(other) = &replaced_by {
            let other = self.template_spec(&other.0).await?;
            if other.state == TemplateState::Retired {
                return Ok(refused("expected one that is in use to take its place".to_owned())?);
            }
        }
        if replaced_by.as_ref().is_some_and(|other| other.0 == name) {
            return Ok(refused("expected another one to take its place".to_owned())?);
        }
        let note = maybe_text(reason)?;
        self.change_template(actor, note, name, AuditAction::Retire, move |spec| {
            spec.state = TemplateState::Retired;
            spec.replaced_by = replaced_by;
            Ok(())
        })
        .await
    }

    async fn template_spec(&self, name: &Name) -> Result<TemplateSpec, SharingError> {
        match self.snapshot().templates.get(name) {
            Some(spec) => Ok(spec.clone()),
            None => Err(self.is_missing(Kind::Template, name).await),
        }
    }

    async fn change_template(
        &self,
        actor: &str,
        note: Option<String>,
        name: Name,
        action: AuditAction,
        step: impl FnOnce(&mut TemplateSpec) -> Result<(), StoreError> + Send + 'static,
    ) -> Result<Resource, SharingError> {
        self.template_spec(&name).await?;
        let changed = self.change_record(actor, note, name, action, move |spec| {
            let Some(mut spec): Option<TemplateSpec> = spec else {
                return refused("the template is gone".to_owned());
            };
            if spec.state == TemplateState::Retired {
                return refused("the template is retired; write another one".to_owned());
            }
            step(&mut spec)?;
            Ok(spec)
        });
        Ok(changed.await?)
    }
}

fn draft(number: u32, said: TemplateText, sharer: &Sharer) -> Result<TemplateVersion, StoreError> {
    Ok(TemplateVersion {
        number,
        text: TemplateText { note: maybe_text(said.note.clone())?, ..said },
        by: sharer.by.clone(),
        at: sharer.at,
        review: VersionReview { state: VersionState::Draft, by: None, at: None, note: None },
    })
}

fn version_in(
    spec: &mut TemplateSpec,
    number: u32,
    state: VersionState,
) -> Result<&mut TemplateVersion, StoreError> {
    let found = spec.versions.iter_mut().find(|version| version.number == number);
    match found {
        Some(version) if version.review.state == state => Ok(version),
        Some(version) => refused(format!(
            "version {number} is in state `{}`; expected `{state}`",
            version.review.state
        )),
        None => refused(format!("there is no version {number}")),
    }
}
