//! Resources of any kind: list, read, create, replace, delete.

use std::sync::Arc;

use axum::{
    Extension, Json,
    body::Body,
    extract::{Query, State, rejection::QueryRejection},
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use tally_ingest::edge::{self, Problem};
use tally_store::ListOptions;
use tally_types::{
    Kind, Name, Resource,
    spec::{AccessRequestSpec, ExceptionSpec, GrantSpec, WorkloadState},
};

use crate::{
    access::{ADMINS, BROWSERS, FINANCE, READERS, REVIEWERS, STEWARDS},
    approvals,
    caller::Caller,
    examples, keys,
    operation::{Access, Operation},
    params::{self, Page, PathParams},
    schema,
    scope::Scope,
    state::Api,
    store_problem::problem,
};

/// The largest body of a single resource, in bytes.
pub(crate) const BODY_BYTES_MAX: usize = 1 << 20;
const PAGE: u32 = 100;
const PAGE_MAX: u32 = 1_000;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    /// The `next` of the page before.
    after: Option<String>,
    /// How many at most, 1 to 1,000; by default 100.
    limit: Option<u32>,
    /// Only names that begin with this.
    #[serde(default)]
    prefix: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewResource {
    name: Name,
    spec: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChangedResource {
    version: i64,
    spec: Value,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DeleteQuery {
    /// The version that was read; another one is refused.
    version: i64,
}

/// Records that are listed as any kind is; the others have lists of their own.
const HAVE_LISTS: &[Kind] = &[
    Kind::Baseline,
    Kind::Period,
    Kind::Adjustment,
    Kind::Rollout,
    Kind::Sprint,
    Kind::QuarterlyReview,
    Kind::Template,
    Kind::Story,
    Kind::Contribution,
];

/// Five operations for each kind; a record is only read here: the rest is verbs of its own.
pub(crate) fn operations() -> Vec<Operation> {
    let is_here = |kind: Kind, operation: &Operation| {
        let [one, many] = words(kind);
        // What people ask for has a list of its own, too.
        !kind.is_record()
            || operation.id == format!("get{one}")
            || HAVE_LISTS.contains(&kind) && operation.id == format!("list{many}")
    };
    let of = |kind: &Kind| {
        let kind = *kind;
        of_kind(kind).into_iter().filter(move |operation| is_here(kind, operation))
    };
    Kind::ALL.iter().flat_map(of).collect()
}

fn of_kind(kind: Kind) -> [Operation; 5] {
    let (read, change, replace) = (reading(kind), changing(kind), replacing(kind));
    // Of their own, people make keys; they replace and delete nothing.
    let create = if kind == Kind::Key { Access::OwnOr(ADMINS) } else { change };
    let [one, many] = words(kind);
    let path = format!("/api/v1/{}", kind.plural());
    let path_of_one = format!("{path}/{{name}}");
    let schemas = schema::of_kind(kind);
    let example = examples::spec(kind);
    let new = json!({ "name": examples::name(kind), "spec": example });
    let changed = json!({ "version": 1, "spec": example });
    let id = |verb: &str, word: &str| format!("{verb}{word}");
    let create = Operation::post(id("create", &one), path.clone(), create, create_resource)
        .about(
            "resources",
            format!("Create one of {path}"),
            "At version 1, with an entry in the audit trail.",
        )
        .body_schema(schemas.new, new)
        .reply_schema("The resource.", schemas.resource.clone())
        .creates();
    [
        Operation::get(id("list", &many), path.clone(), read, list)
            .about("resources", format!("List {path}"), "By name, page by page.")
            .query::<ListQuery>()
            .reply_schema("Resources.", schemas.page),
        if kind == Kind::Key { create.secret() } else { create },
        Operation::get(id("get", &one), path_of_one.clone(), read, get_resource)
            .about("resources", format!("Read one of {path}"), "With its version.")
            .reply_schema("The resource.", schemas.resource.clone()),
        Operation::put(id("update", &one), path_of_one.clone(), replace, update)
            .about(
                "resources",
                format!("Replace one of {path}"),
                "The version must be the one that was read; the new one is one higher.",
            )
            .body_schema(schemas.changed, changed)
            .reply_schema("The resource.", schemas.resource),
        Operation::delete(id("delete", &one), path_of_one, change, delete)
            .about(
                "resources",
                format!("Delete one of {path}"),
                "Refused while something refers to it.",
            )
            .query::<DeleteQuery>(),
    ]
    .map(|operation| operation.of_kind(kind))
}

/// The words of a kind in operation ids, one and many: `CostCenter`, `CostCenters`.
fn words(kind: Kind) -> [String; 2] {
    let capital = |word: &str| {
        let mut letters = word.chars();
        letters.next().map_or_else(String::new, |first| {
            first.to_uppercase().chain(letters).collect::<String>()
        })
    };
    [kind.as_str().to_owned(), kind.plural().split('-').map(capital).collect()]
}

fn reading(kind: Kind) -> Access {
    match kind {
        Kind::Key => Access::OwnOr(READERS),
        Kind::Person | Kind::Grant | Kind::Exception | Kind::AccessRequest => {
            Access::OwnOr(BROWSERS)
        }
        Kind::Provider | Kind::RateCard => Access::Roles(BROWSERS),
        Kind::Period | Kind::Adjustment => Access::Roles(REVIEWERS),
        Kind::Rollout | Kind::Sprint | Kind::QuarterlyReview => Access::Roles(BROWSERS),
        // Who is behind a pseudonym is nobody else's business.
        Kind::ScoreboardChoice => Access::OwnOr(&[]),
        _ => Access::SignedIn,
    }
}

fn changing(kind: Kind) -> Access {
    match kind {
        Kind::PriceList | Kind::RateCard | Kind::Budget => Access::Roles(FINANCE),
        _ => Access::Roles(ADMINS),
    }
}

/// Whoever keeps the catalog corrects what stands in it; entering and deleting go other ways.
fn replacing(kind: Kind) -> Access {
    match kind {
        Kind::Workload => Access::Roles(STEWARDS),
        // Who pays for what is for those who keep the books.
        Kind::CostCenter => Access::Roles(FINANCE),
        _ => changing(kind),
    }
}

/// Whether a workload's prompts are kept is not for those to say who may read them.
///
/// # Errors
/// 403 for who is no admin, where `lets` prompts be kept that were not.
pub(crate) fn check_kept_prompts(caller: &Caller, lets: bool) -> Result<(), Problem> {
    if !lets || caller.has_any(ADMINS) {
        return Ok(());
    }
    let detail = "`spec.keep_prompts`: only an admin lets prompts be kept";
    Err(Problem::new(StatusCode::FORBIDDEN, "role_missing", detail)
        .with_next_step("ask one, or leave it as it is"))
}

/// How far a workload has come is changed by verbs, which know who may not decide.
fn check_workload(
    api: &Api,
    kind: Kind,
    caller: &Caller,
    name: &Name,
    spec: &Value,
) -> Result<(), Problem> {
    if kind != Kind::Workload || caller.has_any(ADMINS) {
        return Ok(());
    }
    let snapshot = api.state.store.snapshot();
    let Some(current) = snapshot.workloads.get(name) else { return Ok(()) };
    let keeps = spec.get("keep_prompts").and_then(Value::as_bool).unwrap_or_default();
    check_kept_prompts(caller, keeps && !current.keep_prompts)?;
    let state = spec.get("state").and_then(Value::as_str);
    if state.unwrap_or(WorkloadState::Registered.as_str()) == current.state.as_str() {
        return Ok(());
    }
    let detail = format!("`spec.state`: expected `{}`, as it is", current.state.as_str());
    Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "state_by_verb", detail).with_next_step(
        "`POST /api/v1/workloads/{name}/approve` and `…/retire` change how far a workload has come",
    ))
}

async fn list(
    State(api): State<Arc<Api>>,
    Extension(kind): Extension<Kind>,
    Extension(scope): Extension<Scope>,
    Extension(caller): Extension<Caller>,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Json<Page<Resource>>, Problem> {
    let query = params::query(query)?;
    let options = ListOptions {
        after: params::parsed("after", query.after.as_deref())?,
        limit: params::limit(query.limit, PAGE, PAGE_MAX)?,
        prefix: query.prefix,
    };
    if scope != Scope::All {
        return own(&api, kind, &caller, &options).await.map(Json);
    }
    let page = api.state.store.list(kind, options).await.map_err(problem)?;
    Ok(Json(Page { items: page.items, next: page.next.map(|name| name.to_string()) }))
}

/// A page of the resources that are the caller's own.
async fn own(
    api: &Api,
    kind: Kind,
    caller: &Caller,
    options: &ListOptions,
) -> Result<Page<Resource>, Problem> {
    let after = options.after.as_ref().map_or("", Name::as_str);
    let mut names: Vec<Name> = own_names(kind, caller)
        .into_iter()
        .filter(|name| name.as_str() > after && name.as_str().starts_with(&options.prefix))
        .collect();
    let limit = usize::try_from(options.limit).unwrap_or(usize::MAX);
    let has_more = names.len() > limit;
    names.truncate(limit);
    let next = names.last().filter(|_| has_more).map(ToString::to_string);
    let mut items = Vec::with_capacity(names.len());
    for name in &names {
        items.extend(api.state.store.get(kind, name).await.map_err(problem)?);
    }
    Ok(Page { items, next })
}

fn own_names(kind: Kind, caller: &Caller) -> Vec<Name> {
    let Some(person) = caller.own() else { return Vec::new() };
    let snapshot = caller.plane.snapshot();
    match kind {
        Kind::Person | Kind::ScoreboardChoice => vec![person.0.clone()],
        Kind::Key => {
            let own = snapshot.keys.iter().filter(|(_, key)| key.person.as_ref() == Some(person));
            own.map(|(name, _)| name.clone()).collect()
        }
        Kind::Grant => approvals::own_names::<GrantSpec>(caller, person),
        Kind::Exception => approvals::own_names::<ExceptionSpec>(caller, person),
        Kind::AccessRequest => approvals::own_names::<AccessRequestSpec>(caller, person),
        _ => Vec::new(),
    }
}

async fn get_resource(
    State(api): State<Arc<Api>>,
    Extension(kind): Extension<Kind>,
    Extension(path): Extension<PathParams>,
    Extension(scope): Extension<Scope>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<Resource>, Problem> {
    let name = path.name()?;
    if scope != Scope::All && !own_names(kind, &caller).contains(&name) {
        return Err(not_own(kind, &name));
    }
    api.state.store.require(kind, &name).await.map(Json).map_err(problem)
}

/// What is not one's own is not there.
pub(crate) fn not_own(kind: Kind, name: &Name) -> Problem {
    let detail = format!("you have no {kind} named `{name}`");
    Problem::new(StatusCode::NOT_FOUND, "not_found", detail)
        .with_next_step(format!("list your own with `GET /api/v1/{}`", kind.plural()))
}

async fn create_resource(
    State(api): State<Arc<Api>>,
    Extension(kind): Extension<Kind>,
    Extension(scope): Extension<Scope>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Result<Response, Problem> {
    let NewResource { name, mut spec } = edge::json(&edge::read(body, BODY_BYTES_MAX).await?)?;
    if kind == Kind::Key {
        keys::may_create(&caller, &scope, &mut spec, api.state.clock.now())?;
        if keys::wants_secret(&spec) {
            return keys::create(&api, &caller, name, spec).await;
        }
    }
    let created = api.state.store.create(&caller.actor(), kind, name, spec).await;
    let created = created.map_err(problem)?;
    reached(&api, kind).await;
    Ok(created_at(&created, Json(&created).into_response()))
}

async fn update(
    State(api): State<Arc<Api>>,
    Extension(kind): Extension<Kind>,
    Extension(path): Extension<PathParams>,
    Extension(caller): Extension<Caller>,
    body: Body,
) -> Result<Json<Resource>, Problem> {
    let name = path.name()?;
    let ChangedResource { version, spec } = edge::json(&edge::read(body, BODY_BYTES_MAX).await?)?;
    check_workload(&api, kind, &caller, &name, &spec)?;
    let updated = api.state.store.update(&caller.actor(), kind, name, spec, version).await;
    let updated = updated.map_err(problem)?;
    reached(&api, kind).await;
    Ok(Json(updated))
}

async fn delete(
    State(api): State<Arc<Api>>,
    Extension(kind): Extension<Kind>,
    Extension(path): Extension<PathParams>,
    Extension(caller): Extension<Caller>,
    query: Result<Query<DeleteQuery>, QueryRejection>,
) -> Result<StatusCode, Problem> {
    let name = path.name()?;
    let version = params::query(query)
        .map_err(|refused| refused.with_next_step("read it, and send `?version=` as it was read"))?
        .version;
    let deleted = api.state.store.delete(&caller.actor(), kind, name, Some(version)).await;
    deleted.map_err(problem)?;
    reached(&api, kind).await;
    Ok(StatusCode::NO_CONTENT)
}

/// Keys open and close doors, so their changes are confirmed only when they hold.
async fn reached(api: &Api, kind: Kind) {
    if kind == Kind::Key || kind == Kind::Person {
        api.reached_gateway().await;
    }
}

/// 201, and where the resource is.
pub(crate) fn created_at(resource: &Resource, mut response: Response) -> Response {
    *response.status_mut() = StatusCode::CREATED;
    // Of the characters of names, these two mean something else in a path.
    let name = resource.name.as_str().replace('/', "%2F").replace('+', "%2B");
    let location = format!("/api/v1/{}/{name}", resource.kind.plural());
    if let Ok(location) = HeaderValue::try_from(location) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operation_ids_use_the_words_of_the_kinds() {
        assert_eq!(words(Kind::CostCenter), ["CostCenter", "CostCenters"]);
        assert_eq!(words(Kind::Person), ["Person", "People"]);
    }
}
