//! The tables, their columns and the version of both.

use duckdb::Connection;

use crate::{error::WarehouseError, rollup, zone::Calendar};

/// Raised by every change of the tables that older builds cannot read.
/// 2: the rollup of tasks. 3: the open day, which every writer must heed. 4: the rollup by person.
/// 5: what policies did. 6: the rollup of tasks by people. 7: that rollup by people's work, too.
/// 8: what tells tasks that count from those that do not: requests asked again, who reports.
pub(crate) const VERSION: i64 = 8;

const VERSION_KEY: &str = "schema_version";

/// The key under which the zone of the day rollups is stored.
pub(crate) const ZONE_KEY: &str = "time_zone";

/// The events' columns in the order they are appended, with their types. Times
/// are microseconds since 1970 in UTC, money is picodollars, maps and lists are JSON.
pub(crate) const EVENTS: &[(&str, &str)] = &[
    ("event_id", "UUID NOT NULL"),
    ("revision", "UINTEGER NOT NULL"),
    ("call_id", "UUID NOT NULL"),
    ("time_us", "BIGINT NOT NULL"),
    ("source", "VARCHAR NOT NULL"),
    ("person", "VARCHAR"),
    ("team", "VARCHAR"),
    ("department", "VARCHAR"),
    ("cost_center", "VARCHAR"),
    ("key", "VARCHAR"),
    ("workload", "VARCHAR"),
    ("workload_class", "VARCHAR"),
    ("application", "VARCHAR"),
    ("user_agent", "VARCHAR"),
    ("environment", "VARCHAR NOT NULL"),
    ("task_type", "VARCHAR"),
    ("task_id", "VARCHAR"),
    ("session", "VARCHAR"),
    ("value_tag", "VARCHAR"),
    ("tags", "VARCHAR"),
    ("template", "VARCHAR"),
    ("provider", "VARCHAR"),
    ("operation", "VARCHAR NOT NULL"),
    ("model_family", "VARCHAR"),
    ("model_requested", "VARCHAR NOT NULL"),
    ("model_served", "VARCHAR"),
    ("model_reported", "VARCHAR"),
    ("tier", "VARCHAR"),
    ("service_tier", "VARCHAR NOT NULL"),
    ("billing_modifiers", "VARCHAR"),
    ("tool_requests", "VARCHAR"),
    ("provider_request_id", "VARCHAR"),
    ("provider_response_id", "VARCHAR"),
    ("input_uncached", "UBIGINT NOT NULL"),
    ("cache_read", "UBIGINT NOT NULL"),
    ("cache_write_5m", "UBIGINT NOT NULL"),
    ("cache_write_1h", "UBIGINT NOT NULL"),
    ("output", "UBIGINT NOT NULL"),
    ("reasoning", "UBIGINT NOT NULL"),
    ("counts", "VARCHAR NOT NULL"),
    ("latency_us", "UBIGINT"),
    ("first_token_us", "UBIGINT"),
    ("streamed", "BOOLEAN NOT NULL"),
    ("status", "VARCHAR NOT NULL"),
    ("http_status", "USMALLINT"),
    ("error_code", "VARCHAR"),
    ("retries", "USMALLINT NOT NULL"),
    ("fallback", "VARCHAR"),
    ("data_class", "VARCHAR NOT NULL"),
    ("redactions", "VARCHAR"),
    ("cost_list_usd", "BIGINT"),
    ("cost_internal_usd", "BIGINT"),
    ("price_version", "VARCHAR"),
    ("unpriced_reason", "VARCHAR"),
    ("subscription", "BOOLEAN NOT NULL"),
];

/// What policies did, behind the events' other columns. The last two follow from the others:
/// the rule that decided, and whether the call belongs into the feed of violations.
pub(crate) const POLICIES: &[(&str, &str)] = &[
    ("rules", "VARCHAR"),
    ("shadow_rules", "VARCHAR"),
    ("policy_decision", "VARCHAR"),
    ("policy_severity", "VARCHAR"),
    ("policy_rule", "VARCHAR"),
    ("violation", "BOOLEAN"),
];

