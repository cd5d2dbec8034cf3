//! What there is, a board's page, the wall of titles.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::{Query, State, rejection::QueryRejection},
};
use http::StatusCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tally_ingest::edge::Problem;
use tally_insight::score::{BoardOf, BoardRow, ComparedType, Season};
use tally_store::Snapshot;
use tally_types::{
    Name, PersonName, Role,
    spec::{Board, Competitors, PeopleShown, ScoringFormulaSpec, ShownAs, Title},
};

use super::{
    computed::Computed,
    privacy::{Viewer, shown_as},
    rows::{BoardPage, MyRank, Row, holds, is_listed, shown},
    seasons::{Span, current},
};
use crate::{
    caller::Caller,
    params::{self, PathParams},
    state::Api,
};

const PAGE: u32 = 50;
const PAGE_MAX: u32 = 200;
/// Seasons that can be looked back at.
const SEASONS: usize = 12;
/// What somebody looks for is this long at most.
const SEARCH_CHARACTERS_MAX: usize = 100;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SeasonQuery {
    /// Such as 2026-11 or 2026-Q4; by default the one that goes on.
    season: Option<String>,
}

/// Where a page begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub(super) enum Around {
    /// So that the caller's own row, or their team's, is in its middle.
    Me,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct BoardQuery {
    /// people or teams; by default teams.
    of: Option<Competitors>,
    /// Such as 2026-11 or 2026-Q4; by default the one that goes on.
    season: Option<String>,
    /// Of the board `efficiency`: in this task type only, one of `task_types`; empty for tasks without a type.
    task_type: Option<String>,
    /// Only rows with this in what stands on the board.
    search: Option<String>,
    /// The `next` of the page before.
    after: Option<String>,
    /// The page that the caller is on.
    around: Option<Around>,
    /// How many at most, 1 to 200; by default 50.
    limit: Option<u32>,
}

/// A formula that held, holds or will hold.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ScoringFormulaShown")]
pub(super) struct Formula {
    /// Its name.
    name: Name,
    /// Its numbers, the day it holds from, and why.
    spec: ScoringFormulaSpec,
    /// Whether the season is scored by it.
    holds: bool,
}

/// A task type that has a board.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ScoreboardTaskType")]
pub(super) struct TaskType {
    /// Empty for tasks without a type.
    task_type: String,
    /// People who do enough of it to be compared.
    people: usize,
    /// Teams that do.
    teams: usize,
}

/// A title of a season and who has it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ScoreboardTitle")]
pub(super) struct TitleShown {
    /// Which.
    title: Title,
    /// Whether somebody has it.
    is_held: bool,
    /// Who, as on the board; null for nobody, and for whom the caller does not see.
    label: Option<String>,
    /// Whether it is the caller.
    is_me: bool,
    /// What for: US dollars, a share, or a number of tasks; null with `label`.
    value: Option<f64>,
}

/// What there is.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ScoreboardsOverview")]
pub(super) struct Overview {
    /// Raised by each computation.
    version: u64,
    /// The season.
    season: Season,
    /// Whether it is over.
    is_over: bool,
    /// Seasons that can be looked at, the newest first.
    seasons: Vec<Season>,
    /// The boards of people.
    boards_of_people: Vec<Board>,
    /// The boards of teams.
    boards_of_teams: Vec<Board>,
    /// Task types of which enough people do enough to be compared, those that most do first: `efficiency` has a board of
    /// each.
    task_types_of_people: Vec<TaskType>,
    /// Task types of which enough teams do.
    task_types_of_teams: Vec<TaskType>,
    /// Formulas, the newest first.
    formulas: Vec<Formula>,
    /// How people appear who chose nothing.
    people: PeopleShown,
    /// In works-council mode, how many people have to be behind a number.
    minimum_group: u32,
    /// Roles that see who is behind a pseudonym.
    individuals_seen_by: Vec<Role>,
    /// How the caller appears; null for a key of nobody's.
    shown: Option<ShownAs>,
    /// The caller's places, board by board; none where they have no tasks.
    my_ranks: Vec<MyRank>,
    /// Who has which title.
    titles: Vec<TitleShown>,
}

/// The standings of the season that was asked for.
pub(super) async fn standings(
    api: &Api,
    snapshot: &Arc<Snapshot>,
    season: Option<&str>,
) -> Result<Arc<Computed>, Problem> {
    let now = api.state.clock.now();
    let span = match season.filter(|season| !season.is_empty()) {
        Some(text) => Span::named(text, now, &snapshot.organization.zone())?,
        None => current(snapshot, now).ok_or_else(|| {
            Problem::internal("the season", &"the time lies outside the calendar")
        })?,
    };
    api.state.scores.of(&api.state.warehouse, snapshot, span, &api.state.clock).await
}

