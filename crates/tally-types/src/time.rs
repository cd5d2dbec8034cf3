//! The one seam through which time and ids enter.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use jiff::Timestamp;
use uuid::Uuid;

/// Where the time comes from.
pub trait Clock: Send + Sync + 'static {
    /// The wall clock.
    fn now(&self) -> Timestamp;

    /// Nanoseconds since some fixed point in this process; never goes back.
    fn monotonic_ns(&self) -> u64;
}

/// Where ids come from.
pub trait IdSource: Send + Sync + 'static {
    /// A unique id that sorts by the time given.
    fn uuid(&self, now: Timestamp) -> Uuid;
}

/// A clock that moves only when told to.
#[derive(Debug)]
pub struct ManualClock {
    nanoseconds: AtomicI64,
}

/// Ids 1, 2, 3…, for tests and seeded simulations.
#[derive(Debug, Default)]
pub struct SequentialIds {
    next: AtomicU64,
}

// === impl ManualClock ===

impl ManualClock {
    /// Starts at the time given.
    pub fn new(start: Timestamp) -> Self {
        Self { nanoseconds: AtomicI64::new(saturating_ns(start)) }
    }

    /// Moves forward.
    pub fn advance(&self, duration: std::time::Duration) {
        let step = i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX);
        self.nanoseconds.fetch_add(step, Ordering::SeqCst);
    }
}

fn saturating_ns(time: Timestamp) -> i64 {
    i64::try_from(time.as_nanosecond()).unwrap_or(i64::MAX)
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        let nanoseconds = self.nanoseconds.load(Ordering::SeqCst);
        Timestamp::from_nanosecond(i128::from(nanoseconds)).unwrap_or(Timestamp::MAX)
    }

    fn monotonic_ns(&self) -> u64 {
        u64::try_from(self.nanoseconds.load(Ordering::SeqCst)).unwrap_or(0)
    }
}

// === impl SequentialIds ===

impl IdSource for SequentialIds {
    fn uuid(&self, _now: Timestamp) -> Uuid {
        Uuid::from_u128(u128::from(self.next.fetch_add(1, Ordering::SeqCst)) + 1)
    }
}
