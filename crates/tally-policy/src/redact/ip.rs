//! Addresses of machines, versions 4 and 6.
//!
//! Loopback, unspecified and broadcast addresses and masks say nothing about anybody and
//! stay. Four small numbers with dots are a version until something says otherwise.

use std::{
    net::{Ipv4Addr, Ipv6Addr},
    ops::Range,
};

use super::{
    numbers::end_of_digits,
    text::{Text, is_word},
};

const VERSION_WORDS: [&str; 12] = [
    "version", "ver.", "release", "build", "upgrade", "rev.", "revision", "firmware", "driver",
    "section", "chapter", "§",
];
const ADDRESS_WORDS: [&str; 20] = [
    "ip", "host", "addr", "server", "from", "client", "dns", "gateway", "ping", "inet", "remote",
    "peer", "proxy", "router", "subnet", "node", "endpoint", "ssh", "listen", "adres",
];

/// An address of version 4 that begins with a digit.
pub(super) fn find_v4(text: &Text<'_>, start: usize) -> Option<Range<usize>> {
    let mut ends = [start; 4];
    let mut at = start;
    for (index, place) in ends.iter_mut().enumerate() {
        if index > 0 && text.before(at) != b'.' {
            return None;
        }
        *place = end_of_digits(text, at);
        if !(1..=3).contains(&(*place - at)) {
            return None;
        }
        at = *place + 1;
    }
    let end = ends.last().copied()?;
    let address: Ipv4Addr = text.slice(start, end).parse().ok()?;
    let octets = address.octets();
    let goes_on = text.at(end) == b'.' && text.at(end + 1).is_ascii_alphanumeric()
        || matches!(text.at(end), b'-' | b'+') && text.at(end + 1).is_ascii_alphanumeric()
        || is_word(text.at(end));
    let is_plain =
        address.is_loopback() || address.is_unspecified() || matches!(octets, [255, 255, ..]);
    (!goes_on && !is_plain && !is_version(text, start, end, octets)).then_some(start..end)
}

fn is_version(text: &Text<'_>, start: usize, end: usize, octets: [u8; 4]) -> bool {
    let before = text.before(start);
    let is_bound = is_word(before)
        || matches!(before, b'.' | b'-' | b'^' | b'~')
        || before == b'='
            && matches!(text.at(start.wrapping_sub(2)), b'=' | b'>' | b'<' | b'~' | b'!');
    if is_bound {
        return true;
    }
    let context = text.context(start);
    let near = context.get(context.len().saturating_sub(18)..).unwrap_or(&context);
    if VERSION_WORDS.iter().any(|word| near.contains(word)) {
        return true;
    }
    let is_small = octets.iter().all(|octet| *octet <= 40) && !matches!(octets, [10, ..]);
    let has_port = matches!(text.at(end), b':' | b'/') && text.at(end + 1).is_ascii_digit();
    is_small && !has_port && !ADDRESS_WORDS.iter().any(|word| context.contains(word))
}

/// Addresses of version 6.
pub(super) fn find_v6(text: &Text<'_>, found: &mut Vec<Range<usize>>) {
    let is_part = |byte: &u8| byte.is_ascii_hexdigit() || *byte == b':';
    let mut from = 0;
    for colon in memchr::memchr_iter(b':', text.bytes) {
        if colon < from {
            continue;
        }
        // The first group of every address that says something has four digits.
        let Some(start) = colon.checked_sub(4).filter(|start| *start >= from) else { continue };
        let rest = text.bytes.get(start..).unwrap_or_default();
        let run = rest.iter().position(|byte| !is_part(byte)).unwrap_or(rest.len());
        if run < 6 || !text.starts_at(start) || matches!(text.before(start), b':' | b'.') {
            continue;
        }
        let end = start + run;
        let end = if text.before(end) == b':' && text.at(end - 2) != b':' { end - 1 } else { end };
        if is_v6(text.slice(start, end)) && !is_word(text.at(end)) {
            found.push(start..end);
            from = end;
        }
    }
}

fn is_v6(word: &str) -> bool {
    let Ok(address) = word.parse::<Ipv6Addr>() else { return false };
    let first = address.segments().first().copied().unwrap_or(0);
    let is_told = matches!(first >> 12, 2 | 3)
        || matches!(first >> 8, 0xfc | 0xfd)
        || (first & 0xffc0) == 0xfe80;
    is_told && word.bytes().any(|byte| byte.is_ascii_digit())
}
