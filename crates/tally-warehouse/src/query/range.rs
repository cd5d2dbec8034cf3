//! Ranges of time, named or given, and the ranges they are compared with.

use std::{borrow::Cow, fmt};

use jiff::{SignedDuration, Span, Timestamp, ToSpan};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{Error as _, MapAccess, Visitor, value::MapAccessDeserializer},
};
use tally_types::CalendarUnit;

use super::{invalid, suggest};
use crate::{error::QueryError, zone::Calendar};

/// Over which time: a name such as `"last_7_days"`, or `{"from": …, "to": …}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Range {
    /// Resolved at the time of the query, in the organisation's zone.
    Named(NamedRange),
    /// From one time, inclusive, to another, exclusive.
    Between {
        /// The first instant.
        from: Timestamp,
        /// The first instant after it.
        to: Timestamp,
    },
}

/// A range as the query used it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ResolvedRange {
    /// The first instant.
    pub from: Timestamp,
    /// The first instant after it.
    pub to: Timestamp,
    /// What to call it.
    pub name: String,
}

/// Beside which other time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Compare {
    /// The one before: of a named month, quarter or year the one before it; of a
    /// range that begins at midnight, the nearest that falls on the same weekdays;
    /// else the same length of time just before.
    PreviousPeriod,
    /// Seven days earlier.
    PreviousWeek,
    /// One calendar month earlier.
    PreviousMonth,
    /// One year earlier; of ranges up to a month, 364 days, so that weekdays match.
    PreviousYear,
}