/// `GET /api/v1/scoreboards`
pub(super) async fn overview(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    query: Result<Query<SeasonQuery>, QueryRejection>,
) -> Result<Json<Overview>, Problem> {
    let SeasonQuery { season } = params::query(query)?;
    let snapshot = api.state.store.snapshot();
    let computed = standings(&api, &snapshot, season.as_deref()).await?;
    let now = api.state.clock.now();
    let rules = &snapshot.organization.scoreboards;
    let viewer =
        Viewer::new(&caller, api.state.scores.pseudonyms(), &snapshot, &computed.season.name);
    Ok(Json(Overview {
        version: api.state.scores.version(),
        season: computed.season.clone(),
        is_over: computed.season.until <= now,
        seasons: seasons(&snapshot, now),
        boards_of_people: Board::ALL
            .iter()
            .copied()
            .filter(|board| *board != Board::Return)
            .collect(),
        boards_of_teams: Board::ALL.to_vec(),
        task_types_of_people: task_types(&computed, &viewer, Competitors::People),
        task_types_of_teams: task_types(&computed, &viewer, Competitors::Teams),
        formulas: formulas(&snapshot, &computed.standings().formula),
        people: rules.people,
        minimum_group: rules.minimum_group,
        individuals_seen_by: rules.individuals_seen_by.clone(),
        shown: viewer.me().map(|me| shown_as(&snapshot, me)),
        my_ranks: my_ranks(&computed, viewer.me()),
        titles: titles(&computed, &viewer),
    }))
}

fn task_types(computed: &Computed, viewer: &Viewer<'_>, of: Competitors) -> Vec<TaskType> {
    let types = computed.scored.compared_types(of).into_iter();
    let listed = types.filter(|one| viewer.lists_type(of, one.people));
    let shown = |ComparedType { task_type, people, teams }| TaskType {
        task_type: task_type.unwrap_or_default(),
        people,
        teams,
    };
    listed.map(shown).collect()
}

/// The season that goes on, and those before it.
fn seasons(snapshot: &Snapshot, now: tally_types::Timestamp) -> Vec<Season> {
    let zone = snapshot.organization.zone();
    let all = std::iter::successors(current(snapshot, now), |span| span.before(&zone));
    all.take(SEASONS).map(|span| span.season).collect()
}

fn formulas(snapshot: &Snapshot, holds: &str) -> Vec<Formula> {
    let mut all = super::source::formulas(snapshot);
    all.sort_by_key(|(_, formula)| std::cmp::Reverse(formula.from));
    all.into_iter()
        .map(|(name, spec)| Formula { holds: name.as_str() == holds, name, spec })
        .collect()
}

fn titles(computed: &Computed, viewer: &Viewer<'_>) -> Vec<TitleShown> {
    let of = |title: Title| {
        let holder = computed.standings().titles.iter().find(|one| one.title == title);
        let seen = holder.and_then(|holder| viewer.person(&holder.person));
        TitleShown {
            title,
            is_held: holder.is_some(),
            is_me: seen.as_ref().is_some_and(|seen| seen.is_me),
            value: seen.as_ref().and(holder).map(|holder| holder.value),
            label: seen.map(|seen| seen.label),
        }
    };
    Title::ALL.iter().copied().map(of).collect()
}

/// Where somebody stands on the boards of people.
pub(super) fn my_ranks(computed: &Computed, me: Option<&PersonName>) -> Vec<MyRank> {
    let Some(me) = me.filter(|me| computed.has(Competitors::People, &me.0)) else {
        return Vec::new();
    };
    let boards = computed.standings().people.iter();
    let mine = boards.filter_map(|board| Some((board, board.row(me.as_str())?)));
    let rank = |(board, row): (&tally_insight::score::BoardOf, &BoardRow)| MyRank {
        board: board.board,
        rank: row.rank,
        ranked: board.ranked,
        score: row.score,
        unranked: row.unranked,
    };
    mine.map(rank).collect()
}

