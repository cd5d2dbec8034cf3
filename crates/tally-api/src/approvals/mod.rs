//! What people ask for and others approve: the same operations for each kind of it. The rules
//! are the store's.

pub(crate) mod decide;
pub(crate) mod list;

use std::sync::Arc;

use http::StatusCode;
use schemars::{JsonSchema, SchemaGenerator};
use serde::Deserialize;
use serde_json::Value;
use tally_ingest::edge::{Flaw, Problem};
use tally_store::approvals::{ApprovalError, Request, is_party};
use tally_types::{Kind, Name, PersonName};

use crate::{
    access::BROWSERS,
    caller::Caller,
    operation::{Access, Operation, SchemaOf},
    resources::not_own,
    schema,
    scope::Scope,
    store_problem::problem,
};

/// How a kind is spoken of.
pub(crate) struct Words {
    /// The heading in the document.
    pub(crate) tag: &'static str,
    /// In operation ids: `Grant`.
    pub(crate) id: &'static str,
    /// In operation ids: `Grants`.
    pub(crate) ids: &'static str,
    /// `a grant`
    pub(crate) one: &'static str,
    /// Who may end one.
    pub(crate) who_ends: &'static str,
    /// What an approver might say.
    pub(crate) yes: Value,
    /// What somebody who denies might say.
    pub(crate) no: Value,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AskQuery {
    /// Only show what would come of it.
    #[serde(default)]
    pub(crate) dry_run: bool,
}

/// Listing, deciding, ending and the minutes; asking is each kind's own.
pub(crate) fn operations<T: Request>(words: &Words) -> Vec<Operation> {
    let Words { tag, id, ids, one, who_ends, yes, no } = words;
    let own = Access::OwnOr(BROWSERS);
    let root = format!("/api/v1/{}", T::KIND.plural());
    let schemas = schema::of_kind(T::KIND);
    let path = |verb: &str| format!("{root}/{{name}}/{verb}");
    let said = |operation: Operation, body: Option<&Value>| {
        let operation = match body {
            Some(body) => operation.body::<decide::Reason>(body.clone()),
            None => operation,
        };
        operation.reply_schema("As it stands now.", schemas.resource.clone()).of_kind(T::KIND)
    };
    vec![
        Operation::get(format!("list{ids}"), root.clone(), own, list::list::<T>)
            .about(tag, format!("List {root}"), "By name, page by page. Developers see what they asked for, what they may decide on, and what they decided.")
            .query::<list::ListQuery>()
            .reply_schema("Resources.", schemas.page.clone())
            .of_kind(T::KIND),
        said(Operation::post(format!("approve{id}"), path("approve"), own, decide::approve::<T>)
            .about(tag, format!("Approve {one}"), "As an approver that it waits for, or as their delegate. It holds once each role that is needed has approved. Said twice it is said once."), Some(yes)),
        said(Operation::post(format!("deny{id}"), path("deny"), own, decide::deny::<T>)
            .about(tag, format!("Deny {one}"), "One denial is enough; it needs a reason. Denying an emergency that holds ends it."), Some(no)),
        said(Operation::post(format!("revoke{id}"), path("revoke"), own, decide::revoke::<T>)
            .about(tag, format!("End {one} before its time"), who_ends), Some(no)),
        said(Operation::post(format!("withdraw{id}"), path("withdraw"), own, decide::withdraw::<T>)
            .about(tag, "Take one's own request back", "While nobody has decided."), None),
        Operation::get(format!("get{id}Trail"), path("trail"), own, list::trail::<T>)
            .about(tag, format!("The minutes of {one}"), "Who asked, was told, approved as what and for whom, and what time did; made from the audit trail.")
            .reply::<list::Trail>("The minutes, oldest first."),
    ]
}

/// An operation that asks for one.
pub(crate) fn asks<T: Request>(operation: Operation) -> Operation {
    let reply = "What was asked for, and whom it waits for.";
    operation.reply_schema(reply, schema::of_kind(T::KIND).resource).creates().of_kind(T::KIND)
}

pub(crate) fn schema_of<T: JsonSchema + 'static>() -> SchemaOf {
    Arc::new(SchemaGenerator::subschema_for::<T>)
}

/// The person who calls; a key of nobody's decides nothing.
pub(crate) fn person(caller: &Caller) -> Result<&PersonName, Problem> {
    caller.person.as_ref().ok_or_else(|| {
        let detail = "this is asked for and decided by people; this key is nobody's";
        Problem::new(StatusCode::FORBIDDEN, "person_needed", detail)
            .with_next_step("sign in, or use a key that belongs to a person")
    })
}

/// What a caller sees without a role that sees all.
pub(crate) fn own_names<T: Request>(caller: &Caller, person: &PersonName) -> Vec<Name> {
    let all = T::all(caller.plane.snapshot()).iter();
    all.filter(|(_, asked)| is_own(caller, *asked, person)).map(|(name, _)| name.clone()).collect()
}

fn is_own<T: Request>(caller: &Caller, asked: &T, person: &PersonName) -> bool {
    is_party(caller.plane.snapshot(), asked, person)
}

/// What a caller may not see is not there.
pub(crate) fn check_visible<T: Request>(
    caller: &Caller,
    scope: &Scope,
    name: &Name,
) -> Result<(), Problem> {
    let Scope::Own { person } = scope else { return Ok(()) };
    let asked = T::all(caller.plane.snapshot()).get(name);
    let is_own = asked.is_some_and(|asked| is_own(caller, asked, person));
    is_own.then_some(()).ok_or_else(|| not_own(T::KIND, name))
}

/// What went wrong, as HTTP says it.
pub(crate) fn refused<T: Request>(error: ApprovalError) -> Problem {
    let detail = error.to_string();
    // Grants had their own words first; programs know them.
    let [invalid, own] = match T::KIND {
        Kind::Grant => ["grant_invalid", "own_grant"],
        _ => ["request_invalid", "own_request"],
    };
    match error {
        ApprovalError::Invalid { field, message } => {
            let what = "what is asked for cannot be granted";
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, invalid, what)
                .with_next_step("correct the fields named in `errors`")
                .with_errors([Flaw::new(field, message)])
        }
        ApprovalError::Own { .. } => Problem::new(StatusCode::FORBIDDEN, own, detail)
            .with_next_step("wait for them, or take the request back"),
        ApprovalError::NotYours { .. } => {
            Problem::new(StatusCode::FORBIDDEN, "not_an_approver", detail).with_next_step(format!(
                "ask one of them; `GET /api/v1/{}/{{name}}` lists who is asked",
                T::KIND.plural()
            ))
        }
        ApprovalError::ReviewNeeded(_) => {
            Problem::new(StatusCode::CONFLICT, "architecture_review_needed", detail).with_next_step(
                "`tally exception review <name> --note …` records it, by security or an admin",
            )
        }
        ApprovalError::Decided(_) => Problem::new(StatusCode::CONFLICT, "already_decided", detail)
            .with_next_step("ask anew where more is still needed"),
        ApprovalError::Store(error) => problem(error),
        _ => Problem::internal("the request", &detail),
    }
}
