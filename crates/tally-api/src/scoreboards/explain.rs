//! Why a score is what it is: one's own, a team's, somebody's whom one may see.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::{Query, State, rejection::QueryRejection},
};
use http::StatusCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tally_ingest::edge::Problem;
use tally_insight::score::Explanation;
use tally_types::{
    Name, PersonName, TeamName,
    spec::{Board, Competitors},
};

use super::{board::standings, computed::Computed, privacy::Viewer};
use crate::{caller::Caller, params, state::Api};

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ExplainQuery {
    /// people or teams; by default people.
    of: Option<Competitors>,
    /// Whose; by default one's own.
    name: Option<String>,
    /// Such as 2026-11 or 2026-Q4; by default the one that goes on.
    season: Option<String>,
}

/// A score taken apart.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct ScoreExplained {
    /// Raised by each computation.
    version: u64,
    /// Whose it is.
    label: String,
    /// The name.
    name: Name,
    /// Whether it is the caller's own, or their team's.
    is_me: bool,
    /// Whether tasks are listed; else they are only counted, as they would tell who did what.
    lists_tasks: bool,
    /// How many exceptions ran out; their names are told to whom they belong.
    expired_exceptions: usize,
    /// Null for who has no task in the season.
    explanation: Option<Explanation>,
}

/// `GET /api/v1/scoreboards/explain`
pub(super) async fn explain(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    query: Result<Query<ExplainQuery>, QueryRejection>,
) -> Result<Json<ScoreExplained>, Problem> {
    let ExplainQuery { of, name, season } = params::query(query)?;
    let of = of.unwrap_or(Competitors::People);
    let name: Option<Name> = params::parsed("name", name.as_deref())?;
    let snapshot = api.state.store.snapshot();
    let computed = standings(&api, &snapshot, season.as_deref()).await?;
    let viewer =
        Viewer::new(&caller, api.state.scores.pseudonyms(), &snapshot, &computed.season.name);
    let own = match of {
        Competitors::People => viewer.me().map(|me| me.0.clone()),
        Competitors::Teams => viewer.my_team().map(|team| team.0.clone()),
    };
    let name = name.or(own).ok_or_else(nobody)?;
    let seen = match of {
        Competitors::People => viewer.person(&PersonName(name.clone())),
        Competitors::Teams => viewer.team(&TeamName(name.clone()), people_of(&computed, &name)),
    };
    // What may not be seen is not there, as it is where there is nobody of that name.
    let seen = seen.filter(|seen| seen.is_open && (seen.is_me || computed.has(of, &name)));
    let seen = seen.ok_or_else(|| not_there(of, &name))?;
    let mut explanation = computed.explain(of, &name);
    let expired = |one: &Explanation| one.compliance.expired_exceptions.len();
    let expired_exceptions = explanation.as_ref().map_or(0, expired);
    let lists_tasks = of == Competitors::People || viewer.knows_people_of(&TeamName(name.clone()));
    if let Some(explanation) = &mut explanation {
        anonymous(explanation, &viewer, lists_tasks);
    }
    Ok(Json(ScoreExplained {
        version: api.state.scores.version(),
        label: seen.label,
        name,
        is_me: seen.is_me,
        lists_tasks,
        expired_exceptions,
        explanation,
    }))
}

/// How many people a team's numbers are those of.
fn people_of(computed: &Computed, team: &Name) -> u64 {
    let board = computed.standings().board(Competitors::Teams, Board::Overall);
    board.and_then(|board| board.row(team.as_str())).map_or(0, |row| row.volume.people)
}

/// Takes out who did what, where it is not for the viewer.
fn anonymous(explanation: &mut Explanation, viewer: &Viewer<'_>, lists_tasks: bool) {
    if !lists_tasks {
        // Names of exceptions hold those of people.
        explanation.compliance.expired_exceptions.clear();
        explanation.knowledge.contributions.clear();
        explanation.knowledge.stories.clear();
        explanation.tasks.iter_mut().for_each(|group| group.tasks.clear());
    }
    for task in explanation.tasks.iter_mut().flat_map(|group| &mut group.tasks) {
        let seen = task.person.as_ref().and_then(|person| viewer.person(person));
        task.person = seen.and_then(|seen| seen.person);
    }
}

fn nobody() -> Problem {
    let detail = "this key is nobody's, and of no team";
    Problem::bad_request("query_invalid", detail)
        .with_next_step("say whose score with `name`, and `of=teams` for a team")
}

fn not_there(of: Competitors, name: &Name) -> Problem {
    let detail = format!("there is no score of `{name}` among {of} that you may take apart");
    Problem::new(StatusCode::NOT_FOUND, "not_found", detail).with_next_step(
        "your own and those of teams are open; see `GET /api/v1/scoreboards/overall`",
    )
}
