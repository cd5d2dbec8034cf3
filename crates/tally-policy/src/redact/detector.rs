//! Every kind's detector over one text, and which of their findings stand.

use std::{collections::BTreeSet, ops::Range};

use regex::{Regex, RegexBuilder};

use super::{
    card, email,
    iban::{self, Account},
    ip,
    kind::DataKind,
    national,
    numbers::{Groups, end_of_digits},
    phone, secret,
    text::{Text, is_word},
    unescape::Decoded,
};

/// How large a pattern's program may grow, in bytes.
const PATTERN_BYTES_MAX: usize = 1 << 20;
/// Text in JSON in a JSON string: how often escapes are undone to look beneath them.
const ESCAPES_MAX: usize = 3;

/// Something found: where, and what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Where it stands, on boundaries of characters and never within an escape.
    pub range: Range<usize>,
    /// What it is.
    pub kind: DataKind,
}

/// A policy's own pattern, compiled.
#[derive(Debug, Clone)]
pub struct Pattern {
    kind: DataKind,
    regex: Regex,
}

/// Why a pattern cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// The name is no kind's name, or that of a kind without a pattern.
    #[error(
        "`{0}`: expected a name of small letters, digits, `-` and `_`, other than the built-in kinds"
    )]
    Name(String),
    /// The expression is not understood, or too large.
    #[error("{0}")]
    Regex(String),
    /// It matches where nothing stands.
    #[error("expected a pattern that matches some text, found one that matches the empty text")]
    MatchesNothing,
}

/// Finds the kinds it was made for.
#[derive(Debug, Clone, Default)]
pub struct Detector {
    email: bool,
    numbers: BTreeSet<DataKind>,
    secret: bool,
    patterns: Vec<Pattern>,
}

// === impl Pattern ===

impl Pattern {
    /// Compiles a pattern; matching takes time in proportion to the text, whatever it says.
    ///
    /// # Errors
    /// When the name or the expression cannot be used.
    pub fn new(name: &str, regex: &str) -> Result<Self, PatternError> {
        let kind = match name.parse() {
            Ok(kind @ DataKind::Custom(_)) => kind,
            _ => return Err(PatternError::Name(name.chars().take(64).collect())),
        };
        let regex = RegexBuilder::new(regex)
            .size_limit(PATTERN_BYTES_MAX)
            .build()
            .map_err(|error| PatternError::Regex(error.to_string()))?;
        if regex.is_match("") {
            return Err(PatternError::MatchesNothing);
        }
        Ok(Self { kind, regex })
    }

    /// The kind that it finds.
    pub fn kind(&self) -> &DataKind {
        &self.kind
    }
}

// === impl Detector ===

impl Detector {
    /// A detector of these kinds; of the patterns, those whose kind is among them.
    pub fn new(kinds: &BTreeSet<DataKind>, patterns: &[Pattern]) -> Self {
        let is_number = |kind: &&DataKind| {
            !matches!(kind, DataKind::Email | DataKind::Secret | DataKind::Custom(_))
        };
        Self {
            email: kinds.contains(&DataKind::Email),
            numbers: kinds.iter().filter(is_number).cloned().collect(),
            secret: kinds.contains(&DataKind::Secret),
            patterns: patterns.iter().filter(|it| kinds.contains(&it.kind)).cloned().collect(),
        }
    }

    /// What stands where, in order; no two overlap.
    pub fn find(&self, text: &str) -> Vec<Finding> {
        self.find_member("", text)
    }

    /// The same for the value of a JSON member, whose name may say what it is.
    pub fn find_member(&self, name: &str, text: &str) -> Vec<Finding> {
        let mut found = self.find_beneath(name, text, 0);
        settle(&mut found);
        found
    }

    fn find_beneath(&self, name: &str, text: &str, depth: usize) -> Vec<Finding> {
        if depth < ESCAPES_MAX && memchr::memchr(b'\\', text.as_bytes()).is_some() {
            let decoded = Decoded::lenient(text);
            if decoded.is_changed() {
                let mut found = self.find_beneath(name, decoded.text(), depth + 1);
                for finding in &mut found {
                    finding.range =
                        decoded.origin(finding.range.start)..decoded.origin(finding.range.end);
                }
                return found;
            }
        }
        self.find_plain(&Text::new(text, name))
    }

