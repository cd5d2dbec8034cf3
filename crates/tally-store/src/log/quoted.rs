//! Where others quoted a person: what they asked for and decided, what people were told.

use std::collections::BTreeSet;

use serde_json::Value;
use sqlx::{AnyConnection, AssertSqlSafe, Row as _};
use tally_types::Kind;

use super::erase::{clear, cleared, like};
use crate::{
    AuditAction, ResourceId, StoreError,
    change::Change,
    database::backend,
    state::{Entry, Plan},
    store::checked,
};

/// Tables with what people were told or said, as `table`, its key, and columns of text; what is
/// in `notice` and `reached` is JSON.
const TOLD: [(&str, &str, &[&str]); 4] = [
    ("violation_acknowledgement", "event_id", &["note"]),
    ("notification", "sequence", &["title", "body"]),
    ("delivery", "sequence", &["notice", "last_error"]),
    ("stage_event", "sequence", &["reached"]),
];

/// Clears the words from resources in which people write sentences. Names stay, and with them
/// whatever refers to them.
pub(super) fn clear_resources(
    change: &Change<'_>,
    plan: &mut Plan,
    person: &ResourceId,
    words: &BTreeSet<String>,
) -> Result<u64, StoreError> {
    let mut cleared = 0;
    for (id, entry) in &change.state().entries {
        let has_sentences = id.kind.is_record() || id.kind == Kind::Workload;
        // How they appear on scoreboards goes whole.
        let is_choice = id.kind == Kind::ScoreboardChoice && id.name == person.name;
        if !has_sentences || id == person || is_choice {
            continue;
        }
        let mut spec = entry.spec.clone();
        // All of them, not only the first.
        if words.iter().filter(|word| clear(&mut spec, word)).count() == 0 {
            continue;
        }
        let typed = checked(id, &spec)?;
        let applied_by = entry.applied_by.clone();
        let next = Entry { version: entry.version + 1, applied_by, spec, typed };
        plan.edit(id, AuditAction::Update, Some(next));
        cleared += 1;
    }
    Ok(cleared)
}

/// Clears the words from what people were told, and from replies that are kept for a day in
/// case a request comes again.
pub(super) async fn clear_notices(
    connection: &mut AnyConnection,
    words: &BTreeSet<String>,
) -> Result<u64, StoreError> {
    let mut rows = 0;
    for word in words {
        for (table, key, columns) in TOLD {
            for column in columns {
                rows += clear_column(connection, (table, key, column), word).await?;
            }
        }
        rows += clear_replies(connection, word).await?;
    }
    Ok(rows)
}

async fn clear_column(
    connection: &mut AnyConnection,
    (table, key, column): (&str, &str, &str),
    word: &str,
) -> Result<u64, StoreError> {
    let is_json = ["notice", "reached"].contains(&column);
    let quoted = Value::from(word).to_string();
    let wanted = if is_json { quoted.trim_matches('"') } else { word };
    // Keys are numbers here and words there.
    let key = format!("cast({key} as text)");
    let sql = format!("select {key}, {column} from {table} where coalesce({column}, '') like $1");
    let rows =
        sqlx::query(AssertSqlSafe(sql)).bind(like(wanted)).fetch_all(&mut *connection).await?;
    let sql = format!("update {table} set {column} = $2 where {key} = $1");
    let mut changed = 0;
    for row in rows {
        let text: String = row.try_get(1)?;
        let rest = if is_json {
            let mut value: Value = serde_json::from_str(&text).map_err(backend)?;
            clear(&mut value, word).then(|| value.to_string())
        } else {
            cleared(&text, word)
        };
        let Some(rest) = rest else { continue };
        sqlx::query(AssertSqlSafe(sql.clone()))
            .bind(row.try_get::<String, _>(0)?)
            .bind(rest)
            .execute(&mut *connection)
            .await?;
        changed += 1;
    }
    Ok(changed)
}

/// A reply is JSON or a table; in both the words stand as they are.
async fn clear_replies(connection: &mut AnyConnection, word: &str) -> Result<u64, StoreError> {
    let sql = "select key_hash, body from idempotency where body is not null";
    let mut changed = 0;
    for row in sqlx::query(sql).fetch_all(&mut *connection).await? {
        let body: Vec<u8> = row.try_get(1)?;
        let Ok(text) = String::from_utf8(body) else { continue };
        let Some(rest) = cleared(&text, word) else { continue };
        sqlx::query("update idempotency set body = $2 where key_hash = $1")
            .bind(row.try_get::<String, _>(0)?)
            .bind(rest.into_bytes())
            .execute(&mut *connection)
            .await?;
        changed += 1;
    }
    Ok(changed)
}
