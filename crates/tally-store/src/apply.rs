//! Applying a set of documents: all of them or none.

use std::{borrow::Cow, collections::BTreeSet};

use serde::{Deserialize, Serialize};
use tally_types::{Kind, Name, Spec};

use crate::{
    AuditAction, FieldDiff, Problem, ResourceId, StoreError, diff,
    documents::{Document, duplicates},
    kept,
    rules::{self, Origins},
    state::{Entry, Plan, State, parse_new},
};

/// A report shows at most so many differing fields of one resource.
const DIFF_FIELDS_MAX: usize = 1_000;

/// How to apply.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApplyOptions {
    /// The name of the file set; it owns what it applies.
    pub set: String,
    /// Delete what the set owns and the documents no longer hold.
    #[serde(default)]
    pub prune: bool,
    /// Report only; change nothing.
    #[serde(default)]
    pub dry_run: bool,
    /// Why, for the audit trail.
    #[serde(default)]
    pub note: Option<String>,
}

/// What happened, or would happen, to one resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeAction {
    /// It is new.
    Created,
    /// Its spec differs.
    Updated,
    /// Its spec is the same.
    Unchanged,
    /// It is deleted, as the set no longer holds it.
    Pruned,
}

/// What happened, or would happen, to one resource.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// The kind.
    pub kind: Kind,
    /// The name.
    pub name: Name,
    /// What happened.
    pub action: ChangeAction,
    /// The version afterwards; of a pruned resource, the version that was deleted.
    pub version: i64,
    /// The fields that differ, at most 1,000; empty unless updated.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub diff: Vec<FieldDiff>,
}

/// What an apply did, or would do.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ApplyReport {
    /// One per document, in their order, then the pruned resources.
    pub changes: Vec<Change>,
    /// What the author should know, one sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

// === impl ApplyReport ===

impl ApplyReport {
    /// How many resources had that happen to them.
    pub fn count(&self, action: ChangeAction) -> usize {
        self.changes.iter().filter(|change| change.action == action).count()
    }
}

/// Plans the apply of `documents` on `state`.
pub(crate) fn plan(
    state: &State,
    documents: &[Document],
    options: &ApplyOptions,
) -> Result<(Plan, ApplyReport), StoreError> {
    if options.set.trim().is_empty() {
        return Err(StoreError::Argument("expected a name for the file set".to_owned()));
    }
    refuse_duplicates(documents)?;
    let mut origins = Origins::new();
    let mut problems = Vec::new();
    let mut plan = Plan::on(state);
    let mut report = ApplyReport::default();
    for document in documents {
        let document = &*with_kept(state, document);
        let id = document.id();
        if document.line > 0 {
            origins.insert(id.clone(), document.origin());
        }
        match parse_changed(state, &id, document, origins.get(&id).map(String::as_str)) {
            Ok(typed) => put(&mut plan, &mut report, &id, document, typed, options),
            Err(found) => problems.extend(found),
        }
    }
    if !problems.is_empty() {
        return Err(StoreError::Invalid(problems));
    }
    if options.prune {
        prune(&mut plan, &mut report, documents, options);
    }
    rules::check(&plan, &origins)?;
    Ok((plan, report))
}

/// The document with what only verbs change.
fn with_kept<'a>(state: &State, document: &'a Document) -> Cow<'a, Document> {
    match kept::filled(state, &document.id(), &document.spec) {
        Cow::Owned(spec) => Cow::Owned(Document { spec, ..document.clone() }),
        Cow::Borrowed(_) => Cow::Borrowed(document),
    }
}

fn refuse_duplicates(documents: &[Document]) -> Result<(), StoreError> {
    let problems: Vec<Problem> = duplicates(documents)
        .into_iter()
        .filter_map(|error| {
            let resource = documents
                .iter()
                .find(|document| Some(document.id().to_string()) == error.resource)?;
            Some(Problem {
                resource: resource.id(),
                origin: (error.line > 0).then(|| format!("{}:{}", error.file, error.line)),
                field: None,
                message: error.message,
                suggestion: None,
            })
        })
        .collect();
    if problems.is_empty() { Ok(()) } else { Err(StoreError::Invalid(problems)) }
}

/// The typed spec; none when the stored one is the same, which was checked before.
fn parse_changed(
    state: &State,
    id: &ResourceId,
    document: &Document,
    origin: Option<&str>,
) -> Result<Option<Spec>, Vec<Problem>> {
    if let Some(message) = asked_not_applied(id.kind) {
        return Err(vec![Problem {
            resource: id.clone(),
            origin: origin.map(str::to_owned),
            field: None,
            message: message.to_owned(),
            suggestion: None,
        }]);
    }
    if let Some(problem) = kept::contradiction(state, id, &document.spec, origin) {
        return Err(vec![problem]);
    }
    match state.entries.get(id) {
        Some(entry) if entry.spec == document.spec => Ok(None),
        _ => parse_new(id, &document.spec, origin).map(Some),
    }
}