    fn find_plain(&self, text: &Text<'_>) -> Vec<Finding> {
        let mut found = Vec::new();
        let mut ranges = Vec::new();
        if self.email {
            email::find_all(text, &mut ranges);
        }
        found.extend(ranges.drain(..).map(|range| Finding { range, kind: DataKind::Email }));
        if self.secret {
            secret::find_all(text, &mut ranges);
        }
        found.extend(ranges.drain(..).map(|range| Finding { range, kind: DataKind::Secret }));
        if !self.numbers.is_empty() {
            self.find_numbers(text, &mut found);
        }
        if self.numbers.contains(&DataKind::IpAddress) {
            ip::find_v6(text, &mut ranges);
        }
        found.extend(ranges.drain(..).map(|range| Finding { range, kind: DataKind::IpAddress }));
        for pattern in &self.patterns {
            let matches = pattern.regex.find_iter(text.text).filter(|it| !it.is_empty());
            found.extend(
                matches.map(|it| Finding { range: it.range(), kind: pattern.kind.clone() }),
            );
        }
        found
    }

    /// Everything that has a digit in it. What a number is, is decided among all kinds,
    /// so that an account is no telephone number where nobody asks for accounts.
    fn find_numbers(&self, text: &Text<'_>, found: &mut Vec<Finding>) {
        let mut at = 0;
        while let Some(offset) =
            text.bytes.get(at..).and_then(|rest| rest.iter().position(u8::is_ascii_digit))
        {
            let digit = at + offset;
            if !text.starts_at(digit) && !may_go_on(text, digit) {
                at = end_of_digits(text, digit);
                continue;
            }
            let groups = Groups::read(text, digit);
            if groups.is_short(text) {
                at = groups.first().end;
                continue;
            }
            let (end, kind) = match iban::find(text, digit) {
                Some(Account::Valid(range)) => (range.end, Some((range, DataKind::Iban))),
                Some(Account::Invalid(end)) => (end, None),
                None => {
                    let found = classify(text, digit, &groups);
                    let end = found.as_ref().map_or(groups.first().end, |(range, _)| range.end);
                    (end, found)
                }
            };
            at = end.max(digit + 1);
            if let Some((range, kind)) = kind.filter(|(_, kind)| self.numbers.contains(kind)) {
                found.push(Finding { range, kind });
            }
        }
    }
}

/// Whether the letters before a digit could be the beginning of a number: a letter of
/// Spain's residents, two of a country or of Britain's insurance, six of an Italian.
/// Nearly every digit in a hash or an id is none of these.
fn may_go_on(text: &Text<'_>, digit: usize) -> bool {
    let before = text.bytes.get(..digit).unwrap_or_default();
    let letters = before.iter().rev().take(7).take_while(|byte| is_word(**byte)).count();
    matches!(letters, 1 | 2 | 6)
}

/// What the number that begins here is.
fn classify(text: &Text<'_>, digit: usize, groups: &Groups) -> Option<(Range<usize>, DataKind)> {
    let lettered =
        || national::find_lettered(text, digit).map(|range| (range, DataKind::NationalId));
    if !text.starts_at(digit) {
        return lettered();
    }
    card::find(text, groups)
        .map(|range| (range, DataKind::CreditCard))
        .or_else(lettered)
        .or_else(|| ip::find_v4(text, digit).map(|range| (range, DataKind::IpAddress)))
        .or_else(|| national::find(text, groups).map(|range| (range, DataKind::NationalId)))
        .or_else(|| phone::find(text, digit, groups).map(|range| (range, DataKind::Phone)))
}

/// Leaves one finding where several overlap: the one whose kind comes first, else the
/// longest, else the first.
fn settle(found: &mut Vec<Finding>) {
    if found.len() < 2 {
        return;
    }
    found.sort_by(|one, other| {
        let rank =
            |it: &Finding| (it.kind.precedence(), usize::MAX - it.range.len(), it.range.start);
        rank(one).cmp(&rank(other)).then_with(|| one.kind.cmp(&other.kind))
    });
    let mut kept = std::collections::BTreeMap::<usize, usize>::new();
    found.retain(|finding| {
        let Range { start, end } = finding.range;
        let is_free = kept.range(..end).next_back().is_none_or(|(_, other)| *other <= start);
        if is_free {
            kept.insert(start, end);
        }
        is_free
    });
    found.sort_by_key(|finding| finding.range.start);
}

#[cfg(test)]
#[path = "detector_tests.rs"]
mod tests;
