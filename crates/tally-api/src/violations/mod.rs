//! Violations: calls that a rule refused, sent to review, moved or lessened, and those that a
//! severe rule was met by. They are calls, and are seen by whoever sees the calls; who looked
//! at one is kept in the store.

mod scan;

use std::sync::Arc;

use axum::{
    Extension, Json,
    body::Body,
    extract::{Query, State, rejection::QueryRejection},
};
use http::StatusCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tally_gateway::DataPlane;
use tally_ingest::edge::{self, Problem};
use tally_store::Acknowledgement;
use tally_types::{
    EventId, KeyName, PolicyDecision, Role, Severity, Timestamp, UsageEvent, spec::KeyReinstatement,
};
use tally_warehouse::{EventFilter, Field, Filter, NamedRange, QueryError};

use crate::{
    access::{READERS, SECURITY},
    caller::Caller,
    events,
    operation::{Access, Operation},
    params::{self, Page, PathParams},
    query::ask,
    resources::BODY_BYTES_MAX,
    scope::Scope,
    state::Api,
    store_problem::problem,
};

pub(crate) use scan::open_severe;
use scan::{Seen, scan};

const PAGE: u32 = 100;
const PAGE_MAX: u32 = 500;
/// Security and admins look at any; managers at those of their teams.
const LOOKERS: &[Role] = &[Role::Admin, Role::Security, Role::Manager];

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ViolationsQuery {
    /// Only of this severity: `low`, `medium`, `high`, `severe`.
    severity: Option<String>,
    /// Only those that this rule decided, as `policy/rule`.
    rule: Option<String>,
    /// Only those that somebody has looked at, or only those that nobody has.
    acknowledged: Option<bool>,
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
    /// Who looked at it; null while nobody has.
    acknowledged: Option<Acknowledgement>,
    /// What became of its key, where the rule had it suspended.
    contained: Option<Containing>,
    /// The call: who, what, when; `call_id` leads to its whole story.
    event: UsageEvent,
}

/// A key that was suspended at once.
#[derive(Serialize, JsonSchema)]
struct Containing {
    /// The key.
    key: KeyName,
    /// The rule that did it, as `policy/rule`.
    rule: String,
    /// Whether it is still suspended.
    suspended: bool,
    /// How that ended, if it was given back.
    reinstated: Option<KeyReinstatement>,
}

/// What was found.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ViolationNote")]
struct Note {
    /// In 1 to 2,000 characters.
    note: String,
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
        Operation::post("acknowledgeViolation", "/api/v1/violations/{id}/acknowledge", Access::Roles(LOOKERS), acknowledge)
            .about(
                "policies",
                "Say that a violation was looked at",
                "By security or an admin, and by managers for their teams; the id is the event's. The first word stands: said again, it is answered with the first.",
            )
            .body::<Note>(json!({ "note": "A test; the team knows" }))
            .reply::<Acknowledgement>("Who looked at it first."),
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
    let (found, next) = scan(&api, filter, query.acknowledged).await?;
    let plane = api.state.gateway.plane();
    let items = found.into_iter().map(|seen| Violation::new(&plane, seen)).collect();
    Ok(Json(Page { items, next: next.map(events::cursor_text) }))
}

/// `POST /api/v1/violations/{id}/acknowledge`
async fn acknowledge(
    State(api): State<Arc<Api>>,
    Extension(path): Extension<PathParams>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Result<Json<Acknowledgement>, Problem> {
    let id: EventId = path.id()?;
    let Note { note } = edge::json(&edge::read(body, BODY_BYTES_MAX).await?)?;
    let scope = if caller.has_any(SECURITY) {
        Scope::All
    } else {
        Scope::Teams { teams: caller.managed_teams() }
    };
    let found = ask(&api, move |warehouse| warehouse.event(id).map_err(QueryError::from)).await?;
    let event =
        found.filter(|event| event.is_violation() && scope.sees(event)).ok_or_else(|| {
            Problem::new(StatusCode::NOT_FOUND, "not_found", format!("there is no violation {id}"))
                .with_next_step("list those you may see with `GET /api/v1/violations`")
        })?;
    let actor = caller.actor();
    let by = caller.person.as_ref().map_or(actor.as_str(), |person| person.as_str());
    let kept = api.state.store.acknowledgements().keep(&actor, by, &event, &note).await;
    kept.map(Json).map_err(problem)
}

// === impl Violation ===

impl Violation {
    fn new(plane: &DataPlane, (event, acknowledged): Seen) -> Self {
        let rule = event.rules.first().cloned();
        Self {
            acknowledged,
            contained: Containing::of(plane, &event),
            decision: event.policy_decision,
            severity: event.policy_severity,
            says: rule.as_deref().and_then(|rule| sentence(plane, rule)),
            rule,
            event,
        }
    }
}

// === impl Containing ===

impl Containing {
    fn of(plane: &DataPlane, event: &UsageEvent) -> Option<Self> {
        let (rule, key) = (event.contained_by()?.to_owned(), event.key.clone()?);
        let spec = plane.snapshot().keys.get(key.as_str());
        let reinstated = spec.filter(|spec| spec.was_reinstated_since(event.time));
        let reinstated = reinstated.and_then(|spec| spec.reinstated.clone());
        Some(Self { suspended: spec.is_some() && reinstated.is_none(), key, rule, reinstated })
    }
}

fn sentence(plane: &DataPlane, rule: &str) -> Option<String> {
    let (policy, id) = rule.split_once('/')?;
    let policies = &plane.snapshot().policies;
    let spec = policies.iter().find(|(name, _)| name.as_str() == policy)?.1;
    spec.rules.iter().find(|rule| rule.id == id).map(|rule| rule.says.clone())
}
