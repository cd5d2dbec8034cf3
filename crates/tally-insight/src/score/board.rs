//! Boards as they are shown.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tally_types::{
    Name, PersonName, PicoUsdSum, TeamName, Timestamp,
    spec::{Badge, Board, Competitors, Title},
};

/// A season: tasks whose first call lies within it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Season {
    /// Such as `2026-11` or `2026-Q4`.
    pub name: String,
    /// When it begins.
    pub from: Timestamp,
    /// The first moment after it.
    pub until: Timestamp,
}

/// Every board of a season.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Standings {
    /// The season.
    pub season: Season,
    /// The name of the formula that scores it.
    pub formula: String,
    /// Boards of people: overall, efficiency, improvement, knowledge.
    pub people: Vec<BoardOf>,
    /// Boards of teams: those of people, and return.
    pub teams: Vec<BoardOf>,
    /// Who has a title, and for what.
    pub titles: Vec<TitleHolder>,
    /// The teams with the best return; more than one only where it is the same.
    pub award: Vec<TeamName>,
}

/// A task type of which enough do enough to be compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ComparedType {
    /// Null are tasks without one.
    pub task_type: Option<String>,
    /// People who do enough of it.
    pub people: usize,
    /// Teams that do.
    pub teams: usize,
}

/// One board: the ranked by their rank, then the others; those who are equal by name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BoardOf {
    /// What it ranks by.
    pub board: Board,
    /// How many are ranked.
    pub ranked: u32,
    /// All of them.
    pub rows: Vec<BoardRow>,
}

/// Somebody on a board.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BoardRow {
    /// The name of the person or team.
    pub name: Name,
    /// The team of a person.
    pub team: Option<TeamName>,
    /// The department of the team.
    pub department: Option<String>,
    /// Equal scores share a rank; null where there is too little to rank.
    pub rank: Option<u32>,
    /// Whether others have the same rank.
    pub tied: bool,
    /// What the board ranks by, 0 to 100 with one decimal, of `return` with two; null where there is none.
    pub score: Option<f64>,
    /// Why there is no rank.
    pub unranked: Option<Unranked>,
    /// What the score is made of.
    pub parts: Parts,
    /// By the overall score, of those who are ranked overall.
    pub badge: Option<Badge>,
    /// Titles of this season.
    pub titles: Vec<Title>,
    /// How much they used: beside the score, never in it.
    pub volume: Volume,
}

/// Why somebody is listed without a rank.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unranked {
    /// Fewer counting tasks than the formula asks for.
    TooFewTasks,
    /// Nobody else does enough of the same.
    NobodyToCompare,
    /// No season before to improve on.
    NoEarlierSeason,
    /// Nothing shared that others used or confirmed.
    NothingShared,
    /// No spend to hold the value against.
    NoSpend,
}

/// What a score is made of, not rounded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Parts {
    /// 50 is the other peers' median, 100 half its cost; null without a compared type.
    pub efficiency: Option<f64>,
    /// 50 is as in the best season before; null without one.
    pub improvement: Option<f64>,
    /// 0 to 100.
    pub knowledge: f64,
    /// What the others are multiplied with for keeping to the rules, at most 1.
    pub compliance: f64,
    /// Of a team: the value of vouched outcomes for what it spent.
    pub value_for_money: Option<f64>,
}

/// How much somebody used. None of it counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Volume {
    /// Tasks of any kind.
    pub tasks: u64,
    /// Tasks whose outcome somebody else vouches for.
    pub credited: u64,
    /// Of those, the ones whose result counts.
    pub counting: u64,
    /// Of those, the ones that succeeded.
    pub successes: u64,
    /// Calls of all tasks.
    pub calls: u64,
    /// Tokens of all tasks.
    pub tokens: u64,
    /// What the credited tasks cost.
    pub cost_usd: PicoUsdSum,
    /// Of a team: people with a credited task.
    pub people: u64,
}

/// Who has a title.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TitleHolder {
    /// Which.
    pub title: Title,
    /// Who.
    pub person: PersonName,
    /// What for: US dollars saved (`token_legend`), a share (`cache_wizard`, `model_connoisseur`), or a number of tasks.
    pub value: f64,
}

// === impl Standings ===

impl Standings {
    /// A board; there is no `return` of people.
    pub fn board(&self, of: Competitors, board: Board) -> Option<&BoardOf> {
        let boards = match of {
            Competitors::People => &self.people,
            Competitors::Teams => &self.teams,
        };
        boards.iter().find(|one| one.board == board)
    }
}

// === impl BoardOf ===

impl BoardOf {
    /// Somebody's row.
    pub fn row(&self, name: &str) -> Option<&BoardRow> {
        self.rows.iter().find(|row| row.name.as_str() == name)
    }
}
