//! Plausible usage in any amount, for benchmarks: made in SQL, the same for the
//! same seed and version of DuckDB.

use jiff::Timestamp;

use crate::{error::WarehouseError, rollup, schema, warehouse::Warehouse};

mod seasons;

pub use seasons::{Seasons, Stretch, load_seasons};

/// What to make.
#[derive(Debug, Clone, Copy)]
pub struct Synthetic {
    /// How many events.
    pub events: u64,
    /// Spread evenly over so many days…
    pub days: u32,
    /// …that end here.
    pub end: Timestamp,
    /// Other seeds make other events.
    pub seed: u32,
}

const EVENTS_AT_ONCE: u64 = 1_000_000;
const DAY_US: i64 = 86_400_000_000;
const PEOPLE: u32 = 2_000;
const TEAMS: u32 = 60;
const WORKLOADS: u32 = 40;
const MODELS: u32 = 9;
const CALLS_PER_TASK: u32 = 4;
/// One task in so many goes on for days: its number comes again.
const LONG_TASKS: u32 = 40;
const LONG_TASK_NUMBERS: u32 = 30_000;

/// Adds synthetic events, outcomes for about half of their tasks, and builds the
/// rollups up to the end. Meant for an empty warehouse: ids repeat for the same seed.
///
/// # Errors
/// When DuckDB fails; nothing is added then, or only whole millions of events.
pub fn load(warehouse: &Warehouse, wanted: &Synthetic) -> Result<(), WarehouseError> {
    let mut from = 0;
    while from < wanted.events {
        let to = (from + EVENTS_AT_ONCE).min(wanted.events);
        let sql = insert_sql(wanted, from, to);
        warehouse.in_transaction(|connection, _| Ok(connection.execute_batch(&sql)?))?;
        from = to;
    }
    finish(warehouse, &outcomes_sql(wanted.seed))?;
    warehouse.compact(wanted.end)?;
    Ok(())
}

/// Adds the outcomes, and says of every bucket that it is to be built.
fn finish(warehouse: &Warehouse, outcomes_sql: &str) -> Result<(), WarehouseError> {
    warehouse.in_transaction(|connection, calendar| {
        connection.execute_batch(outcomes_sql)?;
        rollup::mark_all(connection, calendar)
    })
}

/// SQL: a random number that depends on a column and a salt. Hashed twice: DuckDB combines the hashes of several values so
/// that another salt flips the same bits in all of them.
fn drawn(column: &str, seed: u32, salt: u32) -> String {
    format!("hash(hash({column}, {seed}, {salt}))")
}

/// SQL: a number below a bound that depends on a column and a salt.
fn pick(column: &str, seed: u32, salt: u32, bound: u32) -> String {
    format!("({} % {bound})::INTEGER", drawn(column, seed, salt))
}

/// SQL: as [`pick`], small numbers far more often than large ones.
fn skewed(column: &str, seed: u32, salt: u32, bound: u32) -> String {
    let drawn = drawn(column, seed, salt);
    format!("floor(power(({drawn} % 65536) / 65536.0, 3) * {bound})::INTEGER")
}

fn insert_sql(wanted: &Synthetic, from: u64, to: u64) -> String {
    let Synthetic { events, days, end, seed } = *wanted;
    let span = i64::from(days) * DAY_US;
    let step = (span / i64::try_from(events).unwrap_or(i64::MAX).max(1)).max(1);
    let start = end.as_microsecond() - span;
    let names = schema::names_sql(schema::EVENTS);
    format!(
        "INSERT INTO events ({names}, task_key) SELECT *, CASE WHEN task_id IS NOT NULL THEN {task_key} END FROM ({columns} FROM ( \
           SELECT *, printf('%08x-%04x-7%03x-8000-%012x', happened // 65536000, \
             happened // 1000 % 65536, luck, i)::UUID AS id FROM ( \
           SELECT i, t, happened, {person} AS p, {known} AS known, \
             -- A team works on three workloads, a workload uses two models.
             ((p % {TEAMS}) * 7 + {workload}) % {WORKLOADS} AS w, (w * 5 + {model}) % {MODELS} AS m, {luck} AS luck, {size} AS size, {extra} AS extra \
           FROM (SELECT i, {start} + i::BIGINT * {step} AS happened, \
             CASE WHEN hash(i // {CALLS_PER_TASK}, {seed}) % {LONG_TASKS} = 0 \
               THEN i // {CALLS_PER_TASK} % {LONG_TASK_NUMBERS} ELSE i // {CALLS_PER_TASK} END AS t \
             FROM range({from}, {to}) rows(i)))))",
        // Any key joins them: nothing else reports on synthetic tasks.
        task_key = "hash(workload, task_id)",
        columns = columns_sql(&format!("p % {TEAMS}"), "NULL"),
        // One person does a task, for one workload, with more than one model.
        person = skewed("t", seed, 1, PEOPLE),
        known = pick("t", seed, 7, 50),
        workload = skewed("t", seed, 2, 3),
        model = skewed("i", seed, 3, 2),
        luck = pick("i", seed, 4, 1_000),
        size = skewed("i", seed, 5, 60_000),
        extra = pick("i", seed, 6, 1_000),
    )
}

