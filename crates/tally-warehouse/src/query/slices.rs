//! Which table answers which part of a range.

use jiff::Timestamp;

use super::{AnswerSource, Field, Grain, ResolvedRange};
use crate::{
    error::QueryError,
    rollup::{Bucket, CLOSED, Content, Dirty, OPEN, TABLES, Table},
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
    /// The version of all that is read here; what is still going on has none.
    pub(crate) version: Option<&'static str>,
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
    /// Whether anything may be answered but from the events as they are now.
    pub(crate) rollups: bool,
}

/// Stretches of time by what answers them.
#[derive(Default)]
struct Cut {
    days: Vec<(i64, i64)>,
    /// The day that goes on, of which the rollups hold the beginning.
    open_day: Vec<(i64, i64)>,
    quarters: Vec<(i64, i64)>,
    /// Events of days that are not dirty.
    closed: Vec<(i64, i64)>,
    /// Events of the beginning of the day that goes on.
    open: Vec<(i64, i64)>,
    live: Vec<(i64, i64)>,
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
            self.quarters(&mut cut, exact_us(range.from), exact_us(range.to))?;
        }
        let quarter_table = self.table(Bucket::Quarter);
        let name = |table: Option<&'static Table>| table.map(|table| table.name);
        let parts = [
            (day_table, name(day_table), cut.days),
            (day_table, Some(OPEN), cut.open_day),
            (quarter_table, name(quarter_table), cut.quarters),
            (None, Some(CLOSED), cut.closed),
            (None, Some(OPEN), cut.open),
            (None, None, cut.live),
        ];
        let mut slices = Vec::new();
        for (table, version, stretches) in parts {
            collect(&mut slices, table, version, stretches);
        }
        Ok(slices)
    }

    fn days(&self, cut: &mut Cut, from: Timestamp, to: Timestamp) -> Result<(), QueryError> {
        let calendar = self.calendar;
        let (first, last) = (calendar.midnight_from(from)?, calendar.midnight_until(to)?);
        if first > last {
            return self.quarters(cut, exact_us(from), exact_us(to));
        }
        self.quarters(cut, exact_us(from), exact_us(first))?;
        let day = |time| i64::from(day_number(calendar.date(time)));
        let (mut clean_from, end) = (day(first), day(last));
        for dirty in self.dirty.days.range(clean_from..end) {
            push(&mut cut.days, clean_from, *dirty);
            let date = date_of(*dirty)?;
            let (start, next) = (calendar.midnight(date)?, calendar.midnight(date.tomorrow()?)?);
            self.beginning(cut, *dirty, start.as_microsecond(), next.as_microsecond())?;
            clean_from = dirty + 1;
        }
        push(&mut cut.days, clean_from, end);
        self.beginning(cut, end, exact_us(last), exact_us(to))
    }

    /// A part of a day that begins at its midnight.
    fn beginning(&self, cut: &mut Cut, day: i64, from: i64, to: i64) -> Result<(), QueryError> {
        match self.dirty.open {
            Some(open) if open.day == day && open.until_us <= to => {
                push(&mut cut.open_day, day, day + 1);
                self.quarters(cut, open.until_us, to)
            }
            _ => self.quarters(cut, from, to),
        }
    }

    fn quarters(&self, cut: &mut Cut, from: i64, to: i64) -> Result<(), QueryError> {
        let (first, last) = (zone::quarter_from(from), zone::quarter_until(to));
        if self.table(Bucket::Quarter).is_none() || first >= last {
            return self.events(cut, from, to);
        }
        self.events(cut, from, first)?;
        let mut clean_from = first;
        for dirty in self.dirty.quarters.range(first..last) {
            push(&mut cut.quarters, clean_from, *dirty);
            clean_from = dirty + QUARTER_US;
            self.events(cut, *dirty, clean_from)?;
        }
        push(&mut cut.quarters, clean_from, last);
        self.events(cut, last, to)
    }

    /// Events, by whether they are known not to have changed since a version.
    fn events(&self, cut: &mut Cut, from: i64, to: i64) -> Result<(), QueryError> {
        if !self.rollups || from >= to {
            push(&mut cut.live, from, to);
            return Ok(());
        }
        let day = |us| Ok::<_, QueryError>(self.calendar.date(zone::timestamp(us)?));
        let days = i64::from(day_number(day(from)?))..=i64::from(day_number(day(to)?));
        let mut clean_from = from;
        for dirty in self.dirty.days.range(days) {
            let date = date_of(*dirty)?;
            let midnight =
                |date| Ok::<_, QueryError>(self.calendar.midnight(date)?.as_microsecond());
            let start = midnight(date)?.clamp(from, to);
            let end = midnight(date.tomorrow()?)?.clamp(from, to);
            let open = self.dirty.open.filter(|open| open.day == *dirty);
            let until = open.map_or(start, |open| open.until_us.clamp(start, end));
            push(&mut cut.closed, clean_from, start);
            push(&mut cut.open, start, until);
            push(&mut cut.live, until, end);
            clean_from = end;
        }
        push(&mut cut.closed, clean_from, to);
        Ok(())
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
fn collect(
    slices: &mut Vec<Slice>,
    table: Option<&'static Table>,
    version: Option<&'static str>,
    stretches: Vec<(i64, i64)>,
) {
    if stretches.len() > SLICES_MAX {
        slices.push(Slice { table, stretches, version });
        return;
    }
    slices.extend(stretches.into_iter().map(|one| Slice { table, stretches: vec![one], version }));
}

/// As few slices of events as they were before they were told apart by version: what is
/// not added up costs more by every one.
pub(crate) fn merged(slices: Vec<Slice>) -> Vec<Slice> {
    let (mut merged, events): (Vec<_>, Vec<_>) =
        slices.into_iter().partition(|slice| slice.table.is_some());
    let mut versions = events.iter().map(|slice| slice.version);
    let version = versions.next().flatten().filter(|first| versions.all(|v| v == Some(first)));
    let mut stretches: Vec<_> = events.into_iter().flat_map(|slice| slice.stretches).collect();
    stretches.sort_unstable();
    let mut joined = Vec::new();
    for (low, high) in stretches {
        push(&mut joined, low, high);
    }
    collect(&mut merged, None, version, joined);
    merged
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

    /// How long its stretches are together, in the unit of its column.
    pub(crate) fn span(&self) -> i64 {
        self.stretches.iter().map(|(low, high)| high - low).sum()
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
