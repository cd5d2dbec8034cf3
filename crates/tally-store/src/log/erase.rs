//! Erasing a person: their name in the organization stays as an opaque id, everything
//! that says who that is goes.

use std::collections::BTreeSet;

use serde_json::Value;
use sqlx::{AnyConnection, AssertSqlSafe, Row as _};
use tally_audit::LogEntry;
use tally_types::{Kind, Name, PersonName, Spec, Timestamp};

use super::{
    AuditLog, quoted,
    rows::{AuditRow, COLUMNS, Opening},
};
use crate::{
    AuditAction, ResourceId, StoreError, accounts,
    change::Change,
    database::backend,
    notices,
    state::{Entry, Plan},
    store::{authorship, checked},
};

/// What stands where something was erased.
pub(super) const ERASED: &str = "[erased]";
/// The fields of a person that say who they are.
const PERSONAL: [&str; 3] = ["display_name", "email", "pseudonym"];
/// A shorter name is looked for as a whole only, as it stands in too many words.
const PART_CHARACTERS_MIN: usize = 4;

/// What an erasure did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Erased {
    /// Entries of the audit trail in which something was erased.
    pub entries: u64,
    /// Keys of the person that were revoked.
    pub keys: u64,
    /// Other resources that quoted them: requests, decisions, workloads.
    pub resources: u64,
    /// Notices, deliveries, stage events and kept replies that quoted them.
    pub notices: u64,
}

/// Who was erased, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erasure {
    /// The sequence of its entry in the log.
    pub sequence: u64,
    /// The opaque id.
    pub person: PersonName,
    /// When.
    pub at: Timestamp,
}

// === impl AuditLog ===

impl AuditLog {
    /// Erases a person's display name and mail address from their resource and from the
    /// audit trail; deletes their account, sessions and inbox; revokes their keys. Doing
    /// so again is harmless, and needed after a restore.
    ///
    /// # Errors
    /// `NotFound` for a name that never was a person's; `Argument` without a reason;
    /// `Backend`.
    pub async fn erase_person(
        &self,
        actor: &str,
        person: &PersonName,
        reason: &str,
    ) -> Result<Erased, StoreError> {
        let done = self.erase(actor, person, reason, false).await?;
        // Pages as they were before stand in it; a reader may hold it up until the next time.
        if let Err(error) = self.store.database().empty_log().await {
            tracing::warn!(%error, "the store's write-ahead log is not emptied yet");
        }
        Ok(done)
    }

    /// What [`Self::erase_person`] would do; nothing is changed.
    ///
    /// # Errors
    /// As [`Self::erase_person`].
    pub async fn preview_erasure(&self, person: &PersonName) -> Result<Erased, StoreError> {
        self.erase("preview", person, "preview", true).await
    }

    /// What says who a person is, now and earlier: display names and mail addresses.
    ///
    /// # Errors
    /// `NotFound` for a name that never was a person's; `Backend`.
    pub async fn words_of(&self, person: &PersonName) -> Result<Vec<String>, StoreError> {
        let mut change = self.store.begin_change().await?;
        let id = ResourceId::new(Kind::Person, person.0.clone());
        let words = words_of(&mut change, &id).await?;
        let missing = change.state().not_found(&id);
        change.undo().await?;
        words.map(|words| words.into_iter().collect()).ok_or(missing)
    }

    async fn erase(
        &self,
        actor: &str,
        person: &PersonName,
        reason: &str,
        is_preview: bool,
    ) -> Result<Erased, StoreError> {
        if reason.trim().is_empty() {
            return Err(StoreError::Argument("expected a reason for the erasure".to_owned()));
        }
        let by = authorship(actor, Some(reason.to_owned()))?;
        let mut change = self.store.begin_change().await?;
        let id = ResourceId::new(Kind::Person, person.0.clone());
        let words = words_of(&mut change, &id).await?;
        let Some(words) = words else { return Err(change.state().not_found(&id)) };

        let mut plan = forget_plan(&change, &id)?;
        let resources = quoted::clear_resources(&change, &mut plan, &id, &words)?;
        let keys = plan.edits.iter().filter(|edit| edit.id.kind == Kind::Key).count();
        let has_entry = plan.edits.iter().any(|edit| edit.id == id);
        change.write(plan, &by).await?;
        if !has_entry {
            let (action, note) = (AuditAction::ErasePerson, by.note.clone());
            change.record(actor, action, id.clone(), (None, None), note).await?;
        }
        forget_beside(change.connection(), &id.name, &words).await?;
        let notices = quoted::clear_notices(change.connection(), &words).await?;
        let entries = erase_entries(change.connection(), &id.name, &words).await?;
        let sequence = change.revision();
        let erased_ms = change.now().as_millisecond();
        sqlx::query("insert into erasure (sequence, person, erased_ms) values ($1, $2, $3)")
            .bind(sequence)
            .bind(person.as_str())
            .bind(erased_ms)
            .execute(change.connection())
            .await?;
        let keys = u64::try_from(keys).unwrap_or(u64::MAX);
        if is_preview {
            change.undo().await?;
        } else {
            change.commit().await?;
        }
        Ok(Erased { entries, keys, resources, notices })
    }

