//! The store: every way to read and change resources.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicI64, Ordering},
};

use serde_json::Value;
use tally_types::{Clock, Kind, Name, Resource, Spec, Timestamp};
use tokio::sync::{Mutex, RwLock, watch};

use crate::{
    ApplyOptions, ApplyReport, AuditAction, AuditEntry, AuditFilter, Problem, ResourceId, Snapshot,
    StoreError, apply,
    change::Change,
    database::{self, Database},
    documents::Document,
    formulas, kept,
    list::{ListOptions, Page},
    log::Signer,
    notices::Channels,
    rules,
    state::{Authorship, Entry, Plan, State, parse_new},
};

/// The resources and their audit trail in a database; clones share it.
///
/// Several processes may share one PostgreSQL database; each sees the others' changes in
/// its snapshot at its own next change or [`refresh`](Self::refresh).
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    database: Database,
    clock: Arc<dyn Clock>,
    /// The last state this process knows; locked for the whole of a change.
    state: Mutex<State>,
    snapshots: watch::Sender<Arc<Snapshot>>,
    /// Counts the replies begun, of which only every so many is followed by tidying up.
    replies_begun: AtomicI64,
    /// Where notices go besides the inbox; set once at start.
    channels: OnceLock<Channels>,
    /// Signs the log's checkpoints.
    signer: RwLock<Option<Signer>>,
}

/// A planned change, what to answer, and which resource to read back.
struct Planned<T> {
    plan: Plan,
    answer: T,
    dry_run: bool,
    read_back: Option<ResourceId>,
}

// === impl Store ===

impl Store {
    /// Opens the database at `url` (`sqlite:///path/tally.db?mode=rwc`, see
    /// [`sqlite_url`](crate::sqlite_url); or `postgres://…`) and migrates its tables.
    ///
    /// # Errors
    /// `Backend` when it cannot be opened, `NewerSchema` when a newer Tally wrote it,
    /// `Unreadable` naming every stored resource that this version cannot read.
    pub async fn open(url: &str, clock: Arc<dyn Clock>) -> Result<Self, StoreError> {
        let database = Database::open(url, clock.now()).await?;
        let mut tx = database.begin().await?;
        let revision = database::lock_revision(&mut tx).await?;
        let state = State::load(&mut tx, revision).await?;
        tx.commit().await?;
        let (snapshots, _) = watch::channel(Arc::new(state.snapshot()));
        let state = Mutex::new(state);
        let (replies_begun, channels, signer) = Default::default();
        let inner = Inner { database, clock, state, snapshots, replies_begun, channels, signer };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Closes the connections, writing SQLite's log back; later calls fail.
    pub async fn close(&self) {
        self.inner.database.close().await;
    }

    /// The resources as of the last change this process knows.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.inner.snapshots.borrow())
    }

    /// Follows the snapshot, swapped whole after each committed change.
    pub fn watch(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.inner.snapshots.subscribe()
    }

    /// Takes over what other processes changed; tells whether there was something.
    ///
    /// # Errors
    /// `Backend`, or `Unreadable` when a newer Tally wrote something unknown.
    pub async fn refresh(&self) -> Result<bool, StoreError> {
        let change = self.begin_change().await?;
        let is_stale = change.was_stale();
        change.undo().await?;
        Ok(is_stale)
    }

    /// One resource, if it exists.
    ///
    /// # Errors
    /// `Backend`.
    pub async fn get(&self, kind: Kind, name: &Name) -> Result<Option<Resource>, StoreError> {
        self.inner.database.get(&ResourceId::new(kind, name.clone())).await
    }

    /// One resource that should exist.
    ///
    /// # Errors
    /// `NotFound` with the name that was probably meant; `Backend`.
    pub async fn require(&self, kind: Kind, name: &Name) -> Result<Resource, StoreError> {
        let id = ResourceId::new(kind, name.clone());
        match self.inner.database.get(&id).await? {
            Some(resource) => Ok(resource),
            None => Err(self.inner.state.lock().await.not_found(&id)),
        }
    }

