//! What people share: templates, savings stories, contributions. The steps are the store's; what
//! came of them is measured by `tally-insight` on tasks of the warehouse.

mod contributions;
mod measure;
mod stories;
mod templates;
mod versions;

use std::sync::Arc;

use axum::body::Body;
use http::StatusCode;
use serde::de::DeserializeOwned;
use serde_json::json;
use tally_ingest::edge::{self, Problem};
use tally_store::{
    StoreError,
    sharing::{Sharer, SharingError},
};
use tally_types::{Kind, TeamName};

use crate::{
    access::STEWARDS,
    approvals::person,
    caller::Caller,
    operation::{Access, Operation},
    schema,
    state::Api,
    store_problem::problem,
};

const TAG: &str = "sharing";
const BODY_BYTES_MAX: usize = 256 << 10;

pub(crate) fn operations() -> Vec<Operation> {
    [of_templates(), of_versions(), of_stories(), of_contributions()].concat()
}

fn of_templates() -> Vec<Operation> {
    let signed_in = Access::SignedIn;
    let template = || schema::of_kind(Kind::Template).resource;
    let one = |verb: &str| format!("/api/v1/templates/{{name}}/{verb}");
    vec![
        Operation::get("searchTemplates", "/api/v1/library", signed_in, templates::search)
            .about(TAG, "Search templates", "By words of name, title, purpose and text, by task type, in use or retired. Those in use first, by name.")
            .query::<templates::Search>()
            .reply::<templates::Library>("What was found."),
        Operation::post("importStarter", "/api/v1/library/starter", Access::Roles(STEWARDS), templates::starter)
            .about(TAG, "Take over the templates that come with Tally", "Those that are not there yet, approved as they are. Nobody gets points for them.")
            .reply::<templates::Imported>("Which were made."),
        Operation::post("newTemplate", "/api/v1/templates", signed_in, templates::new)
            .about(TAG, "Write a template", "With its first version, a draft until somebody else approves it.")
            .body::<templates::NewTemplateBody>(json!({
                "name": "ticket-summary",
                "about": {
                    "title": "Summary of a ticket", "purpose": "Says what a customer wants, in a line",
                    "task_type": "summarise", "data_class": "internal",
                },
                "text": {
                    "user": "What does the customer want? {{ticket}}",
                    "variables": [{ "name": "ticket", "description": "The ticket" }],
                },
            }))
            .reply_schema("The template.", template())
            .creates()
            .of_kind(Kind::Template),
        Operation::post("renderTemplate", one("render"), signed_in, templates::render)
            .about(TAG, "Fill in a template", "Gives the messages as OpenAI's and Anthropic's APIs take them. Every variable without a default has to be said.")
            .body::<templates::Fill>(json!({ "variables": { "ticket": "My card was charged twice" } }))
            .reply::<templates::Rendered>("The messages.")
            .asks(),
        Operation::get("getTemplateEffect", one("effect"), signed_in, measure::effect)
            .about(TAG, "What a template did", "Tasks of 90 days that used it, held against tasks of the same workload and task type that did not: cost, tokens, time and success, each with an interval; version by version.")
            .reply::<tally_insight::share::Measured>("What was measured."),
        Operation::post("retireTemplate", one("retire"), signed_in, templates::retire)
            .about(TAG, "Retire a template", "By its owner. Calls that name it are told what takes its place.")
            .body::<templates::Retirement>(json!({ "replaced_by": "safe-summary", "reason": "The other one is shorter" }))
            .reply_schema("The template.", template())
            .of_kind(Kind::Template),
    ]
}

fn of_versions() -> Vec<Operation> {
    let template = || schema::of_kind(Kind::Template).resource;
    let one = |verb: &str| format!("/api/v1/templates/{{name}}/{verb}");
    let operations = [
        Operation::post("addTemplateVersion", one("versions"), Access::SignedIn, versions::add)
            .about(TAG, "Write a version of a template", "By its owner; a draft until somebody else approves it.")
            .body::<versions::NewVersionBody>(json!({
                "text": {
                    "user": "In one line: what does the customer want? {{ticket}}",
                    "variables": [{ "name": "ticket", "description": "The ticket" }],
                    "note": "One line is enough",
                },
            })),
        Operation::post("submitTemplateVersion", one("submit"), Access::SignedIn, versions::submit)
            .about(TAG, "Ask for a version to be looked at", "By the template's owner.")
            .body::<versions::Numbered>(json!({ "version": 2 })),
        Operation::post("reviewTemplateVersion", one("review"), Access::SignedIn, versions::review)
            .about(TAG, "Approve a version, or give it back", "By somebody else than its owner and its author. An approved one is used where no version is named.")
            .body::<versions::Review>(json!({ "version": 2, "approves": true, "note": "Shorter and as good" })),
        Operation::post("evaluateTemplate", one("evaluations"), Access::SignedIn, versions::evaluate)
            .about(TAG, "Say how a version did", "What was tried, and how it went.")
            .body::<versions::Evaluation>(json!({ "version": 1, "text": "40 tickets of October: 38 right" })),
    ];
    let operations = operations.into_iter();
    operations
        .map(|one| one.reply_schema("The template.", template()).of_kind(Kind::Template))
        .collect()
}

