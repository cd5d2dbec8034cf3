//! Statements: what cost centers pay and teams are shown, month by month; their review, their
//! closing; what a rate card would change. The ledger computes all of it.

mod months;
mod read;
mod steps;

use std::sync::Arc;

use http::StatusCode;
use serde_json::json;
use tally_gateway::DataPlane;
use tally_ingest::edge::Problem;
use tally_ledger::{ChargebackPreview, Ledger, LedgerError, Month, Preview, Statement, Verified};
use tally_types::{CostCenterName, Kind, Role};

use crate::{
    access::FINANCE,
    caller::Caller,
    operation::{Access, Operation},
    query::ask,
    schema,
    state::Api,
    store_problem::problem,
};

const TAG: &str = "statements";
/// Who sees every statement.
pub(crate) const ACCOUNTANTS: &[Role] = &[Role::Admin, Role::Finops, Role::Auditor];
const BODY_BYTES_MAX: usize = 64 << 10;

pub(crate) fn operations() -> Vec<Operation> {
    let (all, finance) = (Access::OwnOr(ACCOUNTANTS), Access::Roles(FINANCE));
    let period = || schema::of_kind(Kind::Period).resource;
    let said = json!({ "comment": 1, "text": "Its key belongs to your team." });
    let post = |id: &str, verb: &str| (id.to_owned(), format!("/api/v1/periods/{{name}}/{verb}"));
    let (review, close) = (post("openReview", "review"), post("closePeriod", "close"));
    let comment = post("commentOnStatement", "comments");
    let (answer, settle) = (post("answerComment", "answer"), post("settleDispute", "settle"));
    vec![
        Operation::get("listStatements", "/api/v1/statements", all, read::list)
            .about(TAG, "A month's statements", "Their sums, one for each cost center. Of an open month they are computed of what is there now. Owners of cost centers see their own.")
            .query::<read::PeriodQuery>()
            .reply::<read::Statements>("The statements, without their lines."),
        Operation::get("listStatementMonths", "/api/v1/statement-months", all, months::list)
            .about(TAG, "Months of statements", "How far each has come, what was metered in it and, of closed ones, what was sealed. Owners see what is about their cost centers.")
            .query::<months::MonthsQuery>()
            .reply::<months::StatementMonths>("The months, the newest first."),
        Operation::get("getStatement", "/api/v1/statements/{name}", all, read::one)
            .about(TAG, "One statement", "Named by month and cost center, such as `2026-10:cc-100-support`; `2026-10:-` is what no cost center answers for. Each line has the filters that lead to its calls.")
            .query::<read::FormatQuery>()
            .reply::<Statement>("The statement.")
            .also("text/csv")
            .also("text/markdown")
            .also("text/html"),
        Operation::get("listShowback", "/api/v1/showback", all, read::showback)
            .about(TAG, "What teams are shown", "Each team's share of a month, whoever pays for it. Managers see their teams.")
            .query::<read::ShowbackQuery>()
            .reply::<read::Showbacks>("Teams with their lines."),
        Operation::post(review.0, review.1, finance, steps::review)
            .about(TAG, "Open a month for review", "Owners are told, and may comment and dispute.")
            .reply_schema("The month.", period()),
        Operation::post(close.0, close.1, finance, steps::close)
            .about(TAG, "Close a month", "Seals its statements for good: the hash of each goes into the audit log, what comes later is corrected in the next month. A month is closed when it is over, after the one before it, without open disputes.")
            .reply_schema("The month with its seal.", period()),
        Operation::get("verifyPeriod", "/api/v1/periods/{name}/verify", Access::Roles(ACCOUNTANTS), read::verify)
            .about(TAG, "Hold a closed month against its seal", "Hashes and sums of what is kept, and its postings.")
            .reply::<Verified>("What does not fit, if anything."),
        Operation::post(comment.0, comment.1, all, steps::comment)
            .about(TAG, "Comment on a statement, or dispute it", "While the month is open for review, by accountants and the cost center's owner.")
            .body::<steps::CommentBody>(json!({
                "cost_center": "cc-100-support", "kind": "dispute",
                "text": "The load test of 12 October belongs to the platform team",
            }))
            .reply_schema("The month with the comment.", period()),
        Operation::post(answer.0, answer.1, finance, steps::answer)
            .about(TAG, "Answer a comment", "A dispute is then answered, not settled.")
            .body::<steps::AnswerBody>(said.clone())
            .reply_schema("The month with the answer.", period()),
        Operation::post(settle.0, settle.1, finance, steps::settle)
            .about(TAG, "Settle a dispute", "With a last word, where there is one.")
            .body::<steps::SettleBody>(said)
            .reply_schema("The month.", period()),
        Operation::post("previewRateCard", "/api/v1/rate-cards/preview", finance, read::preview)
            .about(TAG, "What a rate card would change", "As if it had held in a month that is over: before and after by cost center. Nothing is stored.")
            .body::<read::PreviewBody>(json!({
                "spec": { "from": "2027-01-01", "markup_percent": "4.5" }, "period": "2026-10",
            }))
            .reply::<Preview>("Before and after.")
            .asks(),
        Operation::post("previewChargeback", "/api/v1/cost-centers/{name}/preview", finance, read::preview_chargeback)
            .about(TAG, "What another chargeback model would change", "As if it had held in a month that is over: before and after. Nothing is stored.")
            .body::<read::ChargebackPreviewBody>(json!({
                "chargeback": { "model": "production" }, "period": "2026-10",
            }))
            .reply::<ChargebackPreview>("Before and after.")
            .asks(),
    ]
}

/// Asks the ledger, off the async threads.
pub(crate) async fn books<T: Send + 'static>(
    api: &Api,
    question: impl FnOnce(&Ledger<'_>) -> Result<T, LedgerError> + Send + 'static,
) -> Result<T, Problem> {
    let snapshot = api.state.store.snapshot();
    let plane: Arc<DataPlane> = api.state.gateway.plane();
    let answer = ask(api, move |warehouse| {
        let ledger = Ledger { snapshot: &snapshot, prices: plane.prices(), warehouse };
        Ok(question(&ledger))
    });
    answer.await?.map_err(refused)
}

fn refused(error: LedgerError) -> Problem {
    match error {
        LedgerError::Refused(why) => Problem::new(StatusCode::CONFLICT, "period_refused", why)
            .with_next_step("`GET /api/v1/statements?period=…` says how far a month has come"),
        LedgerError::Store(error) => problem(error),
        other => Problem::internal("the ledger", &other),
    }
}

fn month(text: &str) -> Result<Month, Problem> {
    text.parse().map_err(|error: String| Problem::bad_request("period_invalid", error))
}

/// The month that goes on.
fn this_month(api: &Api) -> Month {
    let zone = api.state.store.snapshot().organization.zone();
    Month::of(api.state.clock.now().to_zoned(zone).date())
}

/// Whether a cost center is the caller's own.
fn owns(caller: &Caller, cost_center: &CostCenterName) -> bool {
    let spec = caller.plane.snapshot().cost_centers.get(cost_center.as_str());
    spec.is_some_and(|spec| Some(&spec.owner) == caller.own())
}

/// Who is named in the record: the person, or the key that is nobody's.
pub(crate) fn author(caller: &Caller) -> String {
    caller.person.as_ref().map_or_else(|| caller.actor(), ToString::to_string)
}
