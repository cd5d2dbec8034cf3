//! Rollups: sums and histograms per bucket of time and combination of dimensions.
//!
//! A batch only marks the buckets it touches as dirty, in its own transaction;
//! `compact` builds them anew from the events. Until then queries answer dirty
//! buckets from finer rollups or the events. All values are integers, so rollups
//! and events always agree exactly, and an amendment needs no arithmetic of its own.
//!
//! Tasks have rollups of their own, which are always up to date: see `tasks`.

mod dirty;
mod maintain;
mod numbers;
mod tasks;

pub(crate) use dirty::{CLOSED, CREATE_SQL, Dirty, OPEN, mark, mark_all};
pub(crate) use maintain::{
    build_open, closed_days, compact_day, compact_quarters, dirty_runs, fill_new, forget_days,
    open_due,
};
pub(crate) use numbers::{COUNT as TASK_NUMBERS, TaskNumber, TaskSql};
pub(crate) use tasks::{
    OF_TASK, PART_SUMS, RESULTS, RESULTS_OF_FEW, TABLE as TASK_TABLE,
    TABLE_OF_PEOPLE as TASK_TABLE_OF_PEOPLE, results_changed, tasks_go_on,
};

use jiff::Timestamp;

use crate::{
    facts::Fact,
    histogram,
    query::Field,
    zone::{Calendar, QUARTER_US},
};

/// How long a bucket of a rollup is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bucket {
    /// A quarter of an hour in UTC; the column holds its start in microseconds.
    Quarter,
    /// A day in the organisation's zone; the column holds days since 1970-01-01.
    Day,
}

/// One rollup table.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) name: &'static str,
    pub(crate) bucket: Bucket,
    pub(crate) fields: &'static [Field],
    pub(crate) content: Content,
}

/// What the rows of a rollup hold besides their dimensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    /// The additive sums.
    Sums,
    /// The additive sums and the histograms of durations.
    Histograms,
    /// Sums over tasks, by cell.
    Tasks,
}

const OVERVIEW: &[Field] = &[
    Field::Department,
    Field::Team,
    Field::CostCenter,
    Field::Workload,
    Field::WorkloadClass,
    Field::Application,
    Field::Environment,
    Field::Provider,
    Field::Model,
    Field::ModelFamily,
    Field::Tier,
    Field::ServiceTier,
    Field::TaskType,
    Field::ValueTag,
    Field::DataClass,
    Field::Source,
    Field::Status,
    Field::Counts,
    Field::Fallback,
];

/// What hardly tells more rows apart than the person alone.
const PERSON: &[Field] = &[Field::Person, Field::Team, Field::Department, Field::CostCenter];

const PEOPLE: &[Field] = &[
    Field::Person,
    Field::Team,
    Field::Department,
    Field::CostCenter,
    Field::Key,
    Field::Workload,
    Field::WorkloadClass,
    Field::Environment,
    Field::Provider,
    Field::Model,
    Field::ModelFamily,
    Field::Tier,
];

/// The rollup by person.
pub(crate) const BY_PERSON: &str = "rollup_person";

/// Every rollup, the cheapest to read first. Only days hold histograms: a quarter-hour
/// has almost as many combinations as calls, so its events are as quick to read.
pub(crate) const TABLES: &[Table] = &[
    Table {
        name: "rollup_day",
        bucket: Bucket::Day,
        fields: OVERVIEW,
        content: Content::Histograms,
    },
    Table { name: BY_PERSON, bucket: Bucket::Day, fields: PERSON, content: Content::Histograms },
    Table { name: "rollup_people", bucket: Bucket::Day, fields: PEOPLE, content: Content::Sums },
    Table {
        name: "rollup_quarter",
        bucket: Bucket::Quarter,
        fields: OVERVIEW,
        content: Content::Sums,
    },
    Table {
        name: tasks::TABLE,
        bucket: Bucket::Day,
        fields: tasks::OF_WORK,
        content: Content::Tasks,
    },
    Table {
        name: tasks::TABLE_OF_PEOPLE,
        bucket: Bucket::Day,
        fields: tasks::OF_PEOPLE,
        content: Content::Tasks,
    },
];

/// The packed columns of the latencies (`l0`…) or the first tokens (`f0`…).
pub(crate) fn histogram_columns(prefix: char) -> impl Iterator<Item = String> {
    (0..histogram::COLUMNS).map(move |column| format!("{prefix}{column}"))
}

// === impl Table ===

impl Table {
    /// Whether its rows say who called.
    pub(crate) fn names_people(&self) -> bool {
        self.holds(Field::Person)
    }

