//! The database: opening, migrating, and every statement.
//!
//! Only SQL that SQLite and PostgreSQL understand alike; JSON and timestamps (RFC 3339)
//! are TEXT.

use std::{path::Path, time::Duration};

use serde_json::Value;
use sqlx::{
    Any, AnyConnection, AnyPool, AssertSqlSafe, Row, Transaction,
    any::{AnyPoolOptions, AnyRow},
    pool::PoolConnection,
};
use tally_types::{Kind, Name, Resource, Timestamp};

use crate::{AuditAction, AuditEntry, AuditFilter, ResourceId, StoreError, log};

/// Applied in order, each once; never edit one that was released.
const MIGRATIONS: &[&str] = &[
    include_str!("../migrations/0001_resources.sql"),
    include_str!("../migrations/0002_accounts.sql"),
    include_str!("../migrations/0003_notices.sql"),
    include_str!("../migrations/0004_audit_log.sql"),
    include_str!("../migrations/0005_violations.sql"),
    include_str!("../migrations/0006_reconciliations.sql"),
];
/// The migration after which the entries that are there already become leaves.
const AUDIT_LOG_MIGRATION: i64 = 4;

const RESOURCE_SELECT: &str = "select kind, name, version, spec, status, applied_by, created_at, \
                               updated_at from resource where kind = $1 and name = $2";

/// The connections.
#[derive(Debug, Clone)]
pub(crate) struct Database {
    pool: AnyPool,
}

/// What one resource's row is to become.
pub(crate) enum RowWrite<'a> {
    Insert { spec: &'a Value, applied_by: Option<&'a str> },
    Update { expected: i64, spec: &'a Value, applied_by: Option<&'a str> },
    Owner { applied_by: Option<&'a str> },
    Delete,
}

/// The address of a SQLite database in a file, created when missing, for
/// [`Store::open`](crate::Store::open).
pub fn sqlite_url(path: &Path) -> String {
    use std::fmt::Write as _;

    let mut url = "sqlite://".to_owned();
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'_' | b'-' => {
                url.push(char::from(*byte));
            }
            // Writing to a string cannot fail.
            _ => write!(url, "%{byte:02X}").unwrap_or_default(),
        }
    }
    url + "?mode=rwc"
}

pub(crate) fn backend(error: impl std::fmt::Display) -> StoreError {
    StoreError::Backend(error.to_string())
}

// === impl Database ===

impl Database {
    pub(crate) async fn open(url: &str, now: Timestamp) -> Result<Self, StoreError> {
        sqlx::any::install_default_drivers();
        let is_sqlite = url.starts_with("sqlite:");
        // One connection puts SQLite's writers in line without a busy error, and keeps a
        // database in memory alive.
        let options = AnyPoolOptions::new()
            .max_connections(if is_sqlite { 1 } else { 8 })
            .acquire_timeout(Duration::from_secs(30));
        let options = if is_sqlite {
            options.idle_timeout(None).max_lifetime(None).after_connect(|connection, _| {
                Box::pin(async move { prepare_sqlite(connection).await })
            })
        } else {
            options
        };
        let database = Self { pool: options.connect(url).await? };
        database.migrate(is_sqlite, now).await?;
        Ok(database)
    }

