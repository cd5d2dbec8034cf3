//! What a call probably uses, where the provider has not said so (yet).
//!
//! The estimate is made from bytes and pieces, not with a tokenizer: counting an
//! agent's 85 KB prompt would cost milliseconds. Per model it is calibrated with
//! every call whose provider did report: output = a × bytes + b × words + c × pieces, fitted
//! by least squares with slow forgetting, plus the usual hidden reasoning. These are estimates
//! of counts, marked as such on the event; floats never touch money.

use std::collections::HashMap;

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tally_types::Tokens;

use crate::{
    fit::{FORGET, Features, Fit},
    protocol::Streamed,
};

/// A quarter of a token per byte, the usual rule of thumb for English.
const TOKENS_PER_BYTE: f64 = 0.25;
/// Text hardly has more tokens to the byte, whatever its language.
const TOKENS_PER_BYTE_MAX: f64 = 0.5;
/// What providers add to a prompt of their own.
const PROMPT_FRAME_TOKENS: u64 = 64;
/// From this many streams on, bytes, words and pieces are weighed against each other.
const STREAMS_TO_FIT: f64 = 8.0;
/// What an unknown answer is taken to be long, in tokens.
const OUTPUT_TOKENS_DEFAULT: f64 = 300.0;
/// What an image counts, whatever its size, in tokens.
const IMAGE_TOKENS: u64 = 1_600;
const MODELS_MAX: usize = 4_096;

/// What was learned about one model.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Calibration {
    /// What bytes, words and pieces of a stream turned out to be.
    visible: Fit,
    input_bytes: f64,
    input_tokens: f64,
    calls: f64,
    output_tokens: f64,
    /// The reasoning tokens of streams that nobody got to see.
    hidden_tokens: f64,
}

/// Calibrations of all models; cheap to ask, learns from each reported call.
#[derive(Debug, Default)]
pub struct Estimator {
    models: Mutex<HashMap<String, Calibration>>,
}

// === impl Calibration ===

impl Calibration {
    fn output(&self, streamed: Streamed) -> f64 {
        if streamed.bytes == 0 {
            return 0.0;
        }
        // What is seen comes after what was thought, so all of that has passed by then.
        self.visible(streamed) + self.hidden_tokens / self.visible.calls().max(1.0)
    }

    fn visible(&self, streamed: Streamed) -> f64 {
        // Too few to tell them apart: three unknowns would fit the noise.
        let is_known = self.visible.calls() >= STREAMS_TO_FIT;
        let fitted = is_known.then(|| self.visible.predict(&features(streamed))).flatten();
        fitted.unwrap_or_else(|| {
            let per_byte = self.visible.ratio_of_first().unwrap_or(TOKENS_PER_BYTE);
            as_float(streamed.bytes) * per_byte
        })
    }

    fn learn_stream(&mut self, streamed: Streamed, tokens: &Tokens) {
        let hidden = if streamed.reasoning_bytes == 0 { tokens.reasoning } else { 0 };
        self.hidden_tokens = self.hidden_tokens * FORGET + as_float(hidden);
        let shown = tokens.output.saturating_sub(hidden);
        self.visible.learn(&features(streamed), as_float(shown));
    }
}

fn features(streamed: Streamed) -> Features {
    [as_float(streamed.bytes), as_float(streamed.words), as_float(streamed.pieces)]
}

// === impl Estimator ===

impl Estimator {
    /// What was learned earlier, as [`Estimator::to_json`] wrote it; anything
    /// unreadable is forgotten, as it can be learned again.
    pub fn from_json(json: &str) -> Self {
        Self { models: Mutex::new(serde_json::from_str(json).unwrap_or_default()) }
    }

    /// What was learned so far.
    pub fn to_json(&self) -> String {
        serde_json::to_string(&*self.models.lock()).unwrap_or_default()
    }

    /// Tokens of a prompt.
    pub(crate) fn input_tokens(&self, model: &str, prompt: PromptSize) -> u64 {
        let models = self.models.lock();
        let ratio = models
            .get(model)
            .map_or(TOKENS_PER_BYTE, |known| ratio(known.input_tokens, known.input_bytes));
        as_count(as_float(prompt.text_bytes) * ratio)
            .saturating_add(prompt.images.saturating_mul(IMAGE_TOKENS))
    }

