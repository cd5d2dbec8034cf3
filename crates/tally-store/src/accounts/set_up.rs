//! The first admin, who comes in by a link that the server prints.

use serde_json::{Map, Value, json};
use sqlx::AnyConnection;
use tally_types::{Kind, Role, Spec};

use super::{
    AccountError, Accounts, FirstAdmin, NewInvitation, NewSession, SET_UP_LIFE_S, Session,
    TokenHash, account, invitation, ms_after, session,
};
use crate::{
    AuditAction, ResourceId, StoreError,
    change::Change,
    state::{Entry, State},
    store::{authorship, checked, planned},
};

const ACTOR: &str = "set-up link";

// === impl Accounts ===

impl Accounts {
    /// Whether some admin has an account, disabled or not.
    ///
    /// # Errors
    /// `Store`.
    pub async fn is_set_up(&self) -> Result<bool, AccountError> {
        let admins: Vec<_> = {
            let snapshot = self.store.snapshot();
            let people = snapshot.people.iter();
            people
                .filter(|(_, person)| person.roles.contains(&Role::Admin))
                .map(|(name, _)| name.clone())
                .collect()
        };
        let mut connection = self.store.database().connection().await?;
        Ok(any_has_account(&mut connection, admins.iter().map(|name| name.as_str())).await?)
    }

    /// Makes the link by which the first admin comes in, which replaces the one before.
    ///
    /// # Errors
    /// `SetUpDone` when some admin has an account; `Store`.
    pub async fn offer_set_up(&self, link: NewInvitation) -> Result<(), AccountError> {
        let mut change = self.store.begin_change().await?;
        refuse_second(&mut change).await?;
        let now = change.now();
        sqlx::query("delete from invitation where purpose = 'set_up'")
            .execute(change.connection())
            .await?;
        sqlx::query(
            "insert into invitation (id, token_hash, purpose, created_ms, created_by, \
             expires_ms) values ($1, $2, 'set_up', $3, 'tally', $4)",
        )
        .bind(&link.id)
        .bind(link.token.as_str())
        .bind(now.as_millisecond())
        .bind(ms_after(now, SET_UP_LIFE_S))
        .execute(change.connection())
        .await?;
        Ok(change.commit().await?)
    }

    /// Whether the link for the first admin has this token and still works.
    ///
    /// # Errors
    /// `Store`.
    pub async fn is_set_up_offered(&self, token: &TokenHash) -> Result<bool, AccountError> {
        let row = sqlx::query(
            "select id from invitation \
             where token_hash = $1 and purpose = 'set_up' and expires_ms > $2",
        )
        .bind(token.as_str())
        .bind(self.store.now().as_millisecond())
        .fetch_optional(&mut *self.store.database().connection().await?)
        .await?;
        Ok(row.is_some())
    }

    /// Uses that link up: the person exists, has the role admin, this password and a
    /// session. Someone who exists keeps what else their spec holds.
    ///
    /// # Errors
    /// `SetUpDone`, `InvitationUnknown`; `Store` with `Invalid` for an e-mail that is none.
    pub async fn set_up(
        &self,
        token: &TokenHash,
        admin: FirstAdmin,
        password_hash: String,
        session: NewSession,
    ) -> Result<Session, AccountError> {
        let (accounts, token) = (self.clone(), token.clone());
        // To its end even when the caller goes away, as it changes a resource.
        tokio::spawn(
            async move { accounts.set_up_here(&token, admin, &password_hash, session).await },
        )
        .await
        .map_err(|error| StoreError::Backend(format!("the change was interrupted: {error}")))?
    }

    async fn set_up_here(
        &self,
        token: &TokenHash,
        admin: FirstAdmin,
        password_hash: &str,
        session: NewSession,
    ) -> Result<Session, AccountError> {
        let mut change = self.store.begin_change().await?;
        refuse_second(&mut change).await?;
        let now = change.now().as_millisecond();
        let used = sqlx::query(
            "delete from invitation \
             where token_hash = $1 and purpose = 'set_up' and expires_ms > $2",
        )
        .bind(token.as_str())
        .bind(now)
        .execute(change.connection())
        .await?;
        if used.rows_affected() == 0 {
            return Err(AccountError::InvitationUnknown);
        }
        let person = admin.person.clone();
        write_person(&mut change, admin).await?;
        let actor = format!("Person/{person}");
        let action = AuditAction::SetUp;
        account::put_password(&mut change, &actor, &person, password_hash, action).await?;
        let session = session::open(&mut change, &actor, &person, session).await?;
        invitation::seen_at(&mut change, &person).await?;
        change.commit().await?;
        Ok(session)
    }
}

/// Makes the person an admin.
async fn write_person(change: &mut Change<'_>, admin: FirstAdmin) -> Result<(), StoreError> {
    let id = ResourceId::new(Kind::Person, admin.person.0.clone());
    let state = change.state();
    let before = state.entries.get(&id).cloned();
    let spec = before.as_ref().map_or_else(|| json!({}), |entry| entry.spec.clone());
    let spec = as_admin(spec, admin);
    if before.as_ref().is_some_and(|entry| entry.spec == spec) {
        return Ok(());
    }
    let typed = checked(&id, &spec)?;
    let plan = match before {
        None => {
            let entry = Entry { version: 1, applied_by: None, spec, typed };
            planned(state, &id, AuditAction::Create, entry)
        }
        Some(before) => {
            let (version, applied_by) = (before.version + 1, before.applied_by.clone());
            let entry = Entry { version, applied_by, spec, typed };
            planned(state, &id, AuditAction::Update, entry)
        }
    }?;
    change.write(plan, &authorship(ACTOR, None)?).await
}

fn as_admin(spec: Value, admin: FirstAdmin) -> Value {
    let mut fields = match spec {
        Value::Object(fields) => fields,
        _ => Map::new(),
    };
    for (field, value) in [("display_name", admin.display_name), ("email", admin.email)] {
        if let Some(value) = value {
            fields.insert(field.to_owned(), Value::String(value));
        }
    }
    let mut roles = fields.get("roles").and_then(Value::as_array).cloned().unwrap_or_default();
    let role = Value::from(Role::Admin.as_str());
    if !roles.contains(&role) {
        roles.push(role);
    }
    fields.insert("roles".to_owned(), Value::Array(roles));
    Value::Object(fields)
}

async fn refuse_second(change: &mut Change<'_>) -> Result<(), AccountError> {
    let admins: Vec<String> = admins(change.state()).collect();
    let has_one = any_has_account(change.connection(), admins.iter().map(String::as_str)).await?;
    if has_one { Err(AccountError::SetUpDone) } else { Ok(()) }
}

fn admins(state: &State) -> impl Iterator<Item = String> {
    state.of_kind(Kind::Person).filter_map(|(name, entry)| match &entry.typed {
        Spec::Person(person) if person.roles.contains(&Role::Admin) => {
            Some(name.as_str().to_owned())
        }
        _ => None,
    })
}

async fn any_has_account(
    connection: &mut AnyConnection,
    people: impl Iterator<Item = &str>,
) -> Result<bool, StoreError> {
    for person in people {
        let row = sqlx::query("select person from account where person = $1")
            .bind(person)
            .fetch_optional(&mut *connection)
            .await?;
        if row.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}
