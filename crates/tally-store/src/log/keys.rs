//! Keys that sign checkpoints: the log itself says which, and since when.

use std::sync::Arc;

use serde_json::json;
use sqlx::{AnyConnection, Row as _};
use tally_audit::{PublicKey, SigningKey, export::LogKey};

use super::AuditLog;
use crate::{AuditAction, StoreError, change::Change, database::backend};

/// Keeps the secret of a key, outside the store, before the log introduces it.
pub trait KeyKeeper: Send + Sync + 'static {
    /// Keeps one more; those before stay.
    ///
    /// # Errors
    /// Why it could not be kept.
    fn keep(&self, key: &SigningKey) -> Result<(), String>;
}

/// What checkpoints are signed with.
#[derive(Clone)]
pub(crate) struct Signer {
    pub(crate) key: SigningKey,
    keeper: Arc<dyn KeyKeeper>,
}

pub(super) fn no_signer() -> StoreError {
    let message = "this store has no key to sign checkpoints with; `tally serve` makes one";
    StoreError::Argument(message.to_owned())
}

// === impl AuditLog ===

impl AuditLog {
    /// Signs from now on with the one of `kept` that the log introduced last. Without
    /// such a key a new one is introduced: the first, or one that nothing vouches for
    /// as the one before is lost. Tells whether it did.
    ///
    /// # Errors
    /// `Argument` when the key cannot be kept; `Backend`.
    pub async fn sign_with(
        &self,
        kept: Vec<SigningKey>,
        keeper: Arc<dyn KeyKeeper>,
    ) -> Result<bool, StoreError> {
        let mut change = self.store.begin_change().await?;
        let known = all(change.connection()).await?;
        let last = known.last().map(|key| key.key.clone());
        let mut current = None;
        let mut spare = None;
        for key in kept {
            if Some(key.public().to_string()) == last {
                current = Some(key);
            } else if !known.iter().any(|one| one.key == key.public().to_string()) {
                spare = Some(key);
            }
        }
        if let Some(key) = current {
            change.undo().await?;
            *self.store.signer().write().await = Some(Signer { key, keeper });
            return Ok(false);
        }
        let origin = match &last {
            Some(last) => last.parse::<PublicKey>().map_err(backend)?.origin().to_owned(),
            None => spare.as_ref().map_or_else(new_origin, |key| key.origin().to_owned()),
        };
        let key = match spare.filter(|key| key.origin() == origin) {
            Some(key) => key,
            None => keep_new(&origin, keeper.as_ref())?,
        };
        introduce(&mut change, "tally serve", &key, None).await?;
        let mut signer = self.store.signer().write().await;
        change.commit().await?;
        *signer = Some(Signer { key, keeper });
        Ok(true)
    }

    /// Signs with a new key from now on, which the one before introduces in the log.
    ///
    /// # Errors
    /// `Argument` when there is no key before, or the new one cannot be kept; `Backend`.
    pub async fn rotate_key(&self, actor: &str) -> Result<LogKey, StoreError> {
        // The change first, as everybody does; the signer is held until the new one signs.
        let mut change = self.store.begin_change().await?;
        let mut signer = self.store.signer().write().await;
        let before = signer.clone().ok_or_else(no_signer)?;
        let key = keep_new(before.key.origin(), before.keeper.as_ref())?;
        let note = before.key.endorse(key.public()).map_err(backend)?;
        let introduced = introduce(&mut change, actor, &key, Some(note)).await?;
        change.commit().await?;
        *signer = Some(Signer { key, ..before });
        Ok(introduced)
    }
}

pub(super) async fn all(connection: &mut AnyConnection) -> Result<Vec<LogKey>, StoreError> {
    let rows = sqlx::query("select since, public_key from audit_key order by since")
        .fetch_all(connection)
        .await?;
    rows.iter()
        .map(|row| {
            let since: i64 = row.try_get("since")?;
            let since = u64::try_from(since).map_err(backend)?;
            Ok(LogKey { key: row.try_get("public_key")?, since })
        })
        .collect()
}

async fn introduce(
    change: &mut Change<'_>,
    actor: &str,
    key: &SigningKey,
    endorsement: Option<String>,
) -> Result<LogKey, StoreError> {
    let public = key.public().to_string();
    let mut said = json!({ "key": public });
    if let (Some(note), Some(said)) = (endorsement, said.as_object_mut()) {
        said.insert("endorsement".to_owned(), note.into());
    }
    let whole = change.whole()?;
    let action = AuditAction::IntroduceAuditKey;
    let since = change.record(actor, action, whole, (None, Some(said)), None).await?;
    sqlx::query("insert into audit_key (since, public_key) values ($1, $2)")
        .bind(since)
        .bind(&public)
        .execute(change.connection())
        .await?;
    Ok(LogKey { key: public, since: u64::try_from(since).map_err(backend)? })
}

fn keep_new(origin: &str, keeper: &dyn KeyKeeper) -> Result<SigningKey, StoreError> {
    let key = SigningKey::from_seed(origin, &rand::random()).map_err(backend)?;
    keeper.keep(&key).map_err(|reason| {
        StoreError::Argument(format!("the key that signs the audit log cannot be kept: {reason}"))
    })?;
    Ok(key)
}

/// No two installations have logs of the same name.
fn new_origin() -> String {
    format!("tally/{}", hex::encode(rand::random::<[u8; 8]>()))
}
