//! The days of the history: which are worked on, and how much more than before.

use jiff::ToSpan;
use tally_types::{Date, TimeZone, Timestamp};

use crate::demo::company::{self, is_working};

/// Usage on the last day compared with the first: 25 % more.
const GROWTH: f64 = 0.25;
/// The days of the history in the company's zone.
#[derive(Debug)]
pub(crate) struct Calendar {
    zone: TimeZone,
    today: Date,
    /// How many days, today included.
    pub(crate) days: u32,
    /// Nothing happens from here on.
    pub(crate) until: Timestamp,
}

/// One day.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Day {
    pub(crate) midnight: Timestamp,
    /// Whether offices are open.
    pub(crate) working: bool,
    /// How much is used compared with the middle of the history.
    pub(crate) growth: f64,
}

// === impl Calendar ===

impl Calendar {
    /// So many days that end at a time.
    pub(crate) fn new(until: Timestamp, days: u32) -> Self {
        let zone = company::zone();
        let today = zone.to_datetime(until).date();
        Self { zone, today, days: days.max(1), until }
    }

    /// The company's date at the end of the history.
    pub(crate) fn today(&self) -> Date {
        self.today
    }

    /// So many days before today.
    ///
    /// # Errors
    /// At the edge of the representable calendar.
    pub(crate) fn days_ago(&self, days: u32) -> anyhow::Result<Date> {
        Ok(self.today.checked_sub(i64::from(days).days())?)
    }

    /// The day of an index from 0 to `days - 1`.
    ///
    /// # Errors
    /// At the edge of the representable calendar.
    pub(crate) fn day(&self, index: u32) -> anyhow::Result<Day> {
        let date = self.days_ago((self.days - 1).saturating_sub(index))?;
        let progress = f64::from(index) / f64::from((self.days - 1).max(1));
        Ok(Day {
            midnight: self.at(date, 0)?,
            working: is_working(date),
            growth: (1.0 + GROWTH * progress) / (1.0 + GROWTH / 2.0),
        })
    }

    /// An hour of a date.
    ///
    /// # Errors
    /// At the edge of the representable calendar.
    pub(crate) fn at(&self, date: Date, hour: i8) -> anyhow::Result<Timestamp> {
        Ok(date.at(hour, 0, 0, 0).to_zoned(self.zone.clone())?.timestamp())
    }

    /// The working day nearest to a date, going back.
    pub(crate) fn working_day_before(date: Date) -> Date {
        let mut day = date;
        while !is_working(day) {
            match day.yesterday() {
                Ok(yesterday) => day = yesterday,
                Err(_) => return date,
            }
        }
        day
    }
}

// === impl Day ===

impl Day {
    /// So many seconds after midnight (an hour off on the two days a year that are not
    /// 24 hours long, which nobody notices).
    pub(crate) fn after_midnight(&self, seconds: f64) -> Timestamp {
        #[expect(clippy::cast_possible_truncation, reason = "a day has few microseconds")]
        let microseconds = (seconds * 1e6) as i64;
        self.midnight.checked_add(microseconds.microseconds()).unwrap_or(self.midnight)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_end_today_and_grow() {
        let until: Timestamp = "2026-11-20T10:00:00Z".parse().unwrap();
        let calendar = Calendar::new(until, 90);
        let (first, last) = (calendar.day(0).unwrap(), calendar.day(89).unwrap());
        assert_eq!(last.midnight.to_string(), "2026-11-19T23:00:00Z");
        assert_eq!(first.midnight.to_string(), "2026-08-22T22:00:00Z");
        assert!((last.growth / first.growth - 1.25).abs() < 1e-9);
        assert!(last.working && !first.working, "a Friday and a Sunday");
        assert!(
            !is_working("2026-10-03".parse().unwrap())
                && !is_working("2026-12-25".parse().unwrap())
        );
    }
}
