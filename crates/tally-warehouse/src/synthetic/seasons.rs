//! A large company's tasks in several stretches of time, with outcomes that others report: what
//! scoreboards are made of.

use jiff::Timestamp;

use super::{CALLS_PER_TASK, EVENTS_AT_ONCE, WORKLOADS, columns_sql, drawn, finish, pick, skewed};
use crate::{error::WarehouseError, schema, warehouse::Warehouse};

/// What to make. People are `person-0` and so on, teams `team-0`.
#[derive(Debug, Clone)]
pub struct Seasons {
    /// How many people.
    pub people: u32,
    /// How many of them are a team.
    pub of_a_team: u32,
    /// When they work.
    pub stretches: Vec<Stretch>,
    /// Other seeds make other events.
    pub seed: u32,
}

/// Usage that is spread evenly over a time.
#[derive(Debug, Clone, Copy)]
pub struct Stretch {
    /// When it begins.
    pub from: Timestamp,
    /// The first moment after it.
    pub until: Timestamp,
    /// How many events.
    pub events: u64,
}

/// A task is so many calls, one after the other.
const CALLS: u32 = CALLS_PER_TASK / 2;
/// Of so many outcomes, one is reported by another person.
const BY_PEOPLE: u32 = 10;
/// Templates that are in use.
const TEMPLATES: u32 = 20;

/// Adds tasks with outcomes, and builds the rollups of many. Meant for an empty warehouse.
///
/// # Errors
/// When DuckDB fails; nothing is added then, or only whole millions of events.
pub fn load_seasons(warehouse: &Warehouse, wanted: &Seasons) -> Result<(), WarehouseError> {
    let mut made = 0;
    for stretch in &wanted.stretches {
        let until = made + stretch.events;
        let first = made;
        while made < until {
            let to = (made + EVENTS_AT_ONCE).min(until);
            let sql = wanted.insert_sql(stretch, first, (made, to));
            warehouse.in_transaction(|connection, _| Ok(connection.execute_batch(&sql)?))?;
            made = to;
        }
    }
    finish(warehouse, &wanted.outcomes_sql())?;
    // Few are answered from the events as fast.
    let ends = wanted.stretches.iter().map(|stretch| stretch.until).max();
    if made > EVENTS_AT_ONCE {
        warehouse.compact(ends.unwrap_or_default())?;
    }
    Ok(())
}

// === impl Seasons ===

impl Seasons {
    /// Events from one number to another, of a stretch that begins with the event `first`.
    fn insert_sql(&self, stretch: &Stretch, first: u64, (from, to): (u64, u64)) -> String {
        let Self { people, of_a_team, seed, .. } = *self;
        let span = stretch.until.as_microsecond() - stretch.from.as_microsecond();
        let step = (span / i64::try_from(stretch.events).unwrap_or(i64::MAX).max(1)).max(1);
        let start = stretch.from.as_microsecond();
        let names = schema::names_sql(schema::EVENTS);
        let template = format!(
            "CASE WHEN {} % 20 = 0 THEN 'template-' || {} || '@1' END",
            drawn("t", seed, 8),
            pick("t", seed, 9, TEMPLATES)
        );
        // A quarter of the tasks is done by a few; everybody has some.
        let person = format!(
            "CASE WHEN {} % 4 = 0 THEN {} ELSE {} END",
            drawn("t", seed, 11),
            skewed("t", seed, 1, people),
            pick("t", seed, 1, people)
        );
        format!(
            "INSERT INTO events ({names}, task_key, prompt_fingerprint) \
             SELECT made.*, CASE WHEN task_id IS NOT NULL THEN hash(workload, task_id) END, \
               CASE WHEN {repeated} % 30 = 0 THEN hash(person) ELSE hash(call_id) END \
             FROM ({columns} FROM ( \
               SELECT *, printf('%08x-%04x-7%03x-8000-%012x', happened // 65536000, \
                 happened // 1000 % 65536, luck, i)::UUID AS id FROM ( \
               SELECT i, t, happened, {person} AS p, {known} AS known, \
                 (p * 7 + {workload}) % {WORKLOADS} AS w, (w * 5 + {model}) % 9 AS m, \
                 {luck} AS luck, {size} AS size, {extra} AS extra \
               FROM (SELECT i, {start} + (i - {first})::BIGINT * {step} AS happened, \
                 i // {CALLS} AS t FROM range({from}, {to}) rows(i))))) made",
            columns = columns_sql(&format!("p // {of_a_team}"), &template),
            repeated = drawn("task_id", seed, 10),
            known = pick("t", seed, 7, 50),
            workload = skewed("t", seed, 2, 3),
            model = skewed("i", seed, 3, 2),
            luck = pick("i", seed, 4, 1_000),
            size = skewed("i", seed, 5, 60_000),
            extra = pick("i", seed, 6, 1_000),
        )
    }

    /// Four of five tasks have an outcome; a system reports most, others the rest.
    fn outcomes_sql(&self) -> String {
        let Self { people, seed, .. } = *self;
        let names = schema::names_sql(schema::OUTCOMES);
        format!(
            "CREATE OR REPLACE TEMP TABLE tasks AS SELECT task_key, any_value(workload) AS workload, \
               any_value(task_id) AS task_id, max(time_us) AS happened, hash(task_key, {seed}) % 1000 AS luck \
               FROM events WHERE task_key IS NOT NULL GROUP BY task_key HAVING hash(task_key, {seed}) % 1000 < 800;
             INSERT INTO outcomes ({names}, task_key, reported_by) SELECT printf('%08x-%04x-7000-8000-%012x', \
                 happened // 65536000, happened // 1000 % 65536, task_key % 281474976710656)::UUID, 0, happened, workload, task_id, \
               CASE WHEN luck % 100 < 84 THEN 'succeeded' ELSE 'failed' END, luck % 9 = 0, \
               CASE WHEN luck % 3 > 0 THEN (5000 + luck * 6)::USMALLINT END, \
               luck * 1000000000::BIGINT, NULL, NULL, NULL, task_key, \
               CASE WHEN luck % {BY_PEOPLE} = 0 THEN 'person:person-' || {reporter} ELSE 'key:tickets' END FROM tasks;
             DELETE FROM task_results;
             INSERT INTO task_results SELECT * FROM outcomes;
             DROP TABLE tasks;",
            reporter = pick("task_key", seed, 12, people),
        )
    }
}
