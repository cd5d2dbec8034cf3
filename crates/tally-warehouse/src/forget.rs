//! Forgetting who made calls, while what they cost stays: an amendment of each event, in
//! bounded batches, so that whatever else is to be written gets its turn.
//!
//! What is forgotten so stands in no row; what the file still holds of it in blocks that it
//! uses no more goes with [`Warehouse::overwrite`].

use duckdb::{Connection, params_from_iter};
use jiff::Timestamp;
use tally_types::{DataClass, KeyName, PersonName};

use crate::{
    error::WarehouseError,
    rollup,
    warehouse::Warehouse,
    zone::{self, QUARTER_US},
};

/// SQL: what of an event says who made it.
const NAMES_SOMEONE: &str = "(person IS NOT NULL OR user_agent IS NOT NULL OR session IS NOT NULL \
     OR tags IS NOT NULL OR (task_id IS NOT NULL AND workload IS NULL))";
/// SQL: whether the task is a person's own; a service's stays, as outcomes are joined by it.
const OWN_TASK: &str = "(person IS NOT NULL OR workload IS NULL)";
/// The columns that hold a client's own words.
const WORDS: [&str; 7] =
    ["application", "user_agent", "task_type", "task_id", "session", "value_tag", "tags"];
/// A shorter word is looked for as a whole only, as in the audit log.
const PART_CHARACTERS_MIN: usize = 4;

/// Which calls are to say no more who made them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Forget {
    /// Those with data of this class from before this time.
    Older {
        /// The class.
        class: DataClass,
        /// Events before this time, not at it.
        before: Timestamp,
    },
    /// Those of a person, by their name or by their keys, from before this time.
    Of {
        /// The person.
        person: PersonName,
        /// Their keys.
        keys: Vec<KeyName>,
        /// Events before this time, not at it.
        before: Timestamp,
    },
    /// Those whose tags, task, session or application quote this word.
    Quoting(String),
}

/// Events that wait to be forgotten.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Waiting {
    /// How many.
    pub events: u64,
    /// The time of the oldest.
    pub oldest: Option<Timestamp>,
}

/// SQL of a [`Forget`]: what matches, with its parameters, and what is set.
struct Statement {
    condition: String,
    parameters: Vec<String>,
    set: String,
    person: Option<String>,
}

// === impl Warehouse ===

impl Warehouse {
    /// How many events match any of these, and how old they are.
    ///
    /// # Errors
    /// When DuckDB fails.
    pub fn waiting(&self, any: &[Forget]) -> Result<Waiting, WarehouseError> {
        let (mut conditions, mut parameters) = (vec!["false".to_owned()], Vec::new());
        for which in any {
            let statement = which.statement(parameters.len() + 1);
            conditions.push(format!("({})", statement.condition));
            parameters.extend(statement.parameters);
        }
        self.read(|connection, _| {
            let sql = format!(
                "SELECT count(*), min(time_us) FROM events WHERE {}",
                conditions.join(" OR ")
            );
            let (events, oldest): (u64, Option<i64>) =
                connection.query_row(&sql, params_from_iter(&parameters), |row| {
                    Ok((row.get(0)?, row.get(1)?))
                })?;
            Ok(Waiting { events, oldest: oldest.map(zone::timestamp).transpose()? })
        })
    }

    /// Of the oldest `limit` events that match, takes away what says who made them; each gets
    /// a higher revision, and the rollups it is in are built anew. Gives how many there were:
    /// fewer than `limit` when none is left.
    ///
    /// # Errors
    /// When DuckDB fails; nothing of the batch is changed then.
    pub fn forget(&self, which: &Forget, limit: usize) -> Result<u64, WarehouseError> {
        let statement = which.statement(1);
        self.in_transaction(|connection, calendar| {
            forget_reporter(connection, &statement)?;
            let found = choose(connection, &statement, limit)?;
            if found == 0 {
                return Ok(0);
            }
            amend(connection, &statement)?;
            rollup::mark(connection, calendar, touched(connection)?.into_iter())?;
            connection.execute_batch("DROP TABLE forgotten")?;
            Ok(found)
        })
    }
}

/// What came of others' tasks stays; that this person said so does not.
fn forget_reporter(connection: &Connection, statement: &Statement) -> Result<(), WarehouseError> {
    let Some(person) = &statement.person else { return Ok(()) };
    for table in ["outcomes", "task_results"] {
        let sql = format!("UPDATE {table} SET reported_by = NULL WHERE reported_by = ?");
        connection.execute(&sql, [format!("person:{person}")])?;
    }
    Ok(())
}

