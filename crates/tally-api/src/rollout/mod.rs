//! How cost centers come to be charged: stages and their gates, the month's sprint, the
//! quarter's review. What they mean is the store's; the numbers are the metrics layer's.

mod measure;
mod reviews;
mod sprints;
mod stages;

use http::StatusCode;
use serde_json::json;
use tally_ingest::edge::Problem;
use tally_store::{
    StoreError,
    rollout::{QuarterlyReview, Sprint},
};
use tally_types::Kind;

use crate::{
    access::{BROWSERS, FINANCE, READERS, STEWARDS},
    operation::{Access, Operation},
    schema,
    store_problem::problem,
};

const TAG: &str = "rollout";
const BODY_BYTES_MAX: usize = 64 << 10;

pub(crate) fn operations() -> Vec<Operation> {
    [of_stages(), of_sprints(), of_reviews()].concat()
}

fn of_stages() -> Vec<Operation> {
    vec![
        Operation::get("getRolloutStages", "/api/v1/rollout/stages", Access::OwnOr(READERS), stages::list)
            .about(TAG, "How far cost centers have come", "Inventory, showback or chargeback, with what is measured of the gates before the next stage. Owners see their own, managers those of their teams.")
            .query::<stages::ListQuery>()
            .reply::<stages::Rollouts>("Cost centers by name."),
        Operation::post("moveRollout", "/api/v1/rollouts/{name}/move", Access::Roles(FINANCE), stages::go)
            .about(TAG, "Take a cost center to another stage", "One on when every gate holds, or with `override` and a reason; back with a reason. Never by who answers for it. For chargeback it needs a chargeback model that charges: no override stands in for that.")
            .body::<stages::Move>(json!({
                "to": "showback", "override": true,
                "reason": "The inventory is complete but for one pilot that ends in December",
            }))
            .reply_schema("The cost center's stages.", schema::of_kind(Kind::Rollout).resource)
            .of_kind(Kind::Rollout),
    ]
}

fn of_sprints() -> Vec<Operation> {
    let sprint = || schema::of_kind(Kind::Sprint).resource;
    let finance = Access::Roles(FINANCE);
    let path = |verb: &str| format!("/api/v1/sprints/{{name}}/{verb}");
    vec![
        Operation::get("getSprintPage", "/api/v1/rollout/sprint", Access::Roles(READERS), sprints::page)
            .about(TAG, "The month's sprint", "Where to look first, days out of the ordinary, and how the reduction targets stand.")
            .query::<sprints::SprintQuery>()
            .reply::<Sprint>("The sprint."),
        Operation::post("setTarget", path("targets"), finance, sprints::set)
            .about(TAG, "Set a reduction target", "For a cost center, a team or a workload. The baseline is measured: the month before, unless another range is named. Set as a percentage off it, or as what is wanted.")
            .body::<sprints::Target>(json!({
                "scope": { "workload": "support-copilot" },
                "measure": "cost_per_successful_task_usd", "reduce_percent": "20",
                "note": "Shorter history",
            }))
            .reply_schema("The sprint with the target.", sprint())
            .of_kind(Kind::Sprint),
        Operation::post("withdrawTarget", path("withdraw"), finance, sprints::withdraw)
            .about(TAG, "Withdraw a target", "It stays on record, with the reason.")
            .body::<sprints::Withdrawal>(json!({ "target": 1, "reason": "The workload is retired" }))
            .reply_schema("The sprint.", sprint())
            .of_kind(Kind::Sprint),
        Operation::post("closeSprint", path("close"), finance, sprints::close)
            .about(TAG, "Close a sprint", "When its month is over: what became of each target is measured and stands.")
            .body::<sprints::Closing>(json!({ "note": "Caching paid off" }))
            .reply_schema("The sprint with its results.", sprint())
            .of_kind(Kind::Sprint),
    ]
}

fn of_reviews() -> Vec<Operation> {
    let review = || schema::of_kind(Kind::QuarterlyReview).resource;
    let path = |verb: &str| format!("/api/v1/quarterly-reviews/{{name}}/{verb}");
    let stewards = Access::Roles(STEWARDS);
    vec![
        Operation::get("getReviewPage", "/api/v1/rollout/review", Access::Roles(BROWSERS), reviews::page)
            .about(TAG, "The quarter's review of policies and prices", "What changed of policies, price lists, rate cards and exceptions, which cost centers moved, and what was decided. As JSON, or with `format=markdown` as minutes to keep.")
            .query::<reviews::ReviewQuery>()
            .reply::<QuarterlyReview>("The review.")
            .also("text/markdown"),
        Operation::post("recordDecision", path("decisions"), stewards, reviews::decide)
            .about(TAG, "Record a decision of a review", "While the review is open; nothing that is recorded is changed.")
            .body::<reviews::Decision>(json!({
                "subject": "rate_cards", "about": "rates-2027", "text": "The markup stays as it is",
                "due": "2026-12-15",
            }))
            .reply_schema("The review with the decision.", review())
            .of_kind(Kind::QuarterlyReview),
        Operation::post("closeReview", path("close"), stewards, reviews::close)
            .about(TAG, "Close a review", "With who was there. Its decisions stand.")
            .body::<reviews::Closing>(json!({ "attendees": ["ada"], "note": "Next time with legal" }))
            .reply_schema("The review.", review())
            .of_kind(Kind::QuarterlyReview),
    ]
}

/// What stands in the way of a step is a conflict with what is there.
fn refused(error: StoreError) -> Problem {
    match error {
        StoreError::Argument(why) => Problem::new(StatusCode::CONFLICT, "rollout_refused", why)
            .with_next_step("look at how far it has come, then try again"),
        other => problem(other),
    }
}

fn invalid(detail: impl Into<String>, next_step: &str) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "request_invalid", detail)
        .with_next_step(next_step)
}
