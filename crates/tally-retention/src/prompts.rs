//! Reading a kept prompt: only with a reason, and only after it is written down.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;
use tally_prompts::KeptPrompt;
use tally_store::AuditAction;
use tally_types::{CallId, DataClass, EventId, Timestamp};
use uuid::Uuid;

use crate::{Keeper, RetentionError};

/// A shorter reason says nothing.
pub const REASON_CHARACTERS_MIN: usize = 10;

/// That a prompt is kept, without what stands in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "KeptPrompt")]
pub struct KeptPromptView {
    /// The attempt that it belongs to.
    pub event_id: EventId,
    /// Its call: what the client got as `x-tally-request-id`.
    pub call_id: CallId,
    /// When the attempt began.
    pub time: Timestamp,
    /// How sensitive it is.
    pub data_class: DataClass,
    /// How large request and reply are.
    pub bytes: u64,
    /// When it is deleted, as the organization's `retention` is now.
    pub purged_at: Timestamp,
}

/// A kept prompt.
#[derive(Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "KeptPromptContent")]
pub struct ReadPrompt {
    /// Which.
    pub prompt: KeptPromptView,
    /// The request's body as it left: with placeholders, where something was redacted.
    pub request: String,
    /// The reply's body as the provider sent it; of a stream, its events.
    pub reply: String,
}

// What stands in it is not to reach a log.
impl std::fmt::Debug for ReadPrompt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ReadPrompt").field("prompt", &self.prompt).finish_non_exhaustive()
    }
}

// === impl Keeper ===

impl Keeper {
    /// Whether a prompt is kept of an event; or of a call, that of its last attempt.
    ///
    /// # Errors
    /// When the file of prompts fails.
    pub async fn kept_prompt(&self, id: Uuid) -> Result<Option<KeptPromptView>, RetentionError> {
        let found = self.ask(move |prompts| prompts.find(id)).await?;
        Ok(found.map(|prompt| self.shown(&prompt)))
    }

    /// Shows a kept prompt, once it is written down who reads it, and why.
    ///
    /// # Errors
    /// When the reason is too short, it cannot be written down, or the prompt not be opened.
    pub async fn read_prompt(
        &self,
        id: Uuid,
        actor: &str,
        reason: &str,
    ) -> Result<Option<ReadPrompt>, RetentionError> {
        let reason = reason.trim();
        if reason.chars().count() < REASON_CHARACTERS_MIN {
            return Err(RetentionError::Reason(REASON_CHARACTERS_MIN));
        }
        let Some(prompt) = self.kept_prompt(id).await? else { return Ok(None) };
        let what = json!({
            "event": prompt.event_id, "call": prompt.call_id, "data_class": prompt.data_class,
            "reason": reason,
        });
        self.store.log().record(actor, AuditAction::ReadPrompt, what).await?;
        let event = prompt.event_id;
        let Some(content) = self.ask(move |prompts| prompts.read(event)).await? else {
            return Ok(None);
        };
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Ok(Some(ReadPrompt { prompt, request: text(content.request), reply: text(content.reply) }))
    }

    fn shown(&self, prompt: &KeptPrompt) -> KeptPromptView {
        let periods = self.retention().of(prompt.class);
        KeptPromptView {
            event_id: prompt.event_id,
            call_id: prompt.call_id,
            time: prompt.time,
            data_class: prompt.class,
            bytes: prompt.bytes,
            purged_at: periods.prompt_until(prompt.time),
        }
    }
}
