//! Passwords: what is a good one, and what is kept of it.

use std::sync::Arc;

use argon2::{
    Algorithm, Argon2, Params, PasswordHash, PasswordHasher as _, PasswordVerifier as _, Version,
    password_hash::{self, SaltString},
};
use http::StatusCode;
use rand::RngCore as _;
use tally_ingest::edge::{Flaw, Problem};
use tally_types::{PersonName, spec::PersonSpec};
use tokio::sync::Semaphore;

const CHARACTERS_MIN: usize = 12;
const CHARACTERS_MAX: usize = 256;
const DIFFERENT_MIN: usize = 5;
/// What OWASP recommends for Argon2id: 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19 * 1_024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// Each takes a core for tens of milliseconds and [`MEMORY_KIB`].
const HASHES_AT_ONCE: usize = 2;
const HASHES_QUEUED_MAX: usize = 32;
/// Words that are no better for being longer.
const COMMON: &[&str] = &["password", "passwordpassword", "passwort", "letmein", "tally", "admin"];

/// Hashes and verifies, a few at a time.
pub(super) struct Passwords {
    running: Arc<Semaphore>,
    queued: Semaphore,
    /// Verified against for people who have no account, so that it takes as long.
    nobody: String,
}

// === impl Passwords ===

impl Passwords {
    pub(super) fn new() -> Self {
        Self {
            running: Arc::new(Semaphore::new(HASHES_AT_ONCE)),
            queued: Semaphore::new(HASHES_QUEUED_MAX),
            // Were it to fail, so would every hash; verifying against nothing is refused.
            nobody: hash("a password that nobody has").unwrap_or_default(),
        }
    }

    /// What is kept of a password.
    pub(super) async fn hash(&self, password: String) -> Result<String, Problem> {
        self.run(move || hash(&password))
            .await?
            .map_err(|error| Problem::internal("hashing a password", &error))
    }

    /// Whether a password has this hash; takes as long when there is none.
    pub(super) async fn verify(
        &self,
        password: String,
        hash: Option<String>,
    ) -> Result<bool, Problem> {
        let is_known = hash.is_some();
        let hash = hash.unwrap_or_else(|| self.nobody.clone());
        let matches = self.run(move || verify(&password, &hash)).await?;
        Ok(matches && is_known)
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let _place = self.queued.try_acquire().map_err(|_| busy())?;
        let permit = Arc::clone(&self.running).acquire_owned().await.map_err(|_| busy())?;
        let done = tokio::task::spawn_blocking(move || {
            // Held by the work, which goes on when the caller does not wait.
            let _permit = permit;
            work()
        });
        done.await.map_err(|error| Problem::internal("looking at a password", &error))
    }
}

fn busy() -> Problem {
    Problem::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "sign_in_busy",
        "too many people are signing in at this moment",
    )
    .with_next_step("try again in a second")
    .with_retry_after(1)
}

fn hasher() -> Result<Argon2<'static>, password_hash::Error> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// What is kept of a password; blocks for tens of milliseconds.
pub(super) fn hash(password: &str) -> Result<String, password_hash::Error> {
    let mut salt = [0_u8; 16];
    rand::rng().fill_bytes(&mut salt);
    let salt = SaltString::encode_b64(&salt)?;
    Ok(hasher()?.hash_password(password.as_bytes(), &salt)?.to_string())
}

/// Compares in constant time, with the parameters the hash was made with.
fn verify(password: &str, hash: &str) -> bool {
    // What was never accepted is not worth the work, and is refused the same for everyone.
    if password.chars().count() > CHARACTERS_MAX {
        return false;
    }
    let Ok(hash) = PasswordHash::new(hash) else { return false };
    hasher().is_ok_and(|hasher| hasher.verify_password(password.as_bytes(), &hash).is_ok())
}

