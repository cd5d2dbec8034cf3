//! All resources in memory, as of one revision.
//!
//! Every change is planned on this picture and written inside the transaction that proved
//! it current, so that rules between resources need no SQL.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde_json::{Value, json};
use sqlx::AnyConnection;
use tally_types::{
    Kind, ModelName, Name, ProviderName, Resource, Spec, Timestamp,
    spec::{Access, GrantState},
};

use crate::{
    AuditAction, AuditEntry, Problem, ResourceId, Snapshot, StoreError,
    check::{SpecProblem, check_new, check_spec, value_at},
    database::{self, RowWrite},
    log,
    suggest::closest,
};

/// What the rules need of one resource.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) version: i64,
    pub(crate) applied_by: Option<String>,
    pub(crate) spec: Value,
    pub(crate) typed: Spec,
}

/// Every resource; cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct State {
    /// The sequence of the last audit entry.
    pub(crate) revision: i64,
    pub(crate) entries: BTreeMap<ResourceId, Arc<Entry>>,
}

/// One changed resource.
#[derive(Debug)]
pub(crate) struct Edit {
    pub(crate) id: ResourceId,
    pub(crate) action: AuditAction,
    pub(crate) before: Option<Arc<Entry>>,
    pub(crate) after: Option<Arc<Entry>>,
}

/// A state with planned edits on top.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) next: State,
    pub(crate) edits: Vec<Edit>,
}

/// Who changes, when and why.
#[derive(Debug, Clone)]
pub(crate) struct Authorship {
    pub(crate) actor: String,
    pub(crate) note: Option<String>,
}

// === impl Entry ===

impl Entry {
    /// The next version, with this spec.
    pub(crate) fn followed_by(&self, id: &ResourceId, spec: Value) -> Result<Self, StoreError> {
        let typed = parse_new(id, &spec, None).map_err(StoreError::Invalid)?;
        Ok(Self { version: self.version + 1, applied_by: self.applied_by.clone(), spec, typed })
    }
}

// === impl State ===

impl State {
    /// Reads everything as of `revision`, which the caller's transaction holds still.
    pub(crate) async fn load(
        connection: &mut AnyConnection,
        revision: i64,
    ) -> Result<Self, StoreError> {
        let mut state = Self { revision, entries: BTreeMap::new() };
        let mut problems = Vec::new();
        for resource in database::read_all(connection).await? {
            let Resource { kind, name, version, spec, applied_by, .. } = resource;
            let id = ResourceId::new(kind, name);
            match parse(&id, &spec, None) {
                Ok(typed) => {
                    let entry = Entry { version, applied_by, spec, typed };
                    state.entries.insert(id, Arc::new(entry));
                }
                Err(found) => problems.extend(found),
            }
        }
        if problems.is_empty() { Ok(state) } else { Err(StoreError::Unreadable(problems)) }
    }

    pub(crate) fn of_kind(&self, kind: Kind) -> impl Iterator<Item = (&Name, &Arc<Entry>)> {
        self.entries
            .iter()
            .filter(move |(id, _)| id.kind == kind)
            .map(|(id, entry)| (&id.name, entry))
    }

    /// The name of that kind that was probably meant.
    pub(crate) fn suggest(&self, kind: Kind, name: &Name) -> Option<String> {
        closest(name.as_str(), self.of_kind(kind).map(|(name, _)| name.as_str()))
    }

    pub(crate) fn not_found(&self, id: &ResourceId) -> StoreError {
        StoreError::NotFound {
            kind: id.kind,
            name: id.name.clone(),
            suggestion: self.suggest(id.kind, &id.name),
        }
    }

    #[expect(clippy::too_many_lines, reason = "an arm for each kind, one below the other")]
    pub(crate) fn snapshot(&self) -> Snapshot {
        let mut snapshot =
            Snapshot { revision: u64::try_from(self.revision).unwrap_or(0), ..Snapshot::default() };
        for (id, entry) in &self.entries {
            let name = id.name.clone();
            match entry.typed.clone() {
                Spec::Organization(spec) => {
                    snapshot.organization_name = Some(name);
                    snapshot.organization = spec;
                }
                Spec::Provider(spec) => {
                    snapshot.providers.insert(ProviderName(name), spec);
                }
                Spec::Model(spec) => {
                    snapshot.models.insert(ModelName(name), spec);
                }
                Spec::PriceList(spec) => {
                    snapshot.price_lists.insert(name, spec);
                }
                Spec::CostCenter(spec) => {
                    snapshot.cost_centers.insert(name, spec);
                }
                Spec::Team(spec) => {
                    snapshot.teams.insert(name, spec);
                }
                Spec::Person(spec) => {
                    snapshot.people.insert(name, spec);
                }
                Spec::Workload(spec) => {
                    snapshot.workloads.insert(name, spec);
                }
                Spec::Key(spec) => {
                    snapshot.keys.insert(name, spec);
                }
                Spec::Budget(spec) => {
                    snapshot.budgets.insert(name, spec);
                }
                Spec::Grant(spec) => {
                    snapshot.grants.insert(name, spec);
                }
                Spec::Exception(spec) => {
                    snapshot.exceptions.insert(name, spec);
                }
                Spec::AccessRequest(spec) => {
                    if spec.state == GrantState::Approved {
                        let person = spec.requested_by.0.clone();
                        let access = Access { what: spec.what.clone(), until: spec.until };
                        snapshot.access.entry(person).or_default().push(access);
                    }
                    snapshot.access_requests.insert(name, spec);
                }
                Spec::Policy(spec) => {
                    snapshot.policies.insert(name, spec);
                }
                Spec::Baseline(spec) => {
                    snapshot.baselines.insert(name, spec);
                }
                Spec::RateCard(spec) => {
                    snapshot.rate_cards.insert(name, spec);
                }
                Spec::Period(spec) => {
                    snapshot.periods.insert(name, spec);
                }
                Spec::Adjustment(spec) => {
                    snapshot.adjustments.insert(name, spec);
                }
                Spec::Rollout(spec) => {
                    snapshot.rollouts.insert(name, spec);
                }
                Spec::Sprint(spec) => {
                    snapshot.sprints.insert(name, spec);
                }
                Spec::QuarterlyReview(spec) => {
                    snapshot.quarterly_reviews.insert(name, spec);
                }
                Spec::ScoreboardChoice(spec) => {
                    snapshot.scoreboard_choices.insert(name, spec);
                }
                Spec::ScoringFormula(spec) => {
                    snapshot.scoring_formulas.insert(name, spec);
                }
                Spec::Template(spec) => {
                    snapshot.templates.insert(name, spec);
                }
                Spec::Story(spec) => {
                    snapshot.stories.insert(name, spec);
                }
                Spec::Contribution(spec) => {
                    snapshot.contributions.insert(name, spec);
                }
            }
        }
        snapshot
    }
}

