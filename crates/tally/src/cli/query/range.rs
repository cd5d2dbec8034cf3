//! `--last`, `--from` and `--to-time`.

use std::str::FromStr;

use anyhow::Context as _;
use tally_types::{TimeZone, Timestamp};
use tally_warehouse::query::{NamedRange, Range};

const HOUR_S: i64 = 3_600;
const DAY_S: i64 = 24 * HOUR_S;
const WEEK_S: i64 = 7 * DAY_S;

/// A time up to now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Last {
    /// One that the metrics layer has a name for.
    Named(NamedRange),
    /// So many seconds.
    Seconds(i64),
}

/// A moment as typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    /// With its offset from UTC.
    Instant(Timestamp),
    /// In the organisation's zone.
    Local(jiff::civil::DateTime),
}

/// So many seconds, from `30m`, `24h`, `7d`, `6w`.
///
/// # Errors
/// A sentence on what was expected.
pub(crate) fn seconds(text: &str) -> Result<i64, String> {
    let wrong =
        || format!("`{text}` is no length of time; expected a number and m, h, d or w, such as 7d");
    let unit = text.chars().last().ok_or_else(wrong)?;
    let number = text.strip_suffix(unit).unwrap_or_default();
    let unit_s = match unit {
        'm' => 60,
        'h' => HOUR_S,
        'd' => DAY_S,
        'w' => WEEK_S,
        _ => return Err(wrong()),
    };
    let number: i64 = number.parse().map_err(|_| wrong())?;
    number.checked_mul(unit_s).filter(|seconds| *seconds > 0).ok_or_else(wrong)
}

// === impl Last ===

impl Last {
    /// As the metrics layer takes it.
    pub(crate) fn range(self, now: Timestamp) -> anyhow::Result<Range> {
        match self {
            Self::Named(name) => Ok(Range::Named(name)),
            Self::Seconds(seconds) => {
                let from = now
                    .checked_sub(jiff::SignedDuration::from_secs(seconds))
                    .context("`--last` reaches back beyond the calendar")?;
                Ok(Range::Between { from, to: now })
            }
        }
    }
}

impl FromStr for Last {
    type Err = String;

    /// The short forms of named ranges are these ranges, so that `7d` ends with full days
    /// on the organisation's calendar and is answered from rollups of days.
    fn from_str(text: &str) -> Result<Self, String> {
        let short = match text {
            "1h" => Some(NamedRange::LastHour),
            "24h" | "1d" => Some(NamedRange::Last24Hours),
            "7d" | "1w" => Some(NamedRange::Last7Days),
            "30d" => Some(NamedRange::Last30Days),
            "90d" => Some(NamedRange::Last90Days),
            _ => None,
        };
        let word = text.replace('-', "_");
        let named = || NamedRange::ALL.iter().find(|range| range.name() == word).copied();
        if let Some(range) = short.or_else(named) {
            return Ok(Self::Named(range));
        }
        seconds(text).map(Self::Seconds).map_err(|_| {
            let names: Vec<&str> = NamedRange::ALL.iter().map(|range| range.name()).collect();
            format!(
                "`{text}` is no range; expected such as 90m, 24h, 7d, 6w, or one of {}",
                names.join(", ")
            )
        })
    }
}

// === impl Moment ===

impl Moment {
    /// Whether it needs a zone to be an instant.
    pub(crate) const fn is_local(self) -> bool {
        matches!(self, Self::Local(_))
    }

    /// The instant it is in a zone.
    pub(crate) fn instant(self, zone: &TimeZone) -> anyhow::Result<Timestamp> {
        match self {
            Self::Instant(instant) => Ok(instant),
            Self::Local(local) => zone
                .to_timestamp(local)
                .with_context(|| format!("{local} lies outside the calendar")),
        }
    }
}

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(instant) = text.parse::<Timestamp>() {
            return Ok(Self::Instant(instant));
        }
        text.parse::<jiff::civil::DateTime>().map(Self::Local).map_err(|_| {
            format!(
                "`{text}` is no time; expected such as 2026-05-01, 2026-05-01T09:30 or 2026-05-01T09:30:00Z"
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_and_names_are_ranges() {
        let now: Timestamp = "2026-05-01T12:00:00Z".parse().unwrap();
        let range = |text: &str| {
            let last: Last = text.parse().unwrap();
            serde_json::to_string(&last.range(now).unwrap()).unwrap()
        };
        assert_eq!(range("7d"), r#""last_7_days""#);
        assert_eq!(range("this-month"), r#""this_month""#);
        assert_eq!(range("90m"), r#"{"from":"2026-05-01T10:30:00Z","to":"2026-05-01T12:00:00Z"}"#);
        assert_eq!(range("2w"), r#"{"from":"2026-04-17T12:00:00Z","to":"2026-05-01T12:00:00Z"}"#);
        for bad in ["", "d", "7", "0d", "-1d", "7y", "99999999999999999w", "7dé"] {
            assert!(bad.parse::<Last>().is_err(), "{bad}");
        }
        assert!(Last::Seconds(i64::MAX).range(now).is_err());
    }

    #[test]
    fn days_are_in_the_organisations_zone() {
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        let instant =
            |text: &str| text.parse::<Moment>().unwrap().instant(&berlin).unwrap().to_string();
        assert_eq!(instant("2026-05-01"), "2026-04-30T22:00:00Z");
        assert_eq!(instant("2026-05-01T09:30"), "2026-05-01T07:30:00Z");
        assert_eq!(instant("2026-05-01T09:30:00+05:00"), "2026-05-01T04:30:00Z");
        assert!("yesterday".parse::<Moment>().is_err());
    }
}
