//! Sealing what was said: AES-256-GCM, a random nonce each time, the event's id attested.

use std::{fs::File, io::Write as _, os::unix::fs::OpenOptionsExt as _, path::Path};

use ring::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    rand::{SecureRandom as _, SystemRandom},
};
use tally_types::EventId;

use crate::{PromptError, prompt::Content};

const KEY_BYTES: usize = 32;
/// The length of the request, before request and reply.
const LENGTH_BYTES: usize = 8;

/// The key that seals prompts. Without it nothing that was kept can be read: to lose the key
/// is to delete them all.
pub struct PromptKey {
    key: LessSafeKey,
    random: SystemRandom,
}

/// What stands in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sealed {
    pub(crate) nonce: [u8; NONCE_LEN],
    pub(crate) text: Vec<u8>,
}

impl std::fmt::Debug for PromptKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PromptKey").finish_non_exhaustive()
    }
}

// === impl PromptKey ===

impl PromptKey {
    /// The key in the file, which is made, readable by its owner only, when there is none.
    ///
    /// # Errors
    /// When the file cannot be read or written, or holds something else.
    pub fn open(path: &Path) -> Result<Self, PromptError> {
        let random = SystemRandom::new();
        let mut bytes = [0; KEY_BYTES];
        match std::fs::read_to_string(path) {
            Ok(text) => hex::decode_to_slice(text.trim(), &mut bytes)
                .map_err(|_| PromptError::KeyMalformed(path.display().to_string()))?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                random.fill(&mut bytes).map_err(|_| PromptError::Random)?;
                let mut file =
                    File::options().write(true).create_new(true).mode(0o600).open(path)?;
                file.write_all(format!("{}\n", hex::encode(bytes)).as_bytes())?;
                file.sync_all()?;
            }
            Err(error) => return Err(error.into()),
        }
        let key = UnboundKey::new(&AES_256_GCM, &bytes).map_err(|_| PromptError::Random)?;
        Ok(Self { key: LessSafeKey::new(key), random })
    }

    pub(crate) fn seal(
        &self,
        event: EventId,
        request: &[u8],
        reply: &[u8],
    ) -> Result<Sealed, PromptError> {
        let mut nonce = [0; NONCE_LEN];
        self.random.fill(&mut nonce).map_err(|_| PromptError::Random)?;
        let tag_bytes = AES_256_GCM.tag_len();
        let mut text = Vec::with_capacity(LENGTH_BYTES + request.len() + reply.len() + tag_bytes);
        text.extend_from_slice(&(request.len() as u64).to_be_bytes());
        text.extend_from_slice(request);
        text.extend_from_slice(reply);
        self.key
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                attested(event),
                &mut text,
            )
            .map_err(|_| PromptError::Sealed)?;
        Ok(Sealed { nonce, text })
    }

    pub(crate) fn open_sealed(
        &self,
        event: EventId,
        Sealed { nonce, mut text }: Sealed,
    ) -> Result<Content, PromptError> {
        let opened = self
            .key
            .open_in_place(Nonce::assume_unique_for_key(nonce), attested(event), &mut text)
            .map_err(|_| PromptError::Sealed)?;
        let (length, said) =
            opened.split_first_chunk::<LENGTH_BYTES>().ok_or(PromptError::Sealed)?;
        let length =
            usize::try_from(u64::from_be_bytes(*length)).map_err(|_| PromptError::Sealed)?;
        let (request, reply) = said.split_at_checked(length).ok_or(PromptError::Sealed)?;
        Ok(Content { request: request.to_vec(), reply: reply.to_vec() })
    }
}

/// A sealed prompt that was moved to another event does not open.
fn attested(event: EventId) -> Aad<[u8; 16]> {
    Aad::from(event.0.into_bytes())
}
