//! Which table answers which part of a range.

use jiff::Timestamp;

use super::{AnswerSource, Field, Grain, ResolvedRange};
use crate::{
    error::QueryError,
    rollup::{Bucket, TABLES, Table},
    zone::{self, Calendar, QUARTER_US, day_number},
};

/// A part of a range and the table that answers it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Slice {
    /// A rollup; without one, the events.
    pub(crate) table: Option<&'static Table>,
    /// Of the table's bucket column, or of the events' time.
    low: i64,
    high: i64,
}

/// What a table must hold to answer.
#[derive(Debug, Clone)]
pub(crate) struct Need {
    /// Every field grouped by, filtered on or counted; none when a tag is among them.
    pub(crate) fields: Option<Vec<Field>>,
    pub(crate) histograms: bool,
    pub(crate) grain: Option<Grain>,
}

// === impl Need ===

impl Need {
    fn table(&self, bucket: Bucket) -> Option<&'static Table> {
        let fields = self.fields.as_ref()?;
        if bucket == Bucket::Day && self.grain.is_some_and(|grain| grain.unit().is_none()) {
            return None;
        }
        TABLES.iter().find(|table| {
            table.bucket == bucket
                && (table.histograms || !self.histograms)
                && fields.iter().all(|field| table.holds(*field))
        })
    }

    /// Cuts a range: whole local days, whole quarter-hours beside them, the rest.
    pub(crate) fn slices(
        &self,
        range: &ResolvedRange,
        calendar: &Calendar,
    ) -> Result<Vec<Slice>, QueryError> {
        let mut slices = Vec::new();
        let (from, to) = (range.from, range.to);
        let Some(table) = self.table(Bucket::Day) else {
            self.quarters(&mut slices, from, to);
            return Ok(slices);
        };
        let first = calendar.midnight_from(from)?;
        let last = calendar.midnight_until(to)?;
        if first >= last {
            self.quarters(&mut slices, from, to);
            return Ok(slices);
        }
        self.quarters(&mut slices, from, first);
        slices.push(Slice {
            table: Some(table),
            low: i64::from(day_number(calendar.date(first))),
            high: i64::from(day_number(calendar.date(last))),
        });
        self.quarters(&mut slices, last, to);
        Ok(slices)
    }

    fn quarters(&self, slices: &mut Vec<Slice>, from: Timestamp, to: Timestamp) {
        let (from, to) = (exact_us(from), exact_us(to));
        let (first, last) = (zone::quarter_from(from), zone::quarter_until(to));
        match self.table(Bucket::Quarter) {
            Some(table) if first < last => {
                push(slices, None, from, first);
                push(slices, Some(table), first, last);
                push(slices, None, last, to);
            }
            _ => push(slices, None, from, to),
        }
    }
}

fn push(slices: &mut Vec<Slice>, table: Option<&'static Table>, low: i64, high: i64) {
    if low < high {
        slices.push(Slice { table, low, high });
    }
}

/// Bounds finer than a microsecond round up: events are kept in whole microseconds.
fn exact_us(time: Timestamp) -> i64 {
    let us = time.as_nanosecond().div_euclid(1_000)
        + i128::from(time.as_nanosecond().rem_euclid(1_000) != 0);
    i64::try_from(us).unwrap_or(i64::MAX)
}

// === impl Slice ===

impl Slice {
    /// SQL: the table's name.
    pub(crate) fn table_sql(&self) -> &'static str {
        self.table.map_or("events", |table| table.name)
    }

    /// SQL: only this part of the range.
    pub(crate) fn time_sql(&self) -> String {
        let column = self.time_column();
        format!("{column} >= {} AND {column} < {}", self.low, self.high)
    }

    fn time_column(&self) -> &'static str {
        if self.table.is_some() { "bucket" } else { "time_us" }
    }

    /// SQL: the bucket of a grain; a time in microseconds below a day, else a local day.
    pub(crate) fn bucket_sql(
        &self,
        grain: Grain,
        range: &ResolvedRange,
        calendar: &Calendar,
    ) -> String {
        let column = self.time_column();
        let is_day = self.table.is_some_and(|table| table.bucket == Bucket::Day);
        match grain.unit() {
            Some(unit) if is_day => calendar.period_sql(unit, "bucket::INTEGER"),
            Some(unit) => {
                calendar.period_sql(unit, &calendar.day_sql(column, range.from, range.to))
            }
            None if grain == Grain::QuarterHour => {
                format!("({column} // {QUARTER_US} * {QUARTER_US})")
            }
            None => calendar.hour_sql(column, range.from, range.to),
        }
    }
}

/// What an answer made of these parts is called.
pub(crate) fn source(slices: &[Slice]) -> AnswerSource {
    let is = |bucket| slices.iter().any(|s| s.table.is_some_and(|table| table.bucket == bucket));
    if is(Bucket::Day) {
        AnswerSource::RollupDay
    } else if is(Bucket::Quarter) {
        AnswerSource::Rollup
    } else {
        AnswerSource::Events
    }
}
