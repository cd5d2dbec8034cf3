//! Savings stories: previewed, told, measured again, taken back.

use axum::{
    Extension, Json,
    body::Body,
    extract::{Query, State, rejection::QueryRejection},
    response::Response,
};
use http::StatusCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tally_ingest::edge::Problem;
use tally_types::{
    Kind, Name, PicoUsdSum, Resource, Spec,
    spec::{StoryClaim, StoryResult, StorySpec, StoryVerdict},
};

use super::{Shared, body, created, measure, refused, sharer, team_of, why};
use crate::{
    access::READERS,
    approvals::person,
    caller::Caller,
    params::{self, PathParams},
    state::Api,
    store_problem::problem,
};

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WallQuery {
    /// Only those that came out like this.
    verdict: Option<StoryVerdict>,
    /// Words that all stand in the name, title or what was changed.
    #[serde(default)]
    search: String,
}

/// Stories, the newest first.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "StoryWall")]
pub(super) struct Wall {
    /// Those that were not taken back.
    items: Vec<ToldStory>,
    /// What the confirmed ones among all saved.
    saved_usd: PicoUsdSum,
    /// How many are confirmed.
    confirmed: u64,
    /// How many cannot be told.
    unclear: u64,
    /// How many are refuted.
    refuted: u64,
}

/// A story with its name.
#[derive(Serialize, JsonSchema)]
pub(super) struct ToldStory {
    name: Name,
    story: StorySpec,
}

/// A story.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewStory")]
pub(super) struct Telling {
    /// Its name.
    name: Name,
    /// What is claimed.
    claim: StoryClaim,
}

/// Why a story is taken back.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "StoryWithdrawal")]
pub(super) struct Withdrawal {
    /// Why.
    #[serde(default)]
    reason: Option<String>,
}

/// `GET /api/v1/story-wall`
pub(super) async fn wall(
    State(api): Shared,
    query: Result<Query<WallQuery>, QueryRejection>,
) -> Result<Json<Wall>, Problem> {
    let query = params::query(query)?;
    let snapshot = api.state.store.snapshot();
    let told: Vec<(&Name, &StorySpec)> =
        snapshot.stories.iter().filter(|(_, story)| !story.withdrawn).collect();
    let of = |verdict: StoryVerdict| {
        told.iter().filter(move |(_, story)| story.result.verdict == verdict)
    };
    let many = |verdict| u64::try_from(of(verdict).count()).unwrap_or(u64::MAX);
    let saved = of(StoryVerdict::Confirmed).filter_map(|(_, story)| story.result.saved_usd);
    let (saved_usd, confirmed) =
        (saved.fold(PicoUsdSum::default(), |sum, one| sum + one), many(StoryVerdict::Confirmed));
    let (unclear, refuted) = (many(StoryVerdict::Unclear), many(StoryVerdict::Refuted));
    let fits = |(name, story): &(&Name, &StorySpec)| {
        let claim = &story.claim;
        let whole = format!("{name}\n{}\n{}", claim.title, claim.changed).to_lowercase();
        query.verdict.is_none_or(|verdict| verdict == story.result.verdict)
            && query.search.to_lowercase().split_whitespace().all(|word| whole.contains(word))
    };
    let mut items: Vec<ToldStory> = told
        .iter()
        .filter(|told| fits(told))
        .map(|(name, story)| ToldStory { name: (*name).clone(), story: (*story).clone() })
        .collect();
    items.sort_by_key(|item| std::cmp::Reverse(item.story.at));
    Ok(Json(Wall { items, saved_usd, confirmed, unclear, refuted }))
}

/// `POST /api/v1/story-preview`
pub(super) async fn preview(
    State(api): Shared,
    Extension(caller): Extension<Caller>,
    sent: Body,
) -> Result<Json<StoryResult>, Problem> {
    let claim: StoryClaim = body(sent).await?;
    measured(&api, &caller, claim).await.map(Json)
}

