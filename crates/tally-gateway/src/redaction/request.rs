//! A request's body without what is not to leave.

use std::ops::Range;

use tally_policy::redact::{Decoded, Detector, Finding, RedactionKey, Vault};

use super::{
    walk::{Unreadable, What, Zone, walk},
    wanted::Wanted,
};
use crate::{protocol::Splice, refusal::Refusal};

/// Looks through texts and notes what to write instead.
struct Redactor {
    detector: Detector,
    vault: Vault,
}

/// The edits that take everything out, and what was taken.
pub(super) fn redact(
    body: &[u8],
    zone: Zone,
    wanted: &Wanted,
    key: &RedactionKey,
) -> Result<(Vec<Splice>, Vault), Refusal> {
    let mut redactor = Redactor {
        detector: Detector::new(&wanted.kinds, &wanted.patterns),
        vault: Vault::new(key.clone()),
    };
    let text = std::str::from_utf8(body).map_err(|_| unreadable(Unreadable::Malformed))?;
    let mut splices = Vec::new();
    redactor.read(text, zone, "\"", &mut splices).map_err(unreadable)?;
    Ok((splices, redactor.vault))
}

// === impl Redactor ===

impl Redactor {
    /// `quote` is how a string begins where the text stands: escaped, within a string.
    fn read(
        &mut self,
        text: &str,
        zone: Zone,
        quote: &str,
        splices: &mut Vec<Splice>,
    ) -> Result<(), Unreadable> {
        walk(text, zone, &mut |what, name, range| {
            let inside = text.get(range.clone()).unwrap_or_default();
            match what {
                What::Text => self.text(inside, name, range.start, splices),
                What::Json => self.json(inside, quote, range.start, splices),
                What::Number => {
                    self.number(inside, name, quote, range, splices);
                    Ok(())
                }
            }
        })
    }

    fn text(
        &mut self,
        inside: &str,
        name: &str,
        start: usize,
        splices: &mut Vec<Splice>,
    ) -> Result<(), Unreadable> {
        if memchr::memchr(b'\\', inside.as_bytes()).is_none() {
            let findings = self.detector.find_member(name, inside);
            self.replace(inside, &findings, splices, |at| start + at);
            return Ok(());
        }
        let decoded = Decoded::strict(inside).map_err(|_| Unreadable::Malformed)?;
        let findings = self.detector.find_member(name, decoded.text());
        self.replace(decoded.text(), &findings, splices, |at| start + decoded.origin(at));
        Ok(())
    }

    fn replace(
        &mut self,
        text: &str,
        findings: &[Finding],
        splices: &mut Vec<Splice>,
        origin: impl Fn(usize) -> usize,
    ) {
        for Finding { range, kind } in findings {
            let value = text.get(range.clone()).unwrap_or_default();
            let with = self.vault.placeholder(kind, value);
            splices.push(Splice { range: origin(range.start)..origin(range.end), with });
        }
    }

    /// A string that should hold JSON: where it does not, it is text like any other.
    fn json(
        &mut self,
        inside: &str,
        quote: &str,
        start: usize,
        splices: &mut Vec<Splice>,
    ) -> Result<(), Unreadable> {
        let decoded = Decoded::strict(inside).map_err(|_| Unreadable::Malformed)?;
        let is_json = serde_json::from_str::<serde::de::IgnoredAny>(decoded.text()).is_ok();
        if !is_json {
            return self.text(inside, "", start, splices);
        }
        let mut found = Vec::new();
        let deeper = serde_json::Value::from(quote).to_string();
        let deeper = deeper.get(1..deeper.len() - 1).unwrap_or_default();
        self.read(decoded.text(), Zone::Value, deeper, &mut found)?;
        splices.extend(found.into_iter().map(|Splice { range, with }| Splice {
            range: start + decoded.origin(range.start)..start + decoded.origin(range.end),
            with,
        }));
        Ok(())
    }

    /// A number becomes a string: no placeholder is a number.
    fn number(
        &mut self,
        inside: &str,
        name: &str,
        quote: &str,
        range: Range<usize>,
        splices: &mut Vec<Splice>,
    ) {
        let found = self.detector.find_member(name, inside);
        if let Some(Finding { kind, .. }) = found.first() {
            let placeholder = self.vault.placeholder(kind, inside);
            splices.push(Splice { range, with: format!("{quote}{placeholder}{quote}") });
        }
    }
}

fn unreadable(why: Unreadable) -> Refusal {
    let message = format!("the prompt cannot be searched for data that must not leave: {why}");
    Refusal::bad_request("redaction_unreadable", message)
        .with_next_step("send the prompt as text, as the provider's API documents it")
}
