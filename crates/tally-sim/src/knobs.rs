//! What one call asks of the simulator: `x-sim-*` headers, and a directive such
//! as `[[sim fault=cut output_tokens=200 fail_times=2]]` in the last user
//! message, because a relay may strip headers. A directive wins over a header,
//! a header over the configuration.

use crate::fault::Fault;
use http::HeaderMap;
use memchr::memmem;

/// The settings of one call; `None` leaves a choice to the configuration.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Knobs {
    pub(crate) fault: Option<FaultChoice>,
    pub(crate) latency_ms: Option<u64>,
    pub(crate) tokens_per_second: Option<f64>,
    pub(crate) output_tokens: Option<u64>,
    pub(crate) fail_times: Option<u64>,
    pub(crate) retry_after: Option<u64>,
    pub(crate) cut_at: Option<u64>,
    pub(crate) tool: Option<bool>,
    /// Answer with the text of the last message, in words or as a tool's arguments.
    pub(crate) echo: bool,
}

/// An explicit choice about faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FaultChoice {
    /// No fault, whatever the configured rates.
    Never,
    /// This fault.
    Always(Fault),
}

/// Longest output a call can ask for, so that one header cannot exhaust memory.
const OUTPUT_TOKENS_MAX: u64 = 1_000_000;

impl Knobs {
    /// For requests that fail by their own mistake.
    pub(crate) fn fault_free() -> Self {
        Self { fault: Some(FaultChoice::Never), ..Self::default() }
    }

    /// Reads the headers, then lets the directive in `text` override them.
    pub(crate) fn read(headers: &HeaderMap, text: &str) -> Self {
        let mut knobs = Self::default();
        for (name, value) in headers {
            if let (Some(knob), Ok(value)) = (name.as_str().strip_prefix("x-sim-"), value.to_str())
            {
                knobs.apply_header(knob, value);
            }
        }
        if let Some(directive) = directive_in(text) {
            knobs.apply_words(directive);
        }
        knobs
    }

    /// `x-sim-fault` may carry further settings: `429 retry_after=1 fail_times=2`.
    fn apply_header(&mut self, knob: &str, value: &str) {
        if knob == "fault" {
            self.apply_words(value);
        } else {
            self.set(&knob.replace('-', "_"), value.trim());
        }
    }

    fn apply_words(&mut self, words: &str) {
        let separators = |byte: char| byte.is_whitespace() || matches!(byte, ',' | ';' | '|');
        for word in words.split(separators).filter(|word| !word.is_empty()) {
            match word.split_once('=') {
                Some((name, value)) => self.set(name, value),
                None => self.set("fault", word),
            }
        }
    }

    /// Settings that are unknown or mistyped are ignored: prompts are free text.
    fn set(&mut self, name: &str, value: &str) {
        let number = value.parse::<u64>().ok();
        match name {
            "fault" if value == "none" => self.fault = Some(FaultChoice::Never),
            "fault" => {
                self.fault = Fault::parse(value).map(FaultChoice::Always).or(self.fault);
            }
            "latency_ms" => self.latency_ms = number.or(self.latency_ms),
            "tokens_per_second" => {
                let speed = value.parse::<f64>().ok().filter(|speed| speed.is_finite());
                self.tokens_per_second =
                    speed.filter(|speed| *speed >= 0.0).or(self.tokens_per_second);
            }
            "output_tokens" => {
                let capped = number.map(|tokens| tokens.min(OUTPUT_TOKENS_MAX));
                self.output_tokens = capped.or(self.output_tokens);
            }
            "fail_times" => self.fail_times = number.or(self.fail_times),
            "retry_after" => self.retry_after = number.or(self.retry_after),
            "cut_at" => self.cut_at = number.or(self.cut_at),
            "echo" => self.echo = value == "last",
            "tool" => self.tool = Some(matches!(value, "1" | "true" | "yes")),
            _ => {}
        }
    }
}

/// The text without its directives.
pub(crate) fn without_directives(mut text: String) -> String {
    while let Some(inside) = directive_in(&text).map(str::len) {
        let Some(start) = memmem::rfind(text.as_bytes(), OPENING.as_bytes()) else { break };
        text.replace_range(start..start + OPENING.len() + inside + "]]".len(), "");
    }
    text
}

const OPENING: &str = "[[sim ";

/// The inside of the last `[[sim …]]` in the text.
fn directive_in(text: &str) -> Option<&str> {
    let start = memmem::rfind(text.as_bytes(), OPENING.as_bytes())? + OPENING.len();
    let rest = text.get(start..)?;
    rest.get(..rest.find("]]")?)
}

/// The `xyz` of a `marker:xyz` in the text, by which a test finds its call.
pub(crate) fn marker_in(text: &str) -> Option<String> {
    const OPENING: &str = "marker:";
    const LEN_MAX: usize = 128;
    let start = memmem::rfind(text.as_bytes(), OPENING.as_bytes())? + OPENING.len();
    let is_part = |byte: &char| byte.is_ascii_alphanumeric() || matches!(byte, '-' | '_' | '.');
    let marker: String = text.get(start..)?.chars().take_while(is_part).take(LEN_MAX).collect();
    (!marker.is_empty()).then_some(marker)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    fn always(fault: Fault) -> Option<FaultChoice> {
        Some(FaultChoice::Always(fault))
    }

    #[test]
    fn headers_are_read() {
        let knobs = Knobs::read(
            &headers(&[
                ("x-sim-fault", "429 retry_after=1, fail_times=2"),
                ("x-sim-latency-ms", "30"),
                ("x-sim-tokens-per-second", "12.5"),
                ("x-sim-output-tokens", "77"),
            ]),
            "hello",
        );
        assert_eq!(knobs.fault, always(Fault::RateLimited));
        assert_eq!((knobs.retry_after, knobs.fail_times), (Some(1), Some(2)));
        assert_eq!((knobs.latency_ms, knobs.output_tokens), (Some(30), Some(77)));
        assert_eq!(knobs.tokens_per_second, Some(12.5));
    }

    #[test]
    fn the_last_directive_wins_over_headers() {
        let knobs = Knobs::read(
            &headers(&[("x-sim-fault", "500"), ("x-sim-latency-ms", "30")]),
            "[[sim fault=hang]] quoted, then [[sim fault=cut output_tokens=200 tool=1]] bye",
        );
        assert_eq!(knobs.fault, always(Fault::Cut));
        assert_eq!((knobs.output_tokens, knobs.latency_ms), (Some(200), Some(30)));
        assert_eq!(knobs.tool, Some(true));
        assert!(!knobs.echo);
        let echo = "say it [[sim echo=last]] again";
        assert!(Knobs::read(&headers(&[]), echo).echo);
        assert_eq!(without_directives(echo.to_owned()), "say it  again");
    }

    #[test]
    fn nonsense_is_ignored() {
        let knobs = Knobs::read(
            &headers(&[("x-sim-latency-ms", "-3"), ("x-sim-tokens-per-second", "NaN")]),
            "[[sim fault=zzz output_tokens=x",
        );
        assert_eq!(knobs, Knobs::default());
        let none = Knobs::read(&headers(&[("x-sim-fault", "none")]), "");
        assert_eq!(none.fault, Some(FaultChoice::Never));
    }

    #[test]
    fn markers_are_found() {
        assert_eq!(marker_in("please marker:run-7.a!").as_deref(), Some("run-7.a"));
        assert_eq!(marker_in("marker: none"), None);
        assert_eq!(marker_in("nothing"), None);
    }
}
