//! The audit trail as a log that can be proven: every entry is a leaf of a Merkle tree,
//! checkpoints of it are signed, and personal data in it can be erased.
//!
//! [`AuditLog`] is every way to it. Entries become leaves in the transaction that writes
//! them, so there is none without.

mod erase;
mod keys;
mod quoted;
mod rows;
mod tree;

use serde_json::json;
use sqlx::{AnyConnection, AssertSqlSafe, Row as _, any::AnyRow};
use tally_audit::{
    Checkpoint, Hash256, InclusionProof, LogEntry,
    export::{FORMAT, Header, Line, LogKey},
    tree::Step,
};
use tally_types::{PersonName, Timestamp};

use crate::{
    AuditAction, Store, StoreError,
    database::{self, backend},
    notices::{self, Notice},
};

pub use erase::{Erased, Erasure};
pub use keys::KeyKeeper;
pub(crate) use keys::Signer;
use rows::AuditRow;
pub(crate) use tree::{append_existing, write};

/// Entries of one page of an export.
const PAGE: i64 = 1_000;
/// Ids of calls that an entry of decisions names; it counts them all.
pub const DECISION_IDS_MAX: usize = 100;

/// The log; see [`Store::log`].
#[derive(Debug, Clone)]
pub struct AuditLog {
    store: Store,
}

/// A signed checkpoint that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptCheckpoint {
    /// How many entries it attests.
    pub size: u64,
    /// The signed note.
    pub note: String,
    /// When it was made.
    pub made: Timestamp,
}

/// Where an export is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    size: i64,
    after: i64,
}

// === impl Store ===

impl Store {
    /// The audit trail as a log that can be proven.
    pub fn log(&self) -> AuditLog {
        AuditLog { store: self.clone() }
    }
}

// === impl AuditLog ===

impl AuditLog {
    /// How many entries there are.
    ///
    /// # Errors
    /// `Backend`.
    pub async fn size(&self) -> Result<u64, StoreError> {
        let row = sqlx::query("select value from revision where id = 1")
            .fetch_one(&mut *self.store.database().connection().await?)
            .await?;
        unsigned(row.try_get(0)?)
    }

    /// Signs what the log is now; the checkpoint of a size is made once.
    ///
    /// # Errors
    /// `Argument` when there is nothing to sign with; `Backend`.
    pub async fn checkpoint(&self) -> Result<KeptCheckpoint, StoreError> {
        let mut change = self.store.begin_change().await?;
        let size = change.revision();
        if let Some(kept) = checkpoint_of(change.connection(), size).await? {
            change.undo().await?;
            return Ok(kept);
        }
        let made = change.now();
        let signed = {
            let signer = self.store.signer().read().await;
            let signer = signer.as_ref().ok_or_else(keys::no_signer)?;
            let root = tree::root(change.connection(), unsigned(size)?).await?;
            signer.key.sign(unsigned(size)?, root).map_err(backend)?
        };
        let note = signed.to_string();
        sqlx::query("insert into audit_checkpoint (size, note, created_ms) values ($1, $2, $3)")
            .bind(size)
            .bind(&note)
            .bind(made.as_millisecond())
            .execute(change.connection())
            .await?;
        change.commit().await?;
        Ok(KeptCheckpoint { size: unsigned(size)?, note, made })
    }

    /// The newest checkpoint.
    ///
    /// # Errors
    /// `Backend`.
    pub async fn latest(&self) -> Result<Option<KeptCheckpoint>, StoreError> {
        let row = sqlx::query(
            "select size, note, created_ms from audit_checkpoint order by size desc limit 1",
        )
        .fetch_optional(&mut *self.store.database().connection().await?)
        .await?;
        row.as_ref().map(kept).transpose()
    }

    /// The keys that sign, the oldest first.
    ///
    /// # Errors
    /// `Backend`.
    pub async fn keys(&self) -> Result<Vec<LogKey>, StoreError> {
        keys::all(&mut *self.store.database().connection().await?).await
    }

