//! Numbers that a state gave a person: each in its own form, with its check digit where it
//! has one, and only after a word that says so where its form is nothing special.

use std::ops::Range;

use super::{
    numbers::{Group, Groups, digits, joined_by, passes_luhn, value, weighted},
    text::{Text, is_word},
};

const SPANISH_LETTERS: &[u8; 23] = b"TRWAGMYFPDXBNJZSQVHLCKE";
const FINNISH_LETTERS: &[u8; 31] = b"0123456789ABCDEFHJKLMNPRSTUVWXY";

/// Whether groups of digits, of the right lengths, are a number of some country.
type Check = fn(&Text<'_>, &[Group]) -> bool;

/// How numbers of digits only are grouped, and what tells that they are one.
const KNOWN: [(&[usize], Check); 21] = [
    (&[3, 2, 4], is_us_ssn),
    (&[9], is_us_ssn),
    (&[2, 3, 3, 3], is_german_tax),
    (&[11], is_german_tax),
    (&[1, 2, 2, 2, 3, 3, 2], is_french),
    (&[1, 2, 2, 2, 3, 3], is_french),
    (&[15], is_french),
    (&[6, 4], is_swedish),
    (&[8, 4], is_swedish),
    (&[3, 4, 4, 2], is_swiss),
    (&[2, 2, 2, 3, 2], is_belgian),
    (&[3, 3, 3, 2], is_brazilian),
    (&[6, 5], is_norwegian),
    (&[11], is_norwegian),
    (&[11], is_polish),
    (&[9], is_dutch),
    (&[4, 2, 3], is_dutch),
    (&[3, 3, 3], is_dutch),
    (&[9], is_portuguese),
    (&[3, 3, 3], is_portuguese),
    (&[3, 3, 3], is_canadian),
];

/// A number of digits only, which begins with the first of the groups.
pub(super) fn find(text: &Text<'_>, groups: &Groups) -> Option<Range<usize>> {
    // With a plus it is a telephone number.
    if text.before(groups.first().start) == b'+' {
        return None;
    }
    let found = KNOWN.iter().find_map(|(shape, check)| {
        groups.shaped(text, shape).filter(|groups| check(text, groups))
    })?;
    Some(start(found)..found.last()?.end)
}

/// `111.444.777-35`
fn ends_with_dash(groups: &[Group]) -> bool {
    let joints: Vec<u8> = groups.iter().map(|group| group.joint).collect();
    joints.starts_with(b"..-")
}

fn start(groups: &[Group]) -> usize {
    groups.first().map_or(0, |group| group.start)
}

fn is_us_ssn(text: &Text<'_>, groups: &[Group]) -> bool {
    let number = value(&digits(text, groups));
    if !joined_by(groups, b"- ") {
        return false;
    }
    let (area, group, serial) = (number / 1_000_000, number / 10_000 % 100, number % 10_000);
    let is_given = !matches!(area, 0 | 666 | 900..) && group != 0 && serial != 0;
    // Dashes make it one; spaces, or nothing, need a word.
    let has_dashes = groups.first().is_some_and(|group| group.joint == b'-') && groups.len() > 1;
    is_given
        && (has_dashes
            || text
                .follows_any(start(groups), &["ssn", "social security", "social sec", "taxpayer"]))
}

/// Of the first ten digits exactly one is repeated, two or three times; ISO 7064 check.
fn is_german_tax(text: &Text<'_>, groups: &[Group]) -> bool {
    let digits = digits(text, groups);
    let [front @ .., check] = digits.as_slice() else { return false };
    if !joined_by(groups, b" ") || front.len() != 10 || front.first() == Some(&0) {
        return false;
    }
    let mut counts = [0_u32; 10];
    for digit in front {
        if let Some(count) = usize::try_from(*digit).ok().and_then(|digit| counts.get_mut(digit)) {
            *count += 1;
        }
    }
    let repeated = counts.iter().filter(|count| **count > 1).count();
    let most = counts.iter().max().copied().unwrap_or(0);
    let product = front.iter().fold(10, |product, digit| {
        let sum = (digit + product) % 10;
        (if sum == 0 { 10 } else { sum }) * 2 % 11
    });
    repeated == 1 && most <= 3 && (11 - product) % 10 == *check
}

/// Sex, year, month, department, commune, order, and a key modulo 97; without the key only
/// where it is grouped as people write it.
fn is_french(text: &Text<'_>, groups: &[Group]) -> bool {
    let digits = digits(text, groups);
    let month = digits.get(3..5).map_or(0, value);
    let is_person = joined_by(groups, b" ")
        && matches!(digits.first(), Some(1 | 2))
        && (1..=12).contains(&month);
    match digits.len() {
        15 => {
            let (number, key) = digits.split_at(13);
            is_person && 97 - value(number) % 97 == value(key)
        }
        13 => is_person,
        _ => false,
    }
}

/// `YYMMDD-NNNN`, or with the century; Luhn over the last ten digits.
fn is_swedish(text: &Text<'_>, groups: &[Group]) -> bool {
    let digits = digits(text, groups);
    let last_ten = digits.get(digits.len().saturating_sub(10)..).unwrap_or_default();
    joined_by(groups, b"-") && is_date(last_ten, 2, 4) && passes_luhn(last_ten)
}

fn is_swiss(text: &Text<'_>, groups: &[Group]) -> bool {
    let digits = digits(text, groups);
    let front = digits.get(..12).unwrap_or_default();
    let sum = weighted(front, &[1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3]);
    joined_by(groups, b".-")
        && digits.starts_with(&[7, 5, 6])
        && digits.last() == Some(&((10 - sum % 10) % 10))
}

fn is_belgian(text: &Text<'_>, groups: &[Group]) -> bool {
    let digits = digits(text, groups);
    let (Some(number), Some(check)) = (digits.get(..9), digits.get(9..11)) else { return false };
    let (number, check) = (value(number), value(check));
    digits.len() == 11 && [number, 2_000_000_000 + number].iter().any(|it| 97 - it % 97 == check)
}

fn is_brazilian(text: &Text<'_>, groups: &[Group]) -> bool {
    let digits = digits(text, groups);
    let is_varied = digits.windows(2).any(|pair| pair.first() != pair.last());
    let check = |count: u32| {
        let weights: Vec<u32> = (2..=count + 1).rev().collect();
        (weighted(&digits, &weights) * 10 % 11) % 10
    };
    ends_with_dash(groups)
        && digits.len() == 11
        && is_varied
        && digits.get(9..) == Some(&[check(9), check(10)])
}

/// `DDMMYYNNNCC` with two check digits.
fn is_norwegian(text: &Text<'_>, groups: &[Group]) -> bool {
    let digits = digits(text, groups);
    digits.len() == 11
        && is_date(&digits, 2, 0)
        && weighted(&digits, &[3, 7, 6, 1, 8, 9, 4, 5, 2, 1]).is_multiple_of(11)
        && weighted(&digits, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1]).is_multiple_of(11)
}

