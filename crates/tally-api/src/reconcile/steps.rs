//! What is done with bills: imported, decided about, posted.

use std::{collections::BTreeSet, sync::Arc};

use axum::{Extension, Json, body::Body, extract::State};
use http::StatusCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tally_ingest::edge::{self, Problem};
use tally_ledger::reconcile::{self, Bill, BillFormat, Reconciliation};
use tally_store::{
    KeptReconciliation, NewReconciliation, ReconciliationSummary, Ruling, StoreError,
};
use tally_types::{CostCenterName, PersonName, ProviderName, spec::AdjustmentSpec};

use super::{
    kept,
    view::{self, Imported, Outcome, ReconciliationView, found},
};
use crate::{
    approvals::person,
    caller::Caller,
    params::PathParams,
    resources::BODY_BYTES_MAX,
    state::Api,
    statements::{author, books},
    store_problem::problem,
};

/// A year of a large company's bill is some megabytes.
const BILL_BYTES_MAX: usize = 32 << 20;
/// A quarter, and some days.
const DAYS_MAX: i32 = 100;

/// A provider's bill.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ProviderBill")]
pub(super) struct BillBody {
    /// The provider, as Tally names it.
    provider: ProviderName,
    /// What the bill is written in.
    format: BillFormat,
    /// The bill itself: the report's JSON as it came, or the CSV.
    text: String,
    /// Only look: nothing is kept.
    #[serde(default)]
    dry_run: bool,
}

/// Which adjustments are approved.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "AdjustmentApproval")]
pub(super) struct ApproveBody {
    /// The numbers of the variances; all that nobody decided about where there are none.
    #[serde(default)]
    numbers: Vec<u32>,
    /// Who answers for them; nobody (unallocated) where there is none.
    #[serde(default)]
    cost_center: Option<CostCenterName>,
    /// Why, in 1 to 2,000 characters.
    reason: String,
}

/// Which adjustments are rejected.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "AdjustmentRejection")]
pub(super) struct RejectBody {
    /// The numbers of the variances; all that nobody decided about where there are none.
    #[serde(default)]
    numbers: Vec<u32>,
    /// Why, in 1 to 2,000 characters.
    reason: String,
}

/// Which adjustments are posted.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "AdjustmentPosting")]
pub(super) struct PostBody {
    /// The numbers of the variances; all that are approved where there are none.
    #[serde(default)]
    numbers: Vec<u32>,
}

/// `POST /api/v1/reconciliations`
pub(super) async fn import(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Result<Json<Imported>, Problem> {
    let asked: BillBody = edge::json(&edge::read(body, BILL_BYTES_MAX).await?)?;
    let bill = read(&caller, &asked)?;
    let (bill, all) = books(&api, move |ledger| {
        let all = ledger.reconcile(&bill)?;
        Ok((bill, all))
    })
    .await?;
    let new = new(&bill, asked.format, &all)?;
    let by = author(&caller);
    if asked.dry_run {
        let kept = KeptReconciliation {
            summary: summary(&api, &new, by),
            bill: new.bill,
            found: new.found,
        };
        let reconciliation = view::of_found(&caller, kept.summary, all);
        return Ok(Json(Imported { outcome: Outcome::Compared, reconciliation }));
    }
    let store = api.state.store.reconciliations();
    let id = new.id();
    let is_known = store.get(&id).await.map_err(problem)?.is_some();
    let kept = store.keep(&caller.actor(), &by, new).await.map_err(problem)?;
    let reconciliation = view::of_kept(&api, &caller, kept).await?;
    let outcome = if is_known { Outcome::Known } else { Outcome::Imported };
    Ok(Json(Imported { outcome, reconciliation }))
}

/// The bill, or what is wrong with it.
fn read(caller: &Caller, asked: &BillBody) -> Result<Bill, Problem> {
    let invalid =
        |detail: String| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "bill_invalid", detail);
    if !caller.plane.snapshot().providers.contains_key(&asked.provider) {
        let detail = format!("there is no provider `{}`", asked.provider);
        return Err(invalid(detail).with_next_step("`tally get providers` lists them"));
    }
    let bill = reconcile::read(asked.format, &asked.provider, &asked.text)
        .map_err(|error| invalid(error.to_string()))?;
    let (first, last) = bill.days;
    if (last - first).get_days() >= DAYS_MAX {
        let detail = format!("the bill is of {first} to {last}; expected at most {DAYS_MAX} days");
        return Err(invalid(detail).with_next_step("import it month by month"));
    }
    Ok(bill)
}

fn new(
    bill: &Bill,
    format: BillFormat,
    all: &Reconciliation,
) -> Result<NewReconciliation, Problem> {
    let format = json(&format)?.as_str().unwrap_or_default().to_owned();
    Ok(NewReconciliation {
        provider: bill.provider.clone(),
        days: bill.days,
        format,
        billed_usd: all.billed_usd,
        metered_usd: all.metered_usd,
        variances: all.variances.len() as u64,
        bill: json(bill)?,
        found: json(all)?,
    })
}

fn json(of: &impl Serialize) -> Result<serde_json::Value, Problem> {
    serde_json::to_value(of).map_err(|error| Problem::internal("the reconciliation", &error))
}

