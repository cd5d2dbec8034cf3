//! Seasons: months or quarters of the calendar, in the organization's time zone.

use jiff::{ToSpan as _, civil::Date, tz::TimeZone};
use tally_ingest::edge::Problem;
use tally_insight::score::Season;
use tally_store::Snapshot;
use tally_types::{Timestamp, spec::SeasonLength};

/// A season, and where it stands in the calendar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) season: Season,
    pub(crate) first_day: Date,
    length: SeasonLength,
}

// === impl Span ===

impl Span {
    /// The season that a moment is in.
    pub(crate) fn at(now: Timestamp, length: SeasonLength, zone: &TimeZone) -> Option<Self> {
        let day = now.to_zoned(zone.clone()).date();
        let month = match length {
            SeasonLength::Month => day.month(),
            SeasonLength::Quarter => (day.month() - 1) / 3 * 3 + 1,
        };
        Self::from_day(Date::new(day.year(), month, 1).ok()?, length, zone)
    }

    fn from_day(first_day: Date, length: SeasonLength, zone: &TimeZone) -> Option<Self> {
        let (name, next) = match length {
            SeasonLength::Month => (
                format!("{:04}-{:02}", first_day.year(), first_day.month()),
                first_day.checked_add(1.month()).ok()?,
            ),
            SeasonLength::Quarter => (
                format!("{:04}-Q{}", first_day.year(), (first_day.month() + 2) / 3),
                first_day.checked_add(3.months()).ok()?,
            ),
        };
        let midnight = |day: Date| day.to_zoned(zone.clone()).map(|zoned| zoned.timestamp());
        let (from, until) = (midnight(first_day).ok()?, midnight(next).ok()?);
        Some(Self { season: Season { name, from, until }, first_day, length })
    }

    /// The season before.
    pub(crate) fn before(&self, zone: &TimeZone) -> Option<Self> {
        let months = match self.length {
            SeasonLength::Month => 1,
            SeasonLength::Quarter => 3,
        };
        let first_day = self.first_day.checked_sub(months.months()).ok()?;
        Self::from_day(first_day, self.length, zone)
    }

    /// The season of a name, `2026-11` or `2026-Q4`, that has begun.
    ///
    /// # Errors
    /// For anything else.
    pub(crate) fn named(text: &str, now: Timestamp, zone: &TimeZone) -> Result<Self, Problem> {
        let wrong = || {
            let detail = "`season`: expected one that has begun, such as 2026-11 or 2026-Q4";
            Problem::bad_request("query_invalid", detail)
        };
        let season = tally_store::rollout::quarter_of(text).map_or_else(
            || {
                let day: Date = format!("{text}-01").parse().ok()?;
                Self::from_day(day, SeasonLength::Month, zone)
            },
            |(day, _)| Self::from_day(day, SeasonLength::Quarter, zone),
        );
        let has_begun = |span: &Self| span.season.name == text && span.season.from <= now;
        season.filter(has_begun).ok_or_else(wrong)
    }
}

/// The season that goes on.
pub(super) fn current(snapshot: &Snapshot, now: Timestamp) -> Option<Span> {
    let organization = &snapshot.organization;
    Span::at(now, organization.scoreboards.season, &organization.zone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_season_begins_at_midnight_in_the_organizations_zone() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let now: Timestamp = "2026-10-31T23:30:00Z".parse().unwrap();
        let month = Span::at(now, SeasonLength::Month, &zone).unwrap();
        assert_eq!(month.season.name, "2026-11");
        assert_eq!(month.season.from.to_string(), "2026-10-31T23:00:00Z");
        let quarter = Span::at(now, SeasonLength::Quarter, &zone).unwrap();
        assert_eq!(quarter.season.name, "2026-Q4");
        assert_eq!(quarter.before(&zone).unwrap().season.name, "2026-Q3");
        assert_eq!(month.before(&zone).unwrap().season.name, "2026-10");
        assert_eq!(Span::named("2026-Q4", now, &zone).unwrap(), quarter);
        for bad in ["2026-12", "2027-Q1", "2026", "2026-Q5", "2026-1", "today"] {
            assert!(Span::named(bad, now, &zone).is_err(), "{bad}");
        }
    }
}
