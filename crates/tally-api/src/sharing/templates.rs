//! Templates: search, new ones, filling in, retirement.

use std::collections::BTreeMap;

use axum::{
    Extension, Json,
    body::Body,
    extract::{Query, State, rejection::QueryRejection},
    response::Response,
};
use http::StatusCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tally_ingest::edge::{Flaw, Problem};
use tally_store::{
    StoreError,
    sharing::{NewTemplate, StarterTemplate},
};
use tally_types::{
    DataClass, Kind, ModelName, Name, PersonName, Resource, TeamName, TemplateName,
    spec::{
        RenderedText, TemplateAbout, TemplateSpec, TemplateState, TemplateText, TemplateVersion,
        VariableProblems, VersionState,
    },
};

use super::{Shared, body, created, refused, sharer, team_of, why};
use crate::{
    caller::Caller,
    params::{self, PathParams},
    store_problem::problem,
};

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Search {
    /// Words that all stand in the name, title, purpose or text.
    #[serde(default)]
    search: String,
    /// Only for this kind of task.
    task_type: Option<String>,
    /// Only those in use, or only those that are retired.
    state: Option<TemplateState>,
    /// `true`: only with a version that the caller may approve.
    #[serde(default)]
    to_review: bool,
}

/// What was found.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "TemplateLibrary")]
pub(super) struct Library {
    /// Those in use first, by name.
    items: Vec<TemplateSummary>,
    /// Every kind of task that a template is for.
    task_types: Vec<String>,
    /// How many wait for somebody else than who asks.
    to_review: u64,
}

/// A template in short.
#[derive(Serialize, JsonSchema)]
pub(super) struct TemplateSummary {
    name: Name,
    about: TemplateAbout,
    owner: PersonName,
    team: Option<TeamName>,
    state: TemplateState,
    /// The version that is used where none is named; null before one is approved.
    current: Option<u32>,
    /// How many there are.
    versions: u32,
    /// The submitted version that the caller may approve.
    to_review: Option<u32>,
    replaced_by: Option<TemplateName>,
    /// Whether it came with Tally.
    shipped: bool,
}

/// A template.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "TemplateDraft")]
pub(super) struct NewTemplateBody {
    /// Its name, without `@`.
    name: Name,
    /// What it is for.
    about: TemplateAbout,
    /// Its first version.
    text: TemplateText,
}

/// What is filled in.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "TemplateFill")]
pub(super) struct Fill {
    /// By name.
    #[serde(default)]
    variables: BTreeMap<String, String>,
    /// Which version; the current one by default.
    #[serde(default)]
    version: Option<u32>,
}

/// A message.
#[derive(Serialize, JsonSchema)]
struct RenderedMessage {
    /// `system` or `user`.
    role: &'static str,
    /// What is said.
    content: String,
}

/// As the API of OpenAI takes it.
#[derive(Serialize, JsonSchema)]
struct OpenAiMessages {
    /// To be sent as `messages`.
    messages: Vec<RenderedMessage>,
}

/// As the API of Anthropic takes it.
#[derive(Serialize, JsonSchema)]
struct AnthropicMessages {
    /// To be sent as `system`.
    #[serde(skip_serializing_if = "Option::is_none")]
    system: Option<String>,
    /// To be sent as `messages`.
    messages: Vec<RenderedMessage>,
}

/// A template with everything filled in.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "RenderedTemplate")]
pub(super) struct Rendered {
    /// What to send as `x-tally-template`, so that the use is seen.
    template: String,
    version: u32,
    /// Whether somebody else approved the version.
    approved: bool,
    /// How sensitive what is filled in may be.
    data_class: DataClass,
    /// The recommended model.
    model: Option<ModelName>,
    /// Which kind of task it is for, to send as `x-tally-task-type`.
    task_type: Option<String>,
    /// What takes its place, if it is retired.
    replaced_by: Option<TemplateName>,
    openai: OpenAiMessages,
    anthropic: AnthropicMessages,
}

