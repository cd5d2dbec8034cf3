//! The service catalog, the inventory, how ready teams are, and the agenda of the governance
//! meeting. What they mean is the store's; the numbers are the metrics layer's.

pub(crate) mod governance;
mod inventory;
pub(crate) mod numbers;
mod workloads;

use serde_json::json;
use tally_store::catalog::{Agenda, Catalog, Inventory};
use tally_types::Kind;

use crate::{
    access::{BROWSERS, READERS, STEWARDS},
    operation::{Access, Operation},
    schema,
};

const TAG: &str = "catalog";

pub(crate) fn operations() -> Vec<Operation> {
    [catalog(), inventory_and_readiness()].concat()
}

fn catalog() -> Vec<Operation> {
    let workload = schema::of_kind(Kind::Workload).resource;
    let path = |verb: &str| format!("/api/v1/workloads/{{name}}/{verb}");
    let own = Access::OwnOr(STEWARDS);
    vec![
        Operation::get("getCatalog", "/api/v1/catalog", Access::Usage(READERS), workloads::list)
            .about(TAG, "The service catalog", "Every workload with what is missing of it, its keys, how it does, and what it used in the last 30 days (of that, what the caller may see).")
            .reply::<Catalog>("Workloads by name, and what holds of all of them."),
        Operation::post("approveWorkload", path("approve"), Access::Roles(STEWARDS), workloads::approve)
            .about(TAG, "Approve a workload", "By FinOps, security or an admin, not by its owner. It then has to have what its environment asks for.")
            .body::<workloads::Note>(json!({ "note": "Looked at in the meeting of November" }))
            .reply_schema("The workload.", workload.clone())
            .of_kind(Kind::Workload),
        Operation::post("retireWorkload", path("retire"), own, workloads::retire)
            .about(TAG, "Retire a workload", "By its owner, FinOps, security or an admin. Its calls are no longer counted as its own: they are seen as unexplained, until its keys are revoked or bound to something else.")
            .body::<workloads::Note>(json!({ "note": "Replaced by the planner" }))
            .reply_schema("The workload.", workload.clone())
            .of_kind(Kind::Workload),
        Operation::post("reviewWorkload", path("review"), own, workloads::review)
            .about(TAG, "Note that the choice of a tier was looked at", "It holds until the day that is named, at most a year ahead; then it stands on the agenda again. What was said of why is kept unless it is said anew. By its owner, FinOps, security or an admin.")
            .body::<workloads::TierReview>(json!({
                "review_by": "2027-02-01", "note": "Compared again: the standard tier still misses a fifth",
            }))
            .reply_schema("The workload.", workload)
            .of_kind(Kind::Workload),
        Operation::post("freezeBaseline", path("baseline"), own, workloads::baseline)
            .about(TAG, "Sign off a baseline", "What the workload used over a range, frozen with who signed and when: later savings are held against it. By its owner, FinOps, security or an admin.")
            .body::<workloads::NewBaseline>(json!({
                "from": "2026-10-01T00:00:00Z", "to": "2026-11-01T00:00:00Z",
                "note": "Before the move to the smaller model",
            }))
            .reply_schema("The baseline.", schema::of_kind(Kind::Baseline).resource)
            .creates()
            .of_kind(Kind::Workload),
    ]
}

fn inventory_and_readiness() -> Vec<Operation> {
    vec![
        Operation::get("getInventory", "/api/v1/inventory", Access::Usage(READERS), inventory::list)
            .about(TAG, "What no entry explains", "Usage of the last 30 days without a workload, by key, application and user agent, with models, tokens, spend and the likely owner; and tools that were entered by hand (workloads with `metered: false`).")
            .reply::<Inventory>("The inventory, dearest first."),
        Operation::post("registerFromInventory", "/api/v1/inventory/register", Access::Roles(STEWARDS), inventory::register)
            .about(TAG, "Register what was found", "Makes a workload of a row in one step and binds its key to it. What is not given is guessed: the likely owner, the cost center of their team, the dearest tier that was seen; it is `discovered` until somebody says otherwise.")
            .body::<inventory::Register>(json!({
                "name": "ticket-triage", "key": "ada-laptop", "application": "curl",
                "user_agent": "curl/8.5.0", "spec": { "purpose": "Sorts tickets", "state": "registered" },
            }))
            .reply_schema("The workload.", schema::of_kind(Kind::Workload).resource)
            .creates()
            .of_kind(Kind::Workload),
        Operation::get("getReadiness", "/api/v1/readiness", Access::Usage(READERS), governance::readiness)
            .about(TAG, "How ready teams are", "A checklist for each team: access approvals, usage tagging, quotas, fallback paths, audit log, incident response. Each line is measured, none is ticked by hand.")
            .query::<governance::ReadinessQuery>()
            .reply::<governance::Readiness>("Teams by name."),
        Operation::get("getAgenda", "/api/v1/governance/agenda", Access::Roles(BROWSERS), governance::agenda)
            .about(TAG, "The agenda of a month's governance meeting", "Open exceptions, those that ended and those that repeat, changes of policies, model choices that were not looked at in time. As JSON, or with `format=markdown` as a document to print.")
            .query::<governance::AgendaQuery>()
            .reply::<Agenda>("The agenda.")
            .also("text/markdown"),
    ]
}
