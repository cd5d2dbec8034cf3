//! Providers' bills against what was metered: kept, decided about by a second person, posted.

mod steps;
mod view;

use http::StatusCode;
use serde_json::json;
use tally_ingest::edge::Problem;
use tally_store::KeptReconciliation;

use crate::{
    access::FINANCE,
    operation::{Access, Operation},
    state::Api,
    statements::ACCOUNTANTS,
    store_problem::problem,
};

const TAG: &str = "finance";

pub(crate) fn operations() -> Vec<Operation> {
    let (all, finance) = (Access::Roles(ACCOUNTANTS), Access::Roles(FINANCE));
    let bill = json!({
        "provider": "anthropic", "format": "csv",
        "text": "date,model,meter,quantity,cost,currency\n2026-10-31,claude-opus-4-8,output,1000000,25.00,USD\n",
    });
    let path = |verb: &str| format!("/api/v1/reconciliations/{{name}}/{verb}");
    vec![
        Operation::post("importBill", "/api/v1/reconciliations", finance, steps::import)
            .about(
                TAG,
                "Hold a bill against what was metered, and keep it",
                "Every difference by day (UTC), model and meter, why it is there, and the adjustment that would settle it. The same bill again changes nothing: what was found first is given back. With `dry_run` nothing is kept.",
            )
            .body::<steps::BillBody>(bill)
            .reply::<view::Imported>("What was found."),
        Operation::get("listReconciliations", "/api/v1/reconciliations", all, view::list)
            .about(TAG, "Bills that were held against what was metered", "The latest days first.")
            .query::<view::ListQuery>()
            .reply::<view::Reconciliations>("In short."),
        Operation::get("getReconciliation", "/api/v1/reconciliations/{name}", all, view::one)
            .about(
                TAG,
                "One bill with its differences",
                "What was decided about each, what of it stands in which month, and what calls leave of aggregates by now.",
            )
            .reply::<view::ReconciliationView>("The differences."),
        Operation::post("approveAdjustments", path("approve"), finance, steps::approve)
            .about(
                TAG,
                "Approve proposed adjustments",
                "By a person other than who imported the bill. Whose they are is said here: a cost center's, or nobody's. Nothing stands in a statement before it is posted.",
            )
            .body::<steps::ApproveBody>(json!({
                "numbers": [1, 2], "cost_center": "cc-100-support",
                "reason": "The batch host called around the gateway that day",
            }))
            .reply::<view::ReconciliationView>("The bill with what was decided."),
        Operation::post("rejectAdjustments", path("reject"), finance, steps::reject)
            .about(
                TAG,
                "Reject proposed adjustments",
                "By a person other than who imported the bill. What was approved can be rejected until it is posted.",
            )
            .body::<steps::RejectBody>(json!({
                "numbers": [3], "reason": "The provider takes it back with the next bill",
            }))
            .reply::<view::ReconciliationView>("The bill with what was decided."),
        Operation::post("postAdjustments", path("post"), finance, steps::post)
            .about(
                TAG,
                "Post approved adjustments",
                "They stand in the statements of their month, or, when that is closed, of the month that is open next.",
            )
            .body::<steps::PostBody>(json!({ "numbers": [1, 2] }))
            .reply::<view::ReconciliationView>("The bill with what was posted."),
    ]
}

/// One that should be there.
async fn kept(api: &Api, id: &str) -> Result<KeptReconciliation, Problem> {
    let found = api.state.store.reconciliations().get(id).await.map_err(problem)?;
    found.ok_or_else(|| {
        let detail = format!("there is no reconciliation `{id}`");
        Problem::new(StatusCode::NOT_FOUND, "not_found", detail)
            .with_next_step("`GET /api/v1/reconciliations` lists them")
    })
}