/// Of the request, behind what policies did.
pub(crate) const PROMPT: &[(&str, &str)] = &[("prompt_fingerprint", "UBIGINT")];

/// Who reported an outcome, behind its other columns and its task's key.
pub(crate) const REPORTER: &[(&str, &str)] = &[("reported_by", "VARCHAR")];

/// The events' columns as they are read back.
pub(crate) fn kept_events() -> Vec<(&'static str, &'static str)> {
    let derived = ["policy_rule", "violation"];
    let policies = POLICIES.iter().filter(|(name, _)| !derived.contains(name));
    EVENTS.iter().chain(policies).chain(PROMPT).copied().collect()
}

/// The outcomes' columns as they are read back.
pub(crate) fn kept_outcomes() -> Vec<(&'static str, &'static str)> {
    OUTCOMES.iter().chain(REPORTER).copied().collect()
}

/// The outcomes' columns in the order they are appended.
pub(crate) const OUTCOMES: &[(&str, &str)] = &[
    ("outcome_id", "UUID NOT NULL"),
    ("revision", "UINTEGER NOT NULL"),
    ("time_us", "BIGINT NOT NULL"),
    ("workload", "VARCHAR"),
    ("task_id", "VARCHAR NOT NULL"),
    ("result", "VARCHAR NOT NULL"),
    ("escalated", "BOOLEAN NOT NULL"),
    ("quality_bp", "USMALLINT"),
    ("value_usd", "BIGINT"),
    ("tickets_deflected", "UINTEGER"),
    ("conversions", "UINTEGER"),
    ("minutes_saved", "UINTEGER"),
];

/// `CREATE` text for a table's columns, with the computed `task_key` at the end.
pub(crate) fn columns_sql(columns: &[(&str, &str)]) -> String {
    let columns: Vec<_> = columns.iter().map(|(name, kind)| format!("\"{name}\" {kind}")).collect();
    columns.join(", ")
}

/// The names of a table's columns, quoted, separated by commas.
pub(crate) fn names_sql(columns: &[(&str, &str)]) -> String {
    let columns: Vec<_> = columns.iter().map(|(name, _)| format!("\"{name}\"")).collect();
    columns.join(", ")
}

/// Creates the tables of a new file, or checks the version of an old one. Returns the
/// version the file has: of an older one, [`upgrade`] brings it up to date.
///
/// # Errors
/// When the file is from a newer Tally, or DuckDB fails.
pub(crate) fn prepare(connection: &Connection) -> Result<i64, WarehouseError> {
    connection.execute_batch(
        "CREATE TABLE IF NOT EXISTS meta (key VARCHAR NOT NULL, value VARCHAR NOT NULL)",
    )?;
    let Some(text) = read_meta(connection, VERSION_KEY)? else {
        create(connection)?;
        return Ok(VERSION);
    };
    let found = text
        .parse::<i64>()
        .map_err(|_| WarehouseError::Corrupt(format!("schema version `{text}`")))?;
    if found > VERSION {
        return Err(WarehouseError::NewerSchema { found, known: VERSION });
    }
    Ok(found)
}

/// Adds what a file of an older version lacks and builds it from the events.
///
/// # Errors
/// When DuckDB fails; the caller's transaction must then be rolled back.
pub(crate) fn upgrade(
    connection: &Connection,
    calendar: &Calendar,
    from: i64,
) -> Result<(), WarehouseError> {
    let is_new = |table: &rollup::Table| match table.name {
        rollup::TASK_TABLE => from < 2,
        rollup::BY_PERSON => from < 4,
        rollup::TASK_TABLE_OF_PEOPLE => from < 7,
        _ => false,
    };
    if (2..6).contains(&from) {
        connection.execute_batch("ALTER TABLE task_parts RENAME TO rollup_task_parts")?;
    }
    for table in rollup::TABLES.iter().filter(|table| is_new(table)) {
        connection.execute_batch(&table.drop_sql())?;
        connection.execute_batch(&table.create_sql())?;
    }
    if from < 5 {
        connection.execute_batch(&policy_columns_sql())?;
    }
    if from < 8 {
        connection.execute_batch(&of_tasks_sql())?;
    }
    rollup::fill_new(connection, calendar, is_new)?;
    Ok(write_meta(connection, VERSION_KEY, &VERSION.to_string())?)
}

