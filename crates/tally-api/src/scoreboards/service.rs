//! Keeps the standings of seasons in memory: computed in the background, swapped whole.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use http::StatusCode;
use parking_lot::Mutex;
use sha2::{Digest as _, Sha256};
use tally_ingest::edge::Problem;
use tally_store::{Snapshot, Store};
use tally_types::Clock;
use tokio::sync::{Mutex as Turn, watch};

use super::{
    computed::Computed,
    pseudonyms::Pseudonyms,
    seasons::{Span, current},
    source::{Pasts, Progress, Source},
};
use crate::{LiveFeed, WarehouseSlot};

/// The standings are computed at most this often…
const REST_MIN: Duration = Duration::from_secs(1);
/// …and rest so many times as long as it took…
const REST_FACTOR: u32 = 10;
/// …but no longer than this, where it took less: rows of a large company move, too.
const REST_MAX: Duration = Duration::from_secs(30);
/// Seasons kept besides the one that goes on…
const PAST_MAX: usize = 12;
/// …and so many tasks of theirs together: those of a large company fill gigabytes.
const PAST_TASKS_MAX: usize = 3_000_000;
/// Whoever asks waits so long, and is told how far it is then.
const PATIENCE: Duration = Duration::from_secs(3);
/// …and asks again after so many seconds.
const AGAIN_S: u64 = 2;

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
    turn: Turn<Pasts>,
    /// Seasons that somebody asked for and that are not computed yet.
    asked: Mutex<HashMap<String, Answer>>,
    progress: Arc<Mutex<Option<Progress>>>,
    /// How often somebody was forgotten: what was asked for before is not answered after it.
    forgotten: AtomicU64,
    version: watch::Sender<u64>,
}

