//! What was used in one window.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tally_types::{Calendar, Timestamp, Window};

/// A rolling window moves in so many steps; a step counts until it has left whole.
const STEPS: i64 = 60;

/// Use over time: of one calendar period, or of the last hours step by step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Settled {
    pub(crate) start: Timestamp,
    pub(crate) end: Timestamp,
    pub(crate) amount: i128,
    /// Of a rolling window: use by the number of the step since the epoch.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    steps: BTreeMap<i64, i128>,
}

// === impl Settled ===

impl Settled {
    /// An unused window around a time. At the very edge of the calendar it lasts for ever.
    pub(crate) fn new(window: Window, calendar: &Calendar, now: Timestamp) -> Self {
        let (start, end) = window.bounds(now, calendar).unwrap_or((Timestamp::MIN, Timestamp::MAX));
        Self { start, end, amount: 0, steps: BTreeMap::new() }
    }

    /// Forgets all use.
    pub(crate) fn clear(&mut self) {
        self.amount = 0;
        self.steps.clear();
    }

    pub(crate) fn holds(&self, time: Timestamp) -> bool {
        (self.start..self.end).contains(&time)
    }

    /// Moves a rolling window up to now.
    pub(crate) fn roll(&mut self, hours: u32, now: Timestamp) {
        let now = now.max(self.end);
        let start_s = now.as_second().saturating_sub(i64::from(hours) * 3_600);
        self.start = Timestamp::from_second(start_s).unwrap_or(Timestamp::MIN);
        self.end = now;
        let first = start_s.div_euclid(step_s(hours));
        while let Some(entry) = self.steps.first_entry().filter(|entry| *entry.key() < first) {
            self.amount -= entry.remove();
        }
    }

    pub(crate) fn add(&mut self, amount: i128) {
        self.amount = self.amount.saturating_add(amount);
    }

    /// Adds use of a time to a rolling window; what has left it already changes nothing.
    pub(crate) fn add_at(&mut self, hours: u32, time: Timestamp, amount: i128) {
        let step = time.min(self.end).as_second().div_euclid(step_s(hours));
        if step >= self.start.as_second().div_euclid(step_s(hours)) {
            self.add(amount);
            *self.steps.entry(step).or_default() += amount;
        }
    }

    /// When a rolling window will have let go of so much, at the earliest.
    pub(crate) fn freed_at(&self, hours: u32, wanted: i128) -> Timestamp {
        let mut freed = 0;
        for (step, amount) in &self.steps {
            freed += amount;
            if freed >= wanted {
                let leaves_s = (step + 1) * step_s(hours) + i64::from(hours) * 3_600;
                return Timestamp::from_second(leaves_s).unwrap_or(Timestamp::MAX);
            }
        }
        Timestamp::from_second(self.end.as_second() + i64::from(hours) * 3_600)
            .unwrap_or(Timestamp::MAX)
    }
}

const fn step_s(hours: u32) -> i64 {
    hours as i64 * 3_600 / STEPS
}

#[cfg(test)]
mod tests {
    use tally_types::{TimeZone, Weekday};

    use super::*;

    #[test]
    fn a_rolling_window_lets_go_of_what_is_older() {
        let calendar =
            Calendar { zone: TimeZone::UTC, week_starts: Weekday::Monday, fiscal_year_starts: 1 };
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let mut settled =
            Settled::new(Window::RollingHours(24), &calendar, at("2026-03-01T12:00:00Z"));
        settled.add_at(24, at("2026-03-01T12:00:00Z"), 5);
        settled.roll(24, at("2026-03-01T20:00:00Z"));
        settled.add_at(24, at("2026-03-01T19:00:00Z"), 7);
        // Late, but still within the last 24 hours; and too late to matter.
        settled.add_at(24, at("2026-02-28T21:00:00Z"), 2);
        settled.add_at(24, at("2026-02-28T10:00:00Z"), 100);
        assert_eq!(settled.amount, 14);
        assert!(settled.freed_at(24, 2) <= at("2026-03-01T21:24:00Z"));
        settled.roll(24, at("2026-03-01T22:00:00Z"));
        assert_eq!(settled.amount, 12);
        settled.roll(24, at("2026-03-02T12:00:00Z"));
        assert_eq!(settled.amount, 12, "a step counts until it has left whole");
        settled.roll(24, at("2026-03-02T12:30:00Z"));
        assert_eq!(settled.amount, 7);
        // A clock that steps back changes nothing.
        settled.roll(24, at("2026-03-01T12:30:00Z"));
        assert_eq!(settled.amount, 7);
    }
}