    /// Tokens that a prompt hardly exceeds: what was learned and half as much again, or one in
    /// two bytes while nothing was.
    pub(crate) fn input_tokens_max(&self, model: &str, prompt: PromptSize) -> u64 {
        let models = self.models.lock();
        let known = models.get(model).filter(|known| known.input_bytes > 0.0);
        let per_byte = known.map_or(TOKENS_PER_BYTE_MAX, |known| {
            (ratio(known.input_tokens, known.input_bytes) * 1.5).min(1.0)
        });
        prompt.tokens(per_byte).saturating_add(PROMPT_FRAME_TOKENS)
    }

    /// What a byte of a prompt counts, as learned so far.
    pub(crate) fn tokens_per_byte(&self, model: &str) -> f64 {
        let models = self.models.lock();
        let known = models.get(model);
        known.map_or(TOKENS_PER_BYTE, |known| ratio(known.input_tokens, known.input_bytes))
    }

    /// Tokens of an answer of which nothing is known but its cap.
    pub(crate) fn expected_output_tokens(&self, model: &str, cap: Option<u64>) -> u64 {
        let models = self.models.lock();
        let known = models.get(model).filter(|known| known.calls > 0.0);
        let mean = known.map_or(OUTPUT_TOKENS_DEFAULT, |known| known.output_tokens / known.calls);
        as_count(mean).min(cap.unwrap_or(u64::MAX))
    }

    /// Tokens of the part of an answer that passed by.
    pub(crate) fn streamed_tokens(&self, model: &str, streamed: Streamed) -> u64 {
        let models = self.models.lock();
        let tokens = match models.get(model) {
            Some(known) => known.output(streamed),
            None => as_float(streamed.bytes) * TOKENS_PER_BYTE,
        };
        // Whatever passed by was at least one token.
        as_count(tokens).max(u64::from(streamed.bytes > 0))
    }

    /// Learns from a call whose provider reported its counts.
    pub(crate) fn learn(&self, model: &str, reported: Reported) {
        let mut models = self.models.lock();
        if models.len() >= MODELS_MAX && !models.contains_key(model) {
            return;
        }
        if !models.contains_key(model) {
            models.insert(model.to_owned(), Calibration::default());
        }
        let Some(known) = models.get_mut(model) else { return };
        let (input, output) = (reported.tokens.input(), reported.tokens.output);
        if reported.prompt.images == 0 && input > 0 {
            known.input_bytes = known.input_bytes * FORGET + as_float(reported.prompt.text_bytes);
            known.input_tokens = known.input_tokens * FORGET + as_float(input);
        }
        known.calls = known.calls * FORGET + 1.0;
        known.output_tokens = known.output_tokens * FORGET + as_float(output);
        if let Some(streamed) = reported.streamed.filter(|streamed| streamed.bytes > 0) {
            known.learn_stream(streamed, &reported.tokens);
        }
    }
}

/// What a reported call teaches.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reported {
    pub(crate) prompt: PromptSize,
    pub(crate) tokens: Tokens,
    /// What passed by, if it was streamed.
    pub(crate) streamed: Option<Streamed>,
}

/// How large a prompt is, embedded images apart.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct PromptSize {
    pub(crate) text_bytes: u64,
    pub(crate) images: u64,
}

// === impl PromptSize ===

impl PromptSize {
    /// Measures a request's body without parsing it: long runs after a `base64`
    /// mark are images or files, the rest is text.
    pub(crate) fn of(body: &[u8]) -> Self {
        let mut images = 0;
        let mut embedded_bytes = 0;
        let mut next_from = 0;
        for at in memchr::memmem::find_iter(body, b"base64") {
            if at < next_from {
                continue;
            }
            let Some((length, end)) = base64_run(body, at) else { continue };
            images += 1;
            embedded_bytes += length as u64;
            next_from = end;
        }
        Self { text_bytes: (body.len() as u64).saturating_sub(embedded_bytes), images }
    }

    /// Tokens, estimated.
    pub(crate) fn tokens(self, tokens_per_byte: f64) -> u64 {
        as_count(as_float(self.text_bytes) * tokens_per_byte)
            .saturating_add(self.images.saturating_mul(IMAGE_TOKENS))
    }

    /// Both together.
    pub(crate) fn with(self, other: Self) -> Self {
        Self {
            text_bytes: self.text_bytes.saturating_add(other.text_bytes),
            images: self.images.saturating_add(other.images),
        }
    }

    /// What is left without a part.
    pub(crate) fn without(self, part: Self) -> Self {
        Self {
            text_bytes: self.text_bytes.saturating_sub(part.text_bytes),
            images: self.images.saturating_sub(part.images),
        }
    }
}

