//! Who may do what: one table, and the guard that reads it. What the table does not
//! list is refused.

use std::sync::Arc;

use axum::{
    extract::{MatchedPath, RawPathParams, Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use tally_ingest::edge::{Caller, Problem};
use tally_types::{Kind, PersonName, Role};
use tracing::Instrument as _;

use crate::{params::PathParams, state::Api};

/// Who may use a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Anyone, without a key.
    Open,
    /// These roles.
    Roles(&'static [Role]),
    /// These roles; a developer sees their own only.
    OwnOr(&'static [Role]),
    /// Admins; for the kinds of [`FINOPS_KINDS`] finops too.
    Change,
}

/// One line of the table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rule {
    pub(crate) method: &'static str,
    pub(crate) template: &'static str,
    pub(crate) access: Access,
}

const READERS: &[Role] =
    &[Role::Admin, Role::Finops, Role::Security, Role::Auditor, Role::Viewer, Role::Manager];
const SCRAPERS: &[Role] = &[Role::Admin, Role::Auditor, Role::Finops, Role::Viewer];
const OPERATORS: &[Role] = &[Role::Admin, Role::Auditor];
const ADMINS: &[Role] = &[Role::Admin];
/// What finops keep: prices and limits.
const FINOPS_KINDS: &[Kind] = &[Kind::PriceList, Kind::Budget];
/// In a filter this stands for "not known"; a person of that name would see it all.
const UNATTRIBUTED: &str = "unattributed";
const REQUEST_ID: HeaderName = HeaderName::from_static("x-tally-request-id");

const fn rule(method: &'static str, template: &'static str, access: Access) -> Rule {
    Rule { method, template, access }
}

/// Every path and method there is.
pub(crate) const RULES: &[Rule] = &[
    rule("GET", "/healthz", Access::Open),
    rule("GET", "/readyz", Access::Open),
    rule("GET", "/metrics", Access::Roles(SCRAPERS)),
    rule("POST", "/api/v1/apply", Access::Roles(ADMINS)),
    rule("GET", "/api/v1/audit", Access::Roles(READERS)),
    rule("GET", "/api/v1/events", Access::OwnOr(READERS)),
    rule("GET", "/api/v1/events/{id}", Access::Roles(READERS)),
    rule("GET", "/api/v1/prices", Access::Roles(READERS)),
    rule("POST", "/api/v1/query", Access::OwnOr(READERS)),
    rule("GET", "/api/v1/query/catalog", Access::Roles(READERS)),
    rule("GET", "/api/v1/status", Access::Roles(OPERATORS)),
    rule("POST", "/api/v1/keys/{name}/revoke", Access::Roles(ADMINS)),
    rule("POST", "/api/v1/keys/{name}/rotate", Access::Roles(ADMINS)),
    rule("GET", "/api/v1/{kinds}", Access::Roles(READERS)),
    rule("POST", "/api/v1/{kinds}", Access::Change),
    rule("GET", "/api/v1/{kinds}/{name}", Access::Roles(READERS)),
    rule("PUT", "/api/v1/{kinds}/{name}", Access::Change),
    rule("DELETE", "/api/v1/{kinds}/{name}", Access::Change),
];

/// Whose data a caller sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Everyone's.
    All,
    /// This person's only.
    Own(PersonName),
}

/// Lets a request in, or says why not; gives it an id that the log has too.
pub(crate) async fn guard(
    State(api): State<Arc<Api>>,
    matched: Option<MatchedPath>,
    mut request: Request,
    next: Next,
) -> Response {
    let state = &api.state;
    let request_id = state.ids.uuid(state.clock.now()).to_string();
    let span = tracing::info_span!("api", request_id);
    let served = async {
        match admit(&api, matched.as_ref(), &mut request).await {
            Ok(()) => next.run(request).await,
            Err(problem) => problem.into_response(),
        }
    };
    let mut response = served.instrument(span).await;
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::try_from(request_id) {
        headers.insert(REQUEST_ID, id);
    }
    if response.status() == StatusCode::METHOD_NOT_ALLOWED {
        let methods: Vec<&str> = rules_at(matched.as_ref()).map(|rule| rule.method).collect();
        if let Ok(allow) = HeaderValue::try_from(methods.join(", ")) {
            response.headers_mut().insert(header::ALLOW, allow);
        }
    }
    response
}

/// Looks at nothing but the path before the key.
async fn admit(
    api: &Api,
    matched: Option<&MatchedPath>,
    request: &mut Request,
) -> Result<(), Problem> {
    // A `HEAD` is a `GET` without its body.
    let is_head = request.method() == Method::HEAD;
    let method = if is_head { Method::GET } else { request.method().clone() };
    let rule = rules_at(matched).find(|rule| rule.method == method.as_str());
    if rule.is_some_and(|rule| rule.access == Access::Open) {
        return Ok(());
    }
    let caller = Caller::identify(&api.state.gateway, request.headers(), api.state.clock.now())?;
    let Some(rule) = rule else {
        return Err(if rules_at(matched).next().is_some() {
            let detail = "this path does not know this method";
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail)
                .with_next_step("see the header `allow` for the methods it knows")
        } else {
            unknown_path().await
        });
    };
    let params = path_params(request).await?;
    let scope = decide(rule, &params, &caller)?;
    let extensions = request.extensions_mut();
    extensions.insert(params);
    extensions.insert(scope);
    extensions.insert(caller);
    Ok(())
}

