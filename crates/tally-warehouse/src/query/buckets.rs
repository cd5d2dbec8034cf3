//! The steps of time of a range, as SQL names them and as people see them.

use std::collections::HashMap;

use jiff::{Timestamp, ToSpan};

use super::{Grain, ResolvedRange, invalid};
use crate::{
    error::QueryError,
    zone::{self, Calendar, QUARTER_US, day_number},
};

/// More steps than this are refused.
const BUCKETS_MAX: usize = 10_000;

/// All buckets a range touches, in order.
#[derive(Debug, Default)]
pub(crate) struct Buckets {
    /// Each bucket's number in SQL (microseconds below a day, else days) and start.
    starts: Vec<(i64, Timestamp)>,
    positions: HashMap<i64, usize>,
    end: Option<Timestamp>,
}

// === impl Buckets ===

impl Buckets {
    /// The buckets of a grain; none without one.
    pub(crate) fn of(
        range: &ResolvedRange,
        grain: Option<Grain>,
        calendar: &Calendar,
    ) -> Result<Self, QueryError> {
        let Some(grain) = grain else { return Ok(Self::default()) };
        let starts = match grain.unit() {
            None => short(range, grain, calendar)?,
            Some(unit) => {
                let mut starts = Vec::new();
                let mut day = unit.first_day(calendar.date(range.from), calendar.week_starts);
                loop {
                    let start = calendar.midnight(day)?;
                    if start >= range.to {
                        break;
                    }
                    starts.push((i64::from(day_number(day)), start));
                    within_limit(starts.len())?;
                    let step = match grain {
                        Grain::Week => 1.week(),
                        Grain::Month => 1.month(),
                        Grain::Quarter => 3.months(),
                        Grain::Year => 1.year(),
                        _ => 1.day(),
                    };
                    day = day.checked_add(step)?;
                }
                starts
            }
        };
        let positions = starts.iter().enumerate().map(|(at, (key, _))| (*key, at)).collect();
        Ok(Self { starts, positions, end: Some(range.to) })
    }

    /// Where in the range a bucket is.
    pub(crate) fn position(&self, key: i64) -> Option<usize> {
        self.positions.get(&key).copied()
    }

    /// The bucket at a position.
    pub(crate) fn key(&self, position: usize) -> Option<i64> {
        self.starts.get(position).map(|(key, _)| *key)
    }

    /// When a bucket starts.
    pub(crate) fn start(&self, key: i64) -> Option<Timestamp> {
        let (_, start) = self.starts.get(self.position(key)?)?;
        Some(*start)
    }

    /// The buckets that have begun.
    pub(crate) fn keys_until(&self, now: Timestamp) -> impl Iterator<Item = i64> {
        self.starts.iter().take_while(move |(_, start)| *start <= now).map(|(key, _)| *key)
    }

    /// The start of the bucket that is still going on.
    pub(crate) fn holding(&self, now: Timestamp) -> Option<Timestamp> {
        if self.end.is_none_or(|end| end <= now) {
            return None;
        }
        let (_, start) = self.starts.iter().rev().find(|(_, start)| *start <= now)?;
        Some(*start)
    }
}

/// Buckets below a day: quarter-hours, joined to local hours as SQL does.
fn short(
    range: &ResolvedRange,
    grain: Grain,
    calendar: &Calendar,
) -> Result<Vec<(i64, Timestamp)>, QueryError> {
    let mut starts: Vec<(i64, Timestamp)> = Vec::new();
    let mut us = zone::quarter_until(range.from.as_microsecond());
    while us < range.to.as_microsecond() {
        let key = if grain == Grain::Hour { calendar.hour(zone::timestamp(us)?) } else { us };
        if starts.last().is_none_or(|(last, _)| *last != key) {
            starts.push((key, zone::timestamp(key)?));
            within_limit(starts.len())?;
        }
        us += QUARTER_US;
    }
    Ok(starts)
}

fn within_limit(count: usize) -> Result<(), QueryError> {
    if count > BUCKETS_MAX {
        return invalid(format!(
            "the range has more than {BUCKETS_MAX} steps of this grain: use a coarser grain or a shorter range"
        ));
    }
    Ok(())
}
