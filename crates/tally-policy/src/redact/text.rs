//! A text as the detectors look at it.

use aho_corasick::AhoCorasick;

/// How far back a word may stand that says what a number is, in bytes.
const CONTEXT_BYTES: usize = 40;

/// A text, and the name of the JSON member it is the value of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Text<'a> {
    pub(super) text: &'a str,
    pub(super) bytes: &'a [u8],
    pub(super) name: &'a str,
}

// === impl Text ===

impl<'a> Text<'a> {
    pub(super) fn new(text: &'a str, name: &'a str) -> Self {
        Self { text, bytes: text.as_bytes(), name }
    }

    /// The byte at a place; 0 where there is none.
    pub(super) fn at(&self, place: usize) -> u8 {
        self.bytes.get(place).copied().unwrap_or(0)
    }

    /// The byte before a place; 0 where there is none.
    pub(super) fn before(&self, place: usize) -> u8 {
        place.checked_sub(1).map_or(0, |place| self.at(place))
    }

    pub(super) fn slice(&self, from: usize, to: usize) -> &'a str {
        self.text.get(from..to).unwrap_or_default()
    }

    /// Whether no word or number of ASCII goes on over this place.
    pub(super) fn starts_at(&self, place: usize) -> bool {
        !is_word(self.before(place))
    }

    /// Whether a word or number may end before this place.
    pub(super) fn ends_at(&self, place: usize) -> bool {
        !is_word(self.at(place))
    }

    /// What stands right before a place on the same line and in the same cell, and the
    /// member's name if nothing else stands between.
    fn near(&self, place: usize) -> (&'a str, &'a str) {
        let mut from = place.saturating_sub(CONTEXT_BYTES);
        while !self.text.is_char_boundary(from) {
            from += 1;
        }
        let near = self.slice(from, place);
        // Another line or another cell says nothing about this one.
        let same = near.rsplit(['\n', '\t', ';', '|']).next().unwrap_or_default();
        let name = if from == 0 && same.len() == near.len() { self.name } else { "" };
        (name, same)
    }

    /// What stands near before a place, in small letters.
    pub(super) fn context(&self, place: usize) -> String {
        let (name, near) = self.near(place);
        format!("{} {near}", words(name)).to_lowercase()
    }

    /// Whether one of the words stands right before a place, or in the member's name.
    pub(super) fn follows_any(&self, place: usize, words: &[&str]) -> bool {
        let context = self.context(place);
        words.iter().any(|word| begins_a_word(&context, word))
    }

    /// The same for many words, which do not mind the case of ASCII.
    pub(super) fn follows(&self, place: usize, finder: &AhoCorasick) -> bool {
        let (name, near) = self.near(place);
        let finds = |text: &str| {
            finder.find_overlapping_iter(text).any(|found| is_beginning(text, found.start()))
        };
        finds(near) || !name.is_empty() && finds(&words(name))
    }
}

/// Whether a word stands in a text, or begins one that does: `tel` begins `telefon`, and
/// is none in `hotel`.
fn begins_a_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| is_beginning(text, at))
}

fn is_beginning(text: &str, at: usize) -> bool {
    let before = text.get(..at).and_then(|before| before.chars().next_back());
    !before.is_some_and(char::is_alphabetic)
}

/// A member's name in words: `homePhone` is `home Phone`.
fn words(name: &str) -> String {
    let mut words = String::with_capacity(name.len() + 4);
    for character in name.chars() {
        if character.is_uppercase() {
            words.push(' ');
        }
        words.push(character);
    }
    words
}

/// Letters, digits and `_` of ASCII. Others do not go on: in scripts without spaces a
/// number stands right beside a letter.
pub(super) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// How many bytes a separator within numbers takes, and what it is: ` `, `-`, `.` or `/`;
/// narrow and unbreakable ones of Unicode included.
pub(super) fn separator(bytes: &[u8]) -> Option<(u8, usize)> {
    match bytes {
        [plain @ (b' ' | b'-' | b'.' | b'/'), ..] => Some((*plain, 1)),
        [0xc2, 0xa0, ..] => Some((b' ', 2)),
        [0xe2, 0x80, 0xaf | 0x89 | 0x87, ..] => Some((b' ', 3)),
        [0xe2, 0x80, 0x90..=0x93, ..] => Some((b'-', 3)),
        _ => None,
    }
}
