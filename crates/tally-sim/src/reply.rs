//! What both dialects' replies are made from.

use crate::fault::Fault;
use crate::plan::Choice;
use crate::steps::{Action, Damage, Step};
use crate::usage::Usage;
use serde_json::Value;

/// The facts of a reply; how they are spelt is up to the dialect.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) id: String,
    /// Seconds since 1970.
    pub(crate) created: u64,
    pub(crate) fingerprint: String,
    pub(crate) model: String,
    pub(crate) usage: Usage,
    pub(crate) choices: Vec<Choice>,
    pub(crate) numbers: WireNumbers,
}

/// Puts a reply into a dialect's words.
pub(crate) trait Render: Send {
    /// Appends one event of a stream; nothing when the dialect has none for it.
    fn event(&self, action: &Action, out: &mut Vec<u8>);
    /// Appends the event by which a stream reports an error.
    fn error_event(&self, out: &mut Vec<u8>);
    /// The reply as one JSON value.
    fn whole(&self) -> Value;
}

/// How usage is told on the wire; a fault may lie about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WireNumbers {
    Honest,
    Missing,
    Negative,
    Absurd,
}

impl WireNumbers {
    pub(crate) fn of(fault: Option<Fault>) -> Self {
        match fault {
            Some(Fault::NoUsage) => Self::Missing,
            Some(Fault::NegativeUsage) => Self::Negative,
            Some(Fault::AbsurdUsage) => Self::Absurd,
            _ => Self::Honest,
        }
    }

    /// A count as it is told.
    pub(crate) fn tell(self, count: u64) -> i64 {
        // Sums of two such numbers overflow, each of them alone fits.
        const ABSURD: i64 = 1 << 62;
        let honest = i64::try_from(count).unwrap_or(i64::MAX);
        match self {
            Self::Honest | Self::Missing => honest,
            Self::Negative => -honest.saturating_add(1),
            Self::Absurd => ABSURD.saturating_add(honest),
        }
    }
}

impl Reply {
    /// The text of a delta.
    pub(crate) fn text(&self, choice: usize, part: usize, bytes: &std::ops::Range<usize>) -> &str {
        let part = self.choices.get(choice).and_then(|choice| choice.parts.get(part));
        part.and_then(|part| part.body.text.get(bytes.clone())).unwrap_or_default()
    }
}

/// Renders a step with what a fault does to it.
pub(crate) fn render_step(renderer: &dyn Render, step: &Step) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    match step.damage {
        Damage::Error => renderer.error_event(&mut out),
        _ => renderer.event(&step.action, &mut out),
    }
    match step.damage {
        Damage::Halve => out.truncate(out.len() / 2),
        Damage::Garble => {
            // Without its last closing brace the event's JSON cannot be read.
            if let Some(at) = out.iter().rposition(|byte| *byte == b'}') {
                out.remove(at);
            }
        }
        Damage::None | Damage::Error => {}
    }
    out
}

/// Appends a string as JSON.
pub(crate) fn push_json(out: &mut Vec<u8>, text: &str) {
    // Writing to memory cannot fail.
    let _ = serde_json::to_writer(out, text);
}
