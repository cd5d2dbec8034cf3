//! The simulator's own tokenizer. It is deliberately unlike a "bytes divided by
//! four" estimate: how many bytes a token takes depends on the script and the
//! letters, so an estimate in front of the simulator is put to a real test.
//!
//! Tokens are cut greedily from the left and each cut depends only on what
//! precedes it. Text cut at a token's end therefore has exactly the tokens
//! before the cut, which lets a reply be truncated or streamed in pieces whose
//! counts add up.

/// Counts the tokens of `text`.
#[must_use]
pub fn count_tokens(text: &str) -> u64 {
    let mut rest = text;
    let mut count = 0;
    while let Some(len) = token_len(rest) {
        rest = rest.get(len..).unwrap_or_default();
        count += 1;
    }
    count
}

/// The byte offsets at which the tokens of `text` end, in order.
pub(crate) fn token_ends(text: &str) -> Vec<usize> {
    let mut ends = Vec::with_capacity(text.len() / 4 + 1);
    let mut at = 0;
    while let Some(len) = text.get(at..).and_then(token_len) {
        at += len;
        ends.push(at);
    }
    ends
}

/// What a character belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Letter,
    Ideograph,
    Digit,
    Space,
    Newline,
    Mark,
}

fn class_of(character: char) -> Class {
    match character {
        'a'..='z' | 'A'..='Z' => Class::Letter,
        '0'..='9' => Class::Digit,
        '\n' | '\r' => Class::Newline,
        ' ' | '\t' => Class::Space,
        _ if character.is_ascii() => Class::Mark,
        '\u{2E80}'.. => Class::Ideograph,
        _ if character.is_alphabetic() => Class::Letter,
        _ if character.is_whitespace() => Class::Space,
        _ => Class::Mark,
    }
}

/// How many characters of its class a token may hold when it begins with `first`.
fn longest(class: Class, first: char) -> usize {
    const ASCII_SIZES: [usize; 8] = [6, 3, 8, 5, 4, 7, 9, 5];
    match class {
        Class::Letter if first.is_ascii() => {
            let slot = (u32::from(first) | 0x20) % 8;
            usize::try_from(slot).ok().and_then(|slot| ASCII_SIZES.get(slot)).copied().unwrap_or(5)
        }
        Class::Letter => 3,
        Class::Ideograph => 1,
        Class::Digit => 3,
        Class::Space => 8,
        Class::Newline => 4,
        Class::Mark => 2,
    }
}

/// The length in bytes of the first token of `text`; `None` when it is empty.
fn token_len(text: &str) -> Option<usize> {
    let first = text.chars().next()?;
    let class = class_of(first);
    if first == ' ' {
        let after = text.get(1..).unwrap_or_default();
        // A single space belongs to the word that follows it.
        if let Some(next) = after.chars().next()
            && matches!(class_of(next), Class::Letter | Class::Digit)
        {
            return Some(1 + run_len(after, next));
        }
    }
    if class == Class::Space {
        return Some(spaces_len(text));
    }
    Some(run_len(text, first))
}

/// The run of characters of one class that a token takes, in bytes.
fn run_len(text: &str, first: char) -> usize {
    let class = class_of(first);
    let limit = longest(class, first);
    text.chars().take(limit).take_while(|next| class_of(*next) == class).map(char::len_utf8).sum()
}

/// A run of white space, leaving one space to a word that follows.
fn spaces_len(text: &str) -> usize {
    let run = run_len(text, ' ');
    let last_is_space = text.get(..run).is_some_and(|spaces| spaces.ends_with(' '));
    let word_follows = text
        .get(run..)
        .and_then(|rest| rest.chars().next())
        .is_some_and(|next| matches!(class_of(next), Class::Letter | Class::Digit));
    if run > 1 && last_is_space && word_follows { run - 1 } else { run }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLES: &[&str] = &[
        "",
        " ",
        "Hello, world",
        "fn main() {\n    println!(\"{}\", 123456);\n}\n",
        "Größenordnung überprüfen",
        "価格は毎月変わる。",
        "Стоимость запроса",
        "a  b   c\t\td \u{a0}e 🙂🙂 x",
        "antidisestablishmentarianism 0xdeadbeef 3.14159",
    ];

    #[test]
    fn tokens_cover_the_text() {
        for sample in SAMPLES {
            let ends = token_ends(sample);
            assert_eq!(ends.len() as u64, count_tokens(sample));
            assert_eq!(ends.last().copied().unwrap_or(0), sample.len(), "{sample:?}");
            assert!(ends.windows(2).all(|pair| pair[0] < pair[1]));
        }
    }

    #[test]
    fn a_prefix_at_a_token_end_has_exactly_its_tokens() {
        for sample in SAMPLES {
            for (index, end) in token_ends(sample).into_iter().enumerate() {
                assert_eq!(count_tokens(&sample[..end]), index as u64 + 1, "{sample:?} at {end}");
            }
        }
    }

    #[test]
    fn bytes_per_token_differ_between_texts() {
        let ratio = |text: &str| text.len() as f64 / count_tokens(text) as f64;
        assert!(ratio("the cost of the model and the value of good work") > 4.0);
        assert!(ratio("{[(<=>)]};::->|&&") < 2.5);
        assert!((ratio("価格は毎月変わる") - 3.0).abs() < 0.01);
    }
}