    /// One page of the resources of a kind, by name.
    ///
    /// # Errors
    /// `Backend`.
    pub async fn list(&self, kind: Kind, options: ListOptions) -> Result<Page, StoreError> {
        let limit = if options.limit == 0 { 100 } else { options.limit.min(1_000) };
        let after = options.after.as_ref().map_or("", Name::as_str);
        // One more than asked for tells whether there is a next page.
        let wanted = i64::from(limit) + 1;
        let mut items = self.inner.database.list(kind, after, &options.prefix, wanted).await?;
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let has_more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| has_more).map(|item| item.name.clone());
        Ok(Page { items, next })
    }

    /// Entries of the audit trail.
    ///
    /// # Errors
    /// `Backend`.
    pub async fn audit(&self, filter: AuditFilter) -> Result<Vec<AuditEntry>, StoreError> {
        self.inner.database.audit(&filter).await
    }

    /// Creates a resource at version 1.
    ///
    /// # Errors
    /// `AlreadyExists`; `Invalid` and `Dangling` as for [`apply`](Self::apply).
    pub async fn create(
        &self,
        actor: &str,
        kind: Kind,
        name: Name,
        spec: Value,
    ) -> Result<Resource, StoreError> {
        let id = ResourceId::new(kind, name);
        self.change_one(actor, None, id, move |state, id| {
            if state.entries.contains_key(id) {
                let ResourceId { kind, name } = id.clone();
                return Err(StoreError::AlreadyExists { kind, name });
            }
            let spec = kept::checked(state, id, &spec)?.into_owned();
            let typed = checked(id, &spec)?;
            let entry = Entry { version: 1, applied_by: None, spec, typed };
            planned(state, id, AuditAction::Create, entry)
        })
        .await
    }

    /// Replaces a resource's spec and raises its version; the same spec changes nothing.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` when the version is another than `expected_version`;
    /// `Invalid` and `Dangling` as for [`apply`](Self::apply).
    pub async fn update(
        &self,
        actor: &str,
        kind: Kind,
        name: Name,
        spec: Value,
        expected_version: i64,
    ) -> Result<Resource, StoreError> {
        let id = ResourceId::new(kind, name);
        self.change_one(actor, None, id, move |state, id| {
            let before = at_version(state, id, Some(expected_version))?;
            let spec = kept::checked(state, id, &spec)?.into_owned();
            if before.spec == spec {
                return Ok(Plan::on(state));
            }
            planned(state, id, AuditAction::Update, before.followed_by(id, spec)?)
        })
        .await
    }

    /// Deletes a resource, at whatever version when none is expected.
    ///
    /// # Errors
    /// `NotFound`, `Conflict`, or `InUse` naming every resource that refers to it.
    pub async fn delete(
        &self,
        actor: &str,
        kind: Kind,
        name: Name,
        expected_version: Option<i64>,
    ) -> Result<(), StoreError> {
        let id = ResourceId::new(kind, name);
        let by = authorship(actor, None)?;
        self.mutate(by, move |state| {
            at_version(state, &id, expected_version)?;
            let by = rules::users_of(state, &id);
            if !by.is_empty() {
                return Err(StoreError::InUse { kind: id.kind, name: id.name, by });
            }
            let mut plan = Plan::on(state);
            plan.edit(&id, AuditAction::Delete, None);
            Ok(Planned { plan, answer: (), dry_run: false, read_back: None })
        })
        .await
        .map(|_| ())
    }

    /// Replaces what Tally made of a resource; neither a new version nor an audit entry.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn set_status(
        &self,
        kind: Kind,
        name: &Name,
        status: Value,
    ) -> Result<(), StoreError> {
        let id = ResourceId::new(kind, name.clone());
        if self.inner.database.set_status(&id, &status).await? {
            return Ok(());
        }
        Err(self.inner.state.lock().await.not_found(&id))
    }

    /// Applies documents, all or none, in one transaction: creates what is new, updates
    /// what differs, and with `prune` deletes what the set owns but no longer holds.
    ///
    /// # Errors
    /// `Argument` for a set without name; `Invalid` with every spec that lacks its kind's
    /// shape, duplicates, a second organization, model names that mean two models, chains
    /// of cheaper models that come back; `Dangling` with every reference that would have
    /// no target.
    pub async fn apply(
        &self,
        actor: &str,
        documents: Vec<Document>,
        options: ApplyOptions,
    ) -> Result<ApplyReport, StoreError> {
        let by = authorship(actor, options.note.clone())?;
        let (report, _) = self
            .mutate(by, move |state| {
                let (plan, answer) = apply::plan(state, &documents, &options)?;
                Ok(Planned { plan, answer, dry_run: options.dry_run, read_back: None })
            })
            .await?;
        Ok(report)
    }

    pub(crate) async fn change_one(
        &self,
        actor: &str,
        note: Option<String>,
        id: ResourceId,
        plan: impl FnOnce(&State, &ResourceId) -> Result<Plan, StoreError> + Send + 'static,
    ) -> Result<Resource, StoreError> {
        let by = authorship(actor, note)?;
        let ((), resource) = self
            .mutate(by, move |state| {
                let plan = plan(state, &id)?;
                Ok(Planned { plan, answer: (), dry_run: false, read_back: Some(id) })
            })
            .await?;
        resource.ok_or_else(|| StoreError::Backend("a changed resource is gone".to_owned()))
    }

    /// Runs a change to its end even when the caller goes away, as a commit without its
    /// snapshot would leave the data plane on old resources.
    async fn mutate<T: Send + 'static>(
        &self,
        by: Authorship,
        plan: impl FnOnce(&State) -> Result<Planned<T>, StoreError> + Send + 'static,
    ) -> Result<(T, Option<Resource>), StoreError> {
        let store = self.clone();
        tokio::spawn(async move { store.mutate_here(by, plan).await })
            .await
            .map_err(|error| StoreError::Backend(format!("the change was interrupted: {error}")))?
    }

    async fn mutate_here<T>(
        &self,
        by: Authorship,
        plan: impl FnOnce(&State) -> Result<Planned<T>, StoreError>,
    ) -> Result<(T, Option<Resource>), StoreError> {
        let mut change = self.begin_change().await?;
        let Planned { plan, answer, dry_run, read_back } = plan(change.state())?;
        formulas::check(change.state(), &plan, change.now())?;
        let is_written = !dry_run && !plan.edits.is_empty();
        if is_written {
            change.write(plan, &by).await?;
        }
        let resource = match &read_back {
            Some(id) => database::read(change.connection(), id).await?,
            None => None,
        };
        if is_written {
            change.commit().await?;
        } else {
            change.undo().await?;
        }
        Ok((answer, resource))
    }

    /// Waits for other writers and starts a change on what is there now.
    pub(crate) async fn begin_change(&self) -> Result<Change<'_>, StoreError> {
        let Inner { database, clock, state, snapshots, .. } = &*self.inner;
        Change::begin(database, state.lock().await, snapshots, clock.now()).await
    }

    pub(crate) fn database(&self) -> &Database {
        &self.inner.database
    }

    /// True at the first of every so many replies.
    pub(crate) fn is_time_to_tidy(&self, every: i64) -> bool {
        self.inner.replies_begun.fetch_add(1, Ordering::Relaxed) % every == 0
    }

    pub(crate) fn keep_channels(&self, channels: Channels) {
        if self.inner.channels.set(channels).is_err() {
            tracing::warn!("where notices go is set already");
        }
    }

    pub(crate) fn channels(&self) -> &Channels {
        self.inner.channels.get_or_init(Channels::default)
    }

    pub(crate) fn signer(&self) -> &RwLock<Option<Signer>> {
        &self.inner.signer
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.inner.clock.now()
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store")
            .field("revision", &self.inner.snapshots.borrow().revision)
            .finish_non_exhaustive()
    }
}