/// What becomes of a claim of the caller, if they may ask for it.
async fn measured(api: &Api, caller: &Caller, claim: StoryClaim) -> Result<StoryResult, Problem> {
    let author = person(caller)?.clone();
    may_speak_of(caller, &claim)?;
    let now = api.state.clock.now();
    if claim.after.from >= now {
        let detail = "`claim.after.from`: expected a time that has begun";
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "spec_invalid", detail)
            .with_next_step("wait until tasks came after the change"));
    }
    // What cannot be kept is not measured.
    let none = serde_json::json!({ "tasks": 0, "cost_usd": "0", "reported": 0, "succeeded": 0 });
    let spec = serde_json::json!({
        "author": author, "at": now, "claim": claim,
        "result": {
            "at": now, "verdict": "unclear", "ground": "", "subject_before": none,
            "subject_after": none, "comparison_before": none, "comparison_after": none,
        },
    });
    Spec::parse(Kind::Story, &spec).map_err(|error| {
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "spec_invalid", error.to_string())
            .with_next_step("correct the fields that are named")
    })?;
    measure::story(api, claim, author).await
}

/// A story shows numbers of its tasks: one's own, one's team's, one's workload's, or any for who sees
/// all usage.
fn may_speak_of(caller: &Caller, claim: &StoryClaim) -> Result<(), Problem> {
    let me = caller.person.as_ref();
    let subject = &claim.subject;
    let snapshot = caller.plane.snapshot();
    let owner = |workload: &str| snapshot.workloads.get(workload).map(|spec| &spec.owner);
    let team = team_of(caller);
    let is_ours = |person: Option<&tally_types::PersonName>| {
        let of = person.and_then(|person| snapshot.people.get(person.as_str()));
        person == me || team.is_some() && of.is_some_and(|of| of.team == team)
    };
    let of_workload = subject.workload.as_ref();
    let may = caller.has_any(READERS)
        || subject.mine
        || subject.team.is_some() && subject.team == team
        || of_workload.is_some_and(|name| is_ours(owner(name.as_str())));
    if may {
        return Ok(());
    }
    let detail = "these tasks are neither yours, nor your team's, nor of a workload of your team";
    Err(Problem::new(StatusCode::FORBIDDEN, "not_yours", detail).with_next_step(
        "say `mine`, your team, or a workload that your team owns in `claim.subject`",
    ))
}

/// `POST /api/v1/stories`
pub(super) async fn tell(
    State(api): Shared,
    Extension(caller): Extension<Caller>,
    sent: Body,
) -> Result<Response, Problem> {
    let by = sharer(&api, &caller)?;
    let Telling { name, claim } = body(sent).await?;
    let result = measured(&api, &caller, claim.clone()).await?;
    let (store, team) = (&api.state.store, team_of(&caller));
    let told = store.tell_story(&caller.actor(), name, by, team, (claim, result)).await;
    Ok(created(&told.map_err(refused)?))
}

/// `POST /api/v1/stories/{name}/measure`
pub(super) async fn again(
    State(api): Shared,
    Extension(path): Extension<PathParams>,
    Extension(caller): Extension<Caller>,
) -> Result<Json<Resource>, Problem> {
    let (name, by) = (path.name()?, sharer(&api, &caller)?);
    let story = api.state.store.snapshot().stories.get(&name).cloned();
    let Some(StorySpec { author, claim, .. }) = story else {
        let missing = api.state.store.require(Kind::Story, &name).await;
        let new = Problem::bad_request("story_new", "the story is new; ask again");
        return Err(missing.err().map_or(new, problem));
    };
    let result = measure::story(&api, claim, author).await?;
    let done = api.state.store.measure_story(&caller.actor(), name, by, result).await;
    done.map(Json).map_err(why)
}

/// `POST /api/v1/stories/{name}/withdraw`
pub(super) async fn withdraw(
    State(api): Shared,
    Extension(path): Extension<PathParams>,
    Extension(caller): Extension<Caller>,
    sent: Body,
) -> Result<Json<Resource>, Problem> {
    let (name, by) = (path.name()?, sharer(&api, &caller)?);
    let Withdrawal { reason } = body(sent).await?;
    let done = api.state.store.withdraw_story(&caller.actor(), name, by, reason).await;
    done.map(Json).map_err(why)
}
