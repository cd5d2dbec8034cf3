//! The simulator itself: its settings, its memory of requests, and its ledger.

use crate::cache::PromptCache;
use crate::canon::first_half;
use crate::ledger::{CallRecord, Entry, Ledger, Served, ServedQuery};
use crate::options::{SimConfig, SimOptions};
use crate::random::{ContentHash, Draw};
use parking_lot::{Mutex, RwLock};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A running simulator; clones share everything.
#[derive(Debug, Clone)]
pub struct Sim {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    seed: u64,
    config: RwLock<SimConfig>,
    ledger: Arc<Ledger>,
    occurrences: Mutex<HashMap<(u64, ContentHash), u64>>,
    /// Numbers replies that no content identifies.
    unidentified: AtomicU64,
    cache: PromptCache,
}

/// Contents remembered with the number of their occurrences. Beyond that,
/// replies still never repeat an id, but depend on the order of calls.
const OCCURRENCES_MAX: usize = 2_000_000;
/// Occurrences of contents that are not remembered count from here.
const UNREMEMBERED: u64 = 1 << 40;

impl Sim {
    /// A simulator that has served nothing yet.
    #[must_use]
    pub fn new(options: &SimOptions) -> Self {
        Self {
            shared: Arc::new(Shared {
                seed: options.seed,
                config: RwLock::new(options.config),
                ledger: Arc::new(Ledger::new(options.calls_kept)),
                occurrences: Mutex::default(),
                unidentified: AtomicU64::new(0),
                cache: PromptCache::default(),
            }),
        }
    }

    /// The current settings.
    #[must_use]
    pub fn config(&self) -> SimConfig {
        *self.shared.config.read()
    }

    /// Changes the settings for calls from now on.
    ///
    /// # Errors
    /// A sentence naming the setting that is out of range.
    pub fn set_config(&self, config: SimConfig) -> Result<(), String> {
        config.validate()?;
        *self.shared.config.write() = config;
        Ok(())
    }

    /// What was served: totals, and calls as far as asked for.
    #[must_use]
    pub fn served(&self, query: ServedQuery) -> Served {
        self.shared.ledger.served(query)
    }

    /// Forgets what was served. Sequences, ids and prompt caches go on.
    pub fn reset_served(&self) {
        self.shared.ledger.reset();
    }

    pub(crate) fn seed(&self) -> u64 {
        self.shared.seed
    }

    pub(crate) fn cache(&self) -> &PromptCache {
        &self.shared.cache
    }

    pub(crate) fn receive(&self, record: CallRecord) -> Entry {
        self.shared.ledger.receive(record)
    }

    /// How often the credential has sent this content before.
    pub(crate) fn occurrence(&self, credential: u64, content: ContentHash) -> u64 {
        let mut occurrences = self.shared.occurrences.lock();
        let full = occurrences.len() >= OCCURRENCES_MAX;
        match occurrences.get_mut(&(credential, content)) {
            Some(count) => {
                *count += 1;
                *count
            }
            None if full => UNREMEMBERED + self.shared.unidentified.fetch_add(1, Ordering::Relaxed),
            None => {
                occurrences.insert((credential, content), 0);
                0
            }
        }
    }

    /// What decides the reply to the given occurrence of a content.
    pub(crate) fn draw(&self, content: &ContentHash, occurrence: u64) -> Draw {
        Draw::new(self.shared.seed, content, occurrence)
    }

    /// What decides a reply to a request that could not be read.
    pub(crate) fn unidentified_draw(&self) -> Draw {
        let mut hasher = Sha256::new();
        hasher.update(b"unidentified");
        let number = self.shared.unidentified.fetch_add(1, Ordering::Relaxed);
        self.draw(&first_half(hasher), number)
    }
}
