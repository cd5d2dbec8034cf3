//! Public price lists become price lists of ours.
//!
//! Two formats: LiteLLM's `model_prices_and_context_window.json` and the API of
//! models.dev. Prices are read from their decimal text, never through floats.
//! What cannot be kept exactly, or has no price per token, is left out with a
//! reason; a list never guesses.

mod fields;
mod litellm;
mod litellm_rates;
mod models_dev;

use std::{collections::BTreeSet, fmt, str::FromStr};

use tally_types::{
    Date,
    spec::{PriceEntry, PriceListSpec},
};

use self::fields::Fields;
pub use self::{litellm::litellm, models_dev::models_dev};

/// What to import, and what to say of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Where the prices come from.
    pub source: String,
    /// The day they were read.
    pub as_of: Date,
    /// Only these providers, by their names in the file; all when absent.
    pub providers: Option<Vec<String>>,
}

/// What an import made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// The list, in order of provider and model, with precedence 0.
    pub list: PriceListSpec,
    /// The models left out, in order of provider and model.
    pub skipped: Vec<Skipped>,
    /// What to know about models that were not left out.
    pub notes: Vec<Skipped>,
}

/// One model of the file and what there is to say about it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Skipped {
    /// The provider's name.
    pub provider: String,
    /// The model's name.
    pub model: String,
    /// Why it was left out, or the note; for people.
    pub reason: String,
}

/// Why a file cannot be imported at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// It is not JSON, or not an object.
    #[error("expected a JSON object of models: {0}")]
    NotJson(String),
    /// It is JSON of another kind.
    #[error("nothing in it looks like {0}")]
    NotFormat(Format),
    /// A provider was asked for that the file does not have.
    #[error("the file has no provider `{asked}`; it has {}", known.join(", "))]
    UnknownProvider {
        /// The one asked for.
        asked: String,
        /// Those the file has.
        known: Vec<String>,
    },
}

/// A format of a public price list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// LiteLLM's `model_prices_and_context_window.json`: USD per token.
    LiteLlm,
    /// The API of models.dev: USD per million tokens.
    ModelsDev,
}

/// Imports a file of the format.
///
/// # Errors
/// When it is not JSON of that format, or has not every provider asked for.
pub fn import(format: Format, json: &str, options: &Options) -> Result<Import, ImportError> {
    match format {
        Format::LiteLlm => litellm(json, options),
        Format::ModelsDev => models_dev(json, options),
    }
}

/// The format of a file, judged by its shape; none when it is neither.
pub fn detect(json: &str) -> Option<Format> {
    let file = Fields::read(json).ok()?;
    file.iter().find_map(|(_, value)| {
        let fields = Fields::of(value)?;
        if litellm::is_model(&fields) {
            Some(Format::LiteLlm)
        } else if models_dev::is_provider(&fields) {
            Some(Format::ModelsDev)
        } else {
            None
        }
    })
}

/// A list as JSON with one entry per line, so that two versions of it can be
/// compared line by line; [`PriceListSpec`] reads it back.
///
/// # Errors
/// Never in practice: the list's types are all JSON.
pub fn render(list: &PriceListSpec) -> Result<String, serde_json::Error> {
    let entries: Vec<String> =
        list.entries.iter().map(serde_json::to_string).collect::<Result<_, _>>()?;
    let line_break = if entries.is_empty() { "" } else { "\n" };
    Ok(format!(
        "{{\n\"source\":{},\n\"as_of\":{},\n\"precedence\":{},\n\"entries\":[{line_break}{}{line_break}]\n}}\n",
        serde_json::to_string(&list.source)?,
        serde_json::to_string(&list.as_of)?,
        list.precedence,
        entries.join(",\n"),
    ))
}

// === impl Format ===

impl Format {
    /// Every format.
    pub const ALL: &[Self] = &[Self::LiteLlm, Self::ModelsDev];

    /// The word for it on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LiteLlm => "litellm",
            Self::ModelsDev => "models-dev",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.iter().copied().find(|format| format.as_str() == text).ok_or_else(|| {
            let known: Vec<&str> = Self::ALL.iter().map(|format| format.as_str()).collect();
            format!("`{text}` is unknown; expected one of {}", known.join(", "))
        })
    }
}

/// An import under way.
struct Draft<'a> {
    options: &'a Options,
    seen: BTreeSet<String>,
    entries: Vec<PriceEntry>,
    skipped: Vec<Skipped>,
    notes: Vec<Skipped>,
}

// === impl Draft ===

impl<'a> Draft<'a> {
    fn new(options: &'a Options) -> Self {
        let (entries, skipped, notes) = Default::default();
        Self { options, seen: BTreeSet::new(), entries, skipped, notes }
    }

    /// Whether a provider's models are asked for.
    fn wants(&mut self, provider: &str) -> bool {
        if !self.seen.contains(provider) {
            self.seen.insert(provider.to_owned());
        }
        self.options
            .providers
            .as_ref()
            .is_none_or(|names| names.iter().any(|name| name == provider))
    }

    fn skip(&mut self, provider: &str, model: &str, reason: impl Into<String>) {
        self.skipped.push(remark(provider, model, reason));
    }

    fn note(&mut self, provider: &str, model: &str, reason: impl Into<String>) {
        self.notes.push(remark(provider, model, reason));
    }

    /// A 0 beside other prices is taken at its word, but said.
    fn note_zeros(&mut self, entry: &PriceEntry) {
        let kinds: BTreeSet<&str> = entry
            .rates
            .iter()
            .flat_map(|set| {
                [
                    ("input", set.input),
                    ("cache_read", set.cache_read),
                    ("cache_write_5m", set.cache_write_5m),
                    ("cache_write_1h", set.cache_write_1h),
                ]
            })
            .filter(|(_, rate)| rate.is_some_and(|rate| rate.pico() == 0))
            .map(|(kind, _)| kind)
            .collect();
        for kind in kinds {
            self.note(&entry.provider, &entry.model, format!("`{kind}` is listed at 0"));
        }
    }

    fn finish(mut self, format: Format) -> Result<Import, ImportError> {
        if self.seen.is_empty() {
            return Err(ImportError::NotFormat(format));
        }
        let asked = self.options.providers.iter().flatten();
        if let Some(asked) = asked.into_iter().find(|name| !self.seen.contains(*name)) {
            let known = self.seen.iter().cloned().collect();
            return Err(ImportError::UnknownProvider { asked: asked.clone(), known });
        }
        self.entries.sort_by(|a, b| (&a.provider, &a.model).cmp(&(&b.provider, &b.model)));
        self.skipped.sort();
        self.notes.sort();
        let list = PriceListSpec {
            source: self.options.source.clone(),
            as_of: self.options.as_of,
            precedence: 0,
            entries: self.entries,
        };
        Ok(Import { list, skipped: self.skipped, notes: self.notes })
    }
}

fn remark(provider: &str, model: &str, reason: impl Into<String>) -> Skipped {
    Skipped { provider: provider.to_owned(), model: model.to_owned(), reason: reason.into() }
}