fn rules_at<'a>(matched: Option<&'a MatchedPath>) -> impl Iterator<Item = &'static Rule> + 'a {
    let template = matched.map(MatchedPath::as_str);
    RULES.iter().filter(move |rule| Some(rule.template) == template)
}

/// What is unknown under `/api`; the guard refuses before it comes here.
pub(crate) async fn unknown_path() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "path_unknown", "there is nothing at this path")
        .with_next_step("resources are at `/api/v1/{kinds}`, such as `/api/v1/cost-centers`")
}

async fn path_params(request: &mut Request) -> Result<PathParams, Problem> {
    use axum::RequestExt as _;

    let raw = request.extract_parts::<RawPathParams>().await.map_err(|_| {
        Problem::bad_request("path_invalid", "the path holds something that is no UTF-8")
    })?;
    Ok(PathParams::new(&raw))
}

/// Whether a caller may use a path, and for whose data.
fn decide(rule: &Rule, params: &PathParams, caller: &Caller) -> Result<Scope, Problem> {
    let kind = params.kind().transpose()?;
    match rule.access {
        Access::Open => Ok(Scope::All),
        Access::Roles(roles) => {
            allowed(caller, roles).then_some(Scope::All).ok_or_else(|| forbidden(caller, roles))
        }
        Access::OwnOr(roles) if allowed(caller, roles) => Ok(Scope::All),
        Access::OwnOr(roles) if allowed(caller, &[Role::Developer]) => own(caller, roles),
        Access::OwnOr(roles) => Err(forbidden(caller, roles)),
        Access::Change => {
            let by_finops = kind.is_some_and(|kind| FINOPS_KINDS.contains(&kind));
            let roles: &[Role] = if by_finops { &[Role::Admin, Role::Finops] } else { ADMINS };
            allowed(caller, roles).then_some(Scope::All).ok_or_else(|| forbidden(caller, roles))
        }
    }
}

fn allowed(caller: &Caller, roles: &[Role]) -> bool {
    caller.has_any(roles)
}

fn own(caller: &Caller, roles: &[Role]) -> Result<Scope, Problem> {
    match &caller.identity.person {
        Some(person) if person.as_str() != UNATTRIBUTED => Ok(Scope::Own(person.clone())),
        _ => Err(forbidden(caller, roles).with_next_step(
            "a developer sees their own usage: use a key that belongs to a person",
        )),
    }
}

fn forbidden(caller: &Caller, roles: &[Role]) -> Problem {
    let words: Vec<&str> = roles.iter().map(|role| role.as_str()).collect();
    let detail = format!("this needs one of the roles: {}", words.join(", "));
    let next_step = if caller.has_any(&[Role::Developer]) {
        "a developer sees their own usage by `POST /api/v1/query`; for more, ask an admin for a role"
    } else {
        "ask an admin for a role"
    };
    Problem::new(StatusCode::FORBIDDEN, "role_missing", detail).with_next_step(next_step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_is_tested_with_every_role() {
        let tests = include_str!("../tests/api/access.rs");
        for rule in RULES.iter().filter(|rule| rule.access != Access::Open) {
            let row = format!("(\"{}\", \"{}\", ", rule.method, rule.template);
            assert!(tests.contains(&row), "no row {row} in the table of the tests");
        }
    }

    #[test]
    fn only_health_is_open() {
        let open: Vec<&str> = RULES
            .iter()
            .filter(|rule| rule.access == Access::Open)
            .map(|rule| rule.template)
            .collect();
        assert_eq!(open, ["/healthz", "/readyz"]);
    }
}
