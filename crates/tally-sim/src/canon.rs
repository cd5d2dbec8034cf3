//! Digests of JSON that do not depend on spelling: key order, white space and
//! escapes may change on the way through a relay, the content does not.

use crate::random::ContentHash;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// The digest of a whole request: its path and its body without
/// `stream_options`, which a relay may add to learn the usage of a stream.
pub(crate) fn request_hash(path: &str, body: &Map<String, Value>) -> ContentHash {
    let mut hasher = Sha256::new();
    hasher.update(path.as_bytes());
    hash_fields(&mut hasher, body.iter().filter(|(key, _)| *key != "stream_options"), &[]);
    first_half(hasher)
}

/// Adds a value to a running digest, leaving out the keys in `skip` at any depth.
pub(crate) fn hash_value(hasher: &mut Sha256, value: &Value, skip: &[&str]) {
    match value {
        Value::Null => hasher.update(b"n"),
        Value::Bool(true) => hasher.update(b"t"),
        Value::Bool(false) => hasher.update(b"f"),
        Value::Number(number) => hash_bytes(hasher, b'd', number.to_string().as_bytes()),
        Value::String(text) => hash_bytes(hasher, b's', text.as_bytes()),
        Value::Array(items) => {
            hash_bytes(hasher, b'a', &items.len().to_le_bytes());
            items.iter().for_each(|item| hash_value(hasher, item, skip));
        }
        Value::Object(fields) => {
            let kept = fields.iter().filter(|(key, _)| !skip.contains(&key.as_str()));
            hash_fields(hasher, kept, skip);
        }
    }
}

/// The first 16 bytes of a running digest, which stays usable when cloned.
pub(crate) fn first_half(hasher: Sha256) -> ContentHash {
    let digest: [u8; 32] = hasher.finalize().into();
    let mut half = [0; 16];
    half.iter_mut().zip(digest).for_each(|(into, from)| *into = from);
    half
}

fn hash_fields<'a>(
    hasher: &mut Sha256,
    fields: impl Iterator<Item = (&'a String, &'a Value)>,
    skip: &[&str],
) {
    let mut sorted: Vec<_> = fields.collect();
    sorted.sort_unstable_by(|left, right| left.0.cmp(right.0));
    hash_bytes(hasher, b'o', &sorted.len().to_le_bytes());
    for (key, value) in sorted {
        hash_bytes(hasher, b'k', key.as_bytes());
        hash_value(hasher, value, skip);
    }
}

/// Length-prefixed, so that neighbouring strings cannot run into each other.
fn hash_bytes(hasher: &mut Sha256, tag: u8, bytes: &[u8]) {
    hasher.update([tag]);
    hasher.update(bytes.len().to_le_bytes());
    hasher.update(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(text: &str) -> ContentHash {
        request_hash("/v1/x", &serde_json::from_str(text).unwrap())
    }

    #[test]
    fn spelling_does_not_matter_and_content_does() {
        let plain = hash(r#"{"model":"m","messages":[{"role":"user","content":"é"}]}"#);
        let respelt = hash(r#" {"messages":[{"content":"\u00e9","role":"user"}], "model":"m"}"#);
        assert_eq!(plain, respelt);
        assert_ne!(plain, hash(r#"{"model":"m","messages":[{"role":"user","content":"e"}]}"#));
        assert_ne!(hash(r#"{"a":["b","c"]}"#), hash(r#"{"a":["bc"]}"#));
    }

    #[test]
    fn stream_options_are_left_out_at_the_top_only() {
        let without = hash(r#"{"model":"m","stream":true}"#);
        let with = hash(r#"{"model":"m","stream":true,"stream_options":{"include_usage":true}}"#);
        assert_eq!(without, with);
        assert_ne!(hash(r#"{"a":{}}"#), hash(r#"{"a":{"stream_options":1}}"#));
    }
}
