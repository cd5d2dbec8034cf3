//! Replies kept for a day, so that a request sent twice is served once.
//!
//! A request is begun, served, and then finished with its reply or forgotten. Whoever
//! begins the same one meanwhile is told so.

use sqlx::{AnyConnection, Row};

use crate::{Store, StoreError};

/// A larger reply is not kept, only that there was one.
pub const REPLY_BYTES_MAX: usize = 64 << 10;
/// Rows; what expired goes first, then the oldest.
const ROWS_MAX: i64 = 100_000;
const LIFE_MS: i64 = 24 * 3_600 * 1_000;
/// Whoever began and did not finish for so long is gone.
const ABANDONED_MS: i64 = 2 * 60 * 1_000;
/// Rows are counted each time so many were added.
const TIDY_EVERY: i64 = 256;

/// The kept replies; see [`Store::idempotency`].
#[derive(Debug, Clone)]
pub struct Idempotency {
    store: Store,
}

/// The right to finish or forget what was begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket {
    key_hash: String,
    /// Tells it from the ticket of whoever took over after it was given up.
    begun_ms: i64,
}

/// What became of an attempt to begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begun {
    /// Nobody served this request yet: serve it, then [`finish`](Idempotency::finish) or
    /// [`forget`](Idempotency::forget) it.
    Fresh(Ticket),
    /// Someone is serving it.
    InProgress,
    /// The key was used for another request.
    Mismatch,
    /// It was served with this reply.
    Done(Kept),
}

/// A reply as it was.
#[derive(Clone, PartialEq, Eq)]
pub struct Kept {
    /// The HTTP status.
    pub status: u16,
    /// The content type; empty without one.
    pub content_type: String,
    /// The body; none when it was too large to keep, or was not to be kept.
    pub body: Option<Vec<u8>>,
}

// === impl Store ===

impl Store {
    /// The replies kept for requests that may be repeated.
    pub fn idempotency(&self) -> Idempotency {
        Idempotency { store: self.clone() }
    }
}

// === impl Idempotency ===

impl Idempotency {
    /// Begins a request; `key_hash` stands for its caller and key, `request_hash` for all
    /// that the key must not be reused for: method, path and body.
    ///
    /// # Errors
    /// `Backend`.
    pub async fn begin(&self, key_hash: &str, request_hash: &str) -> Result<Begun, StoreError> {
        let now = self.store.now().as_millisecond();
        let mut tx = self.store.database().begin().await?;
        // A write comes first, as SQLite refuses to make a reader a writer under load.
        let written = sqlx::query(
            "insert into idempotency (key_hash, request_hash, begun_ms, expires_ms) \
             values ($1, $2, $3, $4) on conflict (key_hash) do update set \
             request_hash = excluded.request_hash, begun_ms = excluded.begun_ms, \
             expires_ms = excluded.expires_ms, status = null, content_type = null, body = null \
             where idempotency.expires_ms <= $3 \
             or (idempotency.status is null and idempotency.begun_ms <= $5)",
        )
        .bind(key_hash)
        .bind(request_hash)
        .bind(now)
        .bind(now.saturating_add(LIFE_MS))
        .bind(now.saturating_sub(ABANDONED_MS))
        .execute(&mut *tx)
        .await?;
        let begun = if written.rows_affected() > 0 {
            if self.store.is_time_to_tidy(TIDY_EVERY) {
                tidy(&mut tx, now, ROWS_MAX - TIDY_EVERY).await?;
            }
            Begun::Fresh(Ticket { key_hash: key_hash.to_owned(), begun_ms: now })
        } else {
            read(&mut tx, key_hash, request_hash).await?
        };
        tx.commit().await?;
        Ok(begun)
    }

    /// Keeps the reply. A body over [`REPLY_BYTES_MAX`] is not kept, nor is one that the
    /// caller leaves out because it holds a secret: then a repetition learns that the
    /// request was served, and how, but not the body. Tells whether the body is kept.
    ///
    /// # Errors
    /// `Backend`.
    pub async fn finish(&self, ticket: &Ticket, reply: Kept) -> Result<bool, StoreError> {
        let body = reply.body.filter(|body| body.len() <= REPLY_BYTES_MAX);
        let is_kept = body.is_some();
        sqlx::query(
            "update idempotency set status = $3, content_type = $4, body = $5 \
             where key_hash = $1 and begun_ms = $2",
        )
        .bind(&ticket.key_hash)
        .bind(ticket.begun_ms)
        .bind(i64::from(reply.status))
        .bind(&reply.content_type)
        .bind(body)
        .execute(&mut *self.store.database().connection().await?)
        .await?;
        Ok(is_kept)
    }

    /// Lets the request be begun anew, as it failed.
    ///
    /// # Errors
    /// `Backend`.
    pub async fn forget(&self, ticket: &Ticket) -> Result<(), StoreError> {
        sqlx::query("delete from idempotency where key_hash = $1 and begun_ms = $2")
            .bind(&ticket.key_hash)
            .bind(ticket.begun_ms)
            .execute(&mut *self.store.database().connection().await?)
            .await?;
        Ok(())
    }
}

async fn read(
    connection: &mut AnyConnection,
    key_hash: &str,
    request_hash: &str,
) -> Result<Begun, StoreError> {
    let row = sqlx::query(
        "select request_hash, status, content_type, body from idempotency where key_hash = $1",
    )
    .bind(key_hash)
    .fetch_one(connection)
    .await?;
    let before: String = row.try_get("request_hash")?;
    if before != request_hash {
        return Ok(Begun::Mismatch);
    }
    let Some(status) = row.try_get::<Option<i64>, _>("status")? else {
        return Ok(Begun::InProgress);
    };
    Ok(Begun::Done(Kept {
        status: u16::try_from(status).map_err(crate::database::backend)?,
        content_type: row.try_get("content_type")?,
        body: row.try_get("body")?,
    }))
}

/// Removes what has expired and, beyond `rows`, the oldest.
async fn tidy(connection: &mut AnyConnection, now: i64, rows: i64) -> Result<(), StoreError> {
    sqlx::query("delete from idempotency where expires_ms <= $1")
        .bind(now)
        .execute(&mut *connection)
        .await?;
    sqlx::query(
        "delete from idempotency where key_hash in (select key_hash from idempotency \
         order by expires_ms desc, key_hash limit $1 offset $2)",
    )
    .bind(i64::MAX)
    .bind(rows)
    .execute(connection)
    .await?;
    Ok(())
}

// === a reply may hold anything, so it stays out of logs ===

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kept").field("status", &self.status).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tally_types::ManualClock;

    use super::*;

    #[tokio::test]
    async fn the_oldest_go_when_there_are_too_many() {
        let clock = Arc::new(ManualClock::new("2026-11-01T08:00:00Z".parse().unwrap()));
        let store = Store::open("sqlite::memory:", clock.clone()).await.unwrap();
        let kept = store.idempotency();
        for number in 0..10 {
            kept.begin(&format!("key-{number}"), "same").await.unwrap();
            clock.advance(std::time::Duration::from_secs(1));
        }
        let mut tx = store.database().begin().await.unwrap();
        tidy(&mut tx, store.now().as_millisecond(), 4).await.unwrap();
        tx.commit().await.unwrap();
        for number in 0..10 {
            let begun = kept.begin(&format!("key-{number}"), "same").await.unwrap();
            assert_eq!(begun == Begun::InProgress, number >= 6, "key-{number}");
        }
    }
}
