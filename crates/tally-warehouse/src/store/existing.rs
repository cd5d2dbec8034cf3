//! Finding which ids are already stored, without scanning the table for new ones.
//!
//! Ids of version 7 begin with their time, so the table's zone maps leave only a
//! few row groups to look at. Of any other id (sent by a client, derived from a
//! provider's request) eight bytes are kept in a narrow table, which is read whole:
//! about 5 ms per million ids and batch. Ids found there are then looked for among
//! the rows. (A unique index takes longer to checkpoint than all the rows.)

use std::collections::{HashMap, HashSet};

use duckdb::Connection;
use uuid::Uuid;

use super::batch::{self, Row};
use crate::error::WarehouseError;

/// Ids of version 7 further apart than this are looked up separately: an hour.
const CLUSTER_GAP_MS: u128 = 3_600_000;
/// More clusters than this are looked up as one.
const CLUSTERS_MAX: usize = 16;

/// A table kept by id.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target {
    pub(crate) table: &'static str,
    pub(crate) id: &'static str,
    pub(crate) keys: &'static str,
}

/// A stored row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stored {
    pub(crate) revision: u32,
    pub(crate) time_us: i64,
}

/// The stored rows with the ids of these.
///
/// # Errors
/// When DuckDB fails.
pub(crate) fn find<R: Row>(
    connection: &Connection,
    target: Target,
    rows: &[&R],
) -> Result<HashMap<Uuid, Stored>, WarehouseError> {
    let mut found = HashMap::new();
    let (mut timed, untimed): (Vec<Uuid>, Vec<Uuid>) =
        rows.iter().map(|row| row.id()).partition(|id| id.get_version_num() == 7);
    if !timed.is_empty() {
        timed.sort_unstable();
        batch::load_ids(connection, "lookup", timed.iter().copied())?;
        let id = target.id;
        for (first, last) in clusters(&timed) {
            let condition = format!("{id} BETWEEN '{first}'::UUID AND '{last}'::UUID");
            select(connection, target, &condition, &mut found)?;
        }
    }
    let known = known_keys(connection, target, &untimed)?;
    if !known.is_empty() {
        batch::load_ids(connection, "lookup", known.iter().copied())?;
        let times = rows.iter().map(|row| row.time_us());
        let (first, last) = (times.clone().min().unwrap_or(0), times.max().unwrap_or(0));
        // The same thing seen again mostly has the same time; else look everywhere.
        let near = format!("time_us BETWEEN {first} AND {last}");
        select(connection, target, &near, &mut found)?;
        if known.iter().any(|id| !found.contains_key(id)) {
            select(connection, target, "true", &mut found)?;
        }
    }
    Ok(found)
}

/// Remembers the ids that carry no time; returns those that may be stored already.
fn known_keys(
    connection: &Connection,
    target: Target,
    ids: &[Uuid],
) -> Result<Vec<Uuid>, WarehouseError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    connection.execute_batch("CREATE OR REPLACE TEMP TABLE lookup_keys (key UBIGINT NOT NULL)")?;
    let lookup = connection.appender_to_catalog_and_db("lookup_keys", "temp", "main")?;
    batch::append_keys(lookup, ids.iter().map(|id| key(*id)))?;
    let sql = format!("SELECT key FROM {} WHERE key IN (SELECT key FROM lookup_keys)", target.keys);
    let mut statement = connection.prepare(&sql)?;
    let old = statement.query_map([], |row| row.get(0))?.collect::<Result<HashSet<u64>, _>>()?;
    let (known, new): (Vec<Uuid>, Vec<Uuid>) = ids.iter().partition(|id| old.contains(&key(**id)));
    batch::append_keys(connection.appender(target.keys)?, new.into_iter().map(key))?;
    Ok(known)
}

/// Half of an id's bits: equal for equal ids, rarely equal for others.
fn key(id: Uuid) -> u64 {
    let (high, low) = id.as_u64_pair();
    high ^ low
}

fn select(
    connection: &Connection,
    target: Target,
    condition: &str,
    found: &mut HashMap<Uuid, Stored>,
) -> Result<(), WarehouseError> {
    let Target { table, id, .. } = target;
    let sql = format!(
        "SELECT {id}::VARCHAR, revision, time_us FROM {table} \
         WHERE {condition} AND {id} IN (SELECT id FROM lookup)"
    );
    let mut statement = connection.prepare(&sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let text: String = row.get(0)?;
        let id = Uuid::parse_str(&text)
            .map_err(|error| WarehouseError::Corrupt(format!("id `{text}`: {error}")))?;
        found.insert(id, Stored { revision: row.get(1)?, time_us: row.get(2)? });
    }
    Ok(())
}

/// Ranges of sorted ids of version 7 that lie close in time.
fn clusters(sorted: &[Uuid]) -> Vec<(Uuid, Uuid)> {
    let milliseconds = |id: Uuid| id.as_u128() >> 80;
    let mut ranges: Vec<(Uuid, Uuid)> = Vec::new();
    for id in sorted {
        match ranges.last_mut() {
            Some((_, last)) if milliseconds(*id) - milliseconds(*last) <= CLUSTER_GAP_MS => {
                *last = *id;
            }
            _ => ranges.push((*id, *id)),
        }
    }
    match (ranges.first(), ranges.last()) {
        (Some((first, _)), Some((_, last))) if ranges.len() > CLUSTERS_MAX => {
            vec![(*first, *last)]
        }
        _ => ranges,
    }
}
