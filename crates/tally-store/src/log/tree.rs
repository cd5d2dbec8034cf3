//! The tree's hashes in their table.

use std::{collections::BTreeMap, fmt::Write as _};

use sqlx::{AnyConnection, AssertSqlSafe, Row as _};
use tally_audit::{
    Hash256,
    tree::{self, Step},
};

use super::rows::{AuditRow, COLUMNS, Opening};
use crate::{
    AuditEntry, StoreError,
    database::{backend, parsed},
};

/// Rows of one statement; both databases take many more parameters.
const ROWS_AT_ONCE: usize = 200;
const EXISTING_AT_ONCE: i64 = 2_000;

/// Writes an entry of the audit trail and appends its leaf to the log.
pub(crate) async fn write(
    connection: &mut AnyConnection,
    entry: &AuditEntry,
) -> Result<(), StoreError> {
    let row = AuditRow::of(entry);
    sqlx::query(
        "insert into audit (sequence, recorded_at, actor, action, kind, name, version, \
         spec_before, spec_after, note) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(row.sequence)
    .bind(&row.time)
    .bind(&row.actor)
    .bind(&row.action)
    .bind(&row.kind)
    .bind(&row.name)
    .bind(row.version)
    .bind(row.before.as_deref())
    .bind(row.after.as_deref())
    .bind(row.note.as_deref())
    .execute(&mut *connection)
    .await?;
    append(connection, &[row]).await
}

/// Makes entries the next leaves, with random seeds for what they commit to.
async fn append(connection: &mut AnyConnection, rows: &[AuditRow]) -> Result<(), StoreError> {
    let mut known = BTreeMap::new();
    let mut hashes = Vec::with_capacity(rows.len() * 2);
    let mut openings = Vec::with_capacity(rows.len());
    for row in rows {
        let index = row.index()?;
        let missing = tree::append_needs(index);
        let missing: Vec<u64> = missing.into_iter().filter(|at| !known.contains_key(at)).collect();
        known.extend(read(connection, &missing).await?);
        let opening = Opening::Seed(Hash256(rand::random()));
        let leaf = row.log_entry(&opening)?.leaf();
        let added = tree::append(index, leaf, &known).map_err(backend)?;
        known.extend(added.iter().copied());
        hashes.extend(added.into_iter().map(|(at, hash)| (number(at), hash.to_string())));
        openings.push((row.sequence, opening.to_text()));
    }
    insert(connection, "insert into audit_hash (position, hash) values", &hashes).await?;
    insert(connection, "insert into audit_opening (sequence, opening) values", &openings).await
}

/// Makes leaves of the entries of a store that had no tree yet.
pub(crate) async fn append_existing(connection: &mut AnyConnection) -> Result<(), StoreError> {
    let sql =
        format!("select {COLUMNS} from audit a where a.sequence > $1 order by a.sequence limit $2");
    let mut after = 0;
    loop {
        let rows = sqlx::query(AssertSqlSafe(sql.clone()))
            .bind(after)
            .bind(EXISTING_AT_ONCE)
            .fetch_all(&mut *connection)
            .await?;
        let rows: Vec<AuditRow> = rows.iter().map(AuditRow::read).collect::<Result<_, _>>()?;
        let Some(last) = rows.last() else { return Ok(()) };
        after = last.sequence;
        append(connection, &rows).await?;
    }
}

/// The proof, or the root alone.
pub(super) async fn compute(
    connection: &mut AnyConnection,
    step: Step,
) -> Result<Vec<Hash256>, StoreError> {
    let needs = step.needs().map_err(|error| StoreError::Argument(error.to_string()))?;
    let known = read(connection, &needs).await?;
    step.compute(&known).map_err(backend)
}

pub(super) async fn root(connection: &mut AnyConnection, size: u64) -> Result<Hash256, StoreError> {
    let root = compute(connection, Step::Root { size }).await?;
    root.first().copied().ok_or_else(|| backend("a tree without a root"))
}

async fn read(
    connection: &mut AnyConnection,
    positions: &[u64],
) -> Result<BTreeMap<u64, Hash256>, StoreError> {
    let mut known = BTreeMap::new();
    for some in positions.chunks(ROWS_AT_ONCE) {
        let list: Vec<String> = some.iter().map(u64::to_string).collect();
        let sql = format!(
            "select position, hash from audit_hash where position in ({})",
            list.join(", ")
        );
        for row in sqlx::query(AssertSqlSafe(sql)).fetch_all(&mut *connection).await? {
            let position: i64 = row.try_get("position")?;
            known.insert(u64::try_from(position).map_err(backend)?, parsed(&row, "hash")?);
        }
    }
    Ok(known)
}

async fn insert(
    connection: &mut AnyConnection,
    statement: &str,
    rows: &[(i64, String)],
) -> Result<(), StoreError> {
    for some in rows.chunks(ROWS_AT_ONCE) {
        let mut sql = statement.to_owned();
        for at in 0..some.len() {
            let comma = if at == 0 { "" } else { "," };
            // Writing to a string cannot fail.
            write!(sql, "{comma} (${}, ${})", at * 2 + 1, at * 2 + 2).unwrap_or_default();
        }
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for (number, text) in some {
            query = query.bind(*number).bind(text);
        }
        query.execute(&mut *connection).await?;
    }
    Ok(())
}

fn number(position: u64) -> i64 {
    // A tree of 2^48 entries has fewer than 2^49 hashes.
    i64::try_from(position).unwrap_or(i64::MAX)
}
