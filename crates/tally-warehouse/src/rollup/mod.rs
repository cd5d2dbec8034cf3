//! Rollups: sums and histograms per bucket of time and combination of dimensions.
//!
//! Every batch appends its own partial rows, and an amendment appends the negative
//! of what it replaces; readers add the parts up, [`compact`] merges them. All
//! values are integers, so a rollup and the events always agree exactly.

mod maintain;

pub(crate) use maintain::{compact, rebuild};

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
    pub(crate) histograms: bool,
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

/// Every rollup, the cheapest to read first.
pub(crate) const TABLES: &[Table] = &[
    Table { name: "rollup_day", bucket: Bucket::Day, fields: OVERVIEW, histograms: true },
    Table { name: "rollup_people", bucket: Bucket::Day, fields: PEOPLE, histograms: false },
    Table { name: "rollup_quarter", bucket: Bucket::Quarter, fields: OVERVIEW, histograms: true },
];

/// The packed columns of the latencies (`l0`…) or the first tokens (`f0`…).
pub(crate) fn histogram_columns(prefix: char) -> impl Iterator<Item = String> {
    (0..histogram::COLUMNS).map(move |column| format!("{prefix}{column}"))
}

// === impl Table ===

impl Table {
    /// Whether it can group by and filter on a field.
    pub(crate) fn holds(&self, field: Field) -> bool {
        self.fields.contains(&field)
    }

    /// SQL that creates it.
    pub(crate) fn create_sql(&self) -> String {
        let mut columns = vec!["bucket BIGINT NOT NULL".to_owned()];
        columns.extend(self.fields.iter().map(|field| format!("\"{}\" VARCHAR", field.column())));
        columns.extend(
            Fact::ALL.iter().map(|fact| format!("{} {} NOT NULL", fact.column(), fact.sql_type())),
        );
        if self.histograms {
            let packed = histogram_columns('l').chain(histogram_columns('f'));
            columns.extend(packed.map(|column| format!("{column} HUGEINT NOT NULL")));
        }
        columns.push("merged BOOLEAN NOT NULL".to_owned());
        format!("CREATE TABLE {} ({});", self.name, columns.join(", "))
    }

    fn keys_sql(&self) -> String {
        let names: Vec<_> =
            self.fields.iter().map(|field| format!("\"{}\"", field.column())).collect();
        names.join(", ")
    }

    /// SQL: the bucket of an event's time; days are right within the range given.
    fn bucket_sql(&self, calendar: &Calendar, from: Timestamp, to: Timestamp) -> String {
        match self.bucket {
            Bucket::Quarter => format!("time_us // {QUARTER_US} * {QUARTER_US}"),
            Bucket::Day => calendar.day_sql("time_us", from, to),
        }
    }

    /// SQL that adds the rows of a table shaped like `events` (and matching a
    /// condition) as one more part, or takes them away.
    pub(crate) fn insert_sql(&self, part: &Part<'_>) -> String {
        let sign = if part.retract { "-" } else { "" };
        let bucket = self.bucket_sql(part.calendar, part.from, part.to);
        let mut values: Vec<_> =
            Fact::ALL.iter().map(|fact| format!("{sign}({})", fact.event_sql())).collect();
        let mut source = format!("SELECT * FROM {} WHERE {}", part.source, part.condition);
        if self.histograms {
            for prefix in ['l', 'f'] {
                values.extend((0..histogram::COLUMNS).map(|column| {
                    format!(
                        "{sign}coalesce(sum({prefix}_weight) FILTER (WHERE {prefix}_column = {column}), 0)"
                    )
                }));
            }
            source = with_histograms_sql(&source);
        }
        format!(
            "INSERT INTO {name} SELECT {bucket} AS bucket, {keys}, {values}, {merged} AS merged \
             FROM ({source}) GROUP BY bucket, {keys}",
            name = self.name,
            keys = self.keys_sql(),
            values = values.join(", "),
            merged = part.merged,
        )
    }
}

/// Rows of events on their way into the rollups.
pub(crate) struct Part<'a> {
    /// The table they are in.
    pub(crate) source: &'a str,
    /// SQL that selects them.
    pub(crate) condition: &'a str,
    /// Take away instead of add.
    pub(crate) retract: bool,
    /// Whether nothing else is in their buckets.
    pub(crate) merged: bool,
    pub(crate) calendar: &'a Calendar,
    /// Their times lie from here…
    pub(crate) from: Timestamp,
    /// …to here.
    pub(crate) to: Timestamp,
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
