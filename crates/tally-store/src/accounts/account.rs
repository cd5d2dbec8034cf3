//! Who may sign in, and their passwords.

use serde_json::json;
use sqlx::{AnyConnection, Row};
use tally_types::{PersonName, Timestamp};

use super::{
    Account, AccountError, Accounts, AccountsPage, Credential, Member, NewSession, Session,
    require_person, rows, session,
};
use crate::{
    AuditAction, StoreError,
    change::{AccountAct, Change},
};

// === impl Accounts ===

impl Accounts {
    /// A person's account, if they joined.
    ///
    /// # Errors
    /// `Store`.
    pub async fn get(&self, person: &PersonName) -> Result<Option<Account>, AccountError> {
        let row = sqlx::query(
            "select created_ms, changed_ms, last_sign_in_ms, disabled_ms from account \
             where person = $1",
        )
        .bind(person.as_str())
        .fetch_optional(&mut *self.store.database().connection().await?)
        .await?;
        Ok(row.as_ref().map(rows::account).transpose()?)
    }

    /// What a person's password is verified against, if they joined.
    ///
    /// # Errors
    /// `Store`.
    pub async fn credential(
        &self,
        person: &PersonName,
    ) -> Result<Option<Credential>, AccountError> {
        let row = sqlx::query("select password_hash, disabled_ms from account where person = $1")
            .bind(person.as_str())
            .fetch_optional(&mut *self.store.database().connection().await?)
            .await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(Credential {
            person: person.clone(),
            password_hash: row.try_get("password_hash")?,
            is_disabled: row.try_get::<Option<i64>, _>("disabled_ms")?.is_some(),
        }))
    }

    /// One page of people, joined or not, by name; at most 1,000, 0 stands for 100.
    ///
    /// # Errors
    /// `Store`.
    pub async fn list(
        &self,
        after: Option<&PersonName>,
        limit: u32,
    ) -> Result<AccountsPage, AccountError> {
        let limit = if limit == 0 { 100 } else { limit.min(1_000) };
        let rows = sqlx::query(
            "select r.name as person, a.created_ms, a.changed_ms, a.last_sign_in_ms, \
             a.disabled_ms, (select count(*) from session s where s.person = r.name \
             and s.expires_ms > $1) as sessions \
             from resource r left join account a on a.person = r.name \
             where r.kind = 'Person' and r.name > $2 order by r.name limit $3",
        )
        .bind(self.store.now().as_millisecond())
        .bind(after.map_or("", PersonName::as_str))
        .bind(i64::from(limit) + 1)
        .fetch_all(&mut *self.store.database().connection().await?)
        .await?;
        let items: Result<Vec<Member>, StoreError> = rows.iter().map(rows::member).collect();
        let (items, has_more) = page(items?, limit);
        let next = items.last().filter(|_| has_more).map(|member| member.person.clone());
        Ok(AccountsPage { items, next })
    }

    /// Gives a person an account without an invitation.
    ///
    /// # Errors
    /// `HasAccount`, `Store` with `NotFound` for someone who does not exist.
    pub async fn create(
        &self,
        actor: &str,
        person: &PersonName,
        password_hash: &str,
    ) -> Result<(), AccountError> {
        let mut change = self.store.begin_change().await?;
        require_person(&change, person)?;
        if !insert(&mut change, person, password_hash).await? {
            return Err(AccountError::HasAccount(person.clone()));
        }
        act(&mut change, actor, AuditAction::Join, person).await?;
        Ok(change.commit().await?)
    }

    /// Opens a session for a person whose password was verified against `credential`.
    ///
    /// # Errors
    /// `Disabled`; `PasswordChanged` when the account has another password by now, or is
    /// gone; `Store`.
    pub async fn sign_in(
        &self,
        actor: &str,
        credential: &Credential,
        session: NewSession,
    ) -> Result<Session, AccountError> {
        let mut change = self.store.begin_change().await?;
        let person = &credential.person;
        let now = change.now();
        let updated = sqlx::query(
            "update account set last_sign_in_ms = $3 \
             where person = $1 and password_hash = $2 and disabled_ms is null",
        )
        .bind(person.as_str())
        .bind(&credential.password_hash)
        .bind(now.as_millisecond())
        .execute(change.connection())
        .await?;
        if updated.rows_affected() == 0 {
            let is_disabled = is_disabled(change.connection(), person).await?;
            return Err(match is_disabled {
                Some(true) => AccountError::Disabled(person.clone()),
                _ => AccountError::PasswordChanged,
            });
        }
        let opened = session::open(&mut change, actor, person, session).await?;
        change.commit().await?;
        Ok(opened)
    }

    /// Replaces the password that was verified against `credential`, and ends the
    /// person's sessions but the one to keep.
    ///
    /// # Errors
    /// `PasswordChanged` when the account has another password by now, or is gone; `Store`.
    pub async fn change_password(
        &self,
        actor: &str,
        credential: &Credential,
        password_hash: &str,
        keep_session: Option<&str>,
    ) -> Result<(), AccountError> {
        let mut change = self.store.begin_change().await?;
        let person = &credential.person;
        let now = change.now();
        let updated = sqlx::query(
            "update account set password_hash = $3, changed_ms = $4 \
             where person = $1 and password_hash = $2 and disabled_ms is null",
        )
        .bind(person.as_str())
        .bind(&credential.password_hash)
        .bind(password_hash)
        .bind(now.as_millisecond())
        .execute(change.connection())
        .await?;
        if updated.rows_affected() == 0 {
            return Err(AccountError::PasswordChanged);
        }
        session::end_all(change.connection(), person, keep_session).await?;
        act(&mut change, actor, AuditAction::ChangePassword, person).await?;
        Ok(change.commit().await?)
    }

    /// Keeps a person from signing in and ends their sessions; doing so twice changes
    /// nothing.
    ///
    /// # Errors
    /// `NoAccount`, `Store`.
    pub async fn disable(&self, actor: &str, person: &PersonName) -> Result<(), AccountError> {
        let mut change = self.store.begin_change().await?;
        let now = change.now();
        if !set_disabled(change.connection(), person, Some(now)).await? {
            return Ok(());
        }
        session::end_all(change.connection(), person, None).await?;
        act(&mut change, actor, AuditAction::Disable, person).await?;
        Ok(change.commit().await?)
    }

    /// Lets a person sign in again; doing so twice changes nothing.
    ///
    /// # Errors
    /// `NoAccount`, `Store`.
    pub async fn enable(&self, actor: &str, person: &PersonName) -> Result<(), AccountError> {
        let mut change = self.store.begin_change().await?;
        if !set_disabled(change.connection(), person, None).await? {
            return Ok(());
        }
        act(&mut change, actor, AuditAction::Enable, person).await?;
        Ok(change.commit().await?)
    }
}