type Done = Result<Arc<Computed>, Problem>;
type Answer = watch::Receiver<Option<Done>>;
/// What is needed to compute a season.
#[derive(Clone)]
struct Work {
    slot: WarehouseSlot,
    snapshot: Arc<Snapshot>,
    span: Span,
    clock: Arc<dyn Clock>,
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
            asked: Mutex::default(),
            progress: Arc::default(),
            forgotten: AtomicU64::new(0),
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
        self.inner.forgotten.fetch_add(1, Ordering::SeqCst);
        let mut turn = self.inner.turn.lock().await;
        *turn = Pasts::default();
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
            let mut turn = self.inner.turn.lock().await;
            let began = clock.monotonic_ns();
            let snapshot = store.snapshot();
            let mut is_done = true;
            if let Some(span) = current(&snapshot, clock.now()) {
                let (slot, clock) = (slot.clone(), Arc::clone(&clock));
                let done = self.compute(Work { slot, snapshot, span, clock }, &mut turn).await;
                if let Err(problem) = &done {
                    tracing::debug!(detail = %problem.detail, "no standings yet");
                }
                is_done = done.is_ok();
            }
            drop(turn);
            let took = Duration::from_nanos(clock.monotonic_ns().saturating_sub(began));
            tokio::time::sleep(rest(took)).await;
            if !is_done {
                continue;
            }
            let changed = tokio::select! {
                changed = arrivals.changed() => changed.is_ok(),
                changed = resources.changed() => changed.is_ok(),
            };
            if !changed {
                return;
            }
        }
    }

    /// The standings of a season. Those that are not known are computed in the background, and older ones shown until
    /// then.
    ///
    /// # Errors
    /// 503 while the warehouse is not open, and where it takes longer than somebody may wait for.
    pub(super) async fn of(
        &self,
        slot: &WarehouseSlot,
        snapshot: &Arc<Snapshot>,
        span: Span,
        clock: &Arc<dyn Clock>,
    ) -> Done {
        let kept = self.inner.kept.lock().get(&span.season.name).cloned();
        let kept = kept.filter(|kept| kept.season == span.season);
        if let Some(kept) = &kept
            && kept.is_fresh(snapshot, &span, clock)
        {
            return Ok(Arc::clone(kept));
        }
        slot.require()?;
        let season = span.season.name.clone();
        let (slot, snapshot, clock) = (slot.clone(), Arc::clone(snapshot), Arc::clone(clock));
        let mut answer = self.ask(Work { slot, snapshot, span, clock });
        if let Some(kept) = kept {
            return Ok(kept);
        }
        let done = tokio::time::timeout(PATIENCE, answer.wait_for(Option::is_some)).await;
        let done = done.ok().and_then(Result::ok).and_then(|done| done.clone());
        done.unwrap_or_else(|| Err(self.being_computed(&season)))
    }

    /// Has a season computed, unless that is under way.
    fn ask(&self, work: Work) -> Answer {
        let mut asked = self.inner.asked.lock();
        let season = work.span.season.name.clone();
        // A sender that is gone is one whose task failed.
        if let Some(answer) = asked.get(&season).filter(|answer| answer.has_changed().is_ok()) {
            return answer.clone();
        }
        let (tell, answer) = watch::channel(None);
        asked.insert(season.clone(), answer.clone());
        drop(asked);
        let keeper = self.clone();
        let forgotten = self.inner.forgotten.load(Ordering::SeqCst);
        tokio::spawn(async move {
            let done = keeper.compute_in_turn(work, forgotten).await;
            keeper.inner.asked.lock().remove(&season);
            tell.send_replace(Some(done));
        });
        answer
    }

    async fn compute_in_turn(&self, work: Work, forgotten: u64) -> Done {
        let mut turn = self.inner.turn.lock().await;
        // What was known then may quote who is forgotten.
        if self.inner.forgotten.load(Ordering::SeqCst) != forgotten {
            return Err(self.being_computed(&work.span.season.name));
        }
        // The one that goes on may have been computed while this waited for its turn.
        let kept = self.inner.kept.lock().get(&work.span.season.name).cloned();
        let kept = kept.filter(|kept| kept.season == work.span.season);
        match kept.filter(|kept| kept.is_fresh(&work.snapshot, &work.span, &work.clock)) {
            Some(kept) => Ok(kept),
            None => self.compute(work, &mut turn).await,
        }
    }

    /// How far it is.
    fn being_computed(&self, season: &str) -> Problem {
        let progress = self.inner.progress.lock().clone();
        let how_far = match progress {
            Some(Progress { season: other, .. }) if other != season => {
                format!("those of {other} come before")
            }
            Some(Progress { done, steps, doing, .. }) => {
                format!("{done} of {steps} steps are done, now {doing}")
            }
            None => "it begins now".to_owned(),
        };
        let detail = format!("the standings of {season} are being computed: {how_far}");
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "standings_computing", detail)
            .with_next_step(
                "ask again shortly; a large company's take some ten seconds after a start",
            )
            .with_retry_after(AGAIN_S)
    }

    /// With its turn.
    async fn compute(&self, work: Work, turn: &mut Pasts) -> Done {
        let Work { slot, snapshot, span, clock } = work;
        let warehouse = slot.require()?;
        let (now, at_ns) = (clock.now(), clock.monotonic_ns());
        let earlier = self.inner.kept.lock().get(&span.season.name).cloned();
        let is_current = current(&snapshot, now).as_ref() == Some(&span);
        let progress = Arc::clone(&self.inner.progress);
        let mut pasts = std::mem::take(turn);
        let compute = move || {
            let source = Source {
                warehouse: &warehouse,
                snapshot: &snapshot,
                span: &span,
                progress: &progress,
            };
            let done = Computed::new(&source, &mut pasts, (now, at_ns), earlier.as_deref());
            (done, pasts)
        };
        let done = tokio::task::spawn_blocking(compute).await;
        *self.inner.progress.lock() = None;
        let (done, pasts) = done.map_err(|error| Problem::internal("the standings", &error))?;
        *turn = pasts;
        let done = Arc::new(done.map_err(|error| Problem::internal("the standings", &error))?);
        self.keep_one(&done, is_current);
        let took_ms = clock.monotonic_ns().saturating_sub(at_ns) / 1_000_000;
        let (season, tasks) = (&done.season.name, done.scored.tasks_count());
        tracing::debug!(season, tasks, took_ms, "standings computed");
        Ok(done)
    }

    fn keep_one(&self, done: &Arc<Computed>, is_current: bool) {
        let mut kept = self.inner.kept.lock();
        kept.insert(done.season.name.clone(), Arc::clone(done));
        if is_current {
            *self.inner.latest.lock() = Some(Arc::clone(done));
        }
        let latest = self.latest().map(|latest| latest.season.name.clone());
        loop {
            let others = || {
                kept.values().filter(|one| {
                    Some(&one.season.name) != latest.as_ref() && one.season != done.season
                })
            };
            let tasks: usize = others().map(|one| one.scored.tasks_count()).sum();
            let is_too_much = others().count() >= PAST_MAX || tasks > PAST_TASKS_MAX;
            let oldest = others().min_by_key(|one| one.at_ns).map(|one| one.season.name.clone());
            let Some(oldest) = oldest.filter(|_| is_too_much) else { break };
            kept.remove(&oldest);
        }
        drop(kept);
        if is_current {
            self.changed();
        }
    }
}

