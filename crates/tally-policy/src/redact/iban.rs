//! Bank accounts: the country's length and the check digits of ISO 13616.

use std::ops::Range;

use super::text::{Text, is_word, separator};

/// Countries and the lengths of their accounts.
const LENGTHS: [(&[u8; 2], usize); 80] = [
    (b"AD", 24),
    (b"AE", 23),
    (b"AL", 28),
    (b"AT", 20),
    (b"AZ", 28),
    (b"BA", 20),
    (b"BE", 16),
    (b"BG", 22),
    (b"BH", 22),
    (b"BR", 29),
    (b"BY", 28),
    (b"CH", 21),
    (b"CR", 22),
    (b"CY", 28),
    (b"CZ", 24),
    (b"DE", 22),
    (b"DJ", 27),
    (b"DK", 18),
    (b"DO", 28),
    (b"EE", 20),
    (b"EG", 29),
    (b"ES", 24),
    (b"FI", 18),
    (b"FK", 18),
    (b"FO", 18),
    (b"FR", 27),
    (b"GB", 22),
    (b"GE", 22),
    (b"GI", 23),
    (b"GL", 18),
    (b"GR", 27),
    (b"GT", 28),
    (b"HR", 21),
    (b"HU", 28),
    (b"IE", 22),
    (b"IL", 23),
    (b"IQ", 23),
    (b"IS", 26),
    (b"IT", 27),
    (b"JO", 30),
    (b"KW", 30),
    (b"KZ", 20),
    (b"LB", 28),
    (b"LC", 32),
    (b"LI", 21),
    (b"LT", 20),
    (b"LU", 20),
    (b"LV", 21),
    (b"LY", 25),
    (b"MC", 27),
    (b"MD", 24),
    (b"ME", 22),
    (b"MK", 19),
    (b"MN", 20),
    (b"MR", 27),
    (b"MT", 31),
    (b"MU", 30),
    (b"NI", 28),
    (b"NL", 18),
    (b"NO", 15),
    (b"OM", 23),
    (b"PK", 24),
    (b"PL", 28),
    (b"PS", 29),
    (b"PT", 25),
    (b"QA", 29),
    (b"RO", 24),
    (b"RS", 22),
    (b"RU", 33),
    (b"SA", 24),
    (b"SC", 31),
    (b"SD", 18),
    (b"SE", 24),
    (b"SI", 19),
    (b"SK", 24),
    (b"SM", 27),
    (b"SO", 23),
    (b"ST", 25),
    (b"SV", 28),
    (b"TN", 24),
];
const MORE_LENGTHS: [(&[u8; 2], usize); 4] = [(b"TR", 26), (b"UA", 29), (b"VA", 22), (b"XK", 20)];

/// What stands where an account could.
pub(super) enum Account {
    Valid(Range<usize>),
    /// Formed as one, with other check digits: its parts are nothing else either.
    Invalid(usize),
}

/// Looks for an account whose check digits are at `digit`.
pub(super) fn find(text: &Text<'_>, digit: usize) -> Option<Account> {
    // The country may stand apart: `DE 89 3704 …`.
    let gap = usize::from(text.before(digit) == b' ');
    let start = digit.checked_sub(2 + gap)?;
    let country = [text.at(start).to_ascii_uppercase(), text.at(start + 1).to_ascii_uppercase()];
    if !country.iter().all(u8::is_ascii_uppercase) {
        return None;
    }
    let known = LENGTHS.iter().chain(&MORE_LENGTHS).find(|(code, _)| **code == country)?;
    if !text.starts_at(start) {
        return None;
    }
    let mut characters = country.to_vec();
    let mut at = digit;
    let mut is_grouped = gap == 0;
    while characters.len() < known.1 {
        let byte = text.at(at);
        if !byte.is_ascii_alphanumeric() {
            let (_, length) = text.bytes.get(at..).and_then(separator)?;
            at += length;
            is_grouped &= characters.len().is_multiple_of(4);
            if !text.at(at).is_ascii_alphanumeric() {
                return None;
            }
            continue;
        }
        characters.push(byte.to_ascii_uppercase());
        at += 1;
    }
    if is_word(text.at(at)) {
        return None;
    }
    if passes_check(&characters) {
        return Some(Account::Valid(start..at));
    }
    is_grouped.then_some(Account::Invalid(at))
}

/// ISO 7064, modulo 97.
fn passes_check(characters: &[u8]) -> bool {
    let (front, rest) = characters.split_at(4.min(characters.len()));
    let remainder = rest.iter().chain(front).fold(0_u32, |sum, byte| match byte {
        b'0'..=b'9' => (sum * 10 + u32::from(byte - b'0')) % 97,
        _ => (sum * 100 + u32::from(byte.saturating_sub(b'A')) + 10) % 97,
    });
    remainder == 1
}
