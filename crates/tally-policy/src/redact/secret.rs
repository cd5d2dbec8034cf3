//! Secrets: keys with a known beginning, private keys, tokens, and what is assigned to a
//! name such as `password`. One pass of one automaton finds where to look closer.

use std::{ops::Range, sync::LazyLock};

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

use super::text::{Text, is_word};

/// How a known key looks: its beginning, how much follows at least, and of what.
struct Known {
    prefix: &'static str,
    rest_min: usize,
    /// Bytes beside letters and digits.
    also: &'static [u8],
}

const fn known(prefix: &'static str, rest_min: usize, also: &'static [u8]) -> Known {
    Known { prefix, rest_min, also }
}

const KNOWN: [Known; 46] = [
    known("sk-ant-", 20, b"-_"),
    known("sk-", 20, b"-_"),
    known("AKIA", 16, b""),
    known("ASIA", 16, b""),
    known("AROA", 16, b""),
    known("AIDA", 16, b""),
    known("ghp_", 36, b""),
    known("gho_", 36, b""),
    known("ghu_", 36, b""),
    known("ghs_", 36, b""),
    known("ghr_", 36, b""),
    known("github_pat_", 22, b"_"),
    known("glpat-", 20, b"-_"),
    known("xoxb-", 10, b"-"),
    known("xoxp-", 10, b"-"),
    known("xoxa-", 10, b"-"),
    known("xoxr-", 10, b"-"),
    known("xoxs-", 10, b"-"),
    known("xapp-", 10, b"-"),
    known("AIza", 35, b"-_"),
    known("ya29.", 20, b"-_"),
    known("GOCSPX-", 20, b"-_"),
    known("sk_live_", 10, b""),
    known("sk_test_", 10, b""),
    known("rk_live_", 10, b""),
    known("rk_test_", 10, b""),
    known("whsec_", 16, b"+/="),
    known("npm_", 36, b""),
    known("pypi-AgE", 40, b"-_"),
    known("hf_", 30, b""),
    known("SG.", 40, b"-_."),
    known("dop_v1_", 40, b""),
    known("shpat_", 32, b""),
    known("lin_api_", 32, b""),
    known("gsk_", 32, b""),
    known("xai-", 40, b""),
    known("pplx-", 32, b""),
    known("r8_", 36, b""),
    known("tally_", 20, b"_"),
    known("AGE-SECRET-KEY-1", 50, b""),
    known("hooks.slack.com/services/", 20, b"/"),
    known("dckr_pat_", 20, b"-_"),
    known("atlasv1.", 40, b"-_"),
    known("hvs.", 20, b"-_"),
    known("sq0csp-", 30, b"-_"),
    known("eyJ", 30, b"-_."),
];

/// Names whose value is a secret, in several languages.
const NAMES: [&str; 22] = [
    "password",
    "passwd",
    "passwort",
    "kennwort",
    "passphrase",
    "contraseña",
    "contrasena",
    "mot de passe",
    "mot_de_passe",
    "hasło",
    "wachtwoord",
    "senha",
    "pwd",
    "secret",
    "token",
    "api_key",
    "api-key",
    "apikey",
    "api key",
    "access_key",
    "accountkey",
    "private_key",
];
/// The first ones are what people choose themselves.
const PASSWORDS: usize = 13;
const BEGIN: &str = "-----BEGIN ";
const ADDRESS: &str = "://";
const SCHEMES: [&str; 2] = ["bearer ", "basic "];
/// How much of a name may stand between a word of it and what is assigned.
const NAME_REST_MAX: usize = 24;
const VALUE_BYTES_MAX: usize = 512;

static FINDER: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    let words =
        KNOWN.iter().map(|known| known.prefix).chain(NAMES).chain([BEGIN, ADDRESS]).chain(SCHEMES);
    AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .match_kind(MatchKind::LeftmostLongest)
        .kind(Some(AhoCorasickKind::DFA))
        .build(words)
        .ok()
});

pub(super) fn find_all(text: &Text<'_>, found: &mut Vec<Range<usize>>) {
    if let Some(range) = named(text) {
        found.push(range);
        return;
    }
    let Some(finder) = FINDER.as_ref() else { return };
    let mut from = 0;
    for word in finder.find_iter(text.text) {
        if word.start() < from {
            continue;
        }
        let which = word.pattern().as_usize();
        let secret = match which.checked_sub(KNOWN.len()) {
            None => KNOWN.get(which).and_then(|known| of_known(text, word.start(), known)),
            Some(name) if name < NAMES.len() => assigned(text, word.range(), name < PASSWORDS),
            Some(name) if name == NAMES.len() => private_key(text, word.start()),
            Some(name) if name == NAMES.len() + 1 => in_address(text, word.end()),
            Some(_) => after_scheme(text, word.range()),
        };
        if let Some(range) = secret {
            from = range.end;
            found.push(range);
        }
    }
}