/// What is wrong with a password for this person, if something is.
pub(super) fn flaw(
    password: &str,
    person: &PersonName,
    spec: Option<&PersonSpec>,
) -> Option<String> {
    let characters = password.chars().count();
    if !(CHARACTERS_MIN..=CHARACTERS_MAX).contains(&characters) {
        let expected = format!("expected {CHARACTERS_MIN} to {CHARACTERS_MAX} characters");
        return Some(format!("{expected}, got {characters}"));
    }
    let different: std::collections::BTreeSet<char> = password.chars().collect();
    if different.len() < DIFFERENT_MIN {
        return Some(format!("expected at least {DIFFERENT_MIN} different characters"));
    }
    let letters = letters(password);
    if letters.is_empty() {
        return Some("expected letters beside digits and signs".to_owned());
    }
    let is_own = own_words(person, spec).any(|word| word == letters);
    if is_own || COMMON.contains(&letters.as_str()) {
        let what = "expected more than your name, your e-mail or a common word";
        return Some(format!("{what}, with digits or without"));
    }
    None
}

/// The refusal of a password, if it is no good.
pub(super) fn refuse_weak(
    field: &'static str,
    password: &str,
    person: &PersonName,
    spec: Option<&PersonSpec>,
) -> Result<(), Problem> {
    let Some(flaw) = flaw(password, person, spec) else { return Ok(()) };
    Err(Problem::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "password_weak",
        format!("this password is too weak: {flaw}"),
    )
    .with_errors([Flaw::new(field, flaw)])
    .with_next_step("a sentence of four or more words is easy to keep and hard to guess"))
}

fn own_words(person: &PersonName, spec: Option<&PersonSpec>) -> impl Iterator<Item = String> {
    let email = spec.and_then(|spec| spec.email.as_deref()).unwrap_or_default();
    let local = email.split('@').next().unwrap_or_default();
    let shown = spec.and_then(|spec| spec.display_name.as_deref()).unwrap_or_default();
    [letters(person.as_str()), letters(email), letters(local), letters(shown)]
        .into_iter()
        .filter(|word| !word.is_empty())
}

fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphabetic()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ada() -> (PersonName, PersonSpec) {
        let spec = PersonSpec {
            display_name: Some("Ada Lovelace".to_owned()),
            email: Some("ada.lovelace@acme.test".to_owned()),
            ..PersonSpec::default()
        };
        ("ada".parse().unwrap(), spec)
    }

    #[test]
    fn a_weak_password_is_told_what_was_expected() {
        let (name, spec) = ada();
        let flaw = |password: &str| flaw(password, &name, Some(&spec)).unwrap_or_default();
        for (password, expected) in [
            ("short", "expected 12 to 256 characters, got 5"),
            ("aaaabbbbcccc", "expected at least 5 different characters"),
            ("123456789012", "expected letters"),
            ("Password1234!", "a common word"),
            ("Ada.Lovelace1815", "your name"),
            ("ada.lovelace@acme.test", "your e-mail"),
            ("ada-12345678", "your name"),
        ] {
            assert!(flaw(password).contains(expected), "{password}: {}", flaw(password));
        }
        assert!(flaw(&"aB3$x".repeat(52)).contains("got 260"));
        for good in ["correct horse battery", "Ada likes engines", "пароль-надёжный"]
        {
            assert_eq!(flaw(good), "", "{good}");
        }
    }

    #[test]
    fn a_hash_is_argon2id_salted_and_opens_by_its_password_only() {
        let (one, other) =
            (hash("correct horse battery").unwrap(), hash("correct horse battery").unwrap());
        assert!(one.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{one}");
        assert_ne!(one, other);
        assert!(verify("correct horse battery", &one));
        assert!(!verify("correct horse batterz", &one));
        assert!(!verify("correct horse battery", "no hash"));
        assert!(!verify(&"x".repeat(257), &hash(&"x".repeat(257)).unwrap()));
    }

    #[tokio::test]
    async fn nobody_has_the_password_of_nobody() {
        let passwords = Passwords::new();
        assert!(passwords.nobody.starts_with("$argon2id$"));
        let opens = passwords.verify("a password that nobody has".to_owned(), None).await.unwrap();
        assert!(!opens);
    }
}
