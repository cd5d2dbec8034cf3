//! The award of a quarter: the team with the best return, and the evidence.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::{Query, State, rejection::QueryRejection},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tally_ingest::edge::Problem;
use tally_types::{
    PicoUsdSum, TeamName, Timestamp,
    spec::{Board, Competitors, SeasonLength},
};

use super::{board::standings, privacy::Viewer, rows::shown, seasons::Span};
use crate::{caller::Caller, params, state::Api};

/// Teams that are listed.
const ROWS_MAX: usize = 50;
/// Quarters that can be looked back at.
const QUARTERS: usize = 8;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AwardQuery {
    /// Such as 2026-Q4; by default the one that goes on.
    quarter: Option<String>,
}

/// A team's return in a quarter.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "AwardRow")]
pub(super) struct AwardRow {
    /// The rank by return.
    rank: u32,
    /// The team.
    team: TeamName,
    /// Whether it is the caller's.
    is_me: bool,
    /// Value of vouched outcomes for each dollar of all that was spent.
    ratio: Option<f64>,
    /// Tasks whose outcome somebody else vouches for.
    outcomes: u64,
    /// Of those, the ones that succeeded.
    successes: u64,
    /// What they cost.
    cost_usd: PicoUsdSum,
    /// People with such a task.
    people: u64,
}

/// The award of a quarter.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ScoreboardAward")]
pub(super) struct Award {
    /// Such as 2026-Q4.
    quarter: String,
    /// Whether the quarter is over.
    is_final: bool,
    /// When it was computed.
    computed_at: Timestamp,
    /// Quarters that can be looked at, the newest first.
    quarters: Vec<String>,
    /// Who has it, or is ahead; more than one only where their return is the same, none where
    /// whoever has it is too few to be shown.
    winners: Vec<TeamName>,
    /// Teams by their return, the best first.
    rows: Vec<AwardRow>,
}

/// `GET /api/v1/scoreboards/award`
pub(super) async fn award(
    State(api): State<Arc<Api>>,
    Extension(caller): Extension<Caller>,
    query: Result<Query<AwardQuery>, QueryRejection>,
) -> Result<Json<Award>, Problem> {
    let AwardQuery { quarter } = params::query(query)?;
    let (snapshot, now) = (api.state.store.snapshot(), api.state.clock.now());
    let zone = snapshot.organization.zone();
    let current = Span::at(now, SeasonLength::Quarter, &zone);
    let quarters: Vec<String> = std::iter::successors(current, |span| span.before(&zone))
        .take(QUARTERS)
        .map(|span| span.season.name)
        .collect();
    let wanted =
        quarter.filter(|quarter| !quarter.is_empty()).or_else(|| quarters.first().cloned());
    let wanted = wanted.unwrap_or_default();
    if tally_store::rollout::quarter_of(&wanted).is_none() {
        let detail = "`quarter`: expected one that has begun, such as 2026-Q4";
        return Err(Problem::bad_request("query_invalid", detail));
    }
    let computed = standings(&api, &snapshot, Some(&wanted)).await?;
    let viewer =
        Viewer::new(&caller, api.state.scores.pseudonyms(), &snapshot, &computed.season.name);
    let key = (Competitors::Teams, Board::Return);
    let board = computed.standings().board(key.0, key.1);
    let ranked = board.map(|board| board.rows.as_slice()).unwrap_or_default();
    let rows = ranked.iter().filter_map(|row| {
        let seen = shown(&viewer, key.0, row, None)?;
        Some(AwardRow {
            rank: row.rank?,
            team: seen.team?,
            is_me: seen.is_me,
            ratio: row.parts.value_for_money,
            outcomes: row.volume.credited,
            successes: row.volume.successes,
            cost_usd: row.volume.cost_usd,
            people: row.volume.people,
        })
    });
    let rows: Vec<AwardRow> = rows.take(ROWS_MAX).collect();
    let has_won = |row: &&AwardRow| computed.standings().award.contains(&row.team);
    Ok(Json(Award {
        quarter: wanted,
        is_final: computed.season.until <= now,
        computed_at: computed.computed_at,
        quarters,
        winners: rows.iter().filter(has_won).map(|row| row.team.clone()).collect(),
        rows,
    }))
}
