//! A month that is billed.

use std::{fmt, str::FromStr};

use jiff::civil::Date;

/// A calendar month, such as `2026-10`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Period(Date);

/// A text that is no month.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no month; expected a year and a month such as 2026-10")]
pub struct BadPeriod(String);

// === impl Period ===

impl Period {
    /// The month of a day.
    pub fn of(day: Date) -> Self {
        Self(day.first_of_month())
    }

    /// Its first day.
    pub const fn first(self) -> Date {
        self.0
    }

    /// The first day after it.
    pub fn end(self) -> Date {
        // The last month that dates reach has no month after it; its last day has to do.
        self.0.last_of_month().tomorrow().unwrap_or(Date::MAX)
    }

    /// Whether a day is in it.
    pub fn holds(self, day: Date) -> bool {
        Self::of(day) == self
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.0.year(), self.0.month())
    }
}

impl FromStr for Period {
    type Err = BadPeriod;

    fn from_str(text: &str) -> Result<Self, BadPeriod> {
        let refused = || BadPeriod(text.to_owned());
        let is_shape = text.len() == 7 && text.as_bytes().get(4) == Some(&b'-');
        if !is_shape {
            return Err(refused());
        }
        format!("{text}-01").parse().map(Self).map_err(|_| refused())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_is_read_and_written() {
        let period: Period = "2026-12".parse().unwrap();
        assert_eq!(period.to_string(), "2026-12");
        assert_eq!(period.end().to_string(), "2027-01-01");
        for text in ["2026-13", "2026", "2026-1", "26-10-01", "2026-10-01", "", "20é6-1"] {
            let error = text.parse::<Period>().unwrap_err().to_string();
            assert!(error.contains("2026-10"), "{error}");
        }
    }
}
