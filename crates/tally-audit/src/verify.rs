//! Verifying an exported log, line by line, in little memory.

use crate::{
    Checkpoint, ENDORSEMENT_FIELD, Finding, Hash256, KEY_ACTION, KEY_FIELD, LogEntry, NoteError,
    PublicKey,
    export::{Exported, FORMAT, Header, Line},
    tree::Frontier,
};

/// What the verifier trusts because it was given to it by another way than the log.
#[derive(Debug, Default)]
pub struct Trust {
    /// Checkpoints that were handed out earlier.
    pub checkpoints: Vec<Checkpoint>,
    /// Public keys of the log.
    pub keys: Vec<PublicKey>,
}

/// Why the signatures can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyTrust {
    /// By a key or an earlier checkpoint that the verifier was given.
    Given,
    /// Only by what the log says of itself: whoever made it may have made it anew.
    FirstUse,
}

/// A log in which nothing was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The name of the log.
    pub origin: String,
    /// How many entries.
    pub size: u64,
    /// The root of their tree.
    pub root: Hash256,
    /// How many checkpoints of the file were checked.
    pub checkpoints: u64,
    /// How many earlier checkpoints it agrees with.
    pub earlier: u64,
    /// In how many entries something was erased.
    pub erased: u64,
    /// The key that signed last.
    pub key: String,
    /// Why that key can be trusted.
    pub key_trust: KeyTrust,
}

struct Key {
    public: PublicKey,
    since: u64,
    introduced: bool,
    endorsed: bool,
}

/// Reads a log line by line; memory does not grow with it.
pub struct Verifier {
    trust: Trust,
    header: Option<Header>,
    keys: Vec<Key>,
    tree: Frontier,
    line: u64,
    checkpoints: u64,
    /// How many entries the last good checkpoint attests.
    attested: u64,
    earlier: u64,
    erased: u64,
}

// === impl Verifier ===

impl Verifier {
    /// A verifier that trusts this.
    pub fn new(mut trust: Trust) -> Self {
        trust.checkpoints.sort_by_key(|checkpoint| checkpoint.head().size);
        Self {
            trust,
            header: None,
            keys: Vec::new(),
            tree: Frontier::default(),
            line: 0,
            checkpoints: 0,
            attested: 0,
            earlier: 0,
            erased: 0,
        }
    }

    /// Takes the next line, without its end.
    ///
    /// # Errors
    /// The first thing that is wrong; the verifier is of no use afterwards.
    pub fn read(&mut self, text: &str) -> Result<(), Finding> {
        self.line += 1;
        let line = Line::parse(text).map_err(|reason| self.unreadable(reason))?;
        match (line, self.header.is_some()) {
            (Line::Log(header), false) => self.begin(header),
            (Line::Entry(entry), true) => self.entry(*entry),
            (Line::Checkpoint(text), true) => self.checkpoint(&text),
            (_, false) => Err(self.unreadable("expected which log it is, first")),
            (Line::Log(_), true) => Err(self.unreadable("a second log begins here")),
        }
    }

    /// Says what the whole was.
    ///
    /// # Errors
    /// What is missing at the end.
    pub fn finish(self) -> Result<Report, Finding> {
        let (have, root) = (self.tree.size(), self.tree.root());
        let Some(header) = &self.header else {
            return Err(self.unreadable("the file is empty; expected an exported log"));
        };
        if have != header.size {
            let by = "by the first line of the file";
            return Err(Finding::Truncated { have, wanted: header.size, by });
        }
        if let Some(last) = self.trust.checkpoints.last().filter(|last| last.head().size > have) {
            let by = "by an earlier checkpoint";
            return Err(Finding::Truncated { have, wanted: last.head().size, by });
        }
        if self.attested != have || self.checkpoints == 0 {
            return Err(Finding::Unattested { attested: self.attested });
        }
        let key_trust = self.key_trust()?;
        let key = self.key_at(have).map(|key| key.public.to_string()).unwrap_or_default();
        let Self { checkpoints, earlier, erased, .. } = self;
        let origin = header.origin.clone();
        Ok(Report { origin, size: have, root, checkpoints, earlier, erased, key, key_trust })
    }

    fn unreadable(&self, reason: impl Into<String>) -> Finding {
        Finding::Unreadable { line: self.line.max(1), reason: reason.into() }
    }

    fn begin(&mut self, header: Header) -> Result<(), Finding> {
        if header.format != FORMAT {
            let reason = format!("format {} is not known; expected {FORMAT}", header.format);
            return Err(self.unreadable(reason));
        }
        for key in &header.keys {
            let public: PublicKey =
                key.key.parse().map_err(|error: NoteError| self.unreadable(error.to_string()))?;
            if public.origin() != header.origin {
                return Err(self.unreadable("a key is of another log"));
            }
            let (since, first) = (key.since, self.keys.is_empty());
            if self.keys.last().is_some_and(|before| before.since >= since) {
                return Err(self.unreadable("the keys are not in order"));
            }
            self.keys.push(Key { public, since, introduced: false, endorsed: first });
        }
        self.header = Some(header);
        self.compare()
    }