/// Lists the events to amend in the temporary table `forgotten`, the oldest first.
fn choose(
    connection: &Connection,
    statement: &Statement,
    limit: usize,
) -> Result<u64, WarehouseError> {
    let condition = &statement.condition;
    // Two steps, as a parameter cannot stand in a statement that creates something.
    connection.execute_batch(
        "CREATE OR REPLACE TEMP TABLE forgotten (id UUID NOT NULL, time_us BIGINT NOT NULL)",
    )?;
    let found = connection.execute(
        &format!(
            "INSERT INTO forgotten SELECT event_id, time_us FROM events WHERE {condition} \
             ORDER BY time_us LIMIT {limit}"
        ),
        params_from_iter(&statement.parameters),
    )?;
    Ok(u64::try_from(found).unwrap_or(u64::MAX))
}

fn amend(connection: &Connection, statement: &Statement) -> Result<(), WarehouseError> {
    let sql = "SELECT min(time_us), max(time_us) FROM forgotten";
    let (first, last): (i64, i64) =
        connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let values = if statement.set.contains('$') { statement.parameters.as_slice() } else { &[] };
    connection.execute(
        &format!(
            "UPDATE events SET revision = revision + 1, {} WHERE time_us BETWEEN {first} AND {last} \
             AND event_id IN (SELECT id FROM forgotten)",
            statement.set
        ),
        params_from_iter(values),
    )?;
    // What was posted stays as it is, and is of the amended call: its amounts are the same, so no closed month is corrected.
    connection.execute_batch(
        "UPDATE postings SET revision = revision + 1 WHERE event_id IN (SELECT id FROM forgotten)",
    )?;
    // These days are built anew; until then the rollups must not name who was erased.
    if let Some(person) = &statement.person {
        for table in rollup::TABLES.iter().filter(|table| table.names_people()) {
            let key = if table.names_keys() { ", \"key\" = NULL" } else { "" };
            let sql = format!("UPDATE {} SET person = NULL{key} WHERE person = ?", table.name);
            connection.execute(&sql, [person])?;
        }
    }
    Ok(())
}

/// The quarter-hours of the listed events.
fn touched(connection: &Connection) -> Result<Vec<i64>, WarehouseError> {
    let sql = format!("SELECT DISTINCT time_us // {QUARTER_US} * {QUARTER_US} FROM forgotten");
    let mut statement = connection.prepare(&sql)?;
    let times = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(times)
}

// === impl Forget ===

impl Forget {
    /// Its parameters are numbered from `first` on.
    fn statement(&self, first: usize) -> Statement {
        let own_task =
            |column: &str| format!("{column} = CASE WHEN {OWN_TASK} THEN NULL ELSE {column} END");
        let person_of = "person = NULL, user_agent = NULL, session = NULL, tags = NULL, prompt_fingerprint = NULL";
        let tasks = format!("{}, {}", own_task("task_id"), own_task("task_key"));
        match self {
            Self::Older { class, before } => Statement {
                condition: format!(
                    "data_class = ${first} AND time_us < {} AND {NAMES_SOMEONE}",
                    before.as_microsecond()
                ),
                parameters: vec![class.as_str().to_owned()],
                // A service's key names nobody.
                set: format!(
                    "{person_of}, {tasks}, \
                     \"key\" = CASE WHEN person IS NOT NULL THEN NULL ELSE \"key\" END"
                ),
                person: None,
            },
            Self::Of { person, keys, before } => {
                let marks: Vec<_> =
                    (1..=keys.len()).map(|index| format!("${}", first + index)).collect();
                let keys_sql = match marks.as_slice() {
                    [] => String::new(),
                    marks => format!(" OR \"key\" IN ({})", marks.join(", ")),
                };
                let names = keys.iter().map(ToString::to_string);
                Statement {
                    condition: format!(
                        "time_us < {} AND (person = ${first}{keys_sql})",
                        before.as_microsecond()
                    ),
                    parameters: std::iter::once(person.to_string()).chain(names).collect(),
                    set: format!("{person_of}, \"key\" = NULL, {tasks}"),
                    person: Some(person.to_string()),
                }
            }
            Self::Quoting(word) => quoting(word, first),
        }
    }
}

/// Only the fields that quote the word go.
fn quoting(word: &str, first: usize) -> Statement {
    let is_part = word.chars().count() >= PART_CHARACTERS_MIN;
    let quotes = |column: &str| match is_part {
        true => format!("coalesce(contains({column}, ${first}), false)"),
        false => format!("coalesce({column} = ${first}, false)"),
    };
    let any: Vec<_> = WORDS.iter().map(|column| quotes(column)).collect();
    let set = |column: &str, quotes: String| {
        format!("{column} = CASE WHEN {quotes} THEN NULL ELSE {column} END")
    };
    let mut sets: Vec<_> = WORDS.iter().map(|column| set(column, quotes(column))).collect();
    sets.push(set("task_key", quotes("task_id")));
    Statement {
        condition: format!("({})", any.join(" OR ")),
        parameters: vec![word.to_owned()],
        set: sets.join(", "),
        person: None,
    }
}
