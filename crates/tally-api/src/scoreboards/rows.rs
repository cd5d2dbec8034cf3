//! Boards as they are shown.

use schemars::JsonSchema;
use serde::Serialize;
use tally_insight::score::{BoardRow, Parts, Season, Unranked, Volume};
use tally_types::{
    PersonName, TeamName, Timestamp,
    spec::{Badge, Board, Competitors, PeopleShown, Title},
};

use super::privacy::{Appearance, Viewer};

/// One row of a board, as whoever asks may see it.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "ScoreboardRow")]
pub(super) struct Row {
    /// Of the row; of a person, another one each season.
    pub(super) id: String,
    /// 1 is the best; null for who is not ranked.
    pub(super) rank: Option<u32>,
    /// Whether others share the rank.
    pub(super) tied: bool,
    /// The rank a week ago; null for who had none.
    pub(super) rank_before: Option<u32>,
    /// A name, a pseudonym or a team.
    pub(super) label: String,
    /// The person, where whoever asks may know.
    pub(super) person: Option<PersonName>,
    /// The team, where whoever asks may know.
    pub(super) team: Option<TeamName>,
    /// Whether it is the caller, or their team.
    pub(super) is_me: bool,
    /// Whether whoever asks may take the score apart.
    pub(super) is_open: bool,
    /// What the board ranks by, 0 to 100 with one decimal; null for who is not ranked.
    pub(super) score: Option<f64>,
    /// By the overall score.
    pub(super) badge: Option<Badge>,
    /// What it is made of.
    pub(super) parts: Parts,
    /// Titles of the season.
    pub(super) titles: Vec<Title>,
    /// What was used, beside the score and never in it; null where it would tell who is meant.
    pub(super) volume: Option<Volume>,
    /// Why there is no rank.
    pub(super) unranked: Option<Unranked>,
}

/// A page of a board.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Scoreboard")]
pub(super) struct BoardPage {
    /// Raised by each computation.
    pub(super) version: u64,
    /// The season.
    pub(super) season: Season,
    /// Whether the season is over.
    pub(super) is_over: bool,
    /// What it ranks by.
    pub(super) board: Board,
    /// Whom it ranks.
    pub(super) of: Competitors,
    /// The one task type that it is of: what rows used and the efficiency among their parts are of it alone. Empty for
    /// tasks without a type, null for all types.
    pub(super) task_type: Option<String>,
    /// The name of the formula that holds.
    pub(super) formula: String,
    /// When it was computed.
    pub(super) computed_at: Timestamp,
    /// What ranks are compared with, to tell who moved; null where there is nothing.
    pub(super) moved_since: Option<Timestamp>,
    /// Best first; who is not ranked comes last.
    pub(super) rows: Vec<Row>,
    /// The `after` of the next page; null on the last one.
    pub(super) next: Option<String>,
    /// The `after` of this page; null on the first one.
    pub(super) after: Option<String>,
    /// The caller's own row, or their team's, wherever it is.
    pub(super) mine: Option<Row>,
    /// How many have a rank, shown or not.
    pub(super) ranked: u32,
    /// How many rows the caller may see.
    pub(super) listed: usize,
    /// How many take part and are not shown: they chose so, or are too few.
    pub(super) hidden: usize,
    /// How people appear who chose nothing.
    pub(super) people: PeopleShown,
    /// In works-council mode, how many people have to be behind a number.
    pub(super) minimum_group: u32,
}

/// The caller's place on a board of people.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub(super) struct MyRank {
    /// The board.
    pub(super) board: Board,
    /// Null for who is not ranked.
    pub(super) rank: Option<u32>,
    /// How many are.
    pub(super) ranked: u32,
    /// The score.
    pub(super) score: Option<f64>,
    /// Why there is no rank.
    pub(super) unranked: Option<Unranked>,
}

/// How a row's owner appears, without making up labels; see [`shown`].
pub(super) fn is_listed(viewer: &Viewer<'_>, of: Competitors, row: &BoardRow) -> bool {
    match of {
        Competitors::People => viewer.lists(&PersonName(row.name.clone())),
        Competitors::Teams => viewer.lists_team(&TeamName(row.name.clone()), row.volume.people),
    }
}

fn appearance(viewer: &Viewer<'_>, of: Competitors, row: &BoardRow) -> Option<Appearance> {
    match of {
        Competitors::People => viewer.person(&PersonName(row.name.clone())),
        Competitors::Teams => viewer.team(&TeamName(row.name.clone()), row.volume.people),
    }
}

/// Whether what somebody looks for, in small letters, stands on a row.
pub(super) fn holds(viewer: &Viewer<'_>, of: Competitors, row: &BoardRow, wanted: &str) -> bool {
    let holds = |text: &str| text.to_lowercase().contains(wanted);
    appearance(viewer, of, row).is_some_and(|seen| {
        let team = seen.team.as_ref().is_some_and(|team| holds(team.as_str()));
        let person = seen.person.as_ref().is_some_and(|person| holds(person.as_str()));
        team || person || holds(&seen.label)
    })
}

/// A row as the viewer may see it, beside its rank a week ago; none where it is not for them.
pub(super) fn shown(
    viewer: &Viewer<'_>,
    of: Competitors,
    row: &BoardRow,
    rank_before: Option<u32>,
) -> Option<Row> {
    let seen = appearance(viewer, of, row)?;
    Some(Row {
        id: viewer.id(of, &row.name),
        rank: row.rank,
        tied: row.tied,
        rank_before,
        label: seen.label,
        person: seen.person,
        team: seen.team,
        is_me: seen.is_me,
        is_open: seen.is_open,
        score: row.score,
        badge: row.badge,
        parts: row.parts,
        titles: row.titles.clone(),
        volume: seen.shows_volume.then_some(row.volume),
        unranked: row.unranked,
    })
}