fn is_polish(text: &Text<'_>, groups: &[Group]) -> bool {
    let sum = weighted(&digits(text, groups), &[1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]);
    sum.is_multiple_of(10) && text.follows_any(start(groups), &["pesel"])
}

fn is_dutch(text: &Text<'_>, groups: &[Group]) -> bool {
    let digits = digits(text, groups);
    let positive = weighted(&digits, &[9, 8, 7, 6, 5, 4, 3, 2]);
    text.follows_any(start(groups), &["bsn", "burgerservice", "sofinummer"])
        && positive % 11 == digits.last().copied().unwrap_or(0) % 11
        && positive > 0
}

fn is_portuguese(text: &Text<'_>, groups: &[Group]) -> bool {
    let digits = digits(text, groups);
    let rest = 11 - weighted(&digits, &[9, 8, 7, 6, 5, 4, 3, 2]) % 11;
    digits.last() == Some(&(if rest > 9 { 0 } else { rest }))
        && text.follows_any(start(groups), &["nif", "contribuinte"])
}

fn is_canadian(text: &Text<'_>, groups: &[Group]) -> bool {
    passes_luhn(&digits(text, groups))
        && text.follows_any(start(groups), &["social insurance", "sin ", "sin:"])
}

/// Whether the digits hold a month and a day at these places.
fn is_date(digits: &[u32], month: usize, day: usize) -> bool {
    let two = |at: usize| digits.get(at..at + 2).map_or(0, value);
    (1..=12).contains(&two(month)) && (1..=31).contains(&two(day))
}

/// A number with letters in it, whose first digit is at `digit`.
pub(super) fn find_lettered(text: &Text<'_>, digit: usize) -> Option<Range<usize>> {
    british(text, digit)
        .or_else(|| spanish(text, digit))
        .or_else(|| italian(text, digit))
        .or_else(|| finnish(text, digit))
}

