//! Records that steps of their own make and change: each step is a new version with an audit
//! entry, planned on what the steps before left.

use serde::Serialize;
use tally_types::{
    Kind, Name, Resource, Spec,
    spec::{
        ContributionSpec, PeriodSpec, QuarterlyReviewSpec, RolloutSpec, SprintSpec, StorySpec,
        TemplateSpec,
    },
};

use crate::{
    AuditAction, ResourceId, Store, StoreError,
    database::backend,
    state::{Entry, Plan},
    store::{checked, planned},
};

/// What is said is this long at most.
const TEXT_CHARACTERS_MAX: usize = 2_000;

/// The spec of a record.
pub(crate) trait Record: Clone + PartialEq + Serialize + Send + 'static {
    const KIND: Kind;

    fn of(spec: &Spec) -> Option<&Self>;
}

macro_rules! records {
    ($($kind:ident = $spec:ident),*) => {$(
        impl Record for $spec {
            const KIND: Kind = Kind::$kind;

            fn of(spec: &Spec) -> Option<&Self> {
                match spec {
                    Spec::$kind(spec) => Some(spec),
                    _ => None,
                }
            }
        }
    )*};
}

records!(
    Period = PeriodSpec,
    Rollout = RolloutSpec,
    Sprint = SprintSpec,
    QuarterlyReview = QuarterlyReviewSpec,
    Template = TemplateSpec,
    Story = StorySpec,
    Contribution = ContributionSpec
);

// === impl Store ===

impl Store {
    /// Takes a step of a record; one that changes nothing leaves nothing.
    pub(crate) async fn change_record<T: Record>(
        &self,
        actor: &str,
        note: Option<String>,
        name: Name,
        action: AuditAction,
        step: impl FnOnce(Option<T>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<Resource, StoreError> {
        let id = ResourceId::new(T::KIND, name);
        self.change_one(actor, note, id, move |state, id| {
            let entry = state.entries.get(id);
            let before = entry.and_then(|entry| T::of(&entry.typed)).cloned();
            let after = step(before.clone())?;
            if before.is_some_and(|before| before == after) {
                return Ok(Plan::on(state));
            }
            let spec = serde_json::to_value(after).map_err(backend)?;
            let typed = checked(id, &spec)?;
            let version = entry.map_or(0, |entry| entry.version) + 1;
            planned(state, id, action, Entry { version, applied_by: None, spec, typed })
        })
        .await
    }
}

/// What somebody said, if it is something.
pub(crate) fn text(text: String) -> Result<String, StoreError> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > TEXT_CHARACTERS_MAX {
        return refused(format!("expected 1 to {TEXT_CHARACTERS_MAX} characters of text"));
    }
    Ok(text.to_owned())
}

/// The same of what may be left out.
pub(crate) fn maybe_text(said: Option<String>) -> Result<Option<String>, StoreError> {
    said.filter(|said| !said.trim().is_empty()).map(text).transpose()
}

pub(crate) fn refused<T>(why: String) -> Result<T, StoreError> {
    Err(StoreError::Argument(why))
}