    /// The root of the first so many entries.
    ///
    /// # Errors
    /// `Argument` when there are fewer; `Backend`.
    pub async fn root(&self, size: u64) -> Result<Hash256, StoreError> {
        self.within(size).await?;
        tree::root(&mut *self.store.database().connection().await?, size).await
    }

    /// The hashes that lead from an entry to the root of the first `size` entries.
    ///
    /// # Errors
    /// `Argument` when there is no such entry among them; `Backend`.
    pub async fn inclusion(&self, sequence: u64, size: u64) -> Result<Vec<Hash256>, StoreError> {
        self.within(size).await?;
        let index = sequence.checked_sub(1).ok_or_else(|| {
            StoreError::Argument("expected an entry; the first one is 1".to_owned())
        })?;
        let mut connection = self.store.database().connection().await?;
        tree::compute(&mut connection, Step::Inclusion { index, size }).await
    }

    /// The hashes that show that the log of `to` entries begins with that of `from`.
    ///
    /// # Errors
    /// `Argument` when the numbers do not fit; `Backend`.
    pub async fn consistency(&self, from: u64, to: u64) -> Result<Vec<Hash256>, StoreError> {
        self.within(to).await?;
        let mut connection = self.store.database().connection().await?;
        tree::compute(&mut connection, Step::Consistency { from, to }).await
    }

    /// An entry with its proof against the checkpoint of a size, or the newest one, which
    /// is made if the entry is newer.
    ///
    /// # Errors
    /// `Argument` when there is no such entry or checkpoint, or nothing to sign with;
    /// `Backend`.
    pub async fn prove(
        &self,
        sequence: u64,
        size: Option<u64>,
    ) -> Result<InclusionProof, StoreError> {
        self.within(sequence).await?;
        let checkpoint = match (size, self.latest().await?) {
            (Some(size), _) => self.checkpoint_at(size).await?,
            (None, Some(kept)) if kept.size >= sequence => kept,
            _ => self.checkpoint().await?,
        };
        let inclusion = self.inclusion(sequence, checkpoint.size).await?;
        let after = i64::try_from(sequence).unwrap_or(i64::MAX) - 1;
        let entries = self.entries(after, 1).await?;
        let entry = entries.into_iter().next().ok_or_else(|| backend("an entry is gone"))?;
        Ok(InclusionProof { entry, inclusion, checkpoint: checkpoint.note })
    }

    /// Tells people and webhooks of a checkpoint, as it is they who can hold the log
    /// against it later; once for each checkpoint.
    ///
    /// # Errors
    /// `Backend`.
    pub async fn publish(
        &self,
        checkpoint: &KeptCheckpoint,
        people: &[PersonName],
        webhooks: bool,
    ) -> Result<(), StoreError> {
        let size = checkpoint.size;
        let mut channels = self.store.channels().clone();
        if !webhooks {
            channels.outlets.clear();
        }
        let notice = Notice {
            key: format!("audit.checkpoint:{size}"),
            topic: "audit.checkpoint".to_owned(),
            people: people.to_vec(),
            to_webhooks: webhooks,
            title: format!("Checkpoint of the audit log: {size} entries"),
            body: format!(
                "Keep this text: with it you can tell later whether the first {size} entries \
                 were changed.\n\n{}",
                checkpoint.note
            ),
            link: "/audit".to_owned(),
            data: json!({ "size": size, "checkpoint": checkpoint.note }),
        };
        let mut change = self.store.begin_change().await?;
        notices::publish(&mut change, &channels, &[notice]).await?;
        change.commit().await
    }

    /// Begins an export of the whole log as of now, which it signs; gives its first line.
    ///
    /// # Errors
    /// `Argument` when there is nothing to sign with; `Backend`.
    pub async fn export(&self) -> Result<(String, Export), StoreError> {
        let checkpoint = self.checkpoint().await?;
        let size = checkpoint.size;
        let origin = Checkpoint::parse(&checkpoint.note).map_err(backend)?.head().origin.clone();
        let mut keys = self.keys().await?;
        keys.retain(|key| key.since <= size);
        let header = Line::Log(Header { format: FORMAT, origin, size, keys });
        let size = i64::try_from(size).map_err(backend)?;
        Ok((header.to_text() + "\n", Export { size, after: 0 }))
    }