    fn entry(&mut self, entry: Exported) -> Result<(), Finding> {
        let Exported { leaf, said } = entry;
        let (line, expected, found) = (self.line, self.tree.size() + 1, said.sequence);
        if found > expected {
            return Err(Finding::Missing { line, missing: expected, found });
        }
        if found < expected {
            return Err(Finding::OutOfOrder { line, expected, found });
        }
        if said.leaf() != leaf {
            return Err(Finding::Changed { line, entry: found });
        }
        self.tree.push(leaf);
        self.erased += u64::from(said.erased().next().is_some());
        self.introduce(&said);
        self.compare()
    }

    /// Notes that an entry introduces the key that is said to be in force from there on.
    fn introduce(&mut self, entry: &LogEntry) {
        if entry.action != KEY_ACTION {
            return;
        }
        let at = self.keys.iter().position(|key| key.since == entry.sequence);
        let Some((before, [key, ..])) = at.and_then(|at| self.keys.split_at_mut_checked(at)) else {
            return;
        };
        let text = |name: &str| entry.fields.get(name).and_then(crate::Field::text);
        key.introduced = text(KEY_FIELD).is_some_and(|text| text == key.public.to_string());
        if let (Some(before), Some(note)) = (before.last(), text(ENDORSEMENT_FIELD)) {
            key.endorsed = before.public.endorsed(&key.public, &note);
        }
    }

    /// Holds the log up to here against the earlier checkpoints of this size.
    fn compare(&mut self) -> Result<(), Finding> {
        let size = self.tree.size();
        let origin = self.header.as_ref().map_or("", |header| &header.origin);
        for checkpoint in &self.trust.checkpoints {
            let head = checkpoint.head();
            if head.size != size {
                continue;
            }
            if head.root != self.tree.root() {
                let reason = "its root hash is another";
                return Err(Finding::Rewritten { size, reason });
            }
            if head.origin != origin {
                let reason = "it is of a log with another name";
                return Err(Finding::Rewritten { size, reason });
            }
            self.earlier += 1;
        }
        Ok(())
    }

    fn checkpoint(&mut self, text: &str) -> Result<(), Finding> {
        let (line, at) = (self.line, self.tree.size());
        let checkpoint =
            Checkpoint::parse(text).map_err(|error| self.unreadable(error.to_string()))?;
        let head = checkpoint.head();
        if head.size != at {
            return Err(Finding::Misplaced { line, says: head.size, at });
        }
        let key = self.key_at(at).ok_or_else(|| Finding::Key {
            key: "-".to_owned(),
            reason: "no entry introduces a key before the first checkpoint",
        })?;
        checkpoint.verify(&key.public).map_err(|reason| Finding::Signature {
            line,
            size: at,
            reason,
        })?;
        if head.root != self.tree.root() {
            return Err(Finding::NotAttested { line, from: self.attested + 1, to: at });
        }
        self.attested = at;
        self.checkpoints += 1;
        Ok(())
    }

    /// The key in force when there were so many entries.
    fn key_at(&self, size: u64) -> Option<&Key> {
        self.keys.iter().rev().find(|key| key.since <= size)
    }

    /// Follows the keys from those that are trusted to the one that signed last.
    fn key_trust(&self) -> Result<KeyTrust, Finding> {
        let mut is_trusted = false;
        let has_anchor = !self.trust.keys.is_empty() || !self.trust.checkpoints.is_empty();
        self.earlier_signatures()?;
        for key in &self.keys {
            let id = key.public.id();
            if !key.introduced {
                let reason = "its entry is missing, or says another key";
                return Err(Finding::Key { key: id, reason });
            }
            let is_given = self.trust.keys.contains(&key.public);
            if !key.endorsed && !is_given {
                let reason = "the key before it did not sign it; give it with `--public-key` if you have it from the operator";
                return Err(Finding::Key { key: id, reason });
            }
            let signed =
                self.trust.checkpoints.iter().any(|given| given.verify(&key.public).is_ok());
            is_trusted = is_trusted || is_given || signed;
        }
        match (has_anchor, is_trusted) {
            (false, _) => Ok(KeyTrust::FirstUse),
            (true, true) => Ok(KeyTrust::Given),
            (true, false) => {
                let key = self.keys.last().map(|key| key.public.id()).unwrap_or_default();
                Err(Finding::Untrusted { key })
            }
        }
    }

    /// Each earlier checkpoint must be signed by a key of this log, or one that is given.
    fn earlier_signatures(&self) -> Result<(), Finding> {
        for checkpoint in &self.trust.checkpoints {
            let mut keys = self.keys.iter().map(|key| &key.public).chain(&self.trust.keys);
            if !keys.any(|key| checkpoint.verify(key).is_ok()) {
                let (size, reason) = (checkpoint.head().size, NoteError::Unsigned);
                return Err(Finding::Signature { line: 0, size, reason });
            }
        }
        Ok(())
    }
}
