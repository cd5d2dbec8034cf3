//! Names for values: the same value has the same name, and nobody without the key can
//! tell the value from it.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::Arc,
};

use ring::hmac;
use tally_types::Fingerprint;

use super::{kind::DataKind, restore::Restorations};

/// Letters and digits that are not mistaken for one another.
const ALPHABET: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz023456789";
/// So many of them name a value: 40 bits, one chance in a million among 1,000 values.
const NAME_CHARACTERS: usize = 8;
/// A second value of the same name gets a longer one.
const NAME_CHARACTERS_MAX: usize = 16;

/// What placeholders follow from: the same key, the same placeholders.
#[derive(Clone)]
pub struct RedactionKey(Arc<hmac::Key>);

/// The values of one request and their placeholders.
pub struct Vault {
    key: RedactionKey,
    placeholders: HashMap<(DataKind, String), String>,
    values: BTreeMap<String, String>,
    counts: BTreeMap<String, u32>,
}

// === impl RedactionKey ===

impl RedactionKey {
    /// A key from secret bytes; 32 random ones are best.
    pub fn new(secret: &[u8]) -> Self {
        Self(Arc::new(hmac::Key::new(hmac::HMAC_SHA256, secret)))
    }

    /// What follows from a request: nobody without the key can tell what was asked from it.
    pub fn fingerprint(&self, request: &[u8]) -> Fingerprint {
        let mut context = hmac::Context::with_key(&self.0);
        // Sets it apart from the names of placeholders.
        context.update(b"fingerprint\0");
        context.update(request);
        let bits = context
            .sign()
            .as_ref()
            .iter()
            .take(8)
            .fold(0, |bits, byte| bits << 8 | u64::from(*byte));
        Fingerprint::new(bits)
    }

    /// Sixteen characters that follow from the kind and the value.
    fn name(&self, kind: &DataKind, value: &str) -> String {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(kind.as_str().as_bytes());
        context.update(&[0]);
        context.update(value.as_bytes());
        let tag = context.sign();
        let character = |byte: &u8| ALPHABET.get(usize::from(byte & 31)).copied().unwrap_or(b'a');
        tag.as_ref()
            .iter()
            .take(NAME_CHARACTERS_MAX)
            .map(|byte| char::from(character(byte)))
            .collect()
    }
}

impl fmt::Debug for RedactionKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("RedactionKey(…)")
    }
}

// === impl Vault ===

impl Vault {
    /// An empty one.
    pub fn new(key: RedactionKey) -> Self {
        Self { key, placeholders: HashMap::new(), values: BTreeMap::new(), counts: BTreeMap::new() }
    }

    /// The placeholder of a value, such as `[EMAIL_k7m2p9qd]`; counts it.
    pub fn placeholder(&mut self, kind: &DataKind, value: &str) -> String {
        let count = self.counts.entry(kind.as_str().to_owned()).or_default();
        *count = count.saturating_add(1);
        let known = (kind.clone(), value.to_owned());
        if let Some(placeholder) = self.placeholders.get(&known) {
            return placeholder.clone();
        }
        let name = self.key.name(kind, value);
        let label = kind.as_str().to_ascii_uppercase().replace('-', "_");
        let lengths = NAME_CHARACTERS..=NAME_CHARACTERS_MAX;
        let mut candidates =
            lengths.map(|length| format!("[{label}_{}]", name.get(..length).unwrap_or(&name)));
        let free = candidates.find(|it| self.values.get(it).is_none_or(|other| other == value));
        let placeholder = free.unwrap_or_else(|| format!("[{label}_{name}]"));
        self.values.insert(placeholder.clone(), value.to_owned());
        self.placeholders.insert(known, placeholder.clone());
        placeholder
    }

    /// How many values of each kind were replaced, repeated ones each time.
    pub fn counts(&self) -> &BTreeMap<String, u32> {
        &self.counts
    }

    /// What is needed to put the values back.
    pub fn into_restorations(self) -> Restorations {
        Restorations::new(self.values)
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Vault").field("counts", &self.counts).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_keeps_its_name_and_the_name_tells_nothing() {
        let mut vault = Vault::new(RedactionKey::new(b"one"));
        let first = vault.placeholder(&DataKind::Email, "ada@acme.test");
        vault.placeholder(&DataKind::Email, "grace@acme.test");
        assert_eq!(vault.placeholder(&DataKind::Email, "ada@acme.test"), first);
        assert_eq!(vault.counts()["email"], 3);
        let mut later = Vault::new(RedactionKey::new(b"one"));
        assert_eq!(later.placeholder(&DataKind::Email, "ada@acme.test"), first, "in any order");
        assert_ne!(later.placeholder(&DataKind::Phone, "ada@acme.test"), first);
        let mut other = Vault::new(RedactionKey::new(b"two"));
        assert_ne!(other.placeholder(&DataKind::Email, "ada@acme.test"), first);
        assert!(first.starts_with("[EMAIL_") && first.len() == 16, "{first}");
        let own = vault.placeholder(&DataKind::Custom("employee-id".into()), "E-1");
        assert!(own.starts_with("[EMPLOYEE_ID_"), "{own}");
        let printed = format!("{vault:?} {:?}", vault.key);
        assert!(!printed.contains("acme") && !printed.contains(&first));
        assert!(!format!("{:?}", vault.into_restorations()).contains("acme"));
    }
}
