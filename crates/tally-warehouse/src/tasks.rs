//! Tasks one by one, each with all its calls and what came of it, for scores and effects.

use std::collections::HashMap;

use duckdb::{
    Connection,
    arrow::array::{
        Array, BooleanArray, Decimal128Array, Int64Array, RecordBatch, StringArray, UInt16Array,
        UInt64Array,
    },
};
use jiff::{SignedDuration, Timestamp};
use tally_types::{
    Fingerprint, PicoUsd, PicoUsdSum, Reporter, TaskFact, TaskOutcome, TaskResult, Tier,
};

use crate::{
    error::WarehouseError,
    ledger::{Known, typed},
    warehouse::Warehouse,
};

/// A task whose calls lie further apart than this is another one.
const REST: SignedDuration = SignedDuration::from_hours(31 * 24);

// === impl Warehouse ===

impl Warehouse {
    /// Hands over each task whose first call lies within a time, in no particular order. What is
    /// looked at are the calls from 31 days before it to 31 days after it: the later ones count
    /// with their task, and a task with an earlier one began earlier.
    ///
    /// # Errors
    /// When DuckDB fails, or a stored value cannot be read.
    pub fn tasks(
        &self,
        from: Timestamp,
        to: Timestamp,
        take: &mut dyn FnMut(TaskFact),
    ) -> Result<(), WarehouseError> {
        self.read(|connection, _| stream(connection, from, to, take))
    }
}

fn stream(
    connection: &Connection,
    from: Timestamp,
    to: Timestamp,
    take: &mut dyn FnMut(TaskFact),
) -> Result<(), WarehouseError> {
    let mut statement = connection.prepare(&sql(from, to)?)?;
    let mut names = Names::default();
    for batch in statement.stream_arrow([])? {
        let columns = Columns::of(&batch)?;
        for row in 0..batch.num_rows() {
            take(columns.task(row, &mut names)?);
        }
    }
    Ok(())
}

/// Two steps: first what everybody spent on a task, then whose it is.
fn sql(from: Timestamp, to: Timestamp) -> Result<String, WarehouseError> {
    let earliest = from.checked_sub(REST)?.as_microsecond();
    let latest = to.checked_add(REST)?.as_microsecond();
    let (from, to) = (from.as_microsecond(), to.as_microsecond());
    let prompt = "(input_uncached::HUGEINT + cache_read + cache_write_5m + cache_write_1h)";
    let tier = "CASE tier WHEN 'economy' THEN 1 WHEN 'standard' THEN 2 WHEN 'frontier' THEN 3 END";
    let count = |sum: &str| format!("least({sum}, 9223372036854775807)::UBIGINT");
    // Structs are compared field by field: who spent most, then by name.
    Ok(format!(
        "WITH part AS (
           SELECT task_key, person, team, department, any_value(workload) AS workload, \
             any_value(task_id) AS task_id, min(time_us) AS first, count(*) AS calls, \
             coalesce(sum(cost_list_usd), 0)::HUGEINT AS cost, \
             count(*) FILTER (WHERE cost_list_usd IS NULL) AS unpriced, \
             sum({prompt} + output) AS tokens, sum({prompt}) AS prompt, \
             sum(cache_read) AS cached, sum(latency_us) AS latency, \
             count(*) FILTER (WHERE latency_us IS NULL) AS untimed, max({tier}) AS tier, \
             arg_min({{'is': task_type, 'at': time_us}}, time_us) FILTER (WHERE task_type IS NOT NULL) AS task_type, \
             arg_min({{'is': template, 'at': time_us}}, time_us) FILTER (WHERE template IS NOT NULL) AS template, \
             arg_min({{'is': prompt_fingerprint, 'at': time_us}}, time_us) \
               FILTER (WHERE prompt_fingerprint IS NOT NULL) AS fingerprint \
           FROM events WHERE task_key IS NOT NULL AND status <> 'refused' \
             AND time_us >= {earliest} AND time_us < {latest} \
           GROUP BY task_key, person, team, department),
         task AS (
           SELECT task_key, any_value(workload) AS workload, any_value(task_id) AS task_id, \
             max({{'cost': cost, 'person': person, 'team': team, 'department': department}}) AS whose, \
             min(first) AS first, sum(calls) AS calls, sum(cost) AS cost, \
             sum(unpriced) AS unpriced, sum(tokens) AS tokens, sum(prompt) AS prompt, \
             sum(cached) AS cached, sum(latency) AS latency, sum(untimed) AS untimed, max(tier) AS tier, \
             arg_min(task_type.is, task_type.at) AS task_type, \
             arg_min(template.is, template.at) AS template, \
             arg_min(fingerprint.is, fingerprint.at) AS fingerprint \
           FROM part GROUP BY task_key HAVING min(first) >= {from} AND min(first) < {to})
         SELECT task_key, workload, task_id, task_type, whose.person, whose.team, whose.department, \
           first, {calls}, CASE WHEN unpriced = 0 THEN cost::DECIMAL(38, 0) END, {tokens}, \
           {prompt_tokens}, {cached}, CASE WHEN untimed = 0 THEN {latency} END, \
           CASE tier WHEN 1 THEN 'economy' WHEN 2 THEN 'standard' WHEN 3 THEN 'frontier' END, \
           template, fingerprint, result, escalated, quality_bp, value_usd, reported_by \
         FROM task LEFT JOIN (SELECT task_key, result, escalated, quality_bp, value_usd, reported_by \
           FROM task_results) USING (task_key)",
        calls = count("calls"),
        tokens = count("tokens"),
        prompt_tokens = count("prompt"),
        cached = count("cached"),
        latency = count("latency"),
    ))
}

