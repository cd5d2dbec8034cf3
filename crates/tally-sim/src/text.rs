//! Output text: a mix of languages, code and numbers, so that the bytes per
//! token differ between calls and within one.

use crate::random::Rng;
use crate::tokens::{count_tokens, token_ends};

/// A source of pieces with one kind of text in it.
#[derive(Debug, Clone, Copy)]
enum Voice {
    Words(&'static [&'static str]),
    Code,
    Numbers,
}

const ENGLISH: &[&str] = &[
    " the",
    " budget",
    " of",
    " each",
    " team",
    " is",
    " settled",
    " after",
    " every",
    " call,",
    " and",
    " usage",
    " stays",
    " within",
    " limits.",
    " A",
    " gateway",
    " measures",
    " tokens",
    " before",
    " anything",
    " else;",
    " thoroughness",
    " matters",
    " when",
    " responsibilities",
    " overlap",
    " between",
    " departments.",
    " We",
    " compare",
    " options",
    " carefully",
    ":",
];
const GERMAN: &[&str] = &[
    " der",
    " Verbrauch",
    " wird",
    " pro",
    " Kostenstelle",
    " gebucht,",
    " während",
    " die",
    " Überschreitung",
    " gemeldet",
    " wird.",
    " Größere",
    " Aufträge",
    " prüfen",
    " wir",
    " ausführlich",
    " und",
    " möglichst",
    " frühzeitig.",
    " Rechnungsstellung",
];
const FRENCH: &[&str] = &[
    " la",
    " dépense",
    " reste",
    " prévisible",
    " lorsque",
    " chaque",
    " équipe",
    " connaît",
    " ses",
    " coûts.",
    " L'été",
    " dernier,",
    " nous",
    " avons",
    " réduit",
    " très",
    " vite",
];
const RUSSIAN: &[&str] = &[
    " стоимость",
    " запроса",
    " зависит",
    " от",
    " модели,",
    " а",
    " бюджет",
    " команды",
    " обновляется",
    " ежемесячно.",
    " Отчёт",
    " готов",
];
const JAPANESE: &[&str] = &[
    "価格は",
    "毎月",
    "変わるため、",
    "予算を",
    "確認して",
    "ください。",
    "利用量の",
    "集計",
    "トークン",
    "単価",
];
const CODE: &[&str] = &[
    "\nfn settle(call: &Call) -> Result<Cost, Error> {\n",
    "    let total_tokens = usage.input + usage.output;\n",
    "    if (cost_usd > limit) { return Err(\"over budget\"); }\n",
    "\nSELECT team, SUM(cost) FROM calls GROUP BY 1;\n",
    "for (const row of rows) { totals[row.key] += row.value; }\n",
    "}\n",
    "x = [n ** 2 for n in range(10)]\n",
    "{\"model\": \"m\", \"tokens\": 128, \"cached\": true}\n",
];

const VOICES: &[Voice] = &[
    Voice::Words(ENGLISH),
    Voice::Words(ENGLISH),
    Voice::Words(GERMAN),
    Voice::Words(FRENCH),
    Voice::Words(RUSSIAN),
    Voice::Words(JAPANESE),
    Voice::Code,
    Voice::Numbers,
];

/// Text with the byte offsets at which its tokens end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct TokenText {
    pub(crate) text: String,
    pub(crate) ends: Vec<usize>,
}

impl TokenText {
    pub(crate) fn new(text: String) -> Self {
        let ends = token_ends(&text);
        Self { text, ends }
    }

    /// How many tokens the text has.
    pub(crate) fn tokens(&self) -> u64 {
        u64::try_from(self.ends.len()).unwrap_or(u64::MAX)
    }

    /// Keeps the first `tokens` tokens.
    pub(crate) fn truncate(&mut self, tokens: u64) {
        self.ends.truncate(usize::try_from(tokens).unwrap_or(usize::MAX));
        self.text.truncate(self.ends.last().copied().unwrap_or(0));
    }
}

/// Writes exactly `tokens` tokens of text.
pub(crate) fn write_text(tokens: u64, rng: &mut Rng) -> TokenText {
    let mut output = TokenText::default();
    // Where segments meet, two tokens may become one, so a round may fall short.
    while output.tokens() < tokens {
        let mut missing = tokens - output.tokens();
        while missing > 0 {
            missing = missing.saturating_sub(write_segment(&mut output.text, rng));
        }
        output = TokenText::new(output.text);
    }
    output.truncate(tokens);
    output
}

/// A few words for an argument or a name.
pub(crate) fn write_phrase(words: u64, rng: &mut Rng) -> String {
    let phrase: String = (0..words).filter_map(|_| rng.pick(ENGLISH)).copied().collect();
    phrase.trim().to_owned()
}

/// Appends one segment in one voice and returns about how many tokens it has.
fn write_segment(text: &mut String, rng: &mut Rng) -> u64 {
    let start = text.len();
    let voice = rng.pick(VOICES).copied().unwrap_or(Voice::Numbers);
    match voice {
        Voice::Words(words) => {
            for _ in 0..rng.between(6, 24) {
                text.push_str(rng.pick(words).copied().unwrap_or_default());
            }
        }
        Voice::Code => {
            for _ in 0..rng.between(1, 3) {
                text.push_str(rng.pick(CODE).copied().unwrap_or_default());
            }
        }
        Voice::Numbers => {
            for _ in 0..rng.between(2, 6) {
                let digits = u32::try_from(rng.between(1, 9)).unwrap_or(1);
                let number = rng.below(10_u64.pow(digits));
                text.push_str(&format!(" {number}.{:02},", rng.below(100)));
            }
        }
    }
    text.get(start..).map_or(1, count_tokens).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_is_exact() {
        for tokens in [0, 1, 2, 7, 40, 399, 2_000] {
            for seed in 0..20 {
                let written = write_text(tokens, &mut Rng::new(seed));
                assert_eq!(written.tokens(), tokens);
                assert_eq!(count_tokens(&written.text), tokens);
            }
        }
    }

    #[test]
    fn very_long_output_is_exact_too() {
        assert_eq!(write_text(200_000, &mut Rng::new(1)).tokens(), 200_000);
    }

    #[test]
    fn bytes_per_token_vary_between_texts() {
        let ratios: Vec<f64> = (0..40)
            .map(|seed| write_text(30, &mut Rng::new(seed)).text.len() as f64 / 30.0)
            .collect();
        let low = ratios.iter().copied().fold(f64::MAX, f64::min);
        let high = ratios.iter().copied().fold(0.0, f64::max);
        assert!(high / low > 1.5, "{low} to {high}");
    }
}
