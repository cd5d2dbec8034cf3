//! The standings of one season, as they were computed once.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use parking_lot::Mutex;
use tally_insight::score::{BoardOf, Explanation, Season, Standings};
use tally_store::Snapshot;
use tally_types::{
    Clock, Name, Timestamp,
    spec::{Board, Competitors},
};

use super::{
    seasons::{Span, current},
    source::{self, PAST_NS, Pasts, Scored, Source},
};

/// Boards of one task type are kept for so many.
const TYPES_MAX: usize = 64;

/// Ranks by board and name.
type Ranks = BTreeMap<(Competitors, Board), HashMap<Name, u32>>;

/// The standings of a season, as they were computed once.
pub(crate) struct Computed {
    pub(crate) season: Season,
    pub(crate) scored: Scored,
    pub(crate) computed_at: Timestamp,
    /// What ranks are compared with.
    pub(crate) moved_since: Option<Timestamp>,
    before: Arc<Ranks>,
    /// Boards of one task type that somebody asked for.
    of_types: Mutex<HashMap<(Competitors, String), Arc<BoardOf>>>,
    rows: HashMap<(Competitors, Name), usize>,
    pub(super) at_ns: u64,
}

// === impl Computed ===

impl Computed {
    /// Scores a season by what is known now; `earlier` is what was computed of it before.
    pub(super) fn new(
        source: &Source<'_>,
        pasts: &mut Pasts,
        (now, at_ns): (Timestamp, u64),
        earlier: Option<&Self>,
    ) -> Result<Self, source::Failed> {
        let Source { span, snapshot, .. } = source;
        let until = span.season.until.min(now);
        let gathered = source.gather(until, pasts, at_ns)?;
        let moved_since = week_before(span, snapshot, now);
        let before = match (moved_since, earlier) {
            (None, _) => Arc::default(),
            // What was a week ago does not change within a day, but for what comes late.
            (Some(since), Some(earlier)) if earlier.moved_since == Some(since) => {
                Arc::clone(&earlier.before)
            }
            (Some(since), _) => Arc::new(ranks(source.score_before(&gathered, since)?.standings())),
        };
        let scored = source.score(gathered, until)?;
        let rows = places(scored.standings());
        let season = span.season.clone();
        let of_types = Mutex::default();
        Ok(Self { season, scored, computed_at: now, moved_since, before, of_types, rows, at_ns })
    }

    /// The season that goes on is kept up to date; others are looked at again in time.
    pub(super) fn is_fresh(
        &self,
        snapshot: &Snapshot,
        span: &Span,
        clock: &Arc<dyn Clock>,
    ) -> bool {
        let age = clock.monotonic_ns().saturating_sub(self.at_ns);
        age < PAST_NS || current(snapshot, clock.now()).as_ref() == Some(span)
    }

    pub(super) const fn standings(&self) -> &Standings {
        self.scored.standings()
    }

    /// Whether somebody takes part.
    pub(super) fn has(&self, of: Competitors, name: &Name) -> bool {
        self.rows.contains_key(&(of, name.clone()))
    }

    /// The board of one task type, empty for tasks without one; computed when it is asked for first.
    pub(super) fn board_of_type(&self, of: Competitors, task_type: &str) -> Option<Arc<BoardOf>> {
        let key = (of, task_type.to_owned());
        if let Some(board) = self.of_types.lock().get(&key) {
            return Some(Arc::clone(board));
        }
        let asked = Some(task_type).filter(|it| !it.is_empty());
        let board = Arc::new(self.scored.board_of_type(of, asked)?);
        let mut of_types = self.of_types.lock();
        if of_types.len() >= TYPES_MAX {
            of_types.clear();
        }
        of_types.insert(key, Arc::clone(&board));
        Some(board)
    }

    /// The rank a week ago.
    pub(super) fn rank_before(&self, of: Competitors, board: Board, name: &Name) -> Option<u32> {
        self.before.get(&(of, board))?.get(name).copied()
    }

    /// Everything behind a score.
    pub(super) fn explain(&self, of: Competitors, name: &Name) -> Option<Explanation> {
        self.scored.explain(of, name)
    }
}

/// Midnight a week ago, where the season had begun; seasons that are over do not move.
fn week_before(span: &Span, snapshot: &Snapshot, now: Timestamp) -> Option<Timestamp> {
    use jiff::ToSpan as _;

    let zone = snapshot.organization.zone();
    let day = now.to_zoned(zone.clone()).date().checked_sub(1.week()).ok()?;
    let midnight = day.to_zoned(zone).ok()?.timestamp();
    (span.season.until > now && midnight > span.season.from).then_some(midnight)
}

fn ranks(standings: &Standings) -> Ranks {
    let of = |of: Competitors, boards: &[BoardOf]| {
        let ranked = |board: &BoardOf| {
            let rows = board.rows.iter().filter_map(|row| Some((row.name.clone(), row.rank?)));
            ((of, board.board), rows.collect())
        };
        boards.iter().map(ranked).collect::<Vec<_>>()
    };
    let mut all = of(Competitors::People, &standings.people);
    all.extend(of(Competitors::Teams, &standings.teams));
    all.into_iter().collect()
}

/// Where somebody stands on the overall board, to find them at once.
fn places(standings: &Standings) -> HashMap<(Competitors, Name), usize> {
    let of = |of: Competitors| {
        let board = standings.board(of, Board::Overall);
        let rows = board.map(|board| board.rows.as_slice()).unwrap_or_default();
        rows.iter().enumerate().map(move |(at, row)| ((of, row.name.clone()), at))
    };
    of(Competitors::People).chain(of(Competitors::Teams)).collect()
}
