//! Providers' bills that were held against what was metered, and what was decided about their
//! differences. A bill is kept once: its id follows from what it says. An adjustment is a
//! resource from its first decision on; each step is a version with an audit entry of its own.

mod rows;

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tally_types::{
    CostCenterName, Date, Kind, Name, PicoUsdSum, ProviderName, Resource, Spec, Timestamp,
    spec::{AdjustmentSpec, AdjustmentState},
};

use rows::{COLUMNS, read, summary, write};

use crate::{
    AuditAction, ResourceId, Store, StoreError,
    database::{self, backend},
    state::{Entry, Plan, State},
    store::{authorship, checked},
    suspension::said,
};

/// So many hexadecimal digits of the content's SHA-256 are its id.
const ID_DIGITS: usize = 16;
/// So many are listed at most.
const LIST_MAX: u32 = 500;

/// A bill that was held against what was metered, in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReconciliationSummary {
    /// Follows from what the bill says: the same bill has the same id.
    pub id: String,
    /// Who bills.
    pub provider: ProviderName,
    /// The first day compared, in UTC.
    #[schemars(with = "String")]
    pub from: Date,
    /// The last one.
    #[schemars(with = "String")]
    pub to: Date,
    /// What the bill was written in.
    pub format: String,
    /// The bill's total; null in reports of usage alone.
    pub billed_usd: Option<PicoUsdSum>,
    /// What Tally had metered on these days, at list price, when it was imported.
    pub metered_usd: PicoUsdSum,
    /// How many differences were found.
    pub variances: u64,
    /// Who imported it.
    pub imported_by: String,
    /// When.
    pub imported_at: Timestamp,
}

/// A bill that was held against what was metered, with what it says and what was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptReconciliation {
    /// In short.
    pub summary: ReconciliationSummary,
    /// The bill as it was read, as the ledger writes it.
    pub bill: Value,
    /// What was found, as the ledger writes it.
    pub found: Value,
}

/// One that is to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewReconciliation {
    /// Who bills.
    pub provider: ProviderName,
    /// The first day compared, in UTC, and the last.
    pub days: (Date, Date),
    /// What the bill is written in.
    pub format: String,
    /// Its total.
    pub billed_usd: Option<PicoUsdSum>,
    /// What was metered on these days.
    pub metered_usd: PicoUsdSum,
    /// How many differences there are.
    pub variances: u64,
    /// The bill as it was read.
    pub bill: Value,
    /// What was found.
    pub found: Value,
}

/// What is decided about proposed adjustments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ruling {
    /// They are right; whose they are, where somebody answers for them.
    Approve(Option<CostCenterName>),
    /// They are not.
    Reject,
}

/// Bills and their adjustments; see [`Store::reconciliations`].
#[derive(Debug, Clone)]
pub struct Reconciliations {
    store: Store,
}

// === impl Store ===

impl Store {
    /// Providers' bills that were held against what was metered.
    pub fn reconciliations(&self) -> Reconciliations {
        Reconciliations { store: self.clone() }
    }
}

// === impl NewReconciliation ===

impl NewReconciliation {
    /// What it is asked for by: the same for the same bill, whatever was metered meanwhile.
    pub fn id(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(self.provider.as_str());
        hash.update(b"\n");
        hash.update(self.bill.to_string());
        let mut id = hex::encode(hash.finalize());
        id.truncate(ID_DIGITS);
        id
    }
}

// === impl Reconciliations ===

impl Reconciliations {
    /// Keeps a reconciliation, with an entry in the audit trail. Of a bill that was imported
    /// before, what was found then stands: it is given back, and nothing is changed.
    ///
    /// # Errors
    /// `Backend`.
    pub async fn keep(
        &self,
        actor: &str,
        by: &str,
        new: NewReconciliation,
    ) -> Result<KeptReconciliation, StoreError> {
        let id = new.id();
        let mut change = self.store.begin_change().await?;
        if let Some(first) = read(change.connection(), &id).await? {
            change.undo().await?;
            return Ok(first);
        }
        let (from, to) = new.days;
        let summary = ReconciliationSummary {
            id,
            provider: new.provider,
            from,
            to,
            format: new.format,
            billed_usd: new.billed_usd,
            metered_usd: new.metered_usd,
            variances: new.variances,
            imported_by: by.to_owned(),
            // As precise as it is kept.
            imported_at: Timestamp::from_millisecond(change.now().as_millisecond())
                .map_err(backend)?,
        };
        let kept = KeptReconciliation { summary, bill: new.bill, found: new.found };
        write(change.connection(), &kept).await?;
        let what = serde_json::to_value(&kept.summary).map_err(backend)?;
        let (whole, action) = (change.whole()?, AuditAction::ImportBill);
        change.record(actor, action, whole, (None, Some(what)), None).await?;
        change.commit().await?;
        Ok(kept)
    }

