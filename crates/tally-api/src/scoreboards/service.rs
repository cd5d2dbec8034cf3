//! Keeps the standings of seasons in memory: computed in the background, swapped whole.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use parking_lot::Mutex;
use sha2::{Digest as _, Sha256};
use tally_ingest::edge::Problem;
use tally_insight::score::{Explanation, Season, Standings};
use tally_store::{Snapshot, Store};
use tally_types::{
    Clock, Name, Timestamp,
    spec::{Board, Competitors},
};
use tally_warehouse::Warehouse;
use tokio::sync::{Mutex as Turn, watch};

use super::{
    pseudonyms::Pseudonyms,
    seasons::Span,
    source::{self, Scored},
};
use crate::{LiveFeed, WarehouseSlot};

/// The standings are computed at most this often…
const REST_MIN: Duration = Duration::from_secs(1);
/// …and rest so many times as long as it took.
const REST_FACTOR: u32 = 10;
/// Another season than the one that goes on is looked at again after so long: outcomes and bills
/// come late.
const PAST_NS: u64 = 600 * 1_000_000_000;
/// Seasons kept besides the one that goes on.
const PAST_MAX: usize = 12;

/// The standings of every season that was asked for. Clones share them.
#[derive(Clone)]
pub struct ScoreKeeper {
    inner: Arc<Inner>,
}

struct Inner {
    pseudonyms: Pseudonyms,
    kept: Mutex<HashMap<String, Arc<Computed>>>,
    /// The season that goes on, as it was computed last.
    latest: Mutex<Option<Arc<Computed>>>,
    /// Held while something is computed, so that it is computed once.
    turn: Turn<()>,
    version: watch::Sender<u64>,
}

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
    rows: HashMap<(Competitors, Name), usize>,
    at_ns: u64,
}

// === impl ScoreKeeper ===

impl ScoreKeeper {
    /// Nothing is computed yet; pseudonyms follow from the secret.
    pub fn new(secret: &[u8]) -> Self {
        let pseudonyms = Pseudonyms::new(Sha256::digest(secret).into());
        let (version, _) = watch::channel(0);
        let inner = Inner {
            pseudonyms,
            kept: Mutex::default(),
            latest: Mutex::default(),
            turn: Turn::default(),
            version,
        };
        Self { inner: Arc::new(inner) }
    }

    pub(super) fn pseudonyms(&self) -> &Pseudonyms {
        &self.inner.pseudonyms
    }

    /// Tells whenever something changed.
    pub(super) fn versions(&self) -> watch::Receiver<u64> {
        self.inner.version.subscribe()
    }

    pub(super) fn version(&self) -> u64 {
        *self.inner.version.borrow()
    }

    /// The season that goes on, as it was computed last.
    pub(super) fn latest(&self) -> Option<Arc<Computed>> {
        self.inner.latest.lock().clone()
    }

    /// Somebody appears in another way: whoever watches asks again.
    pub(super) fn changed(&self) {
        self.inner.version.send_modify(|version| *version += 1);
    }

    /// Leaves nothing of what was computed: somebody is forgotten, and tasks quote them. What is
    /// being computed now is waited for, as it may still hold them.
    pub(crate) async fn forget(&self) {
        let _turn = self.inner.turn.lock().await;
        self.inner.kept.lock().clear();
        *self.inner.latest.lock() = None;
        self.changed();
    }

    /// Computes the season that goes on whenever something is new, until the task is dropped.
    pub async fn keep(
        &self,
        store: Store,
        slot: WarehouseSlot,
        live: LiveFeed,
        clock: Arc<dyn Clock>,
    ) {
        let (mut arrivals, mut resources) = (live.arrivals(), store.watch());
        loop {
            let began = clock.monotonic_ns();
            let snapshot = store.snapshot();
            if let Some(span) = current(&snapshot, clock.now()) {
                let turn = self.inner.turn.lock().await;
                let done = self.compute(&slot, &snapshot, span, &clock).await;
                drop(turn);
                if let Err(problem) = done {
                    tracing::debug!(detail = %problem.detail, "no standings yet");
                }
            }
            let took = Duration::from_nanos(clock.monotonic_ns().saturating_sub(began));
            tokio::time::sleep(REST_MIN.max(took.saturating_mul(REST_FACTOR))).await;
            let changed = tokio::select! {
                changed = arrivals.changed() => changed.is_ok(),
                changed = resources.changed() => changed.is_ok(),
            };
            if !changed {
                return;
            }
        }
    }