fn of_stories() -> Vec<Operation> {
    let story = || schema::of_kind(Kind::Story).resource;
    let claim = json!({
        "title": "Shorter history", "changed": "Only the last four turns are sent",
        "subject": { "workload": "support-copilot" }, "comparison": {},
        "before": { "from": "2026-10-01T00:00:00Z", "until": "2026-10-15T00:00:00Z" },
        "after": { "from": "2026-10-15T00:00:00Z", "until": "2026-10-29T00:00:00Z" },
    });
    let one = |verb: &str| format!("/api/v1/stories/{{name}}/{verb}");
    vec![
        Operation::get("getStoryWall", "/api/v1/story-wall", Access::SignedIn, stories::wall)
            .about(TAG, "The wall of savings stories", "The newest first, with what the confirmed ones saved.")
            .query::<stories::WallQuery>()
            .reply::<stories::Wall>("The stories."),
        Operation::post("previewStory", "/api/v1/story-preview", Access::SignedIn, stories::preview)
            .about(TAG, "What would become of a story", "Measured now and not kept. Of own tasks, of the own team, of a workload of the own team; of any tasks for who sees all usage.")
            .body::<tally_types::spec::StoryClaim>(claim.clone())
            .reply::<tally_types::spec::StoryResult>("What was measured.")
            .asks(),
        Operation::post("tellStory", "/api/v1/stories", Access::SignedIn, stories::tell)
            .about(TAG, "Tell a savings story", "What was measured is kept with it: confirmed, unclear or refuted against a comparison group.")
            .body::<stories::Telling>(json!({ "name": "shorter-history", "claim": claim }))
            .reply_schema("The story with its result.", story())
            .creates()
            .of_kind(Kind::Story),
        Operation::post("measureStory", one("measure"), Access::SignedIn, stories::again)
            .about(TAG, "Measure a story again", "By who told it, with what is known now.")
            .reply_schema("The story with its result.", story())
            .of_kind(Kind::Story),
        Operation::post("withdrawStory", one("withdraw"), Access::SignedIn, stories::withdraw)
            .about(TAG, "Take a story back", "By who told it; it stays on record.")
            .body::<stories::Withdrawal>(json!({ "reason": "The price list was wrong that week" }))
            .reply_schema("The story.", story())
            .of_kind(Kind::Story),
    ]
}

fn of_contributions() -> Vec<Operation> {
    let contribution = || schema::of_kind(Kind::Contribution).resource;
    vec![
        Operation::post("offerContribution", "/api/v1/contributions", Access::SignedIn, contributions::offer)
            .about(TAG, "Share what others can learn from", "A failure case, an evaluation, a guardrail pattern, or mentoring. It counts once somebody else confirms it.")
            .body::<contributions::Offer>(json!({
                "name": "refunds-made-up",
                "shared": {
                    "kind": "failure_case", "title": "A refund that nobody promised",
                    "text": "Without articles in the prompt the model promised money back. The template support-answer forbids it.",
                },
            }))
            .reply_schema("The contribution.", contribution())
            .creates()
            .of_kind(Kind::Contribution),
        Operation::post("decideContribution", "/api/v1/contributions/{name}/decide", Access::SignedIn, contributions::decide)
            .about(TAG, "Confirm or decline a contribution", "By somebody else than its author; mentoring by who was mentored.")
            .body::<contributions::Decision>(json!({ "confirms": true, "note": "It caught two of ours" }))
            .reply_schema("The contribution.", contribution())
            .of_kind(Kind::Contribution),
    ]
}

/// Whoever takes a step is a person.
fn sharer(api: &Api, caller: &Caller) -> Result<Sharer, Problem> {
    let (by, at) = (person(caller)?.clone(), api.state.clock.now());
    Ok(Sharer { by, at, is_steward: caller.has_any(STEWARDS) })
}

fn team_of(caller: &Caller) -> Option<TeamName> {
    let person = caller.person.as_ref()?;
    caller.plane.snapshot().people.get(person.as_str())?.team.clone()
}

async fn body<T: DeserializeOwned>(body: Body) -> Result<T, Problem> {
    edge::json(&edge::read(body, BODY_BYTES_MAX).await?)
}

fn why(error: SharingError) -> Problem {
    let detail = error.to_string();
    match error {
        SharingError::Own(_) => Problem::new(StatusCode::FORBIDDEN, "own_request", detail)
            .with_next_step("ask a colleague"),
        SharingError::Others(_) => Problem::new(StatusCode::FORBIDDEN, "not_yours", detail)
            .with_next_step("ask them, or make one of your own"),
        SharingError::Store(error) => refused(error),
        _ => Problem::new(StatusCode::CONFLICT, "sharing_refused", detail)
            .with_next_step("read it again"),
    }
}

/// What stands in the way of a step is a conflict with what is there.
fn refused(error: StoreError) -> Problem {
    match error {
        StoreError::Argument(why) => Problem::new(StatusCode::CONFLICT, "sharing_refused", why)
            .with_next_step("read it again, then try once more"),
        // Nothing that is shared is updated by hand.
        taken @ StoreError::AlreadyExists { .. } => {
            problem(taken).with_next_step("choose another name")
        }
        other => problem(other),
    }
}

/// 201, and where it is.
fn created(resource: &tally_types::Resource) -> axum::response::Response {
    use axum::response::IntoResponse as _;
    crate::resources::created_at(resource, axum::Json(resource).into_response())
}

type Shared = axum::extract::State<Arc<Api>>;
