//! Puts values back where a model repeated their placeholders.

use std::{collections::BTreeMap, fmt, ops::Bound, sync::Arc};

/// How a value is written where it is put back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Escaping {
    /// As it is.
    Plain,
    /// The text is JSON of its own, such as a tool call's arguments: the value is written
    /// as the inside of a JSON string.
    Json,
}

/// Placeholders and their values.
#[derive(Clone, Default)]
pub struct Restorations {
    values: Arc<BTreeMap<String, String>>,
    longest: usize,
}

/// Puts values back into a text that comes in pieces.
#[derive(Debug)]
pub struct Restorer {
    known: Restorations,
    escaping: Escaping,
    held: String,
}

/// What a text that begins with a bracket is.
enum Begins<'a> {
    Placeholder(&'a str, usize),
    /// Perhaps one: its end is not here yet.
    Half,
    Nothing,
}

// === impl Restorations ===

impl Restorations {
    pub(super) fn new(values: BTreeMap<String, String>) -> Self {
        let longest = values.keys().map(String::len).max().unwrap_or(0);
        Self { values: Arc::new(values), longest }
    }

    /// Whether there is nothing to put back.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The length of the longest placeholder, in bytes: a [`Restorer`] holds back less.
    pub fn longest(&self) -> usize {
        self.longest
    }

    /// A whole text with its values; `None` where it has no placeholder.
    pub fn restored(&self, text: &str, escaping: Escaping) -> Option<String> {
        let mut restorer = Restorer::new(self.clone(), escaping);
        let mut whole = restorer.push(text);
        whole.push_str(&restorer.finish());
        (whole != text).then_some(whole)
    }

    fn begins<'a>(&'a self, text: &str) -> Begins<'a> {
        let up_to = self.values.range::<str, _>((Bound::Unbounded, Bound::Included(text)));
        // The one that a text begins with is the last that is not behind it.
        if let Some((placeholder, value)) = up_to.into_iter().next_back()
            && text.starts_with(placeholder.as_str())
        {
            return Begins::Placeholder(value, placeholder.len());
        }
        let behind = self.values.range::<str, _>((Bound::Included(text), Bound::Unbounded)).next();
        match behind {
            Some((placeholder, _)) if placeholder.starts_with(text) => Begins::Half,
            _ => Begins::Nothing,
        }
    }
}

impl fmt::Debug for Restorations {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Restorations({} values)", self.values.len())
    }
}

// === impl Restorer ===

impl Restorer {
    /// Begins a text.
    pub fn new(known: Restorations, escaping: Escaping) -> Self {
        Self { known, escaping, held: String::new() }
    }

    /// Takes the next piece; gives back what is certain by now.
    pub fn push(&mut self, piece: &str) -> String {
        let text = std::mem::take(&mut self.held) + piece;
        let mut whole = String::with_capacity(text.len());
        let mut rest = text.as_str();
        while let Some(at) = memchr::memchr(b'[', rest.as_bytes()) {
            whole.push_str(rest.get(..at).unwrap_or_default());
            rest = rest.get(at..).unwrap_or_default();
            let length = match self.known.begins(rest) {
                Begins::Placeholder(value, length) => {
                    self.escaping.write(value, &mut whole);
                    length
                }
                Begins::Half => {
                    rest.clone_into(&mut self.held);
                    return whole;
                }
                Begins::Nothing => {
                    whole.push('[');
                    1
                }
            };
            rest = rest.get(length..).unwrap_or_default();
        }
        whole.push_str(rest);
        whole
    }

    /// What is held back when the text ends: half a placeholder is none.
    pub fn finish(&mut self) -> String {
        std::mem::take(&mut self.held)
    }

    /// How much is held back, in bytes.
    pub fn held_bytes(&self) -> usize {
        self.held.len()
    }
}

// === impl Escaping ===

impl Escaping {
    fn write(self, value: &str, whole: &mut String) {
        match self {
            Self::Plain => whole.push_str(value),
            Self::Json => {
                let quoted = serde_json::Value::from(value).to_string();
                whole.push_str(quoted.get(1..quoted.len() - 1).unwrap_or_default());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn known() -> Restorations {
        let pairs = [
            ("[EMAIL_aaaaaaaa]", "ada@acme.test"),
            ("[EMAIL_aaaaaaab]", "a \"quoted\"\\ one"),
            ("[SECRET_cccccccc]", "-----BEGIN\nKEY-----"),
        ];
        Restorations::new(pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect())
    }

    #[test]
    fn values_come_back_and_look_alikes_stay() {
        let text = "[EMAIL_aaaaaaaa], [[EMAIL_aaaaaaab]] [EMAIL_zzzzzzzz] [EMAIL_aaaa";
        assert_eq!(
            known().restored(text, Escaping::Plain).unwrap(),
            "ada@acme.test, [a \"quoted\"\\ one] [EMAIL_zzzzzzzz] [EMAIL_aaaa"
        );
        let arguments = r#"{"to":"[EMAIL_aaaaaaab]","key":"[SECRET_cccccccc]"}"#;
        let restored = known().restored(arguments, Escaping::Json).unwrap();
        let read: serde_json::Value = serde_json::from_str(&restored).unwrap();
        assert_eq!(read["to"], "a \"quoted\"\\ one");
        assert_eq!(read["key"], "-----BEGIN\nKEY-----");
        assert_eq!(known().restored("nothing [here]", Escaping::Plain), None);
    }

    /// Pieces of text and of placeholders, so that near misses are frequent.
    fn texts() -> impl Strategy<Value = String> {
        let pieces = prop_oneof![
            Just("[EMAIL_aaaaaaaa]".to_owned()),
            Just("[EMAIL_aaaaaaab]".to_owned()),
            Just("[SECRET_cccccccc]".to_owned()),
            Just("[EMAIL_aaaaaaa".to_owned()),
            Just("[[".to_owned()),
            Just("]".to_owned()),
            "[a-zé\\[\\] ]{0,6}",
        ];
        prop::collection::vec(pieces, 0..12).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn any_splitting_gives_the_same_text_and_holds_little_back(
            text in texts(),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
            json in any::<bool>(),
        ) {
            let escaping = if json { Escaping::Json } else { Escaping::Plain };
            let whole = known().restored(&text, escaping).unwrap_or_else(|| text.clone());
            let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(text.len() + 1)).collect();
            places.retain(|place| text.is_char_boundary(*place));
            places.extend([0, text.len()]);
            places.sort_unstable();
            let mut restorer = Restorer::new(known(), escaping);
            let mut pieced = String::new();
            for pair in places.windows(2) {
                pieced.push_str(&restorer.push(&text[pair[0]..pair[1]]));
                prop_assert!(restorer.held_bytes() < known().longest());
            }
            pieced.push_str(&restorer.finish());
            prop_assert_eq!(pieced, whole);
        }
    }
}
