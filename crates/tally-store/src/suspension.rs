//! Suspending a key and giving it back: by hand, or as a severe rule was met.

use serde_json::{Value, json};
use tally_types::{
    KeyName, Kind, Name, PersonName, Resource, Role, Spec,
    spec::{KeyReinstatement, KeySpec, KeySuspension},
};

use crate::{
    AuditAction, ResourceId, Snapshot, Store, StoreError,
    approvals::{percent_encoded, with_role},
    database,
    notices::{Notice, publish},
    state::{Plan, State},
    store::{authorship, planned},
};

const WORDS_CHARACTERS_MAX: usize = 2_000;

/// What is done to a key.
enum Act {
    Suspend(KeySuspension),
    Reinstate(KeyReinstatement),
}

// === impl Store ===

impl Store {
    /// Takes over that a severe rule had a key suspended; told again, nothing changes. Says
    /// whether it was new: it is not where the key is suspended already, is gone, or was given
    /// back since the call.
    ///
    /// # Errors
    /// `Backend`.
    pub async fn contain_key(
        &self,
        key: &KeyName,
        why: &KeySuspension,
    ) -> Result<bool, StoreError> {
        match self.act_on_key(&why.by, &key.0, Act::Suspend(why.clone())).await {
            Ok((_, is_new)) => Ok(is_new),
            Err(StoreError::NotFound { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Suspends a key by hand; one that is suspended stays as it is.
    ///
    /// # Errors
    /// `NotFound`; `Argument` without a reason; `Backend`.
    pub async fn suspend_key(
        &self,
        actor: &str,
        key: &Name,
        reason: &str,
    ) -> Result<Resource, StoreError> {
        let why = KeySuspension {
            at: self.now(),
            by: actor.to_owned(),
            reason: said("reason", reason)?,
            rule: None,
            event: None,
            call: None,
        };
        Ok(self.act_on_key(actor, key, Act::Suspend(why)).await?.0)
    }

    /// Gives a suspended key back; what it did until now does not suspend it again. One that is
    /// not suspended stays as it is.
    ///
    /// # Errors
    /// `NotFound`; `Argument` without a note; `Backend`.
    pub async fn reinstate_key(
        &self,
        actor: &str,
        key: &Name,
        note: &str,
    ) -> Result<Resource, StoreError> {
        let at = self.now();
        let said = KeyReinstatement { at, by: actor.to_owned(), note: said("note", note)? };
        Ok(self.act_on_key(actor, key, Act::Reinstate(said)).await?.0)
    }

    /// Runs to its end even when the caller goes away, as changes of resources do.
    async fn act_on_key(
        &self,
        actor: &str,
        key: &Name,
        act: Act,
    ) -> Result<(Resource, bool), StoreError> {
        let (store, actor) = (self.clone(), actor.to_owned());
        let id = ResourceId::new(Kind::Key, key.clone());
        let done = tokio::spawn(async move { store.act_here(&actor, &id, &act).await });
        let interrupted =
            |error| StoreError::Backend(format!("the change was interrupted: {error}"));
        done.await.map_err(interrupted)?
    }

    async fn act_here(
        &self,
        actor: &str,
        id: &ResourceId,
        act: &Act,
    ) -> Result<(Resource, bool), StoreError> {
        let by = authorship(actor, Some(act.words().to_owned()))?;
        let mut change = self.begin_change().await?;
        let plan = plan(change.state(), id, act)?;
        let is_new = plan.is_some();
        if let Some(plan) = plan {
            let notice = notice(&self.snapshot(), id, act);
            change.write(plan, &by).await?;
            publish(&mut change, self.channels(), &[notice]).await?;
        }
        let resource = database::read(change.connection(), id).await?;
        let resource = resource.ok_or_else(|| change.state().not_found(id))?;
        if is_new {
            change.commit().await?;
        } else {
            change.undo().await?;
        }
        Ok((resource, is_new))
    }
}

/// The change, if there is something to change.
fn plan(state: &State, id: &ResourceId, act: &Act) -> Result<Option<Plan>, StoreError> {
    let before = state.entries.get(id).ok_or_else(|| state.not_found(id))?;
    let Spec::Key(known) = &before.typed else { return Ok(None) };
    let mut spec = before.spec.clone();
    let Some(fields) = spec.as_object_mut().filter(|_| act.changes(known)) else {
        return Ok(None);
    };
    let action = match act {
        Act::Suspend(why) => {
            fields.insert("suspended".to_owned(), value(why)?);
            AuditAction::SuspendKey
        }
        Act::Reinstate(said) => {
            fields.remove("suspended");
            fields.insert("reinstated".to_owned(), value(said)?);
            AuditAction::ReinstateKey
        }
    };
    planned(state, id, action, before.followed_by(id, spec)?).map(Some)
}

// === impl Act ===

impl Act {
    fn words(&self) -> &str {
        match self {
            Self::Suspend(why) => &why.reason,
            Self::Reinstate(said) => &said.note,
        }
    }

    fn changes(&self, key: &KeySpec) -> bool {
        match self {
            Self::Suspend(why) => {
                let is_forgiven = why.event.is_some() && key.was_reinstated_since(why.at);
                key.suspended.is_none() && !is_forgiven
            }
            Self::Reinstate(_) => key.suspended.is_some(),
        }
    }
}

/// Security hears of it, and whose key it is.
fn notice(snapshot: &Snapshot, id: &ResourceId, act: &Act) -> Notice {
    let key = &id.name;
    let mut people = with_role(snapshot, Role::Security);
    people.extend(owner(snapshot, key));
    people.sort();
    people.dedup();
    let (word, topic, at, title, body, data) = match act {
        Act::Suspend(why) => {
            let by = match &why.rule {
                Some(rule) => format!("The rule {rule} was met."),
                None => format!("By {}.", why.by),
            };
            let back = "Calls with it are refused until security or an admin reinstates it.";
            let body = format!("{} {by} {back}", why.reason);
            (
                "suspended",
                "key.suspended",
                why.at,
                format!("Key {key} is suspended"),
                body,
                json!(why),
            )
        }
        Act::Reinstate(said) => {
            let body = format!("{} By {}.", said.note, said.by);
            let title = format!("Key {key} is reinstated");
            ("reinstated", "key.reinstated", said.at, title, body, json!(said))
        }
    };
    Notice {
        key: format!("key:{key}:{word}:{at}"),
        topic: topic.to_owned(),
        people,
        to_webhooks: false,
        title,
        body,
        link: format!("/keys?q={}", percent_encoded(key.as_str())),
        data: json!({ "key": key, word: data }),
    }
}

/// Whose key it is: the person's, else the workload owner's.
fn owner(snapshot: &Snapshot, key: &Name) -> Option<PersonName> {
    let key = snapshot.keys.get(key)?;
    let of_workload = || {
        let workload = snapshot.workloads.get(key.workload.as_ref()?.as_str())?;
        Some(workload.owner.clone())
    };
    key.person.clone().or_else(of_workload)
}

/// What someone has to say, and nobody has to read a book.
pub(crate) fn said(field: &str, words: &str) -> Result<String, StoreError> {
    let words = words.trim();
    if words.is_empty() || words.chars().count() > WORDS_CHARACTERS_MAX {
        let message = format!("`{field}`: expected 1 to {WORDS_CHARACTERS_MAX} characters");
        return Err(StoreError::Argument(message));
    }
    Ok(words.to_owned())
}

fn value(of: &impl serde::Serialize) -> Result<Value, StoreError> {
    serde_json::to_value(of).map_err(database::backend)
}
