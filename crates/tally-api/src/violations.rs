//! Violations: calls that a rule refused, sent to review, moved or lessened, and those that a
//! severe rule was met by. They are calls, and are seen by whoever sees the calls.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::{Query, State, rejection::QueryRejection},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tally_gateway::DataPlane;
use tally_ingest::edge::Problem;
use tally_types::{PolicyDecision, Severity, Timestamp, UsageEvent};
use tally_warehouse::{EventFilter, Field, Filter, NamedRange};

use crate::{
    access::READERS,
    events,
    operation::{Access, Operation},
    params::{self, Page},
    query::ask,
    scope::Scope,
    state::Api,
};

const PAGE: u32 = 100;
const PAGE_MAX: u32 = 500;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ViolationsQuery {
    /// Only of this severity: `low`, `medium`, `high`, `severe`.
    severity: Option<String>,
    /// Only those that this rule decided, as `policy/rule`.
    rule: Option<String>,
    /// A named range; by default the last 30 days.
    range: Option<String>,
    /// Instead: from this time…
    from: Option<Timestamp>,
    /// …to this one.
    to: Option<Timestamp>,
    /// The `next` of the page before.
    after: Option<String>,
    /// How many at most, 1 to 500; by default 100.
    limit: Option<u32>,
}

/// A call that policies did something about.
#[derive(Serialize, JsonSchema)]
struct Violation {
    /// What they did.
    decision: Option<PolicyDecision>,
    /// The worst severity of the rules that acted.
    severity: Option<Severity>,
    /// The rule that decided, as `policy/rule`.
    rule: Option<String>,
    /// Its sentence as it is now; null when the rule is gone.
    says: Option<String>,
    /// The call: who, what, when; `call_id` leads to its whole story.
    event: UsageEvent,
}

pub(crate) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("listViolations", "/api/v1/violations", Access::Usage(READERS), list)
            .about(
                "policies",
                "Violations",
                "Calls that a rule refused, sent to review, moved or lessened, or that a severe one was met by; newest first.",
            )
            .query::<ViolationsQuery>()
            .reply::<Page<Violation>>("Violations."),
    ]
}

/// `GET /api/v1/violations`
async fn list(
    State(api): State<Arc<Api>>,
    Extension(scope): Extension<Scope>,
    query: Result<Query<ViolationsQuery>, QueryRejection>,
) -> Result<Json<Page<Violation>>, Problem> {
    let query = params::query(query)?;
    let severity: Option<Severity> = params::parsed("severity", query.severity.as_deref())?;
    let limit = usize::try_from(params::limit(query.limit, PAGE, PAGE_MAX)?).unwrap_or(1);
    let mut filters = vec![Filter::eq(Field::Violation, "true")];
    filters.extend(severity.map(|it| Filter::eq(Field::PolicySeverity, it.as_str())));
    filters.extend(query.rule.as_deref().map(|rule| Filter::eq(Field::Rule, rule)));
    scope.narrow(&mut filters);
    let days = NamedRange::Last30Days;
    let filter = EventFilter {
        range: events::range(query.range.as_deref(), query.from, query.to, days)?,
        filters,
        after: events::cursor(query.after.as_deref())?,
        limit,
    };
    let now = api.state.clock.now();
    let found = ask(&api, move |warehouse| warehouse.events(&filter, now)).await?;
    let next = events::next(&found, limit);
    let plane = api.state.gateway.plane();
    let items = found.into_iter().map(|event| Violation::new(&plane, event)).collect();
    Ok(Json(Page { items, next }))
}

// === impl Violation ===

impl Violation {
    fn new(plane: &DataPlane, event: UsageEvent) -> Self {
        let rule = event.rules.first().cloned();
        Self {
            decision: event.policy_decision,
            severity: event.policy_severity,
            says: rule.as_deref().and_then(|rule| sentence(plane, rule)),
            rule,
            event,
        }
    }
}

fn sentence(plane: &DataPlane, rule: &str) -> Option<String> {
    let (policy, id) = rule.split_once('/')?;
    let policies = &plane.snapshot().policies;
    let spec = policies.iter().find(|(name, _)| name.as_str() == policy)?.1;
    spec.rules.iter().find(|rule| rule.id == id).map(|rule| rule.says.clone())
}