    /// Everyone who was erased, the first one first.
    ///
    /// # Errors
    /// `Backend`.
    pub async fn erasures(&self) -> Result<Vec<Erasure>, StoreError> {
        let rows = sqlx::query("select sequence, person, erased_ms from erasure order by sequence")
            .fetch_all(&mut *self.store.database().connection().await?)
            .await?;
        rows.iter()
            .map(|row| {
                let at: i64 = row.try_get("erased_ms")?;
                Ok(Erasure {
                    sequence: super::unsigned(row.try_get("sequence")?)?,
                    person: crate::database::parsed(row, "person")?,
                    at: Timestamp::from_millisecond(at).map_err(backend)?,
                })
            })
            .collect()
    }
}

/// What says who the person is, now and earlier; none when there never was such a person.
async fn words_of(
    change: &mut Change<'_>,
    id: &ResourceId,
) -> Result<Option<BTreeSet<String>>, StoreError> {
    let current = change.state().entries.get(id).map(|entry| entry.spec.clone());
    let rows = sqlx::query(
        "select spec_before, spec_after from audit \
         where kind in ('Person', 'ScoreboardChoice') and name = $1",
    )
    .bind(id.name.as_str())
    .fetch_all(change.connection())
    .await?;
    if current.is_none() && rows.is_empty() {
        return Ok(None);
    }
    let mut specs: Vec<Value> = current.into_iter().collect();
    for row in rows {
        for column in ["spec_before", "spec_after"] {
            let text: Option<String> = row.try_get(column)?;
            specs.extend(text.and_then(|text| serde_json::from_str(&text).ok()));
        }
    }
    let words = specs.iter().flat_map(|spec| PERSONAL.map(|field| spec.get(field)));
    let words = words.flatten().filter_map(Value::as_str);
    // The id stays, even where it is the display name, too.
    let words = words.filter(|word| ![ERASED, id.name.as_str(), ""].contains(word));
    Ok(Some(words.map(str::to_owned).collect()))
}

/// The person without what says who they are, and their keys revoked.
fn forget_plan(change: &Change<'_>, id: &ResourceId) -> Result<Plan, StoreError> {
    let state = change.state();
    let mut plan = Plan::on(state);
    let mut edit = |id: &ResourceId, entry: &Entry, action, change: &dyn Fn(&mut Object)| {
        let mut spec = entry.spec.clone();
        if let Some(object) = spec.as_object_mut() {
            change(object);
        }
        if spec != entry.spec {
            let typed = checked(id, &spec)?;
            let applied_by = entry.applied_by.clone();
            let next = Entry { version: entry.version + 1, applied_by, spec, typed };
            plan.edit(id, action, Some(next));
        }
        Ok::<_, StoreError>(())
    };
    if let Some(entry) = state.entries.get(id) {
        edit(id, entry, AuditAction::ErasePerson, &|spec| {
            for field in PERSONAL.into_iter().chain(["roles", "delegate"]) {
                spec.shift_remove(field);
            }
        })?;
    }
    // Their pseudonym would still be theirs.
    let choice = ResourceId::new(Kind::ScoreboardChoice, id.name.clone());
    let has_chosen = state.entries.contains_key(&choice);
    for (name, entry) in state.of_kind(Kind::Key) {
        let Spec::Key(key) = &entry.typed else { continue };
        if key.person.as_ref().is_some_and(|person| person.0 == id.name) && !key.revoked {
            let key = ResourceId::new(Kind::Key, name.clone());
            edit(&key, entry, AuditAction::Update, &|spec| {
                spec.insert("revoked".to_owned(), true.into());
            })?;
        }
    }
    if has_chosen {
        plan.edit(&choice, AuditAction::Delete, None);
    }
    Ok(plan)
}

type Object = serde_json::Map<String, Value>;