    /// The next lines of an export; none at its end.
    ///
    /// # Errors
    /// `Backend`.
    pub async fn export_more(&self, export: &mut Export) -> Result<Option<String>, StoreError> {
        let count = PAGE.min(export.size - export.after);
        if count <= 0 {
            return Ok(None);
        }
        let entries = self.entries(export.after, count).await?;
        let up_to = export.after + count;
        let mut checkpoints = self.checkpoints(export.after, up_to).await?.into_iter().peekable();
        let mut lines = String::new();
        for entry in entries {
            let sequence = entry.sequence;
            lines += &(Line::entry(entry).to_text() + "\n");
            if let Some(kept) = checkpoints.next_if(|kept| kept.size == sequence) {
                lines += &(Line::Checkpoint(kept.note).to_text() + "\n");
            }
        }
        export.after = up_to;
        Ok(Some(lines))
    }

    /// Writes down something that changed no resource: what was exported, which calls
    /// were refused.
    ///
    /// # Errors
    /// `Backend`.
    pub async fn record(
        &self,
        actor: &str,
        action: AuditAction,
        what: serde_json::Value,
    ) -> Result<(), StoreError> {
        let mut change = self.store.begin_change().await?;
        let whole = change.whole()?;
        change.record(actor, action, whole, (None, Some(what)), None).await?;
        change.commit().await
    }

    async fn checkpoint_at(&self, size: u64) -> Result<KeptCheckpoint, StoreError> {
        let mut connection = self.store.database().connection().await?;
        let kept = checkpoint_of(&mut connection, i64::try_from(size).unwrap_or(i64::MAX)).await?;
        kept.ok_or_else(|| {
            StoreError::Argument(format!("expected the size of a checkpoint; none has {size}"))
        })
    }

    async fn within(&self, size: u64) -> Result<(), StoreError> {
        let have = self.size().await?;
        if size <= have {
            return Ok(());
        }
        Err(StoreError::Argument(format!("expected at most {have}, as there are {have} entries")))
    }

    async fn entries(&self, after: i64, count: i64) -> Result<Vec<LogEntry>, StoreError> {
        let sql = format!(
            "select {}, o.opening from audit a join audit_opening o on o.sequence = a.sequence \
             where a.sequence > $1 order by a.sequence limit $2",
            rows::COLUMNS
        );
        let rows = sqlx::query(AssertSqlSafe(sql))
            .bind(after)
            .bind(count)
            .fetch_all(&mut *self.store.database().connection().await?)
            .await?;
        rows.iter().map(|row| AuditRow::read(row)?.log_entry(&rows::Opening::read(row)?)).collect()
    }

    async fn checkpoints(&self, after: i64, up_to: i64) -> Result<Vec<KeptCheckpoint>, StoreError> {
        let rows = sqlx::query(
            "select size, note, created_ms from audit_checkpoint \
             where size > $1 and size <= $2 order by size",
        )
        .bind(after)
        .bind(up_to)
        .fetch_all(&mut *self.store.database().connection().await?)
        .await?;
        rows.iter().map(kept).collect()
    }
}

async fn checkpoint_of(
    connection: &mut AnyConnection,
    size: i64,
) -> Result<Option<KeptCheckpoint>, StoreError> {
    let row = sqlx::query("select size, note, created_ms from audit_checkpoint where size = $1")
        .bind(size)
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(kept).transpose()
}

fn kept(row: &AnyRow) -> Result<KeptCheckpoint, StoreError> {
    let made: i64 = row.try_get("created_ms")?;
    Ok(KeptCheckpoint {
        size: unsigned(row.try_get("size")?)?,
        note: row.try_get("note")?,
        made: Timestamp::from_millisecond(made).map_err(database::backend)?,
    })
}

fn unsigned(number: i64) -> Result<u64, StoreError> {
    u64::try_from(number).map_err(backend)
}
