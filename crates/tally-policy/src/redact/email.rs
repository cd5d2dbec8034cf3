//! E-mail addresses.

use std::ops::Range;

use super::text::Text;

/// Endings of file names that follow an `@` in names of images and packages.
const NO_DOMAINS: [&str; 16] = [
    "png", "jpg", "jpeg", "gif", "svg", "webp", "ico", "js", "mjs", "css", "json", "html", "toml",
    "yaml", "yml", "lock",
];
const LOCAL_BYTES_MAX: usize = 64;

pub(super) fn find_all(text: &Text<'_>, found: &mut Vec<Range<usize>>) {
    let mut from = 0;
    for at in memchr::memchr_iter(b'@', text.bytes) {
        let address = find(text, at).filter(|range| range.start >= from);
        if let Some(range) = address {
            from = range.end;
            found.push(range);
        }
    }
}

fn find(text: &Text<'_>, at: usize) -> Option<Range<usize>> {
    let start = local_start(text, at)?;
    let end = domain_end(text, at + 1)?;
    let is_remote = text.slice(start, at) == "git" && matches!(text.at(end), b':' | b'/');
    (!is_remote).then_some(start..end)
}

/// Letters of the scripts that write addresses with them; others stand beside an address
/// without a space.
fn is_letter(character: char) -> bool {
    character.is_ascii_alphanumeric() || ('\u{c0}'..='\u{24f}').contains(&character)
}

fn local_start(text: &Text<'_>, at: usize) -> Option<usize> {
    let is_part = |character: &char| {
        is_letter(*character) || matches!(character, '.' | '_' | '%' | '+' | '-' | '\'' | '&' | '~')
    };
    let before = text.text.get(..at)?;
    let length: usize = before.chars().rev().take_while(is_part).map(char::len_utf8).sum();
    let local = before.get(at - length..)?;
    // Punctuation before an address is none of it.
    let local = local.trim_start_matches(['.', '\'', '-', '&', '~', '%', '+']);
    let is_whole = !local.is_empty() && !local.ends_with('.') && local.len() <= LOCAL_BYTES_MAX;
    is_whole.then_some(at - local.len())
}

fn domain_end(text: &Text<'_>, from: usize) -> Option<usize> {
    let rest = text.text.get(from..)?;
    let is_part = |character: &char| is_letter(*character) || matches!(character, '.' | '-');
    let length: usize = rest.chars().take_while(is_part).map(char::len_utf8).sum();
    let domain = rest.get(..length)?.trim_end_matches(['.', '-']);
    let (_, ending) = domain.rsplit_once('.')?;
    let is_ending = ending.chars().count() >= 2
        && (ending.chars().all(|it| is_letter(it) && !it.is_ascii_digit())
            || ending.starts_with("xn--"));
    let are_labels = domain
        .split('.')
        .all(|label| !label.is_empty() && !label.starts_with('-') && !label.ends_with('-'));
    let is_file = NO_DOMAINS.contains(&ending.to_ascii_lowercase().as_str());
    // `decorator@module.function(` is code.
    let is_call = text.at(from + domain.len()) == b'(';
    let is_address = is_ending && are_labels && !is_file && !is_call;
    is_address.then_some(from + domain.len())
}