/// Why a kind is not applied, if it is not.
const fn asked_not_applied(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Grant => {
            Some("a grant is asked for and approved, not applied; ask with `tally grant request`")
        }
        Kind::Exception => Some(
            "an exception is asked for and approved, not applied; ask with `tally exception request`",
        ),
        Kind::AccessRequest => {
            Some("access is asked for and approved, not applied; ask with `tally access request`")
        }
        Kind::Baseline => {
            Some("a baseline is frozen, not applied; use `tally catalog baseline <workload>`")
        }
        Kind::Period => {
            Some("a month is reviewed and closed, not applied; use `tally statement close <month>`")
        }
        Kind::Adjustment => Some(
            "an adjustment is approved and posted, not applied; use `tally reconcile approve <id>`",
        ),
        Kind::Rollout => Some(
            "a cost center is moved from stage to stage, not applied; use `tally rollout move <cost center> <stage>`",
        ),
        Kind::Sprint => Some("targets are set, not applied; use `tally sprint target <month>`"),
        Kind::QuarterlyReview => {
            Some("decisions are recorded, not applied; use `tally review decide <quarter>`")
        }
        Kind::ScoreboardChoice => {
            Some("each person chooses for themselves how they appear; use `tally score choose`")
        }
        Kind::Template => Some(
            "a template is written and approved, not applied; use `tally template new` or `tally template import`",
        ),
        Kind::Story => {
            Some("a story is told and measured, not applied; use `tally story tell <name>`")
        }
        Kind::Contribution => {
            Some("a contribution is offered, not applied; use `tally contribution offer <name>`")
        }
        _ => None,
    }
}

/// Plans one document.
fn put(
    plan: &mut Plan,
    report: &mut ApplyReport,
    id: &ResourceId,
    document: &Document,
    typed: Option<Spec>,
    options: &ApplyOptions,
) {
    let before = plan.next.entries.get(id).cloned();
    let applied_by = Some(options.set.clone());
    let (action, version, fields) = match (&before, typed) {
        (Some(before), None) => {
            if before.applied_by != applied_by {
                let after = Entry { applied_by, ..Entry::clone(before) };
                plan.edit(id, AuditAction::TakeOver, Some(after));
            }
            (ChangeAction::Unchanged, before.version, Vec::new())
        }
        (Some(before), Some(typed)) => {
            let version = before.version + 1;
            let spec = document.spec.clone();
            plan.edit(id, AuditAction::Update, Some(Entry { version, applied_by, spec, typed }));
            (ChangeAction::Updated, version, diff::diff(&before.spec, &document.spec))
        }
        (None, typed) => {
            let spec = document.spec.clone();
            let entry = typed.map(|typed| Entry { version: 1, applied_by, spec, typed });
            plan.edit(id, AuditAction::Create, entry);
            (ChangeAction::Created, 1, Vec::new())
        }
    };
    if let Some(before) = before.filter(|before| before.applied_by.as_ref() != Some(&options.set)) {
        let owner = match &before.applied_by {
            Some(other) => format!("belonged to the set `{other}`"),
            None => "was made by hand".to_owned(),
        };
        report.warnings.push(format!("{id} {owner} and now belongs to `{}`", options.set));
    }
    let mut diff = fields;
    if diff.len() > DIFF_FIELDS_MAX {
        report.warnings.push(format!(
            "{id} differs in {} fields; the first {DIFF_FIELDS_MAX} are shown",
            diff.len()
        ));
        diff.truncate(DIFF_FIELDS_MAX);
    }
    report.changes.push(Change { kind: id.kind, name: id.name.clone(), action, version, diff });
}

/// Plans the deletion of what the set owns but no longer holds.
fn prune(
    plan: &mut Plan,
    report: &mut ApplyReport,
    documents: &[Document],
    options: &ApplyOptions,
) {
    let kept: BTreeSet<ResourceId> = documents.iter().map(Document::id).collect();
    let gone: Vec<(ResourceId, i64)> = plan
        .next
        .entries
        .iter()
        .filter(|(id, entry)| entry.applied_by.as_ref() == Some(&options.set) && !kept.contains(id))
        .map(|(id, entry)| (id.clone(), entry.version))
        .collect();
    for (id, version) in gone {
        plan.edit(&id, AuditAction::Prune, None);
        let ResourceId { kind, name } = id;
        let action = ChangeAction::Pruned;
        report.changes.push(Change { kind, name, action, version, diff: Vec::new() });
    }
}
