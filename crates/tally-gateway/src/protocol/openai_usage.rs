//! OpenAI's usage block: prompt tokens include cached ones, completion tokens
//! include reasoning.

use serde::Deserialize;
use tally_types::Tokens;

use super::Observed;

#[derive(Debug, Deserialize)]
pub(crate) struct Usage {
    #[serde(default)]
    prompt_tokens: i64,
    #[serde(default)]
    completion_tokens: i64,
    #[serde(default)]
    prompt_tokens_details: Option<PromptDetails>,
    #[serde(default)]
    completion_tokens_details: Option<CompletionDetails>,
}

#[derive(Debug, Default, Deserialize)]
struct PromptDetails {
    #[serde(default)]
    cached_tokens: Option<i64>,
    #[serde(default)]
    cache_write_tokens: Option<i64>,
    #[serde(default)]
    audio_tokens: Option<i64>,
}

#[derive(Debug, Default, Deserialize)]
struct CompletionDetails {
    #[serde(default)]
    reasoning_tokens: Option<i64>,
    #[serde(default)]
    audio_tokens: Option<i64>,
}

// === impl Usage ===

impl Usage {
    /// Disjoint kinds; `None` when the numbers contradict each other.
    fn tokens(&self) -> Option<Tokens> {
        let prompt = u64::try_from(self.prompt_tokens).ok()?;
        let output = u64::try_from(self.completion_tokens).ok()?;
        let details = self.prompt_tokens_details.as_ref();
        let count = |value: Option<i64>| u64::try_from(value.unwrap_or(0)).ok();
        let cache_read = count(details.and_then(|details| details.cached_tokens))?;
        let cache_write_5m = count(details.and_then(|details| details.cache_write_tokens))?;
        let completion = self.completion_tokens_details.as_ref();
        let reasoning = count(completion.and_then(|details| details.reasoning_tokens))?;
        let input_uncached = prompt.checked_sub(cache_read)?.checked_sub(cache_write_5m)?;
        Some(Tokens {
            input_uncached,
            cache_read,
            cache_write_5m,
            output,
            reasoning,
            ..Tokens::default()
        })
    }

    fn has_audio(&self) -> bool {
        let prompt = self.prompt_tokens_details.as_ref().and_then(|details| details.audio_tokens);
        let completion =
            self.completion_tokens_details.as_ref().and_then(|details| details.audio_tokens);
        prompt.unwrap_or(0) != 0 || completion.unwrap_or(0) != 0
    }
}

/// Reads a raw usage value into what was observed.
pub(crate) fn observe_usage(observed: &mut Observed, raw: &str) {
    let usage: Option<Usage> = serde_json::from_str(raw).ok();
    if usage.as_ref().is_some_and(Usage::has_audio) {
        observed.unpriceable =
            Some("audio tokens have prices of their own, which no list here holds".to_owned());
    }
    observed.take_counts(usage.and_then(|usage| usage.tokens()));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Observed {
        let mut observed = Observed::default();
        observe_usage(&mut observed, json);
        observed
    }

    #[test]
    fn regression_15_cached_tokens_leave_the_uncached_count() {
        let observed = read(
            r#"{"prompt_tokens":1000,"completion_tokens":5,"prompt_tokens_details":{"cached_tokens":900}}"#,
        );
        let tokens = observed.tokens.unwrap();
        assert_eq!((tokens.input_uncached, tokens.cache_read), (100, 900));
    }

    #[test]
    fn regression_16_reasoning_is_inside_output() {
        let observed = read(
            r#"{"prompt_tokens":1,"completion_tokens":50,"completion_tokens_details":{"reasoning_tokens":40}}"#,
        );
        let tokens = observed.tokens.unwrap();
        assert_eq!((tokens.output, tokens.reasoning, tokens.total()), (50, 40, 51));
    }

    #[test]
    fn regression_17_a_cost_the_provider_claims_is_not_trusted() {
        let observed =
            read(r#"{"prompt_tokens":1,"completion_tokens":1,"cost":0.0,"currency":"CNY"}"#);
        assert!(observed.tokens.is_some(), "tokens are taken, the claimed cost is not read at all");
    }

    #[test]
    fn numbers_that_cannot_be_true_are_not_counted() {
        for json in [
            r#"{"prompt_tokens":-5,"completion_tokens":1}"#,
            r#"{"prompt_tokens":1,"completion_tokens":99999999999}"#,
            r#"{"prompt_tokens":10,"completion_tokens":1,"prompt_tokens_details":{"cached_tokens":11}}"#,
            r#"{"prompt_tokens":"many"}"#,
        ] {
            let observed = read(json);
            assert_eq!((observed.tokens, observed.implausible), (None, true), "{json}");
        }
    }
}