/// `GET /api/v1/scoreboards/{name}`
pub(super) async fn page(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    Extension(path): Extension<PathParams>,
    query: Result<Query<BoardQuery>, QueryRejection>,
) -> Result<Json<BoardPage>, Problem> {
    let asked = params::query(query)?;
    let of = asked.of.unwrap_or(Competitors::Teams);
    let limit = params::limit(asked.limit, PAGE, PAGE_MAX)?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let board: Board = path.name()?.as_str().parse().map_err(no_board)?;
    let snapshot = api.state.store.snapshot();
    let computed = standings(&api, &snapshot, asked.season.as_deref()).await?;
    let viewer =
        Viewer::new(&caller, api.state.scores.pseudonyms(), &snapshot, &computed.season.name);
    let of_type = match &asked.task_type {
        Some(task_type) => Some(typed(&computed, &viewer, (of, board), task_type)?),
        None => None,
    };
    let found = match &of_type {
        Some(found) => found,
        None => computed
            .standings()
            .board(of, board)
            .ok_or_else(|| no_board("it ranks teams only".to_owned()))?,
    };
    let viewer = if of_type.is_some() { viewer.at_task_type() } else { viewer };
    // Who moved is told of all types together.
    let moved_since = computed.moved_since.filter(|_| of_type.is_none());

    let all: Vec<&BoardRow> = found.rows.iter().filter(|row| is_listed(&viewer, of, row)).collect();
    let show = |row: &&BoardRow| {
        let before = moved_since.and_then(|_| computed.rank_before(of, board, &row.name));
        shown(&viewer, of, row, before)
    };
    let is_found = |text: &str, row: &BoardRow| holds(&viewer, of, row, text);
    let (matching, listed) = (search(&all, asked.search.as_deref(), &is_found)?, all.len());
    let is_mine = |row: &BoardRow| match of {
        Competitors::People => viewer.me().is_some_and(|me| me.0 == row.name),
        Competitors::Teams => viewer.my_team().is_some_and(|team| team.0 == row.name),
    };
    let my_place = matching.iter().position(|row| is_mine(row));
    let start = match (asked.around, my_place) {
        (Some(Around::Me), Some(place)) => place.saturating_sub(limit / 2),
        _ => params::parsed::<usize>("after", asked.after.as_deref())?.unwrap_or(0),
    };
    // What was searched for since may have fewer rows.
    let start = if start < matching.len() { start } else { 0 };
    let end = start.saturating_add(limit).min(matching.len());
    let rows: Vec<Row> =
        matching.get(start..end).unwrap_or_default().iter().filter_map(show).collect();
    let rules = &snapshot.organization.scoreboards;
    Ok(Json(BoardPage {
        version: api.state.scores.version(),
        is_over: computed.season.until <= api.state.clock.now(),
        season: computed.season.clone(),
        board,
        of,
        task_type: asked.task_type,
        formula: computed.standings().formula.clone(),
        computed_at: computed.computed_at,
        moved_since,
        rows,
        next: (end < matching.len()).then(|| end.to_string()),
        after: (start > 0).then(|| start.to_string()),
        mine: all.iter().find(|row| is_mine(row)).and_then(show),
        ranked: found.ranked,
        listed,
        hidden: found.rows.len() - listed,
        people: rules.people,
        minimum_group: rules.minimum_group,
    }))
}

/// The board of one task type, which is a board of efficiency.
fn typed(
    computed: &Computed,
    viewer: &Viewer<'_>,
    (of, board): (Competitors, Board),
    task_type: &str,
) -> Result<Arc<BoardOf>, Problem> {
    if board != Board::Efficiency {
        let detail =
            format!("`task_type`: `efficiency` has a board of each type, `{board}` has not");
        return Err(Problem::bad_request("query_invalid", detail));
    }
    let listed = task_types(computed, viewer, of).into_iter();
    let known = listed.map(|one| one.task_type).find(|one| one == task_type);
    let found = known.and_then(|known| computed.board_of_type(of, &known));
    found.ok_or_else(|| {
        let why = format!("too few {of} do enough of the task type `{task_type}` to be compared");
        no_board(why)
    })
}

/// By what stands on the board: whoever searched by names would find out whose a pseudonym is.
fn search<'a>(
    all: &[&'a BoardRow],
    text: Option<&str>,
    holds: &dyn Fn(&str, &BoardRow) -> bool,
) -> Result<Vec<&'a BoardRow>, Problem> {
    let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else {
        return Ok(all.to_vec());
    };
    if text.chars().count() > SEARCH_CHARACTERS_MAX {
        let detail = format!("`search`: expected at most {SEARCH_CHARACTERS_MAX} characters");
        return Err(Problem::bad_request("query_invalid", detail));
    }
    let wanted = text.to_lowercase();
    Ok(all.iter().filter(|row| holds(&wanted, row)).copied().collect())
}

fn no_board(why: String) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "not_found", format!("there is no such board: {why}"))
        .with_next_step("`GET /api/v1/scoreboards` lists the boards and their task types")
}
