//! Grants: asked for, approved, denied, ended. The rules are the store's.

mod ask;
mod budgets;
mod decide;
mod list;

use std::sync::Arc;

use http::StatusCode;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::json;
use tally_ingest::edge::{Flaw, Problem};
use tally_store::grants::{GrantError, is_party};
use tally_types::{Kind, Name, PersonName, spec::GrantSpec};

use crate::{
    access::BROWSERS,
    caller::Caller,
    operation::{Access, Operation, SchemaOf},
    resources::not_own,
    schema,
    scope::Scope,
    store_problem::problem,
};

pub use budgets::BudgetView;

const TAG: &str = "budgets";

pub(crate) fn operations() -> Vec<Operation> {
    let own = Access::OwnOr(BROWSERS);
    let schemas = schema::of_kind(Kind::Grant);
    let changes = |operation: Operation| {
        operation.reply_schema("The grant.", schemas.resource.clone()).of_kind(Kind::Grant)
    };
    let path = |verb: &str| format!("/api/v1/grants/{{name}}/{verb}");
    let yes = json!({ "reason": "The recall is real, and the replies are good" });
    let no = json!({ "reason": "The smaller model does this as well" });
    vec![
        Operation::get("listGrants", "/api/v1/grants", own, list::list)
            .about(TAG, "List /api/v1/grants", "By name, page by page. Developers see what they asked for, what they may decide on, and what they decided.")
            .query::<list::ListQuery>()
            .reply_schema("Resources.", schemas.page.clone())
            .of_kind(Kind::Grant),
        Operation::post("createGrant", "/api/v1/grants", own, ask::create)
            .about(TAG, "Ask for more of a budget", ask::DESCRIPTION)
            .query::<ask::AskQuery>()
            .body::<ask::NewGrantBody>(ask::example())
            .reply_schema("The grant, and whom it waits for.", schemas.resource.clone())
            .creates()
            .or_reply("With `dry_run`: the grant as it would be, and how the budgets stand.", schema_of::<ask::Preview>())
            .of_kind(Kind::Grant),
        changes(Operation::post("approveGrant", path("approve"), own, decide::approve)
            .about(TAG, "Approve a grant", "As an approver that it waits for, or as their delegate. It holds once each role that is needed has approved. Said twice it is said once.")
            .body::<decide::Reason>(yes)),
        changes(Operation::post("denyGrant", path("deny"), own, decide::deny)
            .about(TAG, "Deny a grant", "One denial is enough; it needs a reason. Denying an emergency that holds ends it.")
            .body::<decide::Reason>(no.clone())),
        changes(Operation::post("revokeGrant", path("revoke"), own, decide::revoke)
            .about(TAG, "End a grant before its time", "By an approver, the budget's owner, whoever asked, FinOps or an admin; it needs a reason.")
            .body::<decide::Reason>(no)),
        changes(Operation::post("withdrawGrant", path("withdraw"), own, decide::withdraw)
            .about(TAG, "Take one's own request back", "While nobody has decided.")),
        Operation::get("getGrantTrail", path("trail"), own, list::trail)
            .about(TAG, "The minutes of a grant", "Who asked, was told, approved as what and for whom, and what time did; made from the audit trail.")
            .reply::<list::Trail>("The minutes, oldest first."),
        Operation::get("listBudgetEvents", "/api/v1/budgets/{name}/events", own, list::events)
            .about(TAG, "The stages that a budget reached", "Newest first, page by page. Developers see those of counters that are their own or everyone's.")
            .query::<list::EventsQuery>()
            .reply::<tally_store::notices::StageEventsPage>("The events."),
    ]
}

fn schema_of<T: JsonSchema + 'static>() -> SchemaOf {
    Arc::new(SchemaGenerator::subschema_for::<T>)
}

/// The person who calls; a key of nobody's decides nothing.
fn person(caller: &Caller) -> Result<&PersonName, Problem> {
    caller.person.as_ref().ok_or_else(|| {
        let detail = "grants are asked for and decided by people; this key is nobody's";
        Problem::new(StatusCode::FORBIDDEN, "person_needed", detail)
            .with_next_step("sign in, or use a key that belongs to a person")
    })
}

/// The grants that a caller sees without a role that sees all.
pub(crate) fn own_names(caller: &Caller, person: &PersonName) -> Vec<Name> {
    let snapshot = caller.plane.snapshot();
    let own = snapshot.grants.iter().filter(|(_, grant)| is_own(caller, grant, person));
    own.map(|(name, _)| name.clone()).collect()
}

fn is_own(caller: &Caller, grant: &GrantSpec, person: &PersonName) -> bool {
    is_party(caller.plane.snapshot(), grant, person)
}

/// What a caller may not see is not there.
fn check_visible(caller: &Caller, scope: &Scope, name: &Name) -> Result<(), Problem> {
    let Scope::Own { person } = scope else { return Ok(()) };
    let grant = caller.plane.snapshot().grants.get(name);
    let is_own = grant.is_some_and(|grant| is_own(caller, grant, person));
    is_own.then_some(()).ok_or_else(|| not_own(Kind::Grant, name))
}

/// What went wrong with a grant, as HTTP says it.
fn refused(error: GrantError) -> Problem {
    let detail = error.to_string();
    match error {
        GrantError::Invalid { field, message } => {
            let what = "what is asked for cannot be granted";
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "grant_invalid", what)
                .with_next_step("correct the fields named in `errors`")
                .with_errors([Flaw::new(field, message)])
        }
        GrantError::Own { .. } => Problem::new(StatusCode::FORBIDDEN, "own_grant", detail)
            .with_next_step("wait for them, or take the request back"),
        GrantError::NotYours { .. } => {
            Problem::new(StatusCode::FORBIDDEN, "not_an_approver", detail)
                .with_next_step("ask one of them; `GET /api/v1/grants/{name}` lists who is asked")
        }
        GrantError::Decided(_) => Problem::new(StatusCode::CONFLICT, "already_decided", detail)
            .with_next_step("ask anew where more is still needed"),
        GrantError::Store(error) => problem(error),
        _ => Problem::internal("the grant", &detail),
    }
}
