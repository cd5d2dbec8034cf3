//! A whole reply with its values.

use bytes::Bytes;
use tally_policy::redact::{Decoded, Escaping, Restorations};

use super::walk::{What, Zone, walk};
use crate::{json_bytes::spliced, protocol::Splice};

/// The reply with the values of the placeholders that the model repeated; every other
/// byte as it came. What is not understood passes as it is: it holds no value.
pub(crate) fn restored(body: Bytes, zone: Zone, known: &Restorations) -> Bytes {
    if known.is_empty() || memchr::memchr(b'[', &body).is_none() {
        return body;
    }
    let Ok(text) = std::str::from_utf8(&body) else { return body };
    let mut splices = Vec::new();
    let walked = walk(text, zone, &mut |what, _, range| {
        let escaping = match what {
            What::Text => Escaping::Plain,
            What::Json => Escaping::Json,
            What::Number => return Ok(()),
        };
        let inside = text.get(range.clone()).unwrap_or_default();
        if let Some(with) = restored_inside(inside, escaping, known) {
            splices.push(Splice { range, with });
        }
        Ok(())
    });
    if walked.is_err() { body } else { spliced(&body, splices) }
}

/// The inside of a JSON string with the values.
fn restored_inside(inside: &str, escaping: Escaping, known: &Restorations) -> Option<String> {
    memchr::memchr(b'[', inside.as_bytes())?;
    let decoded = Decoded::strict(inside).ok()?;
    let restored = known.restored(decoded.text(), escaping)?;
    let quoted = serde_json::Value::from(restored).to_string();
    quoted.get(1..quoted.len() - 1).map(str::to_owned)
}
