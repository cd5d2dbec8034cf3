//! What is said in a call whose workload lets it be kept: the prompt as it left, the reply as
//! it came. It is left for a writer after the settlement; nothing on the path waits for that.

use bytes::{Bytes, BytesMut};
use tally_prompts::{NotKept, PROMPT_BYTES_MAX, Prompt, PromptQueue, REPLY_BYTES_MAX};
use tally_types::UsageEvent;

use crate::call::Call;

/// What was said so far.
pub(crate) struct Keeping {
    queue: PromptQueue,
    request: Bytes,
    reply: BytesMut,
    too_large: bool,
}

// === impl Call ===

impl Call {
    /// Where prompts of this call's class are kept, and its workload agrees.
    pub(crate) fn keeping(&self) -> Option<Keeping> {
        let queue = self.gateway.options.prompts.as_ref()?;
        let workload = self.context.workload.as_ref()?;
        let retention = &self.plane.snapshot().organization.retention;
        let is_kept =
            workload.spec.keep_prompts && retention.of(self.context.data_class()).prompts_days > 0;
        is_kept.then(|| Keeping {
            queue: queue.clone(),
            request: Bytes::new(),
            reply: BytesMut::new(),
            too_large: false,
        })
    }
}

// === impl Keeping ===

impl Keeping {
    /// The request's body as it leaves.
    pub(crate) fn asked(&mut self, body: Bytes) {
        self.too_large = body.len() > PROMPT_BYTES_MAX;
        if !self.too_large {
            self.request = body;
        }
    }

    /// A part of the reply.
    pub(crate) fn heard(&mut self, bytes: &[u8]) {
        self.too_large |= self.reply.len().saturating_add(bytes.len()) > REPLY_BYTES_MAX;
        if self.too_large {
            // What will not be kept is not held, either.
            self.reply = BytesMut::new();
            return;
        }
        self.reply.extend_from_slice(bytes);
    }

    /// Leaves it to be written; what is not taken is counted there.
    pub(crate) fn leave(self, event: &UsageEvent) {
        if self.too_large {
            NotKept::TooLarge.count(1);
            return;
        }
        let _ = self.queue.offer(Prompt {
            event_id: event.event_id,
            call_id: event.call_id,
            time: event.time,
            class: event.data_class,
            person: event.person.clone(),
            request: self.request,
            reply: self.reply.freeze(),
        });
    }
}
