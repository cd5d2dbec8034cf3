//! Which table answers which part of a range.

use jiff::Timestamp;

use super::{AnswerSource, Field, Grain, ResolvedRange};
use crate::{
    error::QueryError,
    rollup::{Bucket, Content, Dirty, TABLES, Table},
    zone::{self, Calendar, QUARTER_US, date_of, day_number},
};

/// More separate stretches of time than this are read in one go.
const SLICES_MAX: usize = 6;

/// A part of a range and the table that answers it.
#[derive(Debug, Clone)]
pub(crate) struct Slice {
    /// A rollup; without one, the events.
    pub(crate) table: Option<&'static Table>,
    /// Stretches of the table's bucket column, or of the events' time; at least one.
    stretches: Vec<(i64, i64)>,
}

/// What a table must hold to answer.
#[derive(Debug, Clone)]
pub(crate) struct Need<'a> {
    /// Every field grouped by, filtered on or counted; none when a tag is among them.
    pub(crate) fields: Option<Vec<Field>>,
    pub(crate) content: Content,
    pub(crate) grain: Option<Grain>,
    pub(crate) calendar: &'a Calendar,
    pub(crate) dirty: &'a Dirty,
}

/// Stretches of time by what answers them.
#[derive(Default)]
struct Cut {
    days: Vec<(i64, i64)>,
    quarters: Vec<(i64, i64)>,
    events: Vec<(i64, i64)>,
}

// === impl Need ===

impl Need<'_> {
    fn table(&self, bucket: Bucket) -> Option<&'static Table> {
        let fields = self.fields.as_ref()?;
        if bucket == Bucket::Day && self.grain.is_some_and(|grain| grain.unit().is_none()) {
            return None;
        }
        TABLES.iter().find(|table| {
            table.bucket == bucket
                && table.provides(self.content)
                && fields.iter().all(|field| table.holds(*field))
        })
    }

    /// Cuts a range: whole local days, whole quarter-hours beside them, the rest;
    /// what is dirty falls through to the next.
    pub(crate) fn slices(&self, range: &ResolvedRange) -> Result<Vec<Slice>, QueryError> {
        let mut cut = Cut::default();
        let day_table = self.table(Bucket::Day);
        if day_table.is_some() {
            self.days(&mut cut, range.from, range.to)?;
        } else {
            self.quarters(&mut cut, exact_us(range.from), exact_us(range.to));
        }
        let mut slices = Vec::new();
        collect(&mut slices, day_table, cut.days);
        collect(&mut slices, self.table(Bucket::Quarter), cut.quarters);
        collect(&mut slices, None, cut.events);
        Ok(slices)
    }

    fn days(&self, cut: &mut Cut, from: Timestamp, to: Timestamp) -> Result<(), QueryError> {
        let calendar = self.calendar;
        let (first, last) = (calendar.midnight_from(from)?, calendar.midnight_until(to)?);
        if first >= last {
            self.quarters(cut, exact_us(from), exact_us(to));
            return Ok(());
        }
        self.quarters(cut, exact_us(from), exact_us(first));
        let day = |time| i64::from(day_number(calendar.date(time)));
        let (mut clean_from, end) = (day(first), day(last));
        for dirty in self.dirty.days.range(clean_from..end) {
            push(&mut cut.days, clean_from, *dirty);
            let date = date_of(*dirty)?;
            let (start, next) = (calendar.midnight(date)?, calendar.midnight(date.tomorrow()?)?);
            self.quarters(cut, start.as_microsecond(), next.as_microsecond());
            clean_from = dirty + 1;
        }
        push(&mut cut.days, clean_from, end);
        self.quarters(cut, exact_us(last), exact_us(to));
        Ok(())
    }

    fn quarters(&self, cut: &mut Cut, from: i64, to: i64) {
        let (first, last) = (zone::quarter_from(from), zone::quarter_until(to));
        if self.table(Bucket::Quarter).is_none() || first >= last {
            push(&mut cut.events, from, to);
            return;
        }
        push(&mut cut.events, from, first);
        let mut clean_from = first;
        for dirty in self.dirty.quarters.range(first..last) {
            push(&mut cut.quarters, clean_from, *dirty);
            clean_from = dirty + QUARTER_US;
            push(&mut cut.events, *dirty, clean_from);
        }
        push(&mut cut.quarters, clean_from, last);
        push(&mut cut.events, last, to);
    }
}

/// Adds a stretch, joined to the one before where they touch.
fn push(stretches: &mut Vec<(i64, i64)>, low: i64, high: i64) {
    match stretches.last_mut() {
        _ if low >= high => {}
        Some((_, end)) if *end == low => *end = high,
        _ => stretches.push((low, high)),
    }
}

/// One slice per stretch, which zone maps like best, or one for all when they are many.
fn collect(slices: &mut Vec<Slice>, table: Option<&'static Table>, stretches: Vec<(i64, i64)>) {
    if stretches.len() > SLICES_MAX {
        slices.push(Slice { table, stretches });
        return;
    }
    slices.extend(stretches.into_iter().map(|one| Slice { table, stretches: vec![one] }));
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
        let between = |(low, high): (i64, i64)| format!("{column} >= {low} AND {column} < {high}");
        let low = self.stretches.first().map_or(0, |(low, _)| *low);
        let high = self.stretches.last().map_or(0, |(_, high)| *high);
        if self.stretches.len() == 1 {
            return between((low, high));
        }
        let each: Vec<_> =
            self.stretches.iter().map(|one| format!("({})", between(*one))).collect();
        format!("{} AND ({})", between((low, high)), each.join(" OR "))
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