/// Cuts the row off that only told that there are more.
pub(super) fn page<T>(mut items: Vec<T>, limit: u32) -> (Vec<T>, bool) {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_more = items.len() > limit;
    items.truncate(limit);
    (items, has_more)
}

async fn act(
    change: &mut Change<'_>,
    actor: &str,
    action: AuditAction,
    person: &PersonName,
) -> Result<(), StoreError> {
    change.audit(AccountAct { actor, action, person, before: None, after: None }).await
}

/// Whether it is; none without an account.
pub(super) async fn is_disabled(
    connection: &mut AnyConnection,
    person: &PersonName,
) -> Result<Option<bool>, StoreError> {
    let row = sqlx::query("select disabled_ms from account where person = $1")
        .bind(person.as_str())
        .fetch_optional(connection)
        .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(row.try_get::<Option<i64>, _>("disabled_ms")?.is_some()))
}

/// Whether that changed something.
async fn set_disabled(
    connection: &mut AnyConnection,
    person: &PersonName,
    since: Option<Timestamp>,
) -> Result<bool, AccountError> {
    let Some(before) = is_disabled(connection, person).await? else {
        return Err(AccountError::NoAccount(person.clone()));
    };
    if before == since.is_some() {
        return Ok(false);
    }
    sqlx::query("update account set disabled_ms = $2 where person = $1")
        .bind(person.as_str())
        .bind(since.map(Timestamp::as_millisecond))
        .execute(connection)
        .await?;
    Ok(true)
}

/// Whether there was none before; leaves one that exists alone.
pub(super) async fn insert(
    change: &mut Change<'_>,
    person: &PersonName,
    password_hash: &str,
) -> Result<bool, StoreError> {
    let now = change.now().as_millisecond();
    let done = sqlx::query(
        "insert into account (person, password_hash, created_ms, changed_ms) \
         values ($1, $2, $3, $3) on conflict (person) do nothing",
    )
    .bind(person.as_str())
    .bind(password_hash)
    .bind(now)
    .execute(change.connection())
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Gives a person their first password or another one, which ends their sessions; tells
/// which.
pub(super) async fn put_password(
    change: &mut Change<'_>,
    actor: &str,
    person: &PersonName,
    password_hash: &str,
    action: AuditAction,
) -> Result<(), StoreError> {
    if insert(change, person, password_hash).await? {
        return act(change, actor, action, person).await;
    }
    let now = change.now().as_millisecond();
    sqlx::query("update account set password_hash = $2, changed_ms = $3 where person = $1")
        .bind(person.as_str())
        .bind(password_hash)
        .bind(now)
        .execute(change.connection())
        .await?;
    let ended = session::end_all(change.connection(), person, None).await?;
    let action = if action == AuditAction::Join { AuditAction::ResetPassword } else { action };
    let before = Some(json!({ "sessions": ended }));
    change.audit(AccountAct { actor, action, person, before, after: None }).await
}