/// The whole value of a JSON member whose name says that it is a secret.
fn named(text: &Text<'_>) -> Option<Range<usize>> {
    let name = text.name.to_lowercase();
    let which = NAMES.iter().position(|word| name.ends_with(word))?;
    let value = text.text.trim();
    let is_value =
        !value.contains(char::is_whitespace) && is_secret(value, which < PASSWORDS, true);
    let start = text.text.len() - text.text.trim_start().len();
    is_value.then_some(start..start + value.len())
}

fn of_known(text: &Text<'_>, start: usize, known: &Known) -> Option<Range<usize>> {
    let from = start + known.prefix.len();
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || known.also.contains(byte);
    let rest = text.bytes.get(from..)?;
    let length = rest.iter().position(|byte| !is_part(byte)).unwrap_or(rest.len());
    let value = text.slice(from, from + length).trim_end_matches(['.', '-', '/']);
    let end = from + value.len();
    // The finder minds no case, keys do.
    let begins = text.slice(start, from) == known.prefix && !is_joined(text, start);
    let has_digit = value.bytes().any(|byte| byte.is_ascii_digit());
    let has_lower = value.bytes().any(|byte| byte.is_ascii_lowercase());
    let has_upper = value.bytes().any(|byte| byte.is_ascii_uppercase());
    // One random key in hundreds has no digit; words have letters of one case.
    let is_long = value.len() >= known.rest_min
        && (has_digit || has_lower == has_upper || known.prefix.len() == 4 && !has_lower);
    let is_key = match known.prefix {
        "eyJ" => {
            value.split('.').count() >= 2
                && value.split('.').all(|part| part.len() >= 8 || part.is_empty())
        }
        "AKIA" | "ASIA" | "AROA" | "AIDA" => {
            value.len() == 16 && !value.bytes().any(|byte| byte.is_ascii_lowercase())
        }
        // Words with dashes and names with underscores look like this, too.
        "sk-" | "tally_" | "hf_" | "r8_" => is_mixed(value) || is_random_case(value),
        _ => true,
    };
    (begins && is_long && is_key).then_some(start..end)
}

fn is_joined(text: &Text<'_>, start: usize) -> bool {
    let before = text.before(start);
    is_word(before) || before == b'-' && is_word(text.at(start.wrapping_sub(2)))
}

/// Whether a text is more than words: letters of both cases and digits, or all of hex.
fn is_mixed(value: &str) -> bool {
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    let has_lower = value.bytes().any(|byte| byte.is_ascii_lowercase());
    let has_upper = value.bytes().any(|byte| byte.is_ascii_uppercase());
    digits >= 2 && (has_lower && has_upper || digits * 5 >= value.len() && value.len() >= 24)
}

/// Many letters and digits without a break, in both cases: some random ones hold no digit.
fn is_random_case(value: &str) -> bool {
    value.len() >= 32
        && value.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && value.bytes().any(|byte| byte.is_ascii_lowercase())
        && value.bytes().any(|byte| byte.is_ascii_uppercase())
}

/// `-----BEGIN … PRIVATE KEY-----` to its end, or to the text's.
fn private_key(text: &Text<'_>, start: usize) -> Option<Range<usize>> {
    let rest = text.text.get(start..)?;
    let line = rest.lines().next()?;
    let title = line.get(BEGIN.len()..)?.split("-----").next()?;
    if !title.ends_with("PRIVATE KEY") && !title.ends_with("PRIVATE KEY BLOCK") {
        return None;
    }
    let end_mark = format!("-----END {title}-----");
    let end = match rest.find(&end_mark) {
        Some(at) => start + at + end_mark.len(),
        // Broken off: what looks like a key's lines.
        None => start + cut_key(rest),
    };
    // A title alone, as documentation names it, is no key.
    let has_body = end - start > title.len() * 2 + 64;
    has_body.then_some(start..end)
}

fn cut_key(rest: &str) -> usize {
    let is_body = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=-:, \r\n".contains(&byte);
    rest.bytes().position(|byte| !is_body(byte)).unwrap_or(rest.len())
}

/// The password of `scheme://user:password@host`.
fn in_address(text: &Text<'_>, from: usize) -> Option<Range<usize>> {
    let rest = text.bytes.get(from..)?;
    let is_end = |byte: &u8| byte.is_ascii_whitespace() || b"/\"'<>`".contains(byte);
    let length = rest.iter().position(is_end).unwrap_or(rest.len()).min(VALUE_BYTES_MAX);
    let authority = rest.get(..length)?;
    let at = memchr::memrchr(b'@', authority)?;
    let colon = memchr::memchr(b':', authority.get(..at)?)?;
    let password = text.slice(from + colon + 1, from + at);
    let is_value = password.len() >= 3 && !is_stand_in(password);
    is_value.then_some(from + colon + 1..from + at)
}

/// `Bearer …` and `Basic …`, as headers have them.
fn after_scheme(text: &Text<'_>, word: Range<usize>) -> Option<Range<usize>> {
    if !text.starts_at(word.start) {
        return None;
    }
    let rest = text.bytes.get(word.end..)?;
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.~+/=".contains(byte);
    let length = rest.iter().position(|byte| !is_part(byte)).unwrap_or(rest.len());
    let value = text.slice(word.end, word.end + length);
    let is_value = value.len() >= 16 && is_mixed(value) && !is_path(value);
    is_value.then_some(word.end..word.end + length)
}

