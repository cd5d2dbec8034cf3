//! Checkpoints: the size and root of the tree at some time, signed
//! ([C2SP tlog-checkpoint](https://c2sp.org/tlog-checkpoint) in a
//! [signed note](https://c2sp.org/signed-note)); and the keys that sign them.

use std::fmt;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use signed_note::{
    Note, Signer as _, StandardSigner, StandardVerifier, Verifier as _, VerifierList,
};
use tlog_tiles::{checkpoint::Checkpoint as Text, tlog};

use crate::Hash256;

/// The first byte of an Ed25519 key in a signed note's key.
const ED25519: u8 = 1;
/// The first line of a note by which one key introduces the next.
const ENDORSEMENT: &str = "tally audit key";

/// Signs checkpoints. Its secret is in no `Debug` and in no error.
#[derive(Clone)]
pub struct SigningKey {
    secret: String,
    public: PublicKey,
}

/// Verifies signatures; written `<origin>+<id>+<base64>`.
#[derive(Clone)]
pub struct PublicKey {
    text: String,
    verifier: StandardVerifier,
}

/// What the log was at some time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeHead {
    /// Which log.
    pub origin: String,
    /// How many entries.
    pub size: u64,
    /// The root of their tree.
    pub root: Hash256,
}

/// A tree head with its signatures, as text that anybody may keep.
#[derive(Debug)]
pub struct Checkpoint {
    head: TreeHead,
    note: Note,
}

/// What is wrong with a key, a checkpoint, or a signature.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// Not a key.
    #[error("expected a key such as `tally.acme.test/audit+0a1b2c3d+AT…`")]
    Key,
    /// A log's name that a note cannot hold.
    #[error("expected a name of the log without spaces and `+`, such as `tally.acme.test/audit`")]
    Origin,
    /// Not a checkpoint.
    #[error("expected a checkpoint: a signed note with origin, size and root hash")]
    Checkpoint,
    /// A known key's signature is wrong, or there is none of a known key.
    #[error("no signature of a key that is trusted here")]
    Unsigned,
    /// A key's signature is there, but for another text.
    #[error("the signature of key {0} is not of this text")]
    Forged(String),
}

// === impl SigningKey ===

impl SigningKey {
    /// The key of a log made from 32 random bytes.
    ///
    /// # Errors
    /// `Origin` for a name that a note cannot hold.
    pub fn from_seed(origin: &str, seed: &[u8; 32]) -> Result<Self, NoteError> {
        if !signed_note::is_key_name_valid(origin) {
            return Err(NoteError::Origin);
        }
        let key = ed25519_dalek::SigningKey::from_bytes(seed);
        let public = signed_note::new_ed25519_verifier_key(origin, &key.verifying_key());
        let public: PublicKey = public.parse()?;
        let secret = BASE64_STANDARD.encode([&[ED25519], seed.as_slice()].concat());
        let secret = format!("PRIVATE+KEY+{origin}+{}+{secret}", public.id());
        Ok(Self { secret, public })
    }

    /// Reads what [`to_secret_text`](Self::to_secret_text) wrote.
    ///
    /// # Errors
    /// `Key` for anything else.
    pub fn from_secret_text(text: &str) -> Result<Self, NoteError> {
        let secret = text.trim();
        let mut parts = secret.splitn(5, '+').skip(2);
        let (origin, encoded) = (parts.next(), parts.nth(1));
        let (Some(origin), Some(encoded)) = (origin, encoded) else { return Err(NoteError::Key) };
        let decoded = BASE64_STANDARD.decode(encoded).map_err(|_| NoteError::Key)?;
        let [ED25519, seed @ ..] = decoded.as_slice() else { return Err(NoteError::Key) };
        let key = Self::from_seed(origin, seed.try_into().map_err(|_| NoteError::Key)?)?;
        // Id and prefix must be right, too.
        if key.secret == secret { Ok(key) } else { Err(NoteError::Key) }
    }

    /// The secret as it is kept in a file: `PRIVATE+KEY+…`.
    pub fn to_secret_text(&self) -> &str {
        &self.secret
    }