    /// Whether its rows say with which key.
    pub(crate) fn names_keys(&self) -> bool {
        self.holds(Field::Key)
    }

    /// Whether it can group by and filter on a field.
    pub(crate) fn holds(&self, field: Field) -> bool {
        self.fields.contains(&field)
    }

    /// Whether it holds what is asked for.
    pub(crate) fn provides(&self, content: Content) -> bool {
        self.content == content || (content == Content::Sums && self.content == Content::Histograms)
    }

    /// SQL that removes it, if it is there with other columns.
    pub(crate) fn drop_sql(&self) -> String {
        let name = self.name;
        format!("DROP TABLE IF EXISTS {name}; DROP TABLE IF EXISTS {name}_parts;")
    }

    /// SQL that creates it.
    pub(crate) fn create_sql(&self) -> String {
        let mut columns = vec!["bucket BIGINT NOT NULL".to_owned()];
        columns.extend(self.fields.iter().map(|field| format!("\"{}\" VARCHAR", field.column())));
        if self.content == Content::Tasks {
            columns.extend(tasks::columns_sql());
            let parts = self.create_parts_sql();
            return format!("CREATE TABLE {} ({}); {parts}", self.name, columns.join(", "));
        }
        let sums = Fact::ALL.iter().flat_map(|fact| fact.columns());
        columns.extend(sums.map(|column| format!("{column} BIGINT NOT NULL")));
        if self.content == Content::Histograms {
            let packed = histogram_columns('l').chain(histogram_columns('f'));
            columns.extend(
                packed.map(|column| format!("{column} HUGEINT NOT NULL USING COMPRESSION rle")),
            );
        }
        format!("CREATE TABLE {} ({});", self.name, columns.join(", "))
    }

    /// SQL: the columns of its dimensions.
    fn keys_sql(&self) -> String {
        let names: Vec<_> =
            self.fields.iter().map(|field| format!("\"{}\"", field.column())).collect();
        names.join(", ")
    }

    /// SQL that fills it from the events that match a condition; local days are
    /// right within the range given.
    pub(crate) fn fill_sql(&self, part: &Part<'_>) -> String {
        let bucket = match self.bucket {
            Bucket::Quarter => format!("time_us // {QUARTER_US} * {QUARTER_US}"),
            Bucket::Day => part.calendar.day_sql("time_us", part.from, part.to),
        };
        let mut names: Vec<_> = Fact::ALL.iter().flat_map(|fact| fact.columns()).collect();
        let mut values: Vec<_> = Fact::ALL.iter().flat_map(|fact| fact.columns_sql()).collect();
        let mut source = format!("SELECT * FROM events WHERE {}", part.condition());
        if self.content == Content::Histograms {
            names.extend(histogram_columns('l').chain(histogram_columns('f')));
            for prefix in ['l', 'f'] {
                values.extend((0..histogram::COLUMNS).map(|column| {
                    format!(
                        "coalesce(sum({prefix}_weight) FILTER (WHERE {prefix}_column = {column}), 0)"
                    )
                }));
            }
            source = with_histograms_sql(&source);
        }
        format!(
            "INSERT INTO {name} (bucket, {keys}, {names}) \
             SELECT {bucket} AS bucket_of_time, {keys}, {values} \
             FROM ({source}) GROUP BY bucket_of_time, {keys}",
            name = self.name,
            keys = self.keys_sql(),
            names = names.join(", "),
            values = values.join(", "),
        )
    }
}

/// A part of time to roll up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Part<'a> {
    pub(crate) calendar: &'a Calendar,
    /// From here, inclusive…
    pub(crate) from: Timestamp,
    /// …to here, exclusive.
    pub(crate) to: Timestamp,
}

impl Part<'_> {
    /// SQL: only events of this part.
    fn condition(&self) -> String {
        let (from, to) = (self.from.as_microsecond(), self.to.as_microsecond());
        format!("time_us >= {from} AND time_us < {to}")
    }
}

fn with_histograms_sql(source: &str) -> String {
    let latency = histogram::bin_sql("latency_us");
    let first_token = histogram::bin_sql("first_token_us");
    let derived = ['l', 'f'].map(|prefix| {
        let bin = format!("{prefix}_bin");
        format!(
            "{} AS {prefix}_column, {} AS {prefix}_weight",
            histogram::column_sql(&bin),
            histogram::weight_sql(&bin)
        )
    });
    format!(
        "SELECT *, {} FROM (SELECT *, {latency} AS l_bin, {first_token} AS f_bin FROM ({source}))",
        derived.join(", ")
    )
}