    /// The standings of a season, computed now where they are not known.
    ///
    /// # Errors
    /// 503 while the warehouse is not open.
    pub(super) async fn of(
        &self,
        slot: &WarehouseSlot,
        snapshot: &Snapshot,
        span: Span,
        clock: &Arc<dyn Clock>,
    ) -> Result<Arc<Computed>, Problem> {
        if let Some(kept) = self.kept(snapshot, &span, clock) {
            return Ok(kept);
        }
        let _turn = self.inner.turn.lock().await;
        // Somebody else may have asked for it at the same time.
        if let Some(kept) = self.kept(snapshot, &span, clock) {
            return Ok(kept);
        }
        self.compute(slot, snapshot, span, clock).await
    }

    /// The season that goes on is kept up to date; others are looked at again in time.
    fn kept(
        &self,
        snapshot: &Snapshot,
        span: &Span,
        clock: &Arc<dyn Clock>,
    ) -> Option<Arc<Computed>> {
        let kept = self.inner.kept.lock().get(&span.season.name).cloned()?;
        let is_current = current(snapshot, clock.now()).as_ref() == Some(span);
        let age = clock.monotonic_ns().saturating_sub(kept.at_ns);
        (kept.season == span.season && (is_current || age < PAST_NS)).then_some(kept)
    }

    /// With its turn.
    async fn compute(
        &self,
        slot: &WarehouseSlot,
        snapshot: &Snapshot,
        span: Span,
        clock: &Arc<dyn Clock>,
    ) -> Result<Arc<Computed>, Problem> {
        let warehouse = slot.require()?;
        let (now, at_ns) = (clock.now(), clock.monotonic_ns());
        let earlier = self.inner.kept.lock().get(&span.season.name).cloned();
        let is_current = current(snapshot, now).as_ref() == Some(&span);
        let snapshot = snapshot.clone();
        let work = move || computed(&warehouse, &snapshot, &span, (now, at_ns), earlier.as_deref());
        let done = tokio::task::spawn_blocking(work).await;
        let done = done.map_err(|error| Problem::internal("the standings", &error))?;
        let done = Arc::new(done.map_err(|error| Problem::internal("the standings", &error))?);
        self.keep_one(&done, is_current);
        Ok(done)
    }

    fn keep_one(&self, done: &Arc<Computed>, is_current: bool) {
        let mut kept = self.inner.kept.lock();
        if kept.len() > PAST_MAX {
            let oldest = kept.iter().min_by_key(|(_, computed)| computed.at_ns);
            let oldest = oldest.map(|(name, _)| name.clone());
            oldest.and_then(|name| kept.remove(&name));
        }
        kept.insert(done.season.name.clone(), Arc::clone(done));
        drop(kept);
        if is_current {
            *self.inner.latest.lock() = Some(Arc::clone(done));
            self.changed();
        }
    }
}

/// The season that goes on.
pub(super) fn current(snapshot: &Snapshot, now: Timestamp) -> Option<Span> {
    let organization = &snapshot.organization;
    Span::at(now, organization.scoreboards.season, &organization.zone())
}

fn computed(
    warehouse: &Warehouse,
    snapshot: &Snapshot,
    span: &Span,
    (now, at_ns): (Timestamp, u64),
    earlier: Option<&Computed>,
) -> Result<Computed, source::Failed> {
    let scored = source::score(warehouse, snapshot, span, span.season.until.min(now))?;
    let moved_since = week_before(span, snapshot, now);
    let before = match (moved_since, earlier) {
        (None, _) => Arc::default(),
        // What was a week ago does not change within a day, but for what comes late.
        (Some(since), Some(earlier)) if earlier.moved_since == Some(since) => {
            Arc::clone(&earlier.before)
        }
        (Some(since), _) => {
            Arc::new(ranks(source::score(warehouse, snapshot, span, since)?.standings()))
        }
    };
    let rows = places(scored.standings());
    let season = span.season.clone();
    Ok(Computed { season, scored, computed_at: now, moved_since, before, rows, at_ns })
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
    let of = |of: Competitors, boards: &[tally_insight::score::BoardOf]| {
        let ranked = |board: &tally_insight::score::BoardOf| {
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

// === impl Computed ===

impl Computed {
    pub(super) const fn standings(&self) -> &Standings {
        self.scored.standings()
    }

    /// Whether somebody takes part.
    pub(super) fn has(&self, of: Competitors, name: &Name) -> bool {
        self.rows.contains_key(&(of, name.clone()))
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
