//! Escapes of JSON strings, undone with the way back: where each decoded byte stood.

/// A text without its escapes, which remembers where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded {
    text: String,
    /// After each escape: (place in the decoded text, place in the original).
    marks: Vec<(usize, usize)>,
}

/// A text that is not the inside of a JSON string.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected the inside of a JSON string, found an escape that is none")]
pub struct NotJson;

// === impl Decoded ===

impl Decoded {
    /// Decodes the inside of a JSON string.
    ///
    /// # Errors
    /// When an escape is none, or is half of a pair.
    pub fn strict(inside: &str) -> Result<Self, NotJson> {
        Self::read(inside, true)
    }

    /// Decodes what looks like escapes and leaves the rest as it is.
    pub fn lenient(text: &str) -> Self {
        Self::read(text, false)
            .unwrap_or_else(|NotJson| Self { text: text.to_owned(), marks: Vec::new() })
    }

    /// The text without escapes.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether anything was escaped.
    pub fn is_changed(&self) -> bool {
        !self.marks.is_empty()
    }

    /// Where a place of the decoded text stood: never within an escape, if it is a
    /// character's boundary.
    pub fn origin(&self, at: usize) -> usize {
        let after = self.marks.partition_point(|(decoded, _)| *decoded <= at);
        let mark = after.checked_sub(1).and_then(|index| self.marks.get(index));
        mark.map_or(at, |(decoded, original)| original + (at - decoded))
    }

    fn read(inside: &str, strict: bool) -> Result<Self, NotJson> {
        let mut decoded = Self { text: String::with_capacity(inside.len()), marks: Vec::new() };
        let mut from = 0;
        while let Some(found) =
            inside.get(from..).and_then(|rest| memchr::memchr(b'\\', rest.as_bytes()))
        {
            let at = from + found;
            decoded.text.push_str(inside.get(from..at).unwrap_or_default());
            match escape(inside.get(at + 1..).unwrap_or_default()) {
                Some((character, length)) => {
                    decoded.text.push(character);
                    from = at + 1 + length;
                    decoded.marks.push((decoded.text.len(), from));
                }
                None if strict => return Err(NotJson),
                None => {
                    decoded.text.push('\\');
                    from = at + 1;
                }
            }
        }
        decoded.text.push_str(inside.get(from..).unwrap_or_default());
        Ok(decoded)
    }
}

/// The character that an escape stands for, and the escape's length after its backslash.
fn escape(rest: &str) -> Option<(char, usize)> {
    let plain = match rest.as_bytes().first()? {
        b'u' => return unicode(rest),
        b'n' => '\n',
        b't' => '\t',
        b'r' => '\r',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        byte @ (b'"' | b'\\' | b'/') => char::from(*byte),
        _ => return None,
    };
    Some((plain, 1))
}

fn unicode(rest: &str) -> Option<(char, usize)> {
    let unit = |from: usize| {
        let digits =
            rest.get(from..from + 4).filter(|it| it.bytes().all(|b| b.is_ascii_hexdigit()))?;
        u16::from_str_radix(digits, 16).ok()
    };
    let first = unit(1)?;
    if let Some(character) = char::from_u32(first.into()) {
        return Some((character, 5));
    }
    let second = unit(7).filter(|_| rest.get(5..7) == Some("\\u"))?;
    let character = char::decode_utf16([first, second]).next()?.ok()?;
    Some((character, 11))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn escapes_are_undone_and_remembered() {
        let raw = r"ada\u0040acme.test\n\ud83d\ude00 end";
        let decoded = Decoded::strict(raw).unwrap();
        assert_eq!(decoded.text(), "ada@acme.test\n😀 end");
        let end = "ada@acme.test".len();
        assert_eq!(&raw[decoded.origin(0)..decoded.origin(end)], r"ada\u0040acme.test");
        assert_eq!(&raw[decoded.origin(end)..decoded.origin(end + 1)], r"\n");
        assert_eq!(&raw[decoded.origin(end + 1)..decoded.origin(end + 5)], r"\ud83d\ude00");
    }

    #[test]
    fn half_a_pair_is_no_json_and_stays_when_nobody_minds() {
        for raw in [r"\ud83d", r"\ud83dx", r"\x41", r"\u12", r"end\"] {
            assert_eq!(Decoded::strict(raw), Err(NotJson), "{raw}");
            assert_eq!(Decoded::lenient(raw).text(), raw);
        }
    }

    proptest! {
        #[test]
        fn it_reads_what_serde_writes(text in "\\PC*[\\x00-\\x1f\"\\\\]?\\PC*") {
            let json = serde_json::to_string(&text).unwrap();
            let inside = &json[1..json.len() - 1];
            let decoded = Decoded::strict(inside).unwrap();
            prop_assert_eq!(decoded.text(), &text);
            for (at, character) in text.char_indices() {
                let origin = decoded.origin(at)..decoded.origin(at + character.len_utf8());
                let again = Decoded::strict(&inside[origin]).unwrap();
                let alone = character.to_string();
                prop_assert_eq!(again.text(), alone.as_str());
            }
        }
    }
}