#[derive(Default)]
struct Names {
    workloads: Known<tally_types::WorkloadName>,
    people: Known<tally_types::PersonName>,
    teams: Known<tally_types::TeamName>,
    templates: Known<tally_types::TemplateName>,
    tiers: Known<Tier>,
    results: Known<TaskResult>,
    reporters: Known<Reporter>,
}

/// A batch's columns with their types.
struct Columns<'a> {
    texts: HashMap<usize, &'a StringArray>,
    numbers: HashMap<usize, &'a UInt64Array>,
    first: &'a Int64Array,
    cost: &'a Decimal128Array,
    escalated: &'a BooleanArray,
    quality: &'a UInt16Array,
    value: &'a Int64Array,
}

// === impl Columns ===

impl<'a> Columns<'a> {
    const TEXTS: [usize; 10] = [1, 2, 3, 4, 5, 6, 14, 15, 17, 21];
    const NUMBERS: [usize; 7] = [0, 8, 10, 11, 12, 13, 16];

    fn of(batch: &'a RecordBatch) -> Result<Self, WarehouseError> {
        let texts = Self::TEXTS.iter().map(|column| Ok((*column, typed(batch, *column)?)));
        let numbers = Self::NUMBERS.iter().map(|column| Ok((*column, typed(batch, *column)?)));
        Ok(Self {
            texts: texts.collect::<Result<_, WarehouseError>>()?,
            numbers: numbers.collect::<Result<_, WarehouseError>>()?,
            first: typed(batch, 7)?,
            cost: typed(batch, 9)?,
            escalated: typed(batch, 18)?,
            quality: typed(batch, 19)?,
            value: typed(batch, 20)?,
        })
    }

    fn text(&self, column: usize, row: usize) -> Option<&'a str> {
        let texts = self.texts.get(&column)?;
        (!texts.is_null(row)).then(|| texts.value(row))
    }

    fn known(&self, column: usize, row: usize) -> Option<u64> {
        let numbers = self.numbers.get(&column)?;
        (!numbers.is_null(row)).then(|| numbers.value(row))
    }

    fn number(&self, column: usize, row: usize) -> u64 {
        self.known(column, row).unwrap_or_default()
    }

    fn task(&self, row: usize, names: &mut Names) -> Result<TaskFact, WarehouseError> {
        Ok(TaskFact {
            task_key: self.number(0, row),
            workload: names.workloads.get(self.text(1, row))?,
            task_id: self.text(2, row).unwrap_or_default().to_owned(),
            task_type: self.text(3, row).map(str::to_owned),
            person: names.people.get(self.text(4, row))?,
            team: names.teams.get(self.text(5, row))?,
            department: self.text(6, row).map(str::to_owned),
            first_call: Timestamp::from_microsecond(self.first.value(row))?,
            calls: self.number(8, row),
            cost: (!self.cost.is_null(row)).then(|| PicoUsdSum::from_pico(self.cost.value(row))),
            tokens: self.number(10, row),
            prompt_tokens: self.number(11, row),
            cache_read_tokens: self.number(12, row),
            latency_us: self.known(13, row),
            tier: names.tiers.get(self.text(14, row))?,
            template: names.templates.get(self.text(15, row))?,
            prompt_fingerprint: self.known(16, row).map(Fingerprint::new),
            outcome: self.outcome(row, names)?,
        })
    }

    fn outcome(
        &self,
        row: usize,
        names: &mut Names,
    ) -> Result<Option<TaskOutcome>, WarehouseError> {
        let Some(result) = names.results.get(self.text(17, row))? else { return Ok(None) };
        let value = &self.value;
        Ok(Some(TaskOutcome {
            result,
            escalated: self.escalated.value(row),
            quality_bp: (!self.quality.is_null(row)).then(|| self.quality.value(row)),
            value: (!value.is_null(row)).then(|| PicoUsd::from_pico(value.value(row))),
            reported_by: names.reporters.get(self.text(21, row))?,
        }))
    }
}
