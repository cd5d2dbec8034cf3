//! What a meter counts, and by how many it is priced.

/// The units of a meter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unit {
    /// What is counted, in the plural: `Tokens`.
    pub(super) consumed: &'static str,
    /// How many of it a price is for, as a power of ten.
    pub(super) priced_by: u32,
    /// The meter's name on a price list.
    pub(super) meter: String,
    /// Which way tokens go, and what a cache did with them.
    pub(super) tokens: Option<TokenFacts>,
}

/// What is known of a kind of token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TokenFacts {
    pub(super) direction: &'static str,
    pub(super) cache_action: Option<&'static str>,
    pub(super) cache_lifetime: Option<&'static str>,
}

const MILLION: u32 = 6;

// === impl Unit ===

impl Unit {
    /// The units of a meter as charges name it. One that is not known is counted in units of
    /// its own name, one by one: a wrong unit would be worse than a plain one.
    pub(super) fn of(meter: &str) -> Self {
        match meter {
            "input_uncached" => Self::tokens("Input Tokens", "Input", None, None),
            "cache_read" => Self::tokens("Cache Read Input Tokens", "Input", Some("Read"), None),
            "cache_write_5m" => {
                Self::tokens("Cache Write Input Tokens", "Input", Some("Write"), Some("5 Minutes"))
            }
            "cache_write_1h" => Self::tokens(
                "Cache Write 1 Hour Input Tokens",
                "Input",
                Some("Write"),
                Some("1 Hour"),
            ),
            "output" => Self::tokens("Output Tokens", "Output", None, None),
            "reasoning" => Self::tokens("Reasoning Output Tokens", "Output", None, None),
            "request" => Self::counted("Requests", "Requests".to_owned()),
            // A price that can no longer be taken apart is that of whole calls.
            "call" => Self::counted("Calls", "Calls".to_owned()),
            other => match other.strip_prefix("tool:") {
                Some(tool) => Self::counted("Tool Requests", format!("{} Requests", titled(tool))),
                None => Self::counted("Units", titled(other)),
            },
        }
    }

    fn tokens(
        meter: &str,
        direction: &'static str,
        cache_action: Option<&'static str>,
        cache_lifetime: Option<&'static str>,
    ) -> Self {
        Self {
            consumed: "Tokens",
            priced_by: MILLION,
            meter: meter.to_owned(),
            tokens: Some(TokenFacts { direction, cache_action, cache_lifetime }),
        }
    }

    fn counted(consumed: &'static str, meter: String) -> Self {
        Self { consumed, priced_by: 0, meter, tokens: None }
    }

    /// The unit a price is for: `1000000 Tokens`, `Requests`.
    pub(super) fn pricing_unit(&self) -> String {
        match self.priced_by {
            0 => self.consumed.to_owned(),
            power => format!("{} {}", 10_u64.pow(power), self.consumed),
        }
    }
}

/// `web_search` as `Web Search`.
fn titled(name: &str) -> String {
    let words = name.split(['_', '-', ' ']).filter(|word| !word.is_empty());
    let titled = words.map(|word| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_uppercase().chain(letters).collect::<String>())
    });
    titled.flatten().collect::<Vec<_>>().join(" ")
}
