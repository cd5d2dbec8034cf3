//! Small edits of JSON text that leave every other byte as it was.

use std::ops::Range;

use bytes::Bytes;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::protocol::{Splice, span};

/// Applies edits of disjoint ranges.
pub(crate) fn spliced(body: &Bytes, mut splices: Vec<Splice>) -> Bytes {
    if splices.is_empty() {
        return body.clone();
    }
    splices.sort_by_key(|splice| splice.range.start);
    let added: usize = splices.iter().map(|splice| splice.with.len()).sum();
    let mut edited = Vec::with_capacity(body.len() + added);
    let mut from = 0;
    for splice in splices {
        edited.extend_from_slice(body.get(from..splice.range.start).unwrap_or_default());
        edited.extend_from_slice(splice.with.as_bytes());
        from = splice.range.end;
    }
    edited.extend_from_slice(body.get(from..).unwrap_or_default());
    Bytes::from(edited)
}

/// The object without its top-level member of that name, if that is `null`.
pub(crate) fn without_null_member(object: &[u8], name: &'static str) -> Option<Vec<u8>> {
    debug_assert_eq!(name, "usage", "the reader below knows one name");
    let member: UsageMember<'_> = serde_json::from_slice(object).ok()?;
    let raw = member.usage.filter(|raw| raw.get() == "null")?;
    let range = member_range(object, &span(object, raw))?;
    let mut shorter = Vec::with_capacity(object.len());
    shorter.extend_from_slice(object.get(..range.start)?);
    shorter.extend_from_slice(object.get(range.end..)?);
    Some(shorter)
}

#[derive(Deserialize)]
struct UsageMember<'a> {
    #[serde(default, borrow, deserialize_with = "present")]
    usage: Option<&'a RawValue>,
}

/// Keeps a `null` as a value with a place, which `Option` alone would not.
pub(crate) fn present<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

/// The whole member around its value: key, colon and one of the commas beside it.
fn member_range(object: &[u8], value: &Range<usize>) -> Option<Range<usize>> {
    let before = object.get(..value.start)?;
    let colon = before.iter().rposition(|byte| *byte == b':')?;
    let key_end = before.get(..colon)?.iter().rposition(|byte| *byte == b'"')?;
    let key_start = before.get(..key_end)?.iter().rposition(|byte| *byte == b'"')?;
    let not_space = |byte: &u8| !byte.is_ascii_whitespace();
    let previous = before.get(..key_start)?.iter().rposition(not_space)?;
    if before.get(previous) == Some(&b',') {
        return Some(previous..value.end);
    }
    let after = object.get(value.end..)?;
    let next = after.iter().position(not_space)?;
    if after.get(next) != Some(&b',') {
        return Some(key_start..value.end);
    }
    let rest = after.get(next + 1..)?;
    let spaces = rest.iter().position(not_space).unwrap_or(0);
    Some(key_start..value.end + next + 1 + spaces)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_null_member_vanishes_wherever_it_stands() {
        for (before, after) in [
            (r#"{"usage":null}"#, r"{}"),
            (r#"{"a":1,"usage":null}"#, r#"{"a":1}"#),
            (r#"{"usage":null,"a":1}"#, r#"{"a":1}"#),
            (r#"{ "a" : 1 , "usage" : null , "b" : 2 }"#, r#"{ "a" : 1  , "b" : 2 }"#),
        ] {
            let shorter = without_null_member(before.as_bytes(), "usage").unwrap();
            let shorter = String::from_utf8(shorter).unwrap();
            let left: serde_json::Value = serde_json::from_str(&shorter).unwrap();
            assert_eq!(left, serde_json::from_str::<serde_json::Value>(after).unwrap(), "{before}");
        }
        assert_eq!(without_null_member(br#"{"usage":{"a":1}}"#, "usage"), None);
        assert_eq!(without_null_member(br#"{"a":{"usage":null}}"#, "usage"), None);
    }

    proptest! {
        #[test]
        fn only_the_member_is_missing(text in ".*", first in any::<bool>()) {
            let other = serde_json::to_string(&text).unwrap();
            let object = if first {
                format!(r#"{{"usage":null,"t":{other}}}"#)
            } else {
                format!(r#"{{"t":{other},"usage":null}}"#)
            };
            let shorter = without_null_member(object.as_bytes(), "usage").unwrap();
            let value: serde_json::Value = serde_json::from_slice(&shorter).unwrap();
            prop_assert_eq!(value, serde_json::json!({ "t": text }));
        }
    }
}