/// How long to rest from a computation that took so long.
fn rest(took: Duration) -> Duration {
    took.saturating_mul(REST_FACTOR).clamp(REST_MIN, REST_MAX.max(took))
}

#[cfg(test)]
mod tests {
    use tally_types::{ManualClock, TimeZone, Timestamp, Weekday};
    use tally_warehouse::{Options, Warehouse};

    use super::*;

    fn now() -> Timestamp {
        "2026-11-20T09:00:00Z".parse().unwrap()
    }

    fn slot() -> WarehouseSlot {
        let options = Options {
            memory_limit_bytes: 256 << 20,
            threads: 1,
            time_zone: TimeZone::UTC,
            week_starts: Weekday::Monday,
        };
        let slot = WarehouseSlot::new();
        slot.fill(Arc::new(Warehouse::open_in_memory(&options).unwrap()));
        slot
    }

    async fn ask(keeper: &ScoreKeeper, slot: &WarehouseSlot) -> Done {
        let clock: Arc<dyn Clock> = Arc::new(ManualClock::new(now()));
        let snapshot = Arc::new(Snapshot::default());
        let span = current(&snapshot, now()).unwrap();
        keeper.of(slot, &snapshot, span, &clock).await
    }

    #[test]
    fn whoever_computes_rests() {
        let seconds = |took: f64| rest(Duration::from_secs_f64(took)).as_secs_f64();
        assert_eq!([0.01, 0.5, 20.0, 50.0].map(seconds), [1.0, 5.0, 30.0, 50.0]);
    }

    #[tokio::test]
    async fn whoever_asks_first_is_told_how_far_it_is() {
        let (keeper, slot) = (ScoreKeeper::new(b"of a test"), slot());
        let turn = keeper.inner.turn.lock().await;
        *keeper.inner.progress.lock() = Some(Progress {
            season: "2026-11".to_owned(),
            done: 2,
            steps: 5,
            doing: "gathering the tasks of 2026-10".to_owned(),
        });
        let both = tokio::join!(ask(&keeper, &slot), ask(&keeper, &slot));
        for refused in [both.0, both.1] {
            let refused = refused.err().unwrap();
            assert_eq!(
                (refused.code, refused.retry_after_s),
                ("standings_computing", Some(AGAIN_S))
            );
            let said = "2 of 5 steps are done, now gathering the tasks of 2026-10";
            assert!(refused.detail.ends_with(said), "{}", refused.detail);
        }
        // It was asked for once, and goes on without who asked.
        assert_eq!(keeper.inner.asked.lock().len(), 1);
        drop(turn);
        assert_eq!(ask(&keeper, &slot).await.unwrap().season.name, "2026-11");
        assert!(keeper.inner.asked.lock().is_empty());
    }

    #[tokio::test]
    async fn what_was_asked_for_before_somebody_was_forgotten_is_not_kept() {
        let (keeper, slot) = (ScoreKeeper::new(b"of a test"), slot());
        let turn = keeper.inner.turn.lock().await;
        assert!(ask(&keeper, &slot).await.is_err());
        let forgetting = keeper.forget();
        tokio::pin!(forgetting);
        assert!(tokio::time::timeout(Duration::from_secs(1), &mut forgetting).await.is_err());
        drop(turn);
        forgetting.await;
        assert!(keeper.inner.kept.lock().is_empty());
        assert!(ask(&keeper, &slot).await.is_ok());
    }
}