/// The first long run of base64 characters within a few members of the mark.
fn base64_run(body: &[u8], mark: usize) -> Option<(usize, usize)> {
    const LOOK_AHEAD_BYTES: usize = 256;
    const RUN_BYTES_MIN: usize = 64;
    let is_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=_-".contains(byte);
    let mut from = mark + b"base64".len();
    while from < mark + LOOK_AHEAD_BYTES {
        let rest = body.get(from..)?;
        let start = from + rest.iter().position(is_base64)?;
        let run = body.get(start..)?.iter().position(|byte| !is_base64(byte));
        let length = run.unwrap_or_else(|| body.len().saturating_sub(start));
        if length >= RUN_BYTES_MIN {
            return Some((length, start + length));
        }
        from = start + length.max(1);
    }
    None
}

fn ratio(tokens: f64, bytes: f64) -> f64 {
    if bytes > 0.0 { tokens / bytes } else { TOKENS_PER_BYTE }
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52, and an estimate")]
fn as_float(count: u64) -> f64 {
    count as f64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped before, and an estimate"
)]
fn as_count(value: f64) -> u64 {
    value.round().clamp(0.0, 1e12) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prompt_counts_the_same_by_the_byte_and_as_a_whole() {
        let estimator = Estimator::default();
        let prompt = PromptSize { text_bytes: 3_000, images: 2 };
        let same = || {
            let per_byte = estimator.tokens_per_byte("m");
            assert_eq!(prompt.tokens(per_byte), estimator.input_tokens("m", prompt));
            per_byte
        };
        assert!((same() - TOKENS_PER_BYTE).abs() < 1e-9);
        let tokens = Tokens { input_uncached: 600, output: 1, ..Tokens::default() };
        let told = PromptSize { text_bytes: 1_000, images: 0 };
        estimator.learn("m", Reported { prompt: told, tokens, streamed: None });
        assert!((same() - 0.6).abs() < 1e-9);
    }

    #[test]
    fn it_learns_what_a_models_tokens_look_like() {
        let estimator = Estimator::default();
        let call = |calls: u64| {
            // 3 tokens a piece of 10 bytes, give or take, and 20 that nobody sees.
            let streamed = Streamed {
                bytes: calls * 10 + calls % 7,
                words: calls * 2,
                pieces: calls,
                ..Streamed::default()
            };
            let output = calls * 3 + 20;
            (streamed, Tokens { input_uncached: 100, output, reasoning: 20, ..Tokens::default() })
        };
        let prompt = PromptSize { text_bytes: 500, images: 0 };
        for calls in 10..60 {
            let (streamed, tokens) = call(calls);
            estimator.learn("m", Reported { prompt, tokens, streamed: Some(streamed) });
        }
        let (streamed, tokens) = call(200);
        let estimate = estimator.streamed_tokens("m", streamed);
        let off = estimate.abs_diff(tokens.output);
        assert!(off * 50 <= tokens.output, "{estimate} for {}", tokens.output);
        let prompt = PromptSize { text_bytes: 5_000, images: 0 };
        assert!(estimator.input_tokens("m", prompt).abs_diff(1_000) < 30);
        let again = Estimator::from_json(&estimator.to_json());
        assert_eq!(again.streamed_tokens("m", streamed), estimate);
    }

    #[test]
    fn images_are_not_counted_as_text() {
        let image = "A".repeat(100_000);
        let openai = format!(r#"{{"url":"data:image/png;base64,{image}"}}"#);
        let anthropic = format!(
            r#"{{"source":{{"type":"base64","media_type":"image/png","data":"{image}"}}}} tail"#
        );
        for body in [openai, anthropic] {
            let size = PromptSize::of(body.as_bytes());
            assert_eq!(size.images, 1);
            assert!(size.text_bytes < 200, "{size:?}");
        }
        let prose = br#"{"content":"base64 is an encoding that people talk about"}"#;
        assert_eq!(PromptSize::of(prose), PromptSize { text_bytes: prose.len() as u64, images: 0 });
    }

    #[test]
    fn nothing_learned_is_a_rule_of_thumb() {
        let estimator = Estimator::from_json("not json");
        assert_eq!(
            estimator
                .streamed_tokens("m", Streamed { bytes: 400, pieces: 20, ..Streamed::default() }),
            100
        );
        assert_eq!(
            estimator.streamed_tokens("m", Streamed { bytes: 1, pieces: 1, ..Streamed::default() }),
            1
        );
        assert_eq!(estimator.streamed_tokens("m", Streamed::default()), 0);
        assert_eq!(estimator.expected_output_tokens("m", Some(10)), 10);
    }
}
