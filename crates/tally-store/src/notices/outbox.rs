//! What is sent out of the house: kept until it is delivered or given up.

use serde_json::{Value, json};
use sqlx::{AnyConnection, Row as _, any::AnyRow};
use tally_types::Timestamp;

use super::{
    Channel, DeliveriesPage, Delivery, DeliveryState, Notice, Outgoing, Outlet, next_sequence, time,
};
use crate::{Store, StoreError, database};

/// So many wait at most; a further one is kept as failed, to be sent again by hand.
pub const WAITING_MAX: i64 = 10_000;
/// After so many attempts it is given up.
pub const ATTEMPTS_MAX: i64 = 12;
const WAIT_FIRST_MS: i64 = 1_000;
const WAIT_MAX_MS: i64 = 10 * 60 * 1_000;
/// What is done with is shown for so long.
const KEPT_MS: i64 = 30 * 24 * 3_600 * 1_000;
const ERROR_CHARACTERS_MAX: usize = 500;

/// What is sent out of the house; see [`Store::deliveries`].
#[derive(Debug, Clone)]
pub struct Deliveries {
    store: Store,
}

/// Whom a delivery is for.
pub(crate) struct Target<'a> {
    channel: Channel,
    receiver: &'a str,
    recipient: &'a str,
}

const COLUMNS: &str = "sequence, channel, recipient, notice, state, attempts, created_ms, \
                       finished_ms, last_error";

// === impl Deliveries ===

impl Deliveries {
    pub(crate) fn new(store: Store) -> Self {
        Self { store }
    }

    /// A page of deliveries.
    ///
    /// # Errors
    /// `Backend`.
    pub async fn list(
        &self,
        state: Option<DeliveryState>,
        limit: u32,
        after: Option<i64>,
    ) -> Result<DeliveriesPage, StoreError> {
        let sql = format!(
            "select {COLUMNS} from delivery where sequence < $1 and ($2 = '' or state = $2) \
             order by sequence desc limit $3"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(after.unwrap_or(i64::MAX))
            .bind(state.map_or("", DeliveryState::as_str))
            .bind(i64::from(limit) + 1)
            .fetch_all(&mut *self.store.database().connection().await?)
            .await?;
        let mut items: Vec<Delivery> = rows.iter().map(delivery).collect::<Result<_, _>>()?;
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let has_more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| has_more).map(|item| item.id.clone());
        Ok(DeliveriesPage { items, next })
    }

    /// What a receiver is to get now, the oldest first.
    ///
    /// # Errors
    /// `Backend`.
    pub async fn due(
        &self,
        channel: Channel,
        receiver: &str,
        limit: u32,
    ) -> Result<Vec<Outgoing>, StoreError> {
        let rows = sqlx::query(
            "select sequence, recipient, notice, created_ms from delivery \
             where state = 'waiting' and channel = $1 and receiver = $2 and due_ms <= $3 \
             order by sequence limit $4",
        )
        .bind(channel.as_str())
        .bind(receiver)
        .bind(self.store.now().as_millisecond())
        .bind(i64::from(limit))
        .fetch_all(&mut *self.store.database().connection().await?)
        .await?;
        let outgoing = |row: &AnyRow| {
            Ok(Outgoing {
                id: row.try_get("sequence")?,
                to: row.try_get("recipient")?,
                at: time(row.try_get("created_ms")?),
                notice: notice(row)?,
            })
        };
        rows.iter().map(outgoing).collect()
    }

    /// The receiver took it.
    ///
    /// # Errors
    /// `Backend`.
    pub async fn delivered(&self, id: i64) -> Result<(), StoreError> {
        sqlx::query(
            "update delivery set state = 'delivered', attempts = attempts + 1, \
             finished_ms = $2, last_error = null where sequence = $1 and state = 'waiting'",
        )
        .bind(id)
        .bind(self.store.now().as_millisecond())
        .execute(&mut *self.store.database().connection().await?)
        .await?;
        Ok(())
    }

