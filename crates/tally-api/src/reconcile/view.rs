//! Bills as they are read: what was found, decided and posted, and what calls leave by now.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Extension, Json,
    extract::{Query, State, rejection::QueryRejection},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tally_ingest::edge::Problem;
use tally_ledger::{
    BilledDay, Ledger, LedgerError,
    reconcile::{Day, Reconciliation, Variance},
};
use tally_store::{KeptReconciliation, ReconciliationSummary};
use tally_types::{
    PicoUsdSum,
    spec::{AdjustmentSpec, AdjustmentState},
};

use super::kept;
use crate::{
    access::FINANCE,
    caller::Caller,
    params::{self, PathParams},
    state::Api,
    statements::{author, books},
    store_problem::problem,
};

const LIST: u32 = 100;
const LIST_MAX: u32 = 500;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ListQuery {
    /// Only of this provider.
    provider: Option<String>,
    /// How many at most, 1 to 500; by default 100.
    limit: Option<u32>,
}

/// Bills that were held against what was metered.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ReconciliationList")]
pub(super) struct Reconciliations {
    /// The latest days first.
    items: Vec<ListedReconciliation>,
}

/// One of them in short.
#[derive(Serialize, JsonSchema)]
struct ListedReconciliation {
    #[serde(flatten)]
    summary: ReconciliationSummary,
    /// How many adjustments are approved and not posted yet.
    approved: usize,
    /// How many are posted.
    posted: usize,
    /// How many are rejected.
    rejected: usize,
}

/// What became of an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "ImportOutcome")]
pub(super) enum Outcome {
    /// It was only held against what was metered; nothing is kept.
    Compared,
    /// It is kept.
    Imported,
    /// The same bill was imported before: nothing is changed.
    Known,
}

/// An import.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ImportedBill")]
pub(super) struct Imported {
    /// What became of it.
    pub(super) outcome: Outcome,
    /// What was found, now or when it was imported first.
    pub(super) reconciliation: ReconciliationView,
}

/// A bill with its differences.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Reconciliation")]
pub(super) struct ReconciliationView {
    #[serde(flatten)]
    summary: ReconciliationSummary,
    /// Why the caller does not decide about it; null where they do.
    not_decidable: Option<String>,
    /// Day by day.
    days: Vec<Day>,
    /// In the order of days, models and meters.
    variances: Vec<ReconciledVariance>,
    /// What is proposed and nobody decided about.
    proposed_usd: PicoUsdSum,
    /// What is approved and not posted.
    approved_usd: PicoUsdSum,
    /// What is rejected.
    rejected_usd: PicoUsdSum,
    /// What stands in statements: of aggregates, without what calls have come to cover.
    posted_usd: PicoUsdSum,
}

/// A difference, and what became of it.
#[derive(Serialize, JsonSchema)]
struct ReconciledVariance {
    #[serde(flatten)]
    variance: Variance,
    /// Of an aggregate, what calls do not cover by now: less than what was found once calls are
    /// imported.
    uncovered_usd: Option<PicoUsdSum>,
    /// What was decided; null while nobody has, or where nothing is proposed.
    adjustment: Option<AdjustmentSpec>,
    /// The months that have it, once it is posted.
    stands_in: Vec<StandsIn>,
}

/// A month that has an adjustment.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "AdjustmentStandsIn")]
struct StandsIn {
    /// The month.
    period: String,
    /// What it has of it.
    amount_usd: PicoUsdSum,
    /// Whether it is closed: then this stays.
    closed: bool,
}

