//! `tally top`: a scoreboard in the terminal, drawn anew whenever rows move.

use std::fmt::Write as _;

use serde::Deserialize;
use serde_json::Value;

use crate::cli::{
    client::Client,
    connection::Connection,
    output,
    table::{Align, Table, printable},
};

const LIVE: [&str; 4] = ["api", "v1", "scoreboards", "live"];
/// Clears the terminal; what is too long for a line is cut off from here on.
const CLEAR: &str = "\u{1b}[2J\u{1b}[?7l";
/// Of a line that is cut off, the last column shows its last character: better none.
const EDGE: &str = "\u{1b}[9999G\u{1b}[K";
/// Lines are broken again.
const WRAP: &str = "\u{1b}[?7h";
/// More lines than any terminal has: places below the last line are on it.
const LAST_LINE: usize = 9_999;

/// Arguments of `tally top`.
#[derive(Debug, clap::Args)]
pub(crate) struct TopArgs {
    /// overall, efficiency, improvement, knowledge, or return (of teams)
    #[arg(long, value_name = "BOARD", default_value = "overall")]
    board: String,

    /// people or teams
    #[arg(long, value_name = "WHOM", default_value = "teams")]
    of: String,

    /// A season such as 2026-11 or 2026-Q4; by default the one that goes on
    #[arg(long, value_name = "SEASON")]
    season: Option<String>,

    /// With `--board efficiency`: in this task type only; "" for tasks without a type
    #[arg(long, value_name = "TYPE")]
    task_type: Option<String>,

    /// Only the page that I am on
    #[arg(long)]
    around_me: bool,

    /// How many rows
    #[arg(long, value_name = "ROWS", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=200))]
    limit: u32,

    /// Show it once instead of following it
    #[arg(long)]
    once: bool,
}

#[derive(Debug, Deserialize)]
struct Board {
    season: Season,
    is_over: bool,
    board: String,
    of: String,
    task_type: Option<String>,
    rows: Vec<Row>,
    mine: Option<Row>,
    moved_since: Option<String>,
    ranked: u64,
    hidden: u64,
}

#[derive(Debug, Deserialize)]
struct Season {
    name: String,
}

#[derive(Debug, Clone, Deserialize)]
struct Row {
    id: String,
    rank: Option<u32>,
    tied: bool,
    rank_before: Option<u32>,
    label: String,
    is_me: bool,
    score: Option<f64>,
    badge: Option<String>,
    parts: Parts,
    titles: Vec<String>,
    volume: Option<Volume>,
}

#[derive(Debug, Clone, Deserialize)]
struct Parts {
    efficiency: Option<f64>,
    improvement: Option<f64>,
    knowledge: Option<f64>,
    compliance: f64,
}

#[derive(Debug, Clone, Deserialize)]
struct Volume {
    credited: u64,
}

/// Runs `tally top`.
///
/// # Errors
/// Tally refuses or cannot be reached.
pub(crate) async fn top(args: TopArgs, connection: &Connection) -> anyhow::Result<()> {
    let client = Client::new(connection)?;
    let found = args.ask(&client).await?;
    if connection.json {
        return output::json(&found);
    }
    let board: Board = serde_json::from_value(found)?;
    if args.once {
        return output::out(&render(&board));
    }
    output::out_as_it_is(&screen(&board))?;
    args.follow(&client).await
}

/// The board on a terminal of whatever size: each line at its place, from the top, so that the heading stays; what
/// there is no room for lies below what stands on the last line.
fn screen(board: &Board) -> String {
    let mut drawn = CLEAR.to_owned();
    let mut put = |line: usize, text: &str| {
        let _ = write!(drawn, "\u{1b}[{line};1H\u{1b}[2K{text}{EDGE}");
    };
    for (line, text) in (1..).zip(render(board).lines()) {
        put(line, text);
    }
    let mine = board.mine.as_ref().and_then(|mine| Some((mine.rank?, mine.score?)));
    let mine =
        mine.map(|(rank, score)| format!("; you: {rank} of {}, {score:.1} points", board.ranked));
    put(LAST_LINE, &format!("live; ctrl-c ends it{}", mine.unwrap_or_default()));
    drawn + WRAP
}

// === impl TopArgs ===

impl TopArgs {
    async fn ask(&self, client: &Client) -> anyhow::Result<Value> {
        let limit = self.limit.to_string();
        let mut query = vec![("of", self.of.as_str()), ("limit", limit.as_str())];
        query.extend(self.season.as_deref().map(|season| ("season", season)));
        query.extend(self.task_type.as_deref().map(|task_type| ("task_type", task_type)));
        query.extend(self.around_me.then_some(("around", "me")));
        client.get(&["api", "v1", "scoreboards", &self.board], &query).await
    }

    /// Draws it anew whenever the standings changed, until Tally goes away.
    async fn follow(&self, client: &Client) -> anyhow::Result<()> {
        let mut events = client.follow(&LIVE).await?;
        let mut kept = String::new();
        while let Some(piece) = events.chunk().await? {
            kept.push_str(&String::from_utf8_lossy(&piece));
            let mut has_changed = false;
            while let Some((event, rest)) = kept.split_once("\n\n") {
                has_changed |= event.lines().any(|line| line == "event: standings");
                kept = rest.to_owned();
            }
            if has_changed {
                let board = serde_json::from_value(self.ask(client).await?)?;
                output::out_as_it_is(&screen(&board))?;
            }
        }
        output::out("\nTally ended the feed; run it again to follow on")
    }
}

