//! The guard: lets a request in, or says why not. What no operation stands for is refused.

use std::sync::Arc;

use axum::{
    extract::{MatchedPath, RawPathParams, Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use tally_ingest::edge::{self, Problem};
use tally_types::Role;
use tracing::Instrument as _;

use crate::{
    caller::Caller,
    idempotency,
    operation::{Access, Operation},
    params::PathParams,
    scope::Scope,
    state::Api,
};

/// Who sees all usage, and every resource.
pub(crate) const READERS: &[Role] =
    &[Role::Admin, Role::Finops, Role::Security, Role::Auditor, Role::Viewer];
/// Who sees every resource, but not all usage.
pub(crate) const BROWSERS: &[Role] =
    &[Role::Admin, Role::Finops, Role::Security, Role::Auditor, Role::Viewer, Role::Manager];
pub(crate) const REVIEWERS: &[Role] = &[Role::Admin, Role::Finops, Role::Security, Role::Auditor];
pub(crate) const SCRAPERS: &[Role] = &[Role::Admin, Role::Auditor, Role::Finops, Role::Viewer];
pub(crate) const OPERATORS: &[Role] = &[Role::Admin, Role::Auditor];
pub(crate) const ADMINS: &[Role] = &[Role::Admin];
/// Who keeps the catalog.
pub(crate) const STEWARDS: &[Role] = &[Role::Admin, Role::Finops, Role::Security];
/// Who answers for rules and what is waived of them.
pub(crate) const SECURITY: &[Role] = &[Role::Admin, Role::Security];
/// Who keeps prices and limits.
pub(crate) const FINANCE: &[Role] = &[Role::Admin, Role::Finops];
const REQUEST_ID: HeaderName = HeaderName::from_static("x-tally-request-id");

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
    let template = matched.as_ref().map(MatchedPath::as_str);
    let served = async {
        match admit(&api, template, &mut request).await {
            Ok(operation) => idempotency::run(&api, operation, request, next).await,
            Err(problem) => problem.into_response(),
        }
    };
    let mut response = served.instrument(span).await;
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::try_from(request_id) {
        headers.insert(REQUEST_ID, id);
    }
    if response.status() == StatusCode::METHOD_NOT_ALLOWED {
        let methods: Vec<&str> =
            api.operations_at(template).map(|operation| operation.method.as_str()).collect();
        if let Ok(allow) = HeaderValue::try_from(methods.join(", ")) {
            response.headers_mut().insert(header::ALLOW, allow);
        }
    }
    response
}

/// Looks at nothing but the path before the credential.
async fn admit<'a>(
    api: &'a Api,
    template: Option<&'a str>,
    request: &mut Request,
) -> Result<&'a Operation, Problem> {
    // A `HEAD` is a `GET` without its body.
    let is_head = request.method() == Method::HEAD;
    let method = if is_head { Method::GET } else { request.method().clone() };
    let operation = api.operations_at(template).find(|operation| operation.method == method);
    if let Some(open) = operation.filter(|operation| operation.access == Access::Open) {
        let params = path_params(request).await?;
        request.extensions_mut().insert(params);
        return Ok(open);
    }
    let caller = identify(api, &method, request.headers()).await?;
    let Some(operation) = operation else {
        return Err(if api.operations_at(template).next().is_some() {
            let detail = "this path does not know this method";
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail)
                .with_next_step("see the header `allow` for the methods it knows")
        } else {
            unknown_path().await
        });
    };
    caller.require(operation.scope())?;
    let scope = decide(operation.access, &caller)?;
    let params = path_params(request).await?;
    let extensions = request.extensions_mut();
    extensions.insert(params);
    if let Some(kind) = operation.kind {
        extensions.insert(kind);
    }
    extensions.insert(scope);
    extensions.insert(caller);
    Ok(operation)
}

/// By a key where one is shown, else by the cookie of a session.
pub(crate) async fn identify(
    api: &Api,
    method: &Method,
    headers: &HeaderMap,
) -> Result<Caller, Problem> {
    let now = api.state.clock.now();
    if tally_gateway::bearer(headers).is_none()
        && let Some(session) = api.sign_in.session(headers).await?
    {
        session.check_csrf(method, headers)?;
        return Ok(Caller::of_session(session, api.state.gateway.plane()));
    }
    let caller = edge::Caller::identify(&api.state.gateway, headers, now)?;
    Ok(Caller::of_key(caller))
}

/// What is unknown under `/api`; the guard refuses before it comes here.
pub(crate) async fn unknown_path() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "path_unknown", "there is nothing at this path")
        .with_next_step("`/api/openapi.json` lists what there is")
}

async fn path_params(request: &mut Request) -> Result<PathParams, Problem> {
    use axum::RequestExt as _;

    let raw = request.extract_parts::<RawPathParams>().await.map_err(|_| {
        Problem::bad_request("path_invalid", "the path holds something that is no UTF-8")
    })?;
    Ok(PathParams::new(&raw))
}

/// Whether a caller may use an operation, and for whose data.
pub(crate) fn decide(access: Access, caller: &Caller) -> Result<Scope, Problem> {
    let own = || caller.own().map(|person| Scope::Own { person: person.clone() });
    match access {
        Access::Open => Ok(Scope::All),
        Access::SignedIn => {
            let is_in = !caller.roles.is_empty() || caller.session().is_ok();
            is_in.then_some(Scope::All).ok_or_else(|| forbidden(caller, &[]))
        }
        Access::Session => caller.session().map(|_| Scope::All),
        Access::Roles(roles) => {
            caller.has_any(roles).then_some(Scope::All).ok_or_else(|| forbidden(caller, roles))
        }
        Access::OwnOr(roles) | Access::Usage(roles) if caller.has_any(roles) => Ok(Scope::All),
        Access::OwnOr(roles) => {
            own().filter(|_| !caller.roles.is_empty()).ok_or_else(|| forbidden(caller, roles))
        }
        Access::Usage(roles) => {
            let teams = caller.managed_teams();
            if caller.has_any(&[Role::Manager]) && !teams.is_empty() {
                return Ok(Scope::Teams { teams });
            }
            let is_in = caller.has_any(&[Role::Developer, Role::Manager]);
            own().filter(|_| is_in).ok_or_else(|| forbidden(caller, roles))
        }
    }
}

fn forbidden(caller: &Caller, roles: &[Role]) -> Problem {
    let words: Vec<&str> = roles.iter().map(|role| role.as_str()).collect();
    let detail = match words.as_slice() {
        [] => "this needs a role".to_owned(),
        words => format!("this needs one of the roles: {}", words.join(", ")),
    };
    let next_step = if caller.has_any(&[Role::Developer]) && caller.own().is_none() {
        "a developer sees their own usage: use a key that belongs to a person"
    } else if caller.has_any(&[Role::Developer]) {
        "a developer sees their own usage by `POST /api/v1/query`; for more, ask an admin for a role"
    } else {
        "ask an admin for a role"
    };
    Problem::new(StatusCode::FORBIDDEN, "role_missing", detail).with_next_step(next_step)
}
