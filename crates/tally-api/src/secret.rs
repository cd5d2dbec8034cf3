//! Secrets of new keys.

use rand::distr::{Alphanumeric, SampleString};
use sha2::{Digest, Sha256};

/// 190 bits in base 62.
const CHARACTERS: usize = 32;
/// What a secret is recognised by once it is gone.
const PREFIX_CHARACTERS: usize = 10;

/// Where secrets come from.
pub trait SecretMaker: Send + Sync + 'static {
    /// A secret that nobody can guess: `tally_` and 32 characters of base 62.
    fn secret(&self) -> String;
}

/// Secrets from a cryptographic generator seeded by the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct OsSecrets;

impl SecretMaker for OsSecrets {
    fn secret(&self) -> String {
        format!("tally_{}", Alphanumeric.sample_string(&mut rand::rng(), CHARACTERS))
    }
}

/// What is kept of a secret, as a key's spec has it.
pub(crate) fn hashed(secret: &str) -> serde_json::Value {
    let prefix: String = secret.chars().take(PREFIX_CHARACTERS).collect();
    let sha256 = hex::encode(Sha256::digest(secret.as_bytes()));
    serde_json::json!({ "sha256": sha256, "prefix": prefix })
}

#[cfg(test)]
mod tests {
    use tally_types::spec::weak_secret;

    use super::*;

    #[test]
    fn secrets_are_long_different_and_travel_in_a_header() {
        let (one, other) = (OsSecrets.secret(), OsSecrets.secret());
        assert_ne!(one, other);
        assert_eq!(one.len(), 38);
        assert_eq!(weak_secret(&one), None);
    }

    #[test]
    fn what_is_kept_does_not_hold_the_secret() {
        let secret = OsSecrets.secret();
        let kept = hashed(&secret).to_string();
        assert!(!kept.contains(&secret));
        assert!(kept.contains(&secret[..10]) && !kept.contains(&secret[..11]));
    }
}