/// SQL: the columns of an event from its random numbers, in the table's order; the number of the
/// team and the template are given.
fn columns_sql(team: &str, template: &str) -> String {
    let attribution = format!(
        "id AS event_id, 0 AS revision, id AS call_id, happened AS time_us, \
         ['gateway', 'gateway', 'gateway', 'otlp'][1 + m % 4] AS source, \
         CASE WHEN known > 0 THEN 'person-' || p END AS person, \
         CASE WHEN known > 0 THEN 'team-' || ({team}) END AS team, \
         CASE WHEN known > 0 THEN 'department-' || ({team}) % 8 END AS department, \
         CASE WHEN known > 0 THEN 'cc-' || ({team}) % 20 END AS cost_center, \
         'key-' || p AS \"key\", \
         CASE WHEN w < {registered} THEN 'workload-' || w END AS workload, \
         CASE WHEN w < {registered} THEN ['critical', 'operational', 'exploration'][1 + w % 3] END AS workload_class, \
         'app-' || w % 12 AS application, 'client/1.' || w % 12 AS user_agent, \
         CASE WHEN w % 3 < 2 THEN 'production' ELSE 'experimentation' END AS environment, \
         ['chat', 'summarise', 'code', 'extract', 'classify'][1 + w % 5] AS task_type, \
         CASE WHEN w % 4 < 3 THEN 'task-' || t END AS task_id, \
         'session-' || p || '-' || happened // 14400000000 AS session, \
         ['deflection', 'conversion', NULL][1 + w % 3] AS value_tag, NULL AS tags, {template} AS template",
        registered = WORKLOADS - 4,
    );
    let service = "['anthropic', 'openai', 'google'][1 + m % 3] AS provider, 'chat' AS operation, \
         'family-' || m % 5 AS model_family, 'model-' || m AS model_requested, 'model-' || m AS model_served, \
         'model-' || m || '-20260101' AS model_reported, ['frontier', 'standard', 'economy'][1 + m // 3] AS tier, \
         'standard' AS service_tier, NULL AS billing_modifiers, NULL AS tool_requests, \
         NULL AS provider_request_id, NULL AS provider_response_id";
    let result = "200 + size AS input_uncached, size * (extra % 4) AS cache_read, extra % 7 * 100 AS cache_write_5m, \
         0 AS cache_write_1h, 20 + size // 20 AS output, extra % 3 * 5 AS reasoning, \
         CASE WHEN luck < 30 THEN 'estimated' ELSE 'reported' END AS counts, \
         300000 + size * 200 + extra * 1000 AS latency_us, 100000 + extra * 500 AS first_token_us, \
         m % 2 = 0 AS streamed, \
         CASE WHEN luck < 8 THEN 'error' WHEN luck < 10 THEN 'timeout' WHEN luck < 15 THEN 'refused' ELSE 'ok' END AS status, \
         CASE WHEN luck < 8 THEN 529 WHEN luck < 15 THEN 429 ELSE 200 END AS http_status, \
         CASE WHEN luck < 8 THEN 'overloaded' END AS error_code, (luck < 20)::INTEGER AS retries, \
         CASE WHEN luck < 25 THEN 'error' WHEN luck < 40 THEN 'budget' WHEN luck < 45 THEN 'policy' END AS fallback, \
         ['public', 'internal', 'confidential'][1 + w % 3] AS data_class, NULL AS redactions, \
         CASE WHEN luck > 2 THEN (200 + size * (9 - m)) * 1000000::BIGINT END AS cost_list_usd, \
         CASE WHEN luck > 2 THEN (200 + size * (9 - m)) * 1100000::BIGINT END AS cost_internal_usd, \
         'public-2026-01-01' AS price_version, NULL AS unpriced_reason, false AS subscription";
    format!("SELECT {attribution}, {service}, {result}")
}

fn outcomes_sql(seed: u32) -> String {
    let names = schema::names_sql(schema::OUTCOMES);
    format!(
        "CREATE OR REPLACE TEMP TABLE tasks AS SELECT task_key, any_value(workload) AS workload, \
           any_value(task_id) AS task_id, max(time_us) AS happened, hash(task_key, {seed}) % 1000 AS luck \
           FROM events WHERE task_key IS NOT NULL GROUP BY task_key HAVING hash(task_key, {seed}) % 1000 < 500;
         INSERT INTO outcomes ({names}, task_key, reported_by) SELECT printf('%08x-%04x-7000-8000-%012x', \
             happened // 65536000, happened // 1000 % 65536, task_key % 281474976710656)::UUID, 0, happened, workload, task_id, \
           CASE WHEN luck < 420 THEN 'succeeded' ELSE 'failed' END, luck % 9 = 0, (5000 + luck * 9)::USMALLINT, \
           luck * 1000000000::BIGINT, NULL, NULL, NULL, task_key, 'key:tickets' FROM tasks;
         DELETE FROM task_results;
         INSERT INTO task_results SELECT * FROM outcomes;
         DROP TABLE tasks;"
    )
}