/// The end of a template.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "TemplateRetirement")]
pub(super) struct Retirement {
    /// What takes its place.
    #[serde(default)]
    replaced_by: Option<TemplateName>,
    /// Why.
    #[serde(default)]
    reason: Option<String>,
}

/// What was made.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ImportedTemplates")]
pub(super) struct Imported {
    /// New ones.
    created: Vec<Name>,
    /// Those that were there.
    kept: Vec<Name>,
}

/// `GET /api/v1/library`
pub(super) async fn search(
    State(api): Shared,
    Extension(caller): Extension<Caller>,
    query: Result<Query<Search>, QueryRejection>,
) -> Result<Json<Library>, Problem> {
    let query = params::query(query)?;
    let snapshot = api.state.store.snapshot();
    let mut task_types: Vec<String> =
        snapshot.templates.values().filter_map(|spec| spec.about.task_type.clone()).collect();
    task_types.sort();
    task_types.dedup();
    let all = snapshot.templates.iter().map(|(name, spec)| (summary(name, spec, &caller), spec));
    let all: Vec<(TemplateSummary, &TemplateSpec)> = all.collect();
    let to_review = all.iter().filter(|(one, _)| one.to_review.is_some()).count();
    let fits = |(one, spec): &(TemplateSummary, &TemplateSpec)| {
        query.state.is_none_or(|state| state == spec.state)
            && (!query.to_review || one.to_review.is_some())
            && (query.task_type.is_none() || query.task_type == spec.about.task_type)
            && matches(&query.search, &one.name, spec)
    };
    let found = all.into_iter().filter(fits).map(|(one, _)| one);
    let (active, retired): (Vec<_>, Vec<_>) =
        found.partition(|one| one.state == TemplateState::Active);
    let items = active.into_iter().chain(retired).collect();
    let to_review = u64::try_from(to_review).unwrap_or_default();
    Ok(Json(Library { items, task_types, to_review }))
}

/// Whether every word stands somewhere.
fn matches(search: &str, name: &Name, spec: &TemplateSpec) -> bool {
    let text = spec.versions.last().map(|version| &version.text);
    let parts = [
        name.as_str(),
        &spec.about.title,
        &spec.about.purpose,
        spec.about.task_type.as_deref().unwrap_or_default(),
        text.and_then(|text| text.system.as_deref()).unwrap_or_default(),
        text.map_or("", |text| &text.user),
        spec.owner.as_str(),
    ];
    let whole = parts.join("\n").to_lowercase();
    search.to_lowercase().split_whitespace().all(|word| whole.contains(word))
}

fn summary(name: &Name, spec: &TemplateSpec, caller: &Caller) -> TemplateSummary {
    let me = caller.person.as_ref();
    let may = |version: &&TemplateVersion| {
        version.review.state == VersionState::Submitted
            && me.is_some_and(|me| *me != spec.owner && *me != version.by)
    };
    let waits = spec.state == TemplateState::Active;
    TemplateSummary {
        name: name.clone(),
        about: spec.about.clone(),
        owner: spec.owner.clone(),
        team: spec.team.clone(),
        state: spec.state,
        current: spec.current().map(|version| version.number),
        versions: u32::try_from(spec.versions.len()).unwrap_or(u32::MAX),
        to_review: spec.versions.iter().find(may).filter(|_| waits).map(|one| one.number),
        replaced_by: spec.replaced_by.clone(),
        shipped: spec.shipped,
    }
}

/// `POST /api/v1/library/starter`
pub(super) async fn starter(
    State(api): Shared,
    Extension(caller): Extension<Caller>,
) -> Result<Json<Imported>, Problem> {
    let (mut created, mut kept) = (Vec::new(), Vec::new());
    for StarterTemplate { name, about, text } in tally_store::sharing::starter().map_err(problem)? {
        let new = NewTemplate { about, text, team: team_of(&caller), shipped: true };
        let by = sharer(&api, &caller)?;
        match api.state.store.new_template(&caller.actor(), name.clone(), by, new).await {
            Ok(_) => created.push(name),
            Err(StoreError::AlreadyExists { .. }) => kept.push(name),
            Err(error) => return Err(refused(error)),
        }
    }
    Ok(Json(Imported { created, kept }))
}