pub(crate) fn authorship(actor: &str, note: Option<String>) -> Result<Authorship, StoreError> {
    if actor.trim().is_empty() {
        return Err(StoreError::Argument("expected an actor for the audit trail".to_owned()));
    }
    Ok(Authorship { actor: actor.to_owned(), note })
}

pub(crate) fn checked(id: &ResourceId, spec: &Value) -> Result<Spec, StoreError> {
    parse_new(id, spec, None).map_err(|problems: Vec<Problem>| StoreError::Invalid(problems))
}

pub(crate) fn planned(
    state: &State,
    id: &ResourceId,
    action: AuditAction,
    entry: Entry,
) -> Result<Plan, StoreError> {
    let mut plan = Plan::on(state);
    plan.edit(id, action, Some(entry));
    rules::check(&plan, &rules::Origins::new())?;
    Ok(plan)
}

fn at_version<'a>(
    state: &'a State,
    id: &ResourceId,
    expected: Option<i64>,
) -> Result<&'a Entry, StoreError> {
    let entry = state.entries.get(id).ok_or_else(|| state.not_found(id))?;
    match expected.filter(|expected| *expected != entry.version) {
        Some(expected) => {
            let ResourceId { kind, name } = id.clone();
            Err(StoreError::Conflict { kind, name, expected, actual: entry.version })
        }
        None => Ok(entry),
    }
}
