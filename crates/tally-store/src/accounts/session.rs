//! Sessions: opened by a sign-in, found by the hash of their token, ended by time or will.

use serde_json::json;
use sqlx::AnyConnection;
use tally_types::PersonName;

use super::{
    AccountError, Accounts, NewSession, SESSION_IDLE_S, SESSION_LIFE_S, SESSIONS_PER_PERSON_MAX,
    Session, TOUCH_S, TokenHash, ms_after,
    rows::{self, SESSION_COLUMNS},
};
use crate::{
    AuditAction, StoreError,
    change::{AccountAct, Change},
};

const USER_AGENT_CHARACTERS_MAX: usize = 300;

// === impl Accounts ===

impl Accounts {
    /// The open session with this token, of a person who may still sign in; its use is
    /// written down.
    ///
    /// # Errors
    /// `Store`.
    pub async fn session(&self, token: &TokenHash) -> Result<Option<Session>, AccountError> {
        let now = self.store.now();
        let mut connection = self.store.database().connection().await?;
        let sql = format!(
            "select {SESSION_COLUMNS} from session s join account a on a.person = s.person \
             where s.token_hash = $1 and s.expires_ms > $2 and a.disabled_ms is null"
        );
        let row = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(token.as_str())
            .bind(now.as_millisecond())
            .fetch_optional(&mut *connection)
            .await?;
        let Some(mut session) = row.as_ref().map(rows::session).transpose()? else {
            return Ok(None);
        };
        if ms_after(session.last_seen, TOUCH_S) <= now.as_millisecond() {
            // The absolute end stays; what is shown follows the row.
            let ends = ms_after(session.created, SESSION_LIFE_S);
            let expires = ends.min(ms_after(now, SESSION_IDLE_S));
            sqlx::query("update session set seen_ms = $2, expires_ms = $3 where id = $1")
                .bind(&session.id)
                .bind(now.as_millisecond())
                .bind(expires)
                .execute(&mut *connection)
                .await?;
            session.last_seen = now;
            session.expires = expires_at(expires)?;
        }
        Ok(Some(session))
    }

    /// A person's open sessions, the newest first; at most 50.
    ///
    /// # Errors
    /// `Store`.
    pub async fn sessions(&self, person: &PersonName) -> Result<Vec<Session>, AccountError> {
        let sql = format!(
            "select {SESSION_COLUMNS} from session s where s.person = $1 and s.expires_ms > $2 \
             order by s.created_ms desc, s.id desc"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(person.as_str())
            .bind(self.store.now().as_millisecond())
            .fetch_all(&mut *self.store.database().connection().await?)
            .await?;
        let sessions: Result<Vec<Session>, StoreError> = rows.iter().map(rows::session).collect();
        Ok(sessions?)
    }

    /// Ends one session of a person.
    ///
    /// # Errors
    /// `SessionUnknown`, `Store`.
    pub async fn end_session(
        &self,
        actor: &str,
        person: &PersonName,
        id: &str,
    ) -> Result<(), AccountError> {
        let mut change = self.store.begin_change().await?;
        let ended = sqlx::query("delete from session where person = $1 and id = $2")
            .bind(person.as_str())
            .bind(id)
            .execute(change.connection())
            .await?;
        if ended.rows_affected() == 0 {
            return Err(AccountError::SessionUnknown);
        }
        let action = AuditAction::SignOut;
        let before = Some(json!({ "session": id }));
        change.audit(AccountAct { actor, action, person, before, after: None }).await?;
        Ok(change.commit().await?)
    }

    /// Ends every session of a person; tells how many.
    ///
    /// # Errors
    /// `NoAccount`, `Store`.
    pub async fn end_sessions(
        &self,
        actor: &str,
        person: &PersonName,
    ) -> Result<u64, AccountError> {
        let mut change = self.store.begin_change().await?;
        if super::account::is_disabled(change.connection(), person).await?.is_none() {
            return Err(AccountError::NoAccount(person.clone()));
        }
        let ended = end_all(change.connection(), person, None).await?;
        let action = AuditAction::SignOutEverywhere;
        let before = Some(json!({ "sessions": ended }));
        change.audit(AccountAct { actor, action, person, before, after: None }).await?;
        change.commit().await?;
        Ok(ended)
    }
}

/// Opens a session, with the audit entry of the sign-in; ends the person's oldest beyond
/// the bound, and whatever has expired.
pub(super) async fn open(
    change: &mut Change<'_>,
    actor: &str,
    person: &PersonName,
    session: NewSession,
) -> Result<Session, StoreError> {
    let now = change.now();
    let ends = ms_after(now, SESSION_LIFE_S);
    let expires = ends.min(ms_after(now, SESSION_IDLE_S));
    let user_agent: String = session.user_agent.chars().take(USER_AGENT_CHARACTERS_MAX).collect();
    sqlx::query("delete from session where expires_ms <= $1")
        .bind(now.as_millisecond())
        .execute(change.connection())
        .await?;
    sqlx::query(
        "insert into session (id, token_hash, person, csrf_token, created_ms, seen_ms, ends_ms, \
         expires_ms, user_agent) values ($1, $2, $3, $4, $5, $5, $6, $7, $8)",
    )
    .bind(&session.id)
    .bind(session.token.as_str())
    .bind(person.as_str())
    .bind(&session.csrf_token)
    .bind(now.as_millisecond())
    .bind(ends)
    .bind(expires)
    .bind(&user_agent)
    .execute(change.connection())
    .await?;
    sqlx::query(
        "delete from session where person = $1 and id not in (select id from session \
         where person = $1 order by created_ms desc, id desc limit $2)",
    )
    .bind(person.as_str())
    .bind(i64::from(SESSIONS_PER_PERSON_MAX))
    .execute(change.connection())
    .await?;
    let after = Some(json!({ "session": session.id }));
    let action = AuditAction::SignIn;
    change.audit(AccountAct { actor, action, person, before: None, after }).await?;
    Ok(Session {
        id: session.id,
        person: person.clone(),
        csrf_token: session.csrf_token,
        created: now,
        last_seen: now,
        expires: expires_at(expires)?,
        user_agent,
    })
}

/// How many sessions that ended.
pub(super) async fn end_all(
    connection: &mut AnyConnection,
    person: &PersonName,
    but: Option<&str>,
) -> Result<u64, StoreError> {
    let done = sqlx::query("delete from session where person = $1 and id <> $2")
        .bind(person.as_str())
        .bind(but.unwrap_or_default())
        .execute(connection)
        .await?;
    Ok(done.rows_affected())
}

fn expires_at(ms: i64) -> Result<tally_types::Timestamp, StoreError> {
    tally_types::Timestamp::from_millisecond(ms).map_err(crate::database::backend)
}