/// Reads a spec that is stored, or says what is wrong with the resource.
fn parse(id: &ResourceId, spec: &Value, origin: Option<&str>) -> Result<Spec, Vec<Problem>> {
    check_spec(id.kind, spec).map_err(|found| problems(id, spec, origin, found))
}

/// Reads a spec that is to be stored, or says what is wrong with the resource.
pub(crate) fn parse_new(
    id: &ResourceId,
    spec: &Value,
    origin: Option<&str>,
) -> Result<Spec, Vec<Problem>> {
    check_new(id.kind, spec).map_err(|found| problems(id, spec, origin, found))
}

fn problems(
    id: &ResourceId,
    spec: &Value,
    origin: Option<&str>,
    found: Vec<SpecProblem>,
) -> Vec<Problem> {
    let problem = |problem: SpecProblem| Problem {
        resource: id.clone(),
        origin: origin.map(str::to_owned),
        message: match place_in(spec, &problem) {
            Some((line, column)) => format!("line {line}, column {column}: {}", problem.message),
            None => problem.message,
        },
        field: Some(problem.field).filter(|field| !field.is_empty()),
        suggestion: problem.suggestion,
    };
    found.into_iter().map(problem).collect()
}

/// Line and column of a mistake within the text of its field.
fn place_in(spec: &Value, problem: &SpecProblem) -> Option<(usize, usize)> {
    let text = value_at(spec, &problem.field)?.as_str()?;
    let before: String = text.chars().take(problem.offset?).collect();
    let column = before.rsplit('\n').next().map_or(0, |line| line.chars().count());
    Some((before.matches('\n').count() + 1, column + 1))
}

// === impl Plan ===

impl Plan {
    pub(crate) fn on(state: &State) -> Self {
        Self { next: state.clone(), edits: Vec::new() }
    }

    /// Plans one change; `after` is none for a deletion.
    pub(crate) fn edit(&mut self, id: &ResourceId, action: AuditAction, after: Option<Entry>) {
        let after = after.map(Arc::new);
        let before = match &after {
            Some(entry) => self.next.entries.insert(id.clone(), Arc::clone(entry)),
            None => self.next.entries.remove(id),
        };
        self.next.revision += 1;
        self.edits.push(Edit { id: id.clone(), action, before, after });
    }

    /// The resources that are created or changed, and those that are gone.
    pub(crate) fn touched(&self) -> (BTreeSet<ResourceId>, BTreeSet<ResourceId>) {
        let (gone, touched): (Vec<_>, Vec<_>) =
            self.edits.iter().partition(|edit| edit.after.is_none());
        let ids = |edits: Vec<&Edit>| edits.into_iter().map(|edit| edit.id.clone()).collect();
        (ids(touched), ids(gone))
    }

    /// Writes the edits, each with its audit entry.
    pub(crate) async fn write(
        &self,
        connection: &mut AnyConnection,
        by: &Authorship,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let first = self.next.revision - i64::try_from(self.edits.len()).unwrap_or(0) + 1;
        for (sequence, edit) in (first..).zip(&self.edits) {
            database::write(connection, &edit.id, edit.row(), now).await?;
            log::write(connection, &edit.audit(sequence, by, now)).await?;
        }
        database::set_revision(connection, self.next.revision).await
    }
}

// === impl Edit ===

impl Edit {
    fn row(&self) -> RowWrite<'_> {
        match (&self.before, &self.after) {
            (_, None) => RowWrite::Delete,
            (None, Some(after)) => {
                RowWrite::Insert { spec: &after.spec, applied_by: after.applied_by.as_deref() }
            }
            (Some(_), Some(after)) if self.action == AuditAction::TakeOver => {
                RowWrite::Owner { applied_by: after.applied_by.as_deref() }
            }
            (Some(before), Some(after)) => RowWrite::Update {
                expected: before.version,
                spec: &after.spec,
                applied_by: after.applied_by.as_deref(),
            },
        }
    }

    fn audit(&self, sequence: i64, by: &Authorship, now: Timestamp) -> AuditEntry {
        let shown = |entry: &Option<Arc<Entry>>| {
            entry.as_ref().map(|entry| match self.action {
                AuditAction::TakeOver => json!({ "applied_by": entry.applied_by }),
                _ => entry.spec.clone(),
            })
        };
        let version = self.after.as_ref().or(self.before.as_ref()).map_or(0, |entry| entry.version);
        AuditEntry {
            sequence,
            time: now,
            actor: by.actor.clone(),
            action: self.action,
            kind: self.id.kind,
            name: self.id.name.clone(),
            version,
            before: shown(&self.before),
            after: shown(&self.after),
            note: by.note.clone(),
        }
    }
}
