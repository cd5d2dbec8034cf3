//! Exceptions: a rule waived for a time. The rules are the store's.

use std::sync::Arc;

use axum::{
    Extension, Json,
    body::Body,
    extract::{Query, State, rejection::QueryRejection},
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tally_ingest::edge::{self, Problem};
use tally_store::{
    approvals::Request as _,
    exceptions::{NewException, repeats},
};
use tally_types::{
    Kind, Name, Resource, Timestamp,
    spec::{ExceptionScope, ExceptionSpec},
};

use crate::{
    access::{BROWSERS, SECURITY},
    approvals::{self, AskQuery, Words, decide::done, person, refused, schema_of},
    caller::Caller,
    operation::{Access, Operation},
    params::{self, PathParams},
    resources::{BODY_BYTES_MAX, created_at},
    schema,
    state::Api,
};

const TAG: &str = "guardrails";
const DESCRIPTION: &str = "A waiver of one rule for a person, a team, a workload or a key (all that is \
given must hold), for at most 30 days, with a reason. Security approves, and the owner of the workload \
where one is named; nobody approves their own. With `dry_run` nothing is stored: the reply (200) shows \
who would have to approve, and what it repeats.";
const REVIEW: &str = "By security or an admin, not by whoever asked. A repeated exception (a renewal, or \
a second one for the same rule and an overlapping scope) cannot be approved before.";

/// What is asked for.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewException")]
struct NewExceptionBody {
    /// The rule, as `policy/rule-id`; may be left out with `renews`.
    rule: Option<String>,
    /// For whom or what; may be left out with `renews`.
    scope: Option<ExceptionScope>,
    /// Why, in 1 to 2,000 characters.
    reason: String,
    /// From when; left out, from now.
    from: Option<Timestamp>,
    /// Until when, at most 30 days after it begins.
    until: Timestamp,
    /// The exception that this one renews.
    renews: Option<Name>,
}

/// What would come of it.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ExceptionPreview")]
struct Preview {
    /// The exception, with who would have to approve.
    exception: ExceptionSpec,
    /// The earlier one that it repeats: an architecture review is needed first.
    repeats: Option<Name>,
}

/// What came of looking at it.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ArchitectureReviewNote")]
struct Note {
    /// In 1 to 2,000 characters.
    note: String,
}

pub(crate) fn operations() -> Vec<Operation> {
    let own = Access::OwnOr(BROWSERS);
    let mut all = approvals::operations::<ExceptionSpec>(&Words {
        tag: TAG,
        id: "Exception",
        ids: "Exceptions",
        one: "an exception",
        who_ends: "By an approver, whoever asked, security or an admin; it needs a reason.",
        yes: json!({ "reason": "The provider keeps nothing by contract since May" }),
        no: json!({ "reason": "The approved route does this as well" }),
    });
    let create = Operation::post("createException", "/api/v1/exceptions", own, create)
        .about(TAG, "Ask for an exception", DESCRIPTION)
        .query::<AskQuery>()
        .body::<NewExceptionBody>(json!({
            "rule": "data-classes/restricted-needs-zero-retention", "scope": { "person": "ada" },
            "until": "2026-12-10T17:00:00Z", "reason": "The audit of 2026 needs it",
        }));
    let create = approvals::asks::<ExceptionSpec>(create).or_reply(
        "With `dry_run`: the exception as it would be, and what it repeats.",
        schema_of::<Preview>(),
    );
    all.insert(1, create);
    let path = "/api/v1/exceptions/{name}/architecture-review";
    all.push(
        Operation::post("reviewException", path, Access::Roles(SECURITY), review)
            .about(TAG, "Record an architecture review", REVIEW)
            .body::<Note>(
                json!({ "note": "The route is rebuilt in January; until then this is right" }),
            )
            .reply_schema("The exception.", schema::of_kind(Kind::Exception).resource)
            .of_kind(Kind::Exception),
    );
    all
}

/// `POST /api/v1/exceptions`
async fn create(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    query: Result<Query<AskQuery>, QueryRejection>,
    body: Body,
) -> Result<Response, Problem> {
    let is_dry_run = params::query(query)?.dry_run;
    let new: NewExceptionBody = edge::json(&edge::read(body, BODY_BYTES_MAX).await?)?;
    let by = person(&caller)?;
    let NewExceptionBody { rule, scope, reason, from, until, renews } = new;
    let new = NewException { rule, scope, reason, from, until, renews };
    let store = &api.state.store;
    if is_dry_run {
        let (snapshot, now) = (store.snapshot(), api.state.clock.now());
        let exception = ExceptionSpec::request(&snapshot, by, new, now);
        let exception = exception.map_err(refused::<ExceptionSpec>)?;
        let name = exception.base_name(&snapshot).parse();
        let name: Name = name.map_err(|error| Problem::internal("the name", &error))?;
        let repeats = repeats(&snapshot, &name, &exception).cloned();
        return Ok(Json(Preview { repeats, exception }).into_response());
    }
    let made = store.exceptions().request(&caller.actor(), by, new).await;
    let made = made.map_err(refused::<ExceptionSpec>)?;
    api.reached_gateway().await;
    Ok(created_at(&made, Json(&made).into_response()))
}

/// `POST /api/v1/exceptions/{name}/architecture-review`
async fn review(
    State(api): State<Arc<Api>>,
    Extension(path): Extension<PathParams>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Result<Json<Resource>, Problem> {
    let (name, by) = (path.name()?, person(&caller)?);
    let Note { note } = edge::json(&edge::read(body, BODY_BYTES_MAX).await?)?;
    let all = api.state.store.exceptions();
    let reviewed = all.architecture_review(&caller.actor(), by, &name, &note).await;
    done::<ExceptionSpec>(&api, reviewed).await
}