/// The account, the inbox, and mail that waits or was sent.
async fn forget_beside(
    connection: &mut AnyConnection,
    person: &Name,
    words: &BTreeSet<String>,
) -> Result<(), StoreError> {
    accounts::forget(connection, person).await?;
    notices::forget(connection, person).await?;
    for word in words {
        sqlx::query("delete from delivery where recipient = $1")
            .bind(word)
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// Erases these words from every entry that holds them; the commitments stay.
async fn erase_entries(
    connection: &mut AnyConnection,
    person: &Name,
    words: &BTreeSet<String>,
) -> Result<u64, StoreError> {
    let sql = format!(
        "select {COLUMNS}, o.opening from audit a join audit_opening o on o.sequence = a.sequence \
         where (a.kind = 'Person' and a.name = $1) \
         or coalesce(a.spec_before, '') like $2 or coalesce(a.spec_after, '') like $2 \
         or coalesce(a.note, '') like $3 or a.actor like $3"
    );
    let mut erased = BTreeSet::new();
    for word in words {
        let json = Value::from(word.as_str()).to_string();
        let rows = sqlx::query(AssertSqlSafe(sql.clone()))
            .bind(person.as_str())
            .bind(like(json.trim_matches('"')))
            .bind(like(word))
            .fetch_all(&mut *connection)
            .await?;
        for row in rows {
            let (entry, opening) = (AuditRow::read(&row)?, Opening::read(&row)?);
            let log_entry = entry.log_entry(&opening)?;
            if erase_entry(connection, &entry, &log_entry, word).await? {
                erased.insert(entry.sequence);
            }
        }
    }
    Ok(u64::try_from(erased.len()).unwrap_or(u64::MAX))
}

/// Whether the entry held the word.
async fn erase_entry(
    connection: &mut AnyConnection,
    row: &AuditRow,
    entry: &LogEntry,
    word: &str,
) -> Result<bool, StoreError> {
    let is_in = |name: &str| match entry.fields.get(name) {
        Some(tally_audit::Field::Open { value, .. }) => {
            serde_json::from_str(value).is_ok_and(|mut value: Value| clear(&mut value, word))
        }
        _ => false,
    };
    let json = |text: &Option<String>| {
        let text = text.as_ref()?;
        let mut value: Value = serde_json::from_str(text).unwrap_or_default();
        Some(if clear(&mut value, word) { value.to_string() } else { text.clone() })
    };
    let plain = |text: &str| cleared(text, word).unwrap_or_else(|| text.to_owned());
    // By what stands there: a field that was erased for one word may hold another.
    let rest = AuditRow {
        actor: plain(&row.actor),
        note: row.note.as_deref().map(plain),
        before: json(&row.before),
        after: json(&row.after),
        ..row.clone()
    };
    if rest == *row {
        return Ok(false);
    }
    sqlx::query(
        "update audit set actor = $2, note = $3, spec_before = $4, spec_after = $5 \
         where sequence = $1",
    )
    .bind(row.sequence)
    .bind(&rest.actor)
    .bind(rest.note.as_deref())
    .bind(rest.before.as_deref())
    .bind(rest.after.as_deref())
    .execute(&mut *connection)
    .await?;
    sqlx::query("update audit_opening set opening = $2 where sequence = $1")
        .bind(row.sequence)
        .bind(Opening::without(entry, is_in).to_text())
        .execute(connection)
        .await?;
    Ok(true)
}

/// Clears the word from every text within; tells whether there was one.
pub(super) fn clear(value: &mut Value, word: &str) -> bool {
    match value {
        Value::String(text) => match cleared(text, word) {
            Some(rest) => {
                *text = rest;
                true
            }
            None => false,
        },
        // All of them, not only the first.
        Value::Array(values) => {
            values.iter_mut().filter_map(|one| cleared_in(one, word)).count() > 0
        }
        Value::Object(fields) => {
            fields.values_mut().filter_map(|one| cleared_in(one, word)).count() > 0
        }
        _ => false,
    }
}

fn cleared_in(value: &mut Value, word: &str) -> Option<()> {
    clear(value, word).then_some(())
}

pub(super) fn cleared(text: &str, word: &str) -> Option<String> {
    if text == word {
        return Some(ERASED.to_owned());
    }
    let is_part = word.chars().count() >= PART_CHARACTERS_MIN && text.contains(word);
    is_part.then(|| text.replace(word, ERASED))
}

/// A pattern that finds the text anywhere; more than it is harmless, as each is looked at.
pub(super) fn like(text: &str) -> String {
    let wild: String = text.chars().map(|c| if c == '\\' { '_' } else { c }).collect();
    format!("%{wild}%")
}