/// `POST /api/v1/templates`
pub(super) async fn new(
    State(api): Shared,
    Extension(caller): Extension<Caller>,
    sent: Body,
) -> Result<Response, Problem> {
    let by = sharer(&api, &caller)?;
    let NewTemplateBody { name, about, text } = body(sent).await?;
    let new = NewTemplate { about, text, team: team_of(&caller), shipped: false };
    let made = api.state.store.new_template(&caller.actor(), name, by, new).await;
    Ok(created(&made.map_err(refused)?))
}

/// `POST /api/v1/templates/{name}/render`
pub(super) async fn render(
    State(api): Shared,
    Extension(path): Extension<PathParams>,
    sent: Body,
) -> Result<Json<Rendered>, Problem> {
    let name = path.name()?;
    let Fill { variables, version } = body(sent).await?;
    let snapshot = api.state.store.snapshot();
    let Some(spec) = snapshot.templates.get(&name) else {
        let missing = api.state.store.require(Kind::Template, &name).await;
        return Err(missing.err().map_or_else(|| refused(gone()), problem));
    };
    let found = match version {
        Some(number) => spec.version(number),
        None => spec.current(),
    };
    let Some(version) = found else {
        let detail = match version {
            Some(number) => format!("`{name}` has no version {number}"),
            None => format!("no version of `{name}` is approved yet"),
        };
        return Err(Problem::new(StatusCode::NOT_FOUND, "version_missing", detail)
            .with_next_step(format!("name one of 1 to {} in `version`", spec.versions.len())));
    };
    let text = version.text.render(&variables).map_err(unfilled)?;
    Ok(Json(rendered(&name, spec, version, text)))
}

fn gone() -> StoreError {
    StoreError::Argument("the template is new; ask again".to_owned())
}

fn unfilled(problems: VariableProblems) -> Problem {
    let VariableProblems { missing, unknown } = problems;
    let flaw = |name: &String, message: &str| Flaw::new(format!("variables.{name}"), message);
    let flaws = missing
        .iter()
        .map(|name| flaw(name, "is missing and has no default"))
        .chain(unknown.iter().map(|name| flaw(name, "is no variable of this version")))
        .collect::<Vec<_>>();
    let said = |what: &str, names: &[String]| {
        (!names.is_empty()).then(|| format!("{what} `{}`", names.join("`, `")))
    };
    let parts = [said("missing", &missing), said("unknown", &unknown)];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    let detail = format!("the variables do not fit: {}", parts.join("; "));
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "variables_invalid", detail)
        .with_next_step("say each variable that has no default, and no other")
        .with_errors(flaws)
}

fn rendered(
    name: &Name,
    spec: &TemplateSpec,
    version: &TemplateVersion,
    text: RenderedText,
) -> Rendered {
    let RenderedText { system, user } = text;
    let message = |role: &'static str, content: String| RenderedMessage { role, content };
    let first = system.clone().map(|system| message("system", system));
    Rendered {
        template: format!("{name}@{}", version.number),
        version: version.number,
        approved: version.review.state == VersionState::Approved,
        data_class: spec.about.data_class,
        model: spec.about.model.clone(),
        task_type: spec.about.task_type.clone(),
        replaced_by: spec.replaced_by.clone(),
        openai: OpenAiMessages {
            messages: first.into_iter().chain([message("user", user.clone())]).collect(),
        },
        anthropic: AnthropicMessages { system, messages: vec![message("user", user)] },
    }
}

/// `POST /api/v1/templates/{name}/retire`
pub(super) async fn retire(
    State(api): Shared,
    Extension(path): Extension<PathParams>,
    Extension(caller): Extension<Caller>,
    sent: Body,
) -> Result<Json<Resource>, Problem> {
    let (name, by) = (path.name()?, sharer(&api, &caller)?);
    let Retirement { replaced_by, reason } = body(sent).await?;
    let store = &api.state.store;
    let done = store.retire_template(&caller.actor(), name, by, replaced_by, reason).await;
    done.map(Json).map_err(why)
}