    /// What verifies its signatures.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// The name of the log.
    pub fn origin(&self) -> &str {
        self.public.origin()
    }

    /// Signs the tree of `size` entries.
    ///
    /// # Errors
    /// Never with a key that was made here.
    pub fn sign(&self, size: u64, root: Hash256) -> Result<Checkpoint, NoteError> {
        let text = Text::new(self.origin(), size, tlog::Hash(root.0), "");
        let text = text.map_err(|_| NoteError::Origin)?.to_bytes();
        let head = TreeHead { origin: self.origin().to_owned(), size, root };
        Ok(Checkpoint { head, note: self.sign_text(&text)? })
    }

    /// A note by which this key introduces the next one.
    ///
    /// # Errors
    /// Never with a key that was made here.
    pub fn endorse(&self, next: &PublicKey) -> Result<String, NoteError> {
        let note = self.sign_text(endorsement(next).as_bytes())?;
        String::from_utf8(note.to_bytes()).map_err(|_| NoteError::Key)
    }

    fn sign_text(&self, text: &[u8]) -> Result<Note, NoteError> {
        let signer = StandardSigner::new(&self.secret).map_err(|_| NoteError::Key)?;
        debug_assert_eq!(signer.key_id(), self.public.verifier.key_id());
        let mut note = Note::new(text, &[]).map_err(|_| NoteError::Origin)?;
        note.add_sigs(&[&signer]).map_err(|_| NoteError::Key)?;
        Ok(note)
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.public)
    }
}

fn endorsement(next: &PublicKey) -> String {
    format!("{ENDORSEMENT}\n{}\n{next}\n", next.origin())
}

// === impl PublicKey ===

impl PublicKey {
    /// The name of the log it signs.
    pub fn origin(&self) -> &str {
        self.verifier.name()
    }

    /// Its id, as signatures name it.
    pub fn id(&self) -> String {
        format!("{:08x}", self.verifier.key_id())
    }

    /// Whether this key introduced `next` by that note.
    pub fn endorsed(&self, next: &Self, note: &str) -> bool {
        let Ok(note) = Note::from_bytes(note.as_bytes()) else { return false };
        note.text() == endorsement(next).as_bytes() && verified(&note, self).is_ok()
    }
}

impl std::str::FromStr for PublicKey {
    type Err = NoteError;

    fn from_str(text: &str) -> Result<Self, NoteError> {
        let verifier = StandardVerifier::new(text).map_err(|_| NoteError::Key)?;
        Ok(Self { text: text.to_owned(), verifier })
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for PublicKey {}

// === impl Checkpoint ===

impl Checkpoint {
    /// Reads one; its signatures are not looked at.
    ///
    /// # Errors
    /// `Checkpoint`.
    pub fn parse(text: &str) -> Result<Self, NoteError> {
        let note = Note::from_bytes(text.as_bytes()).map_err(|_| NoteError::Checkpoint)?;
        let parsed = Text::from_bytes(note.text()).map_err(|_| NoteError::Checkpoint)?;
        let head = TreeHead {
            origin: parsed.origin().to_owned(),
            size: parsed.size(),
            root: Hash256(parsed.hash().0),
        };
        Ok(Self { head, note })
    }

    /// What was signed.
    pub fn head(&self) -> &TreeHead {
        &self.head
    }

    /// Whether this key signed it.
    ///
    /// # Errors
    /// `Unsigned`; `Forged` when a signature of the key is there, but not of this text.
    pub fn verify(&self, key: &PublicKey) -> Result<(), NoteError> {
        if key.origin() != self.head.origin {
            return Err(NoteError::Unsigned);
        }
        verified(&self.note, key)
    }
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.note.to_bytes()))
    }
}

fn verified(note: &Note, key: &PublicKey) -> Result<(), NoteError> {
    match note.verify(&VerifierList::new(vec![Box::new(key.verifier.clone())])) {
        Ok(_) => Ok(()),
        Err(signed_note::NoteError::InvalidSignature { .. }) => Err(NoteError::Forged(key.id())),
        Err(_) => Err(NoteError::Unsigned),
    }
}
