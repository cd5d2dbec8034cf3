//! Telephone numbers: with `+` anywhere; in a country's own form where the form is
//! unmistakable or a word before it says what it is.

use std::{ops::Range, sync::LazyLock};

use aho_corasick::{AhoCorasick, AhoCorasickKind};

use super::{
    country::{code_length, is_nanp},
    numbers::Groups,
    text::{Text, is_word, separator},
};

const DIGITS_MIN: usize = 8;
const DIGITS_MAX: usize = 15;
const WORDS: [&str; 39] = [
    "tel",
    "tél",
    "phone",
    "mobil",
    "móvil",
    "movil",
    "handy",
    "cell",
    "call",
    "fax",
    "whatsapp",
    "sms",
    "rufnummer",
    "ruf ",
    "anruf",
    "appel",
    "joindre",
    "portable",
    "llam",
    "llám",
    "chiam",
    "komórk",
    "zadzwo",
    "dzwoń",
    "numer tel",
    "hotline",
    "durchwahl",
    "signal",
    "bel ",
    "bellen",
    "ring ",
    "reach me",
    "reach us",
    "contato",
    "ligue",
    "電話",
    "TÉL",
    "MÓVIL",
    "LLÁM",
];

static FINDER: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    let kind = Some(AhoCorasickKind::DFA);
    AhoCorasick::builder().ascii_case_insensitive(true).kind(kind).build(WORDS).ok()
});

/// A number as it was read: digits, and how they are grouped.
struct Read {
    digits: Vec<u32>,
    /// Where each group ends: in the text, and in the digits.
    ends: Vec<(usize, usize)>,
    /// What joins the groups; `(` and `)` where there is one.
    joints: Vec<u8>,
}

/// A number whose first digit is at `digit`.
pub(super) fn find(text: &Text<'_>, digit: usize, groups: &Groups) -> Option<Range<usize>> {
    let mut start = digit;
    if text.before(start) == b'(' {
        start -= 1;
    }
    let has_plus = text.before(start) == b'+';
    if has_plus {
        start -= 1;
    }
    let before = text.before(start);
    if is_word(before)
        || matches!(before, b'+' | b'.')
        || before == b'-' && is_word(text.at(start.wrapping_sub(2)))
    {
        return None;
    }
    // The tail of a longer number is none of its own.
    let is_tail = follows_digits(text, start);
    if is_tail && !has_plus {
        return None;
    }
    let is_marked = has_plus || start < digit || text.at(digit) == b'0';
    if !is_marked && !may_be(text, start, groups) {
        return None;
    }
    let read = read(text, digit, start < digit && text.at(digit - 1) == b'(');
    let end = if has_plus {
        international(&read, 0)
    } else if matches!(read.digits.as_slice(), [0, 0, 1..=9, ..]) && read.ends.len() > 1 {
        international(&read, 2)
    } else {
        national(text, start, &read)
    }?;
    let is_cut = is_word(text.at(end))
        || matches!(text.at(end), b'.' | b',' | b'-' | b'/' | b':')
            && text.at(end + 1).is_ascii_digit();
    (!is_cut).then_some(start..end)
}

/// Whether a number without any mark could be one, before it is read: most cannot.
fn may_be(text: &Text<'_>, start: usize, groups: &Groups) -> bool {
    groups.digits() >= DIGITS_MIN
        && (groups.shaped(text, &[3, 3, 4]).is_some() || follows_word(text, start))
}

fn follows_word(text: &Text<'_>, start: usize) -> bool {
    FINDER.as_ref().is_some_and(|finder| text.follows(start, finder))
}

/// Whether digits stand one separator before a place.
fn follows_digits(text: &Text<'_>, start: usize) -> bool {
    let is_joint = |length: usize| {
        let from = start.checked_sub(length)?;
        let (_, found) = separator(text.bytes.get(from..start)?)?;
        (found == length && text.before(from).is_ascii_digit()).then_some(())
    };
    (1..=3).any(|length| is_joint(length).is_some())
}