/// `GET /api/v1/reconciliations`
pub(super) async fn list(
    State(api): State<Arc<Api>>,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Json<Reconciliations>, Problem> {
    let query = params::query(query)?;
    let provider = params::parsed("provider", query.provider.as_deref())?;
    let limit = params::limit(query.limit, LIST, LIST_MAX)?;
    let store = &api.state.store;
    let found = store.reconciliations().list(provider.as_ref(), limit).await.map_err(problem)?;
    let mut counts: BTreeMap<String, [usize; 3]> = BTreeMap::new();
    for spec in store.snapshot().adjustments.values() {
        let [approved, posted, rejected] = counts.entry(spec.reconciliation.clone()).or_default();
        *match spec.state {
            AdjustmentState::Approved => approved,
            AdjustmentState::Posted => posted,
            AdjustmentState::Rejected => rejected,
        } += 1;
    }
    let listed = |summary: ReconciliationSummary| {
        let [approved, posted, rejected] = counts.get(&summary.id).copied().unwrap_or_default();
        ListedReconciliation { summary, approved, posted, rejected }
    };
    Ok(Json(Reconciliations { items: found.into_iter().map(listed).collect() }))
}

/// `GET /api/v1/reconciliations/{name}`
pub(super) async fn one(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Extension(path): Extension<PathParams>,
) -> Result<Json<ReconciliationView>, Problem> {
    let kept = kept(&api, path.name()?.as_str()).await?;
    Ok(Json(of_kept(&api, &caller, kept).await?))
}

/// What was found, as it is kept.
pub(super) fn found(kept: &KeptReconciliation) -> Result<Reconciliation, Problem> {
    serde_json::from_value(kept.found.clone())
        .map_err(|error| Problem::internal("a kept reconciliation", &error))
}

/// What was found just now, of which nothing is kept.
pub(super) fn of_found(
    caller: &Caller,
    summary: ReconciliationSummary,
    all: Reconciliation,
) -> ReconciliationView {
    let found = |variance: Variance| ReconciledVariance {
        uncovered_usd: variance.gap_usd,
        adjustment: None,
        stands_in: Vec::new(),
        variance,
    };
    ReconciliationView::new(
        caller,
        summary,
        all.days,
        all.variances.into_iter().map(found).collect(),
    )
}

/// One that is kept, with what has become of it.
pub(super) async fn of_kept(
    api: &Api,
    caller: &Caller,
    kept: KeptReconciliation,
) -> Result<ReconciliationView, Problem> {
    let all = found(&kept)?;
    let id = kept.summary.id.clone();
    let (days, variances) = (all.days, all.variances);
    let variances = books(api, move |ledger| become_of(ledger, &id, variances)).await?;
    Ok(ReconciliationView::new(caller, kept.summary, days, variances))
}

/// What has become of each variance.
fn become_of(
    ledger: &Ledger<'_>,
    id: &str,
    variances: Vec<Variance>,
) -> Result<Vec<ReconciledVariance>, LedgerError> {
    let is_aggregate = |it: &&Variance| !it.aggregate.is_empty();
    let billed: Vec<BilledDay<'_>> = variances
        .iter()
        .filter(is_aggregate)
        .map(|it| (&it.provider, it.date, it.aggregate.as_slice()))
        .collect();
    let gaps = if billed.is_empty() { Vec::new() } else { ledger.gaps(&billed)? };
    let numbers = variances.iter().filter(is_aggregate).map(|it| it.number);
    let gaps: BTreeMap<u32, i128> =
        numbers.zip(gaps).map(|(number, gap)| (number, gap.pico)).collect();
    let open = ledger.adjusted(&|_, spec| spec.reconciliation == id)?;

    let state = |variance: Variance| {
        let name = format!("{id}-{}", variance.number);
        let adjustment = ledger.snapshot.adjustments.get(name.as_str()).cloned();
        let mut stands_in: Vec<StandsIn> = sealed(ledger, &name).collect();
        stands_in.extend(open.iter().filter(|it| it.name.as_str() == name).map(|it| StandsIn {
            period: it.month.to_string(),
            amount_usd: PicoUsdSum::from_pico(it.amount),
            closed: false,
        }));
        let uncovered_usd = gaps.get(&variance.number).copied().map(PicoUsdSum::from_pico);
        ReconciledVariance { variance, uncovered_usd, adjustment, stands_in }
    };
    Ok(variances.into_iter().map(state).collect())
}

/// What closed months have of an adjustment.
fn sealed<'l>(ledger: &'l Ledger<'_>, name: &'l str) -> impl Iterator<Item = StandsIn> + use<'l> {
    ledger.snapshot.periods.iter().flat_map(move |(period, spec)| {
        let kept = spec.seal.iter().flat_map(|seal| &seal.adjustments);
        kept.filter(move |it| it.adjustment.as_str() == name).map(move |it| StandsIn {
            period: period.to_string(),
            amount_usd: it.amount_usd,
            closed: true,
        })
    })
}

// === impl ReconciliationView ===

impl ReconciliationView {
    fn new(
        caller: &Caller,
        summary: ReconciliationSummary,
        days: Vec<Day>,
        variances: Vec<ReconciledVariance>,
    ) -> Self {
        let sum = |of: &dyn Fn(&ReconciledVariance) -> bool| {
            let chosen = variances.iter().filter(|it| of(it));
            let amounts = chosen.filter_map(|it| it.variance.proposed_usd);
            amounts.fold(PicoUsdSum::default(), |sum, amount| sum + amount)
        };
        let is = |it: &ReconciledVariance, state| {
            it.adjustment.as_ref().is_some_and(|spec| spec.state == state)
        };
        let standing = variances.iter().flat_map(|it| &it.stands_in);
        Self {
            not_decidable: not_decidable(caller, &summary),
            proposed_usd: sum(&|it| it.adjustment.is_none()),
            approved_usd: sum(&|it| is(it, AdjustmentState::Approved)),
            rejected_usd: sum(&|it| is(it, AdjustmentState::Rejected)),
            posted_usd: standing.fold(PicoUsdSum::default(), |sum, it| sum + it.amount_usd),
            summary,
            days,
            variances,
        }
    }
}

fn not_decidable(caller: &Caller, summary: &ReconciliationSummary) -> Option<String> {
    if !caller.has_any(FINANCE) {
        return Some("FinOps and admins decide.".to_owned());
    }
    if caller.person.is_none() {
        return Some("A person decides; this key is nobody's.".to_owned());
    }
    (author(caller) == summary.imported_by)
        .then(|| "You imported this bill: a second person decides.".to_owned())
}
