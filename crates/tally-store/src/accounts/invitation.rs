//! Links by which people join, and by which they choose another password.

use serde_json::json;
use sqlx::{AnyConnection, Row};
use tally_types::{PersonName, Timestamp};

use super::{
    AccountError, Accounts, INVITATION_LIFE_S, INVITATIONS_MAX, Invitation, InvitationsPage,
    NewInvitation, NewSession, Session, TokenHash,
    account::{self, page},
    ms_after, require_person, rows, session,
};
use crate::{
    AuditAction, StoreError,
    change::{AccountAct, Change},
    database::{backend, parsed},
};

// === impl Accounts ===

impl Accounts {
    /// Makes a link for a person, which replaces the one that is open for them.
    ///
    /// # Errors
    /// `Disabled`, `TooManyInvitations`; `Store` with `NotFound` for someone who does not
    /// exist.
    pub async fn invite(
        &self,
        actor: &str,
        person: &PersonName,
        invitation: NewInvitation,
    ) -> Result<Invitation, AccountError> {
        let mut change = self.store.begin_change().await?;
        require_person(&change, person)?;
        refuse_disabled(&mut change, person).await?;
        let now = change.now();
        make_room(change.connection(), person, now).await?;
        let expires = ms_after(now, INVITATION_LIFE_S);
        sqlx::query(
            "insert into invitation (id, token_hash, purpose, person, created_ms, created_by, \
             expires_ms) values ($1, $2, 'invite', $3, $4, $5, $6)",
        )
        .bind(&invitation.id)
        .bind(invitation.token.as_str())
        .bind(person.as_str())
        .bind(now.as_millisecond())
        .bind(actor)
        .bind(expires)
        .execute(change.connection())
        .await?;
        let expires = Timestamp::from_millisecond(expires).map_err(backend)?;
        let after = Some(json!({ "invitation": invitation.id, "expires": expires.to_string() }));
        let action = AuditAction::Invite;
        change.audit(AccountAct { actor, action, person, before: None, after }).await?;
        change.commit().await?;
        Ok(Invitation {
            id: invitation.id,
            person: person.clone(),
            created: now,
            created_by: actor.to_owned(),
            expires,
        })
    }

    /// One page of the open invitations, by id; at most 1,000, 0 stands for 100.
    ///
    /// # Errors
    /// `Store`.
    pub async fn invitations(
        &self,
        after: Option<&str>,
        limit: u32,
    ) -> Result<InvitationsPage, AccountError> {
        let limit = if limit == 0 { 100 } else { limit.min(1_000) };
        let rows = sqlx::query(
            "select id, person, created_ms, created_by, expires_ms from invitation \
             where purpose = 'invite' and expires_ms > $1 and id > $2 order by id limit $3",
        )
        .bind(self.store.now().as_millisecond())
        .bind(after.unwrap_or_default())
        .bind(i64::from(limit) + 1)
        .fetch_all(&mut *self.store.database().connection().await?)
        .await?;
        let items: Result<Vec<_>, StoreError> = rows.iter().map(rows::invitation).collect();
        let (items, has_more) = page(items?, limit);
        let next = items.last().filter(|_| has_more).map(|item| item.id.clone());
        Ok(InvitationsPage { items, next })
    }

    /// Withdraws an open invitation.
    ///
    /// # Errors
    /// `InvitationUnknown`, `Store`.
    pub async fn withdraw_invitation(&self, actor: &str, id: &str) -> Result<(), AccountError> {
        let mut change = self.store.begin_change().await?;
        let now = change.now().as_millisecond();
        let row = sqlx::query(
            "delete from invitation where id = $1 and purpose = 'invite' and expires_ms > $2 \
             returning person",
        )
        .bind(id)
        .bind(now)
        .fetch_optional(change.connection())
        .await?
        .ok_or(AccountError::InvitationUnknown)?;
        let person: PersonName = parsed(&row, "person")?;
        let before = Some(json!({ "invitation": id }));
        let action = AuditAction::WithdrawInvitation;
        change.audit(AccountAct { actor, action, person: &person, before, after: None }).await?;
        Ok(change.commit().await?)
    }

    /// Whom an open link lets in.
    ///
    /// # Errors
    /// `Store`.
    pub async fn invited(&self, token: &TokenHash) -> Result<Option<PersonName>, AccountError> {
        let row = sqlx::query(
            "select person from invitation \
             where token_hash = $1 and purpose = 'invite' and expires_ms > $2",
        )
        .bind(token.as_str())
        .bind(self.store.now().as_millisecond())
        .fetch_optional(&mut *self.store.database().connection().await?)
        .await?;
        Ok(row.map(|row| parsed(&row, "person")).transpose()?)
    }

    /// Uses a link up: the person has this password and a session from now on. All
    /// sessions before it end.
    ///
    /// # Errors
    /// `InvitationUnknown`, `Disabled`, `Store`.
    pub async fn accept(
        &self,
        token: &TokenHash,
        password_hash: &str,
        session: NewSession,
    ) -> Result<Session, AccountError> {
        let mut change = self.store.begin_change().await?;
        let now = change.now().as_millisecond();
        let row = sqlx::query(
            "delete from invitation \
             where token_hash = $1 and purpose = 'invite' and expires_ms > $2 returning person",
        )
        .bind(token.as_str())
        .bind(now)
        .fetch_optional(change.connection())
        .await?
        .ok_or(AccountError::InvitationUnknown)?;
        let person: PersonName = parsed(&row, "person")?;
        refuse_disabled(&mut change, &person).await?;
        let actor = format!("Person/{person}");
        let join = AuditAction::Join;
        account::put_password(&mut change, &actor, &person, password_hash, join).await?;
        let session = session::open(&mut change, &actor, &person, session).await?;
        seen_at(&mut change, &person).await?;
        change.commit().await?;
        Ok(session)
    }
}

async fn refuse_disabled(change: &mut Change<'_>, person: &PersonName) -> Result<(), AccountError> {
    match account::is_disabled(change.connection(), person).await? {
        Some(true) => Err(AccountError::Disabled(person.clone())),
        _ => Ok(()),
    }
}

/// Removes what has expired and what is replaced, and refuses when too many are left.
async fn make_room(
    connection: &mut AnyConnection,
    person: &PersonName,
    now: Timestamp,
) -> Result<(), AccountError> {
    sqlx::query("delete from invitation where expires_ms <= $1 or person = $2")
        .bind(now.as_millisecond())
        .bind(person.as_str())
        .execute(&mut *connection)
        .await?;
    let open: i64 =
        sqlx::query("select count(*) from invitation").fetch_one(connection).await?.try_get(0)?;
    if open >= INVITATIONS_MAX { Err(AccountError::TooManyInvitations(open)) } else { Ok(()) }
}

/// Coming in by a link is a sign-in, too.
pub(super) async fn seen_at(
    change: &mut Change<'_>,
    person: &PersonName,
) -> Result<(), StoreError> {
    let now = change.now().as_millisecond();
    sqlx::query("update account set last_sign_in_ms = $2 where person = $1")
        .bind(person.as_str())
        .bind(now)
        .execute(change.connection())
        .await?;
    Ok(())
}