    /// An attempt failed: it is tried again after a doubling wait, or given up when that
    /// was the last one or `for_good` says that no attempt can succeed.
    ///
    /// # Errors
    /// `Backend`.
    pub async fn failed(&self, id: i64, error: &str, for_good: bool) -> Result<(), StoreError> {
        let now = self.store.now().as_millisecond();
        let mut tx = self.store.database().begin().await?;
        let row = sqlx::query(
            "update delivery set attempts = attempts + 1 where sequence = $1 \
             and state = 'waiting' returning attempts",
        )
        .bind(id)
        .fetch_optional(&mut *tx)
        .await?;
        let Some(row) = row else { return Ok(()) };
        let attempts: i64 = row.try_get(0)?;
        let is_over = for_good || attempts >= ATTEMPTS_MAX;
        let error: String = error.chars().take(ERROR_CHARACTERS_MAX).collect();
        let state = if is_over { DeliveryState::Failed } else { DeliveryState::Waiting };
        sqlx::query(
            "update delivery set state = $2, due_ms = $3, finished_ms = $4, last_error = $5 \
             where sequence = $1",
        )
        .bind(id)
        .bind(state.as_str())
        .bind(now.saturating_add(wait_ms(attempts)))
        .bind(is_over.then_some(now))
        .bind(error)
        .execute(&mut *tx)
        .await?;
        Ok(tx.commit().await?)
    }

    /// Sends what was given up once more, with all its attempts; tells whether it was
    /// given up.
    ///
    /// # Errors
    /// `Backend`.
    pub async fn retry(&self, id: i64) -> Result<Option<Delivery>, StoreError> {
        let mut connection = self.store.database().connection().await?;
        sqlx::query(
            "update delivery set state = 'waiting', attempts = 0, due_ms = $2, \
             finished_ms = null where sequence = $1 and state = 'failed'",
        )
        .bind(id)
        .bind(self.store.now().as_millisecond())
        .execute(&mut *connection)
        .await?;
        let sql = format!("select {COLUMNS} from delivery where sequence = $1");
        let row =
            sqlx::query(sqlx::AssertSqlSafe(sql)).bind(id).fetch_optional(&mut *connection).await?;
        row.as_ref().map(delivery).transpose()
    }

    /// Gives up what waits for receivers that are configured no longer, and forgets what
    /// was done with a month ago.
    ///
    /// # Errors
    /// `Backend`.
    pub async fn tidy(&self) -> Result<(), StoreError> {
        let now = self.store.now().as_millisecond();
        let mut tx = self.store.database().begin().await?;
        let rows = sqlx::query(
            "update delivery set attempts = attempts where state = 'waiting' \
             returning sequence, channel, receiver",
        )
        .fetch_all(&mut *tx)
        .await?;
        for row in rows {
            let channel: String = row.try_get("channel")?;
            let receiver: String = row.try_get("receiver")?;
            if self.store.channels().knows(&channel, &receiver) {
                continue;
            }
            let error = "its receiver is not in the configuration any more";
            sqlx::query(
                "update delivery set state = 'failed', finished_ms = $2, last_error = $3 \
                 where sequence = $1",
            )
            .bind(row.try_get::<i64, _>("sequence")?)
            .bind(now)
            .bind(error)
            .execute(&mut *tx)
            .await?;
        }
        let sql = "delete from delivery where finished_ms <= $1";
        sqlx::query(sql).bind(now.saturating_sub(KEPT_MS)).execute(&mut *tx).await?;
        Ok(tx.commit().await?)
    }
}

/// 1 second after the first attempt, then twice as long each time, at most 10 minutes.
fn wait_ms(attempts: i64) -> i64 {
    let doublings = u32::try_from(attempts.saturating_sub(1)).unwrap_or(0).min(20);
    WAIT_FIRST_MS.saturating_mul(1_i64 << doublings).min(WAIT_MAX_MS)
}