/// What would be kept.
fn summary(api: &Api, new: &NewReconciliation, by: String) -> ReconciliationSummary {
    ReconciliationSummary {
        id: new.id(),
        provider: new.provider.clone(),
        from: new.days.0,
        to: new.days.1,
        format: new.format.clone(),
        billed_usd: new.billed_usd,
        metered_usd: new.metered_usd,
        variances: new.variances,
        imported_by: by,
        imported_at: api.state.clock.now(),
    }
}

/// Who decides about which bill.
type Said = (Extension<PathParams>, Extension<Caller>);

/// `POST /api/v1/reconciliations/{name}/approve`
pub(super) async fn approve(
    State(api): State<Arc<Api>>,
    said: Said,
    body: Body,
) -> Result<Json<ReconciliationView>, Problem> {
    let body: ApproveBody = edge::json(&edge::read(body, BODY_BYTES_MAX).await?)?;
    rule(&api, said, body.numbers, Ruling::Approve(body.cost_center), &body.reason).await
}

/// `POST /api/v1/reconciliations/{name}/reject`
pub(super) async fn reject(
    State(api): State<Arc<Api>>,
    said: Said,
    body: Body,
) -> Result<Json<ReconciliationView>, Problem> {
    let body: RejectBody = edge::json(&edge::read(body, BODY_BYTES_MAX).await?)?;
    rule(&api, said, body.numbers, Ruling::Reject, &body.reason).await
}

async fn rule(
    api: &Api,
    (Extension(path), Extension(caller)): Said,
    numbers: Vec<u32>,
    ruling: Ruling,
    reason: &str,
) -> Result<Json<ReconciliationView>, Problem> {
    let by: &PersonName = person(&caller)?;
    let before = kept(api, path.name()?.as_str()).await?;
    if before.summary.imported_by == by.as_str() {
        return Err(own(&before.summary));
    }
    let proposed = proposed(api, &before, &numbers)?;
    let id = &before.summary.id;
    let store = api.state.store.reconciliations();
    let actor = caller.actor();
    let ruled = store.rule((&actor, by.as_str()), id, proposed, ruling, reason).await;
    ruled.map_err(refused)?;
    Ok(Json(view::of_kept(api, &caller, before).await?))
}

/// Who imported a bill has said enough.
fn own(summary: &ReconciliationSummary) -> Problem {
    let detail = format!("you imported reconciliation {}: a second person decides", summary.id);
    Problem::new(StatusCode::FORBIDDEN, "own_import", detail)
        .with_next_step("ask another one of FinOps, or an admin")
}

/// The adjustments of these numbers; without numbers, those that nobody decided about.
fn proposed(
    api: &Api,
    kept: &KeptReconciliation,
    numbers: &[u32],
) -> Result<Vec<AdjustmentSpec>, Problem> {
    let conflict = |detail: String| {
        Problem::new(StatusCode::CONFLICT, "reconciliation_refused", detail)
            .with_next_step("`GET /api/v1/reconciliations/{name}` says what is proposed")
    };
    let (id, snapshot) = (&kept.summary.id, api.state.store.snapshot());
    let all: Vec<AdjustmentSpec> =
        found(kept)?.variances.iter().filter_map(|it| it.proposal(id)).collect();
    let is_decided =
        |number: u32| snapshot.adjustments.contains_key(format!("{id}-{number}").as_str());
    let wanted: BTreeSet<u32> = numbers.iter().copied().collect();
    if let Some(number) = wanted.iter().find(|number| all.iter().all(|it| it.number != **number)) {
        return Err(conflict(format!("nothing is proposed for variance {number} of {id}")));
    }
    let is_wanted = |it: &AdjustmentSpec| match wanted.is_empty() {
        true => !is_decided(it.number),
        false => wanted.contains(&it.number),
    };
    let chosen: Vec<AdjustmentSpec> = all.into_iter().filter(is_wanted).collect();
    if chosen.is_empty() {
        return Err(conflict(format!("all that {id} proposes is decided")));
    }
    Ok(chosen)
}

/// `POST /api/v1/reconciliations/{name}/post`
pub(super) async fn post(
    State(api): State<Arc<Api>>,
    (Extension(path), Extension(caller)): Said,
    body: Body,
) -> Result<Json<ReconciliationView>, Problem> {
    let body: PostBody = edge::json(&edge::read(body, BODY_BYTES_MAX).await?)?;
    let before = kept(&api, path.name()?.as_str()).await?;
    let (actor, by) = (caller.actor(), author(&caller));
    let numbers = body.numbers.into_iter().collect();
    let store = api.state.store.reconciliations();
    let posted = store.post((&actor, &by), &before.summary.id, numbers).await;
    posted.map_err(refused)?;
    Ok(Json(view::of_kept(&api, &caller, before).await?))
}

/// What stands in the way is a conflict with what is there.
fn refused(error: StoreError) -> Problem {
    match error {
        StoreError::Argument(why) => {
            Problem::new(StatusCode::CONFLICT, "reconciliation_refused", why)
                .with_next_step("`GET /api/v1/reconciliations/{name}` says how far each has come")
        }
        other => problem(other),
    }
}