/// Reads digits and what may stand between them.
fn read(text: &Text<'_>, from: usize, mut is_open: bool) -> Read {
    let mut read = Read { digits: Vec::new(), ends: Vec::new(), joints: Vec::new() };
    let mut at = from;
    loop {
        let first = at;
        while text.at(at).is_ascii_digit() && read.digits.len() <= DIGITS_MAX + 2 {
            read.digits.push(u32::from(text.at(at) - b'0'));
            at += 1;
        }
        if at == first || text.at(at).is_ascii_digit() {
            break;
        }
        read.ends.push((at, read.digits.len()));
        let mut joint = 0;
        // One separator, and brackets: `) `, ` (`, `-(`.
        for _ in 0..3 {
            match text.at(at) {
                b')' if is_open => (is_open, joint, at) = (false, b')', at + 1),
                b'(' if !is_open && joint != b')' => (is_open, joint, at) = (true, b'(', at + 1),
                _ => {
                    let found = text.bytes.get(at..).and_then(separator);
                    let Some((byte, length)) =
                        found.filter(|_| joint == 0 || matches!(joint, b'(' | b')'))
                    else {
                        break;
                    };
                    if joint == 0 {
                        joint = byte;
                    }
                    at += length;
                }
            }
        }
        if joint == 0 || !text.at(at).is_ascii_digit() {
            break;
        }
        read.joints.push(joint);
    }
    read
}

impl Read {
    /// The lengths of the groups.
    fn lengths(&self) -> Vec<usize> {
        let mut before = 0;
        let length = |(_, end): &(usize, usize)| {
            let length = end - before;
            before = *end;
            length
        };
        self.ends.iter().map(length).collect()
    }

    fn joined_alike(&self, joints: &[u8]) -> bool {
        let mut all = self.joints.iter();
        let Some(first) = all.next() else { return false };
        joints.contains(first) && all.all(|joint| joint == first)
    }
}

/// Where a number ends that begins with a country's code, `skip` digits after its start.
fn international(read: &Read, skip: usize) -> Option<usize> {
    let digits = read.digits.get(skip..)?;
    code_length(digits)?;
    let is_american = digits.first() == Some(&1);
    if is_american && !digits.get(1..11).is_some_and(is_nanp) {
        return None;
    }
    let fits = |count: usize| {
        let count = count - skip.min(count);
        if is_american { count == 11 } else { (DIGITS_MIN..=DIGITS_MAX).contains(&count) }
    };
    // What follows a number after a space may be something else: whole groups only.
    let ends = read.ends.iter().rev();
    ends.map(|(end, count)| (*end, *count)).find(|(_, count)| fits(*count)).map(|(end, _)| end)
}

fn national(text: &Text<'_>, start: usize, read: &Read) -> Option<usize> {
    let (end, _) = read.ends.last().copied()?;
    if is_unmistakable(read) {
        return Some(end);
    }
    // A path or a year says that it is something else.
    let is_year = read.lengths().first() == Some(&4)
        && matches!(read.digits.as_slice(), [1, 9, ..] | [2, 0, ..]);
    let is_other =
        is_year || matches!(text.before(start), b'/' | b'#') || read.joints.contains(&b'.');
    let mut ends = read.ends.iter().rev();
    let (end, _) = ends.find(|(_, count)| (9..=12).contains(count)).filter(|_| !is_other)?;
    follows_word(text, start).then_some(*end)
}

/// Forms that hardly anything else has.
fn is_unmistakable(read: &Read) -> bool {
    let lengths = read.lengths();
    let digits = read.digits.as_slice();
    let has_trunk = matches!(digits, [0, 1..=9, ..]);
    match lengths.as_slice() {
        // (212) 555-0123, 212-555-0123, 212.555.0123
        [3, 3, 4] if is_nanp(digits) => {
            read.joints.first() == Some(&b')') || read.joined_alike(b"-.")
        }
        // 06 12 34 56 78
        [2, 2, 2, 2, 2] => has_trunk && read.joined_alike(b" .-"),
        // 020 7946 0958
        [3, 4, 4] => has_trunk && (read.joined_alike(b" -") || read.joints.first() == Some(&b')')),
        // (030) 1234567, 030/1234567
        [2..=5, 4..=8] => {
            has_trunk
                && digits.len() >= 9
                && matches!(read.joints.as_slice(), [b')' | b'/' | b' ' | b'-'])
                && (lengths.first() > Some(&2) || digits.len() == 10)
        }
        // 0151 234 56789, 01632 960 001
        [3..=5, 2..=4, 2..=5] => {
            has_trunk && (10..=12).contains(&digits.len()) && read.joined_alike(b" -")
        }
        // 030 12 34 56 78
        [3..=5, 2..=3, 2..=3, 2..=3] | [3..=4, 2, 2, 2, 2] => {
            has_trunk && (9..=12).contains(&digits.len()) && read.joined_alike(b" ")
        }
        _ => false,
    }
}
