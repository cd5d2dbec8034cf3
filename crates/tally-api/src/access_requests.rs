//! Access requests: a key, a model or a tier, asked for. The rules are the store's.

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
use tally_store::{access::NewAccess, approvals::Request as _};
use tally_types::{
    Name, Timestamp,
    spec::{AccessAsk, AccessRequestSpec},
};

use crate::{
    access::BROWSERS,
    approvals::{self, AskQuery, Words, person, refused, schema_of},
    caller::Caller,
    operation::{Access, Operation},
    params,
    resources::{BODY_BYTES_MAX, created_at},
    state::Api,
};

const TAG: &str = "guardrails";
const DESCRIPTION: &str = "A key (`{\"key\": {}}`, or for a workload that is not one's own \
`{\"key\": {\"workload\": …}}`), a model or a tier that is on request, for at most 180 days. The manager \
of who asks approves; the owner of the workload, too, where one is named; FinOps instead where it is of \
the frontier tier. Nobody approves their own. With `dry_run` nothing is stored: the reply (200) shows who \
would have to approve.";

/// What is asked for.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewAccessRequest")]
struct NewAccessBody {
    /// What; may be left out with `renews`.
    what: Option<AccessAsk>,
    /// Why, in 1 to 2,000 characters.
    reason: String,
    /// Until when, at most 180 days from now.
    until: Timestamp,
    /// The request that this one renews.
    renews: Option<Name>,
}

/// What would come of it.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "AccessRequestPreview")]
struct Preview {
    /// The request, with who would have to approve.
    access_request: AccessRequestSpec,
}

pub(crate) fn operations() -> Vec<Operation> {
    let mut all = approvals::operations::<AccessRequestSpec>(&Words {
        tag: TAG,
        id: "AccessRequest",
        ids: "AccessRequests",
        one: "an access request",
        who_ends: "By an approver, whoever asked, FinOps or an admin; it needs a reason. Keys that were made by it end at their own time, or when they are revoked.",
        yes: json!({ "reason": "Agreed in the planning" }),
        no: json!({ "reason": "The standard tier does this as well" }),
    });
    let own = Access::OwnOr(BROWSERS);
    let create = Operation::post("createAccessRequest", "/api/v1/access-requests", own, create)
        .about(TAG, "Ask for a key, a model or a tier", DESCRIPTION)
        .query::<AskQuery>()
        .body::<NewAccessBody>(json!({
            "what": { "tier": "frontier" }, "until": "2026-12-10T17:00:00Z",
            "reason": "The pilot of the planner",
        }));
    let create = approvals::asks::<AccessRequestSpec>(create)
        .or_reply("With `dry_run`: the request as it would be.", schema_of::<Preview>());
    all.insert(1, create);
    all
}

/// `POST /api/v1/access-requests`
async fn create(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    query: Result<Query<AskQuery>, QueryRejection>,
    body: Body,
) -> Result<Response, Problem> {
    let is_dry_run = params::query(query)?.dry_run;
    let new: NewAccessBody = edge::json(&edge::read(body, BODY_BYTES_MAX).await?)?;
    let by = person(&caller)?;
    let NewAccessBody { what, reason, until, renews } = new;
    let new = NewAccess { what, reason, until, renews };
    let store = &api.state.store;
    if is_dry_run {
        let asked = AccessRequestSpec::request(&store.snapshot(), by, new, api.state.clock.now());
        let access_request = asked.map_err(refused::<AccessRequestSpec>)?;
        return Ok(Json(Preview { access_request }).into_response());
    }
    let made = store.access_requests().request(&caller.actor(), by, new).await;
    let made = made.map_err(refused::<AccessRequestSpec>)?;
    api.reached_gateway().await;
    Ok(created_at(&made, Json(&made).into_response()))
}
