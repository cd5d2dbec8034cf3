//! Open-loop load: calls leave when they are due, whether or not earlier ones
//! were answered, and their latency counts from when they were due. A server that
//! stalls is therefore charged for every call that the stall delayed.

use std::{
    collections::BTreeMap,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use rand::{Rng, SeedableRng, rngs::SmallRng};
use tokio::{runtime::Handle, task::JoinSet};

use super::client::{Prepared, Sample, Target};
use crate::machine::sharpen_timer;

/// The most calls under way; more are errors, so that a stall stays bounded.
const UNDER_WAY_MAX: usize = 4_096;
/// How long calls may take once the last one has left.
const DRAIN_MAX: Duration = Duration::from_secs(10);
/// Between the decision to start and the first call.
const LEAD: Duration = Duration::from_millis(20);

/// What became of the calls.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) samples: Vec<Sample>,
    /// How much later than due each call left: the generator's own error.
    pub(crate) lateness: Vec<Duration>,
    /// What went wrong, and how often.
    pub(crate) errors: BTreeMap<String, u64>,
    /// From the first call due to the last answer.
    pub(crate) took: Duration,
}

// === impl Outcome ===

impl Outcome {
    /// Adds another block of the same load.
    pub(crate) fn extend(&mut self, other: Self) {
        self.samples.extend(other.samples);
        self.lateness.extend(other.lateness);
        self.took += other.took;
        for (error, count) in other.errors {
            *self.errors.entry(error).or_default() += count;
        }
    }

    pub(crate) fn errors(&self) -> u64 {
        self.errors.values().sum()
    }

    fn note(&mut self, result: anyhow::Result<Sample>) {
        match result {
            Ok(sample) => self.samples.push(sample),
            Err(error) => *self.errors.entry(format!("{error:#}")).or_default() += 1,
        }
    }
}

/// When calls are due: a Poisson process of which the number of calls is known,
/// which is as many independent uniform times. The same for the same seed.
pub(crate) fn arrivals(per_second: u32, length: Duration, seed: u64) -> Vec<Duration> {
    let mut random = SmallRng::seed_from_u64(seed);
    let nanoseconds = u64::try_from(length.as_nanos()).unwrap_or(u64::MAX);
    let count = u128::from(per_second) * length.as_millis() / 1_000;
    let mut all: Vec<_> = (0..count)
        .map(|_| Duration::from_nanos(random.random_range(0..nanoseconds.max(1))))
        .collect();
    all.sort_unstable();
    all
}

/// Makes one call at each of the times given.
pub(crate) async fn run(
    target: &Arc<Target>,
    call: &Arc<Prepared>,
    arrivals: Vec<Duration>,
) -> anyhow::Result<Outcome> {
    let handle = Handle::current();
    let (target, call) = (Arc::clone(target), Arc::clone(call));
    let start = Instant::now() + LEAD;
    // A thread of its own: the runtime's timers are a millisecond coarse.
    let send = move || send_all(&handle, &target, &call, start, &arrivals);
    let (mut outcome, mut calls) = tokio::task::spawn_blocking(send).await?;
    let drained = tokio::time::timeout(DRAIN_MAX, async {
        while let Some(done) = calls.join_next().await {
            outcome.note(done.unwrap_or_else(|error| Err(error.into())));
        }
    });
    if drained.await.is_err() {
        let left = u64::try_from(calls.len()).unwrap_or(u64::MAX);
        *outcome.errors.entry("no answer in time".to_owned()).or_default() += left;
    }
    outcome.took = start.elapsed();
    Ok(outcome)
}

fn send_all(
    runtime: &Handle,
    target: &Arc<Target>,
    call: &Arc<Prepared>,
    start: Instant,
    arrivals: &[Duration],
) -> (Outcome, JoinSet<anyhow::Result<Sample>>) {
    sharpen_timer();
    let mut calls = JoinSet::new();
    let mut outcome = Outcome::default();
    for offset in arrivals {
        let due = start + *offset;
        while let Some(done) = calls.try_join_next() {
            outcome.note(done.unwrap_or_else(|error| Err(error.into())));
        }
        wait_until(due);
        if calls.len() >= UNDER_WAY_MAX {
            outcome.note(Err(anyhow::anyhow!("too many calls under way")));
            continue;
        }
        outcome.lateness.push(due.elapsed());
        let (target, call) = (Arc::clone(target), Arc::clone(call));
        calls.spawn_on(async move { target.call(&call, due).await }, runtime);
    }
    (outcome, calls)
}

fn wait_until(due: Instant) {
    while let Some(left) = due.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())
    {
        thread::sleep(left);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrivals_come_at_the_rate_asked_for_and_repeat() {
        let length = Duration::from_secs(2);
        let due = arrivals(500, length, 7);
        assert_eq!(due, arrivals(500, length, 7));
        assert_ne!(due, arrivals(500, length, 8));
        assert_eq!(due.len(), 1_000);
        assert!(due.is_sorted() && due.last().is_some_and(|last| *last < length));
    }
}
