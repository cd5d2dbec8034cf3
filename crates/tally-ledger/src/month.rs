//! Months, which statements are about.

use std::{fmt, str::FromStr};

use jiff::{ToSpan as _, civil::Date, tz::TimeZone};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use tally_types::Timestamp;

/// A calendar month, written such as `2026-10`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month(Date);

// === impl Month ===

impl Month {
    /// The month of a day.
    pub fn of(day: Date) -> Self {
        Self(day.first_of_month())
    }

    /// The month of a number such as 202610.
    pub fn of_number(number: u32) -> Option<Self> {
        let year = i16::try_from(number / 100).ok()?;
        Date::new(year, i8::try_from(number % 100).ok()?, 1).ok().map(Self)
    }

    /// Such as 202610; months in order have numbers in order.
    pub fn number(self) -> u32 {
        let year = u32::try_from(self.0.year()).unwrap_or_default();
        year * 100 + u32::try_from(self.0.month()).unwrap_or_default()
    }

    /// Its first day.
    pub const fn first(self) -> Date {
        self.0
    }

    /// Its last day.
    pub fn last(self) -> Date {
        self.0.last_of_month()
    }

    /// The first day after it.
    pub fn end(self) -> Date {
        // The last month that dates reach has no month after it; its last day has to do.
        self.last().tomorrow().unwrap_or(Date::MAX)
    }

    /// The month after it.
    ///
    /// # Errors
    /// At the end of the calendar.
    pub fn next(self) -> Result<Self, jiff::Error> {
        self.0.checked_add(1.month()).map(Self)
    }

    /// The month before it.
    ///
    /// # Errors
    /// At the beginning of the calendar.
    pub fn previous(self) -> Result<Self, jiff::Error> {
        self.0.checked_sub(1.month()).map(Self)
    }

    /// Its first instant and that of the next month, in the organisation's time zone.
    ///
    /// # Errors
    /// At the end of the calendar.
    pub fn bounds(self, zone: &TimeZone) -> Result<(Timestamp, Timestamp), jiff::Error> {
        let midnight = |day: Date| day.to_zoned(zone.clone()).map(|zoned| zoned.timestamp());
        Ok((midnight(self.0)?, midnight(self.next()?.0)?))
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.0.year(), self.0.month())
    }
}

impl FromStr for Month {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refused = || "expected a month such as 2026-10".to_owned();
        let (year, month) = text.split_once('-').ok_or_else(refused)?;
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if year.len() != 4 || month.len() != 2 || !digits(year) || !digits(month) {
            return Err(refused());
        }
        let parts = year.parse().ok().zip(month.parse().ok());
        let first = parts.and_then(|(year, month)| Date::new(year, month, 1).ok());
        first.map(Self).ok_or_else(refused)
    }
}

impl Serialize for Month {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Month {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_are_written_as_they_are_read() {
        let month: Month = "2026-12".parse().unwrap();
        assert_eq!((month.to_string(), month.number()), ("2026-12".to_owned(), 202_612));
        assert_eq!(month.next().unwrap().to_string(), "2027-01");
        assert_eq!(Month::of_number(202_612), Some(month));
        assert_eq!(month.last().to_string(), "2026-12-31");
        for text in ["2026", "2026-13", "26-01", "2026-1", "+026-01"] {
            assert!(text.parse::<Month>().is_err(), "{text}");
        }
    }
}
