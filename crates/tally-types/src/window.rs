//! Windows of time: calendar periods in the organisation's zone, and rolling ones.

use jiff::{Span, Timestamp, ToSpan, Zoned, civil, tz::TimeZone};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::vocabulary::vocabulary;

vocabulary! {
    /// A calendar period.
    CalendarUnit {
        /// Midnight to midnight.
        Day = "day",
        /// From the organisation's first day of the week.
        Week = "week",
        /// From the first.
        Month = "month",
        /// January, April, July, October.
        Quarter = "quarter",
        /// From 1 January.
        Year = "year",
    }

    /// The first day of the week.
    Weekday {
        /// ISO weeks.
        Monday = "monday",
        /// Weeks in the Middle East.
        Saturday = "saturday",
        /// Weeks in North America.
        Sunday = "sunday",
    }
}

/// Why a window has no bounds.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the time {0} lies outside the calendar")]
pub struct WindowError(Timestamp);

/// What days, weeks and years an organisation counts in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar {
    /// Its time zone.
    pub zone: TimeZone,
    /// Its first day of the week.
    pub week_starts: Weekday,
    /// The month, 1 to 12, that its fiscal year begins with.
    pub fiscal_year_starts: i8,
}

/// A window of time that a limit or a chart refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Window {
    /// A calendar period in the organisation's time zone.
    Calendar(CalendarUnit),
    /// The last so many hours; 30 days is 720 hours, never "a month".
    RollingHours(u32),
}

// === impl Window ===

impl Window {
    /// Start (inclusive) and end (exclusive) of the window around a time.
    ///
    /// # Errors
    /// When the time is at the very edge of the representable calendar.
    pub fn bounds(
        self,
        at: Timestamp,
        calendar: &Calendar,
    ) -> Result<(Timestamp, Timestamp), WindowError> {
        let out_of_calendar = |_| WindowError(at);
        match self {
            Self::RollingHours(hours) => {
                let start = at.checked_sub(i64::from(hours).hours()).map_err(out_of_calendar)?;
                Ok((start, at))
            }
            Self::Calendar(unit) => {
                let zone = &calendar.zone;
                let day = at.to_zoned(zone.clone()).date();
                let first_day = unit.fiscal_first_day(day, calendar);
                let next = first_day.checked_add(unit.span()).map_err(out_of_calendar)?;
                let midnight = |day: civil::Date| {
                    day.to_zoned(zone.clone()).map(|zoned: Zoned| zoned.timestamp())
                };
                Ok((
                    midnight(first_day).map_err(out_of_calendar)?,
                    midnight(next).map_err(out_of_calendar)?,
                ))
            }
        }
    }
}

impl CalendarUnit {
    /// The first day of the period that a day is in.
    pub fn first_day(self, day: civil::Date, week_starts: Weekday) -> civil::Date {
        match self {
            Self::Day => day,
            Self::Week => {
                let since = day.weekday().since(week_starts.into());
                day.saturating_sub(i64::from(since).days())
            }
            Self::Month => day.first_of_month(),
            Self::Quarter => {
                let month = (day.month() - 1) / 3 * 3 + 1;
                civil::Date::new(day.year(), month, 1).unwrap_or(day)
            }
            Self::Year => day.first_of_year(),
        }
    }

    /// As [`CalendarUnit::first_day`], with quarters and years of the fiscal year.
    pub fn fiscal_first_day(self, day: civil::Date, calendar: &Calendar) -> civil::Date {
        let behind = i32::from(calendar.fiscal_year_starts.clamp(1, 12)) - 1;
        if behind == 0 || !matches!(self, Self::Quarter | Self::Year) {
            return self.first_day(day, calendar.week_starts);
        }
        // Months behind the calendar's own year; the first of a month exists in all of them.
        let shifted = day.first_of_month().saturating_sub(behind.months());
        self.first_day(shifted, calendar.week_starts).saturating_add(behind.months())
    }

    fn span(self) -> Span {
        match self {
            Self::Day => 1.day(),
            Self::Week => 1.week(),
            Self::Month => 1.month(),
            Self::Quarter => 3.months(),
            Self::Year => 1.year(),
        }
    }
}

impl From<Weekday> for civil::Weekday {
    fn from(day: Weekday) -> Self {
        match day {
            Weekday::Monday => Self::Monday,
            Weekday::Saturday => Self::Saturday,
            Weekday::Sunday => Self::Sunday,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bounds(window: Window, at: &str, zone: &str) -> String {
        fiscal_bounds(window, at, zone, 1)
    }

    fn fiscal_bounds(window: Window, at: &str, zone: &str, fiscal_year_starts: i8) -> String {
        let zone = TimeZone::get(zone).unwrap();
        let calendar = Calendar { zone, week_starts: Weekday::Monday, fiscal_year_starts };
        let (start, end) = window.bounds(at.parse().unwrap(), &calendar).unwrap();
        format!("{start} {end}")
    }

    #[test]
    fn a_fiscal_year_from_april_has_its_own_quarters() {
        let of = |unit, at| fiscal_bounds(Window::Calendar(unit), at, "UTC", 4);
        let year = "2025-04-01T00:00:00Z 2026-04-01T00:00:00Z";
        assert_eq!(of(CalendarUnit::Year, "2026-03-31T12:00:00Z"), year);
        let quarter = "2026-01-01T00:00:00Z 2026-04-01T00:00:00Z";
        assert_eq!(of(CalendarUnit::Quarter, "2026-03-31T12:00:00Z"), quarter);
        let month = "2026-03-01T00:00:00Z 2026-04-01T00:00:00Z";
        assert_eq!(of(CalendarUnit::Month, "2026-03-31T12:00:00Z"), month);
    }

    #[test]
    fn a_berlin_day_with_a_missing_hour_has_23_hours() {
        let window = Window::Calendar(CalendarUnit::Day);
        assert_eq!(
            bounds(window, "2026-03-29T12:00:00Z", "Europe/Berlin"),
            "2026-03-28T23:00:00Z 2026-03-29T22:00:00Z"
        );
    }

    #[test]
    fn periods_start_where_people_expect() {
        let at = "2026-11-22T23:30:00Z"; // already Monday in Berlin
        let of = |unit| bounds(Window::Calendar(unit), at, "Europe/Berlin");
        assert_eq!(of(CalendarUnit::Week), "2026-11-22T23:00:00Z 2026-11-29T23:00:00Z");
        assert_eq!(of(CalendarUnit::Month), "2026-10-31T23:00:00Z 2026-11-30T23:00:00Z");
        assert_eq!(of(CalendarUnit::Quarter), "2026-09-30T22:00:00Z 2026-12-31T23:00:00Z");
        assert_eq!(of(CalendarUnit::Year), "2025-12-31T23:00:00Z 2026-12-31T23:00:00Z");
    }

    #[test]
    fn thirty_days_are_not_a_month() {
        let at = "2026-03-15T00:00:00Z";
        assert_eq!(
            bounds(Window::RollingHours(720), at, "UTC"),
            "2026-02-13T00:00:00Z 2026-03-15T00:00:00Z"
        );
    }
}
