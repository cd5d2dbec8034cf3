//! The organisation's calendar: local days in SQL without DuckDB's own time zones,
//! so that DuckDB and the rest of Tally always read the same zone data.

use std::fmt::Write as _;

use jiff::{Span, Timestamp, ToSpan, civil::Date, tz::TimeZone};
use tally_types::{CalendarUnit, Weekday};

/// A quarter of an hour, in microseconds.
pub(crate) const QUARTER_US: i64 = 900_000_000;
const HOUR_US: i64 = 3_600_000_000;
const DAY_US: i64 = 86_400_000_000;

/// A time zone and the first day of the week.
#[derive(Debug, Clone)]
pub(crate) struct Calendar {
    pub(crate) zone: TimeZone,
    pub(crate) week_starts: Weekday,
}

// === impl Calendar ===

impl Calendar {
    /// The zone as it is stored, to notice that it changed.
    pub(crate) fn zone_name(&self) -> String {
        match self.zone.iana_name() {
            Some(name) => name.to_owned(),
            None => self.zone.to_offset(Timestamp::UNIX_EPOCH).to_string(),
        }
    }

    /// SQL: seconds east of UTC at a time in microseconds, right within the range given.
    ///
    /// Only integers of the zone's transitions enter the text.
    fn offset_sql(&self, us: &str, from: Timestamp, to: Timestamp) -> String {
        let transitions: Vec<_> =
            self.zone.following(from).take_while(|at| at.timestamp() < to).collect();
        let first = self.zone.to_offset(from).seconds();
        if transitions.is_empty() {
            return first.to_string();
        }
        let mut sql = String::from("CASE");
        let mut offset = first;
        for transition in transitions {
            let at = transition.timestamp().as_microsecond();
            let _ = write!(sql, " WHEN {us} < {at} THEN {offset}");
            offset = transition.offset().seconds();
        }
        let _ = write!(sql, " ELSE {offset} END");
        sql
    }

    /// SQL: local days since 1970-01-01 of a time in microseconds.
    pub(crate) fn day_sql(&self, us: &str, from: Timestamp, to: Timestamp) -> String {
        let offset = self.offset_sql(us, from, to);
        format!("(({us} + ({offset})::BIGINT * 1000000) // {DAY_US})::INTEGER")
    }

    /// SQL: the UTC microsecond at which the local hour of a time begins.
    pub(crate) fn hour_sql(&self, us: &str, from: Timestamp, to: Timestamp) -> String {
        let shift = format!("(({})::BIGINT * 1000000)", self.offset_sql(us, from, to));
        format!("(({us} + {shift}) // {HOUR_US} * {HOUR_US} - {shift})")
    }

    /// The UTC microsecond at which the local hour of a time begins, as [`Self::hour_sql`] has it.
    pub(crate) fn hour(&self, time: Timestamp) -> i64 {
        let shift = i64::from(self.zone.to_offset(time).seconds()) * 1_000_000;
        (time.as_microsecond() + shift).div_euclid(HOUR_US) * HOUR_US - shift
    }

    /// SQL: the first local day of the period that a local day is in.
    pub(crate) fn period_sql(&self, unit: CalendarUnit, day: &str) -> String {
        match unit {
            CalendarUnit::Day => day.to_owned(),
            CalendarUnit::Week => {
                // Day 0 was a Thursday.
                let shift = match self.week_starts {
                    Weekday::Monday => 3,
                    Weekday::Sunday => 4,
                    Weekday::Saturday => 5,
                };
                format!("({day} - ({day} + {shift}) % 7)")
            }
            CalendarUnit::Month | CalendarUnit::Quarter | CalendarUnit::Year => format!(
                "(date_trunc('{unit}', DATE '1970-01-01' + {day})::DATE - DATE '1970-01-01')::INTEGER"
            ),
        }
    }

    /// The first instant of a local day.
    pub(crate) fn midnight(&self, date: Date) -> Result<Timestamp, jiff::Error> {
        Ok(date.to_zoned(self.zone.clone())?.timestamp())
    }

    /// The local day a time is in.
    pub(crate) fn date(&self, time: Timestamp) -> Date {
        time.to_zoned(self.zone.clone()).date()
    }

    /// The first local midnight at or after a time.
    pub(crate) fn midnight_from(&self, time: Timestamp) -> Result<Timestamp, jiff::Error> {
        let today = self.midnight(self.date(time))?;
        if today == time {
            return Ok(today);
        }
        self.next_midnight(time)
    }

    /// The first local midnight after a time.
    pub(crate) fn next_midnight(&self, time: Timestamp) -> Result<Timestamp, jiff::Error> {
        self.midnight(self.date(time).checked_add(1.day())?)
    }

    /// The last local midnight at or before a time.
    pub(crate) fn midnight_until(&self, time: Timestamp) -> Result<Timestamp, jiff::Error> {
        self.midnight(self.date(time))
    }
}

/// Local days since 1970-01-01.
pub(crate) fn day_number(date: Date) -> i32 {
    let since = date - Date::constant(1970, 1, 1);
    since.get_days()
}

/// The date of a number of local days since 1970-01-01.
pub(crate) fn date_of(day: i64) -> Result<Date, jiff::Error> {
    Date::constant(1970, 1, 1).checked_add(Span::new().try_days(day)?)
}

/// A time in microseconds.
pub(crate) fn timestamp(us: i64) -> Result<Timestamp, jiff::Error> {
    Timestamp::from_microsecond(us)
}

/// The first quarter-hour at or after a time in microseconds.
pub(crate) fn quarter_from(us: i64) -> i64 {
    quarter_until(us.saturating_add(QUARTER_US - 1))
}

/// The last quarter-hour at or before a time in microseconds.
pub(crate) fn quarter_until(us: i64) -> i64 {
    us.div_euclid(QUARTER_US) * QUARTER_US
}
