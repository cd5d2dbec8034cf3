//! Which of the open intents were sent: eight bytes per slot in a small file.
//!
//! A second commit per call would say the same at fifty times the cost. One
//! positioned write reaches the page cache whole, so it survives `kill -9`, and
//! it happens as the last thing before the request's body leaves: an unmarked
//! intent was never sent, a marked one may have been served.

use std::{
    fs::File,
    io,
    os::unix::fs::FileExt,
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
};

use parking_lot::Mutex;

const MARK_BYTES: u64 = 8;

/// A place in the file, held by one open intent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slot {
    pub(crate) index: u32,
    /// Differs between uses of the same place; never zero.
    pub(crate) mark: u64,
}

#[derive(Debug)]
pub(crate) struct SentMarks {
    file: File,
    free: Mutex<Vec<u32>>,
    slots: u32,
    next_mark: AtomicU64,
}

// === impl SentMarks ===

impl SentMarks {
    pub(crate) fn open(path: &Path, slots: u32) -> io::Result<Self> {
        let file =
            File::options().create(true).truncate(false).read(true).write(true).open(path)?;
        // Low places first, so that the touched part of the file stays small.
        let free = (0..slots).rev().collect();
        Ok(Self { file, free: Mutex::new(free), slots, next_mark: AtomicU64::new(1) })
    }

    pub(crate) fn take(&self) -> Option<Slot> {
        let index = self.free.lock().pop()?;
        Some(Slot { index, mark: self.next_mark.fetch_add(1, Ordering::Relaxed) })
    }

    pub(crate) fn give_back(&self, slot: Slot) {
        self.free.lock().push(slot.index);
    }

    pub(crate) fn in_use(&self) -> usize {
        (self.slots as usize).saturating_sub(self.free.lock().len())
    }

    pub(crate) fn mark(&self, slot: Slot) -> io::Result<()> {
        self.file.write_all_at(&slot.mark.to_le_bytes(), offset(slot))
    }

    pub(crate) fn is_marked(&self, slot: Slot) -> io::Result<bool> {
        let mut bytes = [0; 8];
        match self.file.read_exact_at(&mut bytes, offset(slot)) {
            Ok(()) => Ok(u64::from_le_bytes(bytes) == slot.mark),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Forgets every mark; only after recovery, when no intent is open. Allocating
    /// the file here keeps a full disk from failing a mark later.
    pub(crate) fn clear(&self) -> io::Result<()> {
        let zeros = vec![0; usize::try_from(u64::from(self.slots) * MARK_BYTES).unwrap_or(0)];
        self.file.set_len(0)?;
        self.file.write_all_at(&zeros, 0)?;
        self.file.sync_data()
    }

    pub(crate) fn flush(&self) -> io::Result<()> {
        self.file.sync_data()
    }
}

fn offset(slot: Slot) -> u64 {
    u64::from(slot.index) * MARK_BYTES
}
