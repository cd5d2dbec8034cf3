//! An entry of the log, and the leaf that stands for it in the tree.
//!
//! What an entry says is split into fields (`actor`, `name`, `note`, `before.amount`, …),
//! and the leaf holds of each field only a salted commitment. So any field can be erased
//! without the tree noticing: its value and salt go, its commitment stays.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::value::RawValue;

use crate::{Hash256, hash::bytes, tree::leaf_hash};

/// Keeps a commitment from being opened by guessing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Salt([u8; 16]);

/// The secret of one entry from which the salts of its fields are made. Not to be
/// given away: it opens all of them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Seed(pub [u8; 32]);

/// What is known of one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
pub enum Field {
    /// Its value, with what shows that it is the one committed to.
    Open {
        /// The salt.
        salt: Salt,
        /// The value as JSON text, byte by byte as it was committed to.
        value: String,
    },
    /// It was erased, or is withheld.
    Erased {
        /// `SHA-256(salt || value)`.
        commitment: Hash256,
    },
}

/// An entry as it is exported and verified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogEntry {
    /// 1, 2, 3… without gaps.
    pub sequence: u64,
    /// When (RFC 3339).
    pub time: String,
    /// What was done.
    pub action: String,
    /// The kind of the resource it was done to.
    pub kind: String,
    /// The version of the resource.
    pub version: i64,
    /// Who, to which resource, what was before and after, why.
    pub fields: BTreeMap<String, Field>,
}

/// What the leaf is the hash of; in this order, as compact JSON.
#[derive(Serialize)]
struct Leaf<'a> {
    v: u8,
    sequence: u64,
    time: &'a str,
    action: &'a str,
    kind: &'a str,
    version: i64,
    fields: BTreeMap<&'a str, Hash256>,
}

/// Splits JSON text into fields, an object by its keys, so that a field can be erased
/// without what stands beside it. The fields' texts are as they stand there.
pub fn split(prefix: &str, json: &str, fields: &mut BTreeMap<String, String>) {
    match serde_json::from_str::<BTreeMap<String, &RawValue>>(json) {
        Ok(object) if !object.is_empty() => {
            for (key, value) in object {
                fields.insert(format!("{prefix}.{key}"), value.get().to_owned());
            }
        }
        _ => {
            fields.insert(prefix.to_owned(), json.to_owned());
        }
    }
}

// === impl Salt ===

impl Serialize for Salt {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(self.0))
    }
}

impl<'de> Deserialize<'de> for Salt {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let salt = bytes(&text);
        salt.map(Self).ok_or_else(|| de::Error::custom("expected 32 hexadecimal digits"))
    }
}

// === impl Seed ===

impl Seed {
    /// The salt of a field.
    pub fn salt(&self, field: &str) -> Salt {
        let Hash256(hash) = Hash256::of(&[b"tally-audit-salt/v1\0", &self.0, field.as_bytes()]);
        let mut salt = [0; 16];
        salt.copy_from_slice(hash.split_at(16).0);
        Salt(salt)
    }

    /// The fields, each open.
    pub fn open(&self, fields: BTreeMap<String, String>) -> BTreeMap<String, Field> {
        let open = |(name, value): (String, String)| {
            let salt = self.salt(&name);
            (name, Field::Open { salt, value })
        };
        fields.into_iter().map(open).collect()
    }
}

impl std::fmt::Debug for Seed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seed(…)")
    }
}

// === impl Field ===

impl Field {
    /// What the leaf holds of it.
    pub fn commitment(&self) -> Hash256 {
        match self {
            Self::Open { salt, value } => Hash256::of(&[&salt.0, value.as_bytes()]),
            Self::Erased { commitment } => *commitment,
        }
    }

    /// Without its value.
    pub fn erased(&self) -> Self {
        Self::Erased { commitment: self.commitment() }
    }

    /// What opens it, without the value: its salt, if there is one.
    pub fn salt(&self) -> Option<Salt> {
        match self {
            Self::Open { salt, .. } => Some(*salt),
            Self::Erased { .. } => None,
        }
    }

    /// The text it holds, if it is open and a text.
    pub fn text(&self) -> Option<String> {
        match self {
            Self::Open { value, .. } => serde_json::from_str(value).ok(),
            Self::Erased { .. } => None,
        }
    }
}

// === impl LogEntry ===

impl LogEntry {
    /// The bytes whose hash is the leaf.
    pub fn leaf_bytes(&self) -> Vec<u8> {
        let fields = self.fields.iter().map(|(name, field)| (name.as_str(), field.commitment()));
        let Self { sequence, version, time, action, kind, .. } = self;
        let (sequence, version) = (*sequence, *version);
        let leaf = Leaf { v: 1, sequence, time, action, kind, version, fields: fields.collect() };
        // Texts, numbers and maps of them always have a JSON form.
        serde_json::to_vec(&leaf).unwrap_or_default()
    }

    /// The leaf.
    pub fn leaf(&self) -> Hash256 {
        leaf_hash(&self.leaf_bytes())
    }

    /// Names of the fields that were erased.
    pub fn erased(&self) -> impl Iterator<Item = &str> {
        let is_erased = |field: &Field| matches!(field, Field::Erased { .. });
        self.fields.iter().filter(move |(_, field)| is_erased(field)).map(|(name, _)| name.as_str())
    }
}