    /// What was imported, the latest days first; of one provider where it is named.
    ///
    /// # Errors
    /// `Backend`.
    pub async fn list(
        &self,
        provider: Option<&ProviderName>,
        limit: u32,
    ) -> Result<Vec<ReconciliationSummary>, StoreError> {
        let sql = format!(
            "select {COLUMNS} from reconciliation where ($1 = '' or provider = $1) \
             order by last_day desc, imported_ms desc, id limit $2"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(provider.map_or("", ProviderName::as_str))
            .bind(i64::from(if limit == 0 { 100 } else { limit.min(LIST_MAX) }))
            .fetch_all(&mut *self.store.database().connection().await?)
            .await?;
        rows.iter().map(summary).collect()
    }

    /// One of them.
    ///
    /// # Errors
    /// `Backend`.
    pub async fn get(&self, id: &str) -> Result<Option<KeptReconciliation>, StoreError> {
        read(&mut *self.store.database().connection().await?, id).await
    }

    /// Approves or rejects proposed adjustments of a reconciliation, all or none. What was
    /// decided can be decided otherwise until it is posted.
    ///
    /// # Errors
    /// `Argument` for whoever imported the bill, without a reason, for one that is posted, or
    /// that another bill settles already; `NotFound` for a cost center that is not there.
    pub async fn rule(
        &self,
        (actor, by): (&str, &str),
        id: &str,
        proposed: Vec<AdjustmentSpec>,
        ruling: Ruling,
        reason: &str,
    ) -> Result<Vec<Resource>, StoreError> {
        let reason = said("reason", reason)?;
        let kept = self.get(id).await?.ok_or_else(|| missing(id))?;
        if kept.summary.imported_by == by {
            let why = "who imported a bill does not decide about it; expected a second person";
            return Err(StoreError::Argument(why.to_owned()));
        }
        if let Ruling::Approve(Some(cost_center)) = &ruling {
            self.store.require(Kind::CostCenter, &cost_center.0).await?;
        }
        let (by, at) = (by.to_owned(), self.store.now());
        let decided = move |state: &State, plan: &mut Plan| {
            let ids = proposed.iter().map(named).collect::<Result<Vec<_>, _>>()?;
            for (spec, id) in proposed.into_iter().zip(&ids) {
                let (state_word, cost_center) = match &ruling {
                    Ruling::Approve(center) => (AdjustmentState::Approved, center.clone()),
                    Ruling::Reject => (AdjustmentState::Rejected, None),
                };
                if let Ruling::Approve(_) = &ruling {
                    check_unsettled(state, &spec)?;
                }
                let spec = AdjustmentSpec {
                    state: state_word,
                    cost_center,
                    decided_by: by.clone(),
                    decided_at: at,
                    reason: reason.clone(),
                    ..spec
                };
                let action = match ruling {
                    Ruling::Approve(_) => AuditAction::Approve,
                    Ruling::Reject => AuditAction::Deny,
                };
                step(state, plan, (id, action), spec)?;
            }
            Ok(ids)
        };
        self.change(actor, decided).await
    }

    /// Posts approved adjustments of a reconciliation: those of these numbers, or all.
    /// Statements have them from here on.
    ///
    /// # Errors
    /// `Argument` where there is nothing to post, or one of the numbers is not approved.
    pub async fn post(
        &self,
        (actor, by): (&str, &str),
        id: &str,
        numbers: BTreeSet<u32>,
    ) -> Result<Vec<Resource>, StoreError> {
        self.get(id).await?.ok_or_else(|| missing(id))?;
        let (id, by, at) = (id.to_owned(), by.to_owned(), self.store.now());
        self.change(actor, move |state, plan| {
            let approved: Vec<AdjustmentSpec> = adjustments(state)
                .filter(|spec| spec.reconciliation == id)
                .filter(|spec| spec.state == AdjustmentState::Approved)
                .filter(|spec| numbers.is_empty() || numbers.contains(&spec.number))
                .cloned()
                .collect();
            let found: BTreeSet<u32> = approved.iter().map(|spec| spec.number).collect();
            if let Some(number) = numbers.iter().find(|number| !found.contains(number)) {
                return refused(format!(
                    "adjustment {number} is not approved: it cannot be posted"
                ));
            }
            if approved.is_empty() {
                return refused("no adjustment is approved and not posted yet".to_owned());
            }
            let ids = approved.iter().map(named).collect::<Result<Vec<_>, _>>()?;
            for (spec, id) in approved.into_iter().zip(&ids) {
                let spec = AdjustmentSpec {
                    state: AdjustmentState::Posted,
                    posted_by: Some(by.clone()),
                    posted_at: Some(at),
                    ..spec
                };
                step(state, plan, (id, AuditAction::Post), spec)?;
            }
            Ok(ids)
        })
        .await
    }

    /// Runs a change to its end even when the caller goes away.
    async fn change(
        &self,
        actor: &str,
        edit: impl FnOnce(&State, &mut Plan) -> Result<Vec<ResourceId>, StoreError> + Send + 'static,
    ) -> Result<Vec<Resource>, StoreError> {
        let (store, by) = (self.store.clone(), authorship(actor, None)?);
        let changed = tokio::spawn(async move {
            let mut change = store.begin_change().await?;
            let mut plan = Plan::on(change.state());
            let ids = edit(change.state(), &mut plan)?;
            if !plan.edits.is_empty() {
                change.write(plan, &by).await?;
            }
            let mut changed = Vec::new();
            for id in &ids {
                changed.extend(database::read(change.connection(), id).await?);
            }
            change.commit().await?;
            Ok(changed)
        });
        changed
            .await
            .map_err(|error| StoreError::Backend(format!("the change was interrupted: {error}")))?
    }
}

/// The next version of an adjustment; the same once more changes nothing.
fn step(
    state: &State,
    plan: &mut Plan,
    (id, action): (&ResourceId, AuditAction),
    spec: AdjustmentSpec,
) -> Result<(), StoreError> {
    let before = state.entries.get(id);
    let (number, next) = (spec.number, spec.state);
    if let Some(Spec::Adjustment(before)) = before.map(|entry| &entry.typed) {
        if before.state == AdjustmentState::Posted {
            return refused(format!("adjustment {number} is posted: what is posted stays"));
        }
        if (before.state, &before.cost_center) == (next, &spec.cost_center) {
            return Ok(());
        }
    }
    let version = before.map_or(0, |entry| entry.version) + 1;
    let spec = serde_json::to_value(spec).map_err(backend)?;
    let typed = checked(id, &spec)?;
    plan.edit(id, action, Some(Entry { version, applied_by: None, spec, typed }));
    Ok(())
}

/// Whether no other bill's adjustment is about the same: it would be in the books twice.
fn check_unsettled(state: &State, proposed: &AdjustmentSpec) -> Result<(), StoreError> {
    let overlaps = |a: &Option<String>, b: &Option<String>| a.is_none() || b.is_none() || a == b;
    let is_same = |other: &&AdjustmentSpec| {
        other.reconciliation != proposed.reconciliation
            && other.state != AdjustmentState::Rejected
            && (&other.provider, other.date) == (&proposed.provider, proposed.date)
            && overlaps(&other.model, &proposed.model)
            && overlaps(&other.meter, &proposed.meter)
    };
    match adjustments(state).find(is_same) {
        None => Ok(()),
        Some(other) => refused(format!(
            "adjustment {} of {} is settled by adjustment {} of reconciliation {} ({}); approved \
             twice it would be in the books twice",
            proposed.number, proposed.date, other.number, other.reconciliation, other.state
        )),
    }
}

fn adjustments(state: &State) -> impl Iterator<Item = &AdjustmentSpec> {
    state.of_kind(Kind::Adjustment).filter_map(|(_, entry)| match &entry.typed {
        Spec::Adjustment(spec) => Some(spec),
        _ => None,
    })
}

fn named(spec: &AdjustmentSpec) -> Result<ResourceId, StoreError> {
    let name: Name = format!("{}-{}", spec.reconciliation, spec.number).parse().map_err(backend)?;
    Ok(ResourceId::new(Kind::Adjustment, name))
}

fn missing(id: &str) -> StoreError {
    StoreError::Argument(format!("there is no reconciliation `{id}`"))
}

fn refused<T>(why: String) -> Result<T, StoreError> {
    Err(StoreError::Argument(why))
}
