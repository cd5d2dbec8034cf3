//! What must not leave in a prompt, taken out of the body before anything else is made
//! of it, and put back into the reply.
//!
//! [`walk`] knows where text stands in each dialect, [`request`] replaces what is found in
//! it, [`reply`] and [`stream`] undo that; [`wanted`] says what a call asks for. The body is
//! replaced as a whole: whatever is done to it later, such as dropping turns, is done to
//! the redacted one.

mod reply;
mod request;
mod stream;
mod walk;
mod wanted;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use tally_policy::redact::Restorations;

use crate::{call::Call, estimate::PromptSize, json_bytes::spliced, refusal::Refusal};

pub(crate) use reply::restored;
pub(crate) use stream::StreamRestorer;
pub(crate) use walk::Zone;

/// What was taken out of a call's prompt.
#[derive(Debug, Clone, Default)]
pub(crate) struct Redacted {
    /// How often each kind was replaced.
    pub(crate) counts: BTreeMap<String, u32>,
    /// What the reply needs to be whole again; empty where it is not to be restored.
    pub(crate) restorations: Restorations,
}

// === impl Call ===

impl Call {
    /// Takes out of the body what is not to leave.
    ///
    /// # Errors
    /// When the body holds what cannot be searched: it is refused rather than leaked.
    pub(crate) fn redact(&mut self) -> Result<(), Refusal> {
        let Some(wanted) = wanted::wanted(self) else { return Ok(()) };
        let zone = self.protocol.prompt_zone();
        let (splices, vault) =
            request::redact(&self.body, zone, &wanted, self.gateway.redaction_key())?;
        if splices.is_empty() {
            return Ok(());
        }
        self.redacted.counts = vault.counts().clone();
        if wanted.restore {
            self.redacted.restorations = vault.into_restorations();
        }
        self.body = spliced(&self.body, splices);
        // What was read of the body says where things stand in it.
        self.parsed = self.protocol.parse(&self.body)?;
        self.prompt = PromptSize::of(&self.body);
        Ok(())
    }
}