fn render(board: &Board) -> String {
    let over = if board.is_over { ", over" } else { "" };
    let task_type = match board.task_type.as_deref() {
        None => String::new(),
        Some("") => " in tasks without a type".to_owned(),
        Some(task_type) => format!(" in {task_type}"),
    };
    let heading = format!(
        "{} of {}{task_type}, season {}{over}: {} ranked{}",
        board.board,
        board.of,
        board.season.name,
        board.ranked,
        if board.hidden > 0 { format!(", {} not shown", board.hidden) } else { String::new() }
    );
    if board.rows.is_empty() {
        return format!("{heading}\nNobody is on this board yet.");
    }
    let mut table = Table::new([
        ("Rank", Align::Right),
        ("Moved", Align::Right),
        ("Who", Align::Left),
        ("Score", Align::Right),
        ("Badge", Align::Left),
        ("Eff", Align::Right),
        ("Impr", Align::Right),
        ("Know", Align::Right),
        ("Comp", Align::Right),
        ("Tasks", Align::Right),
        ("Titles", Align::Left),
    ]);
    let is_there = |mine: &&Row| board.rows.iter().all(|row| row.id != mine.id);
    for row in board.rows.iter().chain(board.mine.as_ref().filter(is_there)) {
        table.row(row.cells(board.moved_since.is_some()));
    }
    format!("{}\n\n{}", printable(&heading), table.render())
}

// === impl Row ===

impl Row {
    fn cells(&self, moves: bool) -> [String; 11] {
        let number =
            |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |it| format!("{it:.1}"));
        let Parts { efficiency, improvement, knowledge, compliance } = self.parts;
        [
            self.rank.map_or_else(
                || "–".to_owned(),
                |rank| {
                    if self.tied { format!("={rank}") } else { rank.to_string() }
                },
            ),
            if moves { self.moved() } else { String::new() },
            if self.is_me { format!("{} ◂", self.label) } else { self.label.clone() },
            number(self.score),
            self.badge.clone().unwrap_or_default(),
            number(efficiency),
            number(improvement),
            number(knowledge),
            format!("×{compliance:.2}"),
            self.volume
                .as_ref()
                .map_or_else(|| "–".to_owned(), |volume| volume.credited.to_string()),
            self.titles.join(", ").replace('_', " "),
        ]
    }

    fn moved(&self) -> String {
        match (self.rank, self.rank_before) {
            (Some(now), Some(before)) if now < before => format!("▲{}", before - now),
            (Some(now), Some(before)) if now > before => format!("▼{}", now - before),
            (Some(_), Some(_)) => "=".to_owned(),
            (Some(_), None) => "new".to_owned(),
            (None, _) => String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_board_shows_who_moved_and_where_i_am() {
        let row = |id: &str, rank: u32, before: Option<u32>, label: &str, is_me: bool| {
            json!({
                "id": id, "rank": rank, "tied": false, "rank_before": before, "label": label,
                "is_me": is_me, "score": 71.25 - f64::from(rank), "badge": "gold",
                "parts": { "efficiency": 80.0, "improvement": null, "knowledge": 42.4, "compliance": 0.98 },
                "titles": if rank == 1 { vec!["cache_wizard"] } else { vec![] },
                "volume": { "credited": 120 },
            })
        };
        let board = json!({
            "season": { "name": "2026-11" }, "is_over": false, "board": "overall", "of": "people",
            "task_type": null, "rows": [row("a", 1, Some(3), "Amber Heron 7", false), row("b", 2, None, "Grace", false)],
            "mine": row("c", 7, Some(7), "Ada", true), "moved_since": "2026-11-15T00:00:00Z", "ranked": 9, "hidden": 3,
        });
        let of_type = |task_type: &str| {
            let mut board = board.clone();
            board["task_type"] = task_type.into();
            render(&serde_json::from_value(board).unwrap())
        };
        assert!(of_type("review").starts_with("overall of people in review, season"));
        assert!(of_type("").starts_with("overall of people in tasks without a type, season"));
        let board: Board = serde_json::from_value(board).unwrap();
        let text = render(&board);
        assert!(
            text.starts_with("overall of people, season 2026-11: 9 ranked, 3 not shown"),
            "{text}"
        );
        let line = |label: &str| text.lines().find(|line| line.contains(label)).unwrap().to_owned();
        let first = line("Amber Heron 7");
        assert!(first.contains("▲2") && first.contains("cache wizard"), "{first}");
        assert!(line("Grace").contains("new"), "{text}");
        // One's own row stands below, wherever it is.
        assert!(text.lines().last().unwrap().contains("Ada ◂"), "{text}");
        // On a terminal every line has its place: nothing scrolls the heading away.
        let drawn = screen(&board);
        assert!(
            !drawn.contains('\n') && drawn.starts_with(CLEAR) && drawn.ends_with(WRAP),
            "{drawn:?}"
        );
        assert!(drawn.contains("\u{1b}[1;1H\u{1b}[2Koverall of people"), "{drawn:?}");
        assert!(
            drawn.contains("\u{1b}[9999;1H\u{1b}[2Klive; ctrl-c ends it; you: 7 of 9, 64.2 points"),
            "{drawn:?}"
        );
    }
}