/// Calls of before had no policies, so nothing has to be rebuilt.
fn policy_columns_sql() -> String {
    let of_events = POLICIES
        .iter()
        .map(|(name, kind)| format!("ALTER TABLE events ADD COLUMN IF NOT EXISTS {name} {kind};"));
    let sums = rollup::TABLES.iter().filter(|table| table.content != rollup::Content::Tasks);
    let of_rollups = sums.map(|table| {
        let name = table.name;
        format!("ALTER TABLE {name} ADD COLUMN IF NOT EXISTS policy_violations BIGINT DEFAULT 0;")
    });
    of_events.chain(of_rollups).collect()
}

/// Nobody knows any more what was asked and who reported before.
fn of_tasks_sql() -> String {
    let add = |table: &str, columns: &[(&str, &str)]| -> String {
        let column = |(name, kind): &(&str, &str)| {
            format!("ALTER TABLE {table} ADD COLUMN IF NOT EXISTS {name} {kind};")
        };
        columns.iter().map(column).collect()
    };
    add("events", PROMPT) + &add("outcomes", REPORTER) + &add("task_results", REPORTER)
}

fn create(connection: &Connection) -> Result<(), WarehouseError> {
    let mut sql = format!(
        "BEGIN;
         CREATE TABLE events ({events}, task_key UBIGINT, {policies}, {prompt});
         CREATE TABLE event_keys (key UBIGINT NOT NULL);
         CREATE TABLE outcomes ({outcomes}, task_key UBIGINT, {reporter});
         CREATE TABLE outcome_keys (key UBIGINT NOT NULL);
         CREATE TABLE task_results ({outcomes}, task_key UBIGINT, {reporter});
         CREATE TABLE nodes (node UUID NOT NULL, sequence UBIGINT NOT NULL);",
        events = columns_sql(EVENTS),
        policies = columns_sql(POLICIES),
        prompt = columns_sql(PROMPT),
        outcomes = columns_sql(OUTCOMES),
        reporter = columns_sql(REPORTER),
    );
    sql.push_str(rollup::CREATE_SQL);
    for table in rollup::TABLES {
        sql.push_str(&table.create_sql());
    }
    sql.push_str(&format!("INSERT INTO meta VALUES ('schema_version', '{VERSION}'); COMMIT;"));
    Ok(connection.execute_batch(&sql)?)
}

/// A stored setting.
pub(crate) fn read_meta(
    connection: &Connection,
    key: &str,
) -> Result<Option<String>, duckdb::Error> {
    let mut statement = connection.prepare("SELECT value FROM meta WHERE key = ?")?;
    let mut rows = statement.query([key])?;
    rows.next()?.map(|row| row.get(0)).transpose()
}

/// Forgets a setting.
pub(crate) fn delete_meta(connection: &Connection, key: &str) -> Result<(), duckdb::Error> {
    connection.execute("DELETE FROM meta WHERE key = ?", [key])?;
    Ok(())
}

/// Stores a setting.
pub(crate) fn write_meta(
    connection: &Connection,
    key: &str,
    value: &str,
) -> Result<(), duckdb::Error> {
    connection.execute("DELETE FROM meta WHERE key = ?", [key])?;
    connection.execute("INSERT INTO meta VALUES (?, ?)", [key, value])?;
    Ok(())
}