/// `AB 12 34 56 C`
fn british(text: &Text<'_>, digit: usize) -> Option<Range<usize>> {
    let gap = usize::from(text.before(digit) == b' ');
    let start = digit.checked_sub(2 + gap)?;
    let letters = text.slice(start, start + 2);
    let [first, second] = letters.as_bytes() else { return None };
    let is_prefix = first.is_ascii_uppercase()
        && second.is_ascii_uppercase()
        && !b"DFIQUV".contains(first)
        && !b"DFIQUVO".contains(second)
        && !["BG", "GB", "NK", "KN", "TN", "NT", "ZZ"].contains(&letters);
    if !is_prefix || !text.starts_at(start) {
        return None;
    }
    let mut at = digit;
    for index in 0..6 {
        if gap == 1 && index > 0 && index % 2 == 0 && text.at(at) == b' ' {
            at += 1;
        }
        if !text.at(at).is_ascii_digit() {
            return None;
        }
        at += 1;
    }
    if text.at(at) == b' ' && matches!(text.at(at + 1), b'A'..=b'D') {
        at += 1;
    }
    (matches!(text.at(at), b'A'..=b'D') && text.ends_at(at + 1)).then_some(start..at + 1)
}

/// `12345678Z`, and `X1234567L` for residents.
fn spanish(text: &Text<'_>, digit: usize) -> Option<Range<usize>> {
    let resident = match text.before(digit) {
        letter @ b'X'..=b'Z' => Some(u64::from(letter - b'X')),
        _ => None,
    };
    let length = if resident.is_some() { 7 } else { 8 };
    let start = digit - usize::from(resident.is_some());
    let number: u64 = text.slice(digit, digit + length).parse().ok()?;
    let number = number + resident.unwrap_or(0) * 10_000_000;
    let end = digit + length;
    let end = end + usize::from(text.at(end) == b'-');
    let letter = SPANISH_LETTERS.get(usize::try_from(number % 23).ok()?)?;
    (text.at(end) == *letter && text.starts_at(start) && text.ends_at(end + 1))
        .then_some(start..end + 1)
}

/// `RSSMRA85T10A562S`
fn italian(text: &Text<'_>, digit: usize) -> Option<Range<usize>> {
    let start = digit.checked_sub(6)?;
    let code = text.bytes.get(start..start + 16)?;
    let is_shaped = code.iter().zip(b"AAAAAA00A00A000A").all(|(byte, shape)| match shape {
        b'A' => byte.is_ascii_alphabetic(),
        // A digit may be a letter, where two people would have the same code.
        _ => byte.is_ascii_digit() || b"LMNPQRSTUV".contains(&byte.to_ascii_uppercase()),
    });
    if !is_shaped || !text.starts_at(start) || is_word(text.at(start + 16)) {
        return None;
    }
    let sum: u32 =
        code.iter().take(15).enumerate().map(|(index, byte)| italian_value(index, *byte)).sum();
    let check = code.last()?.to_ascii_uppercase();
    (u32::from(check - b'A') == sum % 26).then_some(start..start + 16)
}

fn italian_value(index: usize, byte: u8) -> u32 {
    const ODD: [u32; 26] = [
        1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24,
        23,
    ];
    let byte = byte.to_ascii_uppercase();
    let plain = if byte.is_ascii_digit() { byte - b'0' } else { byte.wrapping_sub(b'A') };
    // Places are counted from one.
    if index % 2 == 1 {
        return u32::from(plain);
    }
    ODD.get(usize::from(plain)).copied().unwrap_or(0)
}

/// `131052-308T`
fn finnish(text: &Text<'_>, digit: usize) -> Option<Range<usize>> {
    let code = text.bytes.get(digit..digit + 11)?;
    let (Some(date), Some(serial)) = (code.get(..6), code.get(7..10)) else { return None };
    let is_shaped = date.iter().chain(serial).all(u8::is_ascii_digit)
        && matches!(code.get(6), Some(b'-' | b'+' | b'A'));
    let read: Vec<u32> =
        date.iter().chain(serial).map(|byte| u32::from(byte.wrapping_sub(b'0'))).collect();
    if !is_shaped || !is_date(&read, 2, 0) || !text.starts_at(digit) || !text.ends_at(digit + 11) {
        return None;
    }
    let check = FINNISH_LETTERS.get(usize::try_from(value(&read) % 31).ok()?)?;
    (code.last() == Some(check)).then_some(digit..digit + 11)
}
