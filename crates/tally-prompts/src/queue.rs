//! From a call to the file, without the call ever waiting.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    thread::JoinHandle,
};

use metrics::counter;

use crate::{prompt::Prompt, store::PromptStore};

/// So many prompts wait to be written at most; further ones are not kept.
pub const QUEUED_MAX: usize = 512;
/// They and their replies have so many bytes at most: 64 MiB.
pub const QUEUED_BYTES_MAX: usize = 64 << 20;
/// So many are written in one transaction.
const BATCH: usize = 32;

/// Why a prompt is not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotKept {
    /// The prompt or its reply is larger than is kept.
    TooLarge,
    /// Too much waits to be written.
    QueueFull,
    /// The writer has ended.
    Closed,
    /// The file did not take it.
    Failed,
}

/// Where calls leave their prompts; clones share it.
#[derive(Clone, Debug)]
pub struct PromptQueue {
    sender: SyncSender<Message>,
    queued_bytes: Arc<AtomicUsize>,
}

#[derive(Debug)]
enum Message {
    Keep(Box<Prompt>),
    /// Answered when everything before it is written.
    Flush(SyncSender<()>),
}

/// The thread that seals and writes; it ends with the last queue.
#[derive(Debug)]
pub struct Writer {
    thread: JoinHandle<()>,
}

/// Starts the writer.
///
/// # Errors
/// When no thread can be started.
pub fn start(store: Arc<PromptStore>) -> std::io::Result<(PromptQueue, Writer)> {
    let (sender, receiver) = sync_channel(QUEUED_MAX);
    let queued_bytes = Arc::new(AtomicUsize::new(0));
    let queue = PromptQueue { sender, queued_bytes: Arc::clone(&queued_bytes) };
    let builder = std::thread::Builder::new().name("prompts".to_owned());
    let thread = builder.spawn(move || write(&store, &receiver, &queued_bytes))?;
    Ok((queue, Writer { thread }))
}

// === impl NotKept ===

impl NotKept {
    const fn as_str(self) -> &'static str {
        match self {
            Self::TooLarge => "too_large",
            Self::QueueFull => "queue_full",
            Self::Closed => "closed",
            Self::Failed => "failed",
        }
    }

    /// Counts prompts that were not kept.
    pub fn count(self, prompts: u64) {
        counter!("tally_prompts_not_kept_total", "reason" => self.as_str()).increment(prompts);
    }
}

// === impl PromptQueue ===

impl PromptQueue {
    /// Leaves a prompt to be written; never waits. What is not kept is counted.
    ///
    /// # Errors
    /// When it is too large or too much waits already: it is not kept then.
    pub fn offer(&self, prompt: Prompt) -> Result<(), NotKept> {
        self.push(prompt).inspect_err(|why| why.count(1))
    }

    fn push(&self, prompt: Prompt) -> Result<(), NotKept> {
        if prompt.is_too_large() {
            return Err(NotKept::TooLarge);
        }
        let bytes = prompt.bytes();
        let before = self.queued_bytes.fetch_add(bytes, Ordering::AcqRel);
        let sent = if before.saturating_add(bytes) > QUEUED_BYTES_MAX {
            Err(NotKept::QueueFull)
        } else {
            let message = Message::Keep(Box::new(prompt));
            self.sender.try_send(message).map_err(|error| match error {
                TrySendError::Full(_) => NotKept::QueueFull,
                TrySendError::Disconnected(_) => NotKept::Closed,
            })
        };
        if sent.is_err() {
            self.queued_bytes.fetch_sub(bytes, Ordering::AcqRel);
        }
        sent
    }

    /// Waits until what was left so far is written. Blocks: not for a call's path.
    pub fn flush(&self) {
        let (done, written) = sync_channel(1);
        if self.sender.send(Message::Flush(done)).is_ok() {
            let _ = written.recv();
        }
    }
}

// === impl Writer ===

impl Writer {
    /// Waits until the writer has written everything; every queue must be dropped before.
    pub fn join(self) {
        let _ = self.thread.join();
    }
}

fn write(store: &PromptStore, receiver: &Receiver<Message>, queued_bytes: &AtomicUsize) {
    let mut batch = Vec::with_capacity(BATCH);
    while let Ok(first) = receiver.recv() {
        let mut flushes = Vec::new();
        let more = std::iter::from_fn(|| receiver.try_recv().ok()).take(BATCH - 1);
        for message in std::iter::once(first).chain(more) {
            match message {
                Message::Keep(prompt) => batch.push(*prompt),
                Message::Flush(done) => flushes.push(done),
            }
        }
        let count = batch.len() as u64;
        match store.write(&batch) {
            Ok(()) => counter!("tally_prompts_kept_total").increment(count),
            Err(error) => {
                NotKept::Failed.count(count);
                tracing::warn!(%error, count, "prompts are not kept");
            }
        }
        let bytes: usize = batch.drain(..).map(|prompt| prompt.bytes()).sum();
        queued_bytes.fetch_sub(bytes, Ordering::AcqRel);
        for done in flushes {
            let _ = done.send(());
        }
    }
}
