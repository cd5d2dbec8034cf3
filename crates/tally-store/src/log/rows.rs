//! Entries as they are stored, and their leaves.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::{Row as _, any::AnyRow};
use tally_audit::{Field, Hash256, LogEntry, Salt, Seed, split};

use crate::{AuditEntry, StoreError, database::backend};

pub(super) const COLUMNS: &str = "a.sequence, a.recorded_at, a.actor, a.action, a.kind, a.name, \
                                  a.version, a.spec_before, a.spec_after, a.note";

/// An entry with the JSON texts as they are stored: byte by byte what its leaf commits to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AuditRow {
    pub(crate) sequence: i64,
    pub(crate) time: String,
    pub(crate) actor: String,
    pub(crate) action: String,
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) version: i64,
    pub(crate) before: Option<String>,
    pub(crate) after: Option<String>,
    pub(crate) note: Option<String>,
}

/// What opens an entry's commitments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Opening {
    /// All of them.
    Seed(Hash256),
    /// Those that have a salt.
    Fields(BTreeMap<String, Kept>),
}

/// What is kept of one field beside its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kept {
    Salt(Salt),
    /// It was erased.
    Commitment(Hash256),
}

// === impl AuditRow ===

impl AuditRow {
    pub(crate) fn of(entry: &AuditEntry) -> Self {
        Self {
            sequence: entry.sequence,
            time: entry.time.to_string(),
            actor: entry.actor.clone(),
            action: entry.action.as_str().to_owned(),
            kind: entry.kind.as_str().to_owned(),
            name: entry.name.to_string(),
            version: entry.version,
            before: entry.before.as_ref().map(Value::to_string),
            after: entry.after.as_ref().map(Value::to_string),
            note: entry.note.clone(),
        }
    }

    pub(super) fn read(row: &AnyRow) -> Result<Self, StoreError> {
        Ok(Self {
            sequence: row.try_get("sequence")?,
            time: row.try_get("recorded_at")?,
            actor: row.try_get("actor")?,
            action: row.try_get("action")?,
            kind: row.try_get("kind")?,
            name: row.try_get("name")?,
            version: row.try_get("version")?,
            before: row.try_get("spec_before")?,
            after: row.try_get("spec_after")?,
            note: row.try_get("note")?,
        })
    }

    /// Its place in the tree, from 0.
    pub(super) fn index(&self) -> Result<u64, StoreError> {
        u64::try_from(self.sequence - 1).map_err(|_| backend("an audit entry before the first"))
    }

    fn texts(&self) -> BTreeMap<String, String> {
        let mut fields = BTreeMap::new();
        let text = |text: &str| Value::from(text).to_string();
        fields.insert("actor".to_owned(), text(&self.actor));
        fields.insert("name".to_owned(), text(&self.name));
        if let Some(note) = &self.note {
            fields.insert("note".to_owned(), text(note));
        }
        for (prefix, json) in [("before", &self.before), ("after", &self.after)] {
            if let Some(json) = json {
                split(prefix, json, &mut fields);
            }
        }
        fields
    }

    /// The entry as it is exported.
    pub(super) fn log_entry(&self, opening: &Opening) -> Result<LogEntry, StoreError> {
        let mut texts = self.texts();
        let fields = match opening {
            Opening::Seed(seed) => Seed(seed.0).open(texts),
            Opening::Fields(kept) => {
                let field = |(name, kept): (&String, &Kept)| {
                    let field = match kept {
                        Kept::Commitment(commitment) => Field::Erased { commitment: *commitment },
                        Kept::Salt(salt) => Field::Open {
                            salt: *salt,
                            // A value that is gone shows as a changed entry, as it should.
                            value: texts.remove(name).unwrap_or_default(),
                        },
                    };
                    (name.clone(), field)
                };
                kept.iter().map(field).collect()
            }
        };
        Ok(LogEntry {
            sequence: self.index()? + 1,
            time: self.time.clone(),
            action: self.action.clone(),
            kind: self.kind.clone(),
            version: self.version,
            fields,
        })
    }
}

// === impl Opening ===

impl Opening {
    pub(super) fn to_text(&self) -> String {
        // Texts and maps of them always have a JSON form.
        serde_json::to_string(self).unwrap_or_default()
    }

    pub(super) fn read(row: &AnyRow) -> Result<Self, StoreError> {
        let text: String = row.try_get("opening")?;
        serde_json::from_str(&text).map_err(|error| backend(format!("column `opening`: {error}")))
    }

    /// What is left to be kept of an entry when these fields of it are erased.
    pub(super) fn without(entry: &LogEntry, erased: impl Fn(&str) -> bool) -> Self {
        let kept = entry.fields.iter().map(|(name, field)| {
            let kept = match field.salt().filter(|_| !erased(name)) {
                Some(salt) => Kept::Salt(salt),
                None => Kept::Commitment(field.commitment()),
            };
            (name.clone(), kept)
        });
        Self::Fields(kept.collect())
    }
}
