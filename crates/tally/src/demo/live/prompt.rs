//! What is asked: bodies of the size that the workload's calls have.

use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::demo::{
    chance::{Chance, whole},
    company::{ANTHROPIC, Model, Shape},
    work::Caller,
};

/// Characters that make one token, roughly.
const CHARACTERS_PER_TOKEN: f64 = 4.4;
/// The longest stretch of text, in tokens.
const TEXT_TOKENS_MAX: f64 = 24_000.0;
/// What an agent reads between two calls, in tokens.
const AGENT_READS: f64 = 1_800.0;
const OUTPUT_TOKENS_MAX: u64 = 1_500;

const HANDBOOK: &[&str] = &[
    "Returns are free within thirty days of delivery.",
    "Refunds take five working days once the parcel is back.",
    "A change of address is possible until the parcel leaves the warehouse.",
    "Every function that can fail says how in its documentation.",
    "Invoices carry the order number, the tax number and the date of delivery.",
    "A supplier is reviewed before the first contract and once a year after that.",
    "Money is counted in whole cents and never in floating point numbers.",
    "Escalate to the second level when the customer has asked twice.",
];

static TEXT: LazyLock<String> = LazyLock::new(|| {
    let length = usize::try_from(whole(TEXT_TOKENS_MAX * CHARACTERS_PER_TOKEN)).unwrap_or(0);
    let mut text = String::with_capacity(length + 100);
    for (number, sentence) in (1..).zip(HANDBOOK.iter().cycle()) {
        if text.len() >= length {
            break;
        }
        text.push_str(&format!("{number}. {sentence} "));
    }
    text
});

/// One call of a task, counted from 0.
pub(super) struct Prompt<'a> {
    pub(super) caller: &'a Caller<'a>,
    pub(super) shape: Shape,
    pub(super) turn: u64,
}

// === impl Prompt ===

impl Prompt<'_> {
    /// Where it is sent, and what.
    pub(super) fn request(&self, chance: &mut Chance) -> (&'static str, Value) {
        let model = self.caller.model;
        if model.embeds() {
            return ("/v1/embeddings", self.embeddings(chance));
        }
        let question = self.question(chance);
        let output_max = OUTPUT_TOKENS_MAX;
        let prefix = self.prefix();
        let streamed = self.caller.streamed;
        if model.plan.provider == ANTHROPIC {
            let last = prefix.len().saturating_sub(1);
            let system = prefix.iter().enumerate().map(|(index, text)| {
                let mut block = json!({ "type": "text", "text": text });
                if index == last
                    && let Some(block) = block.as_object_mut()
                {
                    block.insert("cache_control".to_owned(), json!({ "type": "ephemeral" }));
                }
                block
            });
            let body = json!({
                "model": model.plan.name, "max_tokens": output_max, "stream": streamed,
                "system": system.collect::<Vec<_>>(),
                "messages": [{ "role": "user", "content": question }],
            });
            return ("/v1/messages", body);
        }
        let system = prefix.iter().map(|text| json!({ "role": "system", "content": text }));
        let user = std::iter::once(json!({ "role": "user", "content": question }));
        let body = json!({
            "model": model.plan.name, "max_completion_tokens": output_max, "stream": streamed,
            "messages": system.chain(user).collect::<Vec<_>>(),
        });
        ("/v1/chat/completions", body)
    }

    /// What stays the same from call to call; an agent's grows with every turn.
    fn prefix(&self) -> Vec<String> {
        let who = self.caller.session.as_deref().unwrap_or(&self.caller.application);
        let mut prefix = vec![format!("You work for {who}. {}", text(self.shape.cached))];
        if self.shape.agent {
            let read = |turn| format!("What was read in turn {turn}: {}", text(AGENT_READS));
            prefix.extend((1..=self.turn).map(read));
        }
        prefix
    }

    /// What is new, with a word to the simulator on the length and pace of the answer.
    fn question(&self, chance: &mut Chance) -> String {
        let plan = self.caller.model.plan;
        let output = whole(chance.log_normal(self.shape.output, 0.6)).clamp(1, OUTPUT_TOKENS_MAX);
        let speed = whole(chance.log_normal(plan.tokens_per_second, 0.22)).max(20);
        let latency = whole(chance.log_normal(plan.first_token_ms, 0.32));
        format!(
            "{} Case {}. [[sim output_tokens={output} tokens_per_second={speed} latency_ms={latency}]]",
            text(chance.log_normal(self.shape.fresh, 0.5)),
            chance.next() % 100_000,
        )
    }

    fn embeddings(&self, chance: &mut Chance) -> Value {
        let count = chance.between(1, 4);
        let tokens = self.shape.fresh / count as f64;
        let inputs: Vec<String> = (0..count)
            .map(|_| {
                format!("{} {}", chance.next() % 100_000, text(chance.log_normal(tokens, 0.5)))
            })
            .collect();
        json!({ "model": self.caller.model.plan.name, "input": inputs, "dimensions": 64 })
    }
}

/// About so many tokens of text.
fn text(tokens: f64) -> &'static str {
    let wanted = whole(tokens * CHARACTERS_PER_TOKEN).max(1);
    let length = usize::try_from(wanted).unwrap_or(usize::MAX).min(TEXT.len());
    TEXT.get(..length).unwrap_or(&TEXT)
}

/// Whether the model speaks Anthropic's dialect.
pub(super) fn speaks_anthropic(model: &Model) -> bool {
    model.plan.provider == ANTHROPIC
}
