//! Rows as they are read.

use sqlx::{Row, any::AnyRow};
use tally_types::{PersonName, Timestamp};

use super::types::{Account, Invitation, Member, Session};
use crate::{
    StoreError,
    database::{backend, parsed},
};

pub(super) const SESSION_COLUMNS: &str =
    "s.id, s.person, s.csrf_token, s.created_ms, s.seen_ms, s.expires_ms, s.user_agent";

fn time(row: &AnyRow, column: &str) -> Result<Timestamp, StoreError> {
    at(row.try_get(column)?, column)
}

fn optional_time(row: &AnyRow, column: &str) -> Result<Option<Timestamp>, StoreError> {
    let ms: Option<i64> = row.try_get(column)?;
    ms.map(|ms| at(ms, column)).transpose()
}

fn at(ms: i64, column: &str) -> Result<Timestamp, StoreError> {
    Timestamp::from_millisecond(ms).map_err(|error| backend(format!("column `{column}`: {error}")))
}

pub(super) fn session(row: &AnyRow) -> Result<Session, StoreError> {
    Ok(Session {
        id: row.try_get("id")?,
        person: parsed(row, "person")?,
        csrf_token: row.try_get("csrf_token")?,
        created: time(row, "created_ms")?,
        last_seen: time(row, "seen_ms")?,
        expires: time(row, "expires_ms")?,
        user_agent: row.try_get("user_agent")?,
    })
}

pub(super) fn invitation(row: &AnyRow) -> Result<Invitation, StoreError> {
    Ok(Invitation {
        id: row.try_get("id")?,
        person: parsed(row, "person")?,
        created: time(row, "created_ms")?,
        created_by: row.try_get("created_by")?,
        expires: time(row, "expires_ms")?,
    })
}

pub(super) fn account(row: &AnyRow) -> Result<Account, StoreError> {
    Ok(Account {
        joined: time(row, "created_ms")?,
        changed: time(row, "changed_ms")?,
        last_sign_in: optional_time(row, "last_sign_in_ms")?,
        disabled: optional_time(row, "disabled_ms")?,
    })
}

/// A person, whose account's columns are null when they never joined.
pub(super) fn member(row: &AnyRow) -> Result<Member, StoreError> {
    let person: PersonName = parsed(row, "person")?;
    let joined: Option<i64> = row.try_get("created_ms")?;
    let sessions: i64 = row.try_get("sessions")?;
    Ok(Member {
        person,
        account: joined.map(|_| account(row)).transpose()?,
        sessions: u64::try_from(sessions).unwrap_or(0),
    })
}
