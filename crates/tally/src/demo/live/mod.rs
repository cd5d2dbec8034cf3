//! Live traffic: the company's people and workloads at work, by real calls through
//! Tally's own listener to the simulated provider.

mod errand;
mod prompt;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use tally_types::{Clock, TimeZone, Timestamp};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use self::errand::Errand;
use super::{
    chance::Chance,
    company::{self, Company, is_working},
    http::Tally,
};

/// What is drawn.
const LIVE: u64 = 20;
/// Tasks at once; when Tally is slow, the company does less.
const TASKS_MAX: usize = 64;
/// The mean number of calls of a task.
const CALLS_PER_TASK: f64 = 2.0;
/// How long calls under way may take to end; then their callers go away.
const END_MAX: Duration = Duration::from_secs(3);
/// A page that shows live traffic needs something to show.
const CALLS_PER_SECOND_MIN: f64 = 1.0;

/// The company at work.
#[derive(Debug)]
pub(crate) struct Traffic {
    pub(crate) tally: Tally,
    pub(crate) company: Arc<Company>,
    /// Secrets by the variable that holds them.
    pub(crate) keys: Arc<BTreeMap<String, String>>,
    pub(crate) seed: u64,
    /// Calls per second in office hours.
    pub(crate) rate: f64,
}

// === impl Traffic ===

impl Traffic {
    /// Works until told to stop, then lets what is under way end, if it does soon.
    pub(crate) async fn run(self, clock: impl Clock, stop: CancellationToken) {
        let zone = company::zone();
        let started = u64::try_from(clock.now().as_millisecond()).unwrap_or(0);
        let mut chance = Chance::new(self.seed, &[LIVE, started]);
        let mut tasks = JoinSet::new();
        loop {
            let rate = (self.rate * busyness(clock.now(), &zone)).max(CALLS_PER_SECOND_MIN);
            let pause = Duration::from_secs_f64(chance.wait(CALLS_PER_TASK / rate));
            tokio::select! {
                () = stop.cancelled() => break,
                () = tokio::time::sleep(pause) => {}
            }
            while tasks.try_join_next().is_some() {}
            if tasks.len() < TASKS_MAX {
                let errand = Errand {
                    tally: self.tally.clone(),
                    company: Arc::clone(&self.company),
                    keys: Arc::clone(&self.keys),
                    chance: Chance::new(self.seed, &[LIVE, started, chance.next()]),
                };
                tasks.spawn(errand.run(stop.clone()));
            }
        }
        let _ = tokio::time::timeout(END_MAX, async { while tasks.join_next().await.is_some() {} })
            .await;
    }
}

/// How much is done at this time of the day and week; 1 in office hours.
fn busyness(now: Timestamp, zone: &TimeZone) -> f64 {
    let local = zone.to_datetime(now);
    let by_hour = match local.hour() {
        9..=11 | 13..=16 => 1.0,
        8 | 12 | 17 => 0.9,
        7 | 18..=21 => 0.7,
        _ => 0.5,
    };
    by_hour * if is_working(local.date()) { 1.0 } else { 0.7 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offices_are_busier_than_nights_and_weekends() {
        let at = |text: &str| busyness(text.parse().unwrap(), &company::zone());
        let office = at("2026-11-19T10:00:00+01:00");
        assert!(office > at("2026-11-19T03:00:00+01:00"));
        assert!(office > at("2026-11-22T10:00:00+01:00"));
    }
}
