//! Who looked at which violation. Violations are calls, and stand in the warehouse; here is
//! what people said of them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;
use sqlx::{AnyConnection, AssertSqlSafe, Row as _, any::AnyRow};
use tally_types::{EventId, Timestamp, UsageEvent};

use crate::{
    AuditAction, Store, StoreError,
    change::Change,
    database::{self, backend},
    suspension::said,
};

/// So long after its call an acknowledgement is kept: two years and what an audit takes.
const KEPT_MS: i64 = 800 * 24 * 3_600_000;
/// At most so many are kept; those of the oldest calls go.
const ROWS_MAX: i64 = 200_000;

/// That someone looked at a violation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Acknowledgement {
    /// Who.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// What they found.
    pub note: String,
}

/// Who looked at which violation; see [`Store::acknowledgements`].
#[derive(Debug, Clone)]
pub struct Acknowledgements {
    store: Store,
}

// === impl Store ===

impl Store {
    /// Who looked at which violation.
    pub fn acknowledgements(&self) -> Acknowledgements {
        Acknowledgements { store: self.clone() }
    }
}

// === impl Acknowledgements ===

impl Acknowledgements {
    /// Keeps that someone looked at a violation. The first one stands: a later one gets it back.
    ///
    /// # Errors
    /// `Argument` without a note; `Backend`.
    pub async fn keep(
        &self,
        actor: &str,
        by: &str,
        event: &UsageEvent,
        note: &str,
    ) -> Result<Acknowledgement, StoreError> {
        let note = said("note", note)?;
        let mut change = self.store.begin_change().await?;
        let first = read(change.connection(), &[event.event_id]).await?;
        if let Some(first) = first.into_values().next() {
            change.undo().await?;
            return Ok(first);
        }
        let kept = Acknowledgement { by: by.to_owned(), at: change.now(), note };
        write(&mut change, event, &kept).await?;
        let what = json!({
            "event": event.event_id,
            "call": event.call_id,
            "rule": event.rules.first(),
            "severity": event.policy_severity,
        });
        let whole = change.whole()?;
        let action = AuditAction::AcknowledgeViolation;
        change.record(actor, action, whole, (None, Some(what)), Some(kept.note.clone())).await?;
        change.commit().await?;
        Ok(kept)
    }

    /// What was said of some of these.
    ///
    /// # Errors
    /// `Backend`.
    pub async fn of(
        &self,
        events: &[EventId],
    ) -> Result<BTreeMap<EventId, Acknowledgement>, StoreError> {
        read(&mut *self.store.database().connection().await?, events).await
    }
}

async fn write(
    change: &mut Change<'_>,
    event: &UsageEvent,
    said: &Acknowledgement,
) -> Result<(), StoreError> {
    sqlx::query(
        "insert into violation_acknowledgement \
         (event_id, event_ms, acknowledged_by, acknowledged_ms, note) values ($1, $2, $3, $4, $5)",
    )
    .bind(event.event_id.to_string())
    .bind(event.time.as_millisecond())
    .bind(&said.by)
    .bind(said.at.as_millisecond())
    .bind(&said.note)
    .execute(change.connection())
    .await?;
    sqlx::query(
        "delete from violation_acknowledgement where event_ms < $1 or event_id in (select event_id \
         from violation_acknowledgement order by event_ms desc limit $3 offset $2)",
    )
    .bind(said.at.as_millisecond() - KEPT_MS)
    .bind(ROWS_MAX)
    .bind(i64::MAX)
    .execute(change.connection())
    .await?;
    Ok(())
}

async fn read(
    connection: &mut AnyConnection,
    events: &[EventId],
) -> Result<BTreeMap<EventId, Acknowledgement>, StoreError> {
    if events.is_empty() {
        return Ok(BTreeMap::new());
    }
    let places: Vec<String> = (1..=events.len()).map(|at| format!("${at}")).collect();
    let sql = format!(
        "select event_id, acknowledged_by, acknowledged_ms, note from violation_acknowledgement \
         where event_id in ({})",
        places.join(", ")
    );
    let query = events
        .iter()
        .fold(sqlx::query(AssertSqlSafe(sql)), |query, event| query.bind(event.to_string()));
    let rows = query.fetch_all(connection).await?;
    rows.iter().map(acknowledgement).collect()
}

fn acknowledgement(row: &AnyRow) -> Result<(EventId, Acknowledgement), StoreError> {
    let at: i64 = row.try_get("acknowledged_ms")?;
    let said = Acknowledgement {
        by: row.try_get("acknowledged_by")?,
        at: Timestamp::from_millisecond(at).map_err(backend)?,
        note: row.try_get("note")?,
    };
    Ok((database::parsed(row, "event_id")?, said))
}