/// What is assigned to a name that ends in or around the word.
fn assigned(text: &Text<'_>, word: Range<usize>, is_password: bool) -> Option<Range<usize>> {
    let mut at = word.end;
    while at - word.end < NAME_REST_MAX && (is_word(text.at(at)) || text.at(at) == b'-') {
        at += 1;
    }
    at = skip(text, at, b"\"'`]) ");
    let (sign, length) = sign(text, at)?;
    at = skip(text, at + length, b" ");
    let quote = Some(text.at(at)).filter(|byte| b"\"'`".contains(byte));
    at += usize::from(quote.is_some());
    let rest = text.text.get(at..)?;
    let is_end = |character: char| match quote {
        Some(quote) => character == char::from(quote) || character == '\n',
        None => character.is_whitespace() || ",;\"'`<>)]}&|".contains(character),
    };
    let length = rest.find(is_end).unwrap_or(rest.len());
    let value = rest.get(..length)?;
    let value = if quote.is_none() { value.trim_end_matches(['.', '?', ':']) } else { value };
    let is_told = quote.is_some() || sign == b'=';
    let is_value = value.len() <= VALUE_BYTES_MAX && is_secret(value, is_password, is_told);
    is_value.then_some(at..at + value.len())
}

fn skip(text: &Text<'_>, from: usize, bytes: &[u8]) -> usize {
    let rest = text.bytes.get(from..).unwrap_or_default();
    // A few at most: more of them are no assignment.
    from + rest.iter().take(4).position(|byte| !bytes.contains(byte)).unwrap_or(4.min(rest.len()))
}

/// `=`, `:`, `:=`, `=>`, or the words `is` and their like; none for comparisons.
fn sign(text: &Text<'_>, at: usize) -> Option<(u8, usize)> {
    match (text.at(at), text.at(at + 1)) {
        (b'=', b'=' | b'~') | (b':', b':') => None,
        (b':', b'=') | (b'=', b'>') => Some((b'=', 2)),
        (sign @ (b'=' | b':'), _) => Some((sign, 1)),
        _ => {
            let words = ["is ", "ist ", "es ", "est ", "lautet ", "è ", "to "];
            let rest = text.text.get(at..)?;
            words.iter().find(|word| rest.starts_with(**word)).map(|word| (b':', word.len()))
        }
    }
}

/// Whether a value is a secret rather than a name, a type, a call or a stand-in.
fn is_secret(value: &str, is_password: bool, is_told: bool) -> bool {
    let long_enough = if is_password { value.len() >= 6 } else { value.len() >= 12 };
    if !long_enough || value.contains(' ') || is_stand_in(value) || is_code(value) || is_path(value)
    {
        return false;
    }
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    let letters = value.bytes().filter(u8::is_ascii_alphabetic).count();
    let special = value.len() - digits - letters;
    if is_password {
        return (digits > 0 || is_told && special > 0 && letters > 0)
            && digits + special < value.len();
    }
    is_mixed(value) || digits >= 4 && letters >= 4 && entropy_is_high(value)
}

/// What people write where a secret belongs.
fn is_stand_in(value: &str) -> bool {
    let is_masked =
        value.bytes().filter(|byte| b"*.xX#_-".contains(byte)).count() * 2 > value.len();
    let first = value.bytes().next().unwrap_or(0);
    let lower = value.to_ascii_lowercase();
    let words = ["example", "placeholder", "your-", "your_", "changeme", "redacted", "dummy"];
    is_masked
        || b"$<{[%@(".contains(&first)
        || words.iter().any(|word| lower.contains(word))
        || value.contains("${")
        || value.contains("{{")
}

/// Names, calls and paths of programs: `config.api_key_v2`, `getenv("X")`, `usize`.
fn is_code(value: &str) -> bool {
    let is_call =
        value.contains(['(', '{', '<', '[']) || value.contains("::") || value.contains("->");
    let parts = || value.split('.');
    let is_name = |part: &str| {
        part.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
            && part.bytes().all(is_word)
    };
    let is_dotted = parts().count() > 1 && parts().all(is_name);
    let is_snake = value.contains('_')
        && is_name(value)
        && (!value.bytes().any(|byte| byte.is_ascii_uppercase())
            || !value.bytes().any(|byte| byte.is_ascii_lowercase()));
    is_call || is_dotted || is_snake
}

fn is_path(value: &str) -> bool {
    let is_plain = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
    };
    value.starts_with(['/', '.', '~'])
        || value.contains("://")
        || value.split('/').filter(|it| is_plain(it)).count() > 1
}

/// Whether at least so many different bytes occur as random letters and digits have.
fn entropy_is_high(value: &str) -> bool {
    let mut seen = [false; 128];
    for byte in value.bytes() {
        if let Some(place) = seen.get_mut(usize::from(byte)) {
            *place = true;
        }
    }
    let different = seen.iter().filter(|seen| **seen).count();
    different >= 8 && different * 2 >= value.len().min(20)
}