macro_rules! named_ranges {
    ($($(#[$doc:meta])* $variant:ident = $name:literal),* $(,)?) => {
        /// A range with a name. Ranges that are still going on end with the
        /// quarter-hour that is still going on.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
        pub enum NamedRange {
            $($(#[$doc])* #[serde(rename = $name)] $variant,)*
        }

        impl NamedRange {
            /// Every name.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The name in queries.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

named_ranges! {
    /// The last 60 minutes.
    LastHour = "last_hour",
    /// The last 24 hours.
    Last24Hours = "last_24_hours",
    /// Since midnight.
    Today = "today",
    /// The day before.
    Yesterday = "yesterday",
    /// Today and the six days before.
    Last7Days = "last_7_days",
    /// Today and the 29 days before.
    Last30Days = "last_30_days",
    /// Today and the 89 days before.
    Last90Days = "last_90_days",
    /// Since the organisation's first day of the week.
    ThisWeek = "this_week",
    /// The whole week before.
    LastWeek = "last_week",
    /// Since the first.
    ThisMonth = "this_month",
    /// The whole month before.
    LastMonth = "last_month",
    /// Since the quarter began.
    ThisQuarter = "this_quarter",
    /// The whole quarter before.
    LastQuarter = "last_quarter",
    /// Since 1 January.
    ThisYear = "this_year",
    /// The whole year before.
    LastYear = "last_year",
}

// === impl NamedRange ===

impl NamedRange {
    /// The calendar period it is, or is the one before of.
    fn unit(self) -> Option<(CalendarUnit, bool)> {
        match self {
            Self::Today => Some((CalendarUnit::Day, false)),
            Self::Yesterday => Some((CalendarUnit::Day, true)),
            Self::ThisWeek => Some((CalendarUnit::Week, false)),
            Self::LastWeek => Some((CalendarUnit::Week, true)),
            Self::ThisMonth => Some((CalendarUnit::Month, false)),
            Self::LastMonth => Some((CalendarUnit::Month, true)),
            Self::ThisQuarter => Some((CalendarUnit::Quarter, false)),
            Self::LastQuarter => Some((CalendarUnit::Quarter, true)),
            Self::ThisYear => Some((CalendarUnit::Year, false)),
            Self::LastYear => Some((CalendarUnit::Year, true)),
            _ => None,
        }
    }

    fn bounds(
        self,
        now: Timestamp,
        calendar: &Calendar,
    ) -> Result<(Timestamp, Timestamp), QueryError> {
        let open = crate::zone::quarter_until(now.as_microsecond()) + crate::zone::QUARTER_US;
        let end = Timestamp::from_microsecond(open)?;
        let today = calendar.date(now);
        if let Some((unit, before)) = self.unit() {
            let first = unit.first_day(today, calendar.week_starts);
            let start = calendar.midnight(first)?;
            if !before {
                return Ok((start, end));
            }
            let earlier = unit.first_day(first.yesterday()?, calendar.week_starts);
            return Ok((calendar.midnight(earlier)?, start));
        }
        let from = match self {
            Self::LastHour => end.checked_sub(1.hour())?,
            Self::Last24Hours => end.checked_sub(24.hours())?,
            Self::Last30Days => calendar.midnight(today.checked_sub(29.days())?)?,
            Self::Last90Days => calendar.midnight(today.checked_sub(89.days())?)?,
            _ => calendar.midnight(today.checked_sub(6.days())?)?,
        };
        Ok((from, end))
    }
}

// === impl Range ===

impl Range {
    /// The instants it means at a time.
    pub(crate) fn resolve(
        self,
        now: Timestamp,
        calendar: &Calendar,
    ) -> Result<ResolvedRange, QueryError> {
        match self {
            Self::Named(name) => {
                let (from, to) = name.bounds(now, calendar)?;
                Ok(ResolvedRange { from, to, name: name.name().to_owned() })
            }
            Self::Between { from, to } if from >= to => {
                invalid(format!("`from` must be before `to`: {from} is not before {to}"))
            }
            Self::Between { from, to } => {
                Ok(ResolvedRange { from, to, name: format!("{from} to {to}") })
            }
        }
    }

    /// The range to compare with.
    pub(crate) fn compared(
        self,
        compare: Compare,
        range: &ResolvedRange,
        calendar: &Calendar,
    ) -> Result<ResolvedRange, QueryError> {
        let days = whole_days(range, calendar)?;
        let (span, name) = match compare {
            Compare::PreviousWeek => (7.days(), "the week before".to_owned()),
            Compare::PreviousMonth => (1.month(), "the month before".to_owned()),
            Compare::PreviousYear if days.is_some_and(|days| days <= 31) => {
                (364.days(), "the same weekdays a year before".to_owned())
            }
            Compare::PreviousYear => (1.year(), "the year before".to_owned()),
            Compare::PreviousPeriod => match (self.period_span(), days) {
                (Some((span, name)), _) => (span, name.to_owned()),
                (None, Some(days)) => {
                    let shift = (days + 6) / 7 * 7;
                    (shift.days(), format!("the same weekdays {shift} days before"))
                }
                (None, None) => {
                    let length = range.to.duration_since(range.from);
                    return shifted_back(range, length);
                }
            },
        };
        let shift = |time: Timestamp| -> Result<Timestamp, QueryError> {
            Ok(time.to_zoned(calendar.zone.clone()).checked_sub(span)?.timestamp())
        };
        Ok(ResolvedRange { from: shift(range.from)?, to: shift(range.to)?, name })
    }

    fn period_span(self) -> Option<(Span, &'static str)> {
        let Self::Named(name) = self else { return None };
        match name.unit()?.0 {
            CalendarUnit::Month => Some((1.month(), "the month before")),
            CalendarUnit::Quarter => Some((3.months(), "the quarter before")),
            CalendarUnit::Year => Some((1.year(), "the year before")),
            CalendarUnit::Day | CalendarUnit::Week => None,
        }
    }
}

/// How many local days a range that begins at midnight covers, the last one maybe in part.
fn whole_days(range: &ResolvedRange, calendar: &Calendar) -> Result<Option<i64>, QueryError> {
    if calendar.midnight_until(range.from)? != range.from {
        return Ok(None);
    }
    let end = calendar.date(calendar.midnight_from(range.to)?);
    Ok(Some(i64::from((end - calendar.date(range.from)).get_days())))
}

fn shifted_back(
    range: &ResolvedRange,
    length: SignedDuration,
) -> Result<ResolvedRange, QueryError> {
    let from = range.from.checked_sub(length)?;
    Ok(ResolvedRange { from, to: range.from, name: "the same length of time before".to_owned() })
}

impl<'de> Deserialize<'de> for NamedRange {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let found = Self::ALL.iter().find(|range| range.name() == text).copied();
        let known = Self::ALL.iter().map(|range| range.name());
        found.ok_or_else(|| D::Error::custom(suggest("range", &text, known)))
    }
}

/// The two times of a range that is given, not named.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Between {
    from: Timestamp,
    to: Timestamp,
}

struct RangeVisitor;

impl<'de> Visitor<'de> for RangeVisitor {
    type Value = Range;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a range such as \"last_7_days\" or {\"from\": …, \"to\": …}")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Range, E> {
        let name = serde::de::value::StrDeserializer::<E>::new(text);
        NamedRange::deserialize(name).map(Range::Named)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Range, A::Error> {
        let Between { from, to } = Between::deserialize(MapAccessDeserializer::new(map))?;
        Ok(Range::Between { from, to })
    }
}

impl<'de> Deserialize<'de> for Range {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RangeVisitor)
    }
}

impl JsonSchema for Range {
    fn schema_name() -> Cow<'static, str> {
        "Range".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let names: Vec<_> = NamedRange::ALL.iter().map(|range| range.name()).collect();
        json_schema!({
            "description": "A named range, or one from a time, inclusive, to another, exclusive",
            "anyOf": [
                {"type": "string", "enum": names},
                {
                    "type": "object",
                    "properties": {
                        "from": {"type": "string", "format": "date-time"},
                        "to": {"type": "string", "format": "date-time"},
                    },
                    "required": ["from", "to"],
                    "additionalProperties": false,
                },
            ],
        })
    }
}