/// Queues a notice, unless it was queued before.
pub(crate) async fn put(
    connection: &mut AnyConnection,
    about: &Notice,
    target: &Target<'_>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let sql = "select count(*) from delivery where state = 'waiting'";
    let waiting = sqlx::query(sql).fetch_one(&mut *connection).await?.try_get::<i64, _>(0)?;
    let is_full = waiting >= WAITING_MAX;
    let error = is_full.then(|| {
        format!("{WAITING_MAX} deliveries were waiting already; send it again when they are gone")
    });
    if is_full {
        tracing::warn!(to = target.recipient, "the outbox is full: a delivery is not sent");
    }
    let state = if is_full { DeliveryState::Failed } else { DeliveryState::Waiting };
    let sql = "select coalesce(max(sequence), 0) from delivery";
    let sequence = next_sequence(connection, sql).await?;
    let notice = json!({
        "topic": about.topic, "title": about.title, "body": about.body, "link": about.link,
        "data": about.data,
    });
    let channel = target.channel.as_str();
    sqlx::query(
        "insert into delivery (sequence, delivery_key, channel, receiver, recipient, notice, \
         state, attempts, created_ms, due_ms, finished_ms, last_error) \
         values ($1, $2, $3, $4, $5, $6, $7, 0, $8, $8, $9, $10) \
         on conflict (delivery_key) do nothing",
    )
    .bind(sequence)
    .bind(format!("{channel}:{}:{}:{}", target.receiver, target.recipient, about.key))
    .bind(channel)
    .bind(target.receiver)
    .bind(target.recipient)
    .bind(notice.to_string())
    .bind(state.as_str())
    .bind(now.as_millisecond())
    .bind(is_full.then_some(now.as_millisecond()))
    .bind(error)
    .execute(connection)
    .await?;
    Ok(())
}

fn notice(row: &AnyRow) -> Result<Value, StoreError> {
    let text: String = row.try_get("notice")?;
    serde_json::from_str(&text).map_err(database::backend)
}

fn delivery(row: &AnyRow) -> Result<Delivery, StoreError> {
    let sequence: i64 = row.try_get("sequence")?;
    let state: DeliveryState = database::parsed(row, "state")?;
    let finished: Option<i64> = row.try_get("finished_ms")?;
    let title = notice(row)?.get("title").and_then(Value::as_str).unwrap_or_default().to_owned();
    Ok(Delivery {
        id: sequence.to_string(),
        at: time(row.try_get("created_ms")?),
        channel: database::parsed(row, "channel")?,
        to: row.try_get("recipient")?,
        title,
        state,
        attempts: row.try_get("attempts")?,
        last_error: row.try_get("last_error")?,
        delivered_at: finished.filter(|_| state == DeliveryState::Delivered).map(time),
    })
}

// === impl Target ===

impl<'a> Target<'a> {
    pub(crate) const fn mail(address: &'a str) -> Self {
        Self { channel: Channel::Email, receiver: "", recipient: address }
    }

    pub(crate) fn outlet(outlet: &'a Outlet) -> Self {
        Self { channel: outlet.channel, receiver: &outlet.name, recipient: &outlet.name }
    }
}

// === impl Channels ===

impl super::Channels {
    fn knows(&self, channel: &str, receiver: &str) -> bool {
        if channel == Channel::Email.as_str() {
            return self.mail;
        }
        self.outlets.iter().any(|one| one.channel.as_str() == channel && one.name == receiver)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_ten_minutes() {
        let waits: Vec<i64> = (1..=ATTEMPTS_MAX).map(wait_ms).collect();
        assert_eq!(waits.first(), Some(&1_000));
        assert!(waits.windows(2).all(|pair| pair[1] == (pair[0] * 2).min(WAIT_MAX_MS)));
        assert_eq!(waits.last(), Some(&WAIT_MAX_MS));
    }
}