    async fn migrate(&self, is_sqlite: bool, now: Timestamp) -> Result<(), StoreError> {
        sqlx::query(
            "create table if not exists schema_version \
             (version bigint not null primary key, applied_at text not null)",
        )
        .execute(&self.pool)
        .await?;
        let found: i64 = sqlx::query("select coalesce(max(version), 0) from schema_version")
            .fetch_one(&self.pool)
            .await?
            .try_get(0)?;
        let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
        if found > known {
            return Err(StoreError::NewerSchema { found, known });
        }
        let (collation, bytes) =
            if is_sqlite { ("collate binary", "blob") } else { ("collate \"C\"", "bytea") };
        for (version, sql) in (1_i64..).zip(MIGRATIONS).filter(|(version, _)| *version > found) {
            let mut tx = self.pool.begin().await?;
            let sql = sql.replace("/* binary */", collation).replace("/* bytes */", bytes);
            sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *tx).await?;
            if version == AUDIT_LOG_MIGRATION {
                log::append_existing(&mut tx).await?;
            }
            sqlx::query("insert into schema_version (version, applied_at) values ($1, $2)")
                .bind(version)
                .bind(now.to_string())
                .execute(&mut *tx)
                .await?;
            tx.commit().await?;
            tracing::info!(version, "migrated the store's tables");
        }
        Ok(())
    }

    pub(crate) async fn begin(&self) -> Result<Transaction<'static, Any>, StoreError> {
        Ok(self.pool.begin().await?)
    }

    pub(crate) async fn connection(&self) -> Result<PoolConnection<Any>, StoreError> {
        Ok(self.pool.acquire().await?)
    }

    pub(crate) async fn close(&self) {
        self.pool.close().await;
    }

    pub(crate) async fn get(&self, id: &ResourceId) -> Result<Option<Resource>, StoreError> {
        let mut connection = self.pool.acquire().await?;
        read(&mut connection, id).await
    }

    pub(crate) async fn list(
        &self,
        kind: Kind,
        after: &str,
        prefix: &str,
        limit: i64,
    ) -> Result<Vec<Resource>, StoreError> {
        let rows = sqlx::query(
            "select kind, name, version, spec, status, applied_by, created_at, updated_at \
             from resource where kind = $1 and name > $2 \
             and substr(name, 1, cast($3 as integer)) = $4 order by name limit $5",
        )
        .bind(kind.as_str())
        .bind(after)
        .bind(i64::try_from(prefix.len()).unwrap_or(i64::MAX))
        .bind(prefix)
        .bind(limit)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(resource).collect()
    }

    /// Whether there was such a resource.
    pub(crate) async fn set_status(
        &self,
        id: &ResourceId,
        status: &Value,
    ) -> Result<bool, StoreError> {
        let done = sqlx::query("update resource set status = $3 where kind = $1 and name = $2")
            .bind(id.kind.as_str())
            .bind(id.name.as_str())
            .bind(status.to_string())
            .execute(&self.pool)
            .await?;
        Ok(done.rows_affected() > 0)
    }

    /// Empties the write-ahead log, which holds pages as they were before.
    pub(crate) async fn empty_log(&self) -> Result<(), StoreError> {
        let mut connection = self.connection().await?;
        if connection.backend_name() == "SQLite" {
            sqlx::query("pragma wal_checkpoint(truncate)").execute(&mut *connection).await?;
        }
        Ok(())
    }

    pub(crate) async fn audit(&self, filter: &AuditFilter) -> Result<Vec<AuditEntry>, StoreError> {
        let sql = match filter.before_sequence {
            None => {
                "select sequence, recorded_at, actor, action, kind, name, version, spec_before, \
                 spec_after, note from audit where sequence > $1 and sequence < $2 \
                 and ($3 = '' or kind = $3) and ($4 = '' or name = $4) \
                 and ($6 = '' or action = $6) \
                 order by sequence limit $5"
            }
            Some(_) => {
                "select sequence, recorded_at, actor, action, kind, name, version, spec_before, \
                 spec_after, note from audit where sequence > $1 and sequence < $2 \
                 and ($3 = '' or kind = $3) and ($4 = '' or name = $4) \
                 and ($6 = '' or action = $6) \
                 order by sequence desc limit $5"
            }
        };
        let limit = if filter.limit == 0 { 100 } else { filter.limit.min(1_000) };
        let rows = sqlx::query(sql)
            .bind(filter.after_sequence)
            .bind(filter.before_sequence.unwrap_or(i64::MAX))
            .bind(filter.kind.map_or("", Kind::as_str))
            .bind(filter.name.as_ref().map_or("", Name::as_str))
            .bind(i64::from(limit))
            .bind(filter.action.map_or("", AuditAction::as_str))
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(audit_entry).collect()
    }
}

async fn prepare_sqlite(connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    restrict_new_file(connection).await?;
    // WAL lets a backup read while Tally writes; FULL makes a commit survive power loss.
    for pragma in [
        "pragma busy_timeout = 10000",
        "pragma journal_mode = wal",
        "pragma synchronous = full",
        "pragma foreign_keys = on",
        // What was erased leaves no trace in free pages.
        "pragma secure_delete = on",
    ] {
        sqlx::query(pragma).execute(&mut *connection).await?;
    }
    Ok(())
}

/// A database that was just created is readable by its owner only; its side files inherit
/// that. One that exists keeps what someone may have chosen.
async fn restrict_new_file(connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    let pages: i64 =
        sqlx::query("pragma page_count").fetch_one(&mut *connection).await?.try_get(0)?;
    let file: String = sqlx::query("select file from pragma_database_list where name = 'main'")
        .fetch_one(&mut *connection)
        .await?
        .try_get(0)?;
    #[cfg(unix)]
    if pages == 0 && !file.is_empty() {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600))?;
    }
    Ok(())
}

/// Waits for other writers and tells the sequence of the last committed audit entry.
pub(crate) async fn lock_revision(connection: &mut AnyConnection) -> Result<i64, StoreError> {
    let row = sqlx::query("update revision set value = value where id = 1 returning value")
        .fetch_one(connection)
        .await?;
    Ok(row.try_get(0)?)
}

