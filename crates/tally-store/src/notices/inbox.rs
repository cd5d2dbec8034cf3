//! What each person was told, and what of it they have read.

use serde::Serialize;
use sqlx::{AnyConnection, Row as _};
use tally_types::{Name, PersonName, Timestamp};

use super::{Notice, next_sequence, time};
use crate::{Store, StoreError};

/// A person's inbox holds at most so many; the oldest go.
const ROWS_MAX: i64 = 1_000;

/// What people were told; see [`Store::inbox`].
#[derive(Debug, Clone)]
pub struct Inbox {
    store: Store,
}

/// One thing that a person was told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Notification {
    /// Its id.
    pub id: String,
    /// When.
    pub at: Timestamp,
    /// One line.
    pub title: String,
    /// A few sentences.
    pub body: String,
    /// A path of the interface.
    pub link: String,
    /// When it was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_at: Option<Timestamp>,
}

/// Some of an inbox, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct InboxPage {
    /// What was told.
    pub items: Vec<Notification>,
    /// The `after` of the next page; null on the last one.
    pub next: Option<String>,
    /// How many of all are not read.
    pub unread: i64,
}

// === impl Inbox ===

impl Inbox {
    pub(crate) fn new(store: Store) -> Self {
        Self { store }
    }

    /// A page of a person's inbox.
    ///
    /// # Errors
    /// `Backend`.
    pub async fn list(
        &self,
        person: &PersonName,
        only_unread: bool,
        limit: u32,
        after: Option<i64>,
    ) -> Result<InboxPage, StoreError> {
        let mut connection = self.store.database().connection().await?;
        let rows = sqlx::query(
            "select sequence, title, body, link, created_ms, read_ms from notification \
             where person = $1 and sequence < $2 and ($3 = 0 or read_ms is null) \
             order by sequence desc limit $4",
        )
        .bind(person.as_str())
        .bind(after.unwrap_or(i64::MAX))
        .bind(i64::from(only_unread))
        .bind(i64::from(limit) + 1)
        .fetch_all(&mut *connection)
        .await?;
        let unread =
            sqlx::query("select count(*) from notification where person = $1 and read_ms is null")
                .bind(person.as_str())
                .fetch_one(&mut *connection)
                .await?
                .try_get(0)?;
        let mut items: Vec<Notification> =
            rows.iter().map(notification).collect::<Result<_, _>>()?;
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let has_more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| has_more).map(|item| item.id.clone());
        Ok(InboxPage { items, next, unread })
    }

    /// Marks some of a person's notifications as read; all of them without ids.
    ///
    /// # Errors
    /// `Backend`.
    pub async fn read(&self, person: &PersonName, ids: Option<&[i64]>) -> Result<(), StoreError> {
        let now = self.store.now().as_millisecond();
        let mut tx = self.store.database().begin().await?;
        let Some(ids) = ids else {
            let sql = "update notification set read_ms = $2 where person = $1 and read_ms is null";
            sqlx::query(sql).bind(person.as_str()).bind(now).execute(&mut *tx).await?;
            return Ok(tx.commit().await?);
        };
        for id in ids {
            sqlx::query(
                "update notification set read_ms = $2 \
                 where person = $1 and sequence = $3 and read_ms is null",
            )
            .bind(person.as_str())
            .bind(now)
            .bind(*id)
            .execute(&mut *tx)
            .await?;
        }
        Ok(tx.commit().await?)
    }
}

/// Tells a person, unless they were told.
pub(crate) async fn put(
    connection: &mut AnyConnection,
    notice: &Notice,
    person: &PersonName,
    now: Timestamp,
) -> Result<(), StoreError> {
    let sql = "select coalesce(max(sequence), 0) from notification";
    let sequence = next_sequence(connection, sql).await?;
    sqlx::query(
        "insert into notification (sequence, notice_key, person, title, body, link, created_ms) \
         values ($1, $2, $3, $4, $5, $6, $7) on conflict (person, notice_key) do nothing",
    )
    .bind(sequence)
    .bind(&notice.key)
    .bind(person.as_str())
    .bind(&notice.title)
    .bind(&notice.body)
    .bind(&notice.link)
    .bind(now.as_millisecond())
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        "delete from notification where person = $1 and sequence in (select sequence \
         from notification where person = $1 order by sequence desc limit $3 offset $2)",
    )
    .bind(person.as_str())
    .bind(ROWS_MAX)
    .bind(i64::MAX)
    .execute(connection)
    .await?;
    Ok(())
}

/// Whoever is deleted has no inbox.
pub(crate) async fn forget(
    connection: &mut AnyConnection,
    person: &Name,
) -> Result<(), StoreError> {
    let sql = "delete from notification where person = $1";
    sqlx::query(sql).bind(person.as_str()).execute(connection).await?;
    Ok(())
}

fn notification(row: &sqlx::any::AnyRow) -> Result<Notification, StoreError> {
    let sequence: i64 = row.try_get("sequence")?;
    let read_ms: Option<i64> = row.try_get("read_ms")?;
    Ok(Notification {
        id: sequence.to_string(),
        at: time(row.try_get("created_ms")?),
        title: row.try_get("title")?,
        body: row.try_get("body")?,
        link: row.try_get("link")?,
        read_at: read_ms.map(time),
    })
}