pub(crate) async fn set_revision(
    connection: &mut AnyConnection,
    value: i64,
) -> Result<(), StoreError> {
    sqlx::query("update revision set value = $1 where id = 1")
        .bind(value)
        .execute(connection)
        .await?;
    Ok(())
}

/// Every resource.
pub(crate) async fn read_all(connection: &mut AnyConnection) -> Result<Vec<Resource>, StoreError> {
    let rows = sqlx::query(
        "select kind, name, version, spec, status, applied_by, created_at, updated_at \
         from resource",
    )
    .fetch_all(connection)
    .await?;
    rows.iter().map(resource).collect()
}

pub(crate) async fn read(
    connection: &mut AnyConnection,
    id: &ResourceId,
) -> Result<Option<Resource>, StoreError> {
    let row = sqlx::query(RESOURCE_SELECT)
        .bind(id.kind.as_str())
        .bind(id.name.as_str())
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(resource).transpose()
}

/// Changes one row; fails when it is not as expected.
pub(crate) async fn write(
    connection: &mut AnyConnection,
    id: &ResourceId,
    write: RowWrite<'_>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (kind, name) = (id.kind.as_str(), id.name.as_str());
    let query = match write {
        RowWrite::Insert { spec, applied_by } => sqlx::query(
            "insert into resource \
             (kind, name, version, spec, status, applied_by, created_at, updated_at) \
             values ($1, $2, 1, $3, 'null', $4, $5, $5)",
        )
        .bind(kind)
        .bind(name)
        .bind(spec.to_string())
        .bind(applied_by)
        .bind(now.to_string()),
        RowWrite::Update { expected, spec, applied_by } => sqlx::query(
            "update resource set version = version + 1, spec = $4, applied_by = $5, \
             updated_at = $6 where kind = $1 and name = $2 and version = $3",
        )
        .bind(kind)
        .bind(name)
        .bind(expected)
        .bind(spec.to_string())
        .bind(applied_by)
        .bind(now.to_string()),
        RowWrite::Owner { applied_by } => {
            sqlx::query("update resource set applied_by = $3 where kind = $1 and name = $2")
                .bind(kind)
                .bind(name)
                .bind(applied_by)
        }
        RowWrite::Delete => {
            sqlx::query("delete from resource where kind = $1 and name = $2").bind(kind).bind(name)
        }
    };
    let rows = query.execute(connection).await?.rows_affected();
    // The revision's lock makes this impossible unless someone writes around the store.
    if rows == 1 {
        Ok(())
    } else {
        Err(backend(format!("{id} was changed behind the store's back")))
    }
}

pub(crate) fn parsed<T>(row: &AnyRow, column: &str) -> Result<T, StoreError>
where
    T: std::str::FromStr<Err: std::fmt::Display>,
{
    let text: String = row.try_get(column)?;
    text.parse().map_err(|error| backend(format!("column `{column}`: {error}")))
}

fn json(row: &AnyRow, column: &str) -> Result<Option<Value>, StoreError> {
    let text: Option<String> = row.try_get(column)?;
    text.map(|text| serde_json::from_str(&text))
        .transpose()
        .map_err(|error| backend(format!("column `{column}`: {error}")))
}

fn resource(row: &AnyRow) -> Result<Resource, StoreError> {
    Ok(Resource {
        kind: parsed(row, "kind")?,
        name: parsed(row, "name")?,
        version: row.try_get("version")?,
        spec: json(row, "spec")?.unwrap_or_default(),
        status: json(row, "status")?.unwrap_or_default(),
        applied_by: row.try_get("applied_by")?,
        created_at: parsed(row, "created_at")?,
        updated_at: parsed(row, "updated_at")?,
    })
}

fn audit_entry(row: &AnyRow) -> Result<AuditEntry, StoreError> {
    Ok(AuditEntry {
        sequence: row.try_get("sequence")?,
        time: parsed(row, "recorded_at")?,
        actor: row.try_get("actor")?,
        action: parsed(row, "action")?,
        kind: parsed(row, "kind")?,
        name: parsed(row, "name")?,
        version: row.try_get("version")?,
        before: json(row, "spec_before")?,
        after: json(row, "spec_after")?,
        note: row.try_get("note")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_escape_what_would_be_read_as_a_query() {
        assert_eq!(
            sqlite_url(Path::new("/var/a b?c#d%.db")),
            "sqlite:///var/a%20b%3Fc%23d%25.db?mode=rwc"
        );
    }
}
